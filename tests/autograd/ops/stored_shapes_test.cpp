// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/ops/diagonal.hpp>
#include <xtape/autograd/ops/joining.hpp>
#include <xtape/autograd/ops/shape.hpp>
#include <xtape/autograd/ops/windows.hpp>

#include "../stored_cases.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

const StoredCases cases(
    "shapes.safetensors",
    {
        {"reshape", XTAPE_CALL(reshape(a, {4, -1}))},
        {"reshape.transposed", XTAPE_CALL(reshape(transpose(a, 0, 2), {6, 4}))},
        {"clone", XTAPE_CALL(a.clone())},
        {"contiguous", XTAPE_CALL(a.t().contiguous())},
        {"to", XTAPE_CALL(a.to(int64))},
        {"view", XTAPE_CALL(view(a, {6, 4}))},
        {"flatten", XTAPE_CALL(flatten(a))},
        {"flatten.dims", XTAPE_CALL(flatten(a, -2))},
        {"unflatten", XTAPE_CALL(unflatten(a, -1, {2, -1}))},
        {"squeeze", XTAPE_CALL(squeeze(a))},
        {"squeeze.dim", XTAPE_CALL(squeeze(a, -2))},
        {"unsqueeze", XTAPE_CALL(unsqueeze(a, -2))},
        {"transpose", XTAPE_CALL(transpose(a, 0, -1))},
        {"t", XTAPE_CALL(a.t())},
        {"permute", XTAPE_CALL(permute(a, {2, 0, -2}))},
        {"movedim", XTAPE_CALL(movedim(a, 0, -1))},
        {"movedim.several", XTAPE_CALL(movedim(a, {0, 2}, {-1, 0}))},
        {"expand", XTAPE_CALL(expand(a, {2, -1, 4}))},
        {"expand.broadcast_to", XTAPE_CALL(broadcast_to(a, {2, 3, 4}))},
        {"flip", XTAPE_CALL(flip(a, {0, -1}))},
        {"rot90", XTAPE_CALL(rot90(a))},
        {"rot90.dims", XTAPE_CALL(rot90(a, -3, {2, 0}))},
        {"rot90.half", XTAPE_CALL(rot90(a, 2, {0, 1}))},
        {"repeat", XTAPE_CALL(repeat(a, {2, 1, 3}))},
        {"tile", XTAPE_CALL(tile(a, {3, 2}))},
        {"cat", XTAPE_CALL(cat({a, b}))},
        {"cat.dim", XTAPE_CALL(cat({a, b, c}, -2))},
        {"stack", XTAPE_CALL(stack({a, b}, -1))},
        {"split", XTAPE_CALL(split(a, 2, -2))},
        {"split.sizes", XTAPE_CALL(split(a, {1, 0, 3}, 2))},
        {"chunk", XTAPE_CALL(chunk(a, 3, -1))},
        {"unbind", XTAPE_CALL(unbind(a, 1))},
        {"pad", XTAPE_CALL(pad(a, {1, 2, 0, 1}, 0.5))},
        {"pad.negative", XTAPE_CALL(pad(a, {-1, 2}))},
        {"pad.reflect", XTAPE_CALL(pad(a, {1, 2, 2, 0}, PadMode::reflect))},
        {"pad.replicate", XTAPE_CALL(pad(a, {1, 2, 2, 0}, PadMode::replicate))},
        {"pad.circular", XTAPE_CALL(pad(a, {1, 2, 2, 0}, PadMode::circular))},
        {"roll", XTAPE_CALL(roll(a, 2))},
        {"roll.dims", XTAPE_CALL(roll(a, {-1, 5}, {0, -1}))},
        {"repeat_interleave", XTAPE_CALL(repeat_interleave(a, 2))},
        {"repeat_interleave.dim", XTAPE_CALL(repeat_interleave(a, 3, -2))},
        {"repeat_interleave.each", XTAPE_CALL(repeat_interleave(a, b, 1))},
        {"meshgrid", XTAPE_CALL(meshgrid({a, b}))},
        {"meshgrid.xy", XTAPE_CALL(meshgrid({a, b}, MeshIndexing::xy))},
        {"diagonal", XTAPE_CALL(diagonal(a))},
        {"diagonal.offset", XTAPE_CALL(diagonal(a, -1, 0, -1))},
        {"diag_embed", XTAPE_CALL(diag_embed(a))},
        {"diag_embed.offset", XTAPE_CALL(diag_embed(a, -1, 0, -1))},
        {"tril", XTAPE_CALL(tril(a))},
        {"tril.diagonal", XTAPE_CALL(tril(a, -1))},
        {"tril.above", XTAPE_CALL(tril(a, 1))},
        {"triu", XTAPE_CALL(triu(a))},
        {"triu.diagonal", XTAPE_CALL(triu(a, -1))},
        {"triu.above", XTAPE_CALL(triu(a, 1))},
        {"unfold", XTAPE_CALL(unfold(a, -1, 3, 2))},
        {"unfold.columns", XTAPE_CALL(unfold(a, {2, 3}))},
        {"unfold.options",
         XTAPE_CALL(unfold(a, 2, {.dilation = {2, 1}, .padding = {1, 0}, .stride = {1, 2}}))},
        {"fold", XTAPE_CALL(fold(a, {4, 5}, {2, 3}))},
        {"fold.options",
         XTAPE_CALL(fold(a, {4, 5}, 2, {.dilation = {2, 1}, .padding = {1, 0}, .stride = {1, 2}}))},
    });

}  // namespace
