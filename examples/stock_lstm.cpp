// SPDX-License-Identifier: BSD-3-Clause
// The price of a share by a stacked LSTM, from 60 days' opening prices that of the next; beside it
// persistence, that tomorrow's price is today's. Reads Google_Stock_Price_Train.csv and _Test.csv
// from --data-dir, or invents a random walk, which nothing predicts better than persistence.
#include <xtape/xtape.hpp>

#include "common.hpp"

namespace nn = xtape::nn;
namespace data = xtape::data;
namespace optim = xtape::optim;
using xtape::Tensor;

constexpr std::int64_t kWindow = 60, kHidden = 50, kLayers = 2, kTruncation = 20, kTestDays = 20;
constexpr int kEpochs = 30;
constexpr double kMostPercent = 3;

struct Net : nn::Module {
  nn::LSTM lstm{1, kHidden, {.num_layers = kLayers, .dropout = 0.2}};
  nn::Dropout drop{0.2};
  nn::Linear price{kHidden, 1};
  XTAPE_PARTS(lstm, drop, price)

  /// Prices [days, batch, 1]; gives for each day the price of the next.
  nn::LSTMResult forward(const Tensor& x, const nn::LSTMState& state = {}) {
    const auto [y, after] = lstm(x, state);
    return {price(drop(y)), after};
  }
};

/// Opening prices [days, 1]; the last kTestDays are those to predict.
Tensor load(const example::Flags& flags) {
  const auto read = [&](const char* file) {
    return data::read_csv(example::find_data(flags, "series", file))
        .matrix({"Open"}, xtape::float64);
  };
  const data::RandomWalkOptions walk{.start = 300, .drift = 7e-4, .volatility = 0.015, .seed = 1};
  const Tensor all =
      flags.data_dir.empty()
          ? data::geometric_random_walk(1278, walk).unsqueeze(1)
          : xtape::cat({read("Google_Stock_Price_Train.csv"), read("Google_Stock_Price_Test.csv")});
  const std::int64_t limit = std::max(flags.limit, kWindow + 1) + kTestDays;
  const std::int64_t days = flags.limit ? std::min(all.size(0), limit) : all.size(0);
  return narrow(all, 0, all.size(0) - days, days);
}

/// The windows of kWindow days and the day after, [windows, kWindow + 1].
Tensor windows(const Tensor& scaled) {
  return unfold(scaled.squeeze(1), 0, kWindow + 1, 1).to(xtape::float32).contiguous();
}

/// Learns each day's successor within the windows w [batch, kWindow + 1]; the gradient goes back
/// kTruncation days. Returns the mean loss.
double learn(Net& net, optim::Optimizer& optimizer, const Tensor& w) {
  const Tensor days = w.t().unsqueeze(2).contiguous();
  double loss_sum = 0;
  nn::truncated_bptt(kWindow, kTruncation, nn::LSTMState{},
                     [&](std::int64_t begin, std::int64_t count, const nn::LSTMState& before) {
                       auto [y, after] = net(narrow(days, 0, begin, count), before);
                       const Tensor loss = nn::mse_loss(y, narrow(days, 0, begin + 1, count));
                       optimizer.zero_grad();
                       loss.backward();
                       nn::clip_grad_norm_(net, 1);
                       optimizer.step();
                       loss_sum += loss.item<double>() * static_cast<double>(count);
                       return after;
                     });
  return loss_sum / kWindow;
}

/// The prices after each window, [windows, 1].
Tensor predict(Net& net, const Tensor& w, const data::Scaler& scaler) {
  const xtape::NoGrad no_grad;
  net.eval();
  const Tensor y = net(narrow(w, 1, 0, kWindow).t().unsqueeze(2).contiguous()).output;
  net.train();
  return scaler.inverse_transform(y[kWindow - 1].to(xtape::float64));
}

/// Root of the mean squared error, as a percentage of the mean price.
double rmse_percent(const Tensor& prediction, const Tensor& truth) {
  return 100 * (sqrt(nn::mse_loss(prediction, truth)) / mean(truth)).item<double>();
}

void write(const example::Run& run, const Tensor& real, const Tensor& predicted,
           const Tensor& before) {
  data::Plot plot({.title = "Opening price, a day ahead", .x_label = "day", .y_label = "price"});
  for (const auto& [name, x] : {std::pair{"real", real}, std::pair{"LSTM", predicted},
                                std::pair{"the day before", before}}) {
    const Tensor dense = x.contiguous();
    plot.line(name, {dense.data<double>(), kTestDays});
  }
  plot.save(run.path("prediction.svg"));
}

void train(example::Run& run) {
  const example::Flags& flags = run.flags;
  const Tensor all = load(flags), known = narrow(all, 0, 0, all.size(0) - kTestDays);
  run.say(std::to_string(known.size(0)) + " days to learn, 20 to predict");
  const Tensor real = narrow(all, 0, known.size(0), kTestDays);
  const Tensor before = narrow(all, 0, known.size(0) - 1, kTestDays);
  data::MinMaxScaler scaler;
  scaler.fit(known);
  const Tensor w = windows(scaler.transform(known));
  const Tensor test =
      windows(scaler.transform(narrow(all, 0, known.size(0) - kWindow, kWindow + kTestDays)));
  Net net;
  optim::Adam optimizer(net.parameters(), {.lr = flags.lr});
  data::DataLoader loader(data::TensorDataset(w),
                          {.batch_size = flags.batch_size, .shuffle = true, .seed = flags.seed});
  run.resume(net, optimizer, {.loader = &loader});
  const auto figures = [&]() -> example::Values {
    return {{"rmse_percent", rmse_percent(predict(net, test, scaler), real)},
            {"persistence_percent", rmse_percent(before, real)}};
  };
  const auto steps = static_cast<double>(flags.epochs * loader.size());
  while (run.next_epoch(loader.size())) {
    for (const auto& [x, none] : loader) {
      optimizer.set_lr(flags.lr * (1 - run.steps_done() / steps));  // down to 0 in a straight line
      if (!run.step(learn(net, optimizer, x), x.size(0))) break;
    }
    if (run.epoch_done()) run.end_epoch(figures());
  }
  if (flags.epochs == 0) run.end_epoch(figures());
  write(run, real, predict(net, test, scaler), before);
  run.finish(net);
  run.expect_at_most("rmse_percent", kMostPercent);
}

int main(int argc, char** argv) {
  return example::run(argc, argv,
                      {.name = "stock_lstm",
                       .purpose = "Predicts the price of a share by a stacked LSTM",
                       .epochs = kEpochs,
                       .batch_size = 32,
                       .lr = 2e-3},
                      train);
}
