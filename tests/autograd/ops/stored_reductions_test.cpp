// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>

#include <xtape/autograd/ops/reductions.hpp>

#include "../stored_cases.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

const StoredCases cases("reductions.safetensors",
                        {
                            {"sum", XTAPE_CALL(sum(a))},
                            {"sum.dim", XTAPE_CALL(sum(a, {-2}))},
                            {"sum.dims", XTAPE_CALL(sum(a, {0, -1}))},
                            {"sum.keepdim", XTAPE_CALL(sum(a, {-1, 0}, true))},
                            {"sum.empty_axis", XTAPE_CALL(sum(a, {1}))},
                            {"mean", XTAPE_CALL(mean(a))},
                            {"mean.dims", XTAPE_CALL(mean(a, {0, -1}))},
                            {"mean.keepdim", XTAPE_CALL(mean(a, {-2}, true))},
                            {"mean.empty_axis", XTAPE_CALL(mean(a, {1}))},
                            {"prod", XTAPE_CALL(prod(a))},
                            {"prod.dim", XTAPE_CALL(prod(a, {-2}))},
                            {"prod.keepdim", XTAPE_CALL(prod(a, {1}, true))},
                            {"amax", XTAPE_CALL(amax(a))},
                            {"amax.dims", XTAPE_CALL(amax(a, {0, -1}))},
                            {"amax.keepdim", XTAPE_CALL(amax(a, {-2}, true))},
                            {"amin", XTAPE_CALL(amin(a))},
                            {"amin.dims", XTAPE_CALL(amin(a, {0, -1}))},
                            {"amin.keepdim", XTAPE_CALL(amin(a, {-2}, true))},
                            {"max", XTAPE_CALL(max(a))},
                            {"max.dim", XTAPE_CALL(max(a, -2))},
                            {"max.keepdim", XTAPE_CALL(max(a, 1, true))},
                            {"min", XTAPE_CALL(min(a))},
                            {"min.dim", XTAPE_CALL(min(a, -2))},
                            {"min.keepdim", XTAPE_CALL(min(a, 1, true))},
                            {"argmax", XTAPE_CALL(argmax(a))},
                            {"argmax.dim", XTAPE_CALL(argmax(a, -2))},
                            {"argmax.keepdim", XTAPE_CALL(argmax(a, 0, true))},
                            {"argmin", XTAPE_CALL(argmin(a))},
                            {"argmin.dim", XTAPE_CALL(argmin(a, -2))},
                            {"argmin.keepdim", XTAPE_CALL(argmin(a, 0, true))},
                            {"var", XTAPE_CALL(var(a))},
                            {"var.dims", XTAPE_CALL(var(a, {0, -1}))},
                            {"var.biased", XTAPE_CALL(var(a, {-2}, 0))},
                            {"var.keepdim", XTAPE_CALL(var(a, {1}, 2, true))},
                            {"std", XTAPE_CALL(xtape::std(a))},
                            {"std.dims", XTAPE_CALL(xtape::std(a, {-1, 0}, 0))},
                            {"std.keepdim", XTAPE_CALL(xtape::std(a, {1}, 1, true))},
                            {"var_mean", XTAPE_CALL(var_mean(a, {-1}))},
                            {"var_mean.keepdim", XTAPE_CALL(var_mean(a, {0, 2}, 0, true))},
                            {"std_mean", XTAPE_CALL(std_mean(a, {0, 2}))},
                            {"logsumexp", XTAPE_CALL(logsumexp(a, {-1}))},
                            {"logsumexp.dims", XTAPE_CALL(logsumexp(a, {0, -1}, true))},
                            {"norm", XTAPE_CALL(norm(a))},
                            {"norm.dims", XTAPE_CALL(norm(a, 2, {0, -1}, true))},
                            {"norm.one", XTAPE_CALL(norm(a, 1, {-2}))},
                            {"norm.three", XTAPE_CALL(norm(a, 3, {-1}))},
                            {"norm.half", XTAPE_CALL(norm(a, 0.5, {1}))},
                            {"norm.zero", XTAPE_CALL(norm(a, 0, {1}))},
                            {"norm.infinite", XTAPE_CALL(norm(a, HUGE_VAL, {1}))},
                            {"norm.minus_infinite", XTAPE_CALL(norm(a, -HUGE_VAL, {1}))},
                            {"all", XTAPE_CALL(all(a))},
                            {"all.dim", XTAPE_CALL(all(a, {-2}))},
                            {"all.keepdim", XTAPE_CALL(all(a, {1}, true))},
                            {"any", XTAPE_CALL(any(a))},
                            {"any.dim", XTAPE_CALL(any(a, {-2}))},
                            {"any.keepdim", XTAPE_CALL(any(a, {1}, true))},
                            {"count_nonzero", XTAPE_CALL(count_nonzero(a))},
                            {"count_nonzero.dims", XTAPE_CALL(count_nonzero(a, {0, -1}))},
                        });

}  // namespace
