// SPDX-License-Identifier: BSD-3-Clause
#include "gradient_penalty.hpp"

#include <string>

#include "../autograd/error.hpp"
#include "../autograd/ops/arithmetic.hpp"
#include "../autograd/ops/math.hpp"
#include "../autograd/ops/random.hpp"
#include "../autograd/ops/reductions.hpp"
#include "../autograd/sweep.hpp"
#include "loss_checks.hpp"

namespace xtape::nn {

namespace {

void check_batch(const char* name, const Tensor& x) {
  detail::check_input(name, x);
  if (x.dim() >= 1 && x.numel() > 0) return;
  throw ShapeError(std::string(name) + ": expected samples [N, ...], got " + x.description());
}

}  // namespace

namespace detail {

Tensor between(const Tensor& real, const Tensor& fake) {
  check_batch("gradient_penalty", real);
  check_pair("gradient_penalty", real, fake);
  Shape shape = Shape::filled(real.dim(), 1);
  shape[0] = real.sizes()[0];
  const Tensor share = rand(shape, real.dtype());
  Tensor x = share * real.detach() + (1 - share) * fake.detach();
  return x.requires_grad_();
}

}  // namespace detail

Tensor gradient_norm_penalty(const Tensor& output, const Tensor& input, double target) {
  check_batch("gradient_norm_penalty", input);
  const Tensor g = grad({sum(output)}, {input}, {.create_graph = true})[0];
  const Tensor rows = g.dim() == 1 ? g.unsqueeze(1) : g.flatten(1);
  return mean(square(norm(rows, 2, {1}) - target));
}

}  // namespace xtape::nn
