// SPDX-License-Identifier: BSD-3-Clause
#include "../expect.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <xtape/autograd/ops/shape.hpp>

// The copy kernels, through the tensors that call them.
BOOST_AUTO_TEST_SUITE(copies)

using namespace xtape;
using namespace xtape::test;

namespace {

Tensor counted(const Shape& shape, DType dtype) {
  Tensor x = empty(shape, dtype);
  xtape::detail::dispatch(dtype, [&]<class T>(xtape::detail::Type<T>) {
    for (std::int64_t i = 0; i < x.numel(); ++i) {
      xtape::detail::fresh_data<T>(x)[i] = static_cast<T>(i % 251);
    }
  });
  return x;
}

// contiguous() of a permuted tensor against indices worked out here.
void check_permuted(const Shape& shape, const Shape& dims, DType dtype) {
  const Tensor x = counted(shape, dtype);
  const Tensor view = x.permute(dims);
  const Tensor y = view.contiguous();
  BOOST_TEST(y.is_contiguous());
  const Values all = elements(x), got = elements(y);
  std::vector<std::int64_t> index(shape.size(), 0);
  bool right = got.size() == all.size();
  for (std::size_t i = 0; i < got.size() && right; ++i) {
    std::int64_t at = 0;
    for (int d = 0; d < shape.rank(); ++d)
      at += index[static_cast<std::size_t>(d)] * view.strides()[d];
    const double expected =
        dtype == boolean ? double(at % 251 != 0) : static_cast<double>(at % 251);
    right = got[i] == expected;
    for (std::size_t d = shape.size(); d-- > 0 && ++index[d] == view.sizes()[d];) index[d] = 0;
  }
  BOOST_TEST(right, "permute " + to_string(dims) + " of " + to_string(shape));
}

}  // namespace

BOOST_AUTO_TEST_CASE(permuted_copies) {
  for (const DType dtype : {boolean, uint8, int64, float32, float64}) {
    check_permuted({5, 7}, {1, 0}, dtype);
    check_permuted({33, 50}, {1, 0}, dtype);
    check_permuted({3, 4, 5}, {2, 0, 1}, dtype);
    check_permuted({3, 4, 5}, {1, 2, 0}, dtype);
    check_permuted({2, 17, 19, 3}, {0, 2, 3, 1}, dtype);
    check_permuted({2, 17, 19, 3}, {3, 1, 0, 2}, dtype);
    check_permuted({0, 4}, {1, 0}, dtype);
  }
  check_permuted({300, 400}, {1, 0}, float32);    // in several chunks
  for (const DType dtype : {float32, float64}) {  // the same with a part of a tile at every edge
    check_permuted({700, 300}, {1, 0}, dtype);
    check_permuted({300, 1100}, {1, 0}, dtype);
  }
  check_permuted({64, 30, 50}, {2, 0, 1}, float64);
  check_permuted({100'000, 2}, {1, 0}, float32);
}

BOOST_AUTO_TEST_CASE(broadcast_and_reversed_sources) {
  Tensor x = zeros({3, 4});
  x.copy_(tensor({1, 2, 3, 4}));
  XTAPE_SAME(x, {1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4});
  x.copy_(tensor({1, 2, 3}).reshape({3, 1}));
  XTAPE_SAME(x, {1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3});
  const Tensor base = arange(6).to(float32);
  const Shape sizes{2, 3}, strides{-3, -1};
  const Tensor reversed =
      xtape::detail::make_view(base, base.value()->data + 5 * 4, sizes, strides);
  XTAPE_SAME(reversed.contiguous(), {5, 4, 3, 2, 1, 0});
  XTAPE_SAME(reversed.clone(), {5, 4, 3, 2, 1, 0});
  Tensor large = zeros({70'000});
  large.copy_(full({}, 3));  // one number into several chunks
  BOOST_TEST(elements(large)[69'999] == 3);
}

BOOST_AUTO_TEST_CASE(writing_through_views) {
  Tensor x = zeros({3, 4});
  x.t().copy_(arange(12).to(float32).reshape({4, 3}));
  XTAPE_SAME(x, {0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11});
  const Shape sizes{3, 2}, strides{4, 2};
  Tensor columns = xtape::detail::make_view(x, x.value()->data, sizes, strides);
  columns.fill_(-1);
  XTAPE_SAME(x, {-1, 3, -1, 9, -1, 4, -1, 10, -1, 5, -1, 11});
}

BOOST_AUTO_TEST_CASE(every_conversion) {
  const Tensor x = tensor({0, 1, 2, 200}, float64);
  for (const DType from : {uint8, int64, float32, float64}) {
    for (const DType to : {uint8, int64, float32, float64}) {
      XTAPE_SAME(x.to(from).to(to), {0, 1, 2, 200});
    }
    XTAPE_SAME(x.to(from).to(boolean), {0, 1, 1, 1});
    XTAPE_SAME(x.to(boolean).to(from), {0, 1, 1, 1});
  }
}

BOOST_AUTO_TEST_CASE(conversions_at_the_edges) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const Tensor x = tensor({0.999, -0.999, -1.5, kInfinity, -kInfinity, std::nan("")}, float64);
  const Tensor n = x.to(int64);
  BOOST_TEST(n.data<std::int64_t>()[0] == 0);
  BOOST_TEST(n.data<std::int64_t>()[1] == 0);
  BOOST_TEST(n.data<std::int64_t>()[2] == -1);
  XTAPE_SAME(x.to(boolean), {1, 1, 1, 1, 1, 1});  // NaN is not 0
  const Tensor narrow = tensor({1e300, 1e-300, -1e39}, float64).to(float32);
  BOOST_TEST(std::isinf(narrow.data<float>()[0]));
  BOOST_TEST(narrow.data<float>()[1] == 0);
  BOOST_TEST(std::isinf(narrow.data<float>()[2]));
  const std::int64_t big = (std::int64_t{1} << 62) + 1;
  BOOST_TEST(full({1}, big, int64).clone().item<std::int64_t>() == big);
}

BOOST_AUTO_TEST_SUITE_END()
