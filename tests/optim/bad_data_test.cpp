// SPDX-License-Identifier: BSD-3-Clause
// Bad data on the whole way from a file to the figures of a model, as a user meets it.
#include <xtape/xtape.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <ctime>
#include <fstream>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "../data/files.hpp"

namespace {

using namespace xtape;
using ::test::says;
using Lines = std::vector<std::string>;

optim::Learner make(const data::Dataset& train) {
  optim::Learner made{.epochs = 1, .batch_size = 4};
  made.model =
      std::make_unique<nn::Sequential>(nn::Linear(train.get(0).x.size(-1), 1), nn::Flatten(0));
  made.optimizer = std::make_unique<optim::SGD>(made.model->parameters());
  made.trainer =
      std::make_unique<optim::Trainer>(*made.model, nn::BCEWithLogitsLoss(), *made.optimizer,
                                       optim::Metrics(optim::BinaryAccuracy(0), optim::ROCAUC()));
  return made;
}

// Twelve customers; line 2 of the file is the first.
Lines customers() {
  Lines lines{"age,balance,land,left"};
  for (int i = 0; i < 12; ++i) {
    lines.push_back(std::to_string(20 + 3 * i) + "," + std::to_string(1000 * (i % 5)) +
                    (i % 3 == 0 ? ",Spain," : ",France,") + std::to_string(i % 2));
  }
  return lines;
}

class Bank {
  const ::test::Folder folder_{};

 public:
  const std::string path = folder_ / "bank.csv";

