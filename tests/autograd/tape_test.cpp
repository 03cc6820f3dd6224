// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <thread>
#include <xtape/autograd/memory.hpp>
#include <xtape/autograd/ops/activations.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/joining.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/ops/shape.hpp>
#include <xtape/autograd/sweep.hpp>
#include <xtape/autograd/tape.hpp>

#include "expect.hpp"

BOOST_AUTO_TEST_SUITE(tape)

using namespace xtape;
using namespace xtape::test;

namespace {

// Both halves of a sum and a difference, as one operation of two outputs. The closure notes which
// gradients came.
struct Seen {
  bool first, second;
};
Seen seen;

std::pair<Tensor, Tensor> sum_and_difference(const Tensor& a, const Tensor& b) {
  Tensor sum, difference;
  {
    const NoGrad no_grad;
    sum = a + b;
    difference = a - b;
  }
  record("sum_and_difference", outputs(sum, difference), {a, b}, saves(), [](Backward& t) {
    seen = {t.g(0).defined(), t.g(1).defined()};
    t.add(0, t.g(0));
    t.add(0, t.g(1));
    t.add(1, t.g(0));
    if (t.g(1).defined()) t.add(1, -t.g(1));
  });
  return {sum, difference};
}

// exp by its own output: saved without a cycle, differentiable again through it.
Tensor power_of_two(const Tensor& x) {
  Tensor y = full_like(x, 1);
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    xtape::detail::fresh_data<double>(y)[i] = std::exp2(x.data<double>()[i]);
  }
  record("power_of_two", y, {x}, saves(y),
         [](Backward& t) { t.add(0, t.g() * t.saved(0) * std::log(2.0)); });
  return y;
}

}  // namespace

BOOST_AUTO_TEST_CASE(modes) {
  const Tensor x = leaf({1, 2});
  BOOST_TEST(is_grad_enabled());
  BOOST_TEST((x * 2).requires_grad());
  {
    const NoGrad no_grad;
    BOOST_TEST(!is_grad_enabled());
    BOOST_TEST(!(x * 2).requires_grad());
    {
      const EnableGrad grad_again;
      BOOST_TEST((x * 2).requires_grad());
    }
    BOOST_TEST(!is_grad_enabled());
  }
  BOOST_TEST(is_grad_enabled());
  bool in_thread = false;
  const NoGrad no_grad;
  std::thread([&] { in_thread = is_grad_enabled(); }).join();
  BOOST_TEST(in_thread);  // modes belong to a thread
}

BOOST_AUTO_TEST_CASE(nothing_is_recorded_without_a_leaf) {
  const auto nodes = memory::stats().live_nodes;
  const Tensor x = tensor({1, 2}, float64);
  const Tensor y = x * x + 1;
  BOOST_TEST(!y.requires_grad());
  BOOST_TEST(memory::stats().live_nodes == nodes);
  BOOST_TEST(!(leaf({1, 2}) > 0).requires_grad());
}

BOOST_AUTO_TEST_CASE(several_outputs_and_gradients_that_never_came) {
  const Tensor a = leaf({1, 2}), b = leaf({3, 5});
  {
    const auto [s, d] = sum_and_difference(a, b);
    sum(s * s + d).backward();
    BOOST_TEST((seen.first && seen.second));
    XTAPE_SAME(a.grad(), {9, 15});
    XTAPE_SAME(b.grad(), {7, 13});
  }
  const auto [s, d] = sum_and_difference(a, b);
  const auto only_second = grad({sum(d)}, {a, b}, {.retain_graph = true});
  BOOST_TEST((!seen.first && seen.second));
  XTAPE_SAME(only_second[0], {1, 1});
  XTAPE_SAME(only_second[1], {-1, -1});
  const auto only_first = grad({sum(s)}, {a, b}, {.retain_graph = true});
  BOOST_TEST((seen.first && !seen.second));
  XTAPE_SAME(only_first[1], {1, 1});
  // A value of the same node is told from its sister.
  const auto to_values = grad({sum(s * 2) + sum(d * 3)}, {s, d});
  XTAPE_SAME(to_values[0], {2, 2});
  XTAPE_SAME(to_values[1], {3, 3});
}

