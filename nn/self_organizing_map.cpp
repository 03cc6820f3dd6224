// SPDX-License-Identifier: BSD-3-Clause
#include "self_organizing_map.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "../autograd/error.hpp"
#include "../autograd/ops/arithmetic.hpp"
#include "../autograd/ops/creation.hpp"
#include "../autograd/ops/indexing.hpp"
#include "../autograd/ops/joining.hpp"
#include "../autograd/ops/linalg.hpp"
#include "../autograd/ops/math.hpp"
#include "../autograd/ops/matmul.hpp"
#include "../autograd/ops/random.hpp"
#include "../autograd/ops/reductions.hpp"
#include "../autograd/ops/shape.hpp"
#include "../autograd/ops/sorting.hpp"
#include "../autograd/parallel.hpp"
#include "../autograd/tape.hpp"

namespace xtape::nn {
namespace {

using xtape::detail::fresh_data;

constexpr double kRowHeight = 0.86602540378443864676;  // of the hexagonal grid, sqrt(3) / 2

// Units side by side for each feature, so that loops over the units become vector code.
template <class T>
std::vector<T> side_by_side(const Tensor& weight) {
  const std::int64_t features = weight.size(2), units = weight.numel() / features;
  std::vector<T> w(static_cast<std::size_t>(units * features));
  const T* from = weight.data<T>();
  for (std::int64_t u = 0; u < units; ++u) {
    for (std::int64_t f = 0; f < features; ++f) {
      w[static_cast<std::size_t>(f * units + u)] = from[u * features + f];
    }
  }
  return w;
}

// Squares of the distances of x to all units. Differences, not |x|^2 - 2 x w + |w|^2, which loses
// small distances of large numbers.
template <class T>
void distances_squared(const T* x, std::int64_t features, const T* __restrict w, std::int64_t units,
                       T* __restrict out) {
  std::fill(out, out + units, T(0));
  for (std::int64_t f = 0; f < features; ++f, w += units) {
    const T value = x[f];
    for (std::int64_t u = 0; u < units; ++u) out[u] += (value - w[u]) * (value - w[u]);
  }
}

double decayed(SomDecay decay, double from, double to, double t) {
  switch (decay) {
    case SomDecay::linear:
      return from + (to - from) * t;
    case SomDecay::exponential:
      return from * std::pow(to / from, t);
    default:
      return from / (1 + (from / to - 1) * t);
  }
}

void check(const SomFitOptions& o) {
  const auto require = [](bool good, const std::string& what, double got) {
    if (!good) {
      throw ValueError("SelfOrganizingMap::fit: expected " + what + ", got " + std::to_string(got));
    }
  };
  require(o.epochs >= 1, "at least 1 epoch", static_cast<double>(o.epochs));
  for (const double rate : {o.learning_rate, o.final_learning_rate}) {
    require(rate > 0 && rate <= 1, "learning rates in (0, 1]", rate);
  }
  require(o.radius >= 0 && std::isfinite(o.radius), "a radius of at least 0", o.radius);
  require(o.final_radius > 0 && std::isfinite(o.final_radius), "a final radius above 0",
          o.final_radius);
}

// The two strongest principal components of x, each times its standard deviation, [2, features].
Tensor principal_components(const Tensor& centered) {
  const std::int64_t features = centered.size(1);
  const Tensor covariance = matmul(centered.t(), centered) / static_cast<double>(centered.size(0));
  const EigenvaluesAndVectors spectrum = eigh(covariance);
  const double* variance = spectrum.eigenvalues.data<double>();
  // What is less is the rounding of others.
  const double least = 1e-12 * sum(spectrum.eigenvalues).item<double>();
  std::vector<Tensor> scaled;
  for (std::int64_t i = features - 1; i >= std::max<std::int64_t>(0, features - 2); --i) {
    if (!(variance[i] > least)) break;
    const Tensor v = select(spectrum.eigenvectors, 1, i);
    // One sign of the two: the largest element is positive.
    const double sign = v[argmax(abs(v)).item<std::int64_t>()].item<double>() < 0 ? -1 : 1;
    scaled.push_back(v * (sign * std::sqrt(variance[i])));
  }
  while (scaled.size() < 2) scaled.push_back(zeros({features}, float64));
  return stack(scaled);
}

}  // namespace

struct SelfOrganizingMap::Nearest {
  Tensor units;      // int64 [n, k]
  Tensor distances;  // float64 [n], to the first
};

XTAPE_DEFINE_PARTS(SelfOrganizingMap, weight)

SelfOrganizingMap::SelfOrganizingMap(std::int64_t rows, std::int64_t columns, std::int64_t features,
                                     const SelfOrganizingMapOptions& options)
    : options_(options) {
  if (rows < 1 || columns < 1 || features < 1) {
    throw ValueError("SelfOrganizingMap: expected at least 1 row, column and feature, got " +
                     std::to_string(rows) + ", " + std::to_string(columns) + " and " +
                     std::to_string(features));
  }
  weight = Buffer(rand({rows, columns, features}, options.dtype));
}

void SelfOrganizingMap::check_samples(const char* method, const Tensor& x) const {
  const std::string who = std::string("SelfOrganizingMap::") + method;
  if (!x.defined() || x.dim() != 2 || x.size(0) == 0 || x.size(1) != features()) {
    throw ShapeError(who + ": expected [samples, " + std::to_string(features()) + "], got " +
                     (x.defined() ? to_string(x.sizes()) : "undefined"));
  }
  if (x.dtype() != weight.dtype()) {
    throw DTypeError(who + ": expected the map's dtype, got " + x.description());
  }
  if (!std::isfinite(sum(x.detach().to(float64)).item<double>())) {
    throw ValueError(who + ": the samples hold Inf or NaN");
  }
}

void SelfOrganizingMap::init_samples_(const Tensor& x) {
  check_samples("init_samples_", x);
  const NoGrad guard;
  std::vector<Tensor> orders;
  for (std::int64_t drawn = 0; drawn < units(); drawn += x.size(0)) {
    orders.push_back(randperm(x.size(0)));
  }
  const Tensor chosen = narrow(cat(orders), 0, 0, units());
  weight.copy_(index_select(x, 0, chosen).reshape(weight.shape()));
}

void SelfOrganizingMap::init_pca_(const Tensor& x) {
  check_samples("init_pca_", x);
  const NoGrad guard;
  const Tensor x64 = x.to(float64), center = mean(x64, {0});
  const Tensor axes = principal_components(x64 - center);
  const auto across = [](std::int64_t n) {
    return n > 1 ? linspace(-1, 1, n, float64) : zeros({1}, float64);
  };
  const bool wide = columns() >= rows();
  const Tensor down = across(rows()).reshape({-1, 1, 1}) * axes[wide ? 1 : 0];
  const Tensor right = across(columns()).reshape({-1, 1}) * axes[wide ? 0 : 1];
  weight.copy_((center + down + right).to(weight.dtype()));
}

double SelfOrganizingMap::distance_squared(std::int64_t a, std::int64_t b) const {
  const bool hexagonal = options_.grid == SomGrid::hexagonal;
  const std::int64_t row_a = a / columns(), row_b = b / columns();
  const double shift = hexagonal ? 0.5 * static_cast<double>(row_a % 2 - row_b % 2) : 0;
  const double dx = static_cast<double>(a % columns() - b % columns()) + shift;
  const double dy = static_cast<double>(row_a - row_b) * (hexagonal ? kRowHeight : 1);
  return dx * dx + dy * dy;
}

bool SelfOrganizingMap::are_neighbors(std::int64_t a, std::int64_t b) const {
  return a != b && distance_squared(a, b) < (options_.grid == SomGrid::hexagonal ? 1.5 : 2.5);
}

double SelfOrganizingMap::pull(double distance_squared, double radius) const {
  const double square = radius * radius;
  return options_.neighborhood == SomNeighborhood::gaussian
             ? std::exp(-distance_squared / (2 * square))
         : distance_squared <= square * (1 + 1e-12) ? 1
                                                    : 0;
}

std::vector<double> SelfOrganizingMap::fit(const Tensor& x, const SomFitOptions& options) {
  check_samples("fit", x);
  check(options);
  const NoGrad guard;
  SomFitOptions o = options;
  const auto longer = static_cast<double>(std::max(rows(), columns()));
  if (o.radius == 0) o.radius = std::max(o.final_radius, longer / 2);
  const Tensor samples = x.contiguous(), in_order = arange(0, x.size(0), 1, int64);
  std::vector<double> errors;
  for (std::int64_t epoch = 0; epoch < o.epochs; ++epoch) {
    if (o.training == SomTraining::batch) {
      const double t = static_cast<double>(epoch) / static_cast<double>(o.epochs);
      errors.push_back(batch_epoch(samples, decayed(o.decay, o.radius, o.final_radius, t)));
      continue;
    }
    const Tensor order = o.shuffle ? randperm(x.size(0)) : in_order;
    errors.push_back(weight.dtype() == float32 ? online_epoch<float>(samples, order, o, epoch)
                                               : online_epoch<double>(samples, order, o, epoch));
  }
  return errors;
}

template <class T>
double SelfOrganizingMap::online_epoch(const Tensor& x, const Tensor& order, const SomFitOptions& o,
                                       std::int64_t epoch) {
  const std::int64_t n = x.size(0), u_count = units(), f_count = features();
  std::vector<T> w = side_by_side<T>(weight.contiguous());
  std::vector<T> distances(static_cast<std::size_t>(u_count)), shares(distances.size());
  double sum_of_distances = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const T* sample = x.data<T>() + order.data<std::int64_t>()[i] * f_count;
    distances_squared(sample, f_count, w.data(), u_count, distances.data());
    const auto smallest = std::min_element(distances.begin(), distances.end());
    sum_of_distances += std::sqrt(static_cast<double>(*smallest));
    const double t = static_cast<double>(epoch * n + i) / static_cast<double>(o.epochs * n);
    const double rate = decayed(o.decay, o.learning_rate, o.final_learning_rate, t);
    const double radius = decayed(o.decay, o.radius, o.final_radius, t);
    for (std::int64_t u = 0; u < u_count; ++u) {
      shares[static_cast<std::size_t>(u)] =
          static_cast<T>(rate * pull(distance_squared(smallest - distances.begin(), u), radius));
    }
    for (std::int64_t f = 0; f < f_count; ++f) {
      T* __restrict row = w.data() + f * u_count;
      const T* __restrict share = shares.data();
      const T value = sample[f];
      for (std::int64_t u = 0; u < u_count; ++u) row[u] += share[u] * (value - row[u]);
    }
  }
  const Tensor trained = from_values<T>(w, {f_count, u_count});
  weight.copy_(trained.t().reshape(weight.shape()));
  return sum_of_distances / static_cast<double>(n);
}

