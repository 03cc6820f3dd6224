// SPDX-License-Identifier: BSD-3-Clause
#include "normalization.hpp"

#include <cmath>
#include <limits>
#include <string>

#include "../error.hpp"
#include "../kernels/norm.hpp"
#include "../tape.hpp"
#include "arithmetic.hpp"
#include "creation.hpp"
#include "indexing.hpp"
#include "joining.hpp"
#include "layout.hpp"
#include "math.hpp"
#include "reductions.hpp"
#include "shape.hpp"

namespace xtape {
namespace {

using detail::data_or_null;
using kernels::NormChannels;
using kernels::NormRows;

void check_floating(const char* operation, const Tensor& x, TensorList others) {
  detail::check_defined(operation, x);
  if (!is_floating(x.dtype())) {
    throw DTypeError(std::string(operation) + ": expected a floating dtype, got " +
                     x.description());
  }
  for (const TensorRef& other : others) {
    if (!other.tensor->defined() || other.tensor->dtype() == x.dtype()) continue;
    throw DTypeError(std::string(operation) + ": expected one dtype, got " + x.description() +
                     " and " + other.tensor->description());
  }
}

void check_shape(const char* operation, const char* what, const Tensor& x, const Shape& expected) {
  if (!x.defined() || x.shape() == expected) return;
  throw ShapeError(std::string(operation) + ": expected " + what + " of shape " +
                   to_string(expected) + ", got " + to_string(x.sizes()));
}

Tensor contiguous_or_undefined(const Tensor& x) { return x.defined() ? x.contiguous() : x; }

// --- over the last dimensions -------------------------------------------------------------------

Shape last_dims(int count) {
  Shape dims;
  for (int i = -count; i < 0; ++i) dims.push_back(i);
  return dims;
}

// What is common to the composed gradients: z = (x - mean) rstd over `dims`, d = g weight.
Tensor composed_input_gradient(const Tensor& d, const Tensor& z, const Tensor& rstd,
                               const Shape& dims, bool centred) {
  const Tensor along = z * mean(d * z, dims, true);
  return rstd * (centred ? d - mean(d, dims, true) - along : d - along);
}

struct Normalized {
  Tensor z, rstd;
};

Normalized normalized(const Tensor& x, const Shape& dims, bool centred, double eps) {
  const Tensor d = centred ? x - mean(x, dims, true) : x;
  const Tensor rstd = rsqrt(mean(square(d), dims, true) + eps);
  return {d * rstd, rstd};
}

void composed_rows_gradient(Backward& t, int dims, bool centred, double eps) {
  const Tensor x = t.saved(0), weight = t.saved(1);
  const Shape over = last_dims(dims);
  const auto [z, rstd] = normalized(x, over, centred, eps);
  const Tensor d = weight.defined() ? t.g() * weight : t.g();
  if (t.needs(0)) t.add(0, composed_input_gradient(d, z, rstd, over, centred));
  if (t.needs(1)) t.add(1, t.g() * z);
  if (centred && t.needs(2)) t.add(2, t.g());
}

void fused_rows_gradient(Backward& t, const NormRows& n) {
  const Tensor x = t.saved(0), weight = t.saved(1), mean = t.saved(2), rstd = t.saved(3);
  const Tensor g = t.g().contiguous();
  const auto wanted = [&](int i, const Shape& shape) {
    return t.needs(i) ? detail::empty(n.dtype, shape) : Tensor();
  };
  const bool has_bias = n.centred && t.needs(2);
  Tensor dx = wanted(0, x.shape()),
         dweight = wanted(1, weight.defined() ? weight.shape() : Shape());
  Tensor dbias = has_bias ? detail::empty(n.dtype, t.sizes(2)) : Tensor();
  kernels::norm_rows_backward(n, g.value()->data, x.value()->data, data_or_null(weight),
                              data_or_null(mean), rstd.value()->data, data_or_null(dx),
                              data_or_null(dweight), data_or_null(dbias));
  t.add(0, std::move(dx));
  if (dweight.defined()) t.add(1, std::move(dweight));
  if (has_bias) t.add(2, std::move(dbias));
}

Tensor norm_last(detail::OperationName name, const Tensor& input, const Shape& normalized_shape,
                 const Tensor& given_weight, const Tensor& given_bias, bool centred, double eps) {
  check_floating(name.text, input, {given_weight, given_bias});
  const int dims = normalized_shape.rank(), lead = input.dim() - dims;
  bool fits = dims > 0 && lead >= 0;
  for (int i = 0; fits && i < dims; ++i) fits = input.sizes()[lead + i] == normalized_shape[i];
  if (!fits) {
    throw ShapeError(std::string(name.text) + ": expected the last dimensions " +
                     to_string(normalized_shape) + ", got input of shape " +
                     to_string(input.sizes()));
  }
  check_shape(name.text, "weight", given_weight, normalized_shape);
  check_shape(name.text, "bias", given_bias, normalized_shape);
  const Tensor x = input.contiguous(), weight = contiguous_or_undefined(given_weight);
  const Tensor bias = contiguous_or_undefined(given_bias);
  const std::int64_t count = normalized_shape.numel();
  const NormRows n{count == 0 ? 0 : x.numel() / count, count, centred, eps, x.dtype()};
  Tensor y = detail::empty(x.dtype(), x.sizes());
  const Tensor mean = centred ? detail::empty(x.dtype(), Shape{n.rows}) : Tensor();
  const Tensor rstd = detail::empty(x.dtype(), Shape{n.rows});
  kernels::norm_rows(n, x.value()->data, data_or_null(weight), data_or_null(bias), y.value()->data,
                     data_or_null(mean), rstd.value()->data);
  const TensorRef inputs[] = {x, weight, bias};
  detail::record_named(name.text, y, inputs, saves(x, weight, mean, rstd), [n, dims](Backward& t) {
    if (t.create_graph()) return composed_rows_gradient(t, dims, n.centred, n.eps);
    fused_rows_gradient(t, n);
  });
  return y;
}

// --- by channel ---------------------------------------------------------------------------------

// Dense memory with the channels last, or in the middle; x itself or a copy.
struct Channels {
  Tensor x;
  NormChannels n;

