// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <utility>

#include "../autograd/checkpoint.hpp"
#include "../autograd/export.hpp"
#include "module.hpp"
#include "weight_norm.hpp"

namespace xtape::nn {

struct SpectralNormOptions {
  int n_power_iterations = 1;  ///< in each call of training mode
  double eps = 1e-12;
  std::int64_t dim = 0;  ///< the outputs' dimension; 1 of transposed convolutions
};

namespace detail {

/// w as a matrix [dim, all others].
XTAPE_API Tensor as_matrix(const Tensor& w, std::int64_t dim);
/// A random vector of length 1.
XTAPE_API Tensor random_direction(std::int64_t n, DType dtype);
/// Turns u and v towards the left and right singular vectors of the largest singular value.
XTAPE_API void power_iteration(const Tensor& matrix, Tensor u, Tensor v,
                               const SpectralNormOptions& options);
/// w / (u^T W v), u and v being constants.
XTAPE_API Tensor over_spectral_norm(const Tensor& w, const Tensor& u, const Tensor& v,
                                    std::int64_t dim);

}  // namespace detail

/// A layer whose weight is divided by its largest singular value, estimated by power iteration from
/// call to call: `nn::SpectralNorm<nn::Linear> a{nn::Linear(64, 32)}`. Parameter weight_orig,
/// buffers weight_u and weight_v, as in PyTorch. Miyato et al., ICLR 2018.
template <class Layer>
class SpectralNorm : public Layer {
 public:
  Parameter weight_orig;
  Buffer weight_u, weight_v;
  XTAPE_PARTS_OF(Layer, weight_orig, weight_u, weight_v)

  explicit SpectralNorm(Layer layer, const SpectralNormOptions& options = {})
      : Layer(std::move(layer)), options_(options) {
    const Tensor matrix = detail::as_matrix(this->weight.detach(), options.dim);
    weight_u = Buffer(detail::random_direction(matrix.size(0), matrix.dtype()));
    weight_v = Buffer(detail::random_direction(matrix.size(1), matrix.dtype()));
    weight_orig = Parameter(this->weight.detach());
    this->weight = Parameter();
  }

  Tensor forward(const Tensor& x) override {
    if (this->is_training() && !is_recomputing()) {
      detail::power_iteration(detail::as_matrix(weight_orig.detach(), options_.dim), weight_u,
                              weight_v, options_);
    }
    const detail::ValueScope scope(
        this->weight, detail::over_spectral_norm(weight_orig, weight_u, weight_v, options_.dim));
    return Layer::forward(x);
  }

 private:
  SpectralNormOptions options_;
};

}  // namespace xtape::nn
