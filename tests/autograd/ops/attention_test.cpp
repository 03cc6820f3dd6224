// SPDX-License-Identifier: BSD-3-Clause
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <vector>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/attention.hpp>
#include <xtape/autograd/ops/indexing.hpp>
#include <xtape/autograd/ops/math.hpp>
#include <xtape/autograd/ops/matmul.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/ops/shape.hpp>
#include <xtape/autograd/ops/softmax.hpp>
#include <xtape/autograd/random.hpp>

#include "../expect.hpp"
#include "../rows.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

Tensor plain(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask = {}) {
  Tensor scores = matmul(q, k.transpose(-2, -1)) / std::sqrt(static_cast<double>(q.size(-1)));
  if (mask.defined()) scores = scores + mask;
  return matmul(softmax(scores, -1), v);
}

// 0 where query i may look at key j <= i, else a number that leaves nothing.
Tensor causal(std::int64_t queries, std::int64_t keys, DType dtype) {
  return gt(arange(keys), unsqueeze(arange(queries), 1)).to(dtype) * -1e30;
}

const Rows rows({
    {.name = "scaled_dot_product_attention",
     .f = [](const Tensor& q, const Tensor& k,
             const Tensor& v) { return scaled_dot_product_attention(q, k, v); },
     .reference = [](const Tensor& q, const Tensor& k, const Tensor& v) { return plain(q, k, v); },
     .inputs = {{real({3, 4}), real({5, 4}), real({5, 6})},
                {real({2, 2, 3, 4}), real({2, 2, 5, 4}), real({2, 2, 5, 4})},
                {real({2, 1, 3, 4}), real({3, 5, 4}), real({1, 1, 5, 2})}},
     .tolerance32 = 5e-6,
     .errors =
         {throws<ShapeError>(
              [] {
                return scaled_dot_product_attention(zeros({3, 4}), zeros({5, 3}), zeros({5, 4}));
              },
              "got [3, 4], [5, 3] and [5, 4]"),
          throws<ShapeError>(
              [] {
                return scaled_dot_product_attention(zeros({2, 3, 4}), zeros({3, 5, 4}),
                                                    zeros({5, 4}));
              },
              "scaled_dot_product_attention"),
          throws<ShapeError>(
              [] {
                return scaled_dot_product_attention(zeros({3, 4}), zeros({5, 4}), zeros({5, 4}),
                                                    {.attn_mask = zeros({3, 4})});
              },
              "scaled_dot_product_attention"),
          throws<DTypeError>(
              [] {
                return scaled_dot_product_attention(zeros({3, 4}), zeros({5, 4}, float64),
                                                    zeros({5, 4}));
              },
              "one floating dtype"),
          throws<DTypeError>(
              [] {
                return scaled_dot_product_attention(zeros({3, 4}), zeros({5, 4}), zeros({5, 4}),
                                                    {.attn_mask = zeros({3, 5}, int64)});
              },
              "a boolean mask or one of float32"),
          throws<ValueError>(
              [] {
                return scaled_dot_product_attention(zeros({3, 4}), zeros({5, 4}), zeros({5, 4}),
                                                    {.dropout_p = 1});
              },
              "dropout_p in [0, 1), got 1"),
          throws<ValueError>(
              [] {
                return scaled_dot_product_attention(
                    zeros({3, 4}), zeros({5, 4}), zeros({5, 4}),
                    {.attn_mask = zeros({3, 5}), .is_causal = true});
              },
              "no attn_mask beside is_causal")}},
    {.name = "attention_causal",
     .f =
         [](const Tensor& q, const Tensor& k, const Tensor& v) {
           return scaled_dot_product_attention(q, k, v, {.is_causal = true});
         },
     .reference =
         [](const Tensor& q, const Tensor& k, const Tensor& v) {
           return plain(q, k, v, causal(q.size(-2), k.size(-2), q.dtype()));
         },
     .inputs = {{real({2, 5, 4}), real({2, 5, 4}), real({2, 5, 3})},
                {real({4, 3}), real({6, 3}), real({6, 3})}},
     .tolerance32 = 5e-6},
    {.name = "attention_masked",  // the mask's gradient, too
     .f =
         [](const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask) {
           return scaled_dot_product_attention(q, k, v, {.attn_mask = mask});
         },
     .reference = [](const Tensor& q, const Tensor& k, const Tensor& v,
                     const Tensor& mask) { return plain(q, k, v, mask); },
     .inputs = {{real({2, 3, 4}), real({2, 5, 4}), real({2, 5, 6}), real({3, 5})},
                {real({2, 3, 4}), real({2, 5, 4}), real({2, 5, 6}), real({2, 1, 5})}},
     .tolerance32 = 5e-6,
     .without = {Check::undefined}},
    {.name = "attention_dropout",
     .kind = Kind::random,
     .f = [](const Tensor& q, const Tensor& k,
             const Tensor& v) { return scaled_dot_product_attention(q, k, v, {.dropout_p = 0.3}); },
     .inputs = {{real({2, 5, 4}), real({2, 7, 4}), real({2, 7, 3})}},
     .tolerance32 = 5e-6,
     // Kept weights are larger by 1 / 0.7, so results stay within that of the values' range.
     .statistics = [](const Tensors& y) -> std::string {
       double top = 0;
       for (const double v : elements(y[0])) top = std::max(top, std::abs(v));
       return top > 0.1 && top <= 2 / 0.7 ? "" : "largest result " + std::to_string(top);
     }},
    {.name = "attention_with_weights",
     .f =
         [](const Tensor& q, const Tensor& k, const Tensor& v) {
           const AttentionAndWeights a = attention_with_weights(q, k, v, {.scale = 0.7});
           return Tensors{a.output, a.weights};
         },
     .reference =
         [](const Tensor& q, const Tensor& k, const Tensor& v) {
           const Tensor w = softmax(matmul(q, k.transpose(-2, -1)) * 0.7, -1);
           return Tensors{matmul(w, v), w};
         },
     .inputs = {{real({2, 3, 4}), real({2, 5, 4}), real({2, 5, 6})}},
     .tolerance32 = 5e-6},
});

