// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <utility>

#include "../autograd/export.hpp"
#include "module.hpp"

// Layers whose weight is computed from other parameters at each call. Between calls `weight` is
// undefined; a layer is not to be called by several threads at once.
namespace xtape::nn {

/// g v / |v|, the norm over all dimensions but `dim` (-1: over all). Salimans and Kingma, NeurIPS
/// 2016.
XTAPE_API Tensor weight_norm(const Tensor& v, const Tensor& g, std::int64_t dim = 0);

namespace detail {

/// |w| over all dimensions but `dim`, kept as 1.
XTAPE_API Tensor norm_except_dim(const Tensor& w, std::int64_t dim);

/// A parameter has another value in this scope.
class ValueScope {
 public:
  ValueScope(Tensor& place, Tensor value) noexcept : place_(place), other_(std::move(value)) {
    place_.swap(other_);
  }
  ~ValueScope() { place_.swap(other_); }
  ValueScope(const ValueScope&) = delete;
  ValueScope& operator=(const ValueScope&) = delete;

 private:
  Tensor& place_;
  Tensor other_;
};

}  // namespace detail

/// A layer whose weight's direction and length are learned apart:
/// `nn::WeightNorm<nn::Linear> a{nn::Linear(64, 32)}`. Its parameters are named as PyTorch's:
/// weight_g and weight_v instead of weight.
template <class Layer>
class WeightNorm : public Layer {
 public:
  Parameter weight_g, weight_v;
  XTAPE_PARTS_OF(Layer, weight_g, weight_v)

  explicit WeightNorm(Layer layer, std::int64_t dim = 0) : Layer(std::move(layer)), dim_(dim) {
    weight_g = Parameter(detail::norm_except_dim(this->weight.detach(), dim));
    weight_v = Parameter(this->weight.detach());
    this->weight = Parameter();
  }

  Tensor forward(const Tensor& x) override {
    const detail::ValueScope scope(this->weight, weight_norm(weight_v, weight_g, dim_));
    return Layer::forward(x);
  }

 private:
  std::int64_t dim_;
};

}  // namespace xtape::nn
