// SPDX-License-Identifier: BSD-3-Clause
// Which customers leave a bank: an artificial neural network, its accuracy by cross-validation,
// without and with dropout, then a grid search over its hyper-parameters. Reads Churn_Modelling.csv
// from --data-dir, or invents customers.
#include <xtape/xtape.hpp>

#include <numeric>

#include "common.hpp"

namespace nn = xtape::nn;
namespace data = xtape::data;
namespace optim = xtape::optim;
using xtape::Tensor;

constexpr int kEpochs = 30;
constexpr double kLeastReal = 0.855, kLeastBuiltIn = 0.8;

struct Net : nn::Module {
  nn::Buffer shift, scale;  // of the samples it learns from, saved with the weights
  nn::Sequential layers;
  XTAPE_PARTS(shift, scale, layers)
  Net(const Tensor& x, std::int64_t units, double dropout)
      : layers(nn::Linear(x.size(1), units), nn::ReLU(), nn::Dropout(dropout),
               nn::Linear(units, units), nn::ReLU(), nn::Dropout(dropout), nn::Linear(units, 1),
               nn::Sigmoid(), nn::Flatten(0)) {
    data::StandardScaler scaler;
    scaler.fit(x);
    shift = nn::Buffer(scaler.shift().to(xtape::float32));
    scale = nn::Buffer(scaler.scale().to(xtape::float32));
  }
  Tensor forward(const Tensor& x) override { return layers((x - shift) / scale); }
};

std::vector<std::int64_t> first(std::int64_t count) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

data::Table load(const example::Flags& flags) {
  if (flags.data_dir.empty()) return data::bank_customers(flags.limit ? flags.limit : 4000, 1);
  const auto table = data::read_csv(example::find_data(flags, "tabular", "Churn_Modelling.csv"));
  return flags.limit ? table.take(first(std::min(flags.limit, table.rows()))) : table;
}

/// What is trained on a fold, at one point of the search.
optim::Learner learner(const optim::Point& point, const data::Dataset& train) {
  const Tensor x = train.get_batch(first(train.size())).x;
  optim::Learner made{.epochs = point.whole("epochs"), .batch_size = point.whole("batch_size")};
  made.model = std::make_unique<Net>(x, point.whole("units"), point.number("dropout"));
  const std::vector<Tensor> weights = made.model->parameters();
  const double lr = point.number("lr");
  if (point.text("optimizer") == "adam") {
    made.optimizer = std::make_unique<optim::Adam>(weights, optim::AdamOptions{.lr = lr});
  } else {
    made.optimizer = std::make_unique<optim::RMSprop>(weights, optim::RMSpropOptions{.lr = lr});
  }
  made.trainer = std::make_unique<optim::Trainer>(*made.model, nn::BCELoss(), *made.optimizer,
                                                  optim::BinaryAccuracy());
  return made;
}

/// Figures on customers that were not learnt from; the confusion matrix row by row.
example::Values figures(Net& net, const data::Batch& test) {
  const xtape::NoGrad no_grad;
  optim::ConfusionMatrix confusion;
  confusion.update(net(test.x), test.y);
  const Tensor counts = confusion.value().to(xtape::float64);
  const double* c = counts.data<double>();
  return {{"accuracy", (c[0] + c[3]) / static_cast<double>(test.y.numel())},
          {"stayed_right", c[0]},
          {"stayed_wrong", c[1]},
          {"left_wrong", c[2]},
          {"left_right", c[3]}};
}

void train_one(example::Run& run, Net& net, const data::Batch& known, const data::Batch& test) {
  const example::Flags& flags = run.flags;
  optim::Adam optimizer(net.parameters(), {.lr = flags.lr});
  data::DataLoader loader(data::TensorDataset(known.x, known.y),
                          {.batch_size = flags.batch_size, .shuffle = true, .seed = flags.seed});
  run.resume(net, optimizer, {.loader = &loader});
  while (run.next_epoch(loader.size())) {
    for (const auto& [x, y] : loader) {
      const Tensor loss = nn::binary_cross_entropy(net(x), y);
      optimizer.zero_grad();
      loss.backward();
      optimizer.step();
      if (!run.step(loss.item<double>(), x.size(0))) break;
    }
    if (run.epoch_done()) run.end_epoch(figures(net, test));
  }
  if (flags.epochs == 0) run.end_epoch(figures(net, test));
}

