// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <cstdint>
#include <vector>

#include "../autograd/export.hpp"
#include "../autograd/owned.hpp"
#include "schedule.hpp"

// Rates multiplied by a factor of the epoch. All may be chained.
namespace xtape::optim {

/// Times gamma every `step_size` epochs.
class XTAPE_API StepLR final : public RateSchedule {
 public:
  /// Throws ValueError for step_size < 1 or gamma < 0.
  StepLR(Optimizer& optimizer, std::int64_t step_size, double gamma = 0.1);

 private:
  double rate(std::size_t group, double before) const override;
  double rate_at_once(std::size_t group) const override;

  std::int64_t step_size_;
  double gamma_;
};

/// Times gamma at each milestone.
class XTAPE_API MultiStepLR final : public RateSchedule {
 public:
  /// Throws ValueError for gamma < 0.
  MultiStepLR(Optimizer& optimizer, std::vector<std::int64_t> milestones, double gamma = 0.1);

 private:
  double rate(std::size_t group, double before) const override;
  double rate_at_once(std::size_t group) const override;

  std::vector<std::int64_t> milestones_;
  double gamma_;
};

/// Times gamma every epoch.
class XTAPE_API ExponentialLR final : public RateSchedule {
 public:
  /// Throws ValueError for gamma < 0.
  ExponentialLR(Optimizer& optimizer, double gamma);

 private:
  double rate(std::size_t group, double before) const override;
  double rate_at_once(std::size_t group) const override;

  double gamma_;
};

/// Times (1 - epoch / total_iters)^power, 0 from there on.
class XTAPE_API PolynomialLR final : public RateSchedule {
 public:
  /// Throws ValueError for total_iters < 1 or power < 0.
  explicit PolynomialLR(Optimizer& optimizer, std::int64_t total_iters = 5, double power = 1);

 private:
  double rate(std::size_t group, double before) const override;
  double rate_at_once(std::size_t group) const override;

  std::int64_t total_iters_;
  double power_;
};

struct LinearLROptions {
  double start_factor = 1.0 / 3;
  double end_factor = 1;
  std::int64_t total_iters = 5;
};

/// Times a factor that goes linearly from one number to another: a warm-up.
class XTAPE_API LinearLR final : public RateSchedule {
 public:
  /// Throws ValueError for start_factor outside (0, 1], end_factor outside [0, 1], total_iters < 1.
  explicit LinearLR(Optimizer& optimizer, const LinearLROptions& options = {});

 private:
  double rate(std::size_t group, double before) const override;
  double rate_at_once(std::size_t group) const override;

  LinearLROptions options_;
};

/// Times `factor` for the first `total_iters` epochs.
class XTAPE_API ConstantLR final : public RateSchedule {
 public:
  /// Throws ValueError for factor outside (0, 1], total_iters < 1.
  explicit ConstantLR(Optimizer& optimizer, double factor = 1.0 / 3, std::int64_t total_iters = 5);

 private:
  double rate(std::size_t group, double before) const override;
  double rate_at_once(std::size_t group) const override;

  double factor_;
  std::int64_t total_iters_;
};

/// A function of the epoch.
class RateFunction {
 public:
  template <class F>
  requires std::invocable<const F&, std::int64_t> RateFunction(F f)
      : object_(Shared<const F>::make(std::move(f))), call_([](const void* g, std::int64_t epoch) {
          return static_cast<double>((*static_cast<const F*>(g))(epoch));
        }) {}
  double operator()(std::int64_t epoch) const { return call_(object_.get(), epoch); }

 private:
  Shared<const void> object_;
  double (*call_)(const void* f, std::int64_t epoch);
};

/// The first rate times f(epoch). What `f` remembers is not in the state.
class XTAPE_API LambdaLR final : public RateSchedule {
 public:
  LambdaLR(Optimizer& optimizer, RateFunction f);
  /// One function for each group. Throws ValueError where there are more or fewer.
  LambdaLR(Optimizer& optimizer, std::vector<RateFunction> f);

 private:
  double rate(std::size_t group, double before) const override;

  std::vector<RateFunction> f_;
};

}  // namespace xtape::optim
