// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "export.hpp"
#include "tensor.hpp"
#include "tensor_function.hpp"

namespace xtape {

/// How gradients are compared with differences: |analytic - numeric| <= atol + rtol * |numeric|.
struct GradcheckOptions {
  double rtol = 1e-5;
  double atol = 1e-7;
  /// Half the width of the differences, relative to max(1, |x|); 0 chooses it, and for functions
  /// that bend sharply chooses again among finer and higher-order ones.
  double step = 0.0;
  std::uint64_t seed = 1;         ///< of the random gradients given to the outputs
  std::int64_t max_elements = 0;  ///< of each input, chosen at random; 0 checks all
};

/// What gradcheck found: the first element whose gradient is wrong, or `ok`.
struct GradcheckReport {
  bool ok = true;
  std::string operation;      ///< the last operation of the output that differs most
  int input = -1;             ///< which input; of gradgradcheck, those after the inputs are seeds
  std::int64_t element = -1;  ///< row-major, in that input
  std::vector<std::int64_t> index;  ///< the same element by dimensions
  double analytic = 0.0;            ///< what the tape says
  double numeric = 0.0;             ///< what the differences say
  std::string problem;              ///< where there are no two values to show

  explicit operator bool() const noexcept { return ok; }
  /// One line to print.
  XTAPE_API std::string text() const;
};

namespace detail {

XTAPE_API GradcheckReport run_gradcheck(TensorFunction f, const std::vector<Tensor>& inputs,
                                        const GradcheckOptions& options);
XTAPE_API GradcheckReport run_gradgradcheck(TensorFunction f, const std::vector<Tensor>& inputs,
                                            const GradcheckOptions& options);
}  // namespace detail

/// Compares the gradients of `f` with central differences, for a random gradient of its outputs.
/// `f` takes the inputs one by one or as a vector and returns a Tensor, a pair or a vector of them.
/// Every float64 input is checked, at a copy of its value; integer and boolean ones are passed on.
/// Throws DTypeError on float32 inputs or outputs, whose differences say nothing.
template <class F>
GradcheckReport gradcheck(F&& f, const std::vector<Tensor>& inputs,
                          const GradcheckOptions& options = {}) {
  return detail::run_gradcheck(detail::tensor_function(f), inputs, options);
}
/// gradcheck(f, {x, y})
template <class F, std::size_t N>
GradcheckReport gradcheck(F&& f, const Tensor (&inputs)[N], const GradcheckOptions& options = {}) {
  return detail::run_gradcheck(detail::tensor_function_of<N>(f), {inputs, inputs + N}, options);
}

/// The same for the gradients of the gradients: differentiates the gradient that the tape gives,
/// with respect to the inputs and to the gradients of the outputs (reported as further inputs).
template <class F>
GradcheckReport gradgradcheck(F&& f, const std::vector<Tensor>& inputs,
                              const GradcheckOptions& options = {}) {
  return detail::run_gradgradcheck(detail::tensor_function(f), inputs, options);
}
template <class F, std::size_t N>
GradcheckReport gradgradcheck(F&& f, const Tensor (&inputs)[N],
                              const GradcheckOptions& options = {}) {
  return detail::run_gradgradcheck(detail::tensor_function_of<N>(f), {inputs, inputs + N}, options);
}

}  // namespace xtape
