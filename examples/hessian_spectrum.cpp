// SPDX-License-Identifier: BSD-3-Clause
// How curved is the loss of a trained network? A few eigenvalues of its Hessian are large, nearly
// all are about 0. Lanczos' method finds their density from products of the Hessian with vectors,
// without the Hessian (Ghorbani, Krishnan and Xiao, "An investigation into neural net optimization
// via Hessian eigenvalue density", ICML 2019); this network is small enough to compute the whole
// matrix beside it.
#include <xtape/xtape.hpp>

#include <numbers>

#include "common.hpp"

namespace nn = xtape::nn;
namespace data = xtape::data;
using xtape::Tensor;

constexpr int kEpochs = 20, kProbes = 10;
constexpr std::int64_t kSamples = 1000, kClasses = 3, kHidden = 20, kLanczosSteps = 80,
                       kGrid = 1000;
constexpr double kMostError = 1e-10, kMostDistance = 0.03;
constexpr nn::LinearOptions kFloat64{.dtype = xtape::float64};

struct Net : nn::Module {
  nn::Linear a{2, kHidden, kFloat64}, b{kHidden, kHidden, kFloat64}, c{kHidden, kClasses, kFloat64};
  XTAPE_PARTS(a, b, c)
  Tensor forward(const Tensor& x) override { return c(tanh(b(tanh(a(x))))); }
};

/// The loss as a function of all weights in one vector.
Tensor loss_of(const Net& net, const data::Batch& samples, const Tensor& weights) {
  std::vector<Tensor> w;
  std::int64_t from = 0;
  for (const Tensor& p : net.parameters()) {
    w.push_back(narrow(weights, 0, from, p.numel()).view(p.shape()));
    from += p.numel();
  }
  const Tensor hidden = tanh(linear(tanh(linear(samples.x, w[0], w[1])), w[2], w[3]));
  return nn::cross_entropy(linear(hidden, w[4], w[5]), samples.y);
}

/// Eigenvalues, and for each its share of the spectrum.
struct Spectrum {
  Tensor values, shares;
};

/// Those of a symmetric matrix within the space of v, Hv, HHv, ..., for a random v, and the squares
/// of what each eigenvector has in common with v. `product` multiplies by H. Rounding costs
/// Lanczos' vectors their right angles, so each is made orthogonal to all before, twice.
template <class Product>
Spectrum lanczos(Product product, std::int64_t size) {
  std::vector<Tensor> basis, products;
  Tensor v = xtape::randn({size}, xtape::float64);
  while (std::ssize(basis) < std::min(kLanczosSteps, size)) {
    const double length = norm(v).item<double>();
    if (length < 1e-10) break;  // the space is all that H makes of v
    basis.push_back(v / length);
    products.push_back(product(basis.back()));
    v = products.back();
    for (int twice = 0; twice < 2; ++twice) v = v - mv(stack(basis).t(), mv(stack(basis), v));
  }
  const auto [values, vectors] = eigh(matmul(stack(products), stack(basis).t()));
  return {values, square(vectors[0])};
}

/// At each of x, every eigenvalue being a narrow normal distribution.
Tensor density(const Spectrum& s, const Tensor& x, double width) {
  const Tensor z = (x.unsqueeze(1) - s.values) / width;
  return mv(exp(-0.5 * square(z)), s.shares) / (width * std::sqrt(2 * std::numbers::pi));
}

/// Draws all eigenvalues and those by Lanczos, and compares the two.
example::Values figures(const example::Run& run, Net& net, const data::Batch& samples) {
  const xtape::NoGrad no_grad;
  const Tensor weights = nn::parameters_to_vector(net.parameters());
  const auto loss = [&](const Tensor& w) { return loss_of(net, samples, w); };
  const auto product = [&](const Tensor& v) { return xtape::hvp(loss, weights, v).second; };
  std::vector<Tensor> values, shares;
  for (int i = 0; i < kProbes; ++i) {
    const Spectrum found = lanczos(product, weights.numel());
    values.push_back(found.values);
    shares.push_back(found.shares / kProbes);
  }
  const Spectrum found{xtape::cat(values), xtape::cat(shares)};
  const Tensor hessian = xtape::hessian(loss, weights), exact = eigvalsh(hessian);
  const Spectrum all{exact, xtape::full_like(exact, 1.0 / static_cast<double>(exact.numel()))};
  const Tensor v = xtape::randn(weights.shape(), xtape::float64), of_matrix = mv(hessian, v);

  const double largest = max(exact).item<double>(), least = min(exact).item<double>();
  const double width = (largest - least) / 200;
  const Tensor x = xtape::linspace(least - 4 * width, largest + 4 * width, kGrid, xtape::float64);
  const Tensor of_all = density(all, x, width), of_found = density(found, x, width);
  const auto shown = [](const Tensor& y) { return masked_fill(y, y < 1e-4, NAN); };
  example::write_curves(run, "spectrum",
                        {.title = "Eigenvalues of the Hessian",
                         .x_label = "eigenvalue",
                         .y_label = "density",
                         .y_axis = data::Axis::logarithmic},
                        x, {{"all", shown(of_all)}, {"by Lanczos", shown(of_found)}});
  const double accuracy = sum(eq(argmax(net(samples.x), 1), samples.y)).item<double>() /
                          static_cast<double>(samples.y.numel());
  return {{"train_accuracy", accuracy},
          {"largest", largest},
          {"least", least},
          {"largest_error", std::abs(max(found.values).item<double>() / largest - 1)},
          {"product_error", (norm(product(v) - of_matrix) / norm(of_matrix)).item<double>()},
          {"distance", (sum(abs(of_found - of_all)) / sum(of_found + of_all)).item<double>()}};
}

void train(example::Run& run) {
  const example::Flags& flags = run.flags;
  if (!flags.data_dir.empty()) throw std::runtime_error("--data-dir: nothing to read here");
  const data::Batch made =
      data::spirals(flags.limit ? std::min(flags.limit, kSamples) : kSamples,
                    {.classes = kClasses, .turns = 0.7, .noise = 0.03, .seed = flags.seed});
  const data::Batch samples{made.x.to(xtape::float64), made.y};
  data::DataLoader loader(data::TensorDataset(samples.x, samples.y),
                          {.batch_size = flags.batch_size, .shuffle = true, .seed = flags.seed});
  Net net;
  xtape::optim::Adam optimizer(net.parameters(), {.lr = flags.lr});
  run.resume(net, optimizer, {.loader = &loader});
  while (run.next_epoch(loader.size())) {
    for (const auto& [x, y] : loader) {
      const Tensor loss = nn::cross_entropy(net(x), y);
      optimizer.zero_grad();
      loss.backward();
      optimizer.step();
      if (!run.step(loss.item<double>(), x.size(0))) break;
    }
    if (run.epoch_done()) run.end_epoch(figures(run, net, samples));
  }
  if (flags.epochs == 0) run.end_epoch(figures(run, net, samples));
  run.finish(net);
  if (run.figure("product_error") > kMostError || run.figure("largest_error") > kMostError) {
    throw std::runtime_error("the products are not those of the Hessian");
  }
  run.expect_at_most("distance", kMostDistance);
}

int main(int argc, char** argv) {
  return example::run(argc, argv,
                      {.name = "hessian_spectrum",
                       .purpose = "Draws the eigenvalues of the Hessian of a trained network",
                       .epochs = kEpochs,
                       .batch_size = 20,
                       .lr = 1e-2},
                      train);
}
