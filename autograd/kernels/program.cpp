// SPDX-License-Identifier: BSD-3-Clause
#include "program.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include "program_steps.hpp"

// From instructions to steps. Every step makes one pass over a block, so there should be few: equal
// ones are computed once, signs cost nothing, and what surrounds a product or a function (a sum, a
// factor, an affine map) is done with it. Nothing is reordered: the result is that of the formula
// but for multiplications and additions that are joined, as a compiler joins them.
namespace xtape::kernels {
namespace {

struct Node {
  Op op;
  std::int32_t in[4] = {-1, -1, -1, -1};
  std::int32_t factor = -1;
  double k = 0, l = kNothing, m = 1, n = kNothing;
};
using Nodes = std::vector<Node>;

struct Output {
  std::int32_t node, pointer;
};

bool is_nothing(double x) noexcept { return x == 0 && std::signbit(x); }
bool is_stored(Op op) noexcept { return op == Op::input || op == Op::number; }

/// f(operand) for each; the factor is one of them.
template <class N, class F>
void for_operands(N& node, F&& f) {
  for (auto& q : node.in) {
    if (q >= 0) f(q);
  }
  if (node.factor >= 0) f(node.factor);
}

// --- equal values are one node ---

class Numbering {
 public:
  explicit Numbering(std::span<const Instruction> list)
      : table_(std::bit_ceil(list.size() * 4), -1) {
    nodes.reserve(list.size() * 2);
    values_.reserve(list.size());
    for (const Instruction& s : list) values_.push_back(read(s));
  }

  Nodes nodes;
  std::vector<Output> outputs;

 private:
  // A node or its negative: signs wait until they meet a sum or an affine map.
  struct Value {
    std::int32_t node = -1;
    bool negative = false;
  };

  Value read(const Instruction& s) {
    const Value a = value(s.a()), b = value(s.b());
    const Op op = s.op();
    const double k = s.number();
    switch (op) {
      case Op::output:
        return output(plain(a), static_cast<std::int32_t>(k));
      case Op::negative:
        return {a.node, !a.negative};
      case Op::scale:
        if (std::abs(k) == 1) return {a.node, a.negative != (k < 0)};
        [[fallthrough]];
      case Op::over_number:
      case Op::number_over:
        return node(op, a.node, -1, -1, a.negative ? -k : k);
      case Op::add_number:
        return node(a.negative ? Op::number_minus : Op::add_number, a.node, -1, -1, k);
      case Op::number_minus:
        return node(a.negative ? Op::add_number : Op::number_minus, a.node, -1, -1, k);
      case Op::multiply:
      case Op::divide:
        return {node(op, a.node, b.node).node, a.negative != b.negative};
      case Op::add:
        return sum(a, b);
      case Op::subtract:
        return sum(a, {b.node, !b.negative});
      default:
        return node(op, plain(a), plain(b), plain(value(s.c())), k);
    }
  }

  Value value(std::int32_t at) const { return at < 0 ? Value{} : values_[index(at)]; }

  std::int32_t plain(Value v) { return v.negative ? node(Op::negative, v.node).node : v.node; }

  // -a - b stays as it is: -(a + b) is another zero where both cancel.
  Value sum(Value a, Value b) {
    if (a.negative && !b.negative) return node(Op::subtract, b.node, a.node);
    if (!b.negative) return node(Op::add, a.node, b.node);
    return node(Op::subtract, plain(a), b.node);
  }

  // A result that stands elsewhere already is copied.
  Value output(std::int32_t from, std::int32_t pointer) {
    const bool taken = std::ranges::any_of(outputs, [=](Output o) { return o.node == from; });
    if (taken || is_stored(nodes[index(from)].op)) {
      nodes.push_back({.op = Op::copy, .in = {from, -1, -1, -1}});
      from = static_cast<std::int32_t>(nodes.size()) - 1;
    }
    outputs.push_back({from, pointer});
    return {};
  }

  Value node(Op op, std::int32_t a = -1, std::int32_t b = -1, std::int32_t c = -1, double k = 0) {
    if ((op == Op::add || op == Op::multiply) && a > b) std::swap(a, b);
    if (is_function(op)) k = 1;
    const auto bits = std::bit_cast<std::uint64_t>(k);
    std::uint64_t h = (bits ^ (bits >> 29)) * 0x9e3779b97f4a7c15u + static_cast<std::uint64_t>(op);
    for (const std::int32_t q : {a, b, c}) {
      h = (h ^ (h >> 32) ^ static_cast<std::uint32_t>(q)) * 0xd6e8feb86659fd93u;
    }
    std::size_t at = (h >> 32) & (table_.size() - 1);
    for (; table_[at] >= 0; at = (at + 1) & (table_.size() - 1)) {
      const Node& o = nodes[index(table_[at])];
      if (o.op == op && o.in[0] == a && o.in[1] == b && o.in[2] == c &&
          std::bit_cast<std::uint64_t>(o.k) == bits) {
        return {table_[at], false};
      }
    }
    table_[at] = static_cast<std::int32_t>(nodes.size());
    nodes.push_back({.op = op, .in = {a, b, c, -1}, .k = k});
    return {table_[at], false};
  }

