// SPDX-License-Identifier: BSD-3-Clause
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/diagonal.hpp>
#include <xtape/autograd/ops/indexing.hpp>
#include <xtape/autograd/ops/math.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/ops/shape.hpp>
#include <xtape/autograd/ops/windows.hpp>
#include <xtape/autograd/tape.hpp>

#include "../expect.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

BOOST_AUTO_TEST_SUITE(in_place)

struct Form {
  const char* name;
  std::function<Tensor&(Tensor&)> write;
  std::function<Tensor(const Tensor&)> function;
};

#define XTAPE_FORM(op, ...)                                                  \
  Form {                                                                     \
#op "_", [=](Tensor & x) -> Tensor& { return x.op##_(__VA_ARGS__); }, [= \
    ](const Tensor& x) { return op(x __VA_OPT__(, ) __VA_ARGS__); }          \
  }

// Every form with the function whose results it writes, for x [3, 4].
std::vector<Form> forms(bool recorded = false) {
  const Tensor a = uniform(0.5, 2, {3, 4}, float64).requires_grad_(recorded);
  const Tensor b = uniform(0.5, 2, {4}, float64).requires_grad_(recorded);
  const Tensor low = full({4}, 0.75, float64), high = full({3, 1}, 1.25, float64);
  const Tensor mask = rand({3, 4}) < 0.5, rows = tensor({2, 0}, int64);
  const Tensor places = randint(0, 3, {2, 4}),
               source = randn({2, 4}, float64).requires_grad_(recorded);
  constexpr auto down = RoundingMode::floor, to_zero = RoundingMode::trunc;
  return {
      XTAPE_FORM(add, a),
      XTAPE_FORM(add, 0.5),
      XTAPE_FORM(add, b, -0.1),
      XTAPE_FORM(sub, b),
      XTAPE_FORM(sub, 2),
      XTAPE_FORM(sub, a, 3),
      XTAPE_FORM(mul, a),
      XTAPE_FORM(mul, -2),
      XTAPE_FORM(div, b),
      XTAPE_FORM(div, 3),
      XTAPE_FORM(div, a, down),
      XTAPE_FORM(div, 0.3, to_zero),
      XTAPE_FORM(remainder, a),
      XTAPE_FORM(remainder, -0.3),
      XTAPE_FORM(fmod, b),
      XTAPE_FORM(fmod, 0.3),
      XTAPE_FORM(pow, a),
      XTAPE_FORM(pow, 3),
      XTAPE_FORM(atan2, b),
      XTAPE_FORM(hypot, a),
      XTAPE_FORM(neg),
      XTAPE_FORM(abs),
      XTAPE_FORM(sign),
      XTAPE_FORM(reciprocal),
      XTAPE_FORM(floor),
      XTAPE_FORM(ceil),
      XTAPE_FORM(round),
      XTAPE_FORM(trunc),
      XTAPE_FORM(exp),
      XTAPE_FORM(log),
      XTAPE_FORM(sqrt),
      XTAPE_FORM(clamp, 0.75, 1.25),
      XTAPE_FORM(clamp, low, high),
      XTAPE_FORM(clamp_min, 1),
      XTAPE_FORM(clamp_max, 1),
      XTAPE_FORM(lerp, b, 0.25),
      XTAPE_FORM(lerp, b, a),
      XTAPE_FORM(addcmul, a, b, 0.5),
      XTAPE_FORM(addcdiv, b, a),
      XTAPE_FORM(nan_to_num, 3),
      XTAPE_FORM(masked_fill, mask, -1),
      XTAPE_FORM(index_add, 0, rows, source),
      XTAPE_FORM(scatter, 0, places, source),
      XTAPE_FORM(scatter, 0, places, 7),
      XTAPE_FORM(scatter_add, 0, places, source),
  };
}

BOOST_AUTO_TEST_CASE(each_form_writes_what_its_function_gives) {
  const Tensor start = uniform(0.5, 2, {3, 4}, float64);
  for (const Form& form : forms()) {
    BOOST_TEST_CONTEXT(form.name) {
      const Tensor expected = form.function(start);
      for (const bool strided : {false, true}) {
        Tensor memory = strided ? transpose(start, 0, 1).contiguous() : start.clone();
        Tensor x = strided ? transpose(memory, 0, 1).detach() : memory.detach();
        BOOST_TEST((&form.write(x) == &x));
        BOOST_TEST(elements(strided ? transpose(memory, 0, 1) : memory) == elements(expected),
                   boost::test_tools::per_element());
      }
    }
  }
}

