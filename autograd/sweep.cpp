// SPDX-License-Identifier: BSD-3-Clause
#include "sweep_engine.hpp"

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "error.hpp"
#include "ops/arithmetic.hpp"
#include "ops/creation.hpp"
#include "ops/indexing.hpp"
#include "ops/reductions.hpp"

namespace xtape {
namespace detail {
namespace {

constinit std::atomic<std::uint64_t> sweep_ids{0};

bool same_layout(const Tensor& a, const Tensor& b) noexcept {
  return (a.is_contiguous() && b.is_contiguous()) ||
         (std::ranges::equal(a.strides(), b.strides()) && is_dense(a));
}

// a + b, in the memory of one that nobody else sees where there is one.
Tensor accumulate(Tensor a, Tensor b, bool create_graph) {
  if (!create_graph && same_layout(a, b)) {
    if (!is_sole_owner(a)) std::swap(a, b);
    if (is_sole_owner(a) && is_dense(a)) {
      add_into(a, b);
      return a;
    }
  }
  return add(a, b);
}

// Puts this thread into the scope and the modes in which a node was recorded.
class NodeScope {
 public:
  explicit NodeScope(const Node& node) noexcept
      : scope_(std::exchange(thread_state.scope, node.scope)),
        autocast_(std::exchange(thread_state.autocast, node.autocast)) {
    tell(thread_state.watcher, [](Watcher& w) { w.scope_changed(); });
  }
  ~NodeScope() {
    thread_state.scope = scope_;
    thread_state.autocast = autocast_;
    tell(thread_state.watcher, [](Watcher& w) { w.scope_changed(); });
  }
  NodeScope(const NodeScope&) = delete;
  NodeScope& operator=(const NodeScope&) = delete;

 private:
  std::uint32_t scope_;
  bool autocast_;
};

}  // namespace

// The gradients of one node's outputs, taken from where they were summed.
class Sweep::Gradients {
 public:
  Gradients(Sweep& sweep, Node& node) noexcept : count_(node.outputs) {
    // Given back at the end alone: until then another thread's sweep must not enter the node.
    if (Side* s = sweep.side(node)) {
      std::uninitialized_move_n(s->gradients.begin(), count_, begin());
      return;
    }
    Slot* slots = node.slot_array();
    for (std::size_t k = 0; k < count_; ++k) {
      std::construct_at(begin() + k, Tensor::adopt(std::exchange(slots[k].gradient, nullptr)));
    }
    if (sweep.wanted_.empty()) claimed_ = &node;
  }
  ~Gradients() {
    if (claimed_) claimed_->sweep.store(0, std::memory_order_release);
    std::destroy_n(begin(), count_);
  }
  Gradients(const Gradients&) = delete;
  Gradients& operator=(const Gradients&) = delete;
  Tensor* begin() noexcept { return reinterpret_cast<Tensor*>(memory_); }

