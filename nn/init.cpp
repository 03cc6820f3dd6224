// SPDX-License-Identifier: BSD-3-Clause
#include "init.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
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
  xtape::detail::check_defined(operation, x);
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

void check_matrix(const char* operation, const Tensor& x) {
  check(operation, x);
  if (x.dim() == 2) return;
  throw ShapeError(std::string(operation) + ": expected a matrix, got shape " +
                   to_string(x.sizes()));
}

// The inverse error function: an approximation (Winitzki, 2008), then Halley's steps.
double inverse_erf(double x) {
  constexpr double kA = 0.147, kRoot = 2 * std::numbers::inv_sqrtpi;
  if (std::abs(x) >= 1) return std::copysign(std::numeric_limits<double>::infinity(), x);
  const double l = std::log1p(-x * x);
  const double b = 2 / (std::numbers::pi * kA) + l / 2;
  double y = std::copysign(std::sqrt(std::sqrt(b * b - l / kA) - b), x);
  for (int i = 0; i < 3; ++i) {
    const double e = (std::erf(y) - x) / (kRoot * std::exp(-y * y));
    y -= e / (1 + y * e);
  }
  return y;
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

Tensor lecun_uniform_(Tensor x) {
  const double a = std::sqrt(3 / static_cast<double>(fans("lecun_uniform_", x).in));
  return fill_uniform("lecun_uniform_", std::move(x), -a, a);
}

Tensor lecun_normal_(Tensor x) {
  const double std = 1 / std::sqrt(static_cast<double>(fans("lecun_normal_", x).in));
  return fill_normal("lecun_normal_", std::move(x), 0, std);
}

Tensor trunc_normal_(Tensor x, double mean, double std, double a, double b) {
  check("trunc_normal_", x);
  if (!(a < b && std > 0)) {
    throw ValueError("trunc_normal_: expected a < b and std > 0, got a " + std::to_string(a) +
                     ", b " + std::to_string(b) + ", std " + std::to_string(std));
  }
  // Uniform in what the distribution function gives at the limits, then back through it.
  const auto distribution = [&](double v) { return std::erf((v - mean) / (std * std::sqrt(2.0))); };
  const Tensor noise = xtape::uniform(distribution(a), distribution(b), {x.numel()}, float64);
  std::vector<double> values(noise.data<double>(), noise.data<double>() + x.numel());
  for (double& v : values) {
    v = std::clamp(mean + std * std::sqrt(2.0) * inverse_erf(v), a, b);
  }
  return fill(x, from_values<double>(values, x.shape()));
}

Tensor eye_(Tensor x) {
  check_matrix("eye_", x);
  return fill(x, xtape::eye(x.sizes()[0], x.sizes()[1], x.dtype()));
}

Tensor dirac_(Tensor x, std::int64_t groups) {
  check("dirac_", x);
  if (x.dim() < 3 || x.dim() > 5) {
    throw ShapeError("dirac_: expected 3 to 5 dimensions, got shape " + to_string(x.sizes()));
  }
  const std::int64_t out = x.sizes()[0], in = x.sizes()[1];
  if (groups < 1 || out % groups != 0) {
    throw ShapeError("dirac_: " + std::to_string(groups) + " groups do not divide " +
                     std::to_string(out) + " channels");
  }
  std::vector<double> values(static_cast<std::size_t>(x.numel()));
  const std::int64_t each = out / groups;
  for (std::int64_t o = 0; o < out; ++o) {
    if (o % each >= in) continue;
    std::int64_t at = o * in + o % each;
    for (int d = 2; d < x.dim(); ++d) at = at * x.sizes()[d] + x.sizes()[d] / 2;
    if (!values.empty()) values[static_cast<std::size_t>(at)] = 1;
  }
  return fill(x, from_values<double>(values, x.shape()));
}

Tensor sparse_(Tensor x, double sparsity, double std) {
  check_matrix("sparse_", x);
  if (!(sparsity >= 0 && sparsity <= 1)) {
    throw ValueError("sparse_: expected a sparsity in [0, 1], got " + std::to_string(sparsity));
  }
  const std::int64_t rows = x.sizes()[0], columns = x.sizes()[1];
  const auto zeros = static_cast<std::int64_t>(std::ceil(sparsity * static_cast<double>(rows)));
  const Tensor noise = xtape::normal(0, std, {x.numel()}, float64);
  std::vector<double> values(noise.data<double>(), noise.data<double>() + x.numel());
  for (std::int64_t c = 0; c < columns; ++c) {
    const Tensor order = xtape::randperm(rows);
    for (std::int64_t i = 0; i < zeros; ++i) {
      values[static_cast<std::size_t>(order.data<std::int64_t>()[i] * columns + c)] = 0;
    }
  }
  return fill(x, from_values<double>(values, x.shape()));
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
