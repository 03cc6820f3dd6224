// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "../error.hpp"
#include "../parallel.hpp"
#include "arithmetic.hpp"
#include "creation.hpp"
#include "random.hpp"

namespace xtape {
namespace {

// Weights and the sum of them and of those before, of one row.
struct Row {
  std::vector<double> weights, sums;
  std::int64_t positive = 0;

  template <class T>
  void read(const T* p, std::int64_t n) {
    weights.assign(p, p + n);
    sums.resize(weights.size());
    std::partial_sum(weights.begin(), weights.end(), sums.begin());
    positive = std::count_if(p, p + n, [](T v) { return v > 0; });
  }
  void check(std::int64_t needed) const {
    for (const double w : weights) {
      if (w >= 0 && std::isfinite(w)) continue;
      throw ValueError("multinomial: expected finite weights that are not negative, got " +
                       std::to_string(w));
    }
    if (!std::isfinite(sums.back())) throw ValueError("multinomial: the weights' sum overflows");
    if (positive >= needed) return;
    throw ValueError("multinomial: " + std::to_string(needed) + " of a row must be positive, " +
                     std::to_string(positive) + " are");
  }
};

// The first whose sum exceeds a share of the whole: none of weight 0.
void draw_again_and_again(const Row& row, const double* uniform, std::int64_t* out,
                          std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const auto at =
        std::upper_bound(row.sums.begin(), row.sums.end(), uniform[i] * row.sums.back());
    out[i] = at - row.sums.begin();
  }
}

// Each waits for a time that is exponential with its weight as the rate: the order of these is that
// of draws one after the other. P. Efraimidis, P. Spirakis (2006), "Weighted random sampling with a
// reservoir".
void draw_each_once(const Row& row, const double* uniform, std::int64_t* out, std::int64_t count) {
  std::vector<std::pair<double, std::int64_t>> times;
  times.reserve(static_cast<std::size_t>(row.positive));
  for (std::size_t i = 0; i < row.weights.size(); ++i) {
    if (!(row.weights[i] > 0)) continue;
    times.emplace_back(-std::log1p(-uniform[i]) / row.weights[i], static_cast<std::int64_t>(i));
  }
  std::partial_sort(times.begin(), times.begin() + count, times.end());
  for (std::int64_t i = 0; i < count; ++i) out[i] = times[static_cast<std::size_t>(i)].second;
}

}  // namespace

Tensor multinomial(const Tensor& p, std::int64_t num_samples, bool replacement) {
  detail::check_defined("multinomial", p);
  if (!is_floating(p.dtype())) {
    throw DTypeError(std::string("multinomial: expected a floating dtype, got ") + name(p.dtype()));
  }
  if (p.dim() < 1 || p.dim() > 2 || p.size(-1) == 0) {
    throw ShapeError("multinomial: expected [n] or [rows, n] with n > 0, got " +
                     to_string(p.sizes()));
  }
  const std::int64_t n = p.size(-1), rows = p.dim() == 1 ? 1 : p.size(0);
  if (num_samples < 1 || (!replacement && num_samples > n)) {
    throw ValueError("multinomial: cannot draw " + std::to_string(num_samples) + " of " +
                     std::to_string(n) + (replacement ? "" : " without replacement"));
  }
  const Tensor weights = detail::copy_contiguous(p);
  const std::int64_t draws = replacement ? num_samples : n;
  const Tensor uniform = rand({rows, draws}, float64);
  Tensor y = empty(p.dim() == 1 ? Shape{num_samples} : Shape{rows, num_samples}, int64);
  std::int64_t* out = detail::fresh_data<std::int64_t>(y);
  detail::dispatch_floating(p.dtype(), [&]<class T>(detail::Type<T>) {
    const std::int64_t grain = std::max<std::int64_t>(1, 4096 / (n + num_samples));
    detail::parallel_for(rows, grain, [&](std::int64_t begin, std::int64_t end) {
      Row row;
      for (std::int64_t r = begin; r < end; ++r) {
        row.read(weights.data<T>() + r * n, n);
        row.check(replacement ? 1 : num_samples);
        const double* u = uniform.data<double>() + r * draws;
        (replacement ? draw_again_and_again : draw_each_once)(row, u, out + r * num_samples,
                                                              num_samples);
      }
    });
  });
  return y;
}

}  // namespace xtape
