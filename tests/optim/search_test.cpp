// SPDX-License-Identifier: BSD-3-Clause
#include <sys/wait.h>
#include <unistd.h>

#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/parallel.hpp>
#include <xtape/autograd/random.hpp>
#include <xtape/nn/linear.hpp>
#include <xtape/nn/losses_regression.hpp>
#include <xtape/optim/adam.hpp>
#include <xtape/optim/search.hpp>
#include <xtape/optim/sgd.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <csignal>
#include <limits>
#include <mutex>

#include "../data/files.hpp"

namespace {

using namespace xtape;
using ::test::says;

std::atomic<int> made{0};

optim::Learner make(const optim::Point& point, const data::Dataset&) {
  ++made;
  optim::Learner learner{.epochs = point.whole("epochs"), .batch_size = 4};
  learner.model = std::make_unique<nn::Linear>(3, 1);
  const std::vector<Tensor> parameters = learner.model->parameters();
  if (point.text("optimizer") == "adam") {
    learner.optimizer = std::make_unique<optim::Adam>(parameters);
  } else {
    learner.optimizer = std::make_unique<optim::SGD>(parameters, optim::SGDOptions{.lr = 0.1});
  }
  learner.trainer = std::make_unique<optim::Trainer>(
      *learner.model, nn::MSELoss(), *learner.optimizer, optim::MeanAbsoluteError());
  return learner;
}

data::TensorDataset samples() {
  const GeneratorScope scope({.seed = 4});
  return data::TensorDataset(randn({12, 3}), randn({12, 1}));
}

std::vector<optim::Fold> folds() {
  return {{{0, 1, 2, 3, 4, 5}, {6, 7, 8, 9, 10, 11}}, {{6, 7, 8, 9, 10, 11}, {0, 1, 2, 3, 4, 5}}};
}

const std::vector<optim::Hyperparameter> grid{{"epochs", {1, 2, 3}},
                                              {"optimizer", {"adam", "sgd"}}};

// Everything to the last bit: hexadecimal digits tell all doubles apart.
std::string exact(const optim::SearchResult& result) {
  std::string text;
  for (const optim::SearchRow& row : result.rows) {
    text += row.point.to_string();
    for (const auto& f : row.figures) {
      text += " " + f.name;
      std::vector<double> numbers = f.folds;
      for (const double x : {f.mean, f.standard_deviation}) numbers.push_back(x);
      for (const double x : numbers) {
        char digits[40];
        std::snprintf(digits, sizeof digits, " %a", x);
        text += digits;
      }
    }
    text += "\n";
  }
  return text;
}

std::string text_of(const std::string& path) {
  const ::test::Bytes bytes = ::test::read_bytes(path);
  return {bytes.begin(), bytes.end()};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(optim_search)

BOOST_AUTO_TEST_CASE(grid_in_order_same_figures_for_any_number_of_threads) {
  const auto position = default_generator().position;
  const auto one = optim::grid_search(make, grid, samples(), folds());
  BOOST_REQUIRE(one.rows.size() == 6u);
  BOOST_TEST(one.complete);
  BOOST_TEST(one.rows[0].point.to_string() == "epochs 1, optimizer adam");
  BOOST_TEST(one.rows[1].point.to_string() == "epochs 1, optimizer sgd");
  BOOST_TEST(one.rows[5].point.to_string() == "epochs 3, optimizer sgd");
  BOOST_TEST(one.rows[0].figures.at(1).name == "mae");
  for (const int threads : {2, 5}) {
    BOOST_TEST(exact(optim::grid_search(make, grid, samples(), folds(), {.threads = threads})) ==
               exact(one));
  }
  BOOST_TEST(exact(optim::grid_search(make, grid, samples(), folds(), {.seed = 1})) != exact(one));
  BOOST_TEST(default_generator().position == position);
}

BOOST_AUTO_TEST_CASE(folds_of_one_point_run_at_one_time_with_one_thread_each) {
  std::mutex mutex;
  std::condition_variable another;
  int begun = 0;
  const auto meets = [&](const optim::Point& point, const data::Dataset& train) {
    if (num_threads() != 1) throw ValueError("a fold has several threads");
    std::unique_lock lock(mutex);
    ++begun;
    another.notify_all();
    if (!another.wait_for(lock, std::chrono::seconds(20), [&] { return begun == 2; })) {
      throw ValueError("alone");
    }
    return make(point, train);
  };
  const std::vector<optim::Hyperparameter> one{{"epochs", {1}}, {"optimizer", {"sgd"}}};
  const int before = num_threads();
  const auto found = optim::grid_search(meets, one, samples(), folds(), {.threads = 2});
  BOOST_TEST(exact(found) == exact(optim::grid_search(make, one, samples(), folds())));
  BOOST_TEST(num_threads() == before);
}

BOOST_AUTO_TEST_CASE(each_point_has_its_own_random_numbers) {
  const std::vector<optim::Hyperparameter> same{
      {"epochs", {1}}, {"optimizer", {"adam"}}, {"x", {1, 2}}};
  const auto found = optim::grid_search(make, same, samples(), folds());
  BOOST_TEST(found.rows.at(0).figures[0].mean != found.rows.at(1).figures[0].mean);
  // The first point's are those of a cross-validation alone, the second's of the streams after.
  const auto& point = found.rows[1].point;
  const auto alone = optim::cross_validate([&](const data::Dataset& d) { return make(point, d); },
                                           samples(), folds(), {.first_stream = 2});
  BOOST_TEST(alone.statistics()[0].mean == found.rows[1].figures[0].mean);
  for (std::size_t i = 0; i < 2; ++i) {
    BOOST_TEST(alone.folds[i][1].second == found.rows[1].figures[1].folds.at(i));
  }
}

BOOST_AUTO_TEST_CASE(random_points_differ) {
  const std::vector<optim::Hyperparameter> many{{"epochs", {1, 2, 3, 4, 5, 6, 7}},
                                                {"optimizer", {"adam", "sgd"}}};
  const auto names = [&](std::uint64_t seed) {
    std::vector<std::string> found;
    for (const auto& p : optim::detail::random_points(many, 10, seed)) {
      found.push_back(p.to_string());
    }
    return found;
  };
  std::vector<std::string> drawn = names(3);
  BOOST_TEST((names(3) == drawn));
  BOOST_TEST((names(4) != drawn));
  std::sort(drawn.begin(), drawn.end());
  BOOST_TEST((std::unique(drawn.begin(), drawn.end()) == drawn.end()));
  BOOST_TEST(optim::detail::random_points(many, 99, 0).size() == 14u);
  BOOST_TEST(optim::random_search(make, grid, 2, samples(), folds()).rows.size() == 2u);
}

BOOST_AUTO_TEST_CASE(killed_it_goes_on_and_ends_the_same) {
  const ::test::Folder folder;
  const std::string path = folder / "search.tsv";
  const auto never_stopped = optim::grid_search(make, grid, samples(), folds());
  for (const int last : {1, 5, 6, 12}) {  // folds begun; two make a point
    std::filesystem::remove(path);
    const pid_t process = ::fork();
    if (process == 0) {
      int begun = 0;
      const auto deadly = [&](const optim::Point& point, const data::Dataset& train) {
        if (++begun == last) ::kill(::getpid(), SIGKILL);
        return make(point, train);
      };
      optim::grid_search(deadly, grid, samples(), folds(), {.results = path});
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(process, &status, 0);
    BOOST_REQUIRE((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
    made = 0;
    const auto resumed =
        optim::grid_search(make, grid, samples(), folds(), {.threads = 2, .results = path});
    BOOST_TEST(exact(resumed) == exact(never_stopped));
    BOOST_TEST(made == 12 - 2 * ((last - 1) / 2));
    made = 0;
    const auto read = optim::grid_search(make, grid, samples(), folds(), {.results = path});
    BOOST_TEST(exact(read) == exact(never_stopped));
    BOOST_TEST(made == 0);
  }
  BOOST_TEST(folder.names().size() == 1u);
}

BOOST_AUTO_TEST_CASE(stopped_it_says_so) {
  const ::test::Folder folder;
  static int asked;
  asked = 0;
  const auto some =
      optim::grid_search(make, grid, samples(), folds(),
                         {.results = folder / "r", .stop = [] { return ++asked > 2; }});
  BOOST_TEST(!some.complete);
  BOOST_TEST(some.rows.size() == 2u);
  const auto all = optim::grid_search(make, grid, samples(), folds(), {.results = folder / "r"});
  BOOST_TEST(exact(all) == exact(optim::grid_search(make, grid, samples(), folds())));
}

BOOST_AUTO_TEST_CASE(damaged_and_foreign_files) {
  const ::test::Folder folder;
  const std::string path = folder / "search.tsv";
  const auto search = [&](const optim::SearchOptions& options) {
    return optim::grid_search(make, grid, samples(), folds(), options);
  };
  search({.results = path});
  const std::string good = text_of(path);
  const auto refuses = [&](const std::string& text, const std::string& why) {
    ::test::write_bytes(path, {text.begin(), text.end()});
    BOOST_CHECK_EXCEPTION(search({.results = path}), FileError, says(path + ": " + why));
    BOOST_TEST(text_of(path) == text);
  };
  refuses("", "not the results of a search");
  refuses("a,b\n1,2\n", "not the results of a search");
  refuses(good.substr(0, good.size() - 1), "line 7 is damaged");
  refuses(good.substr(0, good.size() - 30), "line 7 is damaged");
  refuses(good.substr(0, good.find('\n')), "line 1 is damaged");
  std::string changed = good;
  const std::size_t digit = changed.find("loss\t") + 7;
  changed[digit] = changed[digit] == '1' ? '2' : '1';
  refuses(changed, "line 2 is damaged");
  const std::size_t first = good.find('\n') + 1;
  refuses(good + good.substr(first, good.find('\n', first) + 1 - first), "line 8 is damaged");
  ::test::write_bytes(path, {good.begin(), good.end()});
  BOOST_CHECK_EXCEPTION(search({.seed = 1, .results = path}), FileError,
                        says("the results of another search: seed 0, not seed 1"));
  BOOST_CHECK_EXCEPTION(optim::random_search(make, grid, 2, samples(), folds(), {.results = path}),
                        FileError, says("another search: 6 points, not 2 points"));
  std::vector<optim::Hyperparameter> other = grid;
  other[0].values[0] = 7;
  BOOST_CHECK_EXCEPTION(optim::grid_search(make, other, samples(), folds(), {.results = path}),
                        FileError, says("another search: other parameters, values or folds"));
  BOOST_CHECK_THROW(search({.results = folder.path().string()}), FileError);
  BOOST_CHECK_THROW(search({.results = folder / "none/r"}), FileError);
}

BOOST_AUTO_TEST_CASE(a_number_is_no_text) {
  const ::test::Folder folder;
  const std::string path = folder / "search.tsv";
  const auto search = [&](optim::Setting width) {
    const std::vector<optim::Hyperparameter> points{
        {"epochs", {1}}, {"optimizer", {"adam"}}, {"width", {width}}};
    return optim::grid_search(make, points, samples(), folds(), {.results = path});
  };
  search(1);
  const std::string numbers = text_of(path);
  BOOST_CHECK_EXCEPTION(
      search("1"), FileError,
      says(path +
           ": the results of another search: parameter 'width' was a number there, is a text "
           "here"));
  BOOST_TEST(text_of(path) == numbers);
  made = 0;
  search(1);
  BOOST_TEST(made == 0);
  std::filesystem::remove(path);
  search("1");
  BOOST_CHECK_EXCEPTION(search(1), FileError, says("was a text there, is a number here"));
  std::string old = numbers;
  old.replace(0, 14, "xtape search 2");
  ::test::write_bytes(path, {old.begin(), old.end()});
  BOOST_CHECK_EXCEPTION(search(1), FileError, says(path + ": the results of another version's"));
}

BOOST_AUTO_TEST_CASE(ranges_for_any_number_of_threads_and_after_a_stop) {
  const ::test::Folder folder;
  const std::vector<optim::Hyperparameter> space{{"epochs", optim::Range::integers(1, 3)},
                                                 {"optimizer", {"adam", "sgd"}},
                                                 {"x", optim::Range::log_uniform(1e-4, 1)}};
  const auto search = [&](const optim::SearchOptions& options) {
    return optim::random_search(make, space, 5, samples(), folds(), options);
  };
  const auto one = search({.seed = 8});
  BOOST_TEST(exact(search({.threads = 3, .seed = 8})) == exact(one));
  BOOST_TEST(exact(search({.seed = 9})) != exact(one));
  static int asked;
  asked = 0;
  const std::string path = folder / "r";
  const auto some = search({.seed = 8, .results = path, .stop = [] { return ++asked > 2; }});
  BOOST_TEST(some.rows.size() == 2u);
  made = 0;
  BOOST_TEST(exact(search({.threads = 2, .seed = 8, .results = path})) == exact(one));
  BOOST_TEST(made == 6);
  BOOST_CHECK_EXCEPTION(search({.seed = 9, .results = path}), FileError,
                        says("seed 8, not seed 9"));
}

BOOST_AUTO_TEST_CASE(every_changed_bit_is_seen_and_every_gap_is_filled) {
  const ::test::Folder folder;
  const std::string path = folder / "search.tsv";
  const auto search = [&] {
    optim::grid_search(make, grid, samples(), folds(), {.results = path});
  };
  search();
  const std::string good = text_of(path);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ (1 << i % 7));
    ::test::write_bytes(path, {bad.begin(), bad.end()});
    BOOST_CHECK_THROW(search(), FileError);
  }
  // As two threads leave it: a point is missing before others that are done.
  const std::size_t second = good.find('\n', good.find('\n') + 1) + 1;
  std::string gap = good;
  gap.erase(second, good.find('\n', second) + 1 - second);
  ::test::write_bytes(path, {gap.begin(), gap.end()});
  made = 0;
  search();
  BOOST_TEST(made == 2);
  BOOST_TEST(text_of(path) == good);
}

BOOST_AUTO_TEST_CASE(best_and_tables) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto row = [](const char* name, double loss, double deviation) {
    return optim::SearchRow{{{{"net", name}, {"lr", 0.5}}}, {{"loss", loss, deviation, {loss, 3}}}};
  };
  optim::SearchResult result{.rows = {}, .metric = "loss"};
  for (const auto& r : {row("a", nan, nan), row("b", 2, 1), row("c", 1, INFINITY), row("d", 1, 0)})
    result.rows.push_back(r);
  BOOST_TEST(result.best().point.text("net") == "c");
  BOOST_TEST(result.to_string() ==
             "  net  lr loss_mean loss_std\n"
             "    a 0.5       nan      nan\n"
             "    b 0.5         2        1\n"
             "*   c 0.5         1      inf\n"
             "    d 0.5         1        0\n");
  const data::Table table = result.table();
  BOOST_TEST(table.names() == (std::vector<std::string>{"net", "lr", "loss_mean", "loss_std",
                                                        "loss_fold_0", "loss_fold_1"}),
             boost::test_tools::per_element());
  BOOST_TEST(table.numbers("loss_fold_0")[1] == 2.0);
  BOOST_TEST(std::isnan(table.numbers("loss_fold_0")[0]));
  BOOST_TEST(table.numbers("loss_fold_1")[0] == 3.0);
  BOOST_TEST(table.numbers("loss_mean")[1] == 2.0);
  BOOST_TEST(table.numbers("loss_std")[2] == INFINITY);
  result.mode = optim::PlateauMode::max;
  BOOST_TEST(result.best().point.text("net") == "b");
  result.metric = "accuracy";
  BOOST_CHECK_EXCEPTION(result.best(), ValueError, says("a figure 'accuracy'"));
  BOOST_TEST(result.to_string().find('*') == std::string::npos);
  result = {.rows = {row("a", nan, nan)}, .metric = "loss"};
  BOOST_CHECK_EXCEPTION(result.best(), ValueError, says("that is a number"));
}

BOOST_AUTO_TEST_CASE(what_does_not_fit) {
  const auto refuses = [](std::vector<optim::Hyperparameter> p, const std::string& text) {
    BOOST_CHECK_EXCEPTION(optim::grid_search(make, p, samples(), folds()), ValueError, says(text));
  };
  refuses({}, "there is no parameter");
  refuses({{"a", {}}}, "parameter 'a' has no values");
  refuses({{"a", {1}}, {"a", {2}}}, "parameter 'a' comes twice");
  refuses({{"a", {1, "x"}}}, "parameter 'a' has numbers and texts");
  refuses({{"a", {1, 2, 1}}}, "parameter 'a' has the value 1 twice");
  refuses({{"a", {1, NAN}}}, "parameter 'a' has the value nan");
  refuses({{"a", {1}}}, "there is no parameter 'epochs'");
  refuses({{"epochs", {"x"}}}, "parameter 'epochs' is a text");
  refuses({{"epochs", {1.5}}}, "parameter 'epochs' is 1.5, no whole number");
  std::vector<optim::Setting> thousand;
  for (int i = 0; i < 1001; ++i) thousand.emplace_back(i);
  refuses({{"a", thousand}, {"b", thousand}}, "over a million points");
  BOOST_CHECK_EXCEPTION(optim::grid_search(make, grid, samples(), {}), ValueError,
                        says("there is no fold"));
  BOOST_CHECK_THROW(optim::random_search(make, grid, 0, samples(), folds()), ValueError);
  BOOST_CHECK_THROW(optim::grid_search(make, grid, samples(), folds(), {.threads = 0}), ValueError);
}

BOOST_AUTO_TEST_CASE(the_first_failure_is_thrown) {
  const auto fails = [](const optim::Point& point, const data::Dataset& train) {
    if (point.whole("epochs") > 1) throw ValueError("bad " + point.to_string());
    return make(point, train);
  };
  for (const int threads : {1, 2, 3, 7}) {
    BOOST_CHECK_EXCEPTION(optim::grid_search(fails, grid, samples(), folds(), {.threads = threads}),
                          ValueError, says("bad epochs 2, optimizer adam"));
  }
}

BOOST_AUTO_TEST_SUITE_END()
