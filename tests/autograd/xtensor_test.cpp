// SPDX-License-Identifier: BSD-3-Clause
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/indexing.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/ops/shape.hpp>
#include <xtape/autograd/tape.hpp>
#include <xtape/autograd/xtensor.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xtensor.hpp>
#include <xtensor/xview.hpp>

#include "expect.hpp"

BOOST_AUTO_TEST_SUITE(xtensor_interchange)

using namespace xtape;
using namespace xtape::test;

namespace {

template <class T>
concept HasArray = requires(T&& t) {
  std::forward<T>(t).template array<float>();
};
static_assert(HasArray<const Tensor&> && !HasArray<Tensor>, "no view of a temporary's memory");

std::uint64_t version(const Tensor& x) { return x.value()->storage->version.load(); }

}  // namespace

BOOST_AUTO_TEST_CASE(reading_without_a_copy) {
  const Tensor x = tensor({{1, 2, 3}, {4, 5, 6}});
  const auto a = x.array<float>();
  BOOST_TEST(&a(0, 0) == x.data<float>());
  BOOST_TEST(&a(1, 2) == x.data<float>() + 5);
  BOOST_TEST((a.shape()[0] == 2u && a.shape()[1] == 3u));
  BOOST_TEST(xt::sum(a)() == 21);
  BOOST_CHECK_EXCEPTION(x.array<double>(), DTypeError, says("float32"));
}

BOOST_AUTO_TEST_CASE(strides_of_every_kind) {
  const Tensor x = arange(0, 24, 1, float64).view({2, 3, 4});
  const auto same = [](const Tensor& t) {
    const auto a = t.array<double>();
    const xt::xarray<double> copy = a;
    BOOST_TEST((Values(copy.begin(), copy.end()) == elements(t)));
    const xt::xarray<double> twice = 2 * a + 1;
    Values expected = elements(t);
    for (double& v : expected) v = 2 * v + 1;
    BOOST_TEST((Values(twice.begin(), twice.end()) == expected));
    BOOST_TEST(xt::sum(a)() == sum(t).item<double>());
    BOOST_TEST((t.numel() == 0 || static_cast<const void*>(&*a.begin()) == t.value()->data));
  };
  same(x);
  same(x.permute({2, 0, 1}));
  same(x[{slice(0, 2), slice(1, 3), slice(0, 4, 2)}]);
  same(flip(x, {0, 2}));
  same(flip(x, {1}).permute({1, 2, 0}));
  same(x[1][2]);
  same(x[{0, slice(0, 1)}].expand({3, 4}));
  same(x.view({24})[{slice(5, 5)}]);
  same(scalar_tensor(3, float64));
}

BOOST_AUTO_TEST_CASE(writing_without_a_copy) {
  Tensor x = zeros({2, 3}, float64);
  const std::uint64_t before = version(x);
  {
    auto a = x.mutable_array<double>();
    BOOST_TEST(version(x) > before);
    BOOST_TEST(&(*a)(0, 0) == x.data<double>());
    (*a)(1, 2) = 5;
    xt::view(*a, 0, xt::all()) = 7;
    BOOST_TEST(a->size() == 6u);
  }
  BOOST_TEST(version(x) > before + 1);
  XTAPE_SAME(x, {7, 7, 7, 0, 0, 5});
  Tensor column = x.t();
  {
    auto a = column.mutable_array<double>();
    (*a)(2, 0) = -1;
  }
  XTAPE_SAME(x, {7, 7, -1, 0, 0, 5});
}

BOOST_AUTO_TEST_CASE(writing_where_it_may_not_be) {
  Tensor x = leaf({1, 2});
  BOOST_CHECK_THROW(x.mutable_array<double>(), GradError);
  Tensor y = x * 2;
  BOOST_CHECK_THROW(y.mutable_array<double>(), GradError);
  {
    const NoGrad no_grad;
    BOOST_CHECK_THROW(y.mutable_array<double>(), GradError);
    auto a = x.mutable_array<double>();
    (*a)(0) = 3;
  }
  XTAPE_SAME(x, {3, 2});
  Tensor z = ones({2});
  BOOST_CHECK_THROW(z.mutable_array<double>(), DTypeError);
}

