// SPDX-License-Identifier: BSD-3-Clause
#include "checkpoint.hpp"

#include <algorithm>
#include <string>
#include <unordered_set>

#include "error.hpp"
#include "node.hpp"
#include "ops/alias.hpp"
#include "random.hpp"
#include "sweep_engine.hpp"
#include "tape.hpp"

namespace xtape {
namespace detail {
namespace {

using Tensors = std::vector<Tensor>;

// An object that lives as long as a tensor without elements: what a node saves are tensors.
Tensor keep(Owned<CheckpointFunction> f) {
  const std::int64_t zero[] = {0}, one[] = {1};
  CheckpointFunction* object = f.release();
  return adopt_memory(uint8, object, zero, one, object,
                      [](void* owner) { delete static_cast<CheckpointFunction*>(owner); });
}

CheckpointFunction& kept(const Tensor& holder) {
  return *static_cast<CheckpointFunction*>(holder.value()->storage->owner);
}

// A value known by its place on the tape alone.
Tensor place_on_tape(Node* node, std::uint32_t output) {
  const Slot& slot = node->slots()[output];
  const Tensor base = empty(slot.dtype, {});
  const Shape still = Shape::filled(slot.rank, 0);
  Tensor x = make_view(base, base.value()->data, node->output_sizes(slot), still);
  retain(node);
  x.value()->node = node;
  x.value()->output = output;
  return x;
}

// What the results of a run depend on beside its inputs: leaves, and values recorded before it.
Tensors captured(const Tensors& ys, const Tensors& xs, std::uint64_t before) {
  std::unordered_set<Node*> seen;
  for (const Tensor& x : xs) {
    if (x.requires_grad()) seen.insert(x.value()->node);
  }
  std::vector<std::pair<Node*, std::uint32_t>> todo, outside;
  for (const Tensor& y : ys) {
    if (y.requires_grad()) todo.emplace_back(y.value()->node, y.value()->output);
  }
  Tensors found;
  while (!todo.empty()) {
    const auto [node, output] = todo.back();
    todo.pop_back();
    if (!node->leaf && node->number.load() <= before) {
      if (std::ranges::find(outside, std::pair(node, output)) != outside.end()) continue;
      outside.emplace_back(node, output);
      found.push_back(place_on_tape(node, output));
    } else if (!seen.insert(node).second) {
      continue;
    } else if (!node->leaf) {
      for (const Edge& e : node->edges()) {
        if (e.node) todo.emplace_back(e.node, e.output);
      }
    } else if (Value* leaf = node->extras->value) {
      retain(leaf);
      found.push_back(Tensor::adopt(leaf));
    }
  }
  return found;
}

class Recomputing {
 public:
  Recomputing() noexcept : before_(std::exchange(thread_state.recomputing, true)) {}
  ~Recomputing() { thread_state.recomputing = before_; }
  Recomputing(const Recomputing&) = delete;
  Recomputing& operator=(const Recomputing&) = delete;

 private:
  bool before_;
};

struct Again {
  Generator generator;  // as it stood before the first run
  int inputs, captured;

  // The results once more, from `xs`, which stand for the inputs.
  Tensors recompute(const Backward& t, Tensors& xs) const {
    const GeneratorScope numbers(generator);
    const Recomputing flag;
    const EnableGrad recording;
    for (int i = 0; i < inputs; ++i) {
      const Tensor x = t.saved(i);
      if (!t.needs(i)) {
        xs.push_back(x.detach());
      } else if (t.create_graph()) {
        xs.push_back(alias(x));
      } else {
        xs.push_back(x.detach().requires_grad_());
      }
    }
    return kept(t.saved(inputs + captured)).call(xs);
  }

  void operator()(Backward& t) const {
    Tensors xs;
    const Tensors ys = recompute(t, xs);
    Tensors outputs, seeds, targets;
    for (std::size_t k = 0; k < ys.size(); ++k) {
      if (!t.g(static_cast<int>(k)).defined() || !ys[k].requires_grad()) continue;
      outputs.push_back(ys[k]);
      seeds.push_back(t.g(static_cast<int>(k)));
    }
    std::vector<int> places;
    for (int i = 0; i < inputs + captured; ++i) {
      if (!t.needs(i)) continue;
      targets.push_back(i < inputs ? xs[static_cast<std::size_t>(i)] : t.saved(i));
      places.push_back(i);
    }
    if (outputs.empty() || targets.empty()) return;
    // The graph is kept since part of it may be the caller's; what was recorded here goes with ys.
    // Partial: what leads from one captured value to another is of the sweep that called this one.
    const Tensors found = gradients(outputs, targets,
                                    {.grad_outputs = seeds,
                                     .retain_graph = true,
                                     .create_graph = t.create_graph(),
                                     .allow_unused = true},
                                    true);
    for (std::size_t i = 0; i < found.size(); ++i) t.add(places[i], found[i]);
  }
};

void record_checkpoint(Tensors& ys, const Tensors& inputs, const Tensors& used,
                       const Tensor& function, const Generator& generator) {
  std::vector<TensorRef> from;
  std::vector<const Tensor*> saved;
  std::vector<Tensor*> results;
  for (const Tensors* list : {&inputs, &used}) {
    for (const Tensor& x : *list) {
      from.emplace_back(x);
      saved.push_back(&x);
    }
  }
  saved.push_back(&function);
  for (Tensor& y : ys) results.push_back(&y);
  void* place = begin_record(
      {"checkpoint", results, from, saved,
       [](const void* closure, Backward& t) { (*static_cast<const Again*>(closure))(t); },
       sizeof(Again)});
  if (!place) return;
  ::new (place) Again{generator, static_cast<int>(inputs.size()), static_cast<int>(used.size())};
}

}  // namespace

Tensors run_checkpoint(Owned<CheckpointFunction> f, const Tensors& inputs) {
  if (!is_grad_enabled()) return f->call(inputs);
  const Generator generator = default_generator();
  const std::uint64_t before = thread_state.counter;
  Tensors xs;
  for (const Tensor& input : inputs) {
    check_defined("checkpoint", input);
    xs.push_back(input.requires_grad() ? input.detach().requires_grad_() : input);
  }
  Tensors ys = f->call(xs), used = captured(ys, xs, before);
  if (ys.size() > 8) {
    throw ValueError("checkpoint: at most 8 results can be kept, got " + std::to_string(ys.size()));
  }
  for (Tensor& y : ys) y = y.detach();  // what the run recorded goes
  record_checkpoint(ys, inputs, used, keep(std::move(f)), generator);
  return ys;
}

}  // namespace detail

bool is_recomputing() noexcept { return detail::thread_state.recomputing; }

}  // namespace xtape
