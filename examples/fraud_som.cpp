// SPDX-License-Identifier: BSD-3-Clause
// Fraud among applications for credit cards: a self-organizing map finds customers unlike all
// others, untold what fraud is; a network that learns its verdicts ranks all customers. Reads
// Credit_Card_Applications.csv from --data-dir, or invents applications.
#include <xtape/xtape.hpp>

#include "common.hpp"

namespace nn = xtape::nn;
namespace data = xtape::data;
using xtape::Tensor;

constexpr std::int64_t kSide = 10, kMapEpochs = 20;
constexpr int kEpochs = 100;  // of the network
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

/// The network learns the map's verdicts. Returns each customer's probability.
Tensor learn_verdicts(example::Run& run, Net& net, const Tensor& x, const Tensor& verdict) {
  const example::Flags& flags = run.flags;
  xtape::optim::Adam optimizer(net.judge.parameters(), {.lr = flags.lr});
  data::DataLoader loader(data::TensorDataset(x, verdict),
                          {.batch_size = flags.batch_size, .shuffle = true, .seed = flags.seed});
  const auto probability = [&] {
    const xtape::NoGrad no_grad;
    return sigmoid(net.judge(x));
  };
  const auto figures = [&]() -> example::Values {
    xtape::optim::ROCAUC auc;
    auc.update(probability(), verdict);
    return {{"ranking_auc", sum(verdict).item<double>() > 0 ? auc.value() : NAN}};
  };
  run.resume(net, optimizer, {.loader = &loader});
  while (run.next_epoch(loader.size())) {
    for (const auto& [some, target] : loader) {
      const Tensor loss = nn::binary_cross_entropy_with_logits(net.judge(some), target);
      optimizer.zero_grad();
      loss.backward();
      optimizer.step();
      if (!run.step(loss.item<double>(), some.size(0))) break;
    }
    if (run.epoch_done()) run.end_epoch(figures());
  }
  if (flags.epochs == 0) run.end_epoch(figures());
  return probability();
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
  net.map.fit(x, {.epochs = kMapEpochs});
  // Outlying by their own distance: a unit between two crowds lies far from its neighbours too.
  const Tensor distance = amin(net.map(x), {1});
  const Tensor verdict =
      (distance > mean(distance) + kOutlying * xtape::std(distance)).to(xtape::float32);
  draw(run, net.map, x, accepted, verdict);
  const double torn = net.map.topographic_error(x);
  run.set("quantization_error", net.map.quantization_error(x));
  run.set("topographic_error", torn);
  run.set("outlying", sum(verdict).item<double>());
  double found = NAN;
  if (table.contains("Irregular")) {  // the built-in data know them
    const Tensor irregular = table.tensor("Irregular");
    found = (sum(verdict * irregular) / sum(irregular)).item<double>();
    run.set("irregular_found", found);
  }
  const Tensor known = xtape::cat({x, accepted.unsqueeze(1)}, 1);
  const Tensor probability = learn_verdicts(run, net, known, verdict);
  const data::Table outliers = write_lists(run, table, verdict, probability);
  for (const double id : outliers.numbers("CustomerID")) {
    run.say("accepted, unlike all others: " + std::to_string(static_cast<std::int64_t>(id)));
  }
  run.set("outlying_accepted", static_cast<double>(outliers.rows()));
  run.finish(net);
  run.expect_at_least("ranking_auc", kLeastAuc);
  run.expect(torn <= kMostTopographicError, "topographic_error of at most 0.05");
  run.expect(!(found < kLeastFound), "irregular_found of at least 0.8");
}

int main(int argc, char** argv) {
  return example::run(argc, argv,
                      {.name = "fraud_som",
                       .purpose = "Finds customers unlike all others by a self-organizing map",
                       .epochs = kEpochs,
                       .batch_size = 32,
                       .lr = 0.01},
                      train);
}
