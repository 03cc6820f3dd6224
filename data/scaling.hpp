// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "../autograd/export.hpp"
#include "../autograd/tensor.hpp"

namespace xtape::data {

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

/// Shifts and scales columns: y = (x - shift) / scale, computed in float64. Fit it on training
/// rows alone, and save its state beside the model's.
class XTAPE_API Scaler {
 public:
  virtual ~Scaler();

  /// Takes shift and scale from the columns of x, float32 or float64 [rows, columns]. Throws
  /// ShapeError, DTypeError; ValueError on no rows, NaN and Inf. Nothing is changed then.
  void fit(const Tensor& x);
  /// Of x [..., columns], in x's dtype; recorded. Throw ValueError before `fit`, ShapeError,
  /// DTypeError.
  Tensor transform(const Tensor& x) const;
  Tensor inverse_transform(const Tensor& x) const;
  Tensor fit_transform(const Tensor& x);

  bool is_fitted() const noexcept { return shift_.defined(); }
  /// float64 [columns]; undefined before `fit`.
  const Tensor& shift() const noexcept { return shift_; }
  const Tensor& scale() const noexcept { return scale_; }

  /// "shift" and "scale". Throws ValueError before `fit`.
  NamedTensors state() const;
  /// Throws ValueError where one is missing or no such numbers; nothing is changed then.
  void load_state(const NamedTensors& state);

 protected:
  struct Affine {
    double shift, scale;
  };
  explicit Scaler(const char* type) : type_(type) {}
  Scaler(const Scaler&) = default;
  Scaler& operator=(const Scaler&) = default;
  virtual Affine fit_column(std::span<const double> column) const = 0;

 private:
  void check(const char* method, const Tensor& x) const;

  const char* type_;
  Tensor shift_, scale_;
};

/// To mean 0 and standard deviation 1 (of the population, as scikit-learn has it); a column whose
/// values are all alike is only shifted.
class XTAPE_API StandardScaler final : public Scaler {
 public:
  StandardScaler() : Scaler("StandardScaler") {}

 private:
  Affine fit_column(std::span<const double> column) const override;
};

/// The smallest value to `low`, the largest to `high`; a column whose values are all alike goes to
/// `low`. Throws ValueError unless low < high, both finite.
class XTAPE_API MinMaxScaler final : public Scaler {
 public:
  explicit MinMaxScaler(double low = 0, double high = 1);

 private:
  Affine fit_column(std::span<const double> column) const override;

  double low_, high_;
};

}  // namespace xtape::data
