// SPDX-License-Identifier: BSD-3-Clause
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <numbers>
#include <xtape/autograd/ops/math.hpp>

#include "../rows.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// An operation whose reference is the function of the same name.
#define XTAPE_STD(name)                                \
  .f = [](const Tensor& x) { return xtape::name(x); }, \
  .reference = [](long double x) { return std::name(x); }

const Rows rows({
    {.name = "sin",
     XTAPE_STD(sin),
     .inputs = {{real(-4, 4)}},
     .points = {{{1e4}, std::sin(1e4)}, {{1e-9}, 1e-9, {1}}}},
    {.name = "cos",
     XTAPE_STD(cos),
     .inputs = {{real(-4, 4)}},
     .points = {{{1e4}, std::cos(1e4)}, {{0}, 1, {0}}}},
    {.name = "tan", XTAPE_STD(tan), .inputs = {{real(-1.2, 1.2)}}, .points = {{{1e-9}, 1e-9, {1}}}},
    {.name = "asin",
     XTAPE_STD(asin),
     .inputs = {{real(-0.9, 0.9)}},
     .points = {{{1}, std::numbers::pi / 2, {kInfinity}}, {{1e-9}, 1e-9, {1}}}},
    {.name = "acos",
     XTAPE_STD(acos),
     .inputs = {{real(-0.9, 0.9)}},
     .points = {{{1}, 0, {-kInfinity}}, {{-1}, std::numbers::pi}}},
    {.name = "atan", XTAPE_STD(atan), .inputs = {{real(-3, 3)}}, .points = {{{1e-9}, 1e-9, {1}}}},
    {.name = "sinh", XTAPE_STD(sinh), .inputs = {{real(-2, 2)}}, .points = {{{1e-9}, 1e-9, {1}}}},
    {.name = "cosh", XTAPE_STD(cosh), .inputs = {{real(-2, 2)}}, .points = {{{0}, 1, {0}}}},
    {.name = "tanh",
     XTAPE_STD(tanh),
     .inputs = {{real(-2, 2)}},
     .points = {{{1e-9}, 1e-9, {1}}, {{30}, 1, {0}}, {{-30}, -1, {0}}}},
    {.name = "asinh", XTAPE_STD(asinh), .inputs = {{real(-3, 3)}}, .points = {{{1e-9}, 1e-9, {1}}}},
    {.name = "acosh",
     XTAPE_STD(acosh),
     .inputs = {{real(1.2, 4)}},
     .points = {{{1}, 0, {kInfinity}}, {{0.5}, std::nan("")}, {{-1e20}, std::nan("")}}},
    {.name = "atanh",
     XTAPE_STD(atanh),
     .inputs = {{real(-0.9, 0.9)}},
     .points = {{{1}, kInfinity, {kInfinity}}, {{-1}, -kInfinity}, {{1e-9}, 1e-9, {1}}}},
});

}  // namespace
