// SPDX-License-Identifier: BSD-3-Clause
#include <boost/test/unit_test.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/embedding.hpp>

#include "../expect.hpp"
#include "../rows.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

std::int64_t whole(long double v) { return static_cast<std::int64_t>(v); }

// The sums of weight[index[b][i]] factor[b][i] over i.
Array bag_sums(const Array& index, const Array& w, const Array& factors) {
  return made({index.shape[0], w.shape[1]}, [&](const Shape& k) {
    long double sum = 0;
    for (std::int64_t i = 0; i < index.shape[1]; ++i) {
      sum += at(w, {whole(at(index, {k[0], i})), k[1]}) * at(factors, {k[0], i});
    }
    return sum;
  });
}

const Rows rows({
    {.name = "embedding",
     .f = [](const Tensor& i, const Tensor& w) { return embedding(i, w); },
     .reference =
         [](const Array& index, const Array& w) {
           Shape shape = index.shape;
           shape.push_back(w.shape[1]);
           return made(shape, [&](Shape i) {
             const std::int64_t c = i.back();
             i.erase(i.rank() - 1);
             return at(w, {whole(at(index, i)), c});
           });
         },
     .inputs = {{integer({2, 3}, 0, 4), real({4, 5})}, {given({}, {2}, int64), real({4, 1})}},
     .errors = {throws<ShapeError>([] { return embedding(tensor({0}, int64), zeros({3})); },
                                   "[rows, features], got [3]"),
                throws<IndexError>(
                    [] {
                      return embedding(tensor({3}, int64), zeros({3, 2}));
                    },
                    "embedding: index 3 is out of range for 3 rows"),
                throws<DTypeError>(
                    [] {
                      return embedding(zeros({2}), zeros({3, 2}));
                    },
                    "int64"),
                throws<IndexError>(
                    [] {
                      return embedding(tensor({0}, int64), zeros({3, 2}), {.padding_idx = -4});
                    },
                    "padding_idx -4")}},
    {.name = "embedding_bag",
     .f =
         [](const Tensor& i, const Tensor& w, const Tensor& f) {
           return embedding_bag(i, w, {.mode = BagMode::sum, .per_sample_weights = f});
         },
     .reference = bag_sums,
     .inputs = {{integer({3, 4}, 0, 5), real({5, 6}), real({3, 4})}},
     .errors = {throws<ShapeError>(
                    [] {
                      return embedding_bag(tensor({0}, int64), zeros({3, 2}));
                    },
                    "or [n] with offsets [bags], got [1] and no offsets"),
                throws<ValueError>(
                    [] {
                      return embedding_bag(tensor({0, 1}, int64), zeros({3, 2}),
                                           {.offsets = tensor({0, 3}, int64)});
                    },
                    "offsets that begin with 0 and never fall"),
                throws<ValueError>(
                    [] {
                      return embedding_bag(zeros({1, 2}, int64), zeros({3, 2}),
                                           {.per_sample_weights = ones({1, 2})});
                    },
                    "per_sample_weights belong to the mode sum"),
                throws<IndexError>(
                    [] {
                      return embedding_bag(full({1, 2}, 7, int64), zeros({3, 2}));
                    },
                    "embedding_bag: index 7 is out of range")},
     .without = {Check::undefined}},  // no factors
    {.name = "embedding_bag_mean",
     .f = [](const Tensor& i, const Tensor& w) { return embedding_bag(i, w); },
     .reference =
         [](const Array& i, const Array& w) {
           return bag_sums(i, w,
                           Array::filled(i.shape, 1.0L / static_cast<long double>(i.shape[1])));
         },
     .inputs = {{integer({3, 4}, 0, 5), real({5, 6})}}},
    {.name = "embedding_bag_max",
     .f = [](const Tensor& i,
             const Tensor& w) { return embedding_bag(i, w, {.mode = BagMode::max}); },
     .reference =
         [](const Array& index, const Array& w) {
           return made({index.shape[0], w.shape[1]}, [&](const Shape& k) {
             long double top = at(w, {whole(at(index, {k[0], 0})), k[1]});
             for (std::int64_t i = 1; i < index.shape[1]; ++i) {
               top = std::max(top, at(w, {whole(at(index, {k[0], i})), k[1]}));
             }
             return top;
           });
         },
     .inputs = {{integer({3, 4}, 0, 5), distinct({5, 6})}}},
});

BOOST_AUTO_TEST_SUITE(embeddings)

BOOST_AUTO_TEST_CASE(rows_that_occur_twice_collect_both_gradients) {
  const Tensor w = ones({3, 2}, float64).requires_grad_();
  embedding(tensor({1, 1, 0}, int64), w).sum().backward();
  BOOST_TEST((elements(w.grad()) == Values{1, 1, 2, 2, 0, 0}));
}

BOOST_AUTO_TEST_CASE(padding_and_frequency) {
  Tensor w = ones({3, 1}, float64).requires_grad_();
  const Tensor index = tensor({1, 1, 0, 2}, int64);
  embedding(index, w, {.padding_idx = -1, .scale_grad_by_freq = true}).sum().backward();
  BOOST_TEST((elements(w.grad()) == Values{1, 1, 0}));
  const Tensor y = embedding_bag(index, w,
                                 {.mode = BagMode::mean,
                                  .offsets = tensor({0, 0, 3, 4}, int64),
                                  .padding_idx = 2,
                                  .include_last_offset = true});
  BOOST_TEST((elements(y) == Values{0, 1, 0}));
  w.zero_grad();
  const Tensor top = embedding_bag(
      index, w, {.mode = BagMode::max, .offsets = tensor({0, 3}, int64), .padding_idx = 2});
  BOOST_TEST((elements(top) == Values{1, 0}));
  top.sum().backward();
  BOOST_TEST((elements(w.grad()) == Values{0, 1, 0}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
