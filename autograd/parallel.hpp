// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <type_traits>

#include "export.hpp"

namespace xtape {

/// Threads that one operation of this thread may use (OpenMP and BLAS). Default: the machine's
/// cores.
XTAPE_API int num_threads() noexcept;
/// Sets it for operations of the calling thread; throws ValueError below 1.
XTAPE_API void set_num_threads(int count);

namespace detail {

using ChunkFunction = void (*)(void* context, std::int64_t begin, std::int64_t end);
/// Calls `f` on chunks that cover [0, count); a chunk's bounds depend on `count` and `grain` alone,
/// never on the number of threads. The first exception is rethrown in the caller.
XTAPE_API void run_chunks(std::int64_t count, std::int64_t grain, ChunkFunction f, void* context);

/// f(begin, end) over chunks of at most `grain` indices, in parallel where there are several.
template <class F>
void parallel_for(std::int64_t count, std::int64_t grain, F&& f) {
  if (count <= grain) {
    if (count > 0) f(std::int64_t{0}, count);
    return;
  }
  using Function = std::remove_reference_t<F>;
  run_chunks(
      count, grain,
      [](void* context, std::int64_t begin, std::int64_t end) {
        (*static_cast<Function*>(context))(begin, end);
      },
      const_cast<void*>(static_cast<const void*>(&f)));
}

}  // namespace detail
}  // namespace xtape
