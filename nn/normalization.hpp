// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>

#include "../autograd/export.hpp"
#include "module.hpp"

// Normalisation; what each computes stands at the function of its name in
// <xtape/autograd/ops/normalization.hpp>.
namespace xtape::nn {

struct BatchNormModuleOptions {
  double eps = 1e-5;
  std::optional<double> momentum = 0.1;  ///< without a value: the average over all batches
  bool affine = true;                    ///< learns weight and bias [C], from 1 and 0
  bool track_running_stats = true;       ///< else the batch's statistics in eval mode too
  DType dtype = float32;
};

/// What BatchNorm1d, 2d and 3d share: weight, bias, running_mean, running_var [C] and
/// num_batches_tracked, an int64 number. In training mode by the batch's statistics, in eval mode
/// by the running ones.
class XTAPE_API BatchNorm : public Module {
 public:
  Parameter weight, bias;
  Buffer running_mean, running_var, num_batches_tracked;

  Tensor forward(const Tensor& x) override;
  std::int64_t num_features() const noexcept { return num_features_; }
  const BatchNormModuleOptions& options() const noexcept { return options_; }

 protected:
  /// Throws ValueError for less than one feature.
  BatchNorm(const char* name, std::int64_t num_features, int least_dims, int most_dims,
            const BatchNormModuleOptions& options, bool single_samples = false);
  void visit_tensors(detail::PartVisitor& visitor);
  void check_input(const Tensor& x) const;

  std::int64_t num_features_;
  int least_dims_, most_dims_;
  bool single_samples_;  // the fewest dimensions are those of a sample without a batch
  BatchNormModuleOptions options_;
};

/// For x [N, C] or [N, C, L].
class XTAPE_API BatchNorm1d : public BatchNorm {
 public:
  XTAPE_DECLARE_PARTS()
  explicit BatchNorm1d(std::int64_t num_features, const BatchNormModuleOptions& options = {});
};
/// For x [N, C, H, W].
class XTAPE_API BatchNorm2d : public BatchNorm {
 public:
  XTAPE_DECLARE_PARTS()
  explicit BatchNorm2d(std::int64_t num_features, const BatchNormModuleOptions& options = {});
};
/// For x [N, C, D, H, W].
class XTAPE_API BatchNorm3d : public BatchNorm {
 public:
  XTAPE_DECLARE_PARTS()
  explicit BatchNorm3d(std::int64_t num_features, const BatchNormModuleOptions& options = {});
};

struct InstanceNormModuleOptions {
  double eps = 1e-5;
  double momentum = 0.1;
  bool affine = false;
  bool track_running_stats = false;
  DType dtype = float32;
};

/// As BatchNorm for each sample by itself; by the running statistics in eval mode where they are
/// tracked.
class XTAPE_API InstanceNorm : public BatchNorm {
 public:
  Tensor forward(const Tensor& x) override;

 protected:
  InstanceNorm(const char* name, std::int64_t num_features, int dims,
               const InstanceNormModuleOptions& options);
};

/// For x [N, C, L] or [C, L].
class XTAPE_API InstanceNorm1d : public InstanceNorm {
 public:
  XTAPE_DECLARE_PARTS()
  explicit InstanceNorm1d(std::int64_t num_features, const InstanceNormModuleOptions& options = {});
};
/// For x [N, C, H, W] or [C, H, W].
class XTAPE_API InstanceNorm2d : public InstanceNorm {
 public:
  XTAPE_DECLARE_PARTS()
  explicit InstanceNorm2d(std::int64_t num_features, const InstanceNormModuleOptions& options = {});
};

struct LayerNormOptions {
  double eps = 1e-5;
  bool elementwise_affine = true;
  bool bias = true;
  DType dtype = float32;
};

/// Over the last dimensions; weight and bias of their shape, from 1 and 0.
class XTAPE_API LayerNorm : public Module {
 public:
  Parameter weight, bias;
  XTAPE_DECLARE_PARTS()

  explicit LayerNorm(const Shape& normalized_shape, const LayerNormOptions& options = {});
  explicit LayerNorm(std::int64_t features, const LayerNormOptions& options = {})
      : LayerNorm(Shape{features}, options) {}
  Tensor forward(const Tensor& x) override;

  const Shape& normalized_shape() const noexcept { return shape_; }

 private:
  Shape shape_;
  double eps_;
};

struct RMSNormOptions {
  std::optional<double> eps{};  ///< without a value: the dtype's epsilon
  bool elementwise_affine = true;
  DType dtype = float32;
};

/// By the root of the mean square over the last dimensions; weight of their shape, from 1.
class XTAPE_API RMSNorm : public Module {
 public:
  Parameter weight;
  XTAPE_DECLARE_PARTS()

  explicit RMSNorm(const Shape& normalized_shape, const RMSNormOptions& options = {});
  explicit RMSNorm(std::int64_t features, const RMSNormOptions& options = {})
      : RMSNorm(Shape{features}, options) {}
  Tensor forward(const Tensor& x) override;

 private:
  Shape shape_;
  std::optional<double> eps_;
};

struct GroupNormOptions {
  double eps = 1e-5;
  bool affine = true;
  DType dtype = float32;
};

/// Over groups of channels of each sample of x [N, C, ...]; weight and bias [C], from 1 and 0.
class XTAPE_API GroupNorm : public Module {
 public:
  Parameter weight, bias;
  XTAPE_DECLARE_PARTS()

  /// Throws ValueError unless the groups divide the channels.
  GroupNorm(std::int64_t num_groups, std::int64_t num_channels,
            const GroupNormOptions& options = {});
  Tensor forward(const Tensor& x) override;

 private:
  std::int64_t num_groups_, num_channels_;
  double eps_;
};

struct LocalResponseNormOptions {
  double alpha = 1e-4, beta = 0.75, k = 1.0;
};

/// By the squares of `size` neighbouring channels.
class XTAPE_API LocalResponseNorm : public Module {
 public:
  std::int64_t size;
  XTAPE_DECLARE_PARTS()

  explicit LocalResponseNorm(std::int64_t size, const LocalResponseNormOptions& options = {});
  Tensor forward(const Tensor& x) override;

 private:
  LocalResponseNormOptions options_;
};

}  // namespace xtape::nn
