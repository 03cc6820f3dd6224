// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/checkpoint.hpp>
#include <xtape/autograd/gradcheck.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/math.hpp>
#include <xtape/autograd/ops/matmul.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/nn/containers.hpp>
#include <xtape/nn/convolution.hpp>
#include <xtape/nn/linear.hpp>
#include <xtape/nn/spectral_norm.hpp>
#include <xtape/nn/state.hpp>
#include <xtape/nn/weight_norm.hpp>

#include "nn_test.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using nn::SpectralNorm;
using nn::WeightNorm;
using nn_test::check_values;
using nn_test::values;

std::vector<std::string> names(const nn::NamedTensors& named) {
  std::vector<std::string> found;
  for (const auto& [name, t] : named) found.push_back(name);
  return found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_weight_norm)

BOOST_AUTO_TEST_CASE(lengths_and_directions) {
  const Tensor v = tensor({{3, 4}, {0, 5}}), g = tensor({10, 1}).view({2, 1});
  check_values(nn::weight_norm(v, g), {6, 8, 0, 1}, 1e-6);
  check_values(nn::weight_norm(v, ones({1, 2}), 1), {1, 0.6246950, 0, 0.7808688}, 1e-6);
  check_values(nn::weight_norm(v, scalar_tensor(2, float32), -1),
               {6 / std::sqrt(50.0), 8 / std::sqrt(50.0), 0, 10 / std::sqrt(50.0)}, 1e-6);
}

BOOST_AUTO_TEST_CASE(layers_are_pytorchs) {
  const auto check = [](const std::string& name, const auto& layer, bool training = true) {
    nn_test::check_reference("layers.safetensors", name, layer, training);
  };
  check("weight_norm", WeightNorm<nn::Linear>{nn::Linear(4, 3)});
  check("weight_norm_last", WeightNorm<nn::Conv2d>(nn::Conv2d(4, 2, 3), 1));
  check("weight_norm_all", WeightNorm<nn::Conv2d>(nn::Conv2d(4, 2, 3), -1));
  for (const bool training : {true, false}) {
    const std::string mode = training ? "train" : "eval";
    check("spectral_norm_" + mode, SpectralNorm<nn::Linear>{nn::Linear(4, 3)}, training);
    check("spectral_norm_twice_" + mode,
          SpectralNorm<nn::Conv2d>(nn::Conv2d(4, 2, 3), {.n_power_iterations = 2}), training);
  }
  check("spectral_norm_transposed",
        SpectralNorm<nn::ConvTranspose2d>(nn::ConvTranspose2d(4, 2, 3), {.dim = 1}));
}

BOOST_AUTO_TEST_CASE(a_layer_starts_as_it_was_and_learns_its_parts) {
  manual_seed(2);
  nn::Linear plain(3, 4);
  WeightNorm<nn::Linear> layer{nn::Linear(plain)};
  const Tensor x = randn({5, 3});
  check_values(layer(x), values(plain(x)), 1e-6);
  const std::vector<std::string> expected{"bias", "weight_g", "weight_v"};
  BOOST_TEST(names(layer.named_parameters()) == expected, boost::test_tools::per_element());
  BOOST_TEST((layer.weight_g.shape() == Shape{4, 1}));
  layer(x).sum().backward();
  BOOST_TEST(layer.weight_g.grad().defined());
  BOOST_TEST(layer.weight_v.grad().defined());
  BOOST_TEST(!layer.weight.defined());
  // The gradient of the direction stands upright on it.
  const auto slope = values(sum(layer.weight_v.grad() * layer.weight_v, {1}));
  for (const double s : slope) BOOST_TEST(std::abs(s) < 1e-5);
}

BOOST_AUTO_TEST_CASE(gradients_of_every_order) {
  manual_seed(2);
  const auto f = [](const Tensor& v, const Tensor& g) { return nn::weight_norm(v, g); };
  const std::vector<Tensor> inputs{randn({3, 4}, float64), randn({3, 1}, float64)};
  const auto first = gradcheck(f, inputs), second = gradgradcheck(f, inputs);
  BOOST_TEST(first.ok, first.text());
  BOOST_TEST(second.ok, second.text());
}

