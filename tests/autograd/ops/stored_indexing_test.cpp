// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/ops/embedding.hpp>
#include <xtape/autograd/ops/indexing.hpp>

#include "../stored_cases.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

const StoredCases cases(
    "indexing.safetensors",
    {
        {"index.number", XTAPE_CALL(a[-1])},
        {"index.slices", XTAPE_CALL(a[{slice(), slice(1), slice(none, none, 2)}])},
        {"index.new_dim", XTAPE_CALL(a[{none, ellipsis, -1}])},
        {"index.positions", XTAPE_CALL(a[{slice(), b}])},
        {"index.two_positions", XTAPE_CALL(a[{b, slice(), c}])},
        {"index.mask", XTAPE_CALL(a[{b}])},
        {"select", XTAPE_CALL(select(a, -2, -1))},
        {"narrow", XTAPE_CALL(narrow(a, -1, 1, 2))},
        {"index_select", XTAPE_CALL(index_select(a, -2, b))},
        {"index_add", XTAPE_CALL(index_add(a, 1, b, c))},
        {"index_add.alpha", XTAPE_CALL(index_add(a, 1, b, c, -0.5))},
        {"index_copy", XTAPE_CALL(index_copy(a, -2, b, c))},
        {"index_fill", XTAPE_CALL(index_fill(a, 1, b, 7.5))},
        {"gather", XTAPE_CALL(gather(a, -1, b))},
        {"scatter", XTAPE_CALL(scatter(a, 0, b, c))},
        {"scatter.number", XTAPE_CALL(scatter(a, 1, b, 7.5))},
        {"scatter_add", XTAPE_CALL(scatter_add(a, -1, b, c))},
        {"take", XTAPE_CALL(take(a, b))},
        {"put", XTAPE_CALL(put(a, b, c))},
        {"put.accumulate", XTAPE_CALL(put(a, b, c, true))},
        {"index_put", XTAPE_CALL(index_put(a, {b}, c))},
        {"index_put.accumulate", XTAPE_CALL(index_put(a, {b}, c, true))},
        {"take_along_dim", XTAPE_CALL(take_along_dim(a, b, 1))},
        {"masked_fill", XTAPE_CALL(masked_fill(a, b, -2.5))},
        {"masked_select", XTAPE_CALL(masked_select(a, b))},
        {"nonzero", XTAPE_CALL(nonzero(a))},
        {"one_hot", XTAPE_CALL(one_hot(a))},
        {"one_hot.classes", XTAPE_CALL(one_hot(a, 5))},
        {"embedding", XTAPE_CALL(embedding(a, b))},
        {"embedding.padding", XTAPE_CALL(embedding(a, b, {.padding_idx = -4}))},
        {"embedding.frequency", XTAPE_CALL(embedding(a, b, {.scale_grad_by_freq = true}))},
        {"embedding_bag.sum", XTAPE_CALL(embedding_bag(a, b, {.mode = BagMode::sum}))},
        {"embedding_bag.mean", XTAPE_CALL(embedding_bag(a, b))},
        {"embedding_bag.max", XTAPE_CALL(embedding_bag(a, b, {.mode = BagMode::max}))},
        {"embedding_bag.offsets", XTAPE_CALL(embedding_bag(a, b, {.offsets = c}))},
        {"embedding_bag.weighted",
         XTAPE_CALL(embedding_bag(a, b, {.mode = BagMode::sum, .per_sample_weights = c}))},
    });

}  // namespace