  explicit Channels(const Tensor& input) : x(input), n{0, input.sizes()[1], 1, input.dtype()} {
    const std::int64_t positions = n.channels == 0 ? 0 : x.numel() / n.channels;
    if (x.is_contiguous()) {
      n.outer = x.sizes()[0];
      n.inner = n.outer == 0 ? 1 : positions / n.outer;
    } else if (x.strides()[1] == 1 && detail::is_dense(x)) {
      n.outer = positions;
    } else {
      *this = Channels(detail::copy_contiguous(x));
    }
  }
};

// [C] beside [N, C, ...]
Tensor by_channel(const Tensor& v, int rank) {
  Shape shape = Shape::filled(rank, 1);
  shape[1] = v.sizes()[0];
  return v.reshape(shape);
}

Shape other_dims(int rank) {
  Shape dims{0};
  for (int i = 2; i < rank; ++i) dims.push_back(i);
  return dims;
}

// The statistics are given numbers where `fixed`.
void composed_channel_gradient(Backward& t, bool fixed, double eps) {
  const Tensor x = t.saved(0), weight = t.saved(1);
  const Shape over = other_dims(x.dim());
  Normalized v;
  if (fixed) {
    v.rstd = by_channel(t.saved(3), x.dim());
    v.z = (x - by_channel(t.saved(2), x.dim())) * v.rstd;
  } else {
    v = normalized(x, over, true, eps);
  }
  const Tensor d = weight.defined() ? t.g() * by_channel(weight, x.dim()) : t.g();
  if (t.needs(0)) {
    t.add(0, fixed ? d * v.rstd : composed_input_gradient(d, v.z, v.rstd, over, true));
  }
  if (t.needs(1)) t.add(1, sum(t.g() * v.z, over));
  if (t.needs(2)) t.add(2, sum(t.g(), over));
}

void fused_channel_gradient(Backward& t, bool fixed) {
  const Channels in(t.saved(0));
  const Tensor weight = t.saved(1), mean = t.saved(2), rstd = t.saved(3);
  const Tensor g = detail::in_layout(t.g(), in.x);
  const Shape channels{in.n.channels};
  Tensor sum_g = detail::empty(in.n.dtype, channels), sum_gx = detail::empty(in.n.dtype, channels);
  Tensor dx = t.needs(0) ? detail::empty_like(in.x, in.n.dtype) : Tensor();
  kernels::norm_channels_backward(in.n, fixed, g.value()->data, in.x.value()->data,
                                  mean.value()->data, rstd.value()->data, data_or_null(weight),
                                  sum_g.value()->data, sum_gx.value()->data, data_or_null(dx));
  t.add(0, std::move(dx));
  t.add(1, std::move(sum_gx));
  t.add(2, std::move(sum_g));
}

// running = (1 - momentum) running + momentum new
void move_running(Tensor running, const Tensor& value, double momentum) {
  if (running.defined()) running.copy_(running * (1 - momentum) + value * momentum);
}

}  // namespace

Tensor layer_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight,
                  const Tensor& bias, double eps) {
  return norm_last("layer_norm", x, normalized_shape, weight, bias, true, eps);
}

