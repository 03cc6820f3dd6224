// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/sweep.hpp>

#include <atomic>
#include <thread>
#include <xtape/autograd/memory.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/ops/shape.hpp>
#include <xtape/autograd/tape.hpp>

#include "expect.hpp"

BOOST_AUTO_TEST_SUITE(sweep)

using namespace xtape;
using namespace xtape::test;

namespace {

// Counts the nodes and tensors that a case leaves behind.
class NothingLeft {
 public:
  ~NothingLeft() {
    BOOST_TEST(memory::stats().live_nodes == before_.live_nodes);
    BOOST_TEST(memory::stats().live_tensors == before_.live_tensors);
    BOOST_TEST(memory::stats().live_bytes == before_.live_bytes);
  }

 private:
  memory::Stats before_ = memory::stats();
};

// x * x * x whose backward pass itself differentiates: 3 x^2 comes from a nested sweep.
Tensor cube_by_nested_sweep(const Tensor& x) {
  Tensor y;
  {
    const NoGrad no_grad;
    y = x * x * x;
  }
  record("cube", y, {x}, saves(x), [](Backward& t) {
    const Tensor outer = t.saved(0);
    const EnableGrad recording;
    const Tensor inner = t.create_graph() ? outer : outer.detach().clone().requires_grad_();
    const Tensor cube = inner * inner * inner;
    t.add(0, t.g() * grad({sum(cube)}, {inner}, {.create_graph = t.create_graph()})[0]);
  });
  return y;
}

// Passes x on; its backward adds to both inputs, then throws where `fail` is set.
bool fail = false;
Tensor fragile(const Tensor& a, const Tensor& b) {
  Tensor y;
  {
    const NoGrad no_grad;
    y = a + b;
  }
  record("fragile", y, {a, b}, saves(), [](Backward& t) {
    t.add(0, t.g());
    if (fail) throw ValueError("fragile: broken");
    t.add(1, t.g());
  });
  return y;
}

}  // namespace

BOOST_AUTO_TEST_CASE(accumulates_over_calls_and_uses) {
  const NothingLeft nothing_left;
  const Tensor x = leaf({1, 2, 3});
  BOOST_TEST(!x.grad().defined());
  sum(x * x + x).backward();
  XTAPE_SAME(x.grad(), {3, 5, 7});
  sum(x * 10).backward();
  XTAPE_SAME(x.grad(), {13, 15, 17});
  Tensor(x).zero_grad();
  BOOST_TEST(!x.grad().defined());
}

BOOST_AUTO_TEST_CASE(seeds) {
  const Tensor x = leaf({1, 2});
  const Tensor y = x * x;
  y.backward({.seed = tensor({10, 100}, float64)});
  XTAPE_SAME(x.grad(), {20, 400});
  const Tensor one = full({1, 1}, 3, float64).requires_grad_();
  (one * one).backward();  // a single element of any shape
  XTAPE_SAME(one.grad(), {6});
  x.backward({.seed = tensor({1, 1}, float64)});  // a leaf itself
  XTAPE_SAME(x.grad(), {21, 401});
  BOOST_CHECK_EXCEPTION((x * x).backward(), GradError, says("the output has shape [2]; a seed"));
  BOOST_CHECK_EXCEPTION((x * x).backward({.seed = tensor({1, 1, 1}, float64)}), ShapeError,
                        says("expected a seed float64 [2], got float64 [3]"));
  BOOST_CHECK_EXCEPTION((x * x).backward({.seed = tensor({1, 1})}), DTypeError,
                        says("expected a seed float64 [2], got float32 [2]"));
}

