// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "export.hpp"

namespace xtape {

namespace memory {

/// What the process holds for tensors, summed over all threads.
struct Stats {
  std::int64_t live_bytes = 0;  ///< bytes of tensor storage in use
  std::int64_t peak_bytes = 0;  ///< largest `live_bytes` since the last reset (to 64 KiB a thread)
  std::int64_t cached_bytes = 0;  ///< bytes kept for reuse, not in use
  std::int64_t live_tensors = 0;  ///< values that a handle or the tape holds
  std::int64_t live_nodes = 0;    ///< recorded operations not yet released
};

/// Current figures; exact when no other thread allocates meanwhile.
XTAPE_API Stats stats();
/// Sets the peak to the bytes live now.
XTAPE_API void reset_peak();
/// Gives large cached blocks back to the system.
XTAPE_API void release_cached();

}  // namespace memory

namespace detail {

/// 64-byte aligned memory from the caching allocator; throws std::bad_alloc. Any thread may free
/// it, naming the size that was asked for. Up to 16 KiB from thread-local pools, beyond that from
/// shared free lists by size class.
XTAPE_API void* allocate(std::size_t bytes);
XTAPE_API void deallocate(void* block, std::size_t bytes) noexcept;

/// Scratch memory of a kernel: uninitialised, freed at the end of the scope.
template <class T>
class Scratch {
 public:
  explicit Scratch(std::size_t count)
      : data_(static_cast<T*>(allocate(count * sizeof(T)))), count_(count) {}
  ~Scratch() { deallocate(data_, count_ * sizeof(T)); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  T* data() const noexcept { return data_; }
  T& operator[](std::size_t i) const noexcept { return data_[i]; }

 private:
  T* data_;
  std::size_t count_;
};

}  // namespace detail
}  // namespace xtape
