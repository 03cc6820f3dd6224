// SPDX-License-Identifier: BSD-3-Clause
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/gradcheck.hpp>
#include <xtape/autograd/memory.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/random.hpp>
#include <xtape/autograd/sweep.hpp>
#include <xtape/autograd/tape.hpp>

BOOST_AUTO_TEST_SUITE(gradchecks)

using namespace xtape;

namespace {

Tensor numbers(std::initializer_list<double> values) { return tensor(values, float64); }
const auto kProduct = [](const Tensor& a, const Tensor& b) { return a * b; };

// What mul would be with another backward pass.
template <class Closure>
Tensor product(const Tensor& a, const Tensor& b, Closure closure) {
  Tensor y;
  {
    const NoGrad no_grad;
    y = a * b;
  }
  record("product", y, {a, b}, saves(a, b), closure);
  return y;
}

}  // namespace

BOOST_AUTO_TEST_CASE(right_gradients_pass) {
  const Tensor a = numbers({0.3, -1.2, 2.0}), b = numbers({1.7, 0.4, -0.9});
  BOOST_TEST(bool(gradcheck(kProduct, {a, b})));
  BOOST_TEST(bool(gradgradcheck(kProduct, {a, b})));
  const auto cube = [](const Tensor& x) { return x * x * x; };
  BOOST_TEST(bool(gradcheck(cube, {a})));
  BOOST_TEST(bool(gradgradcheck(cube, {a})));
  BOOST_TEST(gradcheck(cube, {a}).text() == "the gradients agree");
  // The inputs stay what they were.
  BOOST_TEST(!a.requires_grad());
  BOOST_TEST(a.data<double>()[0] == 0.3);
}