BOOST_AUTO_TEST_CASE(an_output_saved_makes_no_cycle) {
  const auto before = memory::stats();
  {
    const Tensor x = leaf({1, 2});
    const Tensor y = power_of_two(x);
  }
  BOOST_TEST(memory::stats().live_nodes == before.live_nodes);
  BOOST_TEST(memory::stats().live_tensors == before.live_tensors);
  {
    const Tensor x = leaf({1, 3});
    const Tensor y = sum(power_of_two(x));
    const Tensor g = grad({y}, {x}, {.create_graph = true})[0];
    const Tensor h = grad({sum(g)}, {x}, {.create_graph = true})[0];
    const Tensor third = grad({sum(h)}, {x})[0];
    const double k = std::log(2.0);
    BOOST_TEST(elements(g)[1] == 8 * k, boost::test_tools::tolerance(1e-14));
    BOOST_TEST(elements(h)[1] == 8 * k * k, boost::test_tools::tolerance(1e-14));
    BOOST_TEST(elements(third)[1] == 8 * k * k * k, boost::test_tools::tolerance(1e-14));
  }
  BOOST_TEST(memory::stats().live_nodes == before.live_nodes);
  BOOST_TEST(memory::stats().live_tensors == before.live_tensors);
}

BOOST_AUTO_TEST_CASE(an_undefined_saved_tensor_comes_back_undefined) {
  const Tensor x = leaf({1, 2});
  Tensor y;
  {
    const NoGrad no_grad;
    y = x * 3;
  }
  record("optional", y, {x, Tensor()}, saves(Tensor(), x), [](Backward& t) {
    if (t.needs(1) || t.saved(0).defined()) throw ValueError("it is there");
    t.add(0, t.g() * t.saved(1));
  });
  sum(y).backward();
  XTAPE_SAME(x.grad(), {1, 2});
}

BOOST_AUTO_TEST_CASE(the_engine_sums_over_broadcast_dimensions_and_converts) {
  const Tensor a = tensor({{1, 2, 3}, {4, 5, 6}}, float64).requires_grad_();
  const Tensor b = tensor({10, 20, 30}, float32).requires_grad_();
  const Tensor y = a * b;
  BOOST_TEST((y.dtype() == float64));
  sum(y).backward();
  BOOST_TEST((b.grad().dtype() == float32));
  XTAPE_SAME(b.grad(), {5, 7, 9});
  XTAPE_SAME(a.grad(), {10, 20, 30, 10, 20, 30});
}

BOOST_AUTO_TEST_CASE(a_gradient_that_does_not_fit_is_refused) {
  const Tensor x = leaf({1, 2, 3});
  Tensor y;
  {
    const NoGrad no_grad;
    y = x * 1;
  }
  record("misfit", y, {x}, saves(), [](Backward& t) { t.add(0, zeros({2}, float64)); });
  BOOST_CHECK_EXCEPTION(
      sum(y).backward(), ShapeError,
      says("backward of misfit: a gradient of shape [2] does not fit an input of shape [3]"));
}

BOOST_AUTO_TEST_CASE(a_saved_value_that_was_overwritten) {
  Tensor w = leaf({2, 3});
  const Tensor x = leaf({5, 7});
  const Tensor y = sum(w * x);
  {
    const NoGrad no_grad;
    w.fill_(9);
  }
  BOOST_CHECK_EXCEPTION(
      y.backward(), GradError,
      says("backward of mul: a value of shape [2] that it saved was overwritten since"));
  sum(w * x).backward();  // recorded anew
  XTAPE_SAME(x.grad(), {9, 9});
}