BOOST_AUTO_TEST_CASE(no_history) {
  const Tensor x = tensor({1}, float64);
  BOOST_CHECK_EXCEPTION(x.backward(), GradError, says("backward: float64 [1] has no recorded"));
  BOOST_CHECK_EXCEPTION((x * 2).backward(), GradError, says("no recorded history"));
  BOOST_CHECK_EXCEPTION(grad({x}, {leaf({1})}), GradError, says("grad: float64 [1] has no"));
  BOOST_CHECK_EXCEPTION(grad({leaf({1})}, {x}), GradError,
                        says("grad: input 0, float64 [1], does not require grad"));
  BOOST_CHECK_EXCEPTION(grad({}, {x}), ValueError, says("at least one output and one input"));
  BOOST_CHECK_EXCEPTION(backward(Tensor()), GradError, says("undefined has no recorded history"));
  const Tensor y = leaf({1});
  BOOST_CHECK_EXCEPTION(grad({y}, {y}, {.grad_outputs = {x, x}}), ValueError,
                        says("expected 1 grad_outputs, got 2"));
}

BOOST_AUTO_TEST_CASE(a_second_backward) {
  const NothingLeft nothing_left;
  const Tensor x = leaf({1, 2});
  const Tensor inner = x * x;
  const Tensor y = sum(inner);
  y.backward({.retain_graph = true});
  y.backward();
  XTAPE_SAME(x.grad(), {4, 8});
  BOOST_CHECK_EXCEPTION(y.backward(), GradError,
                        says("was released by an earlier backward; pass retain_graph = true"));
  BOOST_CHECK_EXCEPTION(grad({y}, {x}), GradError, says("was released by an earlier backward"));
  // Another result of the same part.
  BOOST_CHECK_EXCEPTION(sum(inner * 2).backward(), GradError,
                        says("the graph at mul was released"));
  XTAPE_SAME(x.grad(), {4, 8});
}

BOOST_AUTO_TEST_CASE(a_leaf_of_two_graphs) {
  const NothingLeft nothing_left;
  const Tensor x = leaf({1, 2});
  const Tensor y = sum(x * x), z = sum(x * 3);
  y.backward({.retain_graph = true});
  z.backward();
  y.backward();
  XTAPE_SAME(x.grad(), {7, 11});
}

BOOST_AUTO_TEST_CASE(a_gradient_that_the_user_keeps_is_never_written_again) {
  const Tensor x = leaf({1, 2});
  sum(x * 2).backward();
  const Tensor kept = x.grad();
  sum(x * 5).backward();
  XTAPE_SAME(kept, {2, 2});
  XTAPE_SAME(x.grad(), {7, 7});
  // A seed that goes straight to the leaf is not its gradient's memory either.
  const Tensor w = leaf({1, 2}), seed = tensor({1, 1}, float64);
  w.backward({.seed = seed});
  w.backward({.seed = seed});
  XTAPE_SAME(seed, {1, 1});
  XTAPE_SAME(w.grad(), {2, 2});
  Tensor(w).zero_grad();
  w.backward({.seed = seed});  // clipping may write the gradient, not the seed
  BOOST_TEST(w.grad().data<double>() != seed.data<double>());
  // A view of the gradient is kept as well.
  const Tensor v = leaf({1, 2});
  sum(v * 2).backward();
  const Tensor view = v.grad().reshape({2, 1});
  sum(v * 2).backward();
  XTAPE_SAME(view, {2, 2});
}

BOOST_AUTO_TEST_CASE(gradients_of_values_that_share_one_gradient) {
  // add hands the same gradient to both; neither sum may change the other.
  const Tensor a = leaf({1, 2}), b = leaf({3, 4});
  const Tensor s = a + b;
  sum(s + a * 10).backward();
  XTAPE_SAME(a.grad(), {11, 11});
  XTAPE_SAME(b.grad(), {1, 1});
  const Tensor p = leaf({1, 1}), q = leaf({1, 1}), r = leaf({1, 1});
  const Tensor seed = tensor({1, 2}, float64);
  ((p + q) + (p + r)).backward({.seed = seed});
  XTAPE_SAME(p.grad(), {2, 4});
  XTAPE_SAME(q.grad(), {1, 2});
  XTAPE_SAME(r.grad(), {1, 2});
  XTAPE_SAME(seed, {1, 2});
}