BOOST_AUTO_TEST_SUITE(attention)

Tensor drawn(const Shape& shape, double phase, DType dtype) {
  std::vector<double> v(static_cast<std::size_t>(shape.numel()));
  for (std::size_t i = 0; i < v.size(); ++i) {
    v[i] =
        std::sin(phase + 1.7 * static_cast<double>(i)) + 0.3 * std::sin(static_cast<double>(i * i));
  }
  return from_values<double>(v, shape).to(dtype).detach().requires_grad_();
}

void check_close(const Tensor& got, const Tensor& expected, double tolerance) {
  const Values a = elements(got), b = elements(expected);
  double scale = 0;
  for (const double v : b) scale = std::max(scale, std::abs(v));
  BOOST_REQUIRE_EQUAL(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    BOOST_TEST(std::abs(a[i] - b[i]) <= tolerance * scale);
  }
}

// Several blocks of queries and keys: values and gradients of the fused passes are those of the
// composed form, whose gradient's own graph is wanted, with the same dropout.
void check_fused(const Tensor& q, const Tensor& k, const Tensor& v,
                 const AttentionOptions& options) {
  const double tolerance = q.dtype() == float64 ? 1e-13 : 1e-5;
  manual_seed(7);
  const Tensor y = scaled_dot_product_attention(q, k, v, options);
  manual_seed(7);
  check_close(y, attention_with_weights(q, k, v, options).output, tolerance);
  const Tensor loss = sin(y * 3).sum();
  const auto fused = grad({loss}, {q, k, v}, {.retain_graph = true});
  const auto composed = grad({loss}, {q, k, v}, {.create_graph = true});
  for (std::size_t i = 0; i < 3; ++i) check_close(fused[i], composed[i], tolerance);
}

BOOST_AUTO_TEST_CASE(blocks_make_the_whole) {
  for (const DType dtype : {float64, float32}) {
    const Tensor q = drawn({2, 3, 150, 16}, 0, dtype), k = drawn({2, 3, 270, 16}, 1, dtype);
    const Tensor v = drawn({2, 3, 270, 9}, 2, dtype);
    check_fused(q, k, v, {});
    check_fused(q, k, v, {.is_causal = true});
    check_fused(q, k, v, {.dropout_p = 0.2, .is_causal = true});
    check_fused(q, k, v, {.dropout_p = 0.2, .scale = 2.0});
    check_fused(q, k, v, {.is_causal = true, .scale = -0.5});
    check_fused(q, k, v, {.scale = 0.0});
    const Tensor mask = drawn({150, 270}, 3, dtype).detach() * 3;
    check_fused(q, k, v, {.attn_mask = mask});
    check_fused(q, k, v, {.attn_mask = gt(mask, 0)});
    check_fused(q, k, v, {.attn_mask = gt(drawn({2, 1, 1, 270}, 4, dtype), 0)});
    check_fused(q, k, v, {.attn_mask = gt(drawn({150, 1}, 5, dtype), 0)});
  }
}

// Heads as views of [batch, length, heads, width]: no copy is made, and the result lies so, too.
BOOST_AUTO_TEST_CASE(heads_stay_where_they_lie) {
  const Tensor all = drawn({2, 70, 4, 24}, 0, float64);
  const auto head = [&](std::int64_t at) {
    return all.transpose(1, 2)[{ellipsis, slice(at, at + 8)}];
  };
  const Tensor y = scaled_dot_product_attention(head(0), head(8), head(16));
  BOOST_TEST(y.transpose(1, 2).is_contiguous());
  check_close(y, plain(head(0), head(8), head(16)), 1e-13);
  const auto fused = grad({square(y).sum()}, {all}, {.retain_graph = true});
  check_close(fused[0], grad({square(y).sum()}, {all}, {.create_graph = true})[0], 1e-13);
}