  // From the file to the mean figures of three folds.
  std::vector<optim::FoldStatistics> judge(const Lines& lines, const data::CsvOptions& csv = {},
                                           std::int64_t folds = 3, bool stratified = true) const {
    write(lines);
    const data::Table table = data::read_csv(path, csv);
    const data::TableEncoder encoder({.numbers = {"age", "balance"}, .one_hot = {"land"}});
    const Tensor y = table.tensor("left", int64);
    const data::TableDataset samples(table, encoder, y.to(float32));
    std::vector<optim::Fold> parts;
    for (const data::Split& s : stratified ? data::StratifiedKFold{.n_splits = folds}.split(y)
                                           : data::KFold{.n_splits = folds}.split(table.rows())) {
      parts.push_back({s.train, s.test});
    }
    return optim::cross_validate(make, samples, parts).statistics();
  }
  template <class E>
  void refuses(const Lines& lines, const std::string& message, const data::CsvOptions& csv = {},
               std::int64_t folds = 3, bool stratified = true) const {
    BOOST_CHECK_EXCEPTION(judge(lines, csv, folds, stratified), E, [&](const E& error) {
      BOOST_TEST_MESSAGE("  " << error.what());
      return says(message)(error);
    });
  }
  // The twelve with one line changed.
  template <class E>
  void refuses(std::size_t line, const std::string& text, const std::string& message,
               const data::CsvOptions& csv = {}) const {
    Lines lines = customers();
    lines[line - 1] = text;
    refuses<E>(lines, message, csv);
  }
  void write(const Lines& lines) const {
    std::ofstream file(path, std::ios::binary);
    for (const std::string& line : lines) file << line << "\n";
  }
  const ::test::Folder& folder() const { return folder_; }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(optim_bad_data)

BOOST_AUTO_TEST_CASE(good_data_pass) {
  const auto figures = Bank().judge(customers());
  BOOST_REQUIRE(figures.size() == 3u);
  for (const auto& f : figures) BOOST_TEST(std::isfinite(f.mean));
}

BOOST_AUTO_TEST_CASE(missing_column) {
  const Bank bank;
  const std::string missing = bank.path + ": no column 'balance', it has 'age', 'saldo', 'land', ";
  bank.refuses<ValueError>(1, "age,saldo,land,left", "Table: " + missing);
  bank.refuses<FileError>(1, "age,saldo,land,left",
                          "read_csv: " + bank.path + ": line 1: no column 'balance'",
                          {.numbers = {"balance"}});
  bank.refuses<ValueError>(1, "age,balance,land,exited", bank.path + ": no column 'left'");
  // A name that is a whole file does not fill the screen.
  bank.write({std::string(100000, 'x'), "1"});
  BOOST_CHECK_EXCEPTION(data::read_csv(bank.path).column("age"), ValueError, [](const auto& e) {
    return std::string(e.what()).size() < 300 && says("it has 'xxx")(e);
  });
}

BOOST_AUTO_TEST_CASE(text_in_a_number_column) {
  const Bank bank;
  bank.refuses<ValueError>(
      4, "26,unknown,France,0",
      "Table: " + bank.path + ": line 4, column 2 ('balance'): expected a number, found 'unknown'");
  bank.refuses<FileError>(
      4, "26,unknown,France,0",
      "read_csv: " + bank.path + ": line 4, column 2 ('balance'): expected a number, found 'unkno",
      {.numbers = {"balance"}});
  bank.refuses<ValueError>(9, "41,1000,France,no", "line 9, column 4 ('left'): expected a number");
  bank.refuses<ValueError>(9, "41,1000,France,0.5",
                           bank.path + ": line 9, column 4 ('left'): 0.5 is no int64");
  // Thousands are parted as the file was told to have them.
  bank.write({"age", "1'000", "2000", "\"2,000\""});
  BOOST_CHECK_EXCEPTION(data::read_csv(bank.path, {.thousands = '\''}).numbers("age"), ValueError,
                        says("line 4, column 1 ('age'): expected a number, found '2,000'"));
}

BOOST_AUTO_TEST_CASE(number_in_a_text_column) {
  const Bank bank;
  Lines lines{"age,balance,land,left"};
  for (int i = 0; i < 6; ++i) lines.push_back("30,10,49," + std::to_string(i % 2));
  bank.refuses<ValueError>(lines, "column 'land' holds numbers, expected texts (see CsvOptions");
  BOOST_TEST(bank.judge(lines, {.texts = {"land"}}).size() == 3u);
}

BOOST_AUTO_TEST_CASE(ragged_row) {
  const Bank bank;
  const std::string where = "read_csv: " + bank.path + ": line 3, column ";
  bank.refuses<FileError>(3, "23,1000,Spain", where + "3: expected 4 fields in the row, got 3");
  bank.refuses<FileError>(3, "23,1000,Spain,0,1", where + "5: expected 4 fields in the row, got 5");
  bank.refuses<FileError>(3, "23,\"1000,Spain,0", where + "2: its quote is never closed");
}

BOOST_AUTO_TEST_CASE(nan) {
  const Bank bank;
  bank.refuses<ValueError>(
      3, "NaN,1000,Spain,0",
      bank.path + ": line 3, column 1 ('age'): expected a number, found 'NaN'");
  const std::string none = ": expected a number, found none";
  bank.refuses<ValueError>(3, "nan,1000,Spain,0", bank.path + ": line 3, column 1 ('age')" + none);
  bank.refuses<ValueError>(3, "inf,1000,Spain,0",
                           bank.path + ": line 3, column 1 ('age') is infinite");
  bank.refuses<ValueError>(3, ",1000,Spain,0", bank.path + ": line 3, column 1 ('age')" + none);
  bank.refuses<ValueError>(3, "23,1000,Spain,", bank.path + ": line 3, column 4 ('left')" + none);
  bank.refuses<ValueError>(3, "23,1000,,0",
                           "line 3, column 3 ('land'): expected a text, found none");

  // One that comes past all tables: the fit ends before the model is harmed.
  Tensor x = ones({8, 2});
  narrow(x, 0, 5, 1).fill_(std::numeric_limits<double>::quiet_NaN());
  BOOST_CHECK_EXCEPTION(data::StandardScaler().fit(x), ValueError, says("x[5, 0] is NaN"));
  nn::Linear net(2, 1);
  optim::SGD optimizer(net.parameters());
  data::DataLoader loader(data::TensorDataset(x, ones({8, 1})), {.batch_size = 2});
  optim::StopOnNaN stop((nn::MSELoss()));
  BOOST_CHECK_EXCEPTION(
      optim::Trainer(net, nn::MSELoss(), optimizer).fit(loader, {.callbacks = {&stop}}),
      AnomalyError, says("epoch 1, batch 3: the loss is nan: Linear"));
  BOOST_TEST(std::isfinite(sum(net.weight).item<double>()));
}

BOOST_AUTO_TEST_CASE(one_class_only) {
  const Bank bank;
  Lines lines = customers();
  for (std::size_t i = 1; i < lines.size(); ++i) lines[i].back() = '1';
  const std::string message = "expected at least two different labels, got only 1";
  bank.refuses<ValueError>(lines, "StratifiedKFold: " + message);
  bank.refuses<ValueError>(lines,
                           "cross_validate: fold 0: ROCAUC: expected samples of both labels, got "
                           "8 labelled 1",
                           {}, 3, false);
  const Tensor y = ones({12}, int64);
  BOOST_CHECK_EXCEPTION(data::train_test_split(12, {.stratify = y}), ValueError,
                        says("train_test_split: " + message));
  // A label that a fold's training rows lack.
  data::LabelEncoder encoder;
  bank.write({"species", "rose", "tulip"});
  encoder.fit(data::read_csv(bank.path), "species");
  bank.write({"species", "rose", "lily", ""});
  BOOST_CHECK_EXCEPTION(encoder.transform(data::read_csv(bank.path), "species"), ValueError,
                        says("LabelEncoder: " + bank.path +
                             ": line 3, column 1 ('species'): 'lily' is none of the 2 texts"));
}

BOOST_AUTO_TEST_CASE(more_folds_than_rows) {
  const Bank bank;
  bank.refuses<ValueError>(customers(), "StratifiedKFold: 13 folds of 12 rows", {}, 13);
  bank.refuses<ValueError>(customers(), "StratifiedKFold: label 0 has 6 rows for 7 folds", {}, 7);
  bank.refuses<ValueError>(customers(), "KFold: 13 folds of 12 rows", {}, 13, false);
  BOOST_CHECK_EXCEPTION(data::TimeSeriesSplit{.n_splits = 13}.split(12), ValueError,
                        says("TimeSeriesSplit: 13 folds of 12 rows"));
}

BOOST_AUTO_TEST_CASE(empty_file) {
  const Bank bank;
  bank.refuses<FileError>(Lines{}, "read_csv: " + bank.path +
                                       ": line 1, column 1: expected a header, the file is empty");
  bank.refuses<FileError>(Lines{"", ""}, bank.path + ": line 1, column 1");
  bank.refuses<ValueError>(Lines{"age,balance,land,left"},
                           "TableEncoder: fit: " + bank.path + " has no rows");
  const data::Table nothing = data::read_csv(bank.path);
  BOOST_CHECK_EXCEPTION(
      data::LabelEncoder().fit(data::read_csv(bank.path, {.texts = {"land"}}), "land"), ValueError,
      says("LabelEncoder: fit: " + bank.path + " has no rows"));
  BOOST_CHECK_EXCEPTION(data::KFold{.n_splits = 2}.split(nothing.rows()), ValueError,
                        says("KFold: 2 folds of 0 rows"));
  nn::Linear net(1, 1);
  optim::SGD optimizer(net.parameters());
  data::DataLoader none(data::TensorDataset(nothing.matrix({"age"}), nothing.matrix({"left"})));
  BOOST_CHECK_EXCEPTION(optim::Trainer(net, nn::MSELoss(), optimizer).fit(none), ValueError,
                        says("Trainer.fit: the loader has no batch"));
}

BOOST_AUTO_TEST_CASE(ten_million_columns) {
  const Bank bank;
  {
    std::string names;
    for (int i = 100'000; i < 200'000; ++i) names += std::to_string(i) + ",";
    std::ofstream file(bank.path, std::ios::binary);
    for (int i = 0; i < 100; ++i) file << names;
  }
  const auto resident = [] {  // pages
    std::ifstream file("/proc/self/statm");
    double all = 0, in_memory = 0;
    file >> all >> in_memory;
    return in_memory;
  };
  const double before = resident();
  const std::clock_t start = std::clock();
  BOOST_CHECK_EXCEPTION(data::read_csv(bank.path), FileError,
                        says("read_csv: " + bank.path +
                             ": line 1, column 65537: more than 65536 "
                             "columns (see CsvOptions::max_columns)"));
  BOOST_TEST(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC < 5);
  BOOST_TEST((resident() - before) * 4096 < 2e8);
  BOOST_CHECK_EXCEPTION(data::read_csv(bank.path, {.max_bytes = 1 << 20}), FileError,
                        says(" bytes, more than 1048576 (see CsvOptions::max_bytes)"));
}

BOOST_AUTO_TEST_CASE(a_jpeg_called_png) {
  const ::test::Folder folder;
  std::filesystem::create_directories(folder.path() / "cats");
  const std::string path = folder / "cats/7.png";
  ::test::write_bytes(path, {0xff, 0xd8, 0xff, 0xe0, 0, 16, 'J', 'F', 'I', 'F', 0});
  nn::Sequential net(nn::Flatten(), nn::Linear(12, 1));
  optim::SGD optimizer(net.parameters());
  for (const int workers : {0, 1}) {
    data::DataLoader loader(data::ImageFolder(folder.path().string()), {.workers = workers});
    BOOST_CHECK_EXCEPTION(optim::Trainer(net, nn::CrossEntropyLoss(), optimizer).fit(loader),
                          FileError,
                          says("read_image: " + path + ": its name says PNG, its content is JPEG"));
  }
}

BOOST_AUTO_TEST_CASE(a_fit_that_ends_leaves_whole_files) {
  const ::test::Folder folder;
  // Bad from the second epoch on.
  struct Spoilt final : data::Dataset {
    mutable int asked = 0;
    std::int64_t size() const override { return 4; }
    data::Batch get(std::int64_t i) const override {
      if (++asked > 4) throw FileError("read_image: cats/7.png: damaged PNG");
      return {ones({2}) * static_cast<double>(i), ones({1})};
    }
  };
  nn::Linear net(2, 1);
  optim::SGD optimizer(net.parameters());
  data::DataLoader loader(std::make_shared<Spoilt>(), {.batch_size = 2});
  optim::CSVLog log(folder / "log.csv");
  optim::WeightStatistics statistics(folder / "weights.csv");
  optim::ModelCheckpoint models({.last = folder / "last.safetensors"});
  BOOST_CHECK_EXCEPTION(optim::Trainer(net, nn::MSELoss(), optimizer)
                            .fit(loader, {.epochs = 3,
                                          .callbacks = {&log, &statistics, &models},
                                          .checkpoint = folder / "fit.safetensors"}),
                        FileError, says("read_image: cats/7.png"));
  BOOST_TEST(folder.names().size() == 4u);  // none under another name
  BOOST_TEST(data::read_csv(folder / "log.csv").rows() == 1);
  BOOST_TEST(data::read_csv(folder / "weights.csv").rows() == 2);
  BOOST_TEST(optim::read_position(folder / "fit.safetensors").epoch == 1);
  optim::load_model(net, folder / "last.safetensors");
}

BOOST_AUTO_TEST_CASE(a_search_that_ends_keeps_what_it_found) {
  const Bank bank;
  bank.judge(customers());
  const data::Table table = data::read_csv(bank.path);
  const data::TensorDataset samples(table.matrix({"age"}), table.tensor("left"));
  const std::vector<optim::Fold> folds{{{0, 1, 2, 3, 4, 5}, {6, 7, 8, 9, 10, 11}}};
  int made = 0;
  bool broken = true;
  const auto learner = [&](const optim::Point& point, const data::Dataset& train) {
    ++made;
    if (broken && point.whole("x") == 2) throw ValueError("no such network");
    return make(train);
  };
  const std::string results = bank.folder() / "search.tsv";
  const auto search = [&] {
    return optim::grid_search(learner, {{"x", {1, 2}}}, samples, folds, {.results = results});
  };
  BOOST_CHECK_EXCEPTION(search(), ValueError,
                        says("search: x 2: cross_validate: fold 0: no such network"));
  BOOST_TEST(bank.folder().names().size() == 2u);
  broken = false;
  BOOST_TEST(search().rows.size() == 2u);
  BOOST_TEST(made == 3);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_written_leaves_nothing) {
  const Bank bank;
  bank.judge(customers());
  const ::test::Bytes before = ::test::read_bytes(bank.path);
  BOOST_CHECK_THROW(data::write_csv(bank.path, data::Table()), ValueError);
  BOOST_TEST((::test::read_bytes(bank.path) == before));
  data::Table table;
  table.add("x", std::vector<double>{1});
  BOOST_CHECK_EXCEPTION(data::write_csv(bank.folder() / "none/x.csv", table), FileError,
                        says("none/x.csv: cannot"));
  data::Plot plot;
  plot.line("", std::vector{0.0, 1.0});
  BOOST_CHECK_THROW(plot.save(bank.folder() / "none/x.svg"), FileError);
  BOOST_TEST(bank.folder().names().size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
