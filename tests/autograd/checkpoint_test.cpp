// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/checkpoint.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <xtape/autograd/functional.hpp>
#include <xtape/autograd/gradcheck.hpp>
#include <xtape/autograd/inspect.hpp>
#include <xtape/autograd/memory.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/dropout.hpp>
#include <xtape/autograd/ops/math.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/random.hpp>
#include <xtape/autograd/sweep.hpp>
#include <xtape/autograd/tape.hpp>
#include <xtape/nn/linear.hpp>
#include <xtape/nn/normalization.hpp>

#include "expect.hpp"

// The suite has the machine to itself (its name).
BOOST_AUTO_TEST_SUITE(checkpoint_limits)

using namespace xtape;
using namespace xtape::test;

namespace {

// The gradients of f's result with respect to leaves, and the result itself first.
template <class F>
std::vector<Values> run(F f, std::vector<Tensor> leaves) {
  manual_seed(7);
  for (Tensor& x : leaves) x.zero_grad();
  const Tensor y = f();
  y.sum().backward();
  std::vector<Values> found{elements(y)};
  for (const Tensor& x : leaves) found.push_back(elements(x.grad()));
  return found;
}

Tensor steep(const Tensor& x) { return sin(x * x) * exp(x); }

}  // namespace

BOOST_AUTO_TEST_CASE(what_depends_on_one_another_is_counted_once) {
  const Tensor x = leaf({1, 2}), w = leaf({3, 4}), c = w * 2;
  checkpoint([=](const Tensor& t) { return t * c * w; }, x).sum().backward();
  XTAPE_SAME(w.grad(), {12, 32});  // of 2 x w^2
  XTAPE_SAME(x.grad(), {18, 32});
  const Tensor u = leaf({2}), v = leaf({3});
  const auto f = [&](const Tensor& t) { return t * v; };
  const Tensor y = checkpoint(f, checkpoint(f, u)).sum();  // u v^2
  const Tensor slope = grad({y}, {v}, {.create_graph = true})[0];
  XTAPE_SAME(slope, {12});
  XTAPE_SAME(grad({slope}, {v})[0], {4});
  const Tensor a = leaf({2}), b = a * a;
  const auto product = [](const Tensor& s, const Tensor& t) { return s * t; };
  XTAPE_SAME(grad({checkpoint(product, a, b).sum()}, {a}, {.create_graph = true})[0], {12});
}

BOOST_AUTO_TEST_CASE(hooks_of_what_is_captured_run_once) {
  int calls = 0;
  const auto half = [&](const Tensor& g) {
    ++calls;
    return g * 0.5;
  };
  Tensor w = leaf({3});
  const Tensor x = leaf({2});
  w.register_hook(half);
  Tensor c = w * 1;
  c.register_hook(half);
  const auto f = [&](const Tensor& t) { return t * w + c; };
  checkpoint([&](const Tensor& t) { return checkpoint(f, t); }, x).sum().backward();
  XTAPE_SAME(w.grad(), {1.25});  // (x + 1 / 2) / 2
  BOOST_TEST(calls == 2);
  Tensor u = leaf({2});
  u.register_hook(half);
  XTAPE_SAME(grad({checkpoint(f, u).sum()}, {u}, {.create_graph = true})[0], {1.5});
  BOOST_TEST(calls == 3);
}

BOOST_AUTO_TEST_CASE(gradients_are_those_of_the_plain_run) {
  const Tensor x = leaf({0.3, -1, 2}), w = leaf({1, 2, 3});
  const auto body = [&](const Tensor& t) { return dropout(steep(t * w), 0.4); };
  const auto plain = run([&] { return body(x) + w; }, {x, w});
  const auto saved = run([&] { return checkpoint(body, x) + w; }, {x, w});
  BOOST_TEST((plain == saved));
}