  static std::size_t index(std::int32_t i) { return static_cast<std::size_t>(i); }

  std::vector<std::int32_t> table_;  // of nodes, by their hash
  std::vector<Value> values_;        // of the instructions
};

// --- several nodes become one step ---

class Fusion {
 public:
  Fusion(Nodes& nodes, const std::vector<Output>& outputs) : nodes_(nodes), uses_(nodes.size(), 0) {
    for (const Output& o : outputs) ++uses(o.node);
    for (std::size_t i = nodes.size(); i-- > 0;) {
      if (uses_[i] > 0) for_operands(nodes[i], [&](std::int32_t q) { ++uses(q); });
    }
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (uses_[i] > 0) fuse(nodes[i]);
    }
  }

  bool needed(std::size_t i) const { return uses_[i] > 0; }

 private:
  Node& at(std::int32_t i) { return nodes_[static_cast<std::size_t>(i)]; }
  std::int32_t& uses(std::int32_t i) { return uses_[static_cast<std::size_t>(i)]; }

  bool once(std::int32_t q) { return uses(q) == 1 && at(q).factor < 0; }

  // q is computed by one of its users, who reads its operands from now on.
  void absorb(std::int32_t q) {
    if (--uses(q) > 0) for_operands(at(q), [&](std::int32_t r) { ++uses(r); });
  }

  // Whether a node is x k + l.
  static bool is_affine(const Node& s, double& k, double& l) {
    if (s.factor >= 0) return false;
    k = 1;
    l = kNothing;
    switch (s.op) {
      case Op::negative:
        k = -1;
        return true;
      case Op::add_number:
        l = s.k;
        return true;
      case Op::scale:
        k = s.k;
        return true;
      case Op::number_minus:
        k = -1;
        l = s.k;
        return true;
      case Op::affine:
        k = s.k;
        l = s.l;
        return true;
      default:
        return false;
    }
  }

  static bool takes_factor(Op op) {
    return is_function(op) || op == Op::multiply || op == Op::divide ||
           (op >= Op::multiply_add && op != Op::affine);
  }

  void fuse(Node& s) {
    switch (s.op) {
      case Op::add:
      case Op::subtract:
        return product_in_sum(s);
      case Op::add_number:
      case Op::number_minus:
        product_and_number(s);
        break;
      case Op::multiply:
        if (!multiply_in_place(s)) affine_operands(s, Op::affine_product);
        return;
      case Op::divide:
        return affine_operands(s, Op::affine_quotient);
      case Op::where:
        return compare_in_choice(s);
      default:
        if (is_function(s.op)) return affine_argument(s);
    }
    affine_result(s);
  }

  void product_in_sum(Node& s) {
    const bool minus = s.op == Op::subtract;
    for (const int side : {1, 0}) {
      const std::int32_t q = s.in[side], other = s.in[1 - side];
      if (!once(q)) continue;
      const Node p = at(q);
      if (p.op == Op::multiply) {
        const Op op = !minus ? Op::multiply_add : side ? Op::minus_product : Op::multiply_subtract;
        s = {.op = op, .in = {p.in[0], p.in[1], other, -1}};
      } else if (p.op == Op::scale) {
        const Op op = !minus ? Op::scale_add : side ? Op::minus_scaled : Op::scale_subtract;
        s = {.op = op, .in = {p.in[0], other, -1, -1}, .k = p.k};
      } else {
        continue;
      }
      return absorb(q);
    }
  }

  void product_and_number(Node& s) {
    const std::int32_t q = s.in[0];
    if (!once(q)) return;
    const Node p = at(q);
    const bool minus = s.op == Op::number_minus;
    if (p.op == Op::multiply) {
      const Op op = minus ? Op::number_minus_product : Op::product_plus;
      s = {.op = op, .in = {p.in[0], p.in[1], -1, -1}, .k = s.k};
    } else if (p.op == Op::scale) {
      s = {.op = Op::affine, .in = {p.in[0], -1, -1, -1}, .k = minus ? -p.k : p.k, .l = s.k};
    } else {
      return;
    }
    absorb(q);
  }

  // The step that makes one factor multiplies by the other.
  bool multiply_in_place(Node& s) {
    for (const int side : {0, 1}) {
      const std::int32_t q = s.in[side], other = s.in[1 - side];
      if (!once(q) || !takes_factor(at(q).op)) continue;
      s = at(q);
      s.factor = other;
      absorb(q);
      return true;
    }
    return false;
  }

  void affine_operands(Node& s, Op op) {
    const std::int32_t p = s.in[0], q = s.in[1];
    double k, l, m, n;
    const bool left = is_affine(at(p), k, l), right = is_affine(at(q), m, n);
    if (p == q || (!left && !right)) return;
    if (!left) k = 1, l = kNothing;
    if (!right) m = 1, n = kNothing;
    s = {.op = op,
         .in = {left ? at(p).in[0] : p, right ? at(q).in[0] : q, -1, -1},
         .k = k,
         .l = l,
         .m = m,
         .n = n};
    if (left) absorb(p);
    if (right) absorb(q);
  }

