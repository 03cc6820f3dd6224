// SPDX-License-Identifier: BSD-3-Clause
// Which customers leave a bank, by Churn_Modelling.csv of --data-dir or among invented ones: a net,
// its accuracy by cross-validation, without and with dropout, then a grid search of its settings.
#include <xtape/xtape.hpp>

#include "common.hpp"

namespace nn = xtape::nn;
namespace data = xtape::data;
namespace optim = xtape::optim;
using xtape::Tensor;

constexpr double kLeastReal = 0.855, kLeastBuiltIn = 0.8;  // accuracy

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

void train_one(example::Run& run, Net& net, const data::Batch& known, const data::Batch& test) {
  const example::Flags& f = run.flags;
  optim::Adam optimizer(net.parameters(), {.lr = f.lr});
  data::DataLoader loader(data::TensorDataset(known.x, known.y),
                          {.batch_size = f.batch_size, .shuffle = true, .seed = f.seed});
  const auto end_epoch = [&] {
    const xtape::NoGrad no_grad;
    optim::ConfusionMatrix confusion;
    confusion.update(net(test.x), test.y);
    const Tensor counts = confusion.value().to(xtape::float64);
    const double* c = counts.data<double>();
    run.end_epoch({{"accuracy", (c[0] + c[3]) / static_cast<double>(test.y.numel())},
                   {"stayed_right", c[0]},
                   {"stayed_wrong", c[1]},
                   {"left_wrong", c[2]},
                   {"left_right", c[3]}});
  };
  run.resume(net, optimizer, {.loader = &loader});
  while (run.next_epoch(loader.size())) {
    for (const auto& [x, y] : loader) {
      const Tensor loss = nn::binary_cross_entropy(net(x), y);
      optimizer.zero_grad();
      loss.backward();
      optimizer.step();
      if (!run.step(loss.item<double>(), x.size(0))) break;
    }
    if (run.epoch_done()) end_epoch();
  }
  if (f.epochs == 0) end_epoch();
}

/// What is trained on a fold, with the settings of one point of a grid.
optim::Learner learner(const optim::Point& point, const data::Dataset& train) {
  optim::Learner made{.epochs = point.whole("epochs"), .batch_size = point.whole("batch_size")};
  made.model =
      std::make_unique<Net>(train.get_all().x, point.whole("units"), point.number("dropout"));
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

/// Cross-validates the net above, or nets in which other settings are tried. The accuracy of the
/// best goes to metrics.json, the table to <name>.csv; --resume goes on with <name>.tsv.
double validate(example::Run& run, const std::string& name, const data::Dataset& samples,
                const std::vector<optim::Fold>& folds,
                const std::vector<optim::Hyperparameter>& tried) {
  const example::Flags& f = run.flags;
  std::vector<optim::Hyperparameter> grid{{"dropout", {0}},       {"batch_size", {f.batch_size}},
                                          {"epochs", {f.epochs}}, {"optimizer", {"adam"}},
                                          {"units", {6}},         {"lr", {f.lr}}};
  for (const auto& p : tried) *std::ranges::find(grid, p.name, &optim::Hyperparameter::name) = p;
  optim::SearchOptions options{.threads = xtape::num_threads(), .seed = f.seed};
  options.metric = "accuracy";
  options.mode = optim::PlateauMode::max;
  options.results = run.path(name + ".tsv");
  options.stop = example::interrupted;
  if (!f.resume) std::filesystem::remove(options.results);
  const double start = run.seconds();
  const optim::SearchResult found = optim::grid_search(learner, grid, samples, folds, options);
  if (found.rows.empty()) return NAN;
  run.say(name + "\n" + found.to_string());
  data::write_csv(run.path(name + ".csv"), found.table());
  const optim::FoldStatistics& accuracy = found.best().figures.at(1);
  run.set(name + "_mean", accuracy.mean);
  run.set(name + "_std", accuracy.standard_deviation);
  run.set(name + "_seconds", run.seconds() - start);
  return accuracy.mean;
}

void train(example::Run& run) {
  const example::Flags& f = run.flags;
  data::Table table = f.data_dir.empty()
                          ? data::bank_customers(4000, 1)
                          : data::read_csv(example::find_data(f, "tabular", "Churn_Modelling.csv"));
  if (f.limit) table = table.head(f.limit);
  const data::TableEncoder encoder(
      {.numbers = {"CreditScore", "Age", "Tenure", "Balance", "NumOfProducts", "HasCrCard",
                   "IsActiveMember", "EstimatedSalary"},
       .one_hot = {"Geography", "Gender"},
       .scaling = data::Scaling::none,
       .drop_first = true});
  const Tensor labels = table.tensor("Exited", xtape::int64);
  const data::TableDataset samples(table, encoder, labels.to(xtape::float32));
  const data::Split split =
      data::train_test_split(table.rows(), {.test_size = 0.2, .seed = f.seed, .stratify = labels});
  const auto fitted = samples.fitted(split.train);  // as a cross-validation does in each fold
  const data::Batch known = fitted->get_batch(split.train), test = fitted->get_batch(split.test);
  Net net(known.x, 6, 0);
  train_one(run, net, known, test);
  run.set("new_customer", net(narrow(test.x, 0, 0, 1)).item<double>());  // leaves so probably
  const data::StratifiedKFold ten{.n_splits = 10, .shuffle = true, .seed = f.seed};
  const double mean = validate(run, "cv_accuracy", samples, ten.split(labels), {});
  validate(run, "cv_dropout_accuracy", samples, ten.split(labels), {{"dropout", {0.1}}});
  const double best = validate(run, "search_accuracy", samples, ten.split(labels),
                               {{"batch_size", {f.batch_size, 2 * f.batch_size}},
                                {"epochs", {f.epochs, 2 * f.epochs + 1}},
                                {"optimizer", {"adam", "rmsprop"}},
                                {"units", {6, 12}}});
  run.finish(net);
  run.expect(mean >= (f.data_dir.empty() ? kLeastBuiltIn : kLeastReal) && best >= mean,
             "cv_accuracy_mean as docs/examples.md states it");
}

int main(int argc, char** argv) {
  return example::run(argc, argv,
                      {.name = "churn_ann",
                       .purpose = "Predicts which customers leave a bank",
                       .epochs = 30,
                       .batch_size = 32,
                       .lr = 5e-3},
                      train);
}
