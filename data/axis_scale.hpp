// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Axes of plots; not part of the public interface.

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "plot.hpp"

namespace xtape::data::detail {

/// What an axis has to show.
struct Range {
  Axis axis = Axis::linear;
  bool whole = true;  ///< all values are whole numbers
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  /// Values that cannot be drawn are left out.
  void add(double value);
  bool empty() const { return !(low <= high); }
};

/// Maps the values of one axis to 0..1 and knows its ticks.
class AxisScale {
 public:
  explicit AxisScale(const Range& range);

  bool shows(double value) const;
  double operator()(double value) const { return (transformed(value) - low_) / (high_ - low_); }
  /// More room at both ends, as shares of the axis.
  void widen(double below, double above);
  /// Values and labels; of whole numbers they are whole too.
  const std::vector<std::pair<double, std::string>>& ticks() const { return ticks_; }

 private:
  double transformed(double value) const;
  void steps();
  void decades();

  bool logarithmic_, whole_;
  double low_, high_;
  std::vector<std::pair<double, std::string>> ticks_;
};

}  // namespace xtape::data::detail