// In float64, where far units still have weights above 0.
double SelfOrganizingMap::batch_epoch(const Tensor& x, double radius) {
  const Nearest found = nearest(x, 1);
  const Tensor unit = found.units.flatten();
  const Tensor sums = index_add(zeros({units(), features()}, float64), 0, unit, x.to(float64));
  const Tensor hits = bincount(unit, {}, units()).to(float64).unsqueeze(1);
  const Tensor pulls = empty({units(), units()}, float64);
  auto* p = fresh_data<double>(pulls);
  for (std::int64_t a = 0; a < units(); ++a) {
    for (std::int64_t b = 0; b < units(); ++b) *p++ = pull(distance_squared(a, b), radius);
  }
  const Tensor total = matmul(pulls, hits), drawn = matmul(pulls, sums);
  // Units that no sample reaches stay where they are.
  const Tensor reached = total > 1e-290;
  const Tensor old = weight.reshape({units(), features()}).to(float64);
  const Tensor moved = where(reached, drawn / where(reached, total, ones_like(total)), old);
  weight.copy_(moved.to(weight.dtype()).reshape(weight.shape()));
  return mean(found.distances).item<double>();
}

SelfOrganizingMap::Nearest SelfOrganizingMap::nearest(const Tensor& x, std::int64_t k) const {
  const std::int64_t n = x.size(0), u_count = units(), f_count = features();
  const Nearest found{empty({n, k}, int64), empty({n}, float64)};
  const Tensor samples = x.detach().contiguous();
  xtape::detail::dispatch_floating(weight.dtype(), [&]<class T>(xtape::detail::Type<T>) {
    const std::vector<T> w = side_by_side<T>(weight.contiguous());
    const std::int64_t grain = std::max<std::int64_t>(1, (1 << 18) / (u_count * f_count));
    xtape::detail::parallel_for(n, grain, [&](std::int64_t begin, std::int64_t end) {
      std::vector<T> distances(static_cast<std::size_t>(u_count));
      for (std::int64_t i = begin; i < end; ++i) {
        distances_squared(samples.data<T>() + i * f_count, f_count, w.data(), u_count,
                          distances.data());
        for (std::int64_t j = 0; j < k; ++j) {
          const auto smallest = std::min_element(distances.begin(), distances.end());
          fresh_data<std::int64_t>(found.units)[i * k + j] = smallest - distances.begin();
          if (j == 0) {
            fresh_data<double>(found.distances)[i] = std::sqrt(static_cast<double>(*smallest));
          }
          *smallest = std::numeric_limits<T>::infinity();
        }
      }
    });
  });
  return found;
}