// Thirds of one tensor that lie across: the kernels write rows, so the gradients lie elsewhere.
BOOST_AUTO_TEST_CASE(heads_whose_rows_are_columns) {
  for (const std::int64_t length : {1, 70}) {
    const Tensor all = drawn({2, 3, 8, length}, 0, float64);
    const auto third = [&](std::int64_t k) { return all[{slice(), k}].transpose(-2, -1); };
    const Tensor loss = square(scaled_dot_product_attention(third(0), third(1), third(2))).sum();
    const auto fused = grad({loss}, {all}, {.retain_graph = true});
    check_close(fused[0], grad({loss}, {all}, {.create_graph = true})[0], 1e-13);
  }
}

BOOST_AUTO_TEST_CASE(queries_that_look_nowhere_give_zeros) {
  const Tensor q = drawn({3, 4}, 0, float64), k = drawn({5, 4}, 1, float64);
  const Tensor v = drawn({5, 2}, 2, float64);
  const Tensor mask = tensor({{1, 1, 0, 1, 1}, {0, 0, 0, 0, 0}, {0, 0, 1, 0, 0}}).to(boolean);
  const Tensor y = scaled_dot_product_attention(q, k, v, {.attn_mask = mask});
  XTAPE_SAME(y[1], {0, 0});
  XTAPE_SAME(y[2], {v[{2, 0}].item<double>(), v[{2, 1}].item<double>()});
  for (const bool create_graph : {false, true}) {
    const auto g = grad({y.sum()}, {q, k, v}, {.retain_graph = true, .create_graph = create_graph});
    for (const Tensor& t : g) {
      for (const double x : elements(t)) BOOST_TEST(std::isfinite(x));
    }
    XTAPE_SAME(g[0][1], {0, 0, 0, 0});
  }
}

// Not even one key: zeros in either form.
BOOST_AUTO_TEST_CASE(no_keys) {
  const Tensor q = drawn({3, 4}, 0, float64), k = drawn({0, 4}, 1, float64);
  const Tensor v = drawn({0, 2}, 2, float64);
  check_fused(q, k, v, {});
  check_fused(q, k, v, {.attn_mask = zeros({3, 0}, boolean)});
  XTAPE_SAME(scaled_dot_product_attention(q, k, v), {0, 0, 0, 0, 0, 0});
}

// With ones for values the results are the sums of the kept weights: 1 on the mean.
BOOST_AUTO_TEST_CASE(dropout_keeps_the_mean) {
  manual_seed(3);
  const Tensor q = zeros({50, 40, 4}, float64), ones_ = ones({50, 200, 1}, float64);
  const Tensor y =
      scaled_dot_product_attention(q, zeros({50, 200, 4}, float64), ones_, {.dropout_p = 0.25});
  double sum = 0, squares = 0;
  for (const double v : elements(y)) {
    sum += v;
    squares += (v - 1) * (v - 1);
  }
  // Each is a mean of 200 numbers of variance 0.25 / 0.75.
  BOOST_TEST(std::abs(sum / 2000 - 1) < 6 * std::sqrt(1.0 / 3 / 200 / 2000));
  BOOST_TEST(std::abs(squares / 2000 * 600 - 1) < 0.2);
}

BOOST_AUTO_TEST_CASE(nan_passes_through) {
  const Tensor q = tensor({{std::nan(""), 1}, {1, 1}}), k = ones({3, 2}), v = ones({3, 1});
  const Values y = elements(scaled_dot_product_attention(q, k, v));
  BOOST_TEST(std::isnan(y[0]));
  BOOST_TEST(y[1] == 1);
}

// A mask of large numbers in the place of infinite ones: where it leaves a query nothing, all keys
// count alike, in the gradient too.
BOOST_AUTO_TEST_CASE(queries_whose_scores_are_all_large_and_negative) {
  for (const DType dtype : {float64, float32}) {
    const Tensor q = drawn({3, 4}, 0, dtype), k = drawn({70, 4}, 1, dtype);
    const Tensor v = drawn({70, 2}, 2, dtype);
    check_fused(q, k, v, {.attn_mask = full({3, 70}, -1e30, dtype)});
    check_fused(q, k, v, {.attn_mask = tensor({-1e9, 0, 1e5}).view({3, 1}).to(dtype)});
  }
}

// Large scores overflow nowhere.
BOOST_AUTO_TEST_CASE(large_scores) {
  const Tensor q = full({1, 2}, 100), k = tensor({{100, 100}, {99, 99}});
  const Tensor v = tensor({1, 2}).view({2, 1});
  check_close(scaled_dot_product_attention(q, k, v), ones({1, 1}), 1e-6);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
