// SPDX-License-Identifier: BSD-3-Clause
#include "normalization.hpp"

#include <string>

#include "../autograd/checkpoint.hpp"
#include "../autograd/error.hpp"
#include "../autograd/ops/arithmetic.hpp"
#include "../autograd/ops/creation.hpp"
#include "../autograd/ops/normalization.hpp"
#include "../autograd/ops/shape.hpp"
#include "../autograd/tape.hpp"

namespace xtape::nn {
namespace {

void check_size(const char* name, const char* what, std::int64_t size) {
  if (size >= 1) return;
  throw ValueError(std::string(name) + ": expected at least 1 " + what + ", got " +
                   std::to_string(size));
}

std::string shape_of(const Tensor& x) {
  return x.defined() ? to_string(x.sizes()) : std::string("undefined");
}

}  // namespace

BatchNorm::BatchNorm(const char* name, std::int64_t num_features, int least_dims, int most_dims,
                     const BatchNormModuleOptions& options, bool single_samples)
    : num_features_(num_features),
      least_dims_(least_dims),
      most_dims_(most_dims),
      single_samples_(single_samples),
      options_(options) {
  check_size(name, "feature", num_features);
  const Shape shape{num_features};
  if (options.affine) {
    weight = Parameter(ones(shape, options.dtype));
    bias = Parameter(zeros(shape, options.dtype));
  }
  if (!options.track_running_stats) return;
  running_mean = Buffer(zeros(shape, options.dtype));
  running_var = Buffer(ones(shape, options.dtype));
  num_batches_tracked = Buffer(scalar_tensor(0, int64));
}

void BatchNorm::visit_tensors(detail::PartVisitor& visitor) {
  detail::visit_members(visitor, "weight, bias, running_mean, running_var, num_batches_tracked",
                        weight, bias, running_mean, running_var, num_batches_tracked);
}

void BatchNorm::check_input(const Tensor& x) const {
  const int channels_at = x.defined() && single_samples_ && x.dim() == least_dims_ ? 0 : 1;
  if (x.defined() && x.dim() >= least_dims_ && x.dim() <= most_dims_ &&
      x.sizes()[channels_at] == num_features_) {
    return;
  }
  const std::string dims = least_dims_ == most_dims_
                               ? std::to_string(most_dims_)
                               : std::to_string(least_dims_) + " or " + std::to_string(most_dims_);
  throw ShapeError("expected " + std::to_string(num_features_) + " channels in " + dims +
                   " dimensions, got input of shape " + shape_of(x));
}

Tensor BatchNorm::forward(const Tensor& x) {
  check_input(x);
  double momentum = options_.momentum.value_or(0);
  const bool moves = is_training() && running_mean.defined() && !is_recomputing();
  if (moves) {
    const NoGrad guard;
    num_batches_tracked.copy_(num_batches_tracked + 1);
    if (!options_.momentum) momentum = 1 / num_batches_tracked.item<double>();
  }
  const Tensor none;
  const bool by_batch = is_training() || !running_mean.defined();
  const bool known = moves || !by_batch;
  return batch_norm(x, known ? running_mean : none, known ? running_var : none, weight, bias,
                    {.training = by_batch, .momentum = momentum, .eps = options_.eps});
}

InstanceNorm::InstanceNorm(const char* name, std::int64_t num_features, int dims,
                           const InstanceNormModuleOptions& o)
    : BatchNorm(name, num_features, dims - 1, dims,
                {.eps = o.eps,
                 .momentum = o.momentum,
                 .affine = o.affine,
                 .track_running_stats = o.track_running_stats,
                 .dtype = o.dtype},
                true) {}

Tensor InstanceNorm::forward(const Tensor& input) {
  check_input(input);
  const bool batched = input.dim() == most_dims_;
  const Tensor x = batched ? input : unsqueeze(input, 0);
  const bool own = is_training() || !running_mean.defined();
  const Tensor none;
  const bool known = !own || !is_recomputing();
  const Tensor y =
      instance_norm(x, known ? running_mean : none, known ? running_var : none, weight, bias,
                    {.use_input_stats = own, .momentum = *options_.momentum, .eps = options_.eps});
  return batched ? y : squeeze(y, 0);
}

#define XTAPE_DEFINE_NORM(Class)                                                    \
  void Class::visit_parts(detail::PartVisitor& visitor) { visit_tensors(visitor); } \
  XTAPE_DEFINE_CLONE(Class, weight, bias)
XTAPE_DEFINE_NORM(BatchNorm1d)
XTAPE_DEFINE_NORM(BatchNorm2d)
XTAPE_DEFINE_NORM(BatchNorm3d)
XTAPE_DEFINE_NORM(InstanceNorm1d)
XTAPE_DEFINE_NORM(InstanceNorm2d)
#undef XTAPE_DEFINE_NORM

BatchNorm1d::BatchNorm1d(std::int64_t n, const BatchNormModuleOptions& options)
    : BatchNorm("BatchNorm1d", n, 2, 3, options) {}
BatchNorm2d::BatchNorm2d(std::int64_t n, const BatchNormModuleOptions& options)
    : BatchNorm("BatchNorm2d", n, 4, 4, options) {}
BatchNorm3d::BatchNorm3d(std::int64_t n, const BatchNormModuleOptions& options)
    : BatchNorm("BatchNorm3d", n, 5, 5, options) {}
InstanceNorm1d::InstanceNorm1d(std::int64_t n, const InstanceNormModuleOptions& options)
    : InstanceNorm("InstanceNorm1d", n, 3, options) {}
InstanceNorm2d::InstanceNorm2d(std::int64_t n, const InstanceNormModuleOptions& options)
    : InstanceNorm("InstanceNorm2d", n, 4, options) {}

XTAPE_DEFINE_PARTS(LayerNorm, weight, bias)
XTAPE_DEFINE_PARTS(RMSNorm, weight)
XTAPE_DEFINE_PARTS(GroupNorm, weight, bias)
XTAPE_DEFINE_PARTS(LocalResponseNorm)

LayerNorm::LayerNorm(const Shape& shape, const LayerNormOptions& options)
    : shape_(shape), eps_(options.eps) {
  check_size("LayerNorm", "element", shape.empty() ? 0 : shape.numel());
  if (!options.elementwise_affine) return;
  weight = Parameter(ones(shape, options.dtype));
  if (options.bias) bias = Parameter(zeros(shape, options.dtype));
}

Tensor LayerNorm::forward(const Tensor& x) { return layer_norm(x, shape_, weight, bias, eps_); }

RMSNorm::RMSNorm(const Shape& shape, const RMSNormOptions& options)
    : shape_(shape), eps_(options.eps) {
  check_size("RMSNorm", "element", shape.empty() ? 0 : shape.numel());
  if (options.elementwise_affine) weight = Parameter(ones(shape, options.dtype));
}

Tensor RMSNorm::forward(const Tensor& x) { return rms_norm(x, shape_, weight, eps_); }

GroupNorm::GroupNorm(std::int64_t num_groups, std::int64_t num_channels,
                     const GroupNormOptions& options)
    : num_groups_(num_groups), num_channels_(num_channels), eps_(options.eps) {
  check_size("GroupNorm", "group", num_groups);
  check_size("GroupNorm", "channel", num_channels);
  if (num_channels % num_groups != 0) {
    throw ValueError("GroupNorm: expected groups that divide the channels, got " +
                     std::to_string(num_groups) + " for " + std::to_string(num_channels));
  }
  if (!options.affine) return;
  weight = Parameter(ones({num_channels}, options.dtype));
  bias = Parameter(zeros({num_channels}, options.dtype));
}

Tensor GroupNorm::forward(const Tensor& x) {
  if (!x.defined() || x.dim() < 2 || x.sizes()[1] != num_channels_) {
    throw ShapeError("expected " + std::to_string(num_channels_) +
                     " channels, got input of shape " + shape_of(x));
  }
  return group_norm(x, num_groups_, weight, bias, eps_);
}

LocalResponseNorm::LocalResponseNorm(std::int64_t n, const LocalResponseNormOptions& options)
    : size(n), options_(options) {
  check_size("LocalResponseNorm", "channel", n);
}

Tensor LocalResponseNorm::forward(const Tensor& x) {
  return local_response_norm(x, size, options_.alpha, options_.beta, options_.k);
}

}  // namespace xtape::nn