Tensor SelfOrganizingMap::forward(const Tensor& x) {
  if (!x.defined() || x.dim() == 0 || x.sizes().back() != features()) {
    throw ShapeError("expected [..., " + std::to_string(features()) + "], got " +
                     (x.defined() ? to_string(x.sizes()) : "undefined"));
  }
  return norm(x.unsqueeze(-2) - weight.reshape({units(), features()}), 2, {-1});
}

Tensor SelfOrganizingMap::best_matching_units(const Tensor& x) const {
  check_samples("best_matching_units", x);
  const NoGrad guard;
  return nearest(x, 1).units.flatten();
}

Tensor SelfOrganizingMap::best_matching_units(const Tensor& x, std::int64_t k) const {
  check_samples("best_matching_units", x);
  if (k < 1 || k > units()) {
    throw ValueError("SelfOrganizingMap::best_matching_units: expected k from 1 to " +
                     std::to_string(units()) + ", got " + std::to_string(k));
  }
  return nearest(x, k).units;
}

Tensor SelfOrganizingMap::distance_map() const {
  const NoGrad guard;
  const Tensor w = weight.reshape({units(), features()}).to(float64).contiguous();
  const Tensor map = zeros({units()}, float64);
  for (std::int64_t a = 0; a < units(); ++a) {
    double total = 0;
    std::int64_t count = 0;
    const std::int64_t row = a / columns(), column = a % columns();
    for (std::int64_t r = std::max<std::int64_t>(0, row - 1); r < std::min(rows(), row + 2); ++r) {
      const std::int64_t last = std::min(columns(), column + 2);
      for (std::int64_t c = std::max<std::int64_t>(0, column - 1); c < last; ++c) {
        const std::int64_t b = r * columns() + c;
        if (!are_neighbors(a, b)) continue;
        const double* pa = w.data<double>() + a * features();
        const double* pb = w.data<double>() + b * features();
        double square = 0;
        for (std::int64_t f = 0; f < features(); ++f) square += (pa[f] - pb[f]) * (pa[f] - pb[f]);
        total += std::sqrt(square);
        ++count;
      }
    }
    if (count) fresh_data<double>(map)[a] = total / static_cast<double>(count);
  }
  return map.reshape({rows(), columns()}).to(weight.dtype());
}

