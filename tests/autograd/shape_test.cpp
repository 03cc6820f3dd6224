// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/shape.hpp>

#include <limits>
#include <xtape/autograd/dtype.hpp>
#include <xtape/autograd/scalar.hpp>

#include "expect.hpp"

BOOST_AUTO_TEST_SUITE(shapes)

using namespace xtape;
using namespace xtape::test;

BOOST_AUTO_TEST_CASE(a_list_of_sizes) {
  Shape s{2, 3};
  BOOST_TEST(s.rank() == 2);
  BOOST_TEST(s.numel() == 6);
  BOOST_TEST(s.back() == 3);
  BOOST_TEST(to_string(s) == "[2, 3]");
  BOOST_TEST(to_string(Shape{}) == "[]");
  BOOST_TEST(Shape{}.numel() == 1);
  s.push_back(4);
  s.insert(0, 7);
  BOOST_TEST((s == Shape{7, 2, 3, 4}));
  s.erase(1);
  BOOST_TEST((s == Shape{7, 3, 4}));
  s.insert(3, 5);
  BOOST_TEST((s == Shape{7, 3, 4, 5}));
  BOOST_TEST((s != Shape{7, 3, 4}));
  BOOST_TEST((Shape::filled(3, 9) == Shape{9, 9, 9}));
  const Shape copy = s;
  BOOST_TEST((copy == s));
}

BOOST_AUTO_TEST_CASE(sixteen_dimensions_at_most) {
  Shape s = Shape::filled(16, 1);
  BOOST_CHECK_EXCEPTION(s.push_back(1), ShapeError, says("at most 16 dimensions, got 17"));
  BOOST_CHECK_THROW(Shape::filled(17, 1), ShapeError);
  const std::vector<std::int64_t> many(20, 1);
  BOOST_CHECK_THROW(Shape{std::span(many)}, ShapeError);
}

BOOST_AUTO_TEST_CASE(strides) {
  using xtape::detail::contiguous_strides;
  BOOST_TEST((contiguous_strides(Shape{2, 3, 4}) == Shape{12, 4, 1}));
  BOOST_TEST((contiguous_strides(Shape{2, 0, 4}) == Shape{4, 4, 1}));
  BOOST_TEST((contiguous_strides(Shape{}) == Shape{}));
}

BOOST_AUTO_TEST_CASE(broadcasting) {
  const auto both = [](const Shape& a, const Shape& b) {
    const Shape one = xtape::detail::broadcast("op", a, b);
    BOOST_TEST((one == xtape::detail::broadcast("op", b, a)));
    return one;
  };
  BOOST_TEST((both({2, 3}, {2, 3}) == Shape{2, 3}));
  BOOST_TEST((both({2, 3}, {3}) == Shape{2, 3}));
  BOOST_TEST((both({2, 1}, {1, 3}) == Shape{2, 3}));
  BOOST_TEST((both({2, 3}, {}) == Shape{2, 3}));
  BOOST_TEST((both({0, 3}, {1, 3}) == Shape{0, 3}));
  BOOST_TEST((both({4, 1, 3}, {5, 1}) == Shape{4, 5, 3}));
  BOOST_CHECK_EXCEPTION(both({2, 3}, {2}), ShapeError,
                        says("op: shapes [2, 3] and [2] do not broadcast"));
  BOOST_CHECK_EXCEPTION(both({0, 3}, {2, 3}), ShapeError, says("do not broadcast"));
}

BOOST_AUTO_TEST_CASE(dimension_numbers) {
  using xtape::detail::wrap_dim;
  BOOST_TEST(wrap_dim("op", 1, 3) == 1);
  BOOST_TEST(wrap_dim("op", -1, 3) == 2);
  BOOST_TEST(wrap_dim("op", -1, 0) == 0);
  BOOST_CHECK_EXCEPTION(wrap_dim("op", 3, 3), IndexError,
                        says("op: expected dim in [-3, 2] for a tensor of 3 dimensions, got 3"));
  BOOST_CHECK_THROW(wrap_dim("op", -4, 3), IndexError);
}

BOOST_AUTO_TEST_CASE(counts_are_checked) {
  using xtape::detail::checked_numel;
  constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();
  BOOST_TEST(checked_numel("op", Shape{2, 3}) == 6);
  BOOST_TEST(checked_numel("op", Shape{kHuge, 0, kHuge}) == 0);
  BOOST_CHECK_EXCEPTION(checked_numel("op", Shape{kHuge, 2}), ShapeError, says("too many"));
  BOOST_CHECK_EXCEPTION(checked_numel("op", Shape{0, -1}), ShapeError, says("negative"));
}

BOOST_AUTO_TEST_CASE(promotion) {
  BOOST_TEST((promote(boolean, uint8) == uint8));
  BOOST_TEST((promote(int64, float32) == float32));
  BOOST_TEST((promote(float64, float32) == float64));
  BOOST_TEST((Scalar(2).promote_with(float32) == float32));
  BOOST_TEST((Scalar(2.5).promote_with(float32) == float32));
  BOOST_TEST((Scalar(2.5).promote_with(int64) == float32));
  BOOST_TEST((Scalar(2).promote_with(uint8) == uint8));
  BOOST_TEST((Scalar(2).promote_with(boolean) == int64));
  BOOST_TEST((Scalar(true).promote_with(boolean) == boolean));
  BOOST_TEST(std::string(name(float32)) == "float32");
  BOOST_TEST(item_size(int64) == 8U);
}

BOOST_AUTO_TEST_SUITE_END()