BOOST_AUTO_TEST_CASE(grad_function) {
  const NothingLeft nothing_left;
  const Tensor x = leaf({1, 2}), w = leaf({3, 4}), unused = leaf({5});
  const Tensor h = x * w;
  const Tensor y = sum(h * h);
  const auto g = grad({y}, {h, x, x, w}, {.retain_graph = true});
  XTAPE_SAME(g[0], {6, 16});  // a recorded value
  XTAPE_SAME(g[1], {18, 64});
  XTAPE_SAME(g[2], {18, 64});  // twice the same input
  XTAPE_SAME(g[3], {6, 32});
  BOOST_TEST(!x.grad().defined());  // never touched
  BOOST_TEST(!w.grad().defined());
  // Only what leads to an input is walked.
  XTAPE_SAME(grad({y}, {h}, {.retain_graph = true})[0], {6, 16});
  // Several outputs, seeds, an output that is an input.
  const auto several = grad(
      {y, h}, {x, h},
      {.grad_outputs = {scalar_tensor(2, float64), tensor({1, 1}, float64)}, .retain_graph = true});
  XTAPE_SAME(several[0], {39, 132});
  XTAPE_SAME(several[1], {13, 33});
  XTAPE_SAME(grad({y}, {y}, {.retain_graph = true})[0], {1});
  XTAPE_SAME(grad({sum(x)}, {x}, {.retain_graph = true})[0], {1, 1});
  XTAPE_SAME(grad({unused}, {unused})[0], {1});
  BOOST_CHECK_EXCEPTION(grad({y}, {x, unused}, {.retain_graph = true}), GradError,
                        says("grad: input 1, float64 [1], was not used by the outputs"));
  const auto allowed = grad({y}, {unused, x}, {.allow_unused = true});
  BOOST_TEST(!allowed[0].defined());
  XTAPE_SAME(allowed[1], {18, 64});
}

BOOST_AUTO_TEST_CASE(what_grad_does_not_need_is_left_whole) {
  const Tensor x = leaf({1, 2}), w = leaf({3, 4});
  const Tensor left = x * x, right = w * w;
  const Tensor y = sum(left * right);
  XTAPE_SAME(grad({y}, {x})[0], {18, 64});
  // The branch that did not lead to x can still be walked.
  XTAPE_SAME(grad({sum(right)}, {w})[0], {6, 8});
}

BOOST_AUTO_TEST_CASE(second_order) {
  const NothingLeft nothing_left;
  const Tensor x = leaf({1, 2});
  const Tensor y = sum(x * x * x);
  const Tensor g = grad({y}, {x}, {.create_graph = true})[0];
  XTAPE_SAME(g, {3, 12});
  XTAPE_SAME(grad({sum(g)}, {x}, {.retain_graph = true})[0], {6, 12});
  // A gradient penalty: both orders in one sweep.
  (y + sum(g * g)).backward();
  XTAPE_SAME(x.grad(), {3 + 36, 12 + 288});
}

BOOST_AUTO_TEST_CASE(backward_with_its_own_graph) {
  const Tensor x = leaf({2, 3});
  sum(x * x).backward({.create_graph = true});
  BOOST_TEST(x.grad().requires_grad());
  const Tensor g = x.grad();
  Tensor(x).zero_grad();
  sum(g * g).backward();
  XTAPE_SAME(x.grad(), {16, 24});
  Tensor(x).zero_grad();  // breaks the cycle from leaf to gradient to leaf
}

BOOST_AUTO_TEST_CASE(nested_sweeps) {
  const NothingLeft nothing_left;
  const Tensor x = leaf({1, 2});
  const Tensor y = sum(cube_by_nested_sweep(x) * 2);
  y.backward({.retain_graph = true});
  XTAPE_SAME(x.grad(), {6, 24});
  const Tensor g = grad({y}, {x}, {.create_graph = true})[0];
  XTAPE_SAME(g, {6, 24});
  XTAPE_SAME(grad({sum(g)}, {x})[0], {12, 24});
}

