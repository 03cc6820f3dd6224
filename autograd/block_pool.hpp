// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "memory.hpp"

// The quick way of the allocator and its counters, inlined where values and nodes are made; private
// to autograd/. Everything else calls `allocate` and `deallocate`.
namespace xtape::detail {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kPools = false;  // the sanitizer must see every block
#else
inline constexpr bool kPools = true;
#endif
inline constexpr std::size_t kAlignment = 64;
inline constexpr std::size_t kSmallLimit = 16 * 1024;
inline constexpr std::size_t kSlabBytes = 256 * 1024;
inline constexpr int kSmallClasses = 28;

/// Classes are multiples of 64 up to 512, then four per doubling.
inline int class_of(std::size_t bytes) noexcept {
  if (bytes <= 512) return bytes == 0 ? 0 : static_cast<int>((bytes - 1) / 64);
  const std::size_t units = (bytes + 63) / 64;
  const int power = std::bit_width(units - 1) - 1;  // 2^power < units <= 2^(power + 1)
  const std::size_t quarter = ((units - 1) >> (power - 2)) & 3;
  return 8 + (power - 3) * 4 + static_cast<int>(quarter);
}

struct FreeBlock {
  FreeBlock* next;
};

struct Pool;

/// Stands at the start of each slab, so that a block finds its pool by its address.
struct Slab {
  Pool* owner;
  int size_class;
};

inline Slab* slab_of(void* block) noexcept {
  return reinterpret_cast<Slab*>(reinterpret_cast<std::uintptr_t>(block) & ~(kSlabBytes - 1));
}

/// A counter that one thread writes and any thread reads.
struct Counter {
  std::atomic<std::int64_t> value{0};
  std::int64_t get() const noexcept { return value.load(std::memory_order_relaxed); }
  void add(std::int64_t change) noexcept { value.store(get() + change, std::memory_order_relaxed); }
};

/// The small blocks of one thread. Never destroyed: adopted by a later thread.
struct Pool {
  std::array<FreeBlock*, kSmallClasses> free{};
  std::array<std::byte*, kSmallClasses> fresh{};  // untouched part of the newest slab
  std::array<std::byte*, kSmallClasses> fresh_end{};
  std::atomic<FreeBlock*> returned{nullptr};  // freed by other threads
  Counter storage_bytes, tensors, nodes;
  Counter slab_bytes;
  Pool* next_abandoned = nullptr;
};

extern constinit thread_local Pool* this_pool [[gnu::tls_model("initial-exec")]];

/// `allocate`, where a block that this thread freed serves.
inline void* allocate_inline(std::size_t bytes) {
  if (Pool* p = this_pool; kPools && p && bytes <= kSmallLimit) {
    FreeBlock*& first = p->free[static_cast<std::size_t>(class_of(bytes))];
    if (FreeBlock* block = first) {
      first = block->next;
      return block;
    }
  }
  return allocate(bytes);
}

/// `deallocate`, where the block is this thread's own.
inline void deallocate_inline(void* block, std::size_t bytes) noexcept {
  if (kPools && bytes <= kSmallLimit) {
    const Slab* slab = slab_of(block);
    if (Pool* p = slab->owner; p == this_pool) {
      FreeBlock*& first = p->free[static_cast<std::size_t>(slab->size_class)];
      first = ::new (block) FreeBlock{first};
      return;
    }
  }
  deallocate(block, bytes);
}

/// Where a thread has no pool, before its first block or at its end.
void count_without_pool(std::int64_t bytes, int tensors, int nodes) noexcept;
/// Adds what the thread counted to the total, which knows the peak.
void flush_bytes(Counter& local) noexcept;

// The counters behind `memory::stats()`.
inline void count_storage(std::int64_t bytes) noexcept {
  constexpr std::int64_t kFlushBytes = 64 * 1024;
  if (!this_pool) return count_without_pool(bytes, 0, 0);
  Counter& local = this_pool->storage_bytes;
  local.add(bytes);
  if (local.get() > kFlushBytes || local.get() < -kFlushBytes) flush_bytes(local);
}
inline void count_tensor(int change) noexcept {
  if (!this_pool) return count_without_pool(0, change, 0);
  this_pool->tensors.add(change);
}
inline void count_node(int change) noexcept {
  if (!this_pool) return count_without_pool(0, 0, change);
  this_pool->nodes.add(change);
}

}  // namespace xtape::detail
