// SPDX-License-Identifier: BSD-3-Clause
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <xtape/autograd/anomaly.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/embedding.hpp>
#include <xtape/autograd/ops/indexing.hpp>
#include <xtape/autograd/ops/logic.hpp>
#include <xtape/autograd/ops/math.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/row_gradient.hpp>
#include <xtape/autograd/sweep.hpp>
#include <xtape/optim/adam.hpp>
#include <xtape/optim/sgd.hpp>

#include "expect.hpp"

namespace {

using namespace xtape;

constexpr std::int64_t kRows = 50, kFeatures = 3;

Tensor table(DType dtype = float64) { return randn({kRows, kFeatures}, dtype).requires_grad_(); }
// With rows that occur several times.
Tensor some_rows() { return tensor({7, 3, 7, 49, 0, 3, 7}, int64); }

bool same(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && all(eq(a, b)).item<bool>();
}
bool near(const Tensor& a, const Tensor& b, double tolerance) {
  return a.shape() == b.shape() && all(le(abs(a - b), tolerance * abs(b))).item<bool>();
}
bool holds_rows(const Tensor& w) { return detail::joined_rows(w) != nullptr; }

// What index_select, which knows no rows, makes of the same gradient.
Tensor dense_gradient(const Tensor& w, const Tensor& index, const Tensor& seed) {
  const Tensor other = w.detach().clone().requires_grad_();
  index_select(other, 0, index).backward({.seed = seed});
  return other.grad();
}

struct Case {
  Tensor w = table(), index = some_rows(), seed = randn({7, kFeatures}, float64);
  Tensor expected = dense_gradient(w, index, seed);
  void run() { embedding(index, w).backward({.seed = seed}); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(row_gradient)

BOOST_AUTO_TEST_CASE(grad_is_dense) {
  manual_seed(1);
  Case c;
  c.run();
  BOOST_TEST(holds_rows(c.w));
  BOOST_TEST(same(c.w.grad(), c.expected));
  BOOST_TEST(!holds_rows(c.w));
  BOOST_TEST(same(c.w.grad(), c.expected));
  c.w.zero_grad();
  c.run();
  c.w.zero_grad();
  BOOST_TEST(!c.w.grad().defined());
}

BOOST_AUTO_TEST_CASE(rows_are_joined_once) {
  manual_seed(2);
  Case c;
  c.run();
  const auto* parts = detail::joined_rows(c.w);
  BOOST_REQUIRE(parts);
  const Tensor index = (*parts)[0].index, values = (*parts)[0].values;
  const std::int64_t expected[] = {7, 3, -1, 49, 0, -1, -1};
  for (std::int64_t i = 0; i < 7; ++i) {
    BOOST_TEST(index[i].item<std::int64_t>() == expected[i]);
    if (expected[i] >= 0) BOOST_TEST(same(values[i], c.expected[expected[i]]));
  }
  BOOST_TEST(same(c.w.grad(), c.expected));
}

BOOST_AUTO_TEST_CASE(what_was_given_may_be_overwritten) {
  manual_seed(3);
  Case c;
  c.run();
  c.index.fill_(1);
  c.seed.zero_();
  BOOST_TEST(same(c.w.grad(), c.expected));
}

BOOST_AUTO_TEST_CASE(gradients_are_accumulated) {
  manual_seed(4);
  Case c;
  c.run();
  c.run();
  BOOST_TEST(holds_rows(c.w));
  const Tensor twice = c.w.grad();
  BOOST_TEST(near(twice, 2 * c.expected, 1e-15));
  c.run();  // onto a dense gradient that is held elsewhere, too
  BOOST_TEST(near(c.w.grad(), 3 * c.expected, 1e-15));
  BOOST_TEST(near(twice, 2 * c.expected, 1e-15));
  c.w.zero_grad();
  for (int i = 0; i < 20; ++i) c.run();  // more rows than the table has
  BOOST_TEST(!holds_rows(c.w));
  BOOST_TEST(near(c.w.grad(), 20 * c.expected, 1e-14));
}

BOOST_AUTO_TEST_CASE(rows_and_a_dense_gradient_of_one_leaf) {
  manual_seed(5);
  Case c;
  (sum(embedding(c.index, c.w) * c.seed) + sum(c.w * 2)).backward();
  BOOST_TEST(!holds_rows(c.w));
  BOOST_TEST(near(c.w.grad(), c.expected + 2, 1e-15));
}

BOOST_AUTO_TEST_CASE(hooks_see_a_dense_gradient) {
  manual_seed(6);
  Case c;
  Tensor seen;
  c.w.register_hook([&](const Tensor& g) { seen = g; });
  c.run();
  BOOST_TEST(!holds_rows(c.w));
  BOOST_TEST(same(seen, c.expected));
  BOOST_TEST(same(c.w.grad(), c.expected));
}

BOOST_AUTO_TEST_CASE(grad_and_graphs_of_gradients_are_dense) {
  manual_seed(7);
  Case c;
  const Tensor y = embedding(c.index, c.w);
  BOOST_TEST(
      same(grad({y}, {c.w}, {.grad_outputs = {c.seed}, .retain_graph = true})[0], c.expected));
  BOOST_TEST(!c.w.grad().defined());
  y.backward({.seed = c.seed, .create_graph = true});
  BOOST_TEST(!holds_rows(c.w));
  BOOST_TEST(same(c.w.grad(), c.expected));
}

BOOST_AUTO_TEST_CASE(anomalies_are_found_in_rows) {
  manual_seed(8);
  Case c;
  c.seed[2][1].fill_(NAN);
  const DetectAnomaly guard;
  BOOST_CHECK_THROW(c.run(), Error);
}

BOOST_AUTO_TEST_CASE(another_dtype_drops_the_gradient) {
  manual_seed(9);
  Case c;
  c.run();
  c.w.set_data(c.w.detach().to(float32));
  BOOST_TEST(!c.w.grad().defined());
}

BOOST_AUTO_TEST_CASE(sgd_steps_rows_as_it_steps_all) {
  manual_seed(10);
  for (const DType dtype : {float32, float64}) {
    for (const bool maximize : {false, true}) {
      // Numbers and a rate whose products are exact.
      const Tensor start = randint(-8, 8, {kRows, kFeatures}).to(dtype);
      Tensor w = start.clone().requires_grad_(), v = start.clone().requires_grad_();
      optim::SGD rows({w}, {.lr = 0.25, .maximize = maximize});
      optim::SGD all({v}, {.lr = 0.25, .maximize = maximize});
      for (int i = 0; i < 3; ++i) {
        const Tensor index = remainder(some_rows(), 10 + i);
        const Tensor seed = randint(-8, 8, {7, kFeatures}).to(dtype);
        rows.zero_grad();
        all.zero_grad();
        for (int twice = 0; twice < 2; ++twice) {
          embedding(index, w).backward({.seed = seed});
          index_select(v, 0, index).backward({.seed = seed});
        }
        rows.step();
        BOOST_TEST(holds_rows(w));
        all.step();
        BOOST_TEST(same(w, v));
        BOOST_TEST(same(w.grad(), v.grad()));
      }
      BOOST_TEST(rows.state().size() == all.state().size());
    }
  }
}

BOOST_AUTO_TEST_CASE(a_step_raises_the_version) {
  Case c;
  optim::SGD optimizer({c.w}, {.lr = 0.1});
  const Tensor y = sum(c.w * c.w);
  c.run();
  optimizer.step();
  BOOST_CHECK_THROW(y.backward(), GradError);
}

BOOST_AUTO_TEST_CASE(other_steps_take_a_dense_gradient) {
  manual_seed(11);
  const auto check = [](auto make) {
    Case c;
    Tensor v = c.w.detach().clone().requires_grad_();
    auto rows = make(c.w), all = make(v);
    c.run();
    v.set_grad(c.expected);
    rows.step();
    all.step();
    BOOST_TEST(same(c.w, v));
  };
  check([](const Tensor& p) { return optim::SGD({p}, {.lr = 0.1, .momentum = 0.9}); });
  check([](const Tensor& p) { return optim::SGD({p}, {.lr = 0.1, .weight_decay = 0.5}); });
  check([](const Tensor& p) { return optim::Adam({p}, {.lr = 0.1}); });
}

BOOST_AUTO_TEST_SUITE_END()
