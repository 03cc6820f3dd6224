// SPDX-License-Identifier: BSD-3-Clause
#include <boost/test/unit_test.hpp>
#include <xtape/autograd/memory.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/indexing.hpp>
#include <xtape/autograd/ops/matmul.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/ops/shape.hpp>

#include "../expect.hpp"
#include "../rows.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

// NumPy's rule for any numbers of dimensions.
Array matmul_of(Array a, Array b) {
  const bool row = a.shape.rank() == 1, column = b.shape.rank() == 1;
  if (row) a.shape.insert(0, 1);
  if (column) b.shape.push_back(1);
  const int rank = std::max(a.shape.rank(), b.shape.rank());
  while (a.shape.rank() < rank) a.shape.insert(0, 1);
  while (b.shape.rank() < rank) b.shape.insert(0, 1);
  Shape shape = a.shape;
  for (int i = 0; i < rank - 2; ++i) shape[i] = a.shape[i] == 1 ? b.shape[i] : a.shape[i];
  shape[rank - 1] = b.shape[rank - 1];
  Array y = made(shape, [&](const Shape& i) {
    Shape ia = i, ib = i;
    for (int d = 0; d < rank - 2; ++d) {
      if (a.shape[d] == 1) ia[d] = 0;
      if (b.shape[d] == 1) ib[d] = 0;
    }
    long double sum = 0;
    for (std::int64_t k = 0; k < a.shape[rank - 1]; ++k) {
      ia[rank - 1] = ib[rank - 2] = k;
      sum += at(a, ia) * at(b, ib);
    }
    return sum;
  });
  if (column) y.shape.erase(rank - 1);
  if (row) y.shape.erase(y.shape.rank() - (column ? 1 : 2));
  return y;
}

Array transposed_of(const Array& a) {
  return made({a.shape[1], a.shape[0]}, [&](const Shape& i) { return at(a, {i[1], i[0]}); });
}

