// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/nn/clip.hpp>

#include <limits>

#include "nn_test.hpp"

namespace {

using namespace xtape;
using nn_test::check_values;
using nn_test::says;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Tensor with_gradient(const Tensor& gradient) {
  Tensor p = zeros(gradient.shape(), gradient.dtype());
  p.requires_grad_();
  p.set_grad(gradient);
  return p;
}

struct Two : nn::Module {
  nn::Parameter a{zeros({2})}, b{zeros({1})};
  XTAPE_PARTS(a, b)
  Two(std::initializer_list<double> ga, std::initializer_list<double> gb) {
    a.set_grad(tensor(ga));
    b.set_grad(tensor(gb));
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_clip)

BOOST_AUTO_TEST_CASE(norm_of_all_gradients_together) {
  Two net({2, 3}, {6});
  BOOST_TEST(std::abs(nn::clip_grad_norm_(net, 100) - 7) < 1e-12);
  check_values(net.a.grad(), {2, 3});
  BOOST_TEST(std::abs(nn::clip_grad_norm_(net.parameters(), 3.5) - 7) < 1e-12);
  check_values(net.a.grad(), {1, 1.5}, 1e-6);
  check_values(net.b.grad(), {3}, 1e-6);
  BOOST_TEST(std::abs(nn::clip_grad_norm_(net, 3.5) - 3.5) < 1e-5);
}

BOOST_AUTO_TEST_CASE(other_norms) {
  const auto norm = [](double p) {
    return nn::clip_grad_norm_({with_gradient(tensor({-1, 2, -2}))}, 1e9, {.norm_type = p});
  };
  BOOST_TEST(norm(2) == 3);
  BOOST_TEST(norm(1) == 5);
  BOOST_TEST(norm(kInfinity) == 2);
  BOOST_TEST(std::abs(norm(3) - std::cbrt(17.0)) < 1e-12);
}

BOOST_AUTO_TEST_CASE(large_gradients_in_chunks) {
  manual_seed(1);
  for (const DType dtype : {float32, float64}) {
    const Tensor g = randn({100003}, dtype);
    long double sum = 0;
    for (const double v : nn_test::values(g)) sum += static_cast<long double>(v) * v;
    const double norm = nn::clip_grad_norm_({with_gradient(g)}, 1);
    BOOST_TEST(std::abs(norm - static_cast<double>(std::sqrt(sum))) < 1e-12 * norm);
  }
}

BOOST_AUTO_TEST_CASE(squares_that_overflow) {
  Tensor p = with_gradient(tensor({3e200, 4e200}, float64));
  BOOST_TEST(std::abs(nn::clip_grad_norm_({p}, 1) / 5e200 - 1) < 1e-12);
  check_values(p.grad(), {0.6, 0.8}, 1e-12);
  Tensor q = with_gradient(tensor({3e200}, float64)), r = with_gradient(tensor({4e200}, float64));
  BOOST_TEST(std::abs(nn::clip_grad_norm_({q, r}, 1) / 5e200 - 1) < 1e-12);
}

BOOST_AUTO_TEST_CASE(what_is_not_finite_is_an_error_that_changes_nothing) {
  for (const double bad : {kNan, kInfinity, -kInfinity}) {
    Two net({30, 40}, {bad});
    BOOST_CHECK_EXCEPTION(
        nn::clip_grad_norm_(net, 1), ValueError,
        says("clip_grad_norm_: the gradient of b holds Inf or NaN; nothing was changed"));
    BOOST_CHECK_EXCEPTION(
        nn::clip_grad_norm_(net, 1, {.norm_type = kInfinity}), ValueError,
        says("clip_grad_norm_: the gradient of b holds Inf or NaN; nothing was changed"));
    BOOST_CHECK_EXCEPTION(nn::clip_grad_norm_(net.parameters(), 1), ValueError,
                          says("the gradient of parameter 1, float32 [1] holds Inf or NaN"));
    BOOST_CHECK_EXCEPTION(
        nn::clip_grad_value_(net, 1), ValueError,
        says("clip_grad_value_: the gradient of b holds Inf or NaN; nothing was changed"));
    check_values(net.a.grad(), {30, 40});
  }
  Two net({3, 4}, {kInfinity});
  BOOST_TEST(nn::clip_grad_norm_(net, 1, {.error_if_nonfinite = false}) == kInfinity);
  check_values(net.a.grad(), {0, 0});
  Two other({3, -4}, {-kInfinity});
  nn::clip_grad_value_(other, 1, {.error_if_nonfinite = false});
  check_values(other.a.grad(), {1, -1});
  check_values(other.b.grad(), {-1});
}

BOOST_AUTO_TEST_CASE(limit_of_each_element) {
  Two net({0.5, -3}, {3});
  nn::clip_grad_value_(net, 1);
  check_values(net.a.grad(), {0.5, -1});
  check_values(net.b.grad(), {1});
}

BOOST_AUTO_TEST_CASE(a_gradient_that_somebody_holds_is_not_written) {
  Two net({3, 4}, {0});
  const Tensor kept = net.a.grad();
  nn::clip_grad_norm_(net, 1);
  check_values(kept, {3, 4});
  check_values(net.a.grad(), {0.6, 0.8}, 1e-6);

  Tensor shared = tensor({3, 4});
  Tensor p = with_gradient(shared);
  nn::clip_grad_value_({p}, 1);
  check_values(shared, {3, 4});
  check_values(p.grad(), {1, 1});
}

BOOST_AUTO_TEST_CASE(an_own_gradient_is_written_in_place) {
  Tensor p = with_gradient(tensor({3, 4}));
  const void* data = p.grad().data<float>();
  nn::clip_grad_norm_({p}, 1);
  BOOST_TEST(p.grad().data<float>() == data);
}

BOOST_AUTO_TEST_CASE(expanded_gradients) {
  Tensor p = with_gradient(tensor({3}).expand({4}));
  BOOST_TEST(nn::clip_grad_norm_({p}, 1) == 6);
  check_values(p.grad(), {0.5, 0.5, 0.5, 0.5}, 1e-6);
}

BOOST_AUTO_TEST_CASE(parameters_without_a_gradient) {
  Tensor p = zeros({2});
  p.requires_grad_();
  BOOST_TEST(nn::clip_grad_norm_({p}, 1) == 0);
  nn::clip_grad_value_({p}, 1);
  BOOST_TEST(!p.grad().defined());
}

BOOST_AUTO_TEST_CASE(arguments_out_of_range) {
  Two net({1, 1}, {1});
  BOOST_CHECK_EXCEPTION(nn::clip_grad_norm_(net, -1), ValueError,
                        says("clip_grad_norm_: expected max_norm >= 0"));
  BOOST_CHECK_EXCEPTION(nn::clip_grad_norm_(net, 1, {.norm_type = 0}), ValueError,
                        says("clip_grad_norm_: expected norm_type > 0"));
  BOOST_CHECK_EXCEPTION(nn::clip_grad_value_(net, kNan), ValueError,
                        says("clip_grad_value_: expected clip_value >= 0"));
}

BOOST_AUTO_TEST_SUITE_END()