  void affine_argument(Node& s) {
    const std::int32_t q = s.in[0];
    double k, l;
    if (!is_affine(at(q), k, l)) return;
    s.in[0] = at(q).in[0];
    s.k = k;
    s.l = l;
    absorb(q);
  }

  // (f m + n) k + l, where that rounds no less often.
  void affine_result(Node& s) {
    double k, l;
    if (!is_affine(s, k, l)) return;
    const std::int32_t q = s.in[0];
    if (!once(q) || !is_function(at(q).op) || !is_nothing(at(q).n)) return;
    const double m = at(q).m;
    if (m != 1 && std::abs(k) != 1) return;
    s = at(q);
    s.m = m * k;
    s.n = l;
    absorb(q);
  }

  // A condition that is used once or twice is not worth storing. The others could be turned into <
  // only by exchanging the results, which NaN forbids.
  void compare_in_choice(Node& s) {
    const std::int32_t q = s.in[0];
    const Node c = at(q);
    if (uses(q) > 2 || (c.op != Op::lt && c.op != Op::gt)) return;
    const bool less = c.op == Op::lt;
    s = {.op = Op::where_less, .in = {c.in[less ? 0 : 1], c.in[less ? 1 : 0], s.in[1], s.in[2]}};
    absorb(q);
  }

  Nodes& nodes_;
  std::vector<std::int32_t> uses_;
};

// --- slots ---

class Slots {
 public:
  Slots(const Nodes& nodes, const Fusion& fused, const std::vector<Output>& outputs, Program& p)
      : nodes_(nodes), p_(p), slot_(nodes.size(), -1), last_use_(nodes.size(), -1) {
    std::int32_t last_read = -1;  // of an input
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (!fused.needed(i)) continue;
      for_operands(nodes[i], [&](std::int32_t q) {
        last_use_[index(q)] = static_cast<std::int32_t>(i);
        if (nodes[index(q)].op == Op::input) last_read = static_cast<std::int32_t>(i);
      });
    }
    next_ = p.inputs;
    for (const Output& o : outputs) {
      slot_[index(o.node)] = next_++;
      p.outputs.push_back({o.pointer, o.node >= last_read});
    }
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (nodes[i].op == Op::input) slot_[i] = static_cast<std::int32_t>(nodes[i].k);
      if (nodes[i].op != Op::number || !fused.needed(i)) continue;
      p.numbers.push_back(nodes[i].k);
      slot_[i] = next_++;
    }
    first_register_ = next_;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (fused.needed(i) && !is_stored(nodes[i].op)) emit(i);
    }
    p.slots = next_;
  }

 private:
  void emit(std::size_t i) {
    const Node& s = nodes_[i];
    for_operands(s, [&](std::int32_t q) { release(q, static_cast<std::int32_t>(i)); });
    if (slot_[i] < 0) {
      if (free_.empty()) free_.push_back(next_++);
      slot_[i] = free_.back();
      free_.pop_back();
    }
    Step step{s.op, slot_[i], {}, s.factor < 0 ? -1 : slot_[index(s.factor)], s.k, s.l, s.m, s.n};
    for (int k = 0; k < 4; ++k) step.in[k] = s.in[k] < 0 ? 0 : slot_[index(s.in[k])];
    p_.steps.push_back(step);
  }

  // A step reads before it writes: its result may stand where an operand ends.
  void release(std::int32_t q, std::int32_t user) {
    if (last_use_[index(q)] != user || slot_[index(q)] < first_register_) return;
    free_.push_back(slot_[index(q)]);
    last_use_[index(q)] = -1;  // once, if it is an operand twice
  }

  static std::size_t index(std::int32_t i) { return static_cast<std::size_t>(i); }

  const Nodes& nodes_;
  Program& p_;
  std::vector<std::int32_t> slot_, last_use_, free_;
  std::int32_t next_ = 0, first_register_ = 0;
};

}  // namespace

Recording::~Recording() {
  delete program_;
  delete[] list_;
}

void Recording::grow() {
  const std::int32_t capacity = std::max(32, 2 * capacity_);
  auto* list = new Instruction[static_cast<std::size_t>(capacity)];
  std::copy_n(list_, count_, list);
  delete[] list_;
  list_ = list;
  capacity_ = capacity;
}

void Recording::compile(int inputs, int outputs) {
  Program p;
  p.inputs = inputs;
  p.pointers = outputs;
  Numbering values({list_, static_cast<std::size_t>(count_)});
  const Fusion fused(values.nodes, values.outputs);
  const Slots slots(values.nodes, fused, values.outputs, p);
  if (!program_) program_ = new Program;
  *program_ = std::move(p);
  compiled_ = count_;
  changed_ = false;
}

}  // namespace xtape::kernels