Tensor rms_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight,
                std::optional<double> eps) {
  detail::check_defined("rms_norm", x);
  const double epsilon = x.dtype() == float64 ? std::numeric_limits<double>::epsilon()
                                              : std::numeric_limits<float>::epsilon();
  return norm_last("rms_norm", x, normalized_shape, weight, {}, false, eps.value_or(epsilon));
}

Tensor batch_norm(const Tensor& input, const Tensor& running_mean, const Tensor& running_var,
                  const Tensor& given_weight, const Tensor& given_bias,
                  const BatchNormOptions& options) {
  check_floating("batch_norm", input, {running_mean, running_var, given_weight, given_bias});
  if (input.dim() < 2) {
    throw ShapeError("batch_norm: expected input [N, C, ...], got " + to_string(input.sizes()));
  }
  const Shape channels{input.sizes()[1]};
  check_shape("batch_norm", "running_mean", running_mean, channels);
  check_shape("batch_norm", "running_var", running_var, channels);
  check_shape("batch_norm", "weight", given_weight, channels);
  check_shape("batch_norm", "bias", given_bias, channels);
  const bool fixed = !options.training;
  if (fixed && !(running_mean.defined() && running_var.defined())) {
    throw ValueError("batch_norm: running statistics are needed outside training");
  }
  const Channels in(input);
  if (!fixed && in.n.count() < 2) {
    throw ValueError("batch_norm: expected more than 1 value per channel when training, got " +
                     to_string(input.sizes()));
  }
  const Tensor weight = contiguous_or_undefined(given_weight);
  const Tensor bias = contiguous_or_undefined(given_bias);
  Tensor mean, rstd;
  {
    const NoGrad guard;
    Tensor variance;
    if (fixed) {
      mean = detail::copy_contiguous(running_mean);
      variance = running_var;
    } else {
      mean = detail::empty(in.n.dtype, channels);
      variance = detail::empty(in.n.dtype, channels);
      kernels::channel_statistics(in.n, in.x.value()->data, mean.value()->data,
                                  variance.value()->data);
      const auto count = static_cast<double>(in.n.count());
      move_running(running_mean, mean, options.momentum);
      move_running(running_var, variance * (count / (count - 1)), options.momentum);
    }
    rstd = rsqrt(variance + options.eps).contiguous();
  }
  Tensor y = detail::empty_like(in.x, in.n.dtype);
  kernels::norm_channels(in.n, in.x.value()->data, mean.value()->data, rstd.value()->data,
                         data_or_null(weight), data_or_null(bias), y.value()->data);
  record("batch_norm", y, {input, weight, bias}, saves(input, weight, mean, rstd),
         [fixed, eps = options.eps](Backward& t) {
           if (t.create_graph()) return composed_channel_gradient(t, fixed, eps);
           fused_channel_gradient(t, fixed);
         });
  return y;
}

