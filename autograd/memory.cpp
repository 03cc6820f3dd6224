// SPDX-License-Identifier: BSD-3-Clause
#include "memory.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <new>
#include <vector>

#include "block_pool.hpp"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace xtape::detail {

constinit thread_local Pool* this_pool [[gnu::tls_model("initial-exec")]] = nullptr;

namespace {

std::size_t class_bytes(int size_class) noexcept {
  if (size_class < 8) return static_cast<std::size_t>(size_class + 1) * 64;
  const int power = 3 + (size_class - 8) / 4;
  const auto quarter = static_cast<std::size_t>((size_class - 8) % 4);
  return ((std::size_t{1} << power) + ((quarter + 1) << (power - 2))) * 64;
}

void* system_allocate(std::size_t alignment, std::size_t bytes) {
  return std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
}

// A large block. What of it fills huge pages the system is asked to give as such: by pages of 4 KiB
// a step of training looks up thousands of addresses (docs/performance.md, «Huge pages»).
void* allocate_pages(std::size_t bytes) {
  constexpr std::size_t kHugePage = 2 << 20;
  if (bytes < kHugePage) return system_allocate(kAlignment, bytes);
  void* block = nullptr;
  // Not aligned_alloc, for which the size would have to be a multiple of 2 MiB, too.
  if (posix_memalign(&block, kHugePage, bytes) != 0) return nullptr;
#if defined(MADV_HUGEPAGE)
  madvise(block, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);  // it may refuse
#endif
  return block;
}

struct Registry {
  std::mutex mutex;
  std::vector<Pool*> pools;
  Pool* abandoned = nullptr;
  std::vector<std::vector<void*>> large;  // free large blocks by class
  std::int64_t large_cached = 0;
  std::int64_t large_live = 0, large_peak = 0;  // in use
};

// Leaked on purpose: static tensors are released after main's statics are gone.
Registry& registry() {
  static auto* instance = new Registry;
  return *instance;
}

std::atomic<std::int64_t> global_bytes{0};
std::atomic<std::int64_t> global_peak{0};
std::atomic<std::int64_t> orphan_tensors{0}, orphan_nodes{0};

void add_bytes(std::int64_t change) noexcept {
  const std::int64_t now = global_bytes.fetch_add(change, std::memory_order_relaxed) + change;
  std::int64_t peak = global_peak.load(std::memory_order_relaxed);
  while (now > peak && !global_peak.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {}
}

struct PoolGuard {
  ~PoolGuard() {
    Pool* pool = this_pool;
    if (!pool) return;
    this_pool = nullptr;
    Registry& r = registry();
    const std::lock_guard lock(r.mutex);
    pool->next_abandoned = r.abandoned;
    r.abandoned = pool;
  }
};

[[gnu::noinline]] Pool& acquire_pool() {
  Registry& r = registry();
  {
    const std::lock_guard lock(r.mutex);
    if (r.abandoned) {
      this_pool = r.abandoned;
      r.abandoned = this_pool->next_abandoned;
    } else {
      this_pool = new Pool;
      r.pools.push_back(this_pool);
    }
  }
  // A thread that allocates after its guard is gone keeps its pool; that is at most one at exit.
  thread_local PoolGuard guard;
  (void)guard;
  return *this_pool;
}

void take_returned(Pool& p) noexcept {
  FreeBlock* block = p.returned.exchange(nullptr, std::memory_order_acquire);
  while (block) {
    FreeBlock* next = block->next;
    const int c = slab_of(block)->size_class;
    block->next = p.free[c];
    p.free[c] = block;
    block = next;
  }
}

[[gnu::noinline]] void* refill(Pool& p, int c) {
  if (p.returned.load(std::memory_order_relaxed)) {
    take_returned(p);
    if (FreeBlock* block = p.free[c]) {
      p.free[c] = block->next;
      return block;
    }
  }
  const std::size_t bytes = class_bytes(c);
  if (static_cast<std::size_t>(p.fresh_end[c] - p.fresh[c]) < bytes) {
    void* memory = system_allocate(kSlabBytes, kSlabBytes);
    if (!memory) throw std::bad_alloc();
    ::new (memory) Slab{&p, c};
    p.fresh[c] = static_cast<std::byte*>(memory) + kAlignment;
    p.fresh_end[c] = static_cast<std::byte*>(memory) + kSlabBytes;
    p.slab_bytes.add(kSlabBytes);
  }
  void* block = p.fresh[c];
  p.fresh[c] += bytes;
  return block;
}

void release_large_locked(Registry& r) noexcept {
  for (auto& blocks : r.large) {
    for (void* block : blocks) std::free(block);
    blocks.clear();
  }
  r.large_cached = 0;
}

// What the system is asked for may not come to more than this, or blocks of sizes that are no
// longer asked for would pile up. What is cached alone says nothing: between two steps of training
// that is nearly all, and given back then it would have to be asked for again in every step.
bool exceeds_bound(const Registry& r, std::int64_t more) {
  const std::int64_t live = r.large_live + more, peak = std::max(r.large_peak, live);
  return live + r.large_cached > peak + peak / 2 + (std::int64_t{64} << 20);
}

void count_large(Registry& r, std::int64_t bytes) noexcept {
  r.large_live += bytes;
  r.large_peak = std::max(r.large_peak, r.large_live);
}

void* allocate_large(std::size_t bytes) {
  const int c = class_of(bytes);
  const std::size_t size = class_bytes(c);
  const auto counted = static_cast<std::int64_t>(size);
  Registry& r = registry();
  const std::lock_guard lock(r.mutex);
  if (static_cast<std::size_t>(c) < r.large.size() && !r.large[c].empty()) {
    void* block = r.large[c].back();
    r.large[c].pop_back();
    r.large_cached -= counted;
    count_large(r, counted);
    return block;
  }
  if (exceeds_bound(r, counted)) release_large_locked(r);
  void* block = allocate_pages(size);
  if (!block) {
    release_large_locked(r);
    block = allocate_pages(size);
    if (!block) throw std::bad_alloc();
  }
  count_large(r, counted);
  return block;
}

void deallocate_large(void* block, std::size_t bytes) noexcept {
  const auto c = static_cast<std::size_t>(class_of(bytes));
  const auto counted = static_cast<std::int64_t>(class_bytes(static_cast<int>(c)));
  Registry& r = registry();
  const std::lock_guard lock(r.mutex);
  r.large_live -= counted;
  try {
    if (c >= r.large.size()) r.large.resize(c + 1);
    r.large[c].push_back(block);
    r.large_cached += counted;
  } catch (...) {
    std::free(block);
  }
}

}  // namespace

void* allocate(std::size_t bytes) {
  if constexpr (kPools) {
    if (bytes > kSmallLimit) return allocate_large(bytes);
    const int c = class_of(bytes);
    Pool& p = this_pool ? *this_pool : acquire_pool();
    FreeBlock* block = p.free[c];
    if (!block) return refill(p, c);
    p.free[c] = block->next;
    return block;
  }
  void* block = system_allocate(kAlignment, bytes == 0 ? 1 : bytes);
  if (!block) throw std::bad_alloc();
  return block;
}

void deallocate(void* block, std::size_t bytes) noexcept {
  if (!block) return;
  if constexpr (!kPools) return std::free(block);
  if (bytes > kSmallLimit) return deallocate_large(block, bytes);
  const Slab* slab = slab_of(block);
  Pool* owner = slab->owner;
  auto* freed = static_cast<FreeBlock*>(block);
  if (owner == this_pool) {
    freed->next = owner->free[slab->size_class];
    owner->free[slab->size_class] = freed;
    return;
  }
  freed->next = owner->returned.load(std::memory_order_relaxed);
  while (!owner->returned.compare_exchange_weak(freed->next, freed, std::memory_order_release,
                                                std::memory_order_relaxed)) {}
}

void count_without_pool(std::int64_t bytes, int tensors, int nodes) noexcept {
  if (bytes != 0) add_bytes(bytes);
  orphan_tensors.fetch_add(tensors, std::memory_order_relaxed);
  orphan_nodes.fetch_add(nodes, std::memory_order_relaxed);
}

void flush_bytes(Counter& local) noexcept {
  add_bytes(local.get());
  local.value.store(0, std::memory_order_relaxed);
}

}  // namespace xtape::detail

namespace xtape::memory {

Stats stats() {
  auto& r = detail::registry();
  const std::lock_guard lock(r.mutex);
  Stats s;
  s.live_bytes = detail::global_bytes.load(std::memory_order_relaxed);
  s.live_tensors = detail::orphan_tensors.load(std::memory_order_relaxed);
  s.live_nodes = detail::orphan_nodes.load(std::memory_order_relaxed);
  s.cached_bytes = r.large_cached;
  for (const detail::Pool* p : r.pools) {
    s.live_bytes += p->storage_bytes.get();
    s.live_tensors += p->tensors.get();
    s.live_nodes += p->nodes.get();
  }
  s.peak_bytes = std::max(detail::global_peak.load(std::memory_order_relaxed), s.live_bytes);
  return s;
}

void reset_peak() {
  detail::global_peak.store(detail::global_bytes.load(std::memory_order_relaxed),
                            std::memory_order_relaxed);
  auto& r = detail::registry();
  const std::lock_guard lock(r.mutex);
  r.large_peak = r.large_live;
}

void release_cached() {
  auto& r = detail::registry();
  const std::lock_guard lock(r.mutex);
  detail::release_large_locked(r);
}

}  // namespace xtape::memory