// With the name of the form, before anything is computed or counted as written.
BOOST_AUTO_TEST_CASE(what_is_recorded_is_not_written) {
  for (const Form& form : forms()) {
    BOOST_TEST_CONTEXT(form.name) {
      Tensor parameter = ones({3, 4}, float64).requires_grad_(), y = parameter * 2;
      const auto names = says(std::string(form.name) + ": ");
      BOOST_CHECK_EXCEPTION(form.write(parameter), GradError, names);
      BOOST_CHECK_EXCEPTION(form.write(y), GradError, names);
      Tensor none;
      BOOST_CHECK_EXCEPTION(form.write(none), ValueError, names);
      const NoGrad no_grad;
      BOOST_CHECK_EXCEPTION(form.write(y), GradError, names);
      BOOST_CHECK_NO_THROW(form.write(parameter));
      BOOST_TEST(parameter.is_leaf());
    }
  }
}

// It would lose its gradient.
BOOST_AUTO_TEST_CASE(what_is_recorded_is_not_written_elsewhere) {
  const Tensor start = uniform(0.5, 2, {3, 4}, float64);
  int refused = 0;
  for (const Form& form : forms(true)) {
    BOOST_TEST_CONTEXT(form.name) {
      Tensor x = start.clone();
      if (form.function(x).requires_grad()) {
        ++refused;
        BOOST_CHECK_EXCEPTION(form.write(x), GradError,
                              says(std::string(form.name) + ": what is written is recorded"));
        BOOST_TEST(elements(x) == elements(start), boost::test_tools::per_element());
      }
      const NoGrad no_grad;
      BOOST_CHECK_NO_THROW(form.write(x));
    }
  }
  BOOST_TEST(refused > 15);
  Tensor x = zeros({2});
  const Tensor w = ones({2}).requires_grad_();
  BOOST_CHECK_EXCEPTION(x.copy_(w), GradError, says("copy_: what is written is recorded"));
  BOOST_CHECK_EXCEPTION(x.index_put_({0}, w[0]), GradError, says("index_put_: what is"));
  XTAPE_SAME(x.copy_(w.detach()), {1, 1});
}

BOOST_AUTO_TEST_CASE(elements_that_share_their_place_are_not_written) {
  const auto text = says("several elements share one place in memory");
  Tensor wide = zeros({1}).expand({4}), windows = unfold(zeros({5}), 0, 3, 1);
  Tensor apart = unfold(zeros({6}), 0, 3, 3), diagonal_of = diagonal(zeros({3, 3}));
  BOOST_CHECK_EXCEPTION(wide.add_(ones({4})), ValueError, text);
  BOOST_CHECK_EXCEPTION(wide.fill_(1), ValueError, text);
  BOOST_CHECK_EXCEPTION(wide.exp_(), ValueError, text);
  BOOST_CHECK_EXCEPTION(wide.index_put_({0}, 1), ValueError, text);
  BOOST_CHECK_EXCEPTION(windows.copy_(ones({3, 3})), ValueError, text);
  XTAPE_SAME(apart.copy_(ones({2, 3})), {1, 1, 1, 1, 1, 1});
  XTAPE_SAME(diagonal_of.fill_(2), {2, 2, 2});
  Tensor flipped = flip(zeros({2, 2}), {0}).t();
  XTAPE_SAME(flipped.add_(1), {1, 1, 1, 1});
  Tensor one = zeros({1}).expand({1, 1});
  XTAPE_SAME(one.add_(1), {1});
}

BOOST_AUTO_TEST_CASE(what_throws_has_written_nothing) {
  Tensor x = tensor({1, 2}, float64);
  const Tensor w = leaf({3, 4}), y = (w * x).sum();
  BOOST_CHECK_EXCEPTION(x.lerp_(ones({3}, float64), 0.5), ShapeError, says("lerp"));
  BOOST_CHECK_EXCEPTION(x.addcmul_(ones({3, 2}), ones({2})), ShapeError,
                        says("addcmul_: the result is float64 [3, 2]"));
  BOOST_CHECK_EXCEPTION(x.clamp_(ones({3, 1}), ones({1})), ShapeError, says("clamp_"));
  BOOST_CHECK_THROW(x.normal_(0, -1), ValueError);
  BOOST_CHECK_THROW(x.bernoulli_(2), ValueError);
  BOOST_CHECK_THROW(x.index_put_({5}, 1), IndexError);
  BOOST_CHECK_EXCEPTION(x.index_put_({slice()}, ones({3})), ShapeError, says("index_put_"));
  BOOST_CHECK_THROW(x.index_put_({tensor({0, 7}, int64)}, 1), IndexError);
  y.backward();
  XTAPE_SAME(w.grad(), {1, 2});
  // What was written is noticed.
  const Tensor z = (w * x).sum();
  x.exp_();
  BOOST_CHECK_EXCEPTION(z.backward(), GradError, says("mul"));
}