BOOST_AUTO_TEST_CASE(a_nested_sweep_over_nodes_of_the_outer_one) {
  // The closure differentiates a value of the very graph that is being walked.
  static Tensor watched, root;
  static Values inner;
  const Tensor x = leaf({1, 2});
  {
    const Tensor a = x * x;
    watched = a;
    const Tensor b = a * 3;
    Tensor y;
    {
      const NoGrad no_grad;
      y = b * 1;
    }
    root = x;
    record("nested", y, {b}, saves(), [](Backward& t) {
      t.add(0, t.g());
      const NoGrad no_grad;
      inner = elements(grad({sum(watched)}, {root}, {.retain_graph = true}).at(0));
    });
    // Recording is off in the closure, so the sum there must not matter.
    BOOST_CHECK_THROW(sum(y + a).backward({.retain_graph = true}), GradError);
    XTAPE_SAME(grad({sum(a)}, {x}, {.retain_graph = true})[0], {2, 4});
  }
  const Tensor seed = tensor({1, 1}, float64);
  {
    const Tensor a = x * x, b = a * 3;
    watched = a;
    Tensor y;
    {
      const NoGrad no_grad;
      y = b * 1;
    }
    record("nested", y, {b}, saves(seed), [](Backward& t) {
      t.add(0, t.g());
      inner = elements(
          grad({watched}, {root}, {.grad_outputs = {t.saved(0)}, .retain_graph = true}).at(0));
    });
    Tensor(x).zero_grad();
    sum(y + a).backward();
    BOOST_TEST(inner == (Values{2, 4}), boost::test_tools::per_element());
    XTAPE_SAME(x.grad(), {8, 16});
  }
  watched = root = Tensor();
}

BOOST_AUTO_TEST_CASE(another_thread_walking_the_same_graph) {
  static std::atomic<int> stage;
  stage = 0;
  const Tensor x = leaf({1, 2});
  const Tensor shared = x * x;
  Tensor y;
  {
    const NoGrad no_grad;
    y = shared * 1;
  }
  record("slow", y, {shared}, saves(), [](Backward& t) {
    t.add(0, t.g());  // the shared node is in use now
    stage = 1;
    while (stage != 2) std::this_thread::yield();
  });
  const Tensor total = sum(y), other = sum(shared * 2);
  std::thread walker([&] { total.backward({.retain_graph = true}); });
  while (stage != 1) std::this_thread::yield();
  BOOST_CHECK_EXCEPTION(other.backward({.retain_graph = true}), GradError,
                        says("another thread is walking the same graph, at mul"));
  stage = 2;
  walker.join();
  XTAPE_SAME(x.grad(), {2, 4});
  other.backward();  // afterwards it can be walked
  XTAPE_SAME(x.grad(), {6, 12});
}

// The node whose closure runs is in use, too.
BOOST_AUTO_TEST_CASE(another_thread_at_a_closure_that_runs) {
  static std::atomic<int> stage;
  stage = 0;
  const Tensor x = leaf({1, 2});
  Tensor shared;
  {
    const NoGrad no_grad;
    shared = x * 1;
  }
  record("slow", shared, {x}, saves(), [](Backward& t) {
    if (stage == 0) {
      stage = 1;
      while (stage != 2) std::this_thread::yield();
    }
    t.add(0, t.g());
  });
  const Tensor total = sum(shared), other = sum(shared * 2);
  std::thread walker([&] { total.backward({.retain_graph = true}); });
  while (stage != 1) std::this_thread::yield();
  BOOST_CHECK_EXCEPTION(other.backward({.retain_graph = true}), GradError,
                        says("another thread is walking the same graph, at slow"));
  stage = 2;
  walker.join();
  other.backward();
  XTAPE_SAME(x.grad(), {3, 3});
}