BOOST_AUTO_TEST_CASE(random_numbers_go_on_as_without_it) {
  const Tensor x = leaf({1, 2, 3, 4, 5, 6, 7, 8});
  manual_seed(7);
  const Tensor y = checkpoint([](const Tensor& t) { return dropout(t, 0.5); }, x);
  const Values next = elements(randn({4}));
  y.sum().backward();  // draws the mask again
  const Values after = elements(randn({4}));
  manual_seed(7);
  dropout(x, 0.5);
  BOOST_TEST(elements(randn({4})) == next, boost::test_tools::per_element());
  BOOST_TEST(elements(randn({4})) == after, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_the_operations_save_is_not_kept) {
  const Tensor x = leaf({1, 2});
  const auto before = memory::stats();
  {
    const Tensor y = checkpoint([](const Tensor& t) { return steep(steep(t)); }, x);
    BOOST_TEST(memory::stats().live_nodes - before.live_nodes == 1);
    BOOST_TEST(memory::stats().live_tensors - before.live_tensors <= 3);
  }
  BOOST_TEST(memory::stats().live_nodes == before.live_nodes);
  BOOST_TEST(memory::stats().live_tensors == before.live_tensors);
}

// What the gradient of a recurrent network of length^2 steps on 512 bytes takes at most,
// checkpointed in `length` pieces.
double peak_of_chain(int length, const std::string& saved) {
  const Tensor w = linspace(0.9, 1.6, 64, float64).requires_grad_(), b = leaf({0.1});
  const auto piece = [&](const Tensor& t) {
    Tensor y = t;
    for (int i = 0; i < length; ++i) y = tanh(y * w + b);
    return y;
  };
  memory::reset_peak();
  const auto before = memory::stats().live_bytes;
  Tensor y = w * b;
  for (int i = 0; i < length; ++i) y = checkpoint(piece, y);
  const std::string report = tape(y).memory_report();
  BOOST_TEST(report.find("saved for backward: " + saved) != std::string::npos, report);
  y.sum().backward();
  BOOST_TEST(elements(w.grad())[0] != 0);
  BOOST_TEST(elements(b.grad())[0] > 0);
  return static_cast<double>(memory::stats().peak_bytes - before);
}

BOOST_AUTO_TEST_CASE(a_chain_of_a_million_steps_takes_the_root_of_its_memory) {
  const double small = peak_of_chain(200, "100.0 KiB"), large = peak_of_chain(1000, "500.0 KiB");
  BOOST_TEST(large < 7 * small);  // of 25 times as many steps
  BOOST_TEST(large < 4 << 20);    // the values alone would be 488 MiB
}

BOOST_AUTO_TEST_CASE(nested) {
  const Tensor x = leaf({0.3, -1, 2}), w = leaf({1, 2, 3});
  const auto inner = [&](const Tensor& t) { return dropout(steep(t) * w, 0.4); };
  const auto outer = [&](const Tensor& t) { return checkpoint(inner, t * t) * w; };
  const auto plain = run([&] { return inner(x * x) * w; }, {x, w});
  BOOST_TEST((run([&] { return checkpoint(outer, x); }, {x, w}) == plain));
}

BOOST_AUTO_TEST_CASE(several_inputs_and_results) {
  const Tensor a = leaf({1, 2}), b = leaf({3, 4});
  const auto f = [](const Tensor& s, const Tensor& t) { return std::pair(s * t, t * t); };
  const auto both = [&] {
    const auto [u, v] = checkpoint(f, a, b);
    return u + v * 2;
  };
  BOOST_TEST((run(both, {a, b}) == std::vector<Values>{{21, 40}, {3, 4}, {13, 18}}));
  const auto one = [&] { return checkpoint(f, a, b).second; };
  BOOST_TEST((run(one, {a, b}) == std::vector<Values>{{9, 16}, {}, {6, 8}}));
  const auto list = [&] {
    return checkpoint([](const std::vector<Tensor>& x) { return x[0] * x[1]; },
                      std::vector<Tensor>{a, b});
  };
  BOOST_TEST((run(list, {a, b}) == std::vector<Values>{{3, 8}, {3, 4}, {1, 2}}));
}

BOOST_AUTO_TEST_CASE(a_recorded_value_that_is_captured_gets_its_gradient) {
  const Tensor x = leaf({1, 2}), w = leaf({3, 4});
  const auto plain = [&] {
    const Tensor u = w * w;
    return x * u + u;
  };
  const auto saved = [&] {
    const Tensor u = w * w;
    return checkpoint([u](const Tensor& t) { return t * u; }, x) + u;
  };
  BOOST_TEST((run(saved, {x, w}) == run(plain, {x, w})));
}

BOOST_AUTO_TEST_CASE(gradients_of_gradients) {
  const Tensor w = leaf({0.5, -0.3});
  const auto f = [w](const Tensor& x) {
    return checkpoint([w](const Tensor& t) { return steep(t) * w; }, x * x);
  };
  const Tensor x = tensor({0.7, -0.4}, float64);
  BOOST_TEST(bool(gradcheck(f, {x})));
  BOOST_TEST(bool(gradgradcheck(f, {x})));
  const auto third = [&](const Tensor& t) {
    const auto total = [&](const Tensor& s) { return f(s).sum(); };
    return vjp(total, t, {}, {.create_graph = true}).second;
  };
  BOOST_TEST(bool(gradgradcheck(third, {x})));
  // The captured leaf, second order: d/dw of d/dx.
  Tensor v = x.clone().requires_grad_();
  const auto slope = [&](auto body) {
    Tensor u = w;
    u.zero_grad();
    grad({body(v).sum()}, {v}, {.create_graph = true})[0].sum().backward();
    return elements(w.grad());
  };
  const auto plain = [w](const Tensor& t) { return steep(t * t) * w; };
  BOOST_TEST(slope(f) == slope(plain), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(running_statistics_move_once) {
  manual_seed(5);
  const Tensor x = randn({6, 3}).requires_grad_();
  nn::BatchNorm1d plain(3), saved(3);
  const auto gradient = [&](nn::BatchNorm1d& norm, bool keeps) {
    Tensor t = x.detach().requires_grad_();
    const Tensor y = keeps ? norm(t) : checkpoint([&](const Tensor& s) { return norm(s); }, t);
    (y * y * y).sum().backward();
    return elements(t.grad());
  };
  BOOST_TEST(gradient(plain, true) == gradient(saved, false), boost::test_tools::per_element());
  BOOST_TEST(elements(plain.running_mean) == elements(saved.running_mean),
             boost::test_tools::per_element());
  BOOST_TEST(elements(plain.running_var) == elements(saved.running_var),
             boost::test_tools::per_element());
  BOOST_TEST(saved.num_batches_tracked.item<std::int64_t>() == 1);
  BOOST_TEST(elements(plain.weight.grad()) == elements(saved.weight.grad()),
             boost::test_tools::per_element());
}

namespace {

struct Layer {
  nn::Linear linear;
  nn::BatchNorm1d norm;
  Layer() : linear(6, 6, {.dtype = float64}), norm(6, {.dtype = float64}) {}
  Tensor operator()(const Tensor& x) { return dropout(tanh(norm(linear(x))), 0.3); }
};

// Loss, gradients, next random numbers and running statistics of two layers; `slope` makes the loss
// that of the gradient, by its own graph.
std::vector<Values> train(bool kept, bool nested, bool slope) {
  manual_seed(9);
  Layer first, second;
  const Tensor x = randn({8, 6}, float64).requires_grad_();
  const auto inner = [&](const Tensor& t) { return second(t); };
  const auto both = [&](const Tensor& t) {
    return nested ? checkpoint(inner, first(t)) : inner(first(t));
  };
  Tensor loss = square(kept ? both(x) : checkpoint(both, x)).sum();
  if (slope) loss = square(grad({loss}, {x}, {.create_graph = true})[0]).sum();
  loss.backward();
  std::vector<Values> found{elements(loss), elements(x.grad()), elements(randn({3}))};
  for (Layer* layer : {&first, &second}) {
    const Tensor* parameters[] = {&layer->linear.weight, &layer->linear.bias, &layer->norm.weight,
                                  &layer->norm.bias};
    for (const Tensor* p : parameters) {
      BOOST_TEST(p->grad().defined());
      found.push_back(elements(p->grad()));
    }
    found.push_back(elements(layer->norm.running_mean));
    found.push_back(elements(layer->norm.running_var));
  }
  return found;
}

}  // namespace

BOOST_AUTO_TEST_CASE(dropout_batch_norm_parameters_and_nesting_bit_for_bit) {
  const auto plain = train(true, false, false);
  BOOST_TEST((train(false, false, false) == plain));
  BOOST_TEST((train(false, true, false) == plain));
  BOOST_TEST((train(true, true, false) == plain));
}

// There the gradient of x is summed in another order: that of each piece first.
BOOST_AUTO_TEST_CASE(the_same_of_second_order) {
  const auto plain = train(true, false, true);
  for (const int way : {0, 1, 2}) {
    const auto saved = train(way == 2, way > 0, true);
    BOOST_REQUIRE(saved.size() == plain.size());
    for (std::size_t i = 0; i < plain.size(); ++i) {
      BOOST_REQUIRE(saved[i].size() == plain[i].size());
      double scale = 1;
      for (const double v : plain[i]) scale = std::max(scale, std::abs(v));
      for (std::size_t k = 0; k < plain[i].size(); ++k) {
        BOOST_TEST(std::abs(saved[i][k] - plain[i][k]) <= 1e-12 * scale);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(nothing_to_differentiate) {
  const Tensor x = ones({2});
  BOOST_TEST(!checkpoint([](const Tensor& t) { return t * 2; }, x).requires_grad());
  const NoGrad no_grad;
  const Tensor y = leaf({1});
  BOOST_TEST(!checkpoint([](const Tensor& t) { return t * 2; }, y).requires_grad());
}

BOOST_AUTO_TEST_CASE(errors) {
  Tensor w = leaf({1, 2});
  const auto body = [&](const Tensor& t) { return t * w; };
  const Tensor y = checkpoint(body, leaf({3, 4}));
  {
    const NoGrad no_grad;
    w.fill_(5);
  }
  BOOST_CHECK_EXCEPTION(y.sum().backward(), GradError, says("backward of checkpoint: a value"));
  BOOST_CHECK_EXCEPTION(checkpoint(body, Tensor()), ValueError, says("checkpoint"));
  const auto many = [](const Tensor& t) { return std::vector<Tensor>(9, t); };
  BOOST_CHECK_EXCEPTION(checkpoint(many, leaf({1})), ValueError, says("at most 8 results"));
  BOOST_CHECK_EXCEPTION(checkpoint(body, leaf({1, 2, 3})), ShapeError, says("mul"));
  BOOST_TEST(!is_recomputing());
}

BOOST_AUTO_TEST_SUITE_END()