/// Cross-validates at all points; the best one's accuracy goes to metrics.json as <name>_mean and
/// <name>_std, the table to <name>.csv. Each finished point is in <name>.tsv: --resume goes on.
double search(example::Run& run, const std::string& name, const data::Dataset& samples,
              const std::vector<optim::Fold>& folds,
              const std::vector<optim::Parameter>& parameters) {
  const std::string stem = (std::filesystem::path(run.flags.out_dir) / name).string();
  if (!run.flags.resume) std::filesystem::remove(stem + ".tsv");
  const optim::SearchResult found = optim::grid_search(learner, parameters, samples, folds,
                                                       {.threads = xtape::num_threads(),
                                                        .seed = run.flags.seed,
                                                        .metric = "accuracy",
                                                        .mode = optim::PlateauMode::max,
                                                        .results = stem + ".tsv",
                                                        .stop = example::interrupted});
  if (found.rows.empty()) return NAN;
  run.say(name + "\n" + found.to_string());
  data::write_csv(stem + ".csv", found.table());
  const optim::FoldStatistics& accuracy = found.best().figures.at(1);
  run.set(name + "_mean", accuracy.mean);
  run.set(name + "_std", accuracy.standard_deviation);
  return accuracy.mean;
}

void train(example::Run& run) {
  const example::Flags& f = run.flags;
  const data::Table table = load(f);
  data::TableEncoder encoder(
      {.numbers = {"CreditScore", "Age", "Tenure", "Balance", "NumOfProducts", "HasCrCard",
                   "IsActiveMember", "EstimatedSalary"},
       .one_hot = {"Geography", "Gender"},
       .scaling = data::Scaling::none,
       .drop_first = true});
  const Tensor x = encoder.fit_transform(table), labels = table.tensor("Exited", xtape::int64);
  const data::TensorDataset samples(x, labels.to(xtape::float32));
  const data::Split split =
      data::train_test_split(table.rows(), {.test_size = 0.2, .seed = f.seed, .stratify = labels});
  const data::Batch known = samples.get_batch(split.train), test = samples.get_batch(split.test);
  Net net(known.x, 6, 0);
  train_one(run, net, known, test);
  run.set("new_customer", net(narrow(test.x, 0, 0, 1)).item<double>());  // leaves so probably
  std::vector<optim::Fold> folds;
  const data::StratifiedKFold parts{.n_splits = 10, .shuffle = true, .seed = f.seed};
  for (const data::Split& part : parts.split(labels)) folds.push_back({part.train, part.test});
  std::vector<optim::Parameter> grid{{"dropout", {0}},       {"batch_size", {f.batch_size}},
                                     {"epochs", {f.epochs}}, {"optimizer", {"adam"}},
                                     {"units", {6}},         {"lr", {f.lr}}};
  const double mean = search(run, "cv_accuracy", samples, folds, grid);
  grid[0].values = {0.1};
  search(run, "cv_dropout_accuracy", samples, folds, grid);
  grid = {{"dropout", {0}},
          {"batch_size", {f.batch_size, 2 * f.batch_size}},
          {"epochs", {f.epochs, 2 * f.epochs + 1}},
          {"optimizer", {"adam", "rmsprop"}},
          {"units", {6, 12}},
          {"lr", {f.lr}}};
  const double best = search(run, "search_accuracy", samples, folds, grid);
  run.finish(net);
  const double least = f.data_dir.empty() ? kLeastBuiltIn : kLeastReal;
  if (run.judged() && !(mean >= least && best >= mean)) {
    throw std::runtime_error("expected cv_accuracy_mean of " +
                             example::detail::short_number(least) +
                             " or more, and a grid search at least as good");
  }
}

int main(int argc, char** argv) {
  return example::run(argc, argv,
                      {.name = "churn_ann",
                       .purpose = "Predicts which customers leave a bank",
                       .epochs = kEpochs,
                       .batch_size = 32,
                       .lr = 5e-3},
                      train);
}
