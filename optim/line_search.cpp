// SPDX-License-Identifier: BSD-3-Clause
#include "line_search.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace xtape::optim::detail {
namespace {

constexpr double kArmijo = 1e-4;    // c1
constexpr double kCurvature = 0.9;  // c2
constexpr int kMaxIterations = 25;

// The minimum in [low, high] of the cubic with the values and slopes of a and b.
double cubic_minimum(const LinePoint& a, const LinePoint& b, double low, double high) {
  const LinePoint& left = a.t <= b.t ? a : b;
  const LinePoint& right = a.t <= b.t ? b : a;
  const double mean = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t);
  const double square = mean * mean - a.slope * b.slope;
  if (!(square >= 0)) return (low + high) / 2;
  const double root = std::sqrt(square);
  const double minimum = right.t - (right.t - left.t) * ((right.slope + root - mean) /
                                                         (right.slope - left.slope + 2 * root));
  return std::min(std::max(minimum, low), high);
}

class Search {
 public:
  Search(Line& line, const LinePoint& start, double tolerance)
      : line_(line), start_(start), tolerance_(tolerance) {}

  LinePoint run(double t) {
    LinePoint a, b;  // the bracket
    if (!find_bracket(t, a, b)) return a;
    return narrow(std::move(a), std::move(b));
  }

 private:
  bool falls_enough(const LinePoint& p) const {
    return p.loss <= start_.loss + kArmijo * p.t * start_.slope;
  }
  bool is_flat_enough(const LinePoint& p) const {
    return std::abs(p.slope) <= -kCurvature * start_.slope;
  }

  // False where `a` is the answer already.
  bool find_bracket(double t, LinePoint& a, LinePoint& b) {
    LinePoint before = start_;
    LinePoint now = line_.at(t);
    for (; iterations_ < kMaxIterations; ++iterations_) {
      const bool rises = iterations_ > 1 && now.loss >= before.loss;
      const bool passed = !falls_enough(now) || rises;
      if (!passed && is_flat_enough(now)) {
        a = now;
        return false;
      }
      if (passed || now.slope >= 0) {
        a = before;
        b = now;
        return true;
      }
      const double next = cubic_minimum(before, now, now.t + 0.01 * (now.t - before.t), now.t * 10);
      before = std::move(now);
      now = line_.at(next);
    }
    a = start_;
    b = now;
    return true;
  }

  LinePoint narrow(LinePoint a, LinePoint b) {
    bool swapped = !(a.loss <= b.loss);  // a is the lower one from here on, at a tie the first
    if (swapped) std::swap(a, b);
    bool stuck = false;
    while (iterations_ < kMaxIterations) {
      if (std::abs(b.t - a.t) * line_.length < tolerance_) break;
      const double low = std::min(a.t, b.t), high = std::max(a.t, b.t);
      const double t = cubic_minimum(a, b, low, high);
      LinePoint now = line_.at(away_from_ends(t, low, high, stuck));
      ++iterations_;
      if (!falls_enough(now) || now.loss >= a.loss) {
        b = std::move(now);
        if (swapped ? b.loss <= a.loss : b.loss < a.loss) {
          std::swap(a, b);
          swapped = !swapped;
        }
        continue;
      }
      const bool done = is_flat_enough(now);
      if (!done && now.slope * (b.t - a.t) >= 0) b = std::move(a);
      a = std::move(now);
      if (done) break;
    }
    return a;
  }

  // A trial that is near an end for the second time, or at it, moves a tenth inwards.
  static double away_from_ends(double t, double low, double high, bool& stuck) {
    const double margin = 0.1 * (high - low);
    if (std::min(high - t, t - low) >= margin) {
      stuck = false;
      return t;
    }
    if (!stuck && t < high && t > low) {
      stuck = true;
      return t;
    }
    stuck = false;
    return std::abs(t - high) < std::abs(t - low) ? high - margin : low + margin;
  }

  Line& line_;
  const LinePoint& start_;
  double tolerance_;
  int iterations_ = 0;
};

}  // namespace

LinePoint strong_wolfe(Line& line, const LinePoint& start, double t, double tolerance_change) {
  return Search(line, start, tolerance_change).run(t);
}

}  // namespace xtape::optim::detail