const Rows rows({
    {.name = "matmul",
     .f = [](const Tensor& a, const Tensor& b) { return matmul(a, b); },
     .reference = matmul_of,
     .inputs = {{real({3, 4}), real({4, 2})},
                {real({4}), real({4})},
                {real({3, 4}), real({4})},
                {real({4}), real({4, 2})},
                {real({2, 3, 4}), real({4, 2})},
                {real({3, 4}), real({2, 4, 5})},
                {real({2, 3, 4}), real({2, 4, 5})},
                {real({2, 1, 3, 4}), real({5, 4, 2})},
                {real({2, 3, 1, 4}), real({1, 3, 4, 2})},
                {real({2, 3, 4}), real({4})},
                {real({4}), real({2, 4, 3})},
                {real({33, 40}), real({40, 37})},
                {real({0, 4}), real({4, 2})},
                {real({3, 0}), real({0, 2})},
                {real({0, 3, 4}), real({4, 2})},
                {real({1, 1}), real({1, 1})}},
     .tolerance32 = 1e-5,
     .errors = {throws<ShapeError>(
                    [] {
                      return matmul(zeros({3, 4}), zeros({5, 6}));
                    },
                    "matmul: inner dimensions differ, [3, 4] @ [5, 6]"),
                throws<ShapeError>(
                    [] {
                      return matmul(zeros({4}), zeros({5, 6}));
                    },
                    "[4] @ [5, 6]"),
                throws<ShapeError>(
                    [] {
                      return matmul(zeros({}), zeros({5, 6}));
                    },
                    "at least one"),
                throws<ShapeError>(
                    [] {
                      return matmul(zeros({2, 3, 4}), zeros({5, 4, 6}));
                    },
                    "leading dimensions do not broadcast, [2, 3, 4] @ [5, 4, 6]"),
                throws<DTypeError>(
                    [] {
                      return matmul(zeros({2, 2}), zeros({2, 2}, float64));
                    },
                    "float32 [2, 2] @ float64 [2, 2]"),
                throws<DTypeError>(
                    [] {
                      return matmul(zeros({2, 2}, int64), zeros({2, 2}, int64));
                    },
                    "one floating dtype")}},
    {.name = "mm",
     .f = [](const Tensor& a, const Tensor& b) { return mm(a, b); },
     .reference = [](const Array& a, const Array& b) { return product(a, b); },
     .inputs = {{real({3, 4}), real({4, 2})}},
     .errors = {throws<ShapeError>(
                    [] {
                      return mm(zeros({2}), zeros({2, 2}));
                    },
                    "mm: expected 2 and 2 dimensions, got [2] @ [2, 2]"),
                throws<ShapeError>(
                    [] {
                      return mm(zeros({2, 3}), zeros({2, 2}));
                    },
                    "mm: inner dimensions differ, [2, 3] @ [2, 2]")}},
    {.name = "bmm",
     .f = [](const Tensor& a, const Tensor& b) { return bmm(a, b); },
     .reference = matmul_of,
     .inputs = {{real({2, 3, 4}), real({2, 4, 2})}},
     .errors = {throws<ShapeError>(
         [] {
           return bmm(zeros({1, 2, 2}), zeros({3, 2, 2}));
         },
         "batch sizes differ")}},
    {.name = "mv",
     .f = [](const Tensor& a, const Tensor& b) { return mv(a, b); },
     .reference = matmul_of,
     .inputs = {{real({3, 4}), real({4})}},
     .errors = {throws<ShapeError>(
         [] {
           return mv(zeros({2, 3}), zeros({2}));
         },
         "inner dimensions differ, [2, 3] @ [2]")}},
    {.name = "dot",
     .f = [](const Tensor& a, const Tensor& b) { return dot(a, b); },
     .reference = matmul_of,
     .inputs = {{real({5}), real({5})}},
     .errors = {throws<ShapeError>([] { return dot(zeros({2}), zeros({3})); },
                                   "inner dimensions differ, [2] @ [3]")}},
    {.name = "outer",
     .f = [](const Tensor& a, const Tensor& b) { return outer(a, b); },
     .reference =
         [](const Array& a, const Array& b) {
           return made({a.shape[0], b.shape[0]},
                       [&](const Shape& i) { return at(a, {i[0]}) * at(b, {i[1]}); });
         },
     .inputs = {{real({3}), real({4})}}},
    {.name = "addmm",
     .f = [](const Tensor& x, const Tensor& a, const Tensor& b) { return addmm(x, a, b, 0.5, 2); },
     .reference =
         [](const Array& x, const Array& a, const Array& b) {
           const Array y = product(a, b);
           return made(y.shape, [&](const Shape& i) {
             const bool row = x.shape.rank() == 1;
             return at(x, row ? Shape{i[1]} : i) / 2 + 2 * at(y, i);
           });
         },
     .inputs = {{real({3, 2}), real({3, 4}), real({4, 2})},
                {real({2}), real({3, 4}), real({4, 2})}},
     .errors = {throws<ShapeError>(
         [] {
           return addmm(zeros({3}), zeros({2, 3}), zeros({3, 2}));
         },
         "do not broadcast")}},
    {.name = "linear",
     .f = [](const Tensor& x, const Tensor& w, const Tensor& b) { return linear(x, w, b); },
     .reference =
         [](const Array& x, const Array& w, const Array& b) {
           const Array y = matmul_of(x, transposed_of(w));
           return made(y.shape, [&](const Shape& i) { return at(y, i) + at(b, {i.back()}); });
         },
     .inputs = {{real({3, 4}), real({2, 4}), real({2})},
                {real({2, 3, 4}), real({5, 4}), real({5})},
                {real({4}), real({2, 4}), real({2})},
                {real({0, 4}), real({2, 4}), real({2})},
                {real({3, 0}), real({2, 0}), real({2})}},
     .tolerance32 = 1e-5,
     .errors = {throws<ShapeError>(
                    [] {
                      return linear(zeros({2, 3}), zeros({5, 4}));
                    },
                    "x [..., in] and weight [out, in], got [2, 3] and [5, 4]"),
                throws<ShapeError>(
                    [] {
                      return linear(zeros({2, 3}), zeros({5, 3}), zeros({4}));
                    },
                    "expected a bias [5], got [4]")},
     .without = {Check::undefined}},  // the bias may be
    {.name = "linear_without_bias",
     .f = [](const Tensor& x, const Tensor& w) { return linear(x, w); },
     .reference = [](const Array& x, const Array& w) { return matmul_of(x, transposed_of(w)); },
     .inputs = {{real({3, 4}), real({2, 4})}}},
});

