// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../autograd/export.hpp"
#include "../autograd/tensor.hpp"
#include "dataset.hpp"
#include "table.hpp"

// Sets with a structure that is known. They depend on the seed alone; pictures of digits are in
// digits.hpp. All throw ValueError on a negative count and on options out of range.
namespace xtape::data {

struct SpiralOptions {
  std::int64_t classes = 2;
  double turns = 1;  ///< that each arm makes from the centre to radius 1
  double noise = 0;  ///< standard deviation added to both coordinates
  std::uint64_t seed = 0;
};
/// Arms of spirals in the plane: x float32 [count, 2], y int64 [count], sample i of class
/// i % classes.
XTAPE_API Batch spirals(std::int64_t count, const SpiralOptions& options = {});

struct MoonOptions {
  double noise = 0;
  std::uint64_t seed = 0;
};
/// Two half circles that interlock, of radius 1 about (0, 0) and (1, 0.5); as above.
XTAPE_API Batch moons(std::int64_t count, const MoonOptions& options = {});

struct BlobOptions {
  double std = 1;
  std::uint64_t seed = 0;
};
/// Normal clouds about the rows of `centers` [classes, features]: x of its dtype, y int64, sample i
/// of class i % classes. Throws ShapeError, DTypeError.
XTAPE_API Batch blobs(std::int64_t count, const Tensor& centers, const BlobOptions& options = {});

struct SineOptions {
  double period = 50;  ///< samples
  double noise = 0;
  std::uint64_t seed = 0;
};
/// sin(2 pi i / period), float32 [count].
XTAPE_API Tensor sine(std::int64_t count, const SineOptions& options = {});

struct MackeyGlassOptions {
  std::int64_t tau = 17;     ///< the delay; from 17 on the series is chaotic
  double start = 1.2;        ///< x(t) for t <= 0
  std::int64_t warm_up = 0;  ///< samples left out at the beginning
};
/// x(0), x(1), ... of dx/dt = 0.2 x(t - tau) / (1 + x(t - tau)^10) - 0.1 x(t), float64 [count], by
/// Runge and Kutta's fourth-order method with steps of 0.1. Mackey and Glass, "Oscillation and
/// chaos in physiological control systems", Science 197, 1977.
XTAPE_API Tensor mackey_glass(std::int64_t count, const MackeyGlassOptions& options = {});

struct RandomWalkOptions {
  double start = 100;        ///< p(0)
  double drift = 0;          ///< per step: E p(t + 1) = p(t) exp(drift)
  double volatility = 0.01;  ///< standard deviation of log p(t + 1) - log p(t)
  std::uint64_t seed = 0;
};
/// Prices of a geometric random walk, float64 [count]: log p(t + 1) - log p(t) is normal. Nothing
/// that is known at t predicts better than p(t) exp(drift).
XTAPE_API Tensor geometric_random_walk(std::int64_t count, const RandomWalkOptions& options = {});

/// Invented bank customers: CreditScore, Geography, Gender, Age, Tenure, Balance, NumOfProducts,
/// HasCrCard, IsActiveMember, EstimatedSalary, Exited. Exited is 1 with probability
/// 1 / (1 + exp(-z)), z = -1.1 + 1.2 a - 0.35 a^2 + 0.9 [Germany] + 0.5 [Female]
/// - 1.0 IsActiveMember + 2.5 [NumOfProducts > 2] - 0.9 [NumOfProducts = 2], a = (Age - 39) / 10:
/// how well a classifier can do at best is known.
XTAPE_API Table bank_customers(std::int64_t count, std::uint64_t seed = 0);

/// Invented applications for credit cards in the columns of the Australian credit approval data
/// (CustomerID, A1 ... A14, Class: 1 where accepted), and Irregular, which that data does not have:
/// 1 for about 3 in 100, whose amounts A2, A3, A7, A10, A13, A14 are uniform over all that occurs;
/// those of the others keep to its lower part. Class is 1 with probability 1 / (1 + exp(-z)),
/// z = -2.8 + 3.2 A8 + 1.2 A9 + A11 / 2.
XTAPE_API Table credit_applications(std::int64_t count, std::uint64_t seed = 0);

}  // namespace xtape::data
