// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <utility>

#include "../autograd/export.hpp"
#include "../autograd/scalar.hpp"
#include "containers.hpp"
#include "module.hpp"

namespace xtape::nn {

/// x itself.
class XTAPE_API Identity : public Module {
 public:
  XTAPE_DECLARE_PARTS()
  Tensor forward(const Tensor& x) override;
};

/// Any function of a tensor as a module: `nn::Lambda([](const Tensor& x) { return x * x; })`. It
/// holds no parameters; a copy has a copy of the function.
template <class F>
class Lambda : public Module {
  F f_;

 public:
  explicit Lambda(F f) : f_(std::move(f)) {}
  XTAPE_PARTS()
  Tensor forward(const Tensor& x) override { return f_(x); }
};

/// shortcut(x) + body(x), the shortcut being x itself where none is given. Parts: "body",
/// "shortcut". He et al., CVPR 2016.
class XTAPE_API Residual : public Module {
 public:
  AnyModule body, shortcut;
  XTAPE_DECLARE_PARTS()

  /// Throws ModuleError on an empty body.
  explicit Residual(AnyModule body, AnyModule shortcut = {});
  Tensor forward(const Tensor& x) override;
};

/// Surrounds x with a number: `padding` is {before, after} of the last dimension, then of the one
/// before it, and so on.
class XTAPE_API ConstantPad : public Module {
 public:
  Shape padding;
  double value;
  XTAPE_DECLARE_PARTS()

  explicit ConstantPad(const Shape& padding, double value = 0);
  Tensor forward(const Tensor& x) override;
};

}  // namespace xtape::nn
