// SPDX-License-Identifier: BSD-3-Clause
#include "tape.hpp"

#include <algorithm>
#include <string>

#include "block_pool.hpp"
#include "error.hpp"
#include "node.hpp"

namespace xtape {
namespace detail {

constinit thread_local ThreadState thread_state [[gnu::tls_model("initial-exec")]];

GradModeGuard::GradModeGuard(bool on) noexcept : before_(thread_state.grad_mode) {
  thread_state.grad_mode = on;
}

GradModeGuard::~GradModeGuard() { thread_state.grad_mode = before_; }

namespace {

constexpr std::size_t kClosureAlign = alignof(std::max_align_t);

Node* allocate_node(std::size_t outputs, std::size_t inputs, std::size_t saved, std::size_t sizes,
                    std::size_t closure_bytes) {
  const std::size_t bytes = sizeof(Node) + outputs * sizeof(Slot) + inputs * sizeof(Edge) +
                            saved * sizeof(Saved) + sizes * sizeof(std::int64_t) + kClosureAlign +
                            closure_bytes;
  Node* node = ::new (allocate_inline(bytes)) Node;
  node->bytes = static_cast<std::uint32_t>(bytes);
  node->outputs = static_cast<std::uint8_t>(outputs);
  node->inputs = static_cast<std::uint32_t>(inputs);
  node->saves = static_cast<std::uint32_t>(saved);
  node->sizes_count = static_cast<std::uint32_t>(sizes);
  count_node(1);
  return node;
}

void describe_output(Node& node, std::size_t k, std::uint32_t& at, DType dtype,
                     std::span<const std::int64_t> sizes) noexcept {
  Slot& slot = node.slot_array()[k];
  slot = {nullptr, at, static_cast<std::uint8_t>(sizes.size()), dtype};
  for (const std::int64_t size : sizes) node.sizes()[at++] = size;
}

// A leaf counts as a node older than each operation that uses it. Renumbered only while no live
// operation points to it, so the order holds for every graph that can still be walked.
void use_leaf(Node& leaf, std::uint64_t now) noexcept {
  if (leaf.refs.fetch_add(1, std::memory_order_acq_rel) == 1) {
    leaf.number.store(now, std::memory_order_relaxed);
  }
}

// An output saved as it is would hold its own node alive: its data is kept without history.
Saved save(const Recording& r, const Tensor& x) {
  Value* v = x.value();
  if (!v) return {nullptr, 0, -1};
  const std::uint32_t version = v->storage->version.load(std::memory_order_acquire);
  for (std::size_t k = 0; k < r.outputs.size(); ++k) {
    if (r.outputs[k]->value() != v) continue;
    Tensor copy = make_view(x, v->data, x.sizes(), x.strides());
    return {copy.release(), version, static_cast<std::int32_t>(k)};
  }
  retain(v);
  return {v, version, -1};
}

}  // namespace

Node* make_leaf(DType dtype, std::span<const std::int64_t> sizes) {
  Node* leaf = allocate_node(1, 0, 0, sizes.size(), 0);
  leaf->leaf = true;
  leaf->name = "leaf";
  std::uint32_t at = 0;
  describe_output(*leaf, 0, at, dtype, sizes);
  leaf->number = thread_state.counter;
  leaf->extras = new Extras;
  return leaf;
}

namespace {

void* put_on_tape(const Recording& r) {
  ThreadState& state = thread_state;
  if (!state.grad_mode) return nullptr;
  std::uint64_t newest = state.counter;
  bool recorded = false;
  for (const TensorRef& input : r.inputs) {
    const Value* v = input.tensor->value();
    if (!v || !v->node) continue;
    recorded = true;
    if (!v->node->leaf) {
      newest = std::max(newest, v->node->number.load(std::memory_order_relaxed));
    }
  }
  if (!recorded) return nullptr;

  std::size_t sizes = 0;
  for (const Tensor* y : r.outputs) {
    if (y->requires_grad()) {
      throw GradError(std::string("record: the result of ") + r.name +
                      " has a history already; compute it under NoGrad");
    }
    sizes += y->sizes().size();
  }
  Node* node =
      allocate_node(r.outputs.size(), r.inputs.size(), r.saved.size(), sizes, r.closure_bytes);
  node->name = r.name;
  node->run = r.run;
  node->scope = state.scope;
  node->autocast = state.autocast;

  std::uint32_t at = 0;
  for (std::size_t k = 0; k < r.outputs.size(); ++k) {
    describe_output(*node, k, at, r.outputs[k]->dtype(), r.outputs[k]->sizes());
  }
  const auto edges = node->edges();
  for (std::size_t i = 0; i < edges.size(); ++i) {
    const Value* v = r.inputs[i].tensor->value();
    edges[i] = {v ? v->node : nullptr, v ? v->output : 0};
    if (!edges[i].node) continue;
    if (edges[i].node->leaf) {
      use_leaf(*edges[i].node, newest + 1);
      newest = std::max(newest, edges[i].node->number.load(std::memory_order_relaxed));
    } else {
      retain(edges[i].node);
    }
  }
  node->number.store(newest + 1, std::memory_order_relaxed);
  state.counter = newest + 1;

  const auto saved = node->saved();
  for (std::size_t i = 0; i < saved.size(); ++i) saved[i] = save(r, *r.saved[i]);

  bool linked = false;
  for (std::size_t k = 0; k < r.outputs.size(); ++k) {
    Value* v = r.outputs[k]->value();
    if (!is_floating(v->dtype)) continue;
    if (linked) retain(node);
    linked = true;
    v->node = node;
    v->output = static_cast<std::uint32_t>(k);
  }
  void* closure = node->closure();
  if (!linked) {
    release(node);
    return nullptr;
  }
  return closure;
}

}  // namespace

void Outputs::refuse(std::size_t count) {
  throw ValueError("record: expected at most " + std::to_string(kMaxOutputs) + " outputs, got " +
                   std::to_string(count));
}

void* begin_record(const Recording& r) {
  void* closure = put_on_tape(r);
  if (thread_state.watcher) [[unlikely]] {
    tell(thread_state.watcher, [&](Watcher& w) { w.computed(r); });
  }
  return closure;
}

void release_contents(Node& node) noexcept {
  node.released = true;
  for (Saved& s : node.saved()) {
    if (Value* v = std::exchange(s.value, nullptr)) release(v);
  }
  for (Edge& e : node.edges()) {
    if (Node* n = std::exchange(e.node, nullptr)) release(n);
  }
}

// Releasing a node may release those before it: a list, so that depth costs no stack.
void destroy(Node* node) noexcept {
  ThreadState& state = thread_state;
  node->next = state.to_release;
  state.to_release = node;
  if (state.releasing) return;
  state.releasing = true;
  while (Node* n = state.to_release) {
    state.to_release = n->next;
    release_contents(*n);
    for (Slot& s : n->slots()) {
      if (s.gradient) release(s.gradient);
    }
    delete n->extras;
    count_node(-1);
    deallocate_inline(n, n->bytes);
  }
  state.releasing = false;
}

}  // namespace detail

bool is_grad_enabled() noexcept { return detail::thread_state.grad_mode; }

}  // namespace xtape
