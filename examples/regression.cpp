// SPDX-License-Identifier: BSD-3-Clause
// What a network can be asked for: a continuous figure (a flower's petal width from its other three
// measures) and a category (its species, by softmax). Reads iris.csv from --data-dir, or invents
// flowers.
#include <xtape/xtape.hpp>

#include "common.hpp"

namespace nn = xtape::nn;
namespace data = xtape::data;
namespace optim = xtape::optim;
using xtape::Tensor;

constexpr int kEpochs = 200;
constexpr double kLeastR2 = 0.9, kLeastAccuracy = 0.9;

/// Measures in cm: sepal length, sepal width, petal length, petal width; int64 species.
struct Flowers {
  Tensor measures, species;
  std::vector<std::string> names;
};

Flowers load(const example::Flags& flags) {
  if (flags.data_dir.empty()) {
    const Tensor centers =
        xtape::tensor({{5, 3.4, 1.5, 0.2}, {5.9, 2.8, 4.3, 1.3}, {6.6, 3, 5.6, 2.1}});
    const data::Batch made = data::blobs(flags.limit ? flags.limit : 300, centers, {.std = 0.2});
    return {made.x.to(xtape::float32), made.y, {"small", "middle", "large"}};
  }
  data::Table table = data::read_csv(example::find_data(flags, "tabular", "iris.csv"),
                                     {.header = false, .names = {"0", "1", "2", "3", "species"}});
  const std::int64_t count = flags.limit ? std::min(flags.limit, table.rows()) : table.rows();
  std::vector<std::int64_t> rows;  // spread, as the file has the species one after the other
  for (std::int64_t i = 0; i < count; ++i) rows.push_back(i * table.rows() / count);
  table = table.take(rows);
  data::LabelEncoder encoder;
  const Tensor species = encoder.fit_transform(table, "species");
  return {table.matrix({"0", "1", "2", "3"}), species, encoder.classes()};
}

/// Two networks on measures that are standardised as the training rows are.
struct Net : nn::Module {
  nn::Buffer shift, scale;
  nn::Sequential width_layers, species_layers;
  XTAPE_PARTS(shift, scale, width_layers, species_layers)
  Net(const data::Scaler& scaler, std::int64_t species)
      : shift(scaler.shift().to(xtape::float32)),
        scale(scaler.scale().to(xtape::float32)),
        width_layers(nn::Linear(3, 16), nn::Tanh(), nn::Linear(16, 1), nn::Flatten(0)),
        species_layers(nn::Linear(4, 16), nn::Tanh(), nn::Linear(16, species)) {}

  /// In cm, from the first three measures: no activation after the last layer, any number may come.
  Tensor width(const Tensor& x) {
    return width_layers(narrow((x - shift) / scale, 1, 0, 3)) * scale[3] + shift[3];
  }
  /// A score for each species; softmax makes probabilities of them.
  Tensor species(const Tensor& x) { return species_layers((x - shift) / scale); }
};

example::Values figures(Net& net, const data::Batch& test) {
  const xtape::NoGrad no_grad;
  optim::R2Score r2;
  optim::Accuracy accuracy;
  r2.update(net.width(test.x), select(test.x, 1, 3));
  accuracy.update(net.species(test.x), test.y);
  return {{"test_r2", r2.value()}, {"test_accuracy", accuracy.value()}};
}

void draw(const example::Run& run, Net& net, const data::Batch& test, const Flowers& flowers) {
  const xtape::NoGrad no_grad;
  const Tensor predicted = net.width(test.x), residual = select(test.x, 1, 3) - predicted;
  data::Plot({.title = "Petal width: what is left over",
              .x_label = "predicted, cm",
              .y_label = "real - predicted, cm"})
      .scatter(xtape::stack({predicted, residual}, 1), test.y, flowers.names)
      .line("", std::vector{0.0, 2.5}, std::vector{0.0, 0.0})
      .save(run.path("residuals.svg"));

  optim::ConfusionMatrix confusion({.classes = std::ssize(flowers.names)});
  confusion.update(net.species(test.x), test.y);
  data::HeatMap(confusion.value(), {.title = "Species",
                                    .x_label = "predicted",
                                    .y_label = "real",
                                    .value_label = "flowers",
                                    .row_names = flowers.names,
                                    .column_names = flowers.names,
                                    .write_values = true})
      .save(run.path("confusion.svg"));

  // By its petals, a flower with sepals of the mean size.
  const auto species = [&](const Tensor& petals) {
    const Tensor sepals = narrow(net.shift, 0, 0, 2).expand({petals.size(0), 2});
    return argmax(net.species(xtape::cat({sepals, petals}, 1)), 1);
  };
  data::Plot(
      {.title = "Which species", .x_label = "petal length, cm", .y_label = "petal width, cm"})
      .scatter(narrow(flowers.measures, 1, 2, 2), flowers.species, flowers.names)
      .regions(species)
      .save(run.path("species.svg"));
}

void train(example::Run& run) {
  const example::Flags& f = run.flags;
  const Flowers flowers = load(f);
  const data::TensorDataset samples(flowers.measures, flowers.species);
  const data::Split split = data::train_test_split(
      samples.size(), {.test_size = 0.3, .seed = f.seed, .stratify = flowers.species});
  const data::Batch known = samples.get_batch(split.train), test = samples.get_batch(split.test);
  data::StandardScaler scaler;
  scaler.fit(known.x);
  Net net(scaler, std::ssize(flowers.names));
  optim::Adam optimizer(net.parameters(), {.lr = f.lr});
  data::DataLoader loader(data::TensorDataset(known.x, known.y),
                          {.batch_size = f.batch_size, .shuffle = true, .seed = f.seed});
  run.resume(net, optimizer, {.loader = &loader});
  while (run.next_epoch(loader.size())) {
    for (const auto& [x, y] : loader) {
      // The two share nothing, so the sum of both losses trains each by its own.
      const Tensor loss =
          nn::mse_loss(net.width(x), select(x, 1, 3)) + nn::cross_entropy(net.species(x), y);
      optimizer.zero_grad();
      loss.backward();
      optimizer.step();
      if (!run.step(loss.item<double>(), x.size(0))) break;
    }
    if (run.epoch_done()) run.end_epoch(figures(net, test));
  }
  if (f.epochs == 0) run.end_epoch(figures(net, test));
  draw(run, net, test, flowers);
  run.finish(net);
  run.expect_at_least("test_r2", kLeastR2);
  run.expect_at_least("test_accuracy", kLeastAccuracy);
}

int main(int argc, char** argv) {
  return example::run(argc, argv,
                      {.name = "regression",
                       .purpose = "Predicts a flower's petal width, and its species",
                       .epochs = kEpochs,
                       .batch_size = 16,
                       .lr = 3e-3},
                      train);
}