BOOST_AUTO_TEST_CASE(a_stale_value_is_noticed) {
  Tensor data = tensor({1, 2}, float64);
  const Tensor x = leaf({3, 4});
  const Tensor y = (x * data).sum();
  { (*data.mutable_array<double>())(0) = 9; }
  BOOST_CHECK_THROW(y.backward(), GradError);
  // A view over the recording: the version was raised when it was made, and is again when it ends.
  Tensor z;
  {
    auto a = data.mutable_array<double>();
    z = (x * data).sum();
    (*a)(1) = 8;
  }
  BOOST_CHECK_THROW(z.backward(), GradError);
}

BOOST_AUTO_TEST_CASE(taking_over_an_array) {
  xt::xarray<float> a{{1, 2, 3}, {4, 5, 6}};
  const float* data = a.data();
  const Tensor x = from(std::move(a));
  BOOST_TEST(x.data<float>() == data);
  BOOST_TEST((x.shape() == Shape{2, 3} && x.dtype() == float32 && x.is_contiguous()));
  XTAPE_SAME(x.t(), {1, 4, 2, 5, 3, 6});
  xt::xarray<bool> flags{true, false};
  const bool* bits = flags.data();
  const Tensor b = from(std::move(flags));
  BOOST_TEST((b.dtype() == boolean && b.data<bool>() == bits));
  xt::xarray<double> none = xt::xarray<double>::from_shape({0, 3});
  BOOST_TEST((from(std::move(none)).shape() == Shape{0, 3}));
  xt::xarray<double> column = xt::xarray<double>::from_shape({3, 1});
  column.fill(2);
  const Tensor c = from(std::move(column));
  XTAPE_SAME(c + tensor({1, 2}, float64), {3, 4, 3, 4, 3, 4});
  BOOST_TEST(c.is_contiguous());
  BOOST_TEST((from(xt::xarray<double>(3.5)).shape() == Shape{}));
}

BOOST_AUTO_TEST_CASE(its_memory_lives_as_long_as_a_view) {
  Tensor row;
  {
    const Tensor x = from(xt::xarray<double>{{1, 2}, {3, 4}});
    row = x[1];
  }
  XTAPE_SAME(row, {3, 4});
  Tensor leaf_of_array = from(xt::xarray<double>{1, 2});
  leaf_of_array.requires_grad_();
  (leaf_of_array * leaf_of_array).sum().backward();
  XTAPE_SAME(leaf_of_array.grad(), {2, 4});
}

BOOST_AUTO_TEST_CASE(expressions_of_every_dtype) {
  const xt::xtensor<double, 2> a{{1, 2}, {3, 4}};
  const Tensor x = from(a * 2 + 1);
  BOOST_TEST((x.dtype() == float64 && x.shape() == Shape{2, 2}));
  XTAPE_SAME(x, {3, 5, 7, 9});
  const Tensor y = from(a);
  BOOST_TEST(y.data<double>() != a.data());
  const xt::xarray<float> f{1, 2, 3};
  BOOST_TEST((from(xt::exp(f)).dtype() == float32));
  BOOST_TEST((from(f > 1.5F).dtype() == boolean));
  XTAPE_SAME(from(f > 1.5F), {0, 1, 1});
  BOOST_TEST((from(xt::xarray<std::uint8_t>{1, 2}).dtype() == uint8));
  BOOST_TEST((from(xt::xarray<std::int64_t>{1, 2}).dtype() == int64));
  const Tensor small = from(xt::xarray<int>{-1, 2});
  BOOST_TEST((small.dtype() == int64));
  XTAPE_SAME(small, {-1, 2});
  XTAPE_SAME(from(xt::xarray<short>{-5}), {-5});
  XTAPE_SAME(from(xt::view(a, xt::all(), 1)), {2, 4});
  XTAPE_SAME(from(xt::transpose(a)), {1, 3, 2, 4});
  const xt::xarray<double, xt::layout_type::column_major> columns{{1, 2}, {3, 4}};
  XTAPE_SAME(from(columns), {1, 2, 3, 4});
  const Tensor z = tensor({{1, 2}, {3, 4}}, float64);
  const auto expression = z.array<double>();
  XTAPE_SAME(from(expression + expression), {2, 4, 6, 8});
}

BOOST_AUTO_TEST_SUITE_END()
