// SPDX-License-Identifier: BSD-3-Clause
#include "scaling.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "../autograd/error.hpp"
#include "../autograd/ops/arithmetic.hpp"
#include "../autograd/ops/creation.hpp"
#include "named_state.hpp"

namespace xtape::data {

Scaler::~Scaler() = default;

void Scaler::fit(const Tensor& x) {
  const std::string who = std::string(type_) + ": fit: ";
  if (!is_floating(x.dtype())) {
    throw DTypeError(who + "expected float32 or float64, got " + x.description());
  }
  if (x.dim() != 2) throw ShapeError(who + "expected [rows, columns], got " + x.description());
  const std::int64_t rows = x.size(0), columns = x.size(1);
  if (rows == 0) throw ValueError(who + "expected at least one row, got " + x.description());
  const Tensor values = x.detach().to(float64).contiguous();
  Tensor shift = xtape::detail::empty(float64, Shape{columns});
  Tensor scale = xtape::detail::empty(float64, Shape{columns});
  std::vector<double> column(static_cast<std::size_t>(rows));
  for (std::int64_t j = 0; j < columns; ++j) {
    for (std::int64_t i = 0; i < rows; ++i) {
      const double value = values.data<double>()[i * columns + j];
      if (!std::isfinite(value)) {
        throw ValueError(who + "x[" + std::to_string(i) + ", " + std::to_string(j) + "] is " +
                         (std::isnan(value) ? "NaN" : "infinite"));
      }
      column[static_cast<std::size_t>(i)] = value;
    }
    const Affine fitted = fit_column(column);
    xtape::detail::fresh_data<double>(shift)[j] = fitted.shift;
    xtape::detail::fresh_data<double>(scale)[j] = fitted.scale;
  }
  shift_ = shift;
  scale_ = scale;
}

void Scaler::check(const char* method, const Tensor& x) const {
  const std::string who = std::string(type_) + ": " + method + ": ";
  if (!is_fitted()) throw ValueError(who + "not fitted yet (see fit and load_state)");
  if (!is_floating(x.dtype())) {
    throw DTypeError(who + "expected float32 or float64, got " + x.description());
  }
  if (x.dim() == 0 || x.size(-1) != shift_.numel()) {
    throw ShapeError(who + "expected [..., " + std::to_string(shift_.numel()) + "], got " +
                     x.description());
  }
}

Tensor Scaler::transform(const Tensor& x) const {
  check("transform", x);
  return ((x.to(float64) - shift_) / scale_).to(x.dtype());
}

Tensor Scaler::inverse_transform(const Tensor& x) const {
  check("inverse_transform", x);
  return (x.to(float64) * scale_ + shift_).to(x.dtype());
}

Tensor Scaler::fit_transform(const Tensor& x) {
  fit(x);
  return transform(x);
}

NamedTensors Scaler::state() const {
  if (!is_fitted()) throw ValueError(std::string(type_) + ": state: not fitted yet (see fit)");
  return {{"shift", shift_.clone()}, {"scale", scale_.clone()}};
}

void Scaler::load_state(const NamedTensors& state) {
  const Tensor shift = detail::find_state(type_, state, "shift", float64);
  const Tensor scale = detail::find_state(type_, state, "scale", float64);
  bool sound = shift.numel() == scale.numel();
  for (std::int64_t i = 0; sound && i < shift.numel(); ++i) {
    const double s = scale.data<double>()[i];
    sound = std::isfinite(shift.data<double>()[i]) && std::isfinite(s) && s > 0;
  }
  if (!sound) {
    throw ValueError(std::string(type_) +
                     ": load_state: expected as many finite shifts as positive scales");
  }
  shift_ = shift.clone();
  scale_ = scale.clone();
}

Scaler::Affine StandardScaler::fit_column(std::span<const double> column) const {
  const auto count = static_cast<double>(column.size());
  double mean = 0;
  for (const double x : column) mean += x / count;
  double sum = 0, squares = 0;
  for (const double x : column) {
    sum += x - mean;
    squares += (x - mean) * (x - mean);
  }
  mean += sum / count;  // what rounding left in the first sum
  const double variance = std::max(0., squares / count - (sum / count) * (sum / count));
  if (!std::isfinite(variance) || !std::isfinite(mean)) {
    throw ValueError("StandardScaler: fit: the squares of a column are beyond float64");
  }
  // Below this the deviation is rounding alone, as in scikit-learn.
  constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
  const double rounding = count * mean * kEpsilon;
  const bool constant = variance <= count * kEpsilon * variance + rounding * rounding;
  const double scale = constant ? 1 : std::sqrt(variance);
  return {mean, scale};
}

MinMaxScaler::MinMaxScaler(double low, double high)
    : Scaler("MinMaxScaler"), low_(low), high_(high) {
  if (!(low < high) || !std::isfinite(low) || !std::isfinite(high)) {
    throw ValueError("MinMaxScaler: expected finite low < high, got " + std::to_string(low) +
                     " and " + std::to_string(high));
  }
}

Scaler::Affine MinMaxScaler::fit_column(std::span<const double> column) const {
  const auto [least, largest] = std::minmax_element(column.begin(), column.end());
  const double range = *largest - *least;
  const double scale = range > 0 ? range / (high_ - low_) : 1;
  if (!std::isfinite(scale) || !(scale > 0)) {
    throw ValueError("MinMaxScaler: fit: the range of a column is beyond float64");
  }
  return {*least - low_ * scale, scale};
}

}  // namespace xtape::data
