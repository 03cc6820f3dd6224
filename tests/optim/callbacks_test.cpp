// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/random.hpp>
#include <xtape/data/csv.hpp>
#include <xtape/data/loader.hpp>
#include <xtape/nn/linear.hpp>
#include <xtape/nn/losses_regression.hpp>
#include <xtape/optim/callbacks.hpp>
#include <xtape/optim/schedule_factor.hpp>
#include <xtape/optim/sgd.hpp>

#include <boost/test/unit_test.hpp>

#include <limits>

#include "../data/files.hpp"
#include "../nn/nn_test.hpp"

namespace {

using namespace xtape;
using nn_test::says;

struct Run {
  nn::Linear net{2, 1};
  optim::SGD optimizer{net.parameters(), {.lr = 0.05}};
  data::DataLoader train{data::TensorDataset(randn({12, 2}), randn({12, 1})),
                         {.batch_size = 4, .shuffle = true}};
  optim::Trainer trainer{net, nn::MSELoss(), optimizer};
};

// The weight after each epoch.
struct Weights : optim::Callback {
  void on_epoch_end(optim::FitState& state) override {
    seen.push_back(nn_test::values(state.model.parameters()[0]));
  }
  std::vector<std::vector<double>> seen;
};

std::string text_of(const std::string& path) {
  const ::test::Bytes bytes = ::test::read_bytes(path);
  return {bytes.begin(), bytes.end()};
}

// Feeds a callback with figures, without training.
std::int64_t epochs_borne(optim::EarlyStopping& stopping, const std::vector<double>& figures) {
  Run run;
  optim::History history;
  optim::FitState state{run.net, run.optimizer, run.train, history, 100};
  for (const double x : figures) {
    history.epochs.push_back({{"val_loss", x}});
    ++state.epoch;
    stopping.on_epoch_end(state);
    if (state.stop) break;
  }
  return state.epoch;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(optim_callbacks)

BOOST_AUTO_TEST_CASE(early_stopping_counts) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  optim::EarlyStopping a({.patience = 1}), b({.patience = 1, .min_delta = 0.5}),
      c({.mode = optim::PlateauMode::max}), d({.patience = 2});
  BOOST_TEST(epochs_borne(a, {5, 4, 4, 3, 3, 3, 1}) == 6);
  BOOST_TEST(a.best_epoch() == 4);
  BOOST_TEST(a.best() == 3);
  BOOST_TEST(epochs_borne(b, {5, 4.75, 4.6, 1}) == 3);
  BOOST_TEST(epochs_borne(c, {1, 2, 3, 2, 9}) == 4);
  BOOST_TEST(epochs_borne(d, {nan, 7, nan, nan, nan, 1}) == 5);
  BOOST_TEST(d.best_epoch() == 2);
  BOOST_CHECK_THROW(optim::EarlyStopping({.patience = -1}), ValueError);
}

BOOST_AUTO_TEST_CASE(early_stopping_restores_the_best) {
  for (const bool to_file : {false, true}) {
    const ::test::Folder folder;
    manual_seed(1);
    Run run;
    // The loss falls: with the largest as the best, the first epoch is it.
    optim::EarlyStopping stopping({.monitor = "loss",
                                   .mode = optim::PlateauMode::max,
                                   .patience = 2,
                                   .best = to_file ? folder / "best" : ""});
    Weights weights;
    run.trainer.fit(run.train, {.epochs = 9, .callbacks = {&stopping, &weights}});
    BOOST_REQUIRE(stopping.best_epoch() > 0);
    BOOST_REQUIRE(weights.seen.size() == static_cast<std::size_t>(stopping.best_epoch()) + 3);
    const auto& best = weights.seen[static_cast<std::size_t>(stopping.best_epoch()) - 1];
    BOOST_TEST(nn_test::values(run.net.parameters()[0]) == best, boost::test_tools::per_element());
    BOOST_TEST((best != weights.seen.back()));
  }
}

// Killed after two of six epochs: the same table, stop and model.
BOOST_AUTO_TEST_CASE(all_resume) {
  const ::test::Folder folder;
  const auto fit = [&](Run& run, std::int64_t epochs, const std::string& name) {
    optim::StepLR decay(run.optimizer, 2);
    optim::FollowSchedule follow(decay);
    optim::EarlyStopping stopping(
        {.monitor = "loss", .patience = 3, .best = folder / (name + ".best")});
    optim::CSVLog log(folder / (name + ".csv"));
    return run.trainer.fit(run.train, {.epochs = epochs,
                                       .callbacks = {&follow, &stopping, &log},
                                       .checkpoint = folder / name,
                                       .resume = true});
  };
  manual_seed(1);
  Run whole;
  const optim::History history = fit(whole, 6, "whole");
  BOOST_TEST(history.column("lr")[1] == 0.05);
  BOOST_TEST(std::abs(history.column("lr")[2] - 0.005) < 1e-15);
  for (const std::int64_t epochs : {2, 6}) {
    manual_seed(1);
    Run parts;
    fit(parts, epochs, "parts");
    if (epochs == 6) {
      BOOST_TEST(
          nn_test::values(parts.net.parameters()[0]) == nn_test::values(whole.net.parameters()[0]),
          boost::test_tools::per_element());
    }
  }
  const std::string table = text_of(folder / "whole.csv");
  BOOST_TEST(table.starts_with("epoch,loss,lr\n1,"));
  BOOST_TEST(text_of(folder / "parts.csv") == table);

  manual_seed(1);
  Run other;
  optim::StepLR decay(other.optimizer, 2);
  optim::FollowSchedule follow(decay);
  optim::EarlyStopping stopping({.monitor = "loss"});
  BOOST_CHECK_EXCEPTION(other.trainer.fit(other.train, {.callbacks = {&follow, &stopping},
                                                        .checkpoint = folder / "parts",
                                                        .resume = true}),
                        ValueError, says("to resume and restore the best, name a file"));
}

BOOST_AUTO_TEST_CASE(a_log_of_any_names_is_read_back) {
  struct Named final : optim::Metric {
    std::string name() const override { return "error, \"relative\""; }
    Owned<optim::Metric> clone() const override { return Owned<Named>::make(*this); }
    void add(const Tensor&, const Tensor&) override {}
    double result() const override { return 0.25; }
    void clear() override {}
  };
  const ::test::Folder folder;
  Run run;
  optim::CSVLog log(folder / "log.csv");
  optim::Trainer trainer(run.net, nn::MSELoss(), run.optimizer, Named());
  trainer.fit(run.train, {.callbacks = {&log}});
  BOOST_TEST(data::read_csv(folder / "log.csv").numbers("error, \"relative\"")[0] == 0.25);
}

BOOST_AUTO_TEST_CASE(a_plateau_lowers_the_rate) {
  manual_seed(1);
  Run run;
  optim::ReduceLROnPlateau plateau(run.optimizer, {.patience = 0, .threshold = 1});
  optim::FollowSchedule follow(plateau, "loss");
  const optim::History history = run.trainer.fit(run.train, {.epochs = 3, .callbacks = {&follow}});
  BOOST_TEST(history.column("lr")[0] == 0.05);
  BOOST_TEST(history.column("lr")[2] < 0.01);
}

BOOST_AUTO_TEST_SUITE_END()
