// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/ops/einsum.hpp>
#include <xtape/autograd/ops/matmul.hpp>
#include <xtape/autograd/ops/pooling.hpp>
#include <xtape/autograd/ops/products.hpp>

#include "../stored_cases.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

const StoredCases cases(
    "products.safetensors",
    {
        {"matmul", XTAPE_CALL(matmul(a, b))},
        {"mm", XTAPE_CALL(mm(a, b))},
        {"mv", XTAPE_CALL(mv(a, b))},
        {"dot", XTAPE_CALL(dot(a, b))},
        {"bmm", XTAPE_CALL(bmm(a, b))},
        {"outer", XTAPE_CALL(outer(a, b))},
        {"addmm", XTAPE_CALL(addmm(a, b, c))},
        {"addmm.factors", XTAPE_CALL(addmm(a, b, c, 0.5, -2))},
        {"baddbmm", XTAPE_CALL(baddbmm(a, b, c))},
        {"baddbmm.factors", XTAPE_CALL(baddbmm(a, b, c, 0.5, -2))},
        {"vecdot", XTAPE_CALL(vecdot(a, b))},
        {"vecdot.dim", XTAPE_CALL(vecdot(a, b, 0))},
        {"linear", XTAPE_CALL(linear(a, b, c))},
        {"linear.no_bias", XTAPE_CALL(linear(a, b))},
        {"trace", XTAPE_CALL(trace(a))},
        {"kron", XTAPE_CALL(kron(a, b))},
        {"cross", XTAPE_CALL(cross(a, b))},
        {"cross.dim", XTAPE_CALL(cross(a, b, 0))},
        {"tensordot", XTAPE_CALL(tensordot(a, b))},
        {"tensordot.dims", XTAPE_CALL(tensordot(a, b, {-1, 0}, {0, 2}))},
        {"max_pool2d", XTAPE_CALL(max_pool2d(a, 2))},
        {"max_pool2d.options",
         XTAPE_CALL(max_pool2d(
             a, {2, 3}, {.stride = 2, .padding = 1, .dilation = {2, 1}, .ceil_mode = true}))},
        {"avg_pool2d", XTAPE_CALL(avg_pool2d(a, 2))},
        {"avg_pool2d.options",
         XTAPE_CALL(avg_pool2d(
             a, {2, 3},
             {.stride = 2, .padding = 1, .ceil_mode = true, .count_include_pad = false}))},
        {"einsum.batched", XTAPE_CALL(einsum("bij,bjk->ikb", {a, b}))},
        {"einsum.implicit", XTAPE_CALL(einsum("kj,ji", {a, b}))},
        {"einsum.capitals", XTAPE_CALL(einsum("bA,bC", {a, b}))},
        {"einsum.ellipsis", XTAPE_CALL(einsum("...ij,...jk", {a, b}))},
        {"einsum.ellipsis_between", XTAPE_CALL(einsum("a...b,b...->...a", {a, b}))},
        {"einsum.diagonal", XTAPE_CALL(einsum("iij,i->ji", {a, b}))},
        {"einsum.summed", XTAPE_CALL(einsum("ij,kl->l", {a, b}))},
        {"einsum.trace", XTAPE_CALL(einsum("ii", {a}))},
        {"einsum.transpose", XTAPE_CALL(einsum("ji", {a}))},
        {"einsum.three", XTAPE_CALL(einsum("ai,bi,ci->abc", {a, b, c}))},
    });

}  // namespace