BOOST_AUTO_TEST_CASE(an_error_in_a_closure_leaves_the_graph_usable) {
  const NothingLeft nothing_left;
  const Tensor x = leaf({1, 2});
  {
    const Tensor a = x * 2, b = x * 3;
    const Tensor y = sum(fragile(a, b) * a);
    fail = true;
    BOOST_CHECK_EXCEPTION(y.backward({.retain_graph = true}), ValueError, says("broken"));
    BOOST_CHECK_EXCEPTION(grad({y}, {x}, {.retain_graph = true}), ValueError, says("broken"));
    fail = false;
    XTAPE_SAME(grad({y}, {x}, {.retain_graph = true})[0], {20, 40});
    Tensor(x).zero_grad();
    y.backward();
    XTAPE_SAME(x.grad(), {20, 40});
  }
  // Without retain_graph, where nothing but the graph holds the inputs of what fails.
  const auto build = [&x] { return sum(fragile(x * 2 * 2, x * 3 * 3) * 2 * 2); };
  fail = true;
  {
    const Tensor y = build(), z = build();
    BOOST_CHECK_THROW(y.backward(), ValueError);
    BOOST_CHECK_THROW(grad({z}, {x}), ValueError);
  }
  fail = false;
  Tensor(x).zero_grad();
  sum(x * 5).backward();
  XTAPE_SAME(x.grad(), {5, 5});
}

BOOST_AUTO_TEST_CASE(a_hook_may_register_hooks) {
  Tensor x = leaf({1});
  int later = 0;
  x.register_hook([&](const Tensor&) {
    for (int i = 0; i < 9; ++i) x.register_hook([&](const Tensor&) { ++later; });
  });
  (x * 2).sum().backward();
  BOOST_TEST(later == 0);
  (x * 2).sum().backward();
  BOOST_TEST(later == 9);
  XTAPE_SAME(x.grad(), {4});
}

BOOST_AUTO_TEST_CASE(tensor_hooks) {
  const NothingLeft nothing_left;
  const Tensor x = leaf({1, 2});
  {
    const Tensor h = x * 3;
    Values seen;
    h.is_leaf();
    Tensor(h).register_hook([&seen](const Tensor& g) { seen = elements(g); });  // looks
    Tensor(h).register_hook([](const Tensor& g) { return g * 10; });            // replaces
    sum(h * h).backward({.retain_graph = true});
    BOOST_TEST(seen == (Values{6, 12}), boost::test_tools::per_element());
    XTAPE_SAME(x.grad(), {180, 360});
    XTAPE_SAME(grad({sum(h * h)}, {x}, {.retain_graph = true})[0], {180, 360});
    XTAPE_SAME(grad({sum(h * h)}, {h}, {.retain_graph = true})[0], {60, 120});
  }
  const Tensor w = leaf({1, 2});
  int calls = 0;
  Tensor(w).register_hook([&calls](const Tensor& g) {
    ++calls;
    return g * 2;
  });
  sum(w * w + w).backward();  // complete when it is called: once
  BOOST_TEST(calls == 1);
  XTAPE_SAME(w.grad(), {6, 10});
  XTAPE_SAME(grad({sum(w * w)}, {w})[0], {4, 8});  // runs for grad() as well
  BOOST_TEST(calls == 2);
  XTAPE_SAME(w.grad(), {6, 10});
  BOOST_CHECK_EXCEPTION(Tensor(tensor({1})).register_hook([](const Tensor&) {}), GradError,
                        says("does not require grad"));
}

BOOST_AUTO_TEST_CASE(a_gradient_that_a_hook_keeps_is_not_written) {
  const Tensor x = leaf({1, 2});
  const Tensor h = x * 1;
  Tensor kept;
  Tensor(h).register_hook([&kept](const Tensor& g) { kept = g; });
  sum(h * 2 + x * 3).backward();
  sum(x * 7).backward();
  XTAPE_SAME(kept, {2, 2});
  XTAPE_SAME(x.grad(), {12, 12});
}