BOOST_AUTO_TEST_CASE(numbers_in_place_of_nan) {
  Tensor x = tensor({NAN, 1, INFINITY}, float64);
  XTAPE_SAME(x.nan_to_num_(3), {3, 1, std::numeric_limits<double>::max()});
}

BOOST_AUTO_TEST_CASE(whole_numbers) {
  Tensor x = tensor({7, -7}, int64);
  XTAPE_SAME(x.div_(2, RoundingMode::floor), {3, -4});
  XTAPE_SAME(x.add_(tensor({1, 2}, int64), 3).remainder_(4).clamp_(1, 2), {2, 2});
  XTAPE_SAME(x.masked_fill_(x == 2, 9).neg_().abs_().pow_(2), {81, 81});
  BOOST_CHECK_EXCEPTION(x.exp_(), DTypeError, says("exp_: the result is float32 [2]"));
  BOOST_CHECK_THROW(x.normal_(), DTypeError);
  XTAPE_SAME(x, {81, 81});
}

BOOST_AUTO_TEST_CASE(random_numbers_are_those_of_the_functions) {
  Tensor x = zeros({3, 4});
  const auto same = [&](const Tensor& expected) {
    BOOST_TEST(elements(x) == elements(expected), boost::test_tools::per_element());
  };
  const Generator start = default_generator();
  const auto again = [&] { default_generator() = start; };
  x.uniform_(2, 3);
  again(), same(uniform(2, 3, {3, 4}));
  again(), x.uniform_();
  again(), same(rand({3, 4}));
  again(), x.normal_(1, 2);
  again(), same(normal(1, 2, {3, 4}));
  again(), x.normal_();
  again(), same(randn({3, 4}));
  again(), x.bernoulli_(0.3);
  again(), same(bernoulli(full({3, 4}, 0.3, float64)));
}

BOOST_AUTO_TEST_CASE(on_every_layout) {
  manual_seed(3);
  const Tensor start = randn({3, 4, 2}), row = randn({2}), column = randn({4, 1});
  const auto check = [&](auto view, const Tensor& other) {
    const Tensor x = start.clone(), expected = view(start) * other;
    const void* const memory = x.value()->data;
    Tensor y = view(x);
    y.mul_(other);
    BOOST_TEST(all(eq(y, expected)).item<bool>());
    BOOST_TEST(x.value()->data == memory);
  };
  const auto whole = [](const Tensor& x) { return x; };
  check(whole, row);
  check(whole, column);
  check(whole, row[0]);
  check([](const Tensor& x) { return transpose(x, 0, 2); }, randn({3}));
  check([](const Tensor& x) { return flip(x, {0}); }, row);
  check([](const Tensor& x) { return narrow(x, 1, 1, 2); }, row);
  // What is written is read elsewhere, too.
  Tensor x = start.clone();
  const Tensor expected = x * x[1];
  x.mul_(x[1]);
  BOOST_TEST(all(eq(x, expected)).item<bool>());
}

BOOST_AUTO_TEST_CASE(leaves_are_written) {
  Tensor x = tensor({1, 2, 4}, float32);
  x.add_(1).mul_(tensor({2, 2, 2}, float64)).sub_(tensor({1}, int64)).div_(2);
  XTAPE_SAME(x, {1.5, 2.5, 4.5});
  BOOST_TEST((x.dtype() == float32));
  XTAPE_SAME(x.sub_(0.5).add_(x).div_(tensor({1, 2, 4})).mul_(3), {6, 6, 6});
  Tensor whole = ones({2}, int64), leaf_x = leaf({1, 2}), y = leaf_x * 1;
  BOOST_CHECK_EXCEPTION(whole.mul_(0.5), DTypeError, says("mul_: the result is float32 [2]"));
  BOOST_CHECK_EXCEPTION(whole.div_(2), DTypeError, says("which does not fit into int64 [2]"));
  BOOST_CHECK_THROW(leaf_x.add_(1), GradError);
  BOOST_CHECK_THROW(y.add_(1), GradError);
  BOOST_CHECK_THROW(whole.add_(ones({3}, int64)), ShapeError);
  BOOST_CHECK_THROW(whole.add_(ones({3, 2}, int64)), ShapeError);
  const NoGrad no_grad;
  XTAPE_SAME(leaf_x.add_(1), {2, 3});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
