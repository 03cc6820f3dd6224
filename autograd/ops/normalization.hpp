// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>

#include "../export.hpp"
#include "../tensor.hpp"

// Normalisation, x - mean over the deviation, each one pass forward and one backward where nothing
// else is said. Weights and biases may be undefined. Floating tensors of one dtype (DTypeError);
// shapes that do not fit are a ShapeError.
namespace xtape {

/// Over the last dimensions, those of `normalized_shape`: (x - mean) / sqrt(var + eps) weight +
/// bias, weight and bias of that shape, var divided by the count. Ba et al., 2016.
XTAPE_API Tensor layer_norm(const Tensor& x, const Shape& normalized_shape,
                            const Tensor& weight = {}, const Tensor& bias = {}, double eps = 1e-5);
/// x / sqrt(mean of x^2 + eps) weight over the last dimensions; without a value eps is the dtype's
/// epsilon. Zhang and Sennrich, NeurIPS 2019.
XTAPE_API Tensor rms_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight = {},
                          std::optional<double> eps = {});

struct BatchNormOptions {
  bool training = false;  ///< by the batch's own statistics; else by the running ones
  double momentum = 0.1;  ///< the batch's share of the new running statistics
  double eps = 1e-5;
};
/// For each channel of x [N, C, ...], over all other dimensions: (x - mean) / sqrt(var + eps)
/// weight + bias. While training, running_mean and running_var [C], where defined, are written:
/// they move towards the batch's mean and its variance divided by count - 1. Throws ValueError for
/// one value a channel while training. Ioffe and Szegedy, ICML 2015.
XTAPE_API Tensor batch_norm(const Tensor& x, const Tensor& running_mean, const Tensor& running_var,
                            const Tensor& weight = {}, const Tensor& bias = {},
                            const BatchNormOptions& options = {});

struct InstanceNormOptions {
  bool use_input_stats = true;  ///< false: by the running statistics
  double momentum = 0.1;
  double eps = 1e-5;
};
/// As batch_norm for each sample by itself; the running statistics, where defined, move towards the
/// samples' mean. Ulyanov et al., 2016.
XTAPE_API Tensor instance_norm(const Tensor& x, const Tensor& running_mean = {},
                               const Tensor& running_var = {}, const Tensor& weight = {},
                               const Tensor& bias = {}, const InstanceNormOptions& options = {});
/// For each sample and each of `num_groups` groups of channels of x [N, C, ...]; weight and bias
/// [C]. Wu and He, ECCV 2018.
XTAPE_API Tensor group_norm(const Tensor& x, std::int64_t num_groups, const Tensor& weight = {},
                            const Tensor& bias = {}, double eps = 1e-5);
/// x / (k + alpha / size sum x^2)^beta, the sum over `size` channels around each of x [N, C, ...].
/// Composed. Krizhevsky et al., NIPS 2012.
XTAPE_API Tensor local_response_norm(const Tensor& x, std::int64_t size, double alpha = 1e-4,
                                     double beta = 0.75, double k = 1.0);

}  // namespace xtape