Tensor SelfOrganizingMap::hit_map(const Tensor& x) const {
  check_samples("hit_map", x);
  const NoGrad guard;
  return bincount(nearest(x, 1).units.flatten(), {}, units()).reshape({rows(), columns()});
}

double SelfOrganizingMap::quantization_error(const Tensor& x) const {
  check_samples("quantization_error", x);
  const NoGrad guard;
  return mean(nearest(x, 1).distances).item<double>();
}

double SelfOrganizingMap::topographic_error(const Tensor& x) const {
  check_samples("topographic_error", x);
  if (units() < 2) {
    throw ValueError("SelfOrganizingMap::topographic_error: expected at least 2 units");
  }
  const NoGrad guard;
  const Tensor found = nearest(x, 2).units;
  const auto* unit = found.data<std::int64_t>();
  std::int64_t torn = 0;
  for (std::int64_t i = 0; i < x.size(0); ++i) {
    if (!are_neighbors(unit[2 * i], unit[2 * i + 1])) ++torn;
  }
  return static_cast<double>(torn) / static_cast<double>(x.size(0));
}

Tensor SelfOrganizingMap::positions() const {
  const bool hexagonal = options_.grid == SomGrid::hexagonal;
  const Tensor places = empty({units(), 2}, float64);
  auto* p = fresh_data<double>(places);
  for (std::int64_t u = 0; u < units(); ++u) {
    const std::int64_t row = u / columns();
    *p++ = static_cast<double>(u % columns()) + (hexagonal && row % 2 ? 0.5 : 0);
    *p++ = static_cast<double>(row) * (hexagonal ? kRowHeight : 1);
  }
  return places;
}

}  // namespace xtape::nn
