// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <vector>

#include "../autograd/export.hpp"
#include "schedule.hpp"

// Rates that go up and down, and momentum the other way round; to be stepped after each batch.
namespace xtape::optim {

enum class AnnealStrategy : std::uint8_t { cos, linear };

struct OneCycleOptions {
  std::int64_t total_steps = 0;  ///< or epochs and steps_per_epoch
  std::int64_t epochs = 0;
  std::int64_t steps_per_epoch = 0;
  double pct_start = 0.3;  ///< the share of the steps in which the rate goes up
  AnnealStrategy anneal_strategy = AnnealStrategy::cos;
  bool cycle_momentum = true;
  PerGroup base_momentum = 0.85;
  PerGroup max_momentum = 0.95;
  double div_factor = 25;         ///< first rate: max_lr / div_factor
  double final_div_factor = 1e4;  ///< last rate: first rate / final_div_factor
  bool three_phase = false;       ///< up, as far down, then to the last rate
};

/// Up to max_lr and far down once. Smith and Topin, 2018.
class XTAPE_API OneCycleLR final : public RateSchedule {
 public:
  /// Throws ValueError for arguments out of range, and for cycle_momentum where the optimizer has
  /// no momentum. `step()` throws ValueError beyond the last step.
  OneCycleLR(Optimizer& optimizer, const PerGroup& max_lr, const OneCycleOptions& options);

 private:
  // The end of a phase, and what it leads to: the numbers are places in {first, highest, last}.
  struct Phase {
    double end;
    int from, to;
  };

  double rate(std::size_t group, double before) const override;
  void advance() override;
  void set_momentum() override;
  void check(const OneCycleOptions& o) const;
  double anneal(double from, double to, double share) const;
  // f(phase, share of it that is done)
  template <class F>
  auto in_phase(F f) const;

  OneCycleOptions options_;
  std::int64_t total_steps_;
  std::vector<Phase> phases_;
  std::vector<double> max_lrs_, base_momenta_, max_momenta_;
};

/// Each next cycle as high; half as high as the one before; the height times gamma every step.
enum class CyclicMode : std::uint8_t { triangular, triangular2, exp_range };

struct CyclicOptions {
  std::int64_t step_size_up = 2000;
  std::int64_t step_size_down = 0;  ///< 0: as many as up
  CyclicMode mode = CyclicMode::triangular;
  double gamma = 1;
  bool cycle_momentum = true;
  PerGroup base_momentum = 0.8;
  PerGroup max_momentum = 0.9;
};

/// Up and down between two rates in straight lines. Smith, WACV 2017.
class XTAPE_API CyclicLR final : public RateSchedule {
 public:
  /// Throws ValueError for arguments out of range, and for cycle_momentum where the optimizer has
  /// no momentum.
  CyclicLR(Optimizer& optimizer, const PerGroup& base_lr, const PerGroup& max_lr,
           const CyclicOptions& options = {});

 private:
  double rate(std::size_t group, double before) const override;
  void set_momentum() override;
  double height() const;  // of this step, between 0 and 1

  CyclicOptions options_;
  std::vector<double> max_lrs_, base_momenta_, max_momenta_;
};

}  // namespace xtape::optim
