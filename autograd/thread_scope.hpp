// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "parallel.hpp"

// Private to autograd/.
namespace xtape::detail {

/// Operations, BLAS and oneDNN use this many threads in its scope, in a parallel loop too.
class ThreadScope {
 public:
  explicit ThreadScope(int count) : before_(num_threads()) {
    if (count != before_) set_num_threads(count);
  }
  ~ThreadScope() {
    if (num_threads() != before_) set_num_threads(before_);
  }
  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;

 private:
  int before_;
};

}  // namespace xtape::detail
