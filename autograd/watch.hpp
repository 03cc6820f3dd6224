// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "export.hpp"

// Guards that look at what a thread records and differentiates; private to autograd/.
namespace xtape {
class Tensor;
}

namespace xtape::detail {

struct Node;
struct Recording;

/// Told of what its thread does for the time of its life; the innermost first. One check of a
/// pointer where there is none.
class XTAPE_API Watcher {
 public:
  Watcher() noexcept;
  virtual ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  /// An operation has computed its outputs, on the tape or not.
  virtual void computed(const Recording&) {}
  /// A node's closure is about to run; `end_backward` comes after it, also where it throws.
  virtual void begin_backward(Node&) {}
  virtual void end_backward(Node&) {}
  /// The closure gives this gradient to the node's input.
  virtual void gradient(Node&, int /*input*/, const Tensor&) {}
  /// The thread enters or leaves a module.
  virtual void scope_changed() {}

  Watcher* outer() const noexcept { return outer_; }

 private:
  Watcher* outer_;
};

/// f(watcher) for each watcher of this thread.
template <class F>
void tell(Watcher* innermost, F f) {
  for (Watcher* w = innermost; w; w = w->outer()) f(*w);
}

}  // namespace xtape::detail
