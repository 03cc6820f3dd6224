// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "../autograd/export.hpp"
#include "process_group.hpp"

// Not part of <xtape/xtape.hpp>: a program that includes it links the target xtape::mpi.
namespace xtape::optim {

/// All processes of `mpirun -np N program`. One at a time, made and used by one thread after the
/// other. A process that leaves by an exception ends without goodbye, so that mpirun ends the
/// others, which would wait for it forever.
class XTAPE_API MpiProcessGroup final : public ProcessGroup {
 public:
  /// Starts MPI where the program has not. Throws Error where MPI does not serve.
  MpiProcessGroup();
  /// Waits for the other processes and ends MPI where it was started here.
  ~MpiProcessGroup() override;
  MpiProcessGroup(const MpiProcessGroup&) = delete;
  MpiProcessGroup& operator=(const MpiProcessGroup&) = delete;

  int rank() const noexcept override { return rank_; }
  int size() const noexcept override { return size_; }
  void broadcast(void* bytes, std::size_t count) override;
  Owned<Sum> start_sum(void* values, std::int64_t count, DType dtype) override;

 private:
  bool started_ = false;
  int exceptions_;  // under way when it was made
  int rank_ = 0, size_ = 1;
};

}  // namespace xtape::optim
