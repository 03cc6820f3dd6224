// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "../autograd/dtype.hpp"
#include "../autograd/export.hpp"
#include "../autograd/owned.hpp"

namespace xtape::optim {

/// The processes that train one model together, each with a share of the data. All of them make the
/// same calls in the same order. `MpiProcessGroup` is one over MPI.
class XTAPE_API ProcessGroup {
 public:
  /// A sum under way.
  class XTAPE_API Sum {
   public:
    virtual ~Sum();
    /// Returns when the sum stands where the values stood. Throws Error where another rank is gone.
    virtual void wait() = 0;
  };

  virtual ~ProcessGroup();
  /// The number of this process, from 0.
  virtual int rank() const noexcept = 0;
  /// How many there are.
  virtual int size() const noexcept = 0;
  /// Overwrites every rank's bytes by those of rank 0.
  virtual void broadcast(void* bytes, std::size_t count) = 0;
  /// Starts to add up `count` values (float32 or float64) of all ranks, in place; they stay
  /// untouched until `wait()` has returned.
  virtual Owned<Sum> start_sum(void* values, std::int64_t count, DType dtype) = 0;
};

}  // namespace xtape::optim
