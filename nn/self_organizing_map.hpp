// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <vector>

#include "../autograd/export.hpp"
#include "module.hpp"

// Self-organizing maps: units on a grid, each with a point among the samples, so that neighbours on
// the grid lie near each other. Kohonen, "Self-organized formation of topologically correct feature
// maps", Biological Cybernetics 43, 1982; "The self-organizing map", Proceedings of the IEEE 78,
// 1990; the batch form in "Essentials of the self-organizing map", Neural Networks 37, 2013.
//
//   nn::SelfOrganizingMap map(10, 10, x.size(1));
//   map.init_pca_(x);
//   map.fit(x, {.epochs = 50});
//   Tensor unit = map.best_matching_units(x);  // row * columns + column, for each sample
//   Tensor borders = map.distance_map();       // large between clusters
namespace xtape::nn {

/// Rectangular: 8 neighbours. Hexagonal: 6, all at distance 1; odd rows are moved by half a unit.
enum class SomGrid { rectangular, hexagonal };
/// How much a unit at distance d of the best one moves with it: exp(-d^2 / (2 radius^2)), or 1 up
/// to the radius and 0 beyond.
enum class SomNeighborhood { gaussian, bubble };

struct SelfOrganizingMapOptions {
  SomGrid grid = SomGrid::rectangular;
  SomNeighborhood neighborhood = SomNeighborhood::gaussian;
  DType dtype = float32;
};

/// Online: after each sample x every unit moves by rate * neighborhood * (x - unit). Batch: after
/// each epoch it becomes the mean of all samples, weighted by the neighborhood.
enum class SomTraining { online, batch };
/// The way from a to b, t from 0 to 1: a + (b - a) t, a (b / a)^t, a / (1 + (a / b - 1) t).
enum class SomDecay { linear, exponential, inverse };

struct SomFitOptions {
  std::int64_t epochs = 10;  ///< passes over the samples
  SomTraining training = SomTraining::online;
  double learning_rate = 0.5;  ///< online alone
  double final_learning_rate = 0.01;
  double radius = 0;  ///< in units of the grid; 0: half of its longer side
  double final_radius = 0.5;
  SomDecay decay = SomDecay::exponential;  ///< of rate and radius, by sample (batch: by epoch)
  bool shuffle = true;  ///< online alone: another order in each epoch, by this thread's generator
};

/// What takes samples takes x [n, features] of the map's dtype, and throws ShapeError, DTypeError,
/// and ValueError where x holds Inf or NaN. Units count row by row. Nothing is learned by gradient.
class XTAPE_API SelfOrganizingMap : public Module {
 public:
  Buffer weight;  ///< [rows, columns, features], from U(0, 1) at first
  XTAPE_DECLARE_PARTS()

  /// Throws ValueError for sizes below 1.
  SelfOrganizingMap(std::int64_t rows, std::int64_t columns, std::int64_t features,
                    const SelfOrganizingMapOptions& options = {});

  std::int64_t rows() const { return weight.size(0); }
  std::int64_t columns() const { return weight.size(1); }
  std::int64_t features() const { return weight.size(2); }
  std::int64_t units() const { return rows() * columns(); }

  /// The units become samples drawn at random, different ones while there are enough.
  void init_samples_(const Tensor& x);
  /// The units span the plane of the two principal components of x, one standard deviation to
  /// either side of the mean; the longer side of the grid lies along the first. Where two
  /// components are equally strong, any two of their plane serve.
  void init_pca_(const Tensor& x);

  /// Trains; returns for each epoch the mean distance of the samples to their best units, as they
  /// were met. Throws ValueError for options out of range.
  std::vector<double> fit(const Tensor& x, const SomFitOptions& options = {});

  /// Distances to all units, [..., units] for x [..., features]; differentiable in x: features for
  /// any module.
  Tensor forward(const Tensor& x) override;
  /// The nearest unit of each sample, int64 [n]; the first of several equally near.
  Tensor best_matching_units(const Tensor& x) const;
  /// The k nearest ones, nearest first, int64 [n, k]. Throws ValueError for k outside [1, units].
  Tensor best_matching_units(const Tensor& x, std::int64_t k) const;

  /// Mean distance of each unit to its neighbours, [rows, columns], the U-matrix by units. Ultsch
  /// and Siemon, "Kohonen's self organizing feature maps for exploratory data analysis", INNC 1990.
  Tensor distance_map() const;
  /// How many samples are nearest to each unit, int64 [rows, columns].
  Tensor hit_map(const Tensor& x) const;
  /// Mean distance of the samples to their best units.
  double quantization_error(const Tensor& x) const;
  /// Share of samples whose two best units are no neighbours. Kiviluoto, "Topology preservation in
  /// self-organizing maps", ICNN 1996. Throws ValueError for a map of one unit.
  double topographic_error(const Tensor& x) const;
  /// Where the units stand, float64 [units, 2]: to the right, and down.
  Tensor positions() const;

 private:
  struct Nearest;

  void check_samples(const char* method, const Tensor& x) const;
  Nearest nearest(const Tensor& x, std::int64_t k) const;
  double distance_squared(std::int64_t a, std::int64_t b) const;
  bool are_neighbors(std::int64_t a, std::int64_t b) const;
  double pull(double distance_squared, double radius) const;
  template <class T>
  double online_epoch(const Tensor& x, const Tensor& order, const SomFitOptions& options,
                      std::int64_t epoch);
  double batch_epoch(const Tensor& x, double radius);

  SelfOrganizingMapOptions options_;
};

}  // namespace xtape::nn