BOOST_AUTO_TEST_CASE(copies_and_saved_states_work) {
  manual_seed(2);
  WeightNorm<nn::Conv2d> layer{nn::Conv2d(2, 3, 3)};
  BOOST_TEST((layer.weight_g.shape() == Shape{3, 1, 1, 1}));
  const WeightNorm<nn::Conv2d> copy = layer;
  const Tensor x = randn({1, 2, 5, 5});
  const auto before = values(layer(x));
  BOOST_TEST(values(WeightNorm<nn::Conv2d>(copy)(x)) == before, boost::test_tools::per_element());
  nn::Sequential net(layer, nn::Conv2d(3, 1, 1));
  WeightNorm<nn::Conv2d> other{nn::Conv2d(2, 3, 3)};
  nn::load_state(other, nn::state_dict(layer));
  BOOST_TEST(values(other(x)) == before, boost::test_tools::per_element());
  BOOST_TEST(net(x).numel() == 9);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(nn_spectral_norm)

BOOST_AUTO_TEST_CASE(a_checkpoint_computes_the_same_again) {
  manual_seed(6);
  SpectralNorm<nn::Linear> plain{nn::Linear(4, 3)}, saved{nn::Linear(4, 3)};
  nn::load_state(saved, nn::state_dict(plain));
  const Tensor x = randn({2, 4}).requires_grad_();
  square(plain(x)).sum().backward();
  square(checkpoint([&](const Tensor& t) { return saved(t); }, x)).sum().backward();
  check_values(saved.weight_orig.grad(), values(plain.weight_orig.grad()), 1e-6);
  check_values(saved.weight_u, values(plain.weight_u));
}

BOOST_AUTO_TEST_CASE(the_largest_singular_value_becomes_one) {
  manual_seed(2);
  nn::Linear plain(3, 3, {.bias = false, .dtype = float64});
  plain.weight.set_data(tensor({{3, 0, 0}, {0, 2, 0}, {0, 0, 1}}, float64));
  SpectralNorm<nn::Linear> layer{nn::Linear(plain), {.n_power_iterations = 20}};
  const Tensor x = eye(3, 3, float64);
  for (int i = 0; i < 3; ++i) layer(x);
  check_values(layer(x), {1, 0, 0, 0, 2.0 / 3, 0, 0, 0, 1.0 / 3}, 1e-9);
  const std::vector<std::string> parameters{"weight_orig"}, buffers{"weight_u", "weight_v"};
  BOOST_TEST(names(layer.named_parameters()) == parameters, boost::test_tools::per_element());
  BOOST_TEST(names(layer.named_buffers()) == buffers, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(evaluation_leaves_the_estimate_alone) {
  manual_seed(2);
  SpectralNorm<nn::Conv2d> layer{nn::Conv2d(2, 3, 3)};
  const Tensor x = randn({1, 2, 5, 5});
  const auto at_first = values(layer.weight_u);
  layer(x);
  const auto u = values(layer.weight_u);
  BOOST_TEST(u != at_first);
  layer.eval();
  const auto y = values(layer(x));
  BOOST_TEST(values(layer.weight_u) == u, boost::test_tools::per_element());
  BOOST_TEST(values(layer(x)) == y, boost::test_tools::per_element());
}

// Two calls before one backward, as a discriminator has them.
BOOST_AUTO_TEST_CASE(several_calls_before_a_backward) {
  manual_seed(2);
  SpectralNorm<nn::Linear> layer{nn::Linear(4, 3)};
  const Tensor loss = square(layer(randn({5, 4}))).sum() - layer(randn({5, 4})).sum();
  loss.backward();
  BOOST_TEST((layer.weight_orig.grad().shape() == Shape{3, 4}));
}

BOOST_AUTO_TEST_CASE(the_gradient_takes_u_and_v_as_constants) {
  manual_seed(2);
  const Tensor u = nn::detail::random_direction(3, float64);
  const Tensor v = nn::detail::random_direction(4, float64);
  const auto report =
      gradcheck([&](const Tensor& w) { return nn::detail::over_spectral_norm(w, u, v, 0); },
                {randn({3, 4}, float64) + 1});
  BOOST_TEST(report.ok, report.text());
}

BOOST_AUTO_TEST_SUITE_END()
