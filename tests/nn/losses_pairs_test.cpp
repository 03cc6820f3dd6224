// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/math.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/ops/softmax.hpp>
#include <xtape/nn/losses_pairs.hpp>

#include <cmath>
#include <limits>

#include "../autograd/rows.hpp"
#include "nn_test.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;
using nn::Reduction;
using nn_test::check_values;
using nn_test::says;

const Rows rows({
    {.name = "cosine_embedding_loss",
     .f =
         [](const Tensor& a, const Tensor& b, const Tensor& t) {
           return nn::cosine_embedding_loss(a, b, t, {.margin = -1, .reduction = Reduction::none});
         },
     .reference =
         [](const Array& a, const Array& b, const Array& t) {
           Array y = t;
           for (std::int64_t n = 0; n < t.shape[0]; ++n) {
             long double dot = 0, left = 0, right = 0;
             for (std::int64_t i = 0; i < a.shape[1]; ++i) {
               dot += a(n, i) * b(n, i);
               left += a(n, i) * a(n, i);
               right += b(n, i) * b(n, i);
             }
             const long double cosine = dot / std::sqrt(left * right);
             y(n) = t(n) > 0 ? 1 - cosine : cosine + 1;
           }
           return y;
         },
     .inputs = {{real({3, 4}, 0.5, 2), real({3, 4}, -1, 1), given({3}, {1, -1, 1}, int64)}},
     .tolerance = 1e-11,  // PyTorch's 1e-12 beside the squares
     .errors = {throws<ShapeError>(
                    [] {
                      return nn::cosine_embedding_loss(ones({3, 2}), ones({3, 2}), ones({2}));
                    },
                    "cosine_embedding_loss: expected inputs [N, D] and target [N]"),
                throws<ShapeError>(
                    [] {
                      return nn::cosine_embedding_loss(ones({3, 2}), ones({3}), ones({3}));
                    },
                    "cosine_embedding_loss: shapes differ"),
                throws<ValueError>(
                    [] {
                      return nn::cosine_embedding_loss(ones({1, 2}), ones({1, 2}), zeros({1}));
                    },
                    "cosine_embedding_loss: expected targets of 1 and -1, got 0")}},
    {.name = "margin_ranking_loss",
     .kind = Kind::kinked,
     .f =
         [](const Tensor& a, const Tensor& b, const Tensor& t) {
           return nn::margin_ranking_loss(a, b, t, {.margin = 0.5, .reduction = Reduction::none});
         },
     .reference =
         [](const Array& a, const Array& b, const Array& t) {
           Array y = a;
           for (std::size_t i = 0; i < y.values.size(); ++i) {
             y.values[i] = std::max(0.5L - t.values[i] * (a.values[i] - b.values[i]), 0.0L);
           }
           return y;
         },
     .inputs = {{real({4}, 1, 2), real({4}, -1, 0), given({4}, {1, -1, -1, 1}, int64)}},
     .errors = {throws<ShapeError>(
                    [] {
                      return nn::margin_ranking_loss(ones({3}), ones({3}), ones({3, 1}));
                    },
                    "margin_ranking_loss: shapes differ"),
                throws<ValueError>(
                    [] { return nn::margin_ranking_loss(ones({1}), ones({1}), full({1}, 2)); },
                    "margin_ranking_loss: expected targets of 1 and -1, got 2")}},
    {.name = "hinge_embedding_loss",
     .kind = Kind::kinked,
     .f =
         [](const Tensor& x, const Tensor& t) {
           return nn::hinge_embedding_loss(x, t, {.margin = 1, .reduction = Reduction::none});
         },
     .reference =
         [](const Array& x, const Array& t) {
           Array y = x;
           for (std::size_t i = 0; i < y.values.size(); ++i) {
             y.values[i] = t.values[i] > 0 ? x.values[i] : std::max(1 - x.values[i], 0.0L);
           }
           return y;
         },
     .inputs = {{real({4}, 0, 0.9), given({4}, {1, -1, -1, 1}, int64)},
                {real({3}, 1.1, 2), given({3}, {1, -1, 1}, int64)}},
     .errors = {throws<ShapeError>([] { return nn::hinge_embedding_loss(ones({3}), ones({1})); },
                                   "hinge_embedding_loss: shapes differ"),
                throws<ValueError>([] { return nn::hinge_embedding_loss(ones({1}), zeros({1})); },
                                   "expected targets of 1 and -1, got 0")}},
    {.name = "triplet_margin_loss",
     .f =
         [](const Tensor& a, const Tensor& p, const Tensor& n) {
           return nn::triplet_margin_loss(a, p, n, {.margin = 9, .reduction = Reduction::none});
         },
     .reference =
         [](const Array& a, const Array& p, const Array& n) {
           Array y = Array::filled({a.shape[0]}, 0);
           const auto distance = [](const Array& u, const Array& v, std::int64_t row) {
             long double sum = 0;
             for (std::int64_t i = 0; i < u.shape[1]; ++i) {
               const long double d = u(row, i) - v(row, i) + 1e-6L;
               sum += d * d;
             }
             return std::sqrt(sum);
           };
           for (std::int64_t i = 0; i < a.shape[0]; ++i) {
             y(i) = std::max(9 + distance(a, p, i) - distance(a, n, i), 0.0L);
           }
           return y;
         },
     .inputs = {{real({3, 4}), real({3, 4}), real({3, 4})}},
     .errors =
         {throws<ShapeError>(
              [] {
                return nn::triplet_margin_loss(ones({3, 2}), ones({3, 2}), ones({3}));
              },
              "triplet_margin_loss: shapes differ"),
          throws<ShapeError>([] { return nn::triplet_margin_loss(ones({}), ones({}), ones({})); },
                             "triplet_margin_loss: expected [..., D], got []"),
          throws<ValueError>(
              [] { return nn::triplet_margin_loss(ones({2}), ones({2}), ones({2}), {.p = 0}); },
              "triplet_margin_loss: p is out of range: 0")}},
});

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_losses_pairs)

// At the edge of the margin PyTorch's slope is that of the side that costs.
BOOST_AUTO_TEST_CASE(the_edge_counts) {
  Tensor x = ones({1}).requires_grad_();
  nn::margin_ranking_loss(x, ones({1}), ones({1})).backward();
  check_values(x.grad(), {-1});
}

BOOST_AUTO_TEST_CASE(cosine_of_one_pair) {
  const Tensor loss = nn::cosine_embedding_loss(tensor({1, 0}), tensor({1, 1}), tensor({1})[0]);
  check_values(loss, {1 - std::sqrt(0.5)}, 1e-6);
}

BOOST_AUTO_TEST_SUITE_END()
