// SPDX-License-Identifier: BSD-3-Clause
#include "combinators.hpp"

#include "../autograd/error.hpp"
#include "../autograd/ops/arithmetic.hpp"
#include "../autograd/ops/joining.hpp"

namespace xtape::nn {

XTAPE_DEFINE_PARTS(Identity)
XTAPE_DEFINE_PARTS(Residual, body, shortcut)
XTAPE_DEFINE_PARTS(ConstantPad)

Tensor Identity::forward(const Tensor& x) { return x; }

Residual::Residual(AnyModule b, AnyModule s) : body(std::move(b)), shortcut(std::move(s)) {
  if (!body) throw ModuleError("Residual: an empty body");
}

Tensor Residual::forward(const Tensor& x) {
  const Tensor y = body(x);
  return (shortcut ? shortcut(x) : x) + y;
}

ConstantPad::ConstantPad(const Shape& p, double v) : padding(p), value(v) {}
Tensor ConstantPad::forward(const Tensor& x) { return pad(x, padding, value); }

}  // namespace xtape::nn