Tensor instance_norm(const Tensor& x, const Tensor& running_mean, const Tensor& running_var,
                     const Tensor& weight, const Tensor& bias, const InstanceNormOptions& options) {
  check_floating("instance_norm", x, {running_mean, running_var, weight, bias});
  if (x.dim() < 3) {
    throw ShapeError("instance_norm: expected input [N, C, ...] of at least 3 dimensions, got " +
                     to_string(x.sizes()));
  }
  const BatchNormOptions as_batch{
      .training = options.use_input_stats, .momentum = options.momentum, .eps = options.eps};
  if (!options.use_input_stats)
    return batch_norm(x, running_mean, running_var, weight, bias, as_batch);
  // Each sample's channels are channels of one large sample.
  const std::int64_t samples = x.sizes()[0], channels = x.sizes()[1];
  std::int64_t each = 1;
  for (int i = 2; i < x.dim(); ++i) each *= x.sizes()[i];
  if (each < 2) {
    throw ValueError("instance_norm: expected more than 1 value per channel and sample, got " +
                     to_string(x.sizes()));
  }
  const auto repeated = [&](const Tensor& v) {
    return v.defined() ? repeat(v, {samples}) : Tensor();
  };
  Shape joined = x.shape();
  joined[0] = 1;
  joined[1] = samples * channels;
  check_shape("instance_norm", "weight", weight, {channels});
  check_shape("instance_norm", "running_mean", running_mean, {channels});
  check_shape("instance_norm", "running_var", running_var, {channels});
  const Tensor means = repeated(running_mean.defined() ? running_mean.detach() : running_mean);
  const Tensor variances = repeated(running_var.defined() ? running_var.detach() : running_var);
  const Tensor y = reshape(
      batch_norm(reshape(x, joined), means, variances, repeated(weight), repeated(bias), as_batch),
      x.shape());
  const NoGrad guard;
  const auto average = [&](Tensor running, const Tensor& all) {
    if (running.defined()) running.copy_(mean(reshape(all, {samples, channels}), {0}));
  };
  average(running_mean, means);
  average(running_var, variances);
  return y;
}

Tensor group_norm(const Tensor& x, std::int64_t num_groups, const Tensor& weight,
                  const Tensor& bias, double eps) {
  check_floating("group_norm", x, {weight, bias});
  if (x.dim() < 2 || num_groups < 1 || x.sizes()[1] % num_groups != 0) {
    throw ShapeError("group_norm: expected input [N, C, ...] with C divisible by " +
                     std::to_string(num_groups) + " groups, got " + to_string(x.sizes()));
  }
  const Shape channels{x.sizes()[1]};
  check_shape("group_norm", "weight", weight, channels);
  check_shape("group_norm", "bias", bias, channels);
  Tensor y;
  if (x.numel() == 0) {
    y = x * 1;
  } else {
    const std::int64_t rows = x.sizes()[0] * num_groups, count = x.numel() / rows;
    y = reshape(layer_norm(reshape(x, {rows, count}), {count}, {}, {}, eps), x.shape());
  }
  if (weight.defined()) y = y * by_channel(weight, x.dim());
  return bias.defined() ? y + by_channel(bias, x.dim()) : y;
}

Tensor local_response_norm(const Tensor& x, std::int64_t size, double alpha, double beta,
                           double k) {
  check_floating("local_response_norm", x, {});
  if (x.dim() < 2 || size < 1) {
    throw ShapeError(
        "local_response_norm: expected input [N, C, ...] and a size of at least 1, "
        "got " +
        to_string(x.sizes()) + " and " + std::to_string(size));
  }
  Shape padding = Shape::filled(2 * (x.dim() - 1), 0);
  padding[padding.rank() - 2] = size / 2;
  padding[padding.rank() - 1] = (size - 1) / 2;
  const Tensor squares = pad(square(x), padding);
  Tensor sum = narrow(squares, 1, 0, x.sizes()[1]);
  for (std::int64_t i = 1; i < size; ++i) sum = sum + narrow(squares, 1, i, x.sizes()[1]);
  return x / pow(sum * (alpha / static_cast<double>(size)) + k, beta);
}

}  // namespace xtape
