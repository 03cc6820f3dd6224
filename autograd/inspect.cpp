// SPDX-License-Identifier: BSD-3-Clause
#include "inspect.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "error.hpp"
#include "memory.hpp"
#include "node.hpp"
#include "scope.hpp"
#include "table.hpp"

namespace xtape {
namespace {

using detail::Node;

std::vector<Node*> reachable(const Tensor& y) {
  std::vector<Node*> found, todo;
  std::unordered_set<Node*> seen;
  const auto visit = [&](Node* n) {
    if (n && seen.insert(n).second) todo.push_back(n);
  };
  visit(y.value()->node);
  while (!todo.empty()) {
    Node* n = todo.back();
    todo.pop_back();
    found.push_back(n);
    for (const detail::Edge& e : n->edges()) visit(e.node);
  }
  // Leaves come just before their first user: older numbers first, leaves before operations.
  std::ranges::sort(found, [](const Node* a, const Node* b) {
    const std::uint64_t na = a->number.load(), nb = b->number.load();
    return na != nb ? na < nb : a->leaf && !b->leaf;
  });
  return found;
}

std::string megabytes(std::int64_t bytes) {
  char text[32];
  const double x = static_cast<double>(bytes);
  if (bytes < 1 << 10) {
    std::snprintf(text, sizeof text, "%lld B", static_cast<long long>(bytes));
  } else if (bytes < 1 << 20) {
    std::snprintf(text, sizeof text, "%.1f KiB", x / (1 << 10));
  } else {
    std::snprintf(text, sizeof text, "%.1f MiB", x / (1 << 20));
  }
  return text;
}

std::string outputs_of(const TapeEntry& e) {
  std::string text;
  for (const TapeOutput& y : e.outputs) {
    text += (text.empty() ? "" : ", ") + std::string(name(y.dtype)) + " " + to_string(y.shape);
  }
  return text;
}

std::string inputs_of(const TapeEntry& e) {
  std::string text;
  for (const std::size_t i : e.inputs) {
    text += (text.empty() ? "" : ", ") + (i == TapeEntry::kConstant ? "-" : std::to_string(i));
  }
  return text;
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

struct Sum {
  std::int64_t count = 0, bytes = 0;
};

std::string largest_first(const char* title, const std::map<std::string, Sum>& sums) {
  std::vector<std::pair<std::string, Sum>> order(sums.begin(), sums.end());
  std::ranges::stable_sort(order, std::ranges::greater{},
                           [](const auto& entry) { return entry.second.bytes; });
  std::vector<detail::Row> rows{{title, "operations", "saved"}};
  for (const auto& [key, sum] : order) {
    rows.push_back({key, std::to_string(sum.count), megabytes(sum.bytes)});
  }
  return detail::aligned(rows, {1, 2});
}

}  // namespace

Tape tape(const Tensor& y) {
  detail::check_defined("tape", y);
  Tape found;
  if (!y.requires_grad()) return found;
  const std::vector<Node*> nodes = reachable(y);
  std::unordered_map<const Node*, std::size_t> places;
  std::unordered_set<const detail::Storage*> counted;
  for (const Node* n : nodes) {
    places.emplace(n, places.size());
    if (n->leaf && n->extras->value) counted.insert(n->extras->value->storage);
  }
  for (Node* n : nodes) {
    TapeEntry& e = found.entries_.emplace_back();
    e.operation = n->name;
    e.module = detail::scope_text(n->scope);
    e.is_leaf = n->leaf;
    e.is_released = n->released;
    for (const detail::Slot& s : n->slots()) {
      e.outputs.push_back({s.dtype, Shape(n->output_sizes(s))});
    }
    for (const detail::Edge& edge : n->edges()) {
      e.inputs.push_back(edge.node ? places.at(edge.node) : TapeEntry::kConstant);
    }
    for (const detail::Saved& s : n->saved()) {
      if (s.value && counted.insert(s.value->storage).second) {
        e.saved_bytes += static_cast<std::int64_t>(s.value->storage->bytes);
      }
    }
  }
  return found;
}

std::string Tape::table() const {
  std::vector<detail::Row> rows{{"", "operation", "result", "inputs", "saved", "module"}};
  for (std::size_t i = 0; i < size(); ++i) {
    const TapeEntry& e = entries_[i];
    rows.push_back({std::to_string(i), e.operation, outputs_of(e), inputs_of(e),
                    e.is_leaf       ? ""
                    : e.is_released ? "released"
                                    : megabytes(e.saved_bytes),
                    e.module});
  }
  return detail::aligned(rows, {0, 4});
}

std::string Tape::dot() const {
  std::map<std::string, std::vector<std::size_t>> modules;
  for (std::size_t i = 0; i < size(); ++i) modules[entries_[i].module].push_back(i);
  std::string text = "digraph tape {\n  rankdir=TB;\n  node [shape=box, style=rounded];\n";
  std::size_t cluster = 0;
  for (const auto& [module, places] : modules) {
    std::string indent = "  ";
    if (!module.empty()) {
      text += "  subgraph cluster_" + std::to_string(cluster++) +
              " {\n    label=" + quoted(module) + ";\n    color=gray;\n";
      indent = "    ";
    }
    for (const std::size_t i : places) {
      const TapeEntry& e = entries_[i];
      text += indent + "n" + std::to_string(i) + " [label=" + quoted(e.operation) +
              " xlabel=" + quoted(outputs_of(e)) +
              (e.is_leaf ? " style=filled fillcolor=lightblue" : "") + "];\n";
    }
    if (!module.empty()) text += "  }\n";
  }
  for (std::size_t i = 0; i < size(); ++i) {
    for (const std::size_t from : entries_[i].inputs) {
      if (from == TapeEntry::kConstant) continue;
      text += "  n" + std::to_string(from) + " -> n" + std::to_string(i) + ";\n";
    }
  }
  return text + "}\n";
}

std::string Tape::memory_report() const {
  std::map<std::string, Sum> operations, modules;
  std::int64_t total = 0;
  for (const TapeEntry& e : entries_) {
    if (e.is_leaf) continue;
    total += e.saved_bytes;
    for (Sum* sum : {&operations[e.operation], &modules[e.module.empty() ? "-" : e.module]}) {
      ++sum->count;
      sum->bytes += e.saved_bytes;
    }
  }
  const memory::Stats stats = memory::stats();
  return largest_first("operation", operations) + "\n" + largest_first("module", modules) +
         "\nsaved for backward: " + megabytes(total) + "; live: " + megabytes(stats.live_bytes) +
         "; peak: " + megabytes(stats.peak_bytes) + "\n";
}

}  // namespace xtape
