// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/activations.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/logic.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/random.hpp>
#include <xtape/data/loader.hpp>
#include <xtape/nn/dropout.hpp>
#include <xtape/nn/linear.hpp>
#include <xtape/nn/losses_classes.hpp>
#include <xtape/optim/adam.hpp>
#include <xtape/optim/lbfgs.hpp>
#include <xtape/optim/schedule_factor.hpp>
#include <xtape/optim/trainer.hpp>

#include <boost/test/unit_test.hpp>

#include "../data/files.hpp"
#include "../nn/nn_test.hpp"
#include "thread_group.hpp"

namespace {

using namespace xtape;
using nn_test::says;

struct Net : nn::Module {
  nn::Linear a{2, 16}, b{16, 2};
  nn::Dropout drop{0.2};
  XTAPE_PARTS(a, b, drop)
  Tensor forward(const Tensor& x) override { return b(drop(relu(a(x)))); }
};

// Two classes on the sides of a line.
data::TensorDataset samples(std::uint64_t seed, std::int64_t count) {
  const GeneratorScope scope({.seed = seed});
  const Tensor x = randn({count, 2});
  return data::TensorDataset(x, gt(x.sum({1}), zeros({count})).to(int64));
}

struct StepEachEpoch : optim::Callback {
  explicit StepEachEpoch(optim::Schedule& s) : followed(s) {}
  void on_epoch_end(optim::FitState&) override { followed.step(); }
  optim::Schedule* schedule() override { return &followed; }
  optim::Schedule& followed;
};

struct StopAt : optim::Callback {
  explicit StopAt(std::int64_t s) : step(s) {}
  void on_batch_end(optim::FitState& state) override { state.stop = state.step == step; }
  std::int64_t step;
};

// What a whole program of a run makes anew.
struct Run {
  Net net;
  optim::Adam optimizer{net.parameters(), {.lr = 0.02}};
  optim::StepLR decay{optimizer, 2, 0.5};
  StepEachEpoch follow{decay};
  data::DataLoader train{samples(1, 100), {.batch_size = 8, .shuffle = true, .seed = 3}};
  data::DataLoader validation{samples(2, 50), {.batch_size = 16}};
  optim::Trainer trainer{net, nn::CrossEntropyLoss(), optimizer, {optim::Accuracy()}};
};

std::vector<double> numbers(const nn::Module& m) {
  std::vector<double> found;
  for (const Tensor& p : m.parameters()) {
    for (const double v : nn_test::values(p)) found.push_back(v);
  }
  return found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(optim_trainer)

BOOST_AUTO_TEST_CASE(learns_and_keeps_figures) {
  manual_seed(1);
  Run run;
  const optim::History history =
      run.trainer.fit(run.train, {.epochs = 8, .validation = &run.validation});
  BOOST_REQUIRE(history.epochs.size() == 8u);
  const char* names[] = {"loss", "accuracy", "lr", "val_loss", "val_accuracy"};
  for (std::size_t i = 0; i < 5; ++i) BOOST_TEST(history.epochs[0][i].first == names[i]);
  BOOST_TEST(history.last("loss") < 0.5 * history.column("loss")[0]);
  BOOST_TEST(history.last("val_accuracy") > 0.9);
  BOOST_CHECK_EXCEPTION(history.last("f1"), ValueError, says("no 'f1' among: loss, accuracy"));
  const auto figures = run.trainer.evaluate(run.validation);
  BOOST_TEST(figures[0].second == history.last("val_loss"));  // no dropout, and the same order
  BOOST_TEST(figures[1].second == history.last("val_accuracy"));
}

// The loop that a researcher writes computes the same.
BOOST_AUTO_TEST_CASE(equals_a_plain_loop) {
  manual_seed(1);
  Run a;
  const optim::History history = a.trainer.fit(a.train, {.epochs = 2});
  manual_seed(1);
  Run b;
  for (int epoch = 0; epoch < 2; ++epoch) {
    for (const auto& [x, y] : b.train) {
      b.optimizer.zero_grad();
      nn::cross_entropy(b.net(x), y).backward();
      b.optimizer.step();
    }
  }
  BOOST_TEST(numbers(a.net) == numbers(b.net), boost::test_tools::per_element());
}

// An uneven last batch counts by its samples.
BOOST_AUTO_TEST_CASE(evaluates_and_predicts) {
  manual_seed(1);
  Run run;
  data::DataLoader whole(samples(2, 50), {.batch_size = 50});
  const auto parts = run.trainer.evaluate(run.validation), all = run.trainer.evaluate(whole);
  BOOST_TEST(std::abs(parts[0].second - all[0].second) < 1e-6);
  BOOST_TEST(parts[1].second == all[1].second);
  BOOST_TEST(run.net.is_training());
  run.net.drop.eval();
  const Tensor y = run.trainer.predict(run.validation);
  BOOST_TEST((y.shape() == Shape{50, 2}));
  BOOST_TEST(!y.requires_grad());
  BOOST_TEST(run.net.is_training());
  BOOST_TEST(!run.net.drop.is_training());  // each part has its own mode again
  const Tensor again = run.trainer.predict(whole);
  nn_test::check_values(y, nn_test::values(again), 1e-6);
  BOOST_CHECK_EXCEPTION(run.trainer.predict(run.train), ValueError, says("in order"));
  data::DataLoader sampled(samples(2, 50),
                           {.batch_size = 16, .sampler = Shared<data::RandomSampler>::make(50)});
  BOOST_CHECK_EXCEPTION(run.trainer.predict(sampled), ValueError, says("in order"));
}

// A loader stays where it stands, in the middle of its epoch too, and so do the epoch's metrics.
BOOST_AUTO_TEST_CASE(evaluating_leaves_the_training_alone) {
  struct Evaluate : optim::Callback {
    explicit Evaluate(Run& r) : run(r) {}
    void on_backward(optim::FitState& state, const data::Batch& batch, const Tensor&) override {
      if (state.batch == 1) firsts.push_back(nn_test::values(batch.x));
    }
    void on_batch_end(optim::FitState& state) override {
      if (within && state.batch == 5) run.trainer.evaluate(run.train);
    }
    void on_epoch_end(optim::FitState&) override {
      if (within) run.trainer.predict(run.validation);
    }
    Run& run;
    bool within = false;
    std::vector<std::vector<double>> firsts;
  };
  std::vector<std::vector<double>> firsts[3], columns[3];
  for (std::size_t i = 0; i < 3; ++i) {
    manual_seed(1);
    Run run;
    Evaluate evaluate(run);
    evaluate.within = i == 2;
    const optim::History history = run.trainer.fit(
        run.train,
        {.epochs = 3, .validation = i == 0 ? nullptr : &run.train, .callbacks = {&evaluate}});
    firsts[i] = evaluate.firsts;
    for (const char* name : {"loss", "accuracy"}) columns[i].push_back(history.column(name));
    BOOST_TEST((run.train.position() == data::LoaderPosition{3, 0}));
    BOOST_TEST((run.validation.position() == data::LoaderPosition{}));
  }
  BOOST_TEST((firsts[1][1] != firsts[1][0]));
  BOOST_TEST((firsts[1][2] != firsts[1][1]));
  for (const std::size_t i : {1u, 2u}) {
    BOOST_TEST((firsts[i] == firsts[0]));
    BOOST_TEST((columns[i] == columns[0]));
  }
}

BOOST_AUTO_TEST_CASE(a_fit_that_was_left_goes_on_bit_for_bit) {
  const ::test::Folder folder;
  manual_seed(1);
  Run whole;
  const optim::History expected = whole.trainer.fit(
      whole.train, {.epochs = 5, .validation = &whole.validation, .callbacks = {&whole.follow}});
  for (const std::int64_t step : {3, 13, 30, 64}) {  // 13 steps an epoch
    const std::string path = folder / ("run" + std::to_string(step));
    {
      manual_seed(1);
      Run left;
      StopAt stop(step);
      left.trainer.fit(left.train, {.epochs = 5,
                                    .validation = &left.validation,
                                    .callbacks = {&left.follow, &stop},
                                    .checkpoint = path});
    }
    manual_seed(step <= 13 ? 1 : 77);  // left before the first checkpoint, it starts anew
    Run resumed;
    const optim::History history =
        resumed.trainer.fit(resumed.train, {.epochs = 5,
                                            .validation = &resumed.validation,
                                            .callbacks = {&resumed.follow},
                                            .checkpoint = path,
                                            .resume = true});
    BOOST_TEST(numbers(resumed.net) == numbers(whole.net), boost::test_tools::per_element());
    BOOST_TEST((history.epochs == expected.epochs));
  }
}

BOOST_AUTO_TEST_CASE(optimizers_that_evaluate_several_times) {
  manual_seed(1);
  nn::Linear net(2, 2);
  optim::LBFGS optimizer(net.parameters(), {.max_iter = 5});
  optim::Trainer trainer(net, nn::CrossEntropyLoss(), optimizer);
  data::DataLoader all(samples(1, 100), {.batch_size = 100});
  BOOST_TEST(trainer.fit(all, {.epochs = 4}).last("loss") < 0.1);
}

BOOST_AUTO_TEST_CASE(what_does_not_fit) {
  manual_seed(1);
  Run run;
  const auto fit = [&](const optim::FitOptions& o) { run.trainer.fit(run.train, o); };
  BOOST_CHECK_EXCEPTION(fit({.epochs = -1}), ValueError, says("at least 0, got -1"));
  BOOST_CHECK_EXCEPTION(fit({.resume = true}), ValueError, says("name the checkpoint"));
  StepEachEpoch second(run.decay);
  BOOST_CHECK_EXCEPTION(fit({.callbacks = {&run.follow, &second}, .checkpoint = "x"}), ValueError,
                        says("one schedule, got two"));
  data::DataLoader none(samples(1, 3), {.batch_size = 8, .drop_last = true});
  BOOST_CHECK_EXCEPTION(run.trainer.fit(none), ValueError, says("the loader has no batch"));
  const auto twice = [&] {
    optim::Trainer(run.net, nn::CrossEntropyLoss(), run.optimizer,
                   {optim::Accuracy(), optim::BinaryAccuracy()});
  };
  BOOST_CHECK_EXCEPTION(twice(), ValueError, says("two figures are called accuracy"));
}

// One of `ranks` that train together, or alone.
struct Rank {
  Rank(int rank, int ranks)
      : train(samples(1, 100), {.batch_size = 8 / ranks,
                                .sampler = Shared<data::DistributedSampler>::make(
                                    data::RandomSampler(100, {.seed = 3}), rank, ranks)}) {}
  nn::Linear net{2, 2};
  optim::Adam optimizer{net.parameters(), {.lr = 0.02}};
  data::DataLoader train;
  data::DataLoader validation{samples(2, 50), {.batch_size = 16}};
  optim::Trainer trainer{net, nn::CrossEntropyLoss(), optimizer, {optim::Accuracy()}};
};

BOOST_AUTO_TEST_CASE(a_group_trains_as_one_process_with_the_batches_put_together) {
  manual_seed(1);
  Rank alone(0, 1);
  const auto expected =
      alone.trainer.fit(alone.train, {.epochs = 4, .validation = &alone.validation});
  ::test::Folder folder;
  const std::string checkpoint = folder / "checkpoint";
  for (const std::int64_t epochs : {2, 4}) {  // the second time it goes on from the checkpoint
    optim::History histories[2];
    std::vector<double> weights[2];
    optim_test::on_ranks(2, [&](optim_test::ThreadGroup& group) {
      manual_seed(1 + static_cast<std::uint64_t>(group.rank()));
      Rank rank(group.rank(), 2);
      histories[group.rank()] = rank.trainer.fit(rank.train, {.epochs = epochs,
                                                              .validation = &rank.validation,
                                                              .checkpoint = checkpoint,
                                                              .resume = epochs == 4,
                                                              .group = &group});
      weights[group.rank()] = numbers(rank.net);
    });
    for (const char* name : {"loss", "accuracy", "val_loss", "val_accuracy"}) {
      const auto first = histories[0].column(name), second = histories[1].column(name);
      BOOST_TEST(first == second);
      for (std::size_t e = 0; e < first.size(); ++e) {
        BOOST_TEST(std::abs(first[e] - expected.column(name)[e]) < 1e-5);
      }
    }
    BOOST_TEST(weights[0] == weights[1]);
    if (epochs < 4) continue;
    const auto all = numbers(alone.net);
    for (std::size_t i = 0; i < all.size(); ++i)
      BOOST_TEST(std::abs(weights[0][i] - all[i]) < 1e-5);
  }
}

BOOST_AUTO_TEST_CASE(what_stops_one_rank_stops_all) {
  std::int64_t steps[2] = {};
  optim_test::on_ranks(2, [&](optim_test::ThreadGroup& group) {
    Rank rank(group.rank(), 2);
    struct Count : optim::Callback {
      void on_batch_end(optim::FitState& state) override { steps = state.step; }
      std::int64_t steps = 0;
    } count;
    StopAt stop(group.rank() == 1 ? 5 : -1);
    rank.trainer.fit(rank.train, {.epochs = 3, .callbacks = {&count, &stop}, .group = &group});
    steps[group.rank()] = count.steps;
  });
  BOOST_TEST(steps[0] == 5);
  BOOST_TEST(steps[1] == 5);
}

BOOST_AUTO_TEST_SUITE_END()
