// SPDX-License-Identifier: BSD-3-Clause
// What a convolutional net sees, its filters and feature maps, and what makes it better: one more
// convolution, one more dense layer, augmentation. Reads MNIST's files and, for the improvements,
// data_batch_1 of CIFAR-10 from --data-dir, or learns built-in digits.
#include <xtape/xtape.hpp>

#include "digits.hpp"

namespace nn = xtape::nn;
namespace data = xtape::data;
namespace optim = xtape::optim;
using xtape::Tensor;

constexpr int kSeeds = 5;
constexpr double kLeastReal = 0.992, kLeastBuiltIn = 0.99, kLeastErrors = 2;

/// For digits [1, 28, 28] or photographs [3, 32, 32]; `added` is nothing, one thing or all three.
nn::Sequential make_net(const xtape::Shape& image, const std::string& added) {
  const auto has = [&](const char* what) { return added == what || added == "all three"; };
  std::int64_t maps = image[0], side = image[1];
  nn::Sequential net;
  if (has("augmentation")) {
    const data::RandomHorizontalFlip flip(maps == 3 ? 0.5 : 0);  // digits have no mirror image
    const data::RandomCrop shift(side, side, {.padding = 2});
    net.push_back(optim::Augmentation(flip, data::RandomRotation(10), shift));
  }
  const auto convolve = [&](std::int64_t filters) {
    net.push_back(nn::Conv2d(maps, filters, 3, {.padding = 1})).push_back(nn::ReLU());
    net.push_back(nn::MaxPool2d(2));
    maps = filters;
    side /= 2;
  };
  convolve(32);
  if (has("convolution")) convolve(64);
  net.push_back(nn::Flatten()).push_back(nn::Linear(maps * side * side, 128));
  net.push_back(nn::ReLU());
  if (has("dense layer")) net.push_back(nn::Linear(128, 128)).push_back(nn::ReLU());
  net.push_back(nn::Linear(128, 10));
  return net;
}

/// Pictures of the first filters, and of what becomes of an image, layer by layer.
void draw(const example::Run& run, nn::Sequential& net, const Tensor& image) {
  const xtape::NoGrad no_grad;
  net.eval();
  const auto save = [&](const std::string& name, const Tensor& pictures) {
    data::save_image(run.path(name + ".png"), pictures,
                     {.scale = 112 / pictures.size(-1), .normalize = true});
  };
  save("filters", net.at<nn::Conv2d>(1).weight);
  Tensor x = image.unsqueeze(0);
  std::size_t layer = 0;
  for (const char* name : {"image", "convolution", "relu", "pooling", "second_convolution",
                           "second_relu", "second_pooling"}) {
    x = net[layer++](x);
    save(name, x.transpose(0, 1));  // [maps, 1, height, width]
  }
}

/// What the improvements are measured on: digits, or photographs.
data::TensorDataset load_pictures(const example::Flags& flags) {
  const auto limited = [&](std::int64_t n) {
    return flags.limit ? std::clamp<std::int64_t>(flags.limit, 4, n) : n;
  };
  if (flags.data_dir.empty()) {
    const data::Digits digits = data::generate_digits(limited(1200), 1);
    return data::TensorDataset(digits.images, digits.labels);
  }
  const bool whole = std::filesystem::exists(flags.data_dir + "/cifar10/data_batch_1.bin");
  const auto found = data::read_cifar10(example::find_data(
      flags, "cifar10", whole ? "data_batch_1.bin" : "data_batch_1.first3000.bin"));
  const std::int64_t n = std::min(limited(3000), found.labels.numel());
  return data::TensorDataset(narrow(found.images, 0, 0, n).to(xtape::float32) / 255,
                             narrow(found.labels, 0, 0, n));
}

/// Trains with each addition from five seeds, of weights, order and the pictures for testing, and
/// draws the gains seed by seed. Returns by how many standard errors all three improve.
double study(example::Run& run, const data::TensorDataset& pictures, double test_size) {
  const std::string results = run.path("study.tsv");  // for --resume
  if (!run.flags.resume) std::filesystem::remove(results);
  std::vector<optim::Fold> seeds;
  for (std::uint64_t seed = run.flags.seed; seeds.size() < kSeeds; ++seed) {
    const auto [train, test] =
        data::train_test_split(pictures.size(), {.test_size = test_size, .seed = seed});
    seeds.push_back({train, test});
  }
  const auto learner = [](const optim::Point& point, const data::Dataset& train) {
    optim::Learner made{.epochs = point.whole("epochs"), .batch_size = 32};
    nn::Sequential net = make_net(train.get(0).x.shape(), point.text("added"));
    made.model = std::make_unique<nn::Sequential>(std::move(net));
    made.optimizer = std::make_unique<optim::Adam>(made.model->parameters());
    made.trainer = std::make_unique<optim::Trainer>(*made.model, nn::CrossEntropyLoss(),
                                                    *made.optimizer, optim::Accuracy());
    return made;
  };
  const optim::SearchResult found = optim::grid_search(
      learner,
      {{"added", {"nothing", "convolution", "dense layer", "augmentation", "all three"}},
       {"epochs", {4 * run.flags.epochs}}},
      pictures, seeds,
      {.threads = xtape::num_threads(),
       .seed = run.flags.seed,
       .results = results,
       .stop = example::interrupted});
  if (!found.complete) return NAN;
  run.say(found.to_string());
  data::write_csv(run.path("study.csv"), found.table());
  std::vector<std::string> names;
  std::vector<double> gains, errors;
  const optim::FoldStatistics& base = found.rows[0].figures.at(1);
  for (std::size_t i = 1; i < found.rows.size(); ++i) {
    const auto [gain, error] = optim::paired_difference(found.rows[i].figures.at(1), base);
    names.push_back(found.rows[i].point.text("added"));
    gains.push_back(gain);
    errors.push_back(error);
    run.say(names.back() + " gains " + std::to_string(gain) + " +- " + std::to_string(error));
  }
  data::Plot({.title = "Accuracy gained by what is added", .y_label = "gain"})
      .bars("", names, gains, errors)
      .save(run.path("gains.svg"));
  run.set("base_accuracy", base.mean);
  run.set("gain", gains.back());
  run.set("gain_standard_error", errors.back());
  return gains.back() / errors.back();
}

void train(example::Run& run) {
  const bool built_in = run.flags.data_dir.empty();
  const example::DigitSets digits = example::load_digits(run, 6000, 2000);
  const data::TensorDataset pictures = load_pictures(run.flags);
  nn::Sequential net = make_net({1, 28, 28}, "all three");
  example::learn_digits(run, net, digits);
  draw(run, net, digits.test.images[0]);
  const double in_errors = study(run, pictures, built_in ? 3. / 4 : 1. / 3);
  run.finish(net);
  run.expect_at_least("test_accuracy", built_in ? kLeastBuiltIn : kLeastReal);
  run.expect(in_errors >= kLeastErrors, "all three to gain at least two standard errors");
}

int main(int argc, char** argv) {
  return example::run(argc, argv,
                      {.name = "image_cnn",
                       .purpose = "Draws what a convolutional net sees, measures what improves it",
                       .epochs = 5,
                       .batch_size = 64,
                       .lr = 2e-3},
                      train);
}
