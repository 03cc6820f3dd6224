// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/anomaly.hpp>
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/indexing.hpp>
#include <xtape/autograd/ops/math.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/random.hpp>
#include <xtape/autograd/tape.hpp>
#include <xtape/data/csv.hpp>
#include <xtape/data/loader.hpp>
#include <xtape/nn/dropout.hpp>
#include <xtape/nn/linear.hpp>
#include <xtape/nn/losses_regression.hpp>
#include <xtape/optim/callbacks_watching.hpp>
#include <xtape/optim/checkpoint.hpp>
#include <xtape/optim/sgd.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>
#include <map>

#include "../data/files.hpp"
#include "../nn/nn_test.hpp"

namespace {

using namespace xtape;
using nn_test::says;

nn::Linear seeded_net() {
  manual_seed(1);
  return {2, 1};
}

struct Run {
  nn::Linear net = seeded_net();
  optim::SGD optimizer{net.parameters(), {.lr = 0.05}};
  data::DataLoader train{data::TensorDataset(randn({12, 2}), randn({12, 1})), {.batch_size = 4}};
  optim::Trainer trainer{net, nn::MSELoss(), optimizer};
};

std::string text_of(const std::string& path) {
  const ::test::Bytes bytes = ::test::read_bytes(path);
  return {bytes.begin(), bytes.end()};
}

// Ends a fit after so many epochs as a kill would: nothing runs after it.
struct Killed : std::runtime_error {
  Killed() : std::runtime_error("killed") {}
};
struct Kill final : optim::Callback {
  std::int64_t epoch, batch;
  Kill(std::int64_t e, std::int64_t b) : epoch(e), batch(b) {}
  void on_batch_end(optim::FitState& s) override {
    if (s.epoch == epoch && s.batch == batch) throw Killed();
  }
};

// Parts whose names a table has to quote.
struct NamedNet : nn::Module {
  std::map<std::string, nn::Linear> heads;
  XTAPE_PARTS(heads)
  NamedNet() {
    for (const char* name : {"a,b", "say \"hi\"", "two\nlines", " blank"}) {
      heads.emplace(name, nn::Linear(2, 1));
    }
  }
  Tensor forward(const Tensor& x) override {
    Tensor y = zeros({x.size(0), 1});
    for (auto& [name, head] : heads) y = y + head(x);
    return y;
  }
};

// log of the inputs' weighted sum: NaN where it is negative.
struct LogNet : nn::Module {
  nn::Linear linear{2, 1};
  nn::Dropout drop{0.5};
  XTAPE_PARTS(linear, drop)
  Tensor forward(const Tensor& x) override { return log(linear(drop(x))); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(optim_callbacks_watching)

BOOST_AUTO_TEST_CASE(models_are_kept) {
  const ::test::Folder folder;
  const std::string last = folder / "last.safetensors", best = folder / "best.safetensors";
  Run run;
  optim::ModelCheckpoint keep({.last = last, .best = best});
  optim::History history;
  optim::FitState state{run.net, run.optimizer, run.train, history, 100};
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double figure : {nan, 3.0, 1.0, 2.0, 1.0, nan}) {
    {
      const NoGrad no_grad;
      run.net.weight.fill_(static_cast<double>(++state.epoch));
    }
    history.epochs.push_back({{"val_loss", figure}});
    keep.on_epoch_end(state);
  }
  BOOST_TEST(keep.best_epoch() == 3);
  nn::Linear found(2, 1);
  optim::load_model(found, last);
  BOOST_TEST(nn_test::values(found.weight) == (std::vector<double>{6, 6}));
  optim::load_model(found, best);
  BOOST_TEST(nn_test::values(found.weight) == (std::vector<double>{3, 3}));

  // One taken up again knows what was best.
  optim::ModelCheckpoint again({.best = best});
  again.load_state(keep.state());
  history.epochs.push_back({{"val_loss", 1.5}});
  ++state.epoch;
  again.on_epoch_end(state);
  BOOST_TEST(again.best_epoch() == 3);
  BOOST_CHECK_EXCEPTION(again.load_state({{"best", 1}}), ValueError, says("its best_epoch"));
  BOOST_CHECK_THROW(optim::ModelCheckpoint({}), ValueError);

  optim::ModelCheckpoint greatest(
      {.best = best, .monitor = "accuracy", .mode = optim::PlateauMode::max});
  for (const double figure : {0.1, 0.5, 0.4}) {
    ++state.epoch;
    history.epochs.push_back({{"accuracy", figure}});
    greatest.on_epoch_end(state);
  }
  BOOST_TEST(greatest.best_epoch() == state.epoch - 1);
}

BOOST_AUTO_TEST_CASE(tensor_board_gets_the_history) {
  const ::test::Folder folder;
  Run run;
  optim::TensorBoard plain(folder / "plain"), full(folder / "full", {.histograms = true});
  run.trainer.fit(run.train, {.epochs = 2, .callbacks = {&plain, &full}});
  const std::string scalars = text_of(plain.path()), all = text_of(full.path());
  const auto count = [](const std::string& text, const std::string& part) {
    int found = 0;
    for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
    return found;
  };
  BOOST_TEST(count(scalars, "\x0a\x04loss") == 2);  // field 1, four letters
  BOOST_TEST(count(scalars, "\x0a\x02lr") == 2);
  BOOST_TEST(count(scalars, "weight") == 0);
  for (const char* tag : {"weights/weight", "weights/bias", "gradients/weight"}) {
    BOOST_TEST(count(all, tag) == 2);
  }
  BOOST_TEST(count(all, "\x0a\x04loss") == 2);
}

BOOST_AUTO_TEST_CASE(statistics_of_weights_and_gradients) {
  const ::test::Folder folder;
  const std::string path = folder / "weights.csv";
  Run run;
  struct Last final : optim::Callback {
    std::vector<double> weight, grad;
    void on_backward(optim::FitState& s, const data::Batch&, const Tensor&) override {
      weight = nn_test::values(s.model.parameters()[0]);
      grad = nn_test::values(s.model.parameters()[0].grad());
    }
  } seen;
  optim::WeightStatistics statistics(path);
  run.trainer.fit(run.train, {.epochs = 3, .callbacks = {&seen, &statistics}});
  const data::Table table = data::read_csv(path);
  BOOST_TEST(table.rows() == 6);
  BOOST_TEST(table.texts("parameter")[4] == "weight");
  BOOST_TEST(table.numbers("epoch")[4] == 3);
  const auto check = [&](const std::string& what, const std::vector<double>& x) {
    const double mean = (x[0] + x[1]) / 2;
    BOOST_TEST(std::abs(table.numbers(what + "_mean")[4] - mean) < 1e-12);
    BOOST_TEST(std::abs(table.numbers(what + "_std")[4] - std::abs(x[0] - mean)) < 1e-12);
    BOOST_TEST(std::abs(table.numbers(what + "_norm")[4] - std::hypot(x[0], x[1])) < 1e-12);
  };
  check("weight", seen.weight);
  check("grad", seen.grad);
}

BOOST_AUTO_TEST_CASE(statistics_of_what_is_not_finite_are_numbers) {
  const ::test::Folder folder;
  const std::string path = folder / "weights.csv";
  Run run;
  {
    const NoGrad no_grad;
    run.net.weight.fill_(std::numeric_limits<double>::infinity());
  }
  optim::WeightStatistics statistics(path);
  run.trainer.fit(run.train, {.callbacks = {&statistics}});
  const data::Table table = data::read_csv(path);
  BOOST_TEST(table.texts("parameter")[0] == "weight");
  for (const char* norm : {"weight_norm", "grad_norm"}) {
    BOOST_TEST(!std::isfinite(table.numbers(norm)[0]));
  }
  for (const char* name : {"weight_mean", "weight_std", "grad_mean", "grad_std"}) {
    BOOST_TEST(table.numbers(name).size() == 2u);
  }
}

BOOST_AUTO_TEST_CASE(a_resumed_fit_leaves_the_same_statistics) {
  const ::test::Folder folder;
  const auto fit = [&](const std::string& name, optim::Callback* kill, bool resume) {
    Run run;
    optim::WeightStatistics statistics(folder / (name + ".csv"));
    optim::FitOptions options{.epochs = 4,
                              .callbacks = {&statistics},
                              .checkpoint = folder / (name + ".safetensors"),
                              .resume = resume};
    if (kill) options.callbacks.push_back(kill);
    run.trainer.fit(run.train, options);
  };
  fit("whole", nullptr, false);
  Kill kill(3, 2);
  BOOST_CHECK_THROW(fit("killed", &kill, false), Killed);
  BOOST_TEST(text_of(folder / "killed.csv") != text_of(folder / "whole.csv"));
  fit("killed", nullptr, true);
  BOOST_TEST(text_of(folder / "killed.csv") == text_of(folder / "whole.csv"));
  ::test::write_bytes(folder / "killed.csv", {'a', '\n'});
  BOOST_CHECK_EXCEPTION(fit("killed", nullptr, true), FileError,
                        says("not a table of weight statistics"));
}

BOOST_AUTO_TEST_CASE(any_name_is_read_back) {
  const ::test::Folder folder;
  const std::string path = folder / "weights.csv";
  manual_seed(1);
  NamedNet net;
  optim::SGD optimizer(net.parameters(), {.lr = 0.05});
  data::DataLoader train(data::TensorDataset(randn({4, 2}), randn({4, 1})));
  for (const std::int64_t epochs : {1, 2}) {  // the second goes on with the first one's rows
    optim::WeightStatistics statistics(path);
    optim::Trainer(net, nn::MSELoss(), optimizer)
        .fit(train, {.epochs = epochs,
                     .callbacks = {&statistics},
                     .checkpoint = folder / "fit.safetensors",
                     .resume = epochs == 2});
  }
  const data::Table table = data::read_csv(path);
  const auto named = net.named_parameters();
  BOOST_REQUIRE_EQUAL(named.size(), 8u);
  BOOST_REQUIRE_EQUAL(table.rows(), 16);
  for (std::size_t i = 0; i < 16; ++i) {
    BOOST_TEST(table.numbers("epoch")[i] == (i < 8 ? 1 : 2));
    BOOST_TEST(table.texts("parameter")[i] == named[i % 8].first);
  }
}

BOOST_AUTO_TEST_CASE(nan_names_the_operation_and_spares_the_parameters) {
  manual_seed(3);
  LogNet net;
  {
    const NoGrad no_grad;
    net.linear.weight.fill_(1);
    net.linear.bias.fill_(0.5);
  }
  optim::SGD optimizer(net.parameters(), {.lr = 1e-3});
  // The third batch alone has a negative sum, where dropout leaves it in.
  Tensor x = ones({12, 2});
  narrow(x, 0, 8, 4).fill_(-100);
  data::DataLoader train(data::TensorDataset(x, ones({12, 1})), {.batch_size = 4});
  optim::Trainer trainer(net, nn::MSELoss(), optimizer);
  struct Before final : optim::Callback {
    std::vector<double> weight;
    void on_batch_begin(optim::FitState& s) override {
      weight = nn_test::values(s.model.parameters()[0]);
    }
  } before;
  optim::StopOnNaN stop{nn::MSELoss()};
  BOOST_CHECK_EXCEPTION(trainer.fit(train, {.epochs = 1, .callbacks = {&before, &stop}}),
                        AnomalyError, [](const AnomalyError& error) {
                          return says("StopOnNaN: epoch 1, batch 3: the loss is")(error) &&
                                 says("log")(error) && says("LogNet")(error);
                        });
  BOOST_TEST(nn_test::values(net.linear.weight) == before.weight);
}

BOOST_AUTO_TEST_CASE(inf_in_a_gradient_alone) {
  Run run;
  struct Spoil final : optim::Callback {
    void on_backward(optim::FitState& s, const data::Batch&, const Tensor&) override {
      s.model.parameters()[1].grad().fill_(std::numeric_limits<double>::infinity());
    }
  } spoil;
  optim::StopOnNaN stop{nn::MSELoss()};
  BOOST_CHECK_EXCEPTION(
      run.trainer.fit(run.train, {.epochs = 1, .callbacks = {&spoil, &stop}}), AnomalyError,
      says("batch 1: the gradient of bias is not finite; computed once more it is finite"));
}

BOOST_AUTO_TEST_CASE(without_nan_nothing_changes) {
  const auto weights = [](bool watched) {
    Run run;
    optim::StopOnNaN stop{nn::MSELoss()};
    optim::FitOptions options{.epochs = 2};
    if (watched) options.callbacks.push_back(&stop);
    run.trainer.fit(run.train, options);
    return nn_test::values(run.net.weight);
  };
  BOOST_TEST(weights(true) == weights(false));
}

BOOST_AUTO_TEST_SUITE_END()
