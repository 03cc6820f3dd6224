// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <vector>

#include "../autograd/export.hpp"
#include "schedule.hpp"

namespace xtape::optim {

/// What better means: smaller (a loss) or larger (an accuracy).
enum class PlateauMode : std::uint8_t { min, max };
/// By a share of the best value, or by a difference.
enum class ThresholdMode : std::uint8_t { rel, abs };

struct PlateauOptions {
  PlateauMode mode = PlateauMode::min;
  double factor = 0.1;
  std::int64_t patience = 10;  ///< epochs without improvement that are borne
  double threshold = 1e-4;     ///< a smaller improvement is none
  ThresholdMode threshold_mode = ThresholdMode::rel;
  std::int64_t cooldown = 0;  ///< epochs after a reduction that do not count
  PerGroup min_lr = 0;
  double eps = 1e-8;  ///< a smaller reduction is not made
};

/// Times `factor` when a metric has not improved for more than `patience` epochs.
class XTAPE_API ReduceLROnPlateau final : public Schedule {
 public:
  /// Throws ValueError for options out of range.
  explicit ReduceLROnPlateau(Optimizer& optimizer, const PlateauOptions& options = {});

  /// To be called with the metric of each epoch.
  void step(double metric);
  /// Refuses with ValueError: the metric is needed.
  void step() override;

 private:
  bool is_better(double metric) const;
  void reduce();
  void fields(detail::ScheduleFields& f) override;
  void jump(std::int64_t epoch) override;
  const char* unfit(bool later) const override;

  PlateauOptions options_;
  std::vector<double> min_lrs_;
  double best_;
  std::int64_t bad_epochs_ = 0;
  std::int64_t cooldown_ = 0;  // epochs of it that are left
};

}  // namespace xtape::optim
