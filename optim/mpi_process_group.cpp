// SPDX-License-Identifier: BSD-3-Clause
#include "mpi_process_group.hpp"

#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>

#include <algorithm>
#include <exception>
#include <string>

#include "../autograd/error.hpp"

namespace xtape::optim {
namespace {

void check(int code, const char* what) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(code, text, &length);
  throw Error(std::string("MpiProcessGroup: ") + what +
              " failed: " + std::string(text, static_cast<std::size_t>(length)));
}

class MpiSum final : public ProcessGroup::Sum {
 public:
  MpiSum(void* values, int count, MPI_Datatype type) {
    check(MPI_Iallreduce(MPI_IN_PLACE, values, count, type, MPI_SUM, MPI_COMM_WORLD, &request_),
          "a sum of gradients");
  }
  // What was started writes into its values until it is done.
  ~MpiSum() override { MPI_Wait(&request_, MPI_STATUS_IGNORE); }
  void wait() override { check(MPI_Wait(&request_, MPI_STATUS_IGNORE), "a sum of gradients"); }

 private:
  MPI_Request request_ = MPI_REQUEST_NULL;
};

}  // namespace

MpiProcessGroup::MpiProcessGroup() : exceptions_(std::uncaught_exceptions()) {
  int initialized = 0, level = 0;
  MPI_Initialized(&initialized);
  if (!initialized) {
    check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &level), "the start of MPI");
    started_ = true;
  } else {
    check(MPI_Query_thread(&level), "the start of MPI");
  }
  if (level < MPI_THREAD_SERIALIZED) {
    throw Error(
        "MpiProcessGroup: this MPI serves the main thread alone; start it with "
        "MPI_THREAD_SERIALIZED");
  }
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  check(MPI_Comm_rank(MPI_COMM_WORLD, &rank_), "asking for the rank");
  check(MPI_Comm_size(MPI_COMM_WORLD, &size_), "asking for the number of processes");
}

MpiProcessGroup::~MpiProcessGroup() {
  if (started_ && std::uncaught_exceptions() == exceptions_) MPI_Finalize();
}

void MpiProcessGroup::broadcast(void* bytes, std::size_t count) {
  constexpr std::size_t kMost = 1 << 30;  // MPI counts in int
  for (auto* at = static_cast<std::byte*>(bytes); count > 0;) {
    const std::size_t part = std::min(count, kMost);
    check(MPI_Bcast(at, static_cast<int>(part), MPI_BYTE, 0, MPI_COMM_WORLD),
          "a broadcast of parameters");
    at += part;
    count -= part;
  }
}

Owned<ProcessGroup::Sum> MpiProcessGroup::start_sum(void* values, std::int64_t count, DType dtype) {
  if (dtype != float32 && dtype != float64) {
    throw DTypeError("MpiProcessGroup: adds up float32 and float64");
  }
  if (count < 0 || count > INT32_MAX) {
    throw ValueError("MpiProcessGroup: adds up at most 2^31 - 1 values at once, got " +
                     std::to_string(count));
  }
  return Owned<MpiSum>::make(values, static_cast<int>(count),
                             dtype == float32 ? MPI_FLOAT : MPI_DOUBLE);
}

}  // namespace xtape::optim
