// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "owned.hpp"
#include "row_gradient.hpp"
#include "tape.hpp"
#include "tensor.hpp"
#include "watch.hpp"

// The tape's own structures; private to autograd/.
namespace xtape::detail {

/// State of one output during a sweep, and what its gradient must look like.
struct Slot {
  Value* gradient;         // the sum so far
  std::uint32_t sizes_at;  // into Node::sizes()
  std::uint8_t rank;
  DType dtype;
};

/// Points to the producer of an input, never to its value.
struct Edge {
  Node* node;  // null where the input is not recorded
  std::uint32_t output;
};

struct Saved {
  Value* value;
  std::uint32_t version;
  std::int32_t output;  // -1, or which output of this node it is
};

struct OutputHook {
  int output;
  Owned<Hook> hook;
};

/// What few nodes have: hooks, kept gradients; every leaf's gradient.
struct Extras {
  Tensor gradient;                // a leaf's
  std::vector<RowGradient> rows;  // to be added to it when somebody looks
  std::atomic<bool> holds_rows{false};
  Value* value = nullptr;  // the leaf itself while it lives; not counted
  std::vector<OutputHook> hooks;
  std::vector<Owned<Hook>> after_accumulation;
  std::vector<std::pair<int, Tensor>> retained;  // output, gradient
  std::vector<void*> stack;                      // where it was recorded, under DetectAnomaly
};

/// A recorded operation, or a leaf's gradient slot. One block: the node, its slots, edges, saved
/// values, output sizes and the closure.
struct Node {
  std::atomic<std::uint32_t> refs{1};
  std::uint32_t inputs = 0;
  std::uint32_t saves = 0;
  std::uint8_t outputs = 1;
  bool leaf = false;
  bool released = false;  // its saved values are gone
  bool borrowed = false;  // the sweep's queue relies on an edge's reference
  bool needed = true;     // leads to an input of the `grad()` that claimed it
  bool autocast = false;  // recorded in the scope of an Autocast
  std::uint32_t bytes = 0;
  std::uint32_t scope = 0;  // module path
  std::uint32_t sizes_count = 0;
  std::atomic<std::uint64_t> number{0};  // the order of the tape
  std::atomic<std::uint64_t> sweep{0};   // the sweep that uses the slots
  const char* name = nullptr;
  BackwardFunction run = nullptr;
  Extras* extras = nullptr;
  Node* next = nullptr;  // in the list of nodes to release

  Slot* slot_array() noexcept { return reinterpret_cast<Slot*>(this + 1); }
  std::span<Slot> slots() noexcept { return {slot_array(), outputs}; }
  std::span<Edge> edges() noexcept {
    return {reinterpret_cast<Edge*>(slot_array() + outputs), inputs};
  }
  std::span<Saved> saved() noexcept {
    return {reinterpret_cast<Saved*>(edges().data() + inputs), saves};
  }
  std::int64_t* sizes() noexcept { return reinterpret_cast<std::int64_t*>(saved().data() + saves); }
  void* closure() noexcept {
    constexpr std::uintptr_t kAlign = alignof(std::max_align_t);
    const auto end = reinterpret_cast<std::uintptr_t>(sizes() + sizes_count);
    return reinterpret_cast<void*>((end + kAlign - 1) & ~(kAlign - 1));
  }
  std::span<const std::int64_t> output_sizes(const Slot& s) noexcept {
    return {sizes() + s.sizes_at, s.rank};
  }
  Extras& extra() {
    if (!extras) extras = new Extras;
    return *extras;
  }
};

void destroy(Node* node) noexcept;

inline bool equal_sizes(std::span<const std::int64_t> a, std::span<const std::int64_t> b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

/// Everything of this thread that recording looks at.
struct ThreadState {
  bool grad_mode = true;
  bool releasing = false;
  bool recomputing = false;  // the function of a checkpoint
  bool autocast = false;     // products round their operands
  std::uint32_t scope = 0;
  std::uint64_t counter = 0;  // the newest number of this thread
  Node* to_release = nullptr;
  Sweep* sweep = nullptr;      // the innermost that runs
  Watcher* watcher = nullptr;  // likewise
};
extern constinit thread_local ThreadState thread_state [[gnu::tls_model("initial-exec")]];

/// A leaf's slot for values of this shape.
Node* make_leaf(DType dtype, std::span<const std::int64_t> sizes);
/// Drops what the operation saved; its edges too.
void release_contents(Node& node) noexcept;

}  // namespace xtape::detail
