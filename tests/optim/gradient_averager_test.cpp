// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/memory.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/indexing.hpp>
#include <xtape/autograd/ops/math.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/random.hpp>
#include <xtape/nn/linear.hpp>
#include <xtape/optim/gradient_averager.hpp>
#include <xtape/optim/sgd.hpp>

#include <functional>

#include "../nn/nn_test.hpp"
#include "thread_group.hpp"

namespace {

using namespace xtape;
using optim::GradientAverager;
using optim_test::Board;
using optim_test::on_ranks;
using optim_test::ThreadGroup;

constexpr nn::LinearOptions kFloat64{.dtype = float64};

struct Net : nn::Module {
  nn::Linear a{5, 7, kFloat64}, b{7, 3, kFloat64}, unused{2, 2};
  XTAPE_PARTS(a, b, unused)
  Tensor forward(const Tensor& x) override { return b(tanh(a(x))); }
};

struct Data {
  Tensor x, y;
};
Data data() {
  const GeneratorScope scope({.seed = 3});
  return {randn({4 * 6, 5}, float64), randn({4 * 6, 3}, float64)};
}
Net net(std::uint64_t seed) {
  manual_seed(seed);
  return {};
}

// Loss before each of four steps, with batches of 6 of which each rank has its part.
std::vector<double> train(Net& net, int rank, int ranks, const std::function<void()>& averaged) {
  const Data d = data();
  optim::SGD optimizer(net.parameters(), {.lr = 0.1, .momentum = 0.9});
  std::vector<double> losses;
  const std::int64_t share = 6 / ranks;
  for (std::int64_t step = 0; step < 4; ++step) {
    const std::int64_t first = step * 6 + rank * share;
    optimizer.zero_grad();
    const Tensor loss =
        mean(square(net(narrow(d.x, 0, first, share)) - narrow(d.y, 0, first, share)));
    loss.backward();
    averaged();
    optimizer.step();
    losses.push_back(loss.item<double>());
  }
  return losses;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(optim_gradient_averager)

BOOST_AUTO_TEST_CASE(ranks_train_as_one_process_does) {
  Net alone = net(1);
  const std::vector<double> expected = train(alone, 0, 1, [] {});
  for (const bool overlap : {true, false}) {
    for (const std::int64_t bucket_bytes : {1, 200, 1 << 20}) {
      std::vector<double> losses[3];
      Net nets[] = {net(1), net(2), net(3)};  // rank 0's count
      on_ranks(3, [&](ThreadGroup& group) {
        const auto r = static_cast<std::size_t>(group.rank());
        GradientAverager averager(group, nets[r],
                                  {.bucket_bytes = bucket_bytes, .overlap = overlap});
        losses[r] = train(nets[r], group.rank(), 3, [&] { averager.wait(); });
      });
      for (std::size_t step = 0; step < expected.size(); ++step) {
        const double mean = (losses[0][step] + losses[1][step] + losses[2][step]) / 3;
        BOOST_TEST(mean == expected[step], boost::test_tools::tolerance(1e-13));
      }
      const auto weights = nn_test::values(alone.a.weight);
      for (const Net& n : nets) {
        nn_test::check_values(n.a.weight, weights, 1e-13);
        BOOST_TEST(!n.unused.weight.grad().defined());
      }
      BOOST_TEST(nn_test::values(nets[0].b.weight) == nn_test::values(nets[2].b.weight));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_gradient_that_one_rank_lacks_is_zero_there) {
  Net nets[] = {net(1), net(1)};
  on_ranks(2, [&](ThreadGroup& group) {
    Net& n = nets[group.rank()];
    GradientAverager averager(group, n);
    if (group.rank() == 1) sum(n.unused.weight * 3).backward();
    averager.wait();
  });
  for (const Net& n : nets) {
    nn_test::check_values(n.unused.weight.grad(), {1.5, 1.5, 1.5, 1.5}, 0);
    BOOST_TEST(!n.unused.bias.grad().defined());
  }
}

BOOST_AUTO_TEST_CASE(several_sweeps_add_up_where_nothing_is_sent_early) {
  for (const bool overlap : {true, false}) {
    Net nets[] = {net(1), net(1)};
    std::string texts[2];
    on_ranks(2, [&](ThreadGroup& group) {
      Net& n = nets[group.rank()];
      GradientAverager averager(group, n, {.overlap = overlap});
      try {
        for (int i = 0; i < 2; ++i) sum(n.unused.bias * (1.0 + group.rank())).backward();
      } catch (const GradError& e) {
        texts[group.rank()] = e.what();
      }
      averager.wait();
    });
    for (const std::string& text : texts) {
      BOOST_TEST(text.starts_with("GradientAverager: a second backward before wait()") == overlap);
    }
    if (!overlap) nn_test::check_values(nets[1].unused.bias.grad(), {3, 3}, 0);
  }
}

BOOST_AUTO_TEST_CASE(ends_with_its_life) {
  const std::int64_t nodes = memory::stats().live_nodes;
  {
    Net n = net(1);
    Board board(1);
    ThreadGroup group(board, 0);
    const auto step = [&] { sum(n.unused.bias * 2).backward(); };
    {
      GradientAverager averager(group, n);
      step();
      averager.wait();
    }
    {
      GradientAverager left(group, n, {.bucket_bytes = 1});
      step();
      BOOST_TEST(group.under_way == 1);
    }
    BOOST_TEST(group.under_way == 0);
    n.zero_grad();
    step();
    step();
    step();
    nn_test::check_values(n.unused.bias.grad(), {6, 6}, 0);
  }
  BOOST_TEST(memory::stats().live_nodes == nodes);
}

BOOST_AUTO_TEST_CASE(refuses_empty_buckets) {
  Net n = net(1);
  Board board(1);
  ThreadGroup group(board, 0);
  BOOST_CHECK_THROW(GradientAverager(group, n, {.bucket_bytes = 0}), ValueError);
}

BOOST_AUTO_TEST_SUITE_END()