 private:
  Node* claimed_ = nullptr;
  std::size_t count_;
  alignas(Tensor) std::byte memory_[kMaxOutputs * sizeof(Tensor)];
};

Sweep::Sweep(bool retain_graph, bool create_graph)
    : id_(sweep_ids.fetch_add(1, std::memory_order_relaxed) + 1),
      retain_graph_(retain_graph || create_graph),
      create_graph_(create_graph),
      grad_mode_(create_graph),
      outer_(std::exchange(thread_state.sweep, this)) {
  queue_.reserve(kFirst);
}

Sweep::~Sweep() {
  thread_state.sweep = outer_;
  for (const Queued& q : queue_) {  // left by an error
    if (!sides_.contains(q.node)) {
      for (Slot& s : q.node->slots()) {
        if (Value* v = std::exchange(s.gradient, nullptr)) release(v);
      }
      q.node->sweep.store(0, std::memory_order_release);
    }
    if (!std::exchange(q.node->borrowed, false)) release(q.node);
  }
  for (Node* n : claimed_) {
    n->sweep.store(0, std::memory_order_release);
    n->needed = true;
    release(n);
  }
}

bool Sweep::claim_side(Node& node, std::uint64_t holder) {
  for (const Sweep* s = outer_; s; s = s->outer_) {
    if (s->id_ == holder) {
      sides_.try_emplace(&node).first->second.gradients.resize(node.outputs);
      return false;
    }
  }
  throw GradError(std::string("backward: another thread is walking the same graph, at ") +
                  node.name + "; threads that share parameters use grad()");
}

Sweep::Side* Sweep::side(Node& node) {
  if (sides_.empty()) return nullptr;
  const auto it = sides_.find(&node);
  return it == sides_.end() ? nullptr : &it->second;
}

void Sweep::want(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                 bool partial) {
  partial_ = partial;
  for (const Tensor& x : inputs) {
    if (!x.requires_grad()) {
      throw GradError("grad: input " + std::to_string(wanted_.size()) + ", " + x.description() +
                      ", does not require grad");
    }
    wanted_.push_back({x.value()->node, x.value()->output, {}});
  }
  discover(outputs);
}

bool Sweep::is_wanted(const Node& node) const noexcept {
  return std::ranges::any_of(wanted_, [&](const Wanted& w) { return w.node == &node; });
}

// Whether nothing beyond the node can get a gradient through it.
bool Sweep::ends_at(const Node& node) const noexcept {
  return partial_ && node.outputs == 1 && is_wanted(node);
}

// Claims what can be reached, then marks, oldest first, what leads to a wanted value.
void Sweep::discover(const std::vector<Tensor>& outputs) {
  std::vector<Node*> found, todo;
  const auto visit = [&](Node* n) {
    if (!n || n->leaf || n->sweep.load(std::memory_order_relaxed) == id_ || side(*n)) return;
    if (claim(*n)) {
      retain(n);
      claimed_.push_back(n);
    }
    found.push_back(n);
    todo.push_back(n);
  };
  for (const Tensor& y : outputs) visit(y.requires_grad() ? y.value()->node : nullptr);
  while (!todo.empty()) {
    Node* n = todo.back();
    todo.pop_back();
    if (ends_at(*n)) continue;
    for (const Edge& e : n->edges()) visit(e.node);
  }
  std::ranges::sort(found, {}, [](const Node* n) { return n->number.load(); });
  for (Node* n : found) {
    const bool needed =
        is_wanted(*n) || std::ranges::any_of(n->edges(), [&](const Edge& e) { return needs(e); });
    if (Side* s = side(*n)) {
      s->needed = needed;
    } else {
      n->needed = needed;
    }
  }
}

bool Sweep::leads_to_wanted(Node& node) noexcept {
  if (node.leaf) return is_wanted(node);
  if (const Side* s = side(node)) return s->needed;
  return node.needed;
}

void Sweep::push(Node& node) {
  queue_.push_back({node.number.load(std::memory_order_relaxed), &node});
  std::push_heap(queue_.begin(), queue_.end());
}

// Adds to the slot; the first gradient of a node queues it on the reference of the edge.
void Sweep::deposit(Node& target, std::uint32_t output, Tensor&& gradient) {
  if (!claim_behind_edge(target)) return deposit_beside(target, output, std::move(gradient));
  const auto slots = target.slots();
  const bool first = std::ranges::all_of(slots, [](const Slot& s) { return !s.gradient; });
  Value*& sum = slots[output].gradient;
  if (sum) {
    Tensor before = Tensor::adopt(std::exchange(sum, nullptr));
    sum = accumulate(std::move(before), std::move(gradient), create_graph_).release();
  } else {
    sum = gradient.release();
  }
  if (first) {
    target.borrowed = true;
    push(target);
  }
}

// The same where an outer sweep of this thread uses the slots.
void Sweep::deposit_beside(Node& target, std::uint32_t output, Tensor&& gradient) {
  Side& s = *side(target);
  const bool first = std::ranges::none_of(s.gradients, &Tensor::defined);
  Tensor& sum = s.gradients[output];
  sum = sum.defined() ? accumulate(std::move(sum), std::move(gradient), create_graph_)
                      : std::move(gradient);
  if (first) {
    retain(&target);
    push(target);
  }
}

void Sweep::add_root(const Tensor& y, const Tensor& seed) {
  Node& node = *y.value()->node;
  if (node.leaf && !wanted_.empty())
    return collect(node, y.value()->output, const_cast<Tensor&>(seed));
  claim(node);  // others may hold y too
  deposit(node, y.value()->output, Tensor(seed));
  if (std::exchange(node.borrowed, false)) retain(&node);
}

// Gives the gradient the dtype and the shape of what it belongs to.
void Sweep::fit(const Node& from, Node& target, std::uint32_t output, Tensor& gradient) {
  const Slot& slot = target.slots()[output];
  const auto sizes = target.output_sizes(slot);
  if (gradient.dtype() != slot.dtype) gradient = gradient.to(slot.dtype);
  if (equal_sizes(gradient.sizes(), sizes)) return;
  try {
    gradient = sum_to(gradient, Shape(sizes));
  } catch (const ShapeError&) {
    throw ShapeError(std::string("backward of ") + from.name + ": a gradient of shape " +
                     to_string(gradient.sizes()) + " does not fit an input of shape " +
                     to_string(sizes));
  }
}

void Sweep::add(Node& node, int i, Tensor&& gradient) {
  const Edge& edge = node.edges()[static_cast<std::size_t>(i)];
  if (!gradient.defined() || !needs(edge)) return;
  Node& target = *edge.node;
  if (thread_state.watcher) [[unlikely]] {
    tell(thread_state.watcher, [&](Watcher& w) { w.gradient(node, i, gradient); });
  }
  fit(node, target, edge.output, gradient);
  if (target.leaf && !wanted_.empty()) return collect(target, edge.output, gradient);
  deposit(target, edge.output, std::move(gradient));
}

// Whether nobody but the reader of `.grad()` sees the leaf's gradient.
bool Sweep::may_hold_rows(Node& target, const Tensor& values) {
  if (!target.leaf || !wanted_.empty() || create_graph_) return false;
  const Extras& e = *target.extras;
  if (!e.hooks.empty() || !e.after_accumulation.empty()) return false;
  const std::uint64_t holder = target.sweep.load(std::memory_order_relaxed);
  return values.dtype() == target.slots()[0].dtype && (holder == 0 || holder == id_);
}

void Sweep::add_rows(Backward& t, int i, const Tensor& index, Tensor values) {
  Sweep& sweep = t.sweep_;
  const Edge& edge = t.node_.edges()[static_cast<std::size_t>(i)];
  if (!sweep.needs(edge)) return;
  Node& target = *edge.node;
  if (!sweep.may_hold_rows(target, values)) {
    const Tensor zero = zeros(Shape(t.sizes(i)), values.dtype());
    return t.add(i, index_add(zero, 0, index, values));
  }
  if (thread_state.watcher) [[unlikely]] {
    tell(thread_state.watcher, [&](Watcher& w) { w.gradient(t.node_, i, values); });
  }
  const bool claimed = target.sweep.load(std::memory_order_relaxed) == sweep.id_;
  sweep.claim(target);  // another thread's sweep is an error
  hold_rows(target, index, std::move(values));
  if (!claimed) target.sweep.store(0, std::memory_order_release);
}

void add_rows(Backward& t, int i, const Tensor& index, Tensor values) {
  Sweep::add_rows(t, i, index, std::move(values));
}

void Sweep::collect(Node& node, std::uint32_t output, Tensor& gradient) {
  for (Wanted& w : wanted_) {
    if (w.node != &node || w.output != output) continue;
    w.gradient = w.gradient.defined() ? accumulate(std::move(w.gradient), gradient, create_graph_)
                                      : gradient;
  }
}

void Sweep::run_hooks(Node& node, Tensor* gradients) {
  auto& hooks = node.extras->hooks;
  const std::size_t count = hooks.size();  // one may register another
  for (std::size_t i = 0; i < count; ++i) {
    const int output = hooks[i].output;
    Tensor& g = gradients[output];
    if (!g.defined()) continue;
    hooks[i].hook->call(g);
    fit(node, node, static_cast<std::uint32_t>(output), g);
  }
}

// The node's gradients are complete: hooks, kept gradients, wanted ones.
void Sweep::finish(Node& node, Tensor* gradients) {
  if (partial_) {
    for (const Wanted& w : wanted_) {
      if (w.node != &node || !gradients[w.output].defined()) continue;
      collect(node, w.output, gradients[w.output]);
      gradients[w.output] = {};
    }
  }
  if (node.extras) {
    run_hooks(node, gradients);
    for (auto& [output, kept] : node.extras->retained) {
      if (gradients[output].defined()) kept = gradients[output];
    }
  }
  if (wanted_.empty()) return;
  for (std::uint32_t k = 0; k < node.outputs; ++k) {
    if (gradients[k].defined()) collect(node, k, gradients[k]);
  }
}

void Sweep::process(Node& node) {
  Gradients held(*this, node);
  Tensor* gradients = held.begin();
  if (node.extras || !wanted_.empty()) finish(node, gradients);
  if (node.leaf) return accumulate_leaf(node, std::move(gradients[0]));
  if (partial_ && std::none_of(gradients, gradients + node.outputs, std::mem_fn(&Tensor::defined)))
    return;
  if (!wanted_.empty() &&
      std::ranges::none_of(node.edges(), [&](const Edge& e) { return needs(e); })) {
    if (!node.released) return;
  }
  const NodeScope scope(node);  // errors, and the gradients' own graph, are of its module
  if (node.released) [[unlikely]] {
    throw GradError(std::string("backward: the graph at ") + node.name +
                    " was released by an earlier backward; pass retain_graph = true to the first");
  }
  Backward t(node, *this, gradients, node.outputs);
  Watcher* watcher = thread_state.watcher;
  if (watcher) [[unlikely]]
    tell(watcher, [&](Watcher& w) { w.begin_backward(node); });
  try {
    node.run(node.closure(), t);
  } catch (...) {
    tell(watcher, [&](Watcher& w) { w.end_backward(node); });
    hand_over_edges(node, true);  // what it queued outlives it
    throw;
  }
  if (watcher) [[unlikely]]
    tell(watcher, [&](Watcher& w) { w.end_backward(node); });
  hand_over_edges(node, retain_graph_);
  if (!retain_graph_) release_contents(node);
}

// A node that was queued by this one now belongs to the queue: the edge's reference goes over.
void Sweep::hand_over_edges(Node& node, bool keep) noexcept {
  for (Edge& e : node.edges()) {
    // What this sweep did not claim may be in use by another thread.
    if (!e.node || e.node->sweep.load(std::memory_order_relaxed) != id_) continue;
    if (!std::exchange(e.node->borrowed, false)) continue;
    if (keep) {
      retain(e.node);
    } else {
      e.node = nullptr;
    }
  }
}

void Sweep::accumulate_leaf(Node& leaf, Tensor&& gradient) {
  Extras& e = *leaf.extras;
  if (create_graph_) {
    e.gradient = e.gradient.defined() ? xtape::add(e.gradient, gradient) : gradient;
  } else if (!e.gradient.defined()) {
    // Nobody else may see the memory: clipping and optimizers write it.
    const bool own = is_sole_owner(gradient) && gradient.is_contiguous();
    e.gradient = own ? std::move(gradient) : detail::copy_contiguous(gradient);
  } else if (is_sole_owner(e.gradient) && same_layout(e.gradient, gradient)) {
    add_into(e.gradient, gradient);
  } else {
    e.gradient = xtape::add(e.gradient, gradient);  // a handle that the user keeps stays as it is
  }
  if (e.after_accumulation.empty() || !e.value) return;
  retain(e.value);
  Tensor value = Tensor::adopt(e.value);
  const std::size_t count = e.after_accumulation.size();  // one may register another
  for (std::size_t i = 0; i < count; ++i) e.after_accumulation[i]->call(value);
}

void Sweep::run() {
  while (!queue_.empty()) {
    std::pop_heap(queue_.begin(), queue_.end());
    Node* node = queue_.back().node;
    queue_.pop_back();
    struct Held {
      Node* node;
      ~Held() { release(node); }
    } held{node};
    process(*node);
  }
  finish_leaves();
}

// grad() collects a leaf's gradient without visiting the leaf: its hooks run once all is there.
void Sweep::finish_leaves() {
  if (partial_) return;
  for (auto w = wanted_.begin(); w != wanted_.end(); ++w) {
    if (!w->node->leaf || w->node->extras->hooks.empty() || !w->gradient.defined()) continue;
    const auto first =
        std::find_if(wanted_.begin(), w, [&](const Wanted& v) { return v.node == w->node; });
    if (first == w) {
      run_hooks(*w->node, &w->gradient);
    } else {
      w->gradient = first->gradient;
    }
  }
}

}  // namespace detail
}  // namespace xtape