BOOST_AUTO_TEST_CASE(forms_of_functions) {
  const Tensor a = numbers({0.3, -1.2}), b = numbers({1.7, 0.4});
  const std::vector<Tensor> both{a, b};
  BOOST_TEST(bool(gradcheck(kProduct, both)));
  BOOST_TEST(bool(gradcheck([](const std::vector<Tensor>& x) { return x[0] * x[1]; }, both)));
  BOOST_TEST(bool(gradcheck([](const std::vector<Tensor>& x) { return x[0] * x[1]; }, {a, b})));
  BOOST_TEST(bool(gradcheck(
      [](const Tensor& x, const Tensor& y) {
        return std::vector<Tensor>{x + y, x * y};
      },
      {a, b})));
  BOOST_TEST(bool(gradgradcheck(
      [](const Tensor& x, const Tensor& y) { return std::pair(x + y, x * y); }, {a, b})));
  const auto three = [](const Tensor& x, const Tensor&, const Tensor&) { return x; };
  BOOST_CHECK_EXCEPTION(gradcheck(three, both), ValueError, [](const Error& e) {
    return std::string(e.what()).find("cannot be called with 2 tensors") != std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(a_wrong_sign_is_found_where_it_is) {
  const auto f = [](const Tensor& a, const Tensor& b) {
    return product(a, b, [](Backward& t) {
      t.add(0, t.g() * t.saved(1));
      t.add(1, -(t.g() * t.saved(0)));
    });
  };
  const GradcheckReport r = gradcheck(f, {numbers({0.5}), numbers({1.5})});
  BOOST_TEST(!r);
  BOOST_TEST(r.operation == "product");
  BOOST_TEST(r.input == 1);
  BOOST_TEST(r.element == 0);
  BOOST_TEST(r.analytic == -r.numeric, boost::test_tools::tolerance(1e-6));
  BOOST_TEST(r.text().find("gradient of product: input 1 at [0]: the tape says ") == 0U);
}

BOOST_AUTO_TEST_CASE(one_wrong_element_is_found_where_it_is) {
  const auto f = [](const Tensor& a, const Tensor& b) {
    return product(a, b, [](Backward& t) {
      Tensor g = (t.g() * t.saved(1)).clone();
      xtape::detail::fresh_data<double>(g)[4] *= 1.0001;
      t.add(0, g);
      t.add(1, t.g() * t.saved(0));
    });
  };
  const Tensor a = tensor({{0.5, 1, 2}, {0.25, 0.75, 3}}, float64);
  const GradcheckReport r = gradcheck(f, {a, a});
  BOOST_TEST(!r);
  BOOST_TEST(r.input == 0);
  BOOST_TEST(r.element == 4);
  BOOST_TEST(r.index == (std::vector<std::int64_t>{1, 1}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_missing_factor_is_found_in_the_second_order_alone) {
  // x^2 whose derivative 2x is recorded as if it were constant.
  const auto f = [](const Tensor& x) {
    Tensor y;
    {
      const NoGrad no_grad;
      y = x * x;
    }
    record("square", y, {x}, saves(x),
           [](Backward& t) { t.add(0, t.g() * (t.saved(0) * 2).detach()); });
    return y;
  };
  const Tensor x = numbers({0.5, -1.5});
  BOOST_TEST(bool(gradcheck(f, {x})));
  const GradcheckReport r = gradgradcheck(f, {x});
  BOOST_TEST(!r);
  BOOST_TEST(r.input == 0);
  BOOST_TEST(r.analytic == 0.0);
}

BOOST_AUTO_TEST_CASE(a_graph_of_the_gradient_that_is_not_its_own_is_found) {
  // The fused gradient is right; what is differentiated again is another function.
  const auto wrong_by = [](double factor, double term) {
    return [factor, term](const Tensor& x) {
      Tensor y;
      {
        const NoGrad no_grad;
        y = x * x;
      }
      record("fused", y, {x}, saves(x), [factor, term](Backward& t) {
        if (!t.create_graph()) return t.add(0, t.g() * t.saved(0) * 2);
        t.add(0, t.g() * t.saved(0) * factor + term);
      });
      return y;
    };
  };
  const Tensor x = numbers({0.5, -1.5});
  BOOST_TEST(bool(gradgradcheck(wrong_by(2, 0), {x})));
  BOOST_TEST(bool(gradcheck(wrong_by(3, 0), {x})));
  BOOST_TEST(!gradgradcheck(wrong_by(3, 0), {x}));
  const GradcheckReport r = gradgradcheck(wrong_by(2, 1), {x});
  BOOST_TEST(!r);
  BOOST_TEST(r.text().find("its own graph is recorded") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_sum_missing_over_a_broadcast_dimension_is_found) {
  const auto f = [](const Tensor& a, const Tensor& b) {
    return product(a, b, [](Backward& t) {
      t.add(0, t.g() * t.saved(1));
      t.add(1, mean(t.g() * t.saved(0), {0}));
    });
  };
  const Tensor a = tensor({{0.5, 1}, {2, 3}}, float64), b = numbers({1.5, -0.5});
  const GradcheckReport r = gradcheck(f, {a, b});
  BOOST_TEST(!r);
  BOOST_TEST(r.input == 1);
}

BOOST_AUTO_TEST_CASE(a_stale_value_is_found) {
  static double last;  // of the call before
  const auto f = [](const Tensor& x) {
    Tensor y;
    {
      const NoGrad no_grad;
      y = x * x;
    }
    const double stale = std::exchange(last, x.data<double>()[0]);
    record("stale", y, {x}, saves(x), [stale](Backward& t) { t.add(0, t.g() * (2 * stale)); });
    return y;
  };
  last = 3;
  BOOST_TEST(!gradcheck(f, {numbers({0.5})}));
}

BOOST_AUTO_TEST_CASE(a_missing_record_is_found) {
  const GradcheckReport r =
      gradcheck([](const Tensor& x) { return (x * x).detach(); }, {numbers({0.5})});
  BOOST_TEST(!r);
  BOOST_TEST(r.operation.empty());
  BOOST_TEST(r.analytic == 0.0);
  BOOST_TEST(std::abs(r.numeric) > 0.4);
  BOOST_TEST(r.text().find("input 0 at [0]") == 0U);
}

BOOST_AUTO_TEST_CASE(other_values_at_each_call_are_told) {
  manual_seed(1);
  const GradcheckReport r =
      gradcheck([](const Tensor& x) { return x * rand({2}, float64); }, {numbers({0.5, 1})});
  BOOST_TEST(!r);
  BOOST_TEST(r.text().find("other values when it is called again") != std::string::npos);
  const auto seeded = [](const Tensor& x) {
    manual_seed(7);
    return x * rand({2}, float64);
  };
  BOOST_TEST(bool(gradcheck(seeded, {numbers({0.5, 1})})));
}

BOOST_AUTO_TEST_CASE(inputs_that_have_no_gradient_are_passed_on) {
  const Tensor choose = tensor({1, 0, 1}, boolean);
  const auto f = [](const Tensor& c, const Tensor& a, const Tensor& b) { return where(c, a, b); };
  const Tensor a = numbers({1, 2, 3}), b = numbers({4, 5, 6});
  BOOST_TEST(bool(gradcheck(f, {choose, a, b})));
  BOOST_TEST(bool(gradgradcheck(f, {choose, a, b})));
  // Results without a gradient are left out; so are inputs that do not matter.
  BOOST_TEST(bool(gradcheck(
      [](const Tensor& x, const Tensor&) {
        return std::vector<Tensor>{x * 2, x > 0};
      },
      {a, b})));
  BOOST_TEST(bool(gradgradcheck([](const Tensor& x, const Tensor&) { return x * x; }, {a, b})));
}

BOOST_AUTO_TEST_CASE(float32_is_refused) {
  const auto says = [](const char* text) {
    return [text](const Error& e) { return std::string(e.what()).find(text) != std::string::npos; };
  };
  const Tensor single = tensor({1, 2}), x = numbers({1, 2});
  BOOST_CHECK_EXCEPTION(gradcheck(kProduct, {single, x}), DTypeError,
                        says("input 0 is float32 [2]"));
  BOOST_CHECK_EXCEPTION(gradcheck([](const Tensor& t) { return t.to(float32); }, {x}), DTypeError,
                        says("output 0 is float32 [2]"));
  BOOST_CHECK_EXCEPTION(gradcheck(kProduct, {Tensor(), x}), ValueError,
                        says("input 0 is undefined"));
}

BOOST_AUTO_TEST_CASE(strong_curvature_needs_no_loose_tolerance) {
  // x^-3 near 0.01: the plain difference with h = 6e-6 is off by 4e-6 of 3e8.
  const auto f = [](const Tensor& x) { return 1 / (x * x * x); };
  const Tensor x = numbers({0.01, 0.002, -0.005, 700});
  BOOST_TEST(bool(gradcheck(f, {x})));
  BOOST_TEST(bool(gradgradcheck(f, {x})));
  const GradcheckReport fixed = gradcheck(f, {x}, {.step = 1e-3});
  BOOST_TEST(!fixed);  // a step that someone asks for is kept
}

BOOST_AUTO_TEST_CASE(strided_empty_and_0d_inputs) {
  const Tensor x = tensor({{0.5, 1, 2}, {0.25, 0.75, 3}}, float64);
  BOOST_TEST(bool(gradcheck(kProduct, {x.t(), x.t()})));
  BOOST_TEST(bool(gradcheck(kProduct, {zeros({0, 3}, float64), zeros({3}, float64)})));
  BOOST_TEST(bool(gradgradcheck(kProduct, {scalar_tensor(2, float64), scalar_tensor(3, float64)})));
}

BOOST_AUTO_TEST_CASE(part_of_the_elements) {
  static int calls;
  const auto f = [](const Tensor& x) {
    ++calls;
    return x * x;
  };
  calls = 0;
  BOOST_TEST(bool(gradcheck(f, {full({1000}, 0.5, float64)}, {.max_elements = 5})));
  BOOST_TEST(calls == 1 + 2 + 2 * 5);
}

BOOST_AUTO_TEST_CASE(infinite_and_nan_gradients_never_pass) {
  const auto f = [](const Tensor& x) {
    return product(x, x,
                   [](Backward& t) { t.add(0, t.g() * std::numeric_limits<double>::quiet_NaN()); });
  };
  BOOST_TEST(!gradcheck(f, {numbers({0.5})}));
}

BOOST_AUTO_TEST_CASE(recording_is_on_inside_no_grad) {
  const NoGrad no_grad;
  BOOST_TEST(bool(gradcheck(kProduct, {numbers({2}), numbers({3})})));
  BOOST_TEST(bool(gradgradcheck(kProduct, {numbers({2}), numbers({3})})));
  BOOST_TEST(!is_grad_enabled());
}

BOOST_AUTO_TEST_CASE(nothing_is_left_behind) {
  const auto before = memory::stats();
  {
    const Tensor x = full({20}, 0.5, float64);
    BOOST_TEST(bool(gradgradcheck(kProduct, {x, x})));
  }
  BOOST_TEST(memory::stats().live_nodes == before.live_nodes);
  BOOST_TEST(memory::stats().live_tensors == before.live_tensors);
  BOOST_TEST(memory::stats().live_bytes == before.live_bytes);
}

BOOST_AUTO_TEST_SUITE_END()
