// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>

#include "../autograd/export.hpp"
#include "module.hpp"

namespace xtape::nn {

/// Names are those of Keras.
struct DenseOptions {
  /// linear, relu, relu6, leaky_relu, elu, selu, gelu, silu (swish), mish, softplus, softsign,
  /// sigmoid, hard_sigmoid, tanh, softmax, log_softmax
  std::string activation = "linear";
  /// glorot_uniform, glorot_normal, he_uniform, he_normal, lecun_uniform, lecun_normal,
  /// orthogonal, zeros, ones
  std::string initializer = "glorot_uniform";
  bool bias = true;  ///< begins as zeros
  DType dtype = float32;
};

/// activation(x W^T + b), a Linear with an activation and an initialiser by name: weight [out, in],
/// bias [out].
class XTAPE_API Dense : public Module {
 public:
  Parameter weight, bias;
  XTAPE_DECLARE_PARTS()

  /// Throws ValueError for sizes below 1 and for names that are not known.
  Dense(std::int64_t in_features, std::int64_t out_features, const DenseOptions& options = {});
  Tensor forward(const Tensor& x) override;

 private:
  Tensor (*activation_)(const Tensor& x);
};

}  // namespace xtape::nn
