// SPDX-License-Identifier: BSD-3-Clause
// Fraud among applications for credit cards: a self-organizing map finds customers unlike all
// others, untold what fraud is; a network that learns its verdicts ranks all customers. Reads
// Credit_Card_Applications.csv from --data-dir, or invents applications.
#include <xtape/xtape.hpp>

#include "common.hpp"

namespace nn = xtape::nn;
namespace data = xtape::data;
using xtape::Tensor;

constexpr std::int64_t kSide = 10, kEpochs = 20, kNetEpochs = 100;
constexpr double kOutlying = 2, kLeastAuc = 0.95, kMostTopographicError = 0.05, kLeastFound = 0.8;

struct Net : nn::Module {
  nn::SelfOrganizingMap map;
  nn::Sequential judge;  // of what a customer wrote and whether he was accepted
  XTAPE_PARTS(map, judge)
  explicit Net(std::int64_t features)
      : map(kSide, kSide, features),
        judge(nn::Linear(features + 1, 16), nn::ReLU(), nn::Linear(16, 1), nn::Flatten(0)) {}
};

data::Table take(const data::Table& table, const Tensor& rows) {
  return table.take({rows.data<std::int64_t>(), static_cast<std::size_t>(rows.numel())});
}

data::Table load(const example::Flags& flags) {
  if (flags.data_dir.empty()) return data::credit_applications(flags.limit ? flags.limit : 690, 1);
  const data::Table table =
      data::read_csv(example::find_data(flags, "tabular", "Credit_Card_Applications.csv"));
  const std::int64_t rows = flags.limit ? std::min(flags.limit, table.rows()) : table.rows();
  return take(table, xtape::arange(0, rows, 1, xtape::int64));
}

std::vector<double> numbers(const Tensor& x) {
  const Tensor dense = x.to(xtape::float64).contiguous();
  return {dense.data<double>(), dense.data<double>() + dense.numel()};
}

/// The distance map, with marks for the customers of each unit.
void draw(const example::Run& run, const nn::SelfOrganizingMap& map, const Tensor& x,
          const Tensor& accepted, const Tensor& verdict) {
  const Tensor distances = map.distance_map(), unit = map.best_matching_units(x);
  data::HeatMap picture(distances, {.title = "Customers", .value_label = "to neighbours"});
  for (const auto& [name, share] :
       {std::pair{"refused", 1 - accepted}, std::pair{"accepted", accepted},
        std::pair{"outlying", verdict}}) {
    picture.marks(name, bincount(unit, share, map.units()).reshape(distances.shape()));
  }
  picture.save(run.path("distance_map.svg"));
}

/// Trains the network on the map's verdicts, and returns each customer's probability.
Tensor learn_verdicts(nn::Sequential& net, const Tensor& x, const Tensor& verdict,
                      std::uint64_t seed) {
  xtape::optim::Adam optimizer(net.parameters(), {.lr = 0.01});
  data::DataLoader loader(data::TensorDataset(x, verdict),
                          {.batch_size = 32, .shuffle = true, .seed = seed});
  xtape::optim::Trainer(net, nn::BCEWithLogitsLoss(), optimizer)
      .fit(loader, {.epochs = kNetEpochs});
  const xtape::NoGrad no_grad;
  return sigmoid(net(x));
}

/// ranking.csv: all, the most suspect first. outliers.csv, returned: the outlying ones accepted.
data::Table write_lists(const example::Run& run, const data::Table& table, const Tensor& verdict,
                        const Tensor& probability) {
  data::Table ranking = table.select({"CustomerID", "Class"});
  ranking.add("outlying", numbers(verdict)).add("probability", numbers(probability));
  ranking = take(ranking, argsort(probability, 0, true));
  data::write_csv(run.path("ranking.csv"), ranking);
  const Tensor suspect = ranking.tensor("outlying") * ranking.tensor("Class");
  const data::Table outliers = take(ranking, nonzero(suspect).flatten());
  data::write_csv(run.path("outliers.csv"), outliers);
  return outliers;
}

void train(example::Run& run) {
  const example::Flags& flags = run.flags;
  const data::Table table = load(flags);
  std::vector<std::string> features;
  for (int i = 1; i <= 14; ++i) features.push_back("A" + std::to_string(i));
  const Tensor x = data::MinMaxScaler().fit_transform(table.matrix(features));
  const Tensor accepted = table.tensor("Class");
  run.say(std::to_string(table.rows()) + " applications");
  Net net(x.size(1));
  net.map.init_pca_(x);
  const nn::SomFitOptions options{.epochs = flags.epochs, .learning_rate = flags.lr};
  if (flags.epochs > 0) {
    for (int epoch = 1; const double error : net.map.fit(x, options)) {
      run.begin_epoch(epoch++, 1);
      run.step(error, table.rows());
    }
  }
  // Outlying by their own distance: a unit between two crowds lies far from its neighbours too.
  const Tensor distance = amin(net.map(x), {1});
  const Tensor verdict =
      (distance > mean(distance) + kOutlying * xtape::std(distance)).to(xtape::float32);
  draw(run, net.map, x, accepted, verdict);
  const Tensor known = xtape::cat({x, accepted.unsqueeze(1)}, 1);
  const Tensor probability = learn_verdicts(net.judge, known, verdict, flags.seed);
  const data::Table outliers = write_lists(run, table, verdict, probability);
  for (const double id : outliers.numbers("CustomerID")) {
    run.say("accepted, unlike all others: " + std::to_string(static_cast<std::int64_t>(id)));
  }
  const double outlying = sum(verdict).item<double>();
  xtape::optim::ROCAUC auc;
  if (outlying > 0) auc.update(probability, verdict);
  example::Values figures{{"quantization_error", net.map.quantization_error(x)},
                          {"topographic_error", net.map.topographic_error(x)},
                          {"outlying", outlying},
                          {"outlying_accepted", static_cast<double>(outliers.rows())},
                          {"ranking_auc", outlying > 0 ? auc.value() : NAN}};
  const bool known_irregular = table.contains("Irregular");  // of the built-in data
  if (known_irregular) {
    const Tensor found = verdict * table.tensor("Irregular");
    figures.emplace_back("irregular_found",
                         (sum(found) / sum(table.tensor("Irregular"))).item<double>());
  }
  run.end_epoch(figures);
  run.finish(net);
  run.expect_at_least("ranking_auc", kLeastAuc);
  run.expect_at_most("topographic_error", kMostTopographicError);
  if (known_irregular) run.expect_at_least("irregular_found", kLeastFound);
}

int main(int argc, char** argv) {
  return example::run(argc, argv,
                      {.name = "fraud_som",
                       .purpose = "Finds customers unlike all others by a self-organizing map",
                       .epochs = kEpochs,
                       .batch_size = 1,
                       .lr = 0.5},
                      train);
}
