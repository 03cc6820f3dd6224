// SPDX-License-Identifier: BSD-3-Clause
#include "parallel.hpp"

#include <exception>
#include <mutex>
#include <string>

#include "error.hpp"

#if defined(_OPENMP)
#include <omp.h>
#endif

namespace xtape {

int num_threads() noexcept {
#if defined(_OPENMP)
  return omp_get_max_threads();
#else
  return 1;
#endif
}

void set_num_threads(int count) {
  if (count < 1) {
    throw ValueError("set_num_threads: expected at least 1, got " + std::to_string(count));
  }
#if defined(_OPENMP)
  omp_set_num_threads(count);
#endif
}

namespace detail {

void run_chunks(std::int64_t count, std::int64_t grain, ChunkFunction f, void* context) {
  const std::int64_t chunks = (count + grain - 1) / grain;
  const auto run = [&](std::int64_t i) {
    const std::int64_t begin = i * grain;
    f(context, begin, begin + grain < count ? begin + grain : count);
  };
#if defined(_OPENMP)
  if (omp_get_max_threads() > 1 && !omp_in_parallel()) {
    std::exception_ptr error;
    std::mutex mutex;
#pragma omp parallel for schedule(static)
    for (std::int64_t i = 0; i < chunks; ++i) {
      try {
        run(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!error) error = std::current_exception();
      }
    }
    if (error) std::rethrow_exception(error);
    return;
  }
#endif
  for (std::int64_t i = 0; i < chunks; ++i) run(i);
}

}  // namespace detail
}  // namespace xtape
