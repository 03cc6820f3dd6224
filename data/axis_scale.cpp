// SPDX-License-Identifier: BSD-3-Clause
#include "axis_scale.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace xtape::data::detail {
namespace {

// Values beyond this are not drawn: their distances would overflow.
constexpr double kLargest = 1e300;

// False for NaN too.
bool drawn(double value, bool logarithmic) {
  return std::abs(value) <= kLargest && (!logarithmic || value > 0);
}

// The value with as many digits as its step needs.
std::string tick_label(double value, double step) {
  if (value == 0) return "0";
  const int digits = std::max(0, -static_cast<int>(std::floor(std::log10(step) + 1e-9)));
  char text[64];
  const bool plain = std::abs(value) < 1e6 && digits <= 5;
  const int precision =
      plain ? digits
            : std::clamp(static_cast<int>(std::floor(std::log10(std::abs(value)) + 1e-9)) -
                             static_cast<int>(std::floor(std::log10(step) + 1e-9)),
                         0, 15);
  const auto end =
      std::to_chars(text, text + sizeof text, value,
                    plain ? std::chars_format::fixed : std::chars_format::scientific, precision);
  return std::string(text, end.ptr);
}

}  // namespace

void Range::add(double value) {
  if (!drawn(value, axis == Axis::logarithmic)) return;
  low = std::min(low, value);
  high = std::max(high, value);
  whole &= value == std::floor(value);
}

AxisScale::AxisScale(const Range& range)
    : logarithmic_(range.axis == Axis::logarithmic), whole_(range.whole) {
  const bool nothing = range.empty();
  low_ = transformed(nothing ? (logarithmic_ ? 0.1 : 0) : range.low);
  high_ = transformed(nothing ? 1 : range.high);
  if (high_ - low_ <= 1e-12 * std::max(std::abs(low_), std::abs(high_)) || high_ == low_) {
    const double room = logarithmic_ || low_ == 0 ? 0.5 : 0.05 * std::abs(low_);
    low_ -= room;
    high_ += room;
  }
  logarithmic_ ? decades() : steps();
}

bool AxisScale::shows(double value) const { return drawn(value, logarithmic_); }

void AxisScale::widen(double below, double above) {
  const double length = high_ - low_;
  low_ -= below * length;
  high_ += above * length;
}

double AxisScale::transformed(double value) const {
  return logarithmic_ ? std::log10(value) : value;
}

// Multiples of 1, 2 or 5 times a power of ten, about six of them.
void AxisScale::steps() {
  const double raw = (high_ - low_) / 6;
  const int exponent = static_cast<int>(std::floor(std::log10(raw)));
  const double power = std::pow(10.0, exponent);
  const double multiple = raw / power;
  double step = (multiple <= 1 ? 1 : multiple <= 2 ? 2 : multiple <= 5 ? 5 : 10) * power;
  if (whole_) step = std::max(step, 1.0);
  // Counted in steps, so that no error accumulates and a tick at zero is zero.
  const double first = std::ceil(low_ / step - 1e-9), last = std::floor(high_ / step + 1e-9);
  for (double i = first; i <= last; ++i) ticks_.emplace_back(i * step, tick_label(i * step, step));
}

// Powers of ten; 2 and 5 times these where there are few, steps where there is less than one.
void AxisScale::decades() {
  const int first = static_cast<int>(std::floor(low_)), last = static_cast<int>(std::ceil(high_));
  const int every = std::max(1, (last - first + 7) / 8);
  for (int decade = first; decade <= last; ++decade) {
    if ((decade - first) % every != 0) continue;
    for (const int digit : {1, 2, 5}) {
      if (digit != 1 && high_ - low_ > 3) continue;
      const double value = digit * std::pow(10.0, decade);
      const double at = std::log10(value);
      if (at >= low_ - 1e-9 && at <= high_ + 1e-9) {
        ticks_.emplace_back(value, tick_label(value, value));
      }
    }
  }
  if (ticks_.size() >= 2) return;
  const AxisScale linear(
      {.whole = whole_, .low = std::pow(10.0, low_), .high = std::pow(10.0, high_)});
  ticks_ = linear.ticks_;
}

}  // namespace xtape::data::detail
