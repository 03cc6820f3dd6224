// SPDX-License-Identifier: BSD-3-Clause
#include "init.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "../autograd/error.hpp"
#include "../autograd/ops/creation.hpp"
#include "../autograd/ops/random.hpp"
#include "../autograd/tape.hpp"

namespace xtape::nn::init {
namespace {

void check(const char* operation, const Tensor& x) {
  if (!x.defined()) throw ValueError(std::string(operation) + ": the tensor is undefined");
  if (!is_floating(x.dtype())) {
    throw DTypeError(std::string(operation) + ": expected a floating dtype, got " +
                     name(x.dtype()));
  }
}

Tensor fill(Tensor x, const Tensor& values) {
  const NoGrad guard;
  x.copy_(values);
  return x;
}

Tensor fill_uniform(const char* operation, Tensor x, double low, double high) {
  check(operation, x);
  return fill(x, xtape::uniform(low, high, x.shape(), x.dtype()));
}

Tensor fill_normal(const char* operation, Tensor x, double mean, double std) {
  check(operation, x);
  return fill(x, xtape::normal(mean, std, x.shape(), x.dtype()));
}

Tensor fill_constant(const char* operation, Tensor x, double value) {
  check(operation, x);
  const NoGrad guard;
  x.fill_(value);
  return x;
}

Fans fans(const char* operation, const Tensor& x) {
  check(operation, x);
  if (x.dim() < 2) {
    throw ShapeError(std::string(operation) + ": expected at least 2 dimensions, got shape " +
                     to_string(x.sizes()));
  }
  std::int64_t kernel = 1;
  for (int i = 2; i < x.dim(); ++i) kernel *= x.sizes()[i];
  return {x.sizes()[1] * kernel, x.sizes()[0] * kernel};
}

double kaiming_std(const char* operation, const Tensor& x, const KaimingOptions& o) {
  const Fans f = fans(operation, x);
  const auto fan = static_cast<double>(o.mode == FanMode::fan_in ? f.in : f.out);
  return calculate_gain(o.nonlinearity, o.a) / std::sqrt(fan);
}

double xavier_std(const char* operation, const Tensor& x, double gain) {
  const Fans f = fans(operation, x);
  return gain * std::sqrt(2 / static_cast<double>(f.in + f.out));
}

// Orthonormalises the rows of [rows, columns], rows <= columns, by modified Gram-Schmidt, applied
// twice since one pass leaves errors of the size of the condition number (Giraud et al., 2005).
void orthonormalise(std::vector<double>& a, std::size_t rows, std::size_t columns) {
  constexpr std::size_t kParts = 8;  // independent sums, so that they become vector code
  const auto dot = [&](const double* u, const double* v) {
    double sums[kParts] = {};
    std::size_t k = 0;
    for (; k + kParts <= columns; k += kParts) {
      for (std::size_t j = 0; j < kParts; ++j) sums[j] += u[k + j] * v[k + j];
    }
    for (; k < columns; ++k) sums[0] += u[k] * v[k];
    return std::accumulate(sums, sums + kParts, 0.0);
  };
  for (std::size_t i = 0; i < rows; ++i) {
    double* u = a.data() + i * columns;
    for (std::size_t j = 0; j < 2 * i; ++j) {
      const double* v = a.data() + (j % i) * columns;
      const double c = dot(u, v);
      for (std::size_t k = 0; k < columns; ++k) u[k] -= c * v[k];
    }
    const double norm = std::sqrt(dot(u, u));
    for (std::size_t k = 0; k < columns; ++k) u[k] /= norm;
  }
}

}  // namespace

double calculate_gain(Nonlinearity nonlinearity, double slope) {
  switch (nonlinearity) {
    case Nonlinearity::tanh:
      return 5.0 / 3;
    case Nonlinearity::relu:
      return std::sqrt(2.0);
    case Nonlinearity::leaky_relu:
      return std::sqrt(2 / (1 + slope * slope));
    case Nonlinearity::selu:
      return 0.75;
    default:
      return 1;
  }
}

Fans calculate_fans(const Tensor& x) { return fans("calculate_fans", x); }

Tensor uniform_(Tensor x, double low, double high) {
  return fill_uniform("uniform_", std::move(x), low, high);
}

Tensor normal_(Tensor x, double mean, double std) {
  return fill_normal("normal_", std::move(x), mean, std);
}

Tensor constant_(Tensor x, double value) { return fill_constant("constant_", std::move(x), value); }
Tensor zeros_(Tensor x) { return fill_constant("zeros_", std::move(x), 0); }
Tensor ones_(Tensor x) { return fill_constant("ones_", std::move(x), 1); }

Tensor xavier_uniform_(Tensor x, double gain) {
  const double a = std::sqrt(3.0) * xavier_std("xavier_uniform_", x, gain);
  return fill_uniform("xavier_uniform_", std::move(x), -a, a);
}

Tensor xavier_normal_(Tensor x, double gain) {
  const double std = xavier_std("xavier_normal_", x, gain);
  return fill_normal("xavier_normal_", std::move(x), 0, std);
}

Tensor kaiming_uniform_(Tensor x, const KaimingOptions& options) {
  const double a = std::sqrt(3.0) * kaiming_std("kaiming_uniform_", x, options);
  return fill_uniform("kaiming_uniform_", std::move(x), -a, a);
}

Tensor kaiming_normal_(Tensor x, const KaimingOptions& options) {
  const double std = kaiming_std("kaiming_normal_", x, options);
  return fill_normal("kaiming_normal_", std::move(x), 0, std);
}

Tensor orthogonal_(Tensor x, double gain) {
  check("orthogonal_", x);
  if (x.dim() < 2) {
    throw ShapeError("orthogonal_: expected at least 2 dimensions, got shape " +
                     to_string(x.sizes()));
  }
  if (x.numel() == 0) return x;
  const auto rows = static_cast<std::size_t>(x.sizes()[0]);
  const auto columns = static_cast<std::size_t>(x.numel()) / rows;
  const std::size_t few = std::min(rows, columns), many = std::max(rows, columns);
  const Tensor noise = xtape::normal(0, 1, {x.numel()}, float64);
  std::vector<double> q(noise.data<double>(), noise.data<double>() + x.numel());
  orthonormalise(q, few, many);
  std::vector<double> values(q.size());
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) {
      values[i * columns + j] = gain * (rows <= columns ? q[i * many + j] : q[j * many + i]);
    }
  }
  return fill(x, from_values<double>(values, x.shape()));
}

}  // namespace xtape::nn::init
