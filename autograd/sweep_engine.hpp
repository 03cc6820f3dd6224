// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <unordered_map>
#include <utility>
#include <vector>

#include "node.hpp"
#include "sweep.hpp"

// The reverse sweep; private to autograd/.
namespace xtape::detail {

/// One walk over what the roots were computed from.
class Sweep {
 public:
  Sweep(bool retain_graph, bool create_graph);
  ~Sweep();
  Sweep(const Sweep&) = delete;
  Sweep& operator=(const Sweep&) = delete;

  /// `grad()` alone: the values whose gradients are wanted. If `partial`, they count as independent
  /// of one another: the sweep ends at each, before its hooks.
  void want(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs, bool partial);
  void add_root(const Tensor& y, const Tensor& seed);
  void run();
  Tensor take_wanted(std::size_t i) { return std::move(wanted_[i].gradient); }

  bool needs(const Edge& edge) noexcept {
    return edge.node && (wanted_.empty() || leads_to_wanted(*edge.node));
  }
  void add(Node& node, int i, Tensor&& gradient);
  static void add_rows(Backward& t, int i, const Tensor& index, Tensor values);
  bool create_graph() const noexcept { return create_graph_; }
  bool retains_graph() const noexcept { return retain_graph_; }

 private:
  class Gradients;
  struct Wanted {
    Node* node;
    std::uint32_t output;
    Tensor gradient;
  };
  struct Queued {
    std::uint64_t number;
    Node* node;
    bool operator<(const Queued& other) const noexcept { return number < other.number; }
  };
  // The slots of a node that an outer sweep of this thread is using.
  struct Side {
    std::vector<Tensor> gradients;
    bool needed = true;
  };

  // True where this sweep uses the node's own slots; false where a side table serves.
  bool claim(Node& node) {
    if (node.sweep.load(std::memory_order_relaxed) == id_) return true;
    std::uint64_t free = 0;
    return node.sweep.compare_exchange_strong(free, id_, std::memory_order_acquire) ||
           claim_side(node, free);
  }
  bool claim_side(Node& node, std::uint64_t holder);
  // The same of a node that an edge of a claimed one leads to: where nothing else refers to it, no
  // other thread can come to it, and no locked instruction is needed.
  bool claim_behind_edge(Node& node) {
    if (node.refs.load(std::memory_order_acquire) > 1 ||
        node.sweep.load(std::memory_order_relaxed) != 0) {
      return claim(node);
    }
    node.sweep.store(id_, std::memory_order_relaxed);
    return true;
  }
  Side* side(Node& node);
  bool is_wanted(const Node& node) const noexcept;
  bool ends_at(const Node& node) const noexcept;
  bool leads_to_wanted(Node& node) noexcept;
  void discover(const std::vector<Tensor>& outputs);
  void push(Node& node);
  void process(Node& node);
  void finish(Node& node, Tensor* gradients);
  void run_hooks(Node& node, Tensor* gradients);
  void finish_leaves();
  bool may_hold_rows(Node& target, const Tensor& values);
  void collect(Node& node, std::uint32_t output, Tensor& gradient);
  void accumulate_leaf(Node& leaf, Tensor&& gradient);
  void hand_over_edges(Node& node, bool keep) noexcept;
  void deposit(Node& target, std::uint32_t output, Tensor&& gradient);
  void deposit_beside(Node& target, std::uint32_t output, Tensor&& gradient);
  static void fit(const Node& from, Node& target, std::uint32_t output, Tensor& gradient);

  std::uint64_t id_;
  bool retain_graph_, create_graph_, partial_ = false;
  GradModeGuard grad_mode_;
  Sweep* outer_;
  // A heap; that of a small graph lies in the sweep itself.
  static constexpr std::size_t kFirst = 64;
  alignas(Queued) std::byte first_[kFirst * sizeof(Queued)];
  std::pmr::monotonic_buffer_resource memory_{first_, sizeof first_};
  std::pmr::vector<Queued> queue_{&memory_};
  std::vector<Node*> claimed_;  // grad() alone
  std::vector<Wanted> wanted_;
  std::unordered_map<Node*, Side> sides_;
};

/// `grad()`; if `partial`, of inputs that count as independent of one another and whose hooks wait
/// for another sweep.
std::vector<Tensor> gradients(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                              const GradOptions& options, bool partial);

}  // namespace xtape::detail
