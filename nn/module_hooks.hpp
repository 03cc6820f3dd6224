// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <utility>

#include "../autograd/export.hpp"
#include "../autograd/owned.hpp"
#include "../autograd/tensor.hpp"
#include "module.hpp"

// Functions that run whenever a module is called, or the gradient of its result is complete, as
// long as an object lives: PyTorch's register_forward_hook and register_full_backward_hook.
namespace xtape::nn {
namespace detail {

struct CallHook {
  virtual ~CallHook() = default;
  virtual void call(Module& module, const Tensor& result) = 0;
};

/// Keeps a hook in the list of this thread.
class XTAPE_API HookRegistration {
 public:
  HookRegistration(const Module& module, Owned<CallHook> hook);
  ~HookRegistration();
  HookRegistration(const HookRegistration&) = delete;
  HookRegistration& operator=(const HookRegistration&) = delete;
};

}  // namespace detail

/// In its scope (this thread), f(module, y) runs after every call of `module`, in a checkpoint's
/// second run too. y is the result where that is a tensor; of a struct its `output`, as of LSTM and
/// MultiheadAttention, or else its state `h`, as of LSTMCell; with none of these nothing runs.
///
///     const nn::ForwardHook hook(net.conv, [&](nn::Module&, const Tensor& y) { seen = y; });
///
/// Several run in the order in which they were made. Destroyed by the thread that made it.
class ForwardHook {
 public:
  template <class F>
  ForwardHook(const Module& module, F f)
      : registration_(module, Owned<Wrapped<F>>::make(std::move(f))) {}

 private:
  template <class F>
  struct Wrapped final : detail::CallHook {
    explicit Wrapped(F g) : f(std::move(g)) {}
    void call(Module& module, const Tensor& result) override { f(module, result); }
    F f;
  };

  detail::HookRegistration registration_;
};

/// f(module, g) runs for each call of `module` in its scope whose result is recorded, when the
/// gradient g of that result is complete; it may return a replacement, as a tensor's hook. The
/// module must live until then; the hook object need not.
class BackwardHook {
 public:
  template <class F>
  BackwardHook(const Module& module, F f)
      : forward_(module, [f = std::move(f)](Module& m, const Tensor& y) {
          if (!y.requires_grad() || y.is_leaf()) return;
          Tensor handle = y;
          handle.register_hook([f, &m](const Tensor& g) mutable { return f(m, g); });
        }) {}

 private:
  ForwardHook forward_;
};

}  // namespace xtape::nn
