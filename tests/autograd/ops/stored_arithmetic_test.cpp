// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/logic.hpp>

#include "../stored_cases.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

const StoredCases cases("arithmetic.safetensors",
                        {
                            {"add", XTAPE_CALL(a + b)},
                            {"add.number", XTAPE_CALL(a + 2.5)},
                            {"add.integer", XTAPE_CALL(a + b)},
                            {"add.alpha", XTAPE_CALL(add(a, b, -2.5))},
                            {"sub", XTAPE_CALL(a - b)},
                            {"sub.from_number", XTAPE_CALL(1 - a)},
                            {"sub.alpha", XTAPE_CALL(sub(a, b, 3))},
                            {"mul", XTAPE_CALL(a* b)},
                            {"mul.number", XTAPE_CALL(a * -3)},
                            {"mul.integers", XTAPE_CALL(a* b)},
                            {"div", XTAPE_CALL(a / b)},
                            {"div.number", XTAPE_CALL(a / 3)},
                            {"div.of_number", XTAPE_CALL(3 / a)},
                            {"div.floor", XTAPE_CALL(div(a, b, RoundingMode::floor))},
                            {"div.trunc", XTAPE_CALL(div(a, b, RoundingMode::trunc))},
                            {"div.floor_integers", XTAPE_CALL(div(a, b, RoundingMode::floor))},
                            {"div.trunc_integers", XTAPE_CALL(div(a, b, RoundingMode::trunc))},
                            {"remainder", XTAPE_CALL(remainder(a, b))},
                            {"remainder.number", XTAPE_CALL(remainder(a, -0.75))},
                            {"remainder.of_number", XTAPE_CALL(remainder(-7, a))},
                            {"remainder.integers", XTAPE_CALL(remainder(a, b))},
                            {"fmod", XTAPE_CALL(fmod(a, b))},
                            {"fmod.number", XTAPE_CALL(fmod(a, -0.75))},
                            {"neg", XTAPE_CALL(-a)},
                            {"maximum", XTAPE_CALL(maximum(a, b))},
                            {"minimum", XTAPE_CALL(minimum(a, b))},
                            {"clamp", XTAPE_CALL(clamp(a, -0.75, 1))},
                            {"clamp.tensors", XTAPE_CALL(clamp(a, b, c))},
                            {"clamp.crossed", XTAPE_CALL(clamp(a, b, c))},
                            {"clamp_min", XTAPE_CALL(clamp_min(a, 0.25))},
                            {"clamp_max", XTAPE_CALL(clamp_max(a, 0.25))},
                            {"lerp", XTAPE_CALL(lerp(a, b, c))},
                            {"lerp.number", XTAPE_CALL(lerp(a, b, 0.3))},
                            {"addcmul", XTAPE_CALL(addcmul(a, b, c, -0.5))},
                            {"addcdiv", XTAPE_CALL(addcdiv(a, b, c, 2))},
                            {"where", XTAPE_CALL(where(a, b, c))},
                            {"where.number", XTAPE_CALL(where(a, b, 2.5))},
                            {"where.of_number", XTAPE_CALL(where(a, -1, b))},
                            {"eq", XTAPE_CALL(a == b)},
                            {"eq.number", XTAPE_CALL(a == 1)},
                            {"ne", XTAPE_CALL(a != b)},
                            {"ne.number", XTAPE_CALL(a != 1)},
                            {"lt", XTAPE_CALL(a < b)},
                            {"lt.number", XTAPE_CALL(a < 1)},
                            {"le", XTAPE_CALL(a <= b)},
                            {"le.number", XTAPE_CALL(a <= 1)},
                            {"gt", XTAPE_CALL(a > b)},
                            {"gt.number", XTAPE_CALL(a > 1)},
                            {"ge", XTAPE_CALL(a >= b)},
                            {"ge.number", XTAPE_CALL(a >= 1)},
                            {"logical_and", XTAPE_CALL(logical_and(a, b))},
                            {"logical_or", XTAPE_CALL(logical_or(a, b))},
                            {"logical_xor", XTAPE_CALL(logical_xor(a, b))},
                            {"logical_not", XTAPE_CALL(logical_not(a))},
                            {"isnan", XTAPE_CALL(isnan(a))},
                            {"isinf", XTAPE_CALL(isinf(a))},
                            {"isfinite", XTAPE_CALL(isfinite(a))},
                            {"isclose", XTAPE_CALL(isclose(a, b))},
                            {"isclose.equal_nan", XTAPE_CALL(isclose(a, b, 0.5, 0.25, true))},
                        });

}  // namespace
