// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <vector>

#include "../autograd/export.hpp"
#include "optimizer.hpp"

namespace xtape::optim {

/// Steps of a fixed size, or to a point that satisfies the strong Wolfe conditions.
enum class LineSearch : std::uint8_t { none, strong_wolfe };

struct LBFGSOptions {
  double lr = 1;
  std::int64_t max_iter = 20;  ///< iterations in one step
  std::int64_t max_eval = 0;   ///< evaluations of the closure in one step; 0: 5/4 max_iter
  double tolerance_grad = 1e-7;
  double tolerance_change = 1e-9;
  std::int64_t history_size = 100;
  LineSearch line_search_fn = LineSearch::none;
};

/// Quasi-Newton steps from the last `history_size` changes of parameters and gradients, for whole
/// batches: `optimizer.step(closure)`, the closure evaluated several times. One group of parameters
/// alone. Liu and Nocedal, Mathematical Programming 1989; as PyTorch has it.
class XTAPE_API LBFGS final : public OptimizerWith<LBFGSOptions> {
 public:
  /// Throws ValueError for options out of range, and as Optimizer does for parameters.
  explicit LBFGS(const std::vector<Tensor>& parameters, const LBFGSOptions& options = {});

  /// Where the closure throws, parameters and history are as before the step.
  using Optimizer::step;
  /// Refuses with ValueError: the closure is needed.
  void step() override;

 private:
  // What is kept from one step to the next; vectors as long as all parameters together.
  struct Memory {
    std::int64_t n_iter = 0, func_evals = 0;
    double t = 0, h_diag = 1, prev_loss = 0;
    Tensor d, prev_flat_grad;
    std::vector<Tensor> old_dirs, old_stps;
    std::vector<double> ro;
  };
  class SearchLine;

  void check(const LBFGSOptions& o) const override;
  void check_parameters(const std::vector<Tensor>& parameters) const override;
  void update(detail::Slot&, const Tensor&, const Tensor&, std::size_t) override {}
  Tensor step_with(const detail::LossClosure& closure) override;
  void append_state(NamedTensors& state) const override;
  void read_state(detail::StateReader& reader, bool take_over) override;

  void remember(const Tensor& gradient);
  Tensor newton_direction(const Tensor& gradient) const;
  void iterate(const detail::LossClosure& closure, double loss, Tensor gradient);
  Tensor evaluate(const detail::LossClosure& closure);
  Tensor flat_gradient() const;
  void move(double t, const Tensor& direction);
  std::int64_t numel() const;

  Memory memory_;
};

}  // namespace xtape::optim
