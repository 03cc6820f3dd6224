// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/ops/scans.hpp>
#include <xtape/autograd/ops/sorting.hpp>

#include "../stored_cases.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

const StoredCases cases(
    "order.safetensors",
    {
        {"diff", XTAPE_CALL(diff(a))},
        {"diff.twice", XTAPE_CALL(diff(a, 2, 0))},
        {"cumsum", XTAPE_CALL(cumsum(a, -1))},
        {"cumsum.first", XTAPE_CALL(cumsum(a, 0))},
        {"cumprod", XTAPE_CALL(cumprod(a, -2))},
        {"cummax", XTAPE_CALL(cummax(a, -1))},
        {"cummin", XTAPE_CALL(cummin(a, 0))},
        {"sort", XTAPE_CALL(sort(a))},
        {"sort.descending", XTAPE_CALL(sort(a, -2, true))},
        {"argsort", XTAPE_CALL(argsort(a, 0))},
        {"argsort.descending", XTAPE_CALL(argsort(a, -1, true))},
        {"topk", XTAPE_CALL(topk(a, 2))},
        {"topk.smallest", XTAPE_CALL(topk(a, 2, -2, false))},
        {"kthvalue", XTAPE_CALL(kthvalue(a, 2))},
        {"kthvalue.keepdim", XTAPE_CALL(kthvalue(a, 3, -2, true))},
        {"median", XTAPE_CALL(median(a))},
        {"median.dim", XTAPE_CALL(median(a, -2))},
        {"median.keepdim", XTAPE_CALL(median(a, 0, true))},
        {"quantile", XTAPE_CALL(quantile(a, 0.3))},
        {"quantile.lower", XTAPE_CALL(quantile(a, 0.4, Interpolation::lower))},
        {"quantile.higher", XTAPE_CALL(quantile(a, 0.4, Interpolation::higher))},
        {"quantile.midpoint", XTAPE_CALL(quantile(a, 0.4, Interpolation::midpoint))},
        {"quantile.nearest", XTAPE_CALL(quantile(a, 0.4, Interpolation::nearest))},
        {"quantile.keepdim", XTAPE_CALL(quantile(a, 0.6, -2, true))},
        {"quantile.several", XTAPE_CALL(quantile(a, b, 1))},
        {"unique", XTAPE_CALL(unique(a))},
        {"unique.dim", XTAPE_CALL(unique(a, 0))},
        {"unique.last", XTAPE_CALL(unique(a, -1))},
        {"unique_consecutive", XTAPE_CALL(unique_consecutive(a))},
        {"unique_consecutive.dim", XTAPE_CALL(unique_consecutive(a, 1))},
        {"searchsorted", XTAPE_CALL(searchsorted(a, b))},
        {"searchsorted.right", XTAPE_CALL(searchsorted(a, b, true))},
        {"searchsorted.sorter", XTAPE_CALL(searchsorted(a, b, false, c))},
        {"bucketize", XTAPE_CALL(bucketize(b, a, true))},
        {"bincount", XTAPE_CALL(bincount(a, {}, 6))},
        {"bincount.weights", XTAPE_CALL(bincount(a, b))},
    });

}  // namespace