BOOST_AUTO_TEST_CASE(views_share_the_version) {
  Tensor w = tensor({{1, 2}, {3, 4}}, float64);
  const Tensor x = tensor({{1, 1}, {1, 1}}, float64).requires_grad_();
  const Tensor y = sum(w.t() * x);
  w.fill_(0);  // through another view of the memory
  BOOST_CHECK_EXCEPTION(y.backward(), GradError, says("functional form"));
}

BOOST_AUTO_TEST_CASE(what_is_not_saved_may_be_overwritten) {
  Tensor w = leaf({2, 3});
  const Tensor y = sum(w + w);
  {
    const NoGrad no_grad;
    w.fill_(9);
  }
  y.backward();
  XTAPE_SAME(w.grad(), {2, 2});
}

BOOST_AUTO_TEST_CASE(storage_lives_as_long_as_a_handle_or_a_saved_value) {
  constexpr std::int64_t kBytes = 4 << 20;
  const auto before = memory::stats();
  const auto live = [&] { return memory::stats().live_bytes - before.live_bytes; };
  {
    const Tensor a = full({1 << 20}, 0.5).requires_grad_(), b = full({1 << 20}, 0.25);
    BOOST_TEST(live() == 2 * kBytes);
    Tensor y = relu(a + b) * 2;
    const std::int64_t saved_by_relu = live() - 3 * kBytes;  // a, b, y
    BOOST_TEST(saved_by_relu > 0);
    BOOST_TEST(saved_by_relu <= kBytes);
    sum(y).backward();
    BOOST_TEST(live() == 4 * kBytes);  // a, b, y and a's gradient
    y = Tensor();
    BOOST_TEST(live() == 3 * kBytes);
  }
  BOOST_TEST(live() == 0);
  BOOST_TEST(memory::stats().live_nodes == before.live_nodes);
}

