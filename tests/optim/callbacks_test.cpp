// SPDX-License-Identifier: BSD-3-Clause
#include <fcntl.h>
#include <pty.h>
#include <unistd.h>

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

#include <chrono>
#include <cmath>
#include <cstdio>
#include <limits>
#include <thread>

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

BOOST_AUTO_TEST_CASE(early_stopping_begins_each_fit_anew) {
  manual_seed(1);
  Run run;
  optim::EarlyStopping stopping(
      {.monitor = "loss", .mode = optim::PlateauMode::max, .patience = 2});
  Weights first, second;
  run.trainer.fit(run.train, {.epochs = 9, .callbacks = {&stopping, &first}});
  run.trainer.fit(run.train, {.epochs = 9, .callbacks = {&stopping, &second}});
  BOOST_REQUIRE(stopping.best_epoch() > 0);
  BOOST_REQUIRE(second.seen.size() == static_cast<std::size_t>(stopping.best_epoch()) + 3);
  const auto& best = second.seen[static_cast<std::size_t>(stopping.best_epoch()) - 1];
  BOOST_TEST(nn_test::values(run.net.parameters()[0]) == best, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_log_reads_back_as_numbers) {
  const ::test::Folder folder;
  const std::string path = folder / "log.csv";
  Run run;
  optim::History history;
  optim::FitState state{run.net, run.optimizer, run.train, history, 100};
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  for (const double loss : {0.5, inf, -nan, nan, -inf}) {
    history.epochs.push_back({{"loss", loss}, {"a,\"b\"", nan}});
  }
  optim::CSVLog(path).on_epoch_end(state);
  const data::Table table = data::read_csv(path);
  const auto loss = table.numbers("loss"), all_nan = table.numbers("a,\"b\"");
  BOOST_TEST(loss[0] == 0.5);
  BOOST_TEST(loss[1] == inf);
  BOOST_TEST(loss[4] == -inf);
  for (const double x : {loss[2], loss[3], all_nan[0], all_nan[4]}) BOOST_TEST(std::isnan(x));
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

// What is printed while `run` runs, on a terminal of its own or into a file; "" where there are no
// terminals.
template <class F>
std::string printed(bool on_terminal, F run) {
  std::fflush(stdout);
  int end = -1, terminal = -1;
  const ::test::Folder folder;
  if (on_terminal) {
    if (::openpty(&end, &terminal, nullptr, nullptr, nullptr) != 0) return "";
  } else {
    terminal = ::open((folder / "out").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  }
  const int before = ::dup(STDOUT_FILENO);
  ::dup2(terminal, STDOUT_FILENO);
  run();
  std::fputs(".\n", stdout);  // the end: a terminal hands its text over in parts
  std::fflush(stdout);
  ::dup2(before, STDOUT_FILENO);
  ::close(before);
  if (!on_terminal) ::lseek(terminal, 0, SEEK_SET);
  std::string text;
  char some[512];
  for (ssize_t got = 1; got > 0 && text.find("\n.") == text.npos;) {
    got = ::read(on_terminal ? end : terminal, some, sizeof some);
    if (got > 0) text.append(some, static_cast<std::size_t>(got));
  }
  ::close(terminal);
  if (end >= 0) ::close(end);
  return text.substr(0, text.find("\n.") + 1);
}

BOOST_AUTO_TEST_CASE(progress_is_a_line_and_on_a_terminal_a_bar) {
  Run run;
  optim::Progress progress;
  struct Slow final : optim::Callback {  // a tenth of a second must pass between two bars
    void on_batch_begin(optim::FitState& s) override {
      if (s.batch == 3) std::this_thread::sleep_for(std::chrono::milliseconds(101));
    }
  } slow;
  const auto fit = [&](std::int64_t epochs) {
    run.trainer.fit(run.train, {.epochs = epochs, .callbacks = {&slow, &progress}});
  };
  const std::string plain = printed(false, [&] { fit(2); });
  BOOST_TEST(plain.starts_with("epoch 1/2  loss "));
  BOOST_TEST(plain.find("\nepoch 2/2  loss ") != plain.npos);
  BOOST_TEST(plain.find_first_of("\r\x1b[") == plain.npos);

  const std::string drawn = printed(true, [&] { fit(1); });
  if (drawn.empty()) {
    BOOST_TEST_MESSAGE("no pseudo-terminals here");
    return;
  }
  BOOST_TEST(drawn.starts_with("\r\x1b[Kepoch 1/1 [##########--------------------]  33 %  loss "));
  BOOST_TEST(drawn.find("[##############################] 100 %  loss ") != drawn.npos);
  BOOST_TEST(drawn.find("\r\x1b[Kepoch 1/1  loss ") != drawn.npos);
  BOOST_TEST(drawn.ends_with("\r\n"));
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
