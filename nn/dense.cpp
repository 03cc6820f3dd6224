// SPDX-License-Identifier: BSD-3-Clause
#include "dense.hpp"

#include <cmath>
#include <string_view>

#include "../autograd/error.hpp"
#include "../autograd/ops/activations.hpp"
#include "../autograd/ops/creation.hpp"
#include "../autograd/ops/math.hpp"
#include "../autograd/ops/matmul.hpp"
#include "../autograd/ops/softmax.hpp"
#include "init.hpp"

namespace xtape::nn {
namespace {

template <class F>
struct Named {
  std::string_view name;
  F f;
};

using Activation = Tensor (*)(const Tensor&);
constexpr Named<Activation> kActivations[] = {
    {"linear", [](const Tensor& x) { return x; }},
    {"relu", relu},
    {"relu6", relu6},
    {"leaky_relu", [](const Tensor& x) { return leaky_relu(x); }},
    {"elu", [](const Tensor& x) { return elu(x); }},
    {"selu", selu},
    {"gelu", [](const Tensor& x) { return gelu(x); }},
    {"silu", silu},
    {"swish", silu},
    {"mish", mish},
    {"softplus", [](const Tensor& x) { return softplus(x); }},
    {"softsign", softsign},
    {"sigmoid", sigmoid},
    {"hard_sigmoid", hardsigmoid},
    {"tanh", tanh},
    {"softmax", [](const Tensor& x) { return softmax(x, -1); }},
    {"log_softmax", [](const Tensor& x) { return log_softmax(x, -1); }},
};

// Variance 1 / fan in.
Tensor lecun_uniform(const Tensor& x) {
  const double a = std::sqrt(3 / static_cast<double>(x.size(1)));
  return init::uniform_(x, -a, a);
}
Tensor lecun_normal(const Tensor& x) {
  return init::normal_(x, 0, 1 / std::sqrt(static_cast<double>(x.size(1))));
}

using Initializer = Tensor (*)(const Tensor&);
constexpr Named<Initializer> kInitializers[] = {
    {"glorot_uniform", [](const Tensor& x) { return init::xavier_uniform_(x); }},
    {"glorot_normal", [](const Tensor& x) { return init::xavier_normal_(x); }},
    {"he_uniform", [](const Tensor& x) { return init::kaiming_uniform_(x); }},
    {"he_normal", [](const Tensor& x) { return init::kaiming_normal_(x); }},
    {"lecun_uniform", lecun_uniform},
    {"lecun_normal", lecun_normal},
    {"orthogonal", [](const Tensor& x) { return init::orthogonal_(x); }},
    {"zeros", [](const Tensor& x) { return init::zeros_(x); }},
    {"ones", [](const Tensor& x) { return init::ones_(x); }},
};

template <class F, std::size_t N>
F find(const char* what, const Named<F> (&table)[N], const std::string& name) {
  std::string known;
  for (const Named<F>& entry : table) {
    if (entry.name == name) return entry.f;
    known += (known.empty() ? "" : ", ") + std::string(entry.name);
  }
  throw ValueError(std::string("Dense: there is no ") + what + " \"" + name +
                   "\"; expected one of " + known);
}

}  // namespace

XTAPE_DEFINE_PARTS(Dense, weight, bias)

Dense::Dense(std::int64_t in_features, std::int64_t out_features, const DenseOptions& options)
    : activation_(find("activation", kActivations, options.activation)) {
  const Initializer initialize = find("initializer", kInitializers, options.initializer);
  if (in_features < 1 || out_features < 1) {
    throw ValueError("Dense: expected at least 1 feature, got " + std::to_string(in_features) +
                     " in and " + std::to_string(out_features) + " out");
  }
  weight = Parameter(initialize(empty({out_features, in_features}, options.dtype)));
  if (options.bias) bias = Parameter(zeros({out_features}, options.dtype));
}

Tensor Dense::forward(const Tensor& x) {
  if (!x.defined() || x.dim() == 0 || x.sizes().back() != weight.sizes()[1]) {
    throw ShapeError("expected " + std::to_string(weight.sizes()[1]) +
                     " input features, got input of shape " +
                     (x.defined() ? to_string(x.sizes()) : "undefined"));
  }
  return activation_(linear(x, weight, bias));
}

}  // namespace xtape::nn