BOOST_AUTO_TEST_SUITE(products)

BOOST_AUTO_TEST_CASE(every_layout_of_both_sides) {
  Tensor base = empty({6, 8, 10}, float64);
  double* data = xtape::detail::fresh_data<double>(base);
  for (std::int64_t i = 0; i < base.numel(); ++i) data[i] = static_cast<double>(i % 13) - 6;
  const auto layouts = [&](std::int64_t rows, std::int64_t cols) {
    const Tensor cut = narrow(narrow(narrow(base, 0, 1, 3), 1, 1, rows), 2, 2, cols);
    return std::vector<Tensor>{
        cut.contiguous(),
        cut,
        cut.transpose(1, 2).contiguous().transpose(1, 2),
        cut.transpose(0, 1).contiguous().transpose(0, 1),
        cut.permute({1, 2, 0}).contiguous().permute({2, 0, 1}),
        flip(cut, {0, 2}),
        cut[0].expand({3, rows, cols}),
        cut[0][0].expand({3, rows, cols}),
        cut.sum({2}, true).expand({3, rows, cols}),
    };
  };
  const auto check = [](const Tensor& a, const Tensor& b) {
    const Array expected = matmul_of(to_array(a), to_array(b));
    const Array got = to_array(matmul(a, b));
    BOOST_TEST((got.shape == expected.shape));
    BOOST_TEST((got.values == expected.values));
  };
  for (const std::int64_t rows : {4, 1}) {
    for (const std::int64_t terms : {7, 1}) {
      for (const Tensor& a : layouts(rows, terms)) {
        for (const std::int64_t columns : {5, 1}) {
          for (const Tensor& b : layouts(terms, columns)) {
            check(a, b);
            check(a, b[1]);
          }
        }
      }
    }
  }
}

// The gradient of a sum is one number for all places.
BOOST_AUTO_TEST_CASE(gradients_that_are_one_number_for_all) {
  const Tensor w = tensor({1, 2, 3}, float64).reshape({3, 1});
  const Tensor numbers = tensor({1, 10, 20, 30}, float64);
  Tensor x = ones({4, 1, 3}, float64).requires_grad_();
  matmul(x, w).backward({.seed = narrow(numbers, 0, 0, 1).expand({4, 1, 1})});
  XTAPE_SAME(x.grad(), {1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3});
  x.zero_grad();
  linear(x, transpose(w, 0, 1)).sum().backward();
  XTAPE_SAME(x.grad(), {1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3});
}

BOOST_AUTO_TEST_CASE(what_no_gradient_needs_is_not_saved) {
  const Tensor w = ones({64, 64}).requires_grad_();
  Tensor x = ones({64, 64});
  const std::int64_t before = memory::stats().live_bytes;
  const Tensor y = matmul(x * 1, w);  // x * 1 is needed for w's gradient
  const std::int64_t after = memory::stats().live_bytes;
  BOOST_TEST(after - before == 2 * 64 * 64 * 4);
  const Tensor z = matmul(w * 1, x);  // w * 1 is not
  BOOST_TEST(memory::stats().live_bytes - after == 64 * 64 * 4);
}

BOOST_AUTO_TEST_CASE(addmm_does_not_read_x_without_need) {
  const Tensor y = addmm(full({2, 2}, std::nan("")), ones({2, 3}), ones({3, 2}), 0, 1);
  BOOST_TEST((elements(y) == Values{3, 3, 3, 3}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
