// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <type_traits>
#include <utility>
#include <vector>

#include "export.hpp"
#include "owned.hpp"
#include "tensor.hpp"
#include "tensor_function.hpp"

namespace xtape {

namespace detail {

/// The function of a checkpoint, kept until its node goes.
struct CheckpointFunction {
  virtual ~CheckpointFunction() = default;
  virtual std::vector<Tensor> call(const std::vector<Tensor>& inputs) = 0;
};

XTAPE_API std::vector<Tensor> run_checkpoint(Owned<CheckpointFunction> f,
                                             const std::vector<Tensor>& inputs);

template <class F>
Owned<CheckpointFunction> checkpoint_function(F f) {
  struct Kept final : CheckpointFunction {
    explicit Kept(F g) : f(std::move(g)) {}
    std::vector<Tensor> call(const std::vector<Tensor>& inputs) override {
      return call_with(f, inputs);
    }
    F f;
  };
  return Owned<Kept>::make(std::move(f));
}

template <class R>
R from_vector(std::vector<Tensor> ys) {
  if constexpr (std::is_same_v<R, std::vector<Tensor>>) {
    return ys;
  } else if constexpr (std::is_same_v<R, std::pair<Tensor, Tensor>>) {
    return {std::move(ys[0]), std::move(ys[1])};
  } else {
    return std::move(ys[0]);
  }
}

}  // namespace detail

/// f(inputs...), which keeps its inputs alone instead of all that its operations save: the reverse
/// sweep computes f once more when it gets there. Saves memory, costs a second forward pass. Chen
/// et al., "Training deep nets with sublinear memory cost", 2016.
///
/// The second run draws the same random numbers and must compute the same: `f` may read anything,
/// and what it uses of leaves (parameters) and recorded values gets its gradient; what it writes is
/// written twice, unless it asks `is_recomputing()`, as batch normalisation does for its running
/// statistics. `f` is copied, so a module is called in a lambda that refers to it. It takes
/// tensors, or one vector of them, and returns a Tensor, a pair or a vector, of at most 8.
/// Checkpoints may stand inside of one another. Backward throws GradError where an input or a
/// parameter was overwritten since.
template <class F, class... Inputs>
auto checkpoint(F&& f, const Inputs&... inputs) {
  using Function = std::decay_t<F>;
  static_assert(
      !requires(Function & g) { g.parameters(); },
      "checkpoint copies its function: call the module in a lambda, [&](const Tensor& x) "
      "{ return module(x); }, since a copy would have parameters of its own");
  using Result = std::decay_t<std::invoke_result_t<Function&, const Inputs&...>>;
  auto kept = detail::checkpoint_function<Function>(std::forward<F>(f));
  if constexpr ((std::is_base_of_v<Tensor, Inputs> && ...)) {
    return detail::from_vector<Result>(detail::run_checkpoint(std::move(kept), {inputs...}));
  } else {
    return detail::from_vector<Result>(detail::run_checkpoint(std::move(kept), inputs...));
  }
}

/// True while this thread computes the function of a checkpoint for the second time.
XTAPE_API bool is_recomputing() noexcept;

}  // namespace xtape
