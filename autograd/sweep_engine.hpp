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

  /// `grad()` alone: the values whose gradients are wanted.
  void want(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs);
  void add_root(const Tensor& y, const Tensor& seed);
  void run();
  Tensor take_wanted(std::size_t i) { return std::move(wanted_[i].gradient); }

  bool needs(const Edge& edge) noexcept;
  void add(Node& node, int i, Tensor gradient);
  static void add_rows(Backward& t, int i, const Tensor& index, Tensor values);
  bool create_graph() const noexcept { return create_graph_; }

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

  bool claim(Node& node);
  Side* side(Node& node);
  void discover(const std::vector<Tensor>& outputs);
  void push(Node& node);
  void process(Node& node);
  void finish(Node& node, Tensor* gradients);
  void run_hooks(Node& node, Tensor* gradients);
  void finish_leaves();
  bool may_hold_rows(Node& target, const Tensor& values);
  void collect(Node& node, std::uint32_t output, Tensor& gradient);
  void accumulate_leaf(Node& leaf, Tensor gradient);
  void hand_over_edges(Node& node, bool keep) noexcept;
  void deposit(Node& target, std::uint32_t output, Tensor gradient);
  Tensor fit(const Node& from, Node& target, std::uint32_t output, Tensor gradient);

  std::uint64_t id_;
  bool retain_graph_, create_graph_;
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

}  // namespace xtape::detail