namespace {

// x passed on; its closure takes what was saved, notes who else holds it, then throws where
// `fails`.
bool fails = false;
unsigned holders = 0;
Tensor taking(const Tensor& x) {
  Tensor y = x.detach().clone();
  record("taking", y, {x}, saves(x.detach().clone(), y), [](Backward& t) {
    const Tensor kept = t.take_saved(0), output = t.take_saved(1);
    holders = kept.value()->refs.load() - 1;
    if (fails) throw ValueError("taking: broken");
    t.add(0, t.g() * kept + output * 0);
  });
  return y;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_saved_value_that_is_taken) {
  const auto before = memory::stats();
  {
    const Tensor x = leaf({2, 3});
    const Tensor y = taking(x);
    y.backward({.seed = tensor({1, 10}, float64), .retain_graph = true});
    BOOST_TEST(holders == 1u);  // the tape keeps it for the next sweep
    y.backward({.seed = tensor({1, 10}, float64)});
    BOOST_TEST(holders == 0u);
    XTAPE_SAME(x.grad(), {4, 60});
    BOOST_CHECK_EXCEPTION(sum(y).backward(), GradError, says("the graph at taking was released"));
    const Tensor first = grad({sum(taking(x))}, {x}, {.create_graph = true})[0];
    XTAPE_SAME(first, {2, 3});
    const Tensor z = taking(x);
    fails = true;
    BOOST_CHECK_THROW(sum(z).backward({.retain_graph = true}), ValueError);
    BOOST_CHECK_THROW(sum(z).backward(), ValueError);
    fails = false;
    BOOST_CHECK_EXCEPTION(sum(z).backward(), GradError, says("the graph at taking was released"));
  }
  BOOST_TEST(memory::stats().live_tensors == before.live_tensors);
  BOOST_TEST(memory::stats().live_nodes == before.live_nodes);
}

BOOST_AUTO_TEST_CASE(graphs_cross_threads) {
  // Recorded in one thread, continued in a second, walked in a third.
  const Tensor x = leaf({1, 2, 3});
  Tensor y, z;
  std::thread([&] {
    for (int i = 0; i < 100; ++i) y = (y.defined() ? y : x) + x;  // a large counter there
  }).join();
  std::thread([&] { z = sum(y * x); }).join();
  std::thread([&] { z.backward(); }).join();
  XTAPE_SAME(x.grad(), {202, 404, 606});
}

BOOST_AUTO_TEST_CASE(a_result_is_recorded_once) {
  const Tensor x = leaf({1, 2});
  const auto pass = [](Backward& t) { t.add(0, t.g()); };
  const auto nodes = memory::stats().live_nodes;
  {
    Tensor y = x * 2, z = x;
    BOOST_CHECK_EXCEPTION(record("twice", y, {x}, saves(), pass), GradError,
                          says("record: the result of twice has a history already"));
    BOOST_CHECK_THROW(record("leaf", z, {x}, saves(), pass), GradError);
    y.sum().backward();
    XTAPE_SAME(x.grad(), {2, 2});
  }
  BOOST_TEST(memory::stats().live_nodes == nodes);
}

BOOST_AUTO_TEST_CASE(a_closure_asks_for_what_there_is) {
  const Tensor x = leaf({1, 2});
  const auto check = [&](auto closure, const char* text) {
    Tensor y = zeros({2}, float64);
    record("careless", y, {x}, saves(y), closure);
    BOOST_CHECK_EXCEPTION(y.sum().backward(), IndexError, says(text));
  };
  check([](Backward& t) { t.saved(1); }, "backward of careless: saved(1) of 1");
  check([](Backward& t) { t.saved(-1); }, "saved(-1) of 1");
  check([](Backward& t) { t.add(1, t.g()); }, "add(1) of 1");
  check([](Backward& t) { static_cast<void>(t.needs(2)); }, "needs(2) of 1");
  check([](Backward& t) { static_cast<void>(t.sizes(1)); }, "sizes(1) of 1");
  check([](Backward& t) { t.add(0, t.g(1)); }, "g(1) of 1");
  check([](Backward& t) { t.add(0, t.take_g(-1)); }, "g(-1) of 1");
  std::vector<Tensor> ys(9, zeros({1}));
  BOOST_CHECK_EXCEPTION(
      record("many", {&ys[0], &ys[1], &ys[2], &ys[3], &ys[4], &ys[5], &ys[6], &ys[7], &ys[8]}, {x},
             saves(), [](Backward&) {}),
      ValueError, says("at most 8 outputs, got 9"));
}

BOOST_AUTO_TEST_CASE(many_inputs) {
  const Tensor x = leaf({1, 2, 3});
  std::vector<Tensor> parts;
  for (int i = 0; i < 70'000; ++i) parts.push_back(x[i % 3]);
  (stack(parts) * arange(70'000).to(float64)).sum().backward();
  Values expected(3, 0.0);
  for (int i = 0; i < 70'000; ++i) expected[static_cast<std::size_t>(i % 3)] += i;
  BOOST_TEST(elements(x.grad()) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(threads_record_and_walk_apart) {
  constexpr int kThreads = 4, kRounds = 200;
  const Tensor shared = leaf({1, 2});
  std::vector<Values> found(kThreads);
  std::vector<std::thread> threads;
  const auto nodes = memory::stats().live_nodes;
  for (int k = 0; k < kThreads; ++k) {
    threads.emplace_back([&, k] {
      for (int i = 0; i < kRounds; ++i) {
        const Tensor own = leaf({double(k), 1});
        const Tensor y = sum(own * own);
        y.backward();
        // Threads that share parameters use grad().
        const auto g = grad({sum(shared * shared * own)}, {shared, own});
        found[k] = elements(g[0]);
        if (elements(own.grad())[0] != 2 * k) found[k].clear();
      }
    });
  }
  for (std::thread& t : threads) t.join();
  for (int k = 0; k < kThreads; ++k) {
    BOOST_TEST(found[k] == (Values{2.0 * k, 4}), boost::test_tools::per_element());
  }
  BOOST_TEST(!shared.grad().defined());
  BOOST_TEST(memory::stats().live_nodes == nodes);
}

BOOST_AUTO_TEST_SUITE_END()
