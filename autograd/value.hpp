// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "dtype.hpp"
#include "export.hpp"

// What a Tensor points to. Users never meet these; they stand in a header so that copying a handle
// is an inlined increment.
namespace xtape::detail {

struct Node;

/// Memory shared by the views of it. Own memory follows the header in the same block.
struct Storage {
  std::atomic<std::uint32_t> refs{1};
  std::atomic<std::uint32_t> version{0};  // raised by each write after creation
  std::byte* data = nullptr;
  std::size_t bytes = 0;
  void (*release)(void* owner) = nullptr;  // of adopted memory
  void* owner = nullptr;
};
static_assert(sizeof(Storage) <= 64);

/// One tensor value: shape and strides follow in the same block.
struct Value {
  std::atomic<std::uint32_t> refs{1};
  DType dtype;
  std::uint8_t rank;
  bool contiguous;       // row-major and dense
  bool with_data;        // lies in one block with the data it was made for
  std::uint32_t output;  // which output of `node` it is
  std::int64_t numel;
  Storage* storage;
  std::byte* data;  // first element
  Node* node;       // the producer, or a leaf's gradient slot; null where nothing is recorded

  std::int64_t* sizes() noexcept { return reinterpret_cast<std::int64_t*>(this + 1); }
  const std::int64_t* sizes() const noexcept {
    return reinterpret_cast<const std::int64_t*>(this + 1);
  }
  std::int64_t* strides() noexcept { return sizes() + rank; }
  const std::int64_t* strides() const noexcept { return sizes() + rank; }
};

XTAPE_API void destroy(Value* v) noexcept;
void destroy(Storage* s) noexcept;

template <class T>
void retain(T* object) noexcept {
  object->refs.fetch_add(1, std::memory_order_relaxed);
}

/// Drops one reference. The sole owner needs no locked instruction: nobody else can add one.
template <class T>
void release(T* object) noexcept {
  if (object->refs.load(std::memory_order_acquire) == 1 ||
      object->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    destroy(object);
  }
}

}  // namespace xtape::detail
