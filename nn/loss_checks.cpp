// SPDX-License-Identifier: BSD-3-Clause
#include "loss_checks.hpp"

#include <string>

#include "../autograd/error.hpp"
#include "../autograd/ops/reductions.hpp"

namespace xtape::nn::detail {

void check_input(const char* name, const Tensor& input) {
  xtape::detail::check_defined(name, input);
  if (is_floating(input.dtype())) return;
  throw DTypeError(std::string(name) + ": expected a floating input, got " + input.description());
}

void check_pair(const char* name, const Tensor& input, const Tensor& target) {
  check_input(name, input);
  xtape::detail::check_defined(name, target);
  if (input.shape() == target.shape()) return;
  throw ShapeError(std::string(name) + ": shapes differ, input " + to_string(input.sizes()) +
                   " and target " + to_string(target.sizes()) + "; losses do not broadcast");
}

void check_signs(const char* name, const Tensor& target) {
  const Tensor dense = target.to(float64).contiguous();
  const double* sign = dense.data<double>();
  for (std::int64_t i = 0; i < dense.numel(); ++i) {
    if (sign[i] == 1 || sign[i] == -1) continue;
    throw ValueError(std::string(name) + ": expected targets of 1 and -1, got " +
                     std::to_string(sign[i]));
  }
}

void check_option(const char* name, bool valid, const char* option, double got) {
  if (valid) return;
  throw ValueError(std::string(name) + ": " + option + " is out of range: " + std::to_string(got));
}

Tensor reduce(const char* name, const Tensor& losses, Reduction reduction) {
  if (reduction == Reduction::batchmean) {
    throw ValueError(std::string(name) + ": batchmean is a reduction of kl_div alone");
  }
  if (reduction == Reduction::none) return losses;
  if (reduction == Reduction::sum) return sum(losses);
  if (losses.numel() == 0) {
    throw ShapeError(std::string(name) + ": empty batch, input " + to_string(losses.sizes()));
  }
  return mean(losses);
}

}  // namespace xtape::nn::detail