// A product's gradient is computed in the memory of the one that comes in, unless that is kept.
BOOST_AUTO_TEST_CASE(a_gradient_that_is_kept_is_not_written_by_a_product) {
  const NothingLeft nothing_left;
  const Tensor x = leaf({1, 2}), a = tensor({3, 4}, float64), seed = tensor({10, 100}, float64);
  Tensor y = x * a;
  y.retain_grad();
  Tensor kept;
  y.register_hook([&kept](const Tensor& g) { kept = g; });
  (y + a).backward({.seed = seed, .retain_graph = true});
  XTAPE_SAME(seed, {10, 100});
  XTAPE_SAME(kept, {10, 100});
  XTAPE_SAME(y.grad(), {10, 100});
  XTAPE_SAME(x.grad(), {30, 400});
  sum(y * a * a).backward();  // nobody keeps the one between
  XTAPE_SAME(kept, {9, 16});
  XTAPE_SAME(y.grad(), {9, 16});
  XTAPE_SAME(x.grad(), {57, 464});
}

BOOST_AUTO_TEST_CASE(hooks_after_accumulation) {
  Tensor x = leaf({1, 2});
  std::vector<Values> seen;
  x.register_post_accumulate_grad_hook([&seen](const Tensor& p) {
    seen.push_back(elements(p.grad()));
    Tensor(p).zero_grad();  // a step in the backward pass may drop it at once
  });
  const Tensor y = leaf({5, 5});
  sum(x * x * y + x).backward();
  BOOST_TEST(seen.size() == 1U);
  BOOST_TEST(seen[0] == (Values{11, 21}), boost::test_tools::per_element());
  BOOST_TEST(!x.grad().defined());
  XTAPE_SAME(y.grad(), {1, 4});
  BOOST_CHECK_EXCEPTION((x * 2).register_post_accumulate_grad_hook([](const Tensor&) {}), GradError,
                        says("only a leaf accumulates"));
}

BOOST_AUTO_TEST_CASE(a_step_inside_the_backward_pass) {
  // A weight that is written by its hook while older operations are still to come.
  Tensor a = leaf({2}), b = leaf({3});
  for (Tensor* p : {&a, &b}) {
    p->register_post_accumulate_grad_hook([](const Tensor& leaf) {
      const NoGrad no_grad;
      Tensor(leaf).copy_(leaf - leaf.grad() * 0.5);
    });
  }
  sum(a * 2 * b).backward();
  XTAPE_SAME(a, {2 - 3});
  XTAPE_SAME(b, {3 - 2});
}

BOOST_AUTO_TEST_CASE(retained_gradients) {
  const NothingLeft nothing_left;
  const Tensor x = leaf({1, 2});
  Tensor h = x * 3;
  BOOST_TEST(!h.grad().defined());
  h.retain_grad();
  h.retain_grad();
  sum(h * h).backward({.retain_graph = true});
  XTAPE_SAME(h.grad(), {6, 12});
  sum(h * 2).backward();
  XTAPE_SAME(h.grad(), {2, 2});  // the newest sweep's, as it was handed on
  Tensor(x).retain_grad();       // no effect
  BOOST_CHECK_EXCEPTION(Tensor(tensor({1})).retain_grad(), GradError, says("retain_grad"));
}

BOOST_AUTO_TEST_CASE(a_leaf_dropped_by_the_user) {
  const NothingLeft nothing_left;
  int calls = 0;
  Tensor y;
  {
    Tensor x = leaf({1, 2});
    x.register_post_accumulate_grad_hook([&calls](const Tensor&) { ++calls; });
    y = sum(x + 1);
  }
  y.backward();
  BOOST_TEST(calls == 0);  // there is no value to hand to it
}

BOOST_AUTO_TEST_SUITE_END()
