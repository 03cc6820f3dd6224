// SPDX-License-Identifier: BSD-3-Clause
#include "clip.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "../autograd/error.hpp"
#include "../autograd/ops/creation.hpp"
#include "../autograd/parallel.hpp"

namespace xtape::nn {
namespace {

constexpr std::int64_t kGrain = 32768;
constexpr std::int64_t kParts = 16;  // independent sums, so that they become vector code

// --- one gradient
// -----------------------------------------------------------------------------------

template <class T, class F>
double sum_of(const T* x, std::int64_t n, F f) {
  double sums[kParts] = {};
  std::int64_t i = 0;
  for (; i + kParts <= n; i += kParts) {
    for (std::int64_t j = 0; j < kParts; ++j) sums[j] += f(static_cast<double>(x[i + j]));
  }
  for (; i < n; ++i) sums[0] += f(static_cast<double>(x[i]));
  double sum = 0;
  for (const double s : sums) sum += s;
  return sum;
}

// The largest absolute value; NaN where there is one.
template <class T>
double largest_of(const T* x, std::int64_t n) {
  T largest = 0;
  T spoiled = 0;  // becomes NaN with the first NaN
  for (std::int64_t i = 0; i < n; ++i) {
    const T a = std::abs(x[i]);
    largest = a > largest ? a : largest;
    spoiled = a == a ? spoiled : a;
  }
  return spoiled == spoiled ? static_cast<double>(largest) : static_cast<double>(spoiled);
}

template <class T>
double partial_norm(const T* x, std::int64_t n, double p) {
  if (p == 2) return sum_of(x, n, [](double v) { return v * v; });
  if (p == 1) return sum_of(x, n, [](double v) { return std::abs(v); });
  if (std::isinf(p)) return largest_of(x, n);
  return sum_of(x, n, [p](double v) { return std::pow(std::abs(v), p); });
}

double larger(double a, double b) { return std::isnan(a) || a > b ? a : b; }

// Sum of |x|^p, the largest |x| for p = infinity. Chunks are joined in their order.
double power_sum(const Tensor& gradient, double p) {
  const Tensor dense =
      xtape::detail::is_dense(gradient) ? gradient : xtape::detail::copy_contiguous(gradient);
  const std::int64_t n = dense.numel();
  std::vector<double> partial(static_cast<std::size_t>((n + kGrain - 1) / kGrain));
  xtape::detail::dispatch_floating(dense.dtype(), [&]<class T>(xtape::detail::Type<T>) {
    const T* x = dense.data<T>();
    xtape::detail::parallel_for(n, kGrain, [&](std::int64_t begin, std::int64_t end) {
      partial[static_cast<std::size_t>(begin / kGrain)] = partial_norm(x + begin, end - begin, p);
    });
  });
  double total = 0;
  for (const double s : partial) total = std::isinf(p) ? larger(total, s) : total + s;
  return total;
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double largest_of(const Tensor& gradient) { return power_sum(gradient, kInfinity); }

// The gradient of `parameter` changed element by element: in place where nobody else can see it.
template <class F>
void change(Tensor& parameter, F f) {
  Tensor g = parameter.grad();
  const bool held = g.value()->refs.load() > 2 || g.value()->storage->refs.load() > 1;
  if (held || g.requires_grad() || !xtape::detail::is_dense(g)) {
    g = xtape::detail::copy_contiguous(g);
    parameter.set_grad(g);
  }
  xtape::detail::raise_version(g);
  xtape::detail::dispatch_floating(g.dtype(), [&]<class T>(xtape::detail::Type<T>) {
    T* x = xtape::detail::fresh_data<T>(g);
    xtape::detail::parallel_for(g.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) x[i] = f(x[i]);
    });
  });
}

// --- all gradients
// ----------------------------------------------------------------------------------

NamedTensors with_gradient(NamedTensors parameters) {
  std::erase_if(parameters, [](const auto& p) { return !p.second.grad().defined(); });
  return parameters;
}

NamedTensors numbered(const std::vector<Tensor>& parameters) {
  NamedTensors named;
  for (const Tensor& p : parameters) {
    named.emplace_back("parameter " + std::to_string(named.size()) + ", " + p.description(), p);
  }
  return named;
}

[[noreturn]] void refuse(const char* operation, const std::string& name) {
  throw ValueError(std::string(operation) + ": the gradient of " + name +
                   " holds Inf or NaN; nothing was changed");
}

// Of finite elements whose powers overflow.
double scaled_norm(const NamedTensors& parameters, double p, double largest) {
  double total = 0;
  for (const auto& [name, parameter] : parameters) {
    const Tensor g = xtape::detail::copy_contiguous(parameter.grad());
    xtape::detail::dispatch_floating(g.dtype(), [&]<class T>(xtape::detail::Type<T>) {
      const auto power = [&](double v) { return std::pow(std::abs(v) / largest, p); };
      total += sum_of(g.data<T>(), g.numel(), power);
    });
  }
  return largest * std::pow(total, 1 / p);
}

double norm_of(const char* operation, const NamedTensors& parameters, const ClipNormOptions& o) {
  double total = 0;
  for (const auto& [name, p] : parameters) {
    const double s = power_sum(p.grad(), o.norm_type);
    total = std::isinf(o.norm_type) ? larger(total, s) : total + s;
  }
  if (!std::isfinite(total)) {
    double largest = 0;
    for (const auto& [name, p] : parameters) {
      const double l = largest_of(p.grad());
      if (o.error_if_nonfinite && !std::isfinite(l)) refuse(operation, name);
      largest = larger(largest, l);
    }
    return std::isfinite(largest) ? scaled_norm(parameters, o.norm_type, largest) : total;
  }
  if (std::isinf(o.norm_type)) return total;
  return o.norm_type == 2 ? std::sqrt(total) : std::pow(total, 1 / o.norm_type);
}

double clip_norm(NamedTensors parameters, double max_norm, const ClipNormOptions& o) {
  constexpr const char* kName = "clip_grad_norm_";
  if (!(max_norm >= 0)) {
    throw ValueError(std::string(kName) + ": expected max_norm >= 0, got " +
                     std::to_string(max_norm));
  }
  if (!(o.norm_type > 0)) {
    throw ValueError(std::string(kName) + ": expected norm_type > 0, got " +
                     std::to_string(o.norm_type));
  }
  parameters = with_gradient(std::move(parameters));
  const double norm = norm_of(kName, parameters, o);
  const double scale = max_norm / (norm + 1e-6);
  if (scale >= 1) return norm;
  for (auto& [name, p] : parameters) {
    change(p, [scale]<class T>(T x) { return x * static_cast<T>(scale); });
  }
  return norm;
}

void clip_value(NamedTensors parameters, double limit, const ClipValueOptions& o) {
  constexpr const char* kName = "clip_grad_value_";
  if (!(limit >= 0)) {
    throw ValueError(std::string(kName) + ": expected clip_value >= 0, got " +
                     std::to_string(limit));
  }
  parameters = with_gradient(std::move(parameters));
  std::vector<double> largest;
  for (const auto& [name, p] : parameters) {
    largest.push_back(largest_of(p.grad()));
    if (o.error_if_nonfinite && !std::isfinite(largest.back())) refuse(kName, name);
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (largest[i] <= limit) continue;
    change(parameters[i].second, [limit]<class T>(T x) {
      const auto l = static_cast<T>(limit);
      return x < -l ? -l : x > l ? l : x;
    });
  }
}

}  // namespace

double clip_grad_norm_(const std::vector<Tensor>& parameters, double max_norm,
                       const ClipNormOptions& options) {
  return clip_norm(numbered(parameters), max_norm, options);
}

double clip_grad_norm_(const Module& module, double max_norm, const ClipNormOptions& options) {
  return clip_norm(module.named_parameters(), max_norm, options);
}

void clip_grad_value_(const std::vector<Tensor>& parameters, double limit,
                      const ClipValueOptions& options) {
  clip_value(numbered(parameters), limit, options);
}

void clip_grad_value_(const Module& module, double limit, const ClipValueOptions& options) {
  clip_value(module.named_parameters(), limit, options);
}

}  // namespace xtape::nn
