// SPDX-License-Identifier: BSD-3-Clause
#include "attention.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "../autocast.hpp"
#include "../error.hpp"
#include "../kernels/attention.hpp"
#include "../kernels/philox.hpp"
#include "../random.hpp"
#include "../tape.hpp"
#include "arithmetic.hpp"
#include "creation.hpp"
#include "indexing.hpp"
#include "layout.hpp"
#include "matmul.hpp"
#include "reductions.hpp"
#include "shape.hpp"
#include "softmax.hpp"

namespace xtape {
namespace {

const char* const kName = "scaled_dot_product_attention";

// What the gradient has to know beyond the tensors.
struct Settings {
  double scale, keep;
  bool causal;
  Generator random;
};

// The three over common leading dimensions, and the mask, added to the scores.
struct Operands {
  Tensor q, k, v, mask;
  Settings settings;

  std::int64_t queries() const { return q.sizes()[q.dim() - 2]; }
  std::int64_t keys() const { return k.sizes()[k.dim() - 2]; }
};

std::string shapes_of(const Tensor& q, const Tensor& k, const Tensor& v) {
  return to_string(q.sizes()) + ", " + to_string(k.sizes()) + " and " + to_string(v.sizes());
}

void check(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& o) {
  for (const Tensor* x : {&q, &k, &v}) {
    detail::check_defined(kName, *x);
    if (!is_floating(x->dtype()) || x->dtype() != q.dtype()) {
      throw DTypeError(std::string(kName) + ": expected one floating dtype, got " +
                       x->description());
    }
  }
  const auto size = [](const Tensor& x, int back) { return x.sizes()[x.dim() - back]; };
  if (q.dim() < 2 || k.dim() < 2 || v.dim() < 2 || size(q, 1) != size(k, 1) ||
      size(k, 2) != size(v, 2)) {
    throw ShapeError(std::string(kName) +
                     ": expected query [..., L, E], key [..., S, E] and value [..., S, Ev], got " +
                     shapes_of(q, k, v));
  }
  if (!(o.dropout_p >= 0 && o.dropout_p < 1)) {
    throw ValueError(std::string(kName) + ": expected a dropout_p in [0, 1), got " +
                     std::to_string(o.dropout_p));
  }
  if (o.is_causal && o.attn_mask.defined()) {
    throw ValueError(std::string(kName) + ": expected no attn_mask beside is_causal");
  }
  const Tensor& mask = o.attn_mask;
  if (mask.defined() && mask.dtype() != boolean && mask.dtype() != q.dtype()) {
    throw DTypeError(std::string(kName) + ": expected a boolean mask or one of " + name(q.dtype()) +
                     ", got " + mask.description());
  }
}

Shape leading(const Tensor& x) { return Shape(x.sizes().first(x.sizes().size() - 2)); }

Tensor with_leading(const Tensor& x, const Shape& lead) {
  Shape shape = lead;
  for (int back = 2; back >= 1; --back) shape.push_back(x.sizes()[x.dim() - back]);
  return x.shape() == shape ? x : expand(x, shape);
}

// Numbers to be added: 0 and -inf for a boolean mask.
Tensor as_numbers(const Tensor& mask, DType dtype) {
  if (!mask.defined() || mask.dtype() != boolean) return mask;
  return where(mask, scalar_tensor(0, dtype),
               scalar_tensor(-std::numeric_limits<double>::infinity(), dtype));
}

Operands operands_of(const Tensor& query, const Tensor& key, const Tensor& value,
                     const AttentionOptions& o) {
  check(query, key, value, o);
  const Shape lead = detail::broadcast(
      kName, detail::broadcast(kName, leading(query), leading(key)), leading(value));
  const double width = static_cast<double>(query.sizes().back());
  Operands in{with_leading(query, lead),
              with_leading(key, lead),
              with_leading(value, lead),
              as_numbers(o.attn_mask, query.dtype()),
              {o.scale.value_or(1 / std::sqrt(width)), 1 - o.dropout_p, o.is_causal, {}}};
  if (in.mask.defined()) {
    Shape scores = lead;
    scores.push_back(in.queries());
    scores.push_back(in.keys());
    if (detail::broadcast(kName, in.mask.sizes(), scores) != scores) {
      throw ShapeError(std::string(kName) + ": expected a mask that broadcasts to " +
                       to_string(scores) + ", got " + to_string(o.attn_mask.sizes()));
    }
  }
  if (o.dropout_p > 0) {
    in.settings.random = default_generator();
    default_generator().take(
        static_cast<std::uint64_t>(lead.numel() * in.queries() * ((in.keys() + 3) / 4) * 4));
  }
  return in;
}

// --- composed -----------------------------------------------------------------------------------

// What dropout multiplies the weights with; undefined for ones. The numbers are those of the fused
// kernel: each query begins with a new block of four.
Tensor dropout_factors(const Operands& in) {
  if (in.settings.keep == 1) return {};
  Shape padded = leading(in.q);
  padded.push_back(in.queries());
  padded.push_back((in.keys() + 3) / 4 * 4);
  Tensor factors = ones(padded, in.q.dtype());
  detail::dispatch_floating(in.q.dtype(), [&]<class T>(detail::Type<T>) {
    T* data = detail::fresh_data<T>(factors);
    kernels::keep_scaled(in.settings.random, data, data, factors.numel(), in.settings.keep,
                         1 / in.settings.keep);
  });
  return narrow(factors, -1, 0, in.keys());
}

Tensor causal_mask(std::int64_t queries, std::int64_t keys) {
  return le(arange(keys), unsqueeze(arange(queries), 1));
}

// The weights before dropout, zeros for a query that may look nowhere.
Tensor weights_of(const Operands& in) {
  const double infinity = std::numeric_limits<double>::infinity();
  const Tensor none = scalar_tensor(-infinity, in.q.dtype());
  Tensor scores = matmul(in.q, transpose(in.k, -2, -1)) * in.settings.scale;
  if (in.mask.defined()) scores = scores + in.mask;
  if (in.settings.causal) scores = where(causal_mask(in.queries(), in.keys()), scores, none);
  if (!in.mask.defined() || in.keys() == 0) return softmax(scores, -1);
  const Tensor blind = eq(amax(scores.detach(), {-1}, true), -infinity);
  const Tensor zero = zeros({}, in.q.dtype());
  return where(blind, zero, softmax(where(blind, zero, scores), -1));
}

AttentionAndWeights composed(const Operands& in) {
  Tensor weights = weights_of(in);
  const Tensor factors = dropout_factors(in);
  if (factors.defined()) weights = weights * factors;
  return {matmul(weights, in.v), weights};
}

void composed_gradient(Backward& t, const Operands& in) {
  const Tensor p = weights_of(in), factors = dropout_factors(in), g = t.g();
  const Tensor kept = factors.defined() ? p * factors : p;
  Tensor dp = matmul(g, transpose(in.v, -2, -1));
  if (factors.defined()) dp = dp * factors;
  const Tensor ds = p * (dp - sum(p * dp, {-1}, true)) * in.settings.scale;
  if (t.needs(0)) t.add(0, matmul(ds, in.k));
  if (t.needs(1)) t.add(1, matmul(transpose(ds, -2, -1), in.q));
  if (t.needs(2)) t.add(2, matmul(transpose(kept, -2, -1), g));
}

// --- fused --------------------------------------------------------------------------------------

// Whether the kernels read and write x [..., rows, width] where it lies.
bool has_dense_rows(const Tensor& x) {
  const int rank = x.dim();
  const bool dense = x.strides()[rank - 1] == 1 || x.sizes()[rank - 1] == 1;
  return dense && x.strides()[rank - 2] >= x.sizes()[rank - 1];
}

// The matrices of x [..., rows, width] where they lie, or those of a copy with dense rows.
class Walk {
 public:
  explicit Walk(const Tensor& x) : x_(x) {
    if (!has_dense_rows(x)) x_ = detail::copy_contiguous(x);
    find_offsets(x.dim() - 2);
  }
  /// A mask, expanded to all scores: its rows may be one.
  static Walk of_mask(const Tensor& mask, const Shape& scores) {
    Tensor x = mask.detach();
    if (x.dim() == 0 || x.sizes().back() != scores.back() || x.strides()[x.dim() - 1] != 1) {
      Shape shape = x.dim() == 0 ? Shape{1} : x.shape();
      shape[shape.rank() - 1] = scores.back();
      x = detail::copy_contiguous(expand(x, shape));
    }
    Walk walk;
    walk.x_ = expand(x, scores);
    walk.find_offsets(scores.rank() - 2);
    return walk;
  }
  kernels::Matrices matrices() const {
    return {x_.value()->data, offsets_.data(), x_.strides()[x_.dim() - 2]};
  }

 private:
  Walk() = default;
  void find_offsets(int lead) {
    std::int64_t count = 1;
    for (int i = 0; i < lead; ++i) count *= x_.sizes()[i];
    offsets_.resize(static_cast<std::size_t>(count));
    for (std::int64_t m = 0; m < count; ++m) {
      std::int64_t rest = m, offset = 0;
      for (int i = lead - 1; i >= 0; --i) {
        offset += rest % x_.sizes()[i] * x_.strides()[i];
        rest /= x_.sizes()[i];
      }
      offsets_[static_cast<std::size_t>(m)] = offset;
    }
  }

  Tensor x_;
  std::vector<std::int64_t> offsets_;
};

// An uninitialised tensor whose dimensions, but for the last, lie in memory as those of `like`:
// heads that are views of [batch, length, heads, width] give results that are, too.
Tensor empty_rows(const Tensor& like, const Shape& shape) {
  const int rank = shape.rank();
  int order[Shape::kMaxRank];
  for (int i = 0; i < rank; ++i) {
    int j = i;
    const auto step = [&](int d) { return std::abs(like.strides()[d]); };
    for (; i + 1 < rank && j > 0 && step(order[j - 1]) < step(i); --j) order[j] = order[j - 1];
    order[j] = i;
  }
  Shape sizes, strides = Shape::filled(rank, 1);
  std::int64_t step = 1;
  for (int k = rank - 1; k >= 0; --k) {
    strides[order[k]] = step;
    step *= std::max<std::int64_t>(shape[order[k]], 1);
  }
  const Tensor memory = detail::empty(like.dtype(), shape);
  return detail::make_view(memory, memory.value()->data, shape, strides);
}

// How many elements x begins after y; 0 where they have no memory in common or differ in layout.
std::int64_t distance(const Tensor& x, const Tensor& y) {
  if (x.value()->storage != y.value()->storage || x.shape() != y.shape() ||
      !std::ranges::equal(x.strides(), y.strides())) {
    return 0;
  }
  return (x.value()->data - y.value()->data) / static_cast<std::int64_t>(item_size(x.dtype()));
}

// Whether x is one of three tensors that fill a memory, each `apart` elements after the last.
bool is_a_third(const Tensor& x, std::int64_t apart) {
  std::array<int, Shape::kMaxRank> order{};
  const auto dims = std::span(order).first(static_cast<std::size_t>(x.dim()));
  std::iota(dims.begin(), dims.end(), 0);
  std::ranges::sort(dims, {}, [&](int d) { return std::pair(x.strides()[d], x.sizes()[d]); });
  std::int64_t dense = 1;
  bool found = false;
  for (const int d : dims) {
    if (!found && dense == apart && x.strides()[d] == 3 * dense) {
      found = true;
      dense *= 3;
    }
    if (x.strides()[d] != dense) return false;
    dense *= x.sizes()[d];
  }
  return found;
}

// Uninitialised gradients of q, k and v, with dense rows. Where these are thirds of one tensor,
// which a projection made, so are the gradients: they need not be joined.
std::array<Tensor, 3> empty_gradients(const Operands& in) {
  const std::int64_t apart = distance(in.k, in.q);
  if (apart <= 0 || distance(in.v, in.k) != apart || !has_dense_rows(in.q) ||
      !is_a_third(in.q, apart)) {
    return {empty_rows(in.q, in.q.shape()), empty_rows(in.k, in.k.shape()),
            empty_rows(in.v, in.v.shape())};
  }
  const Tensor memory = detail::empty(in.q.dtype(), Shape{3 * in.q.numel()});
  const auto third = [&](std::int64_t k) {
    const std::int64_t bytes = k * apart * static_cast<std::int64_t>(item_size(in.q.dtype()));
    return detail::make_view(memory, memory.value()->data + bytes, in.q.shape(), in.q.strides());
  };
  return {third(0), third(1), third(2)};
}

struct Fused {
  Walk q, k, v;
  std::vector<Walk> mask;  // at most one
  kernels::Attention a;

  explicit Fused(const Operands& in) : q(in.q), k(in.k), v(in.v) {
    Shape scores = leading(in.q);
    const std::int64_t batch = scores.numel();
    scores.push_back(in.queries());
    scores.push_back(in.keys());
    const Settings& s = in.settings;
    a = {batch,    in.queries(), in.keys(),    in.q.sizes().back(), in.v.sizes().back(), s.scale,
         s.causal, in.q.dtype(), q.matrices(), k.matrices(),        v.matrices(),        {},
         s.keep,   s.random};
    if (!in.mask.defined()) return;
    mask.push_back(Walk::of_mask(in.mask, scores));
    a.mask = mask[0].matrices();
  }
};

void fused_gradient(Backward& t, const Operands& in, const Tensor& y, const Tensor& norms) {
  const Fused fused(in);
  const Walk of_y(y), of_g(t.g());
  const auto [dq, dk, dv] = empty_gradients(in);
  kernels::attention_backward(fused.a, of_y.matrices(), of_g.matrices(), norms.value()->data,
                              Walk(dq).matrices(), Walk(dk).matrices(), Walk(dv).matrices());
  t.add(0, dq);
  t.add(1, dk);
  t.add(2, dv);
}

}  // namespace

Tensor scaled_dot_product_attention(const Tensor& query, const Tensor& key, const Tensor& value,
                                    const AttentionOptions& options) {
  const Autocast off(false);
  const Operands in = operands_of(query, key, value, options);
  if (in.mask.requires_grad()) return composed(in).output;
  Shape shape = in.q.shape();
  shape[shape.rank() - 1] = in.v.sizes().back();
  Tensor y = empty_rows(in.q, shape);
  Shape pairs = shape;
  pairs[shape.rank() - 1] = 2;
  const Tensor norms = detail::empty(in.q.dtype(), pairs);
  {
    const Fused fused(in);
    kernels::attention_forward(fused.a, Walk(y).matrices(), norms.value()->data);
  }
  record("scaled_dot_product_attention", y, {in.q, in.k, in.v},
         saves(in.q, in.k, in.v, in.mask, y, norms), [settings = in.settings](Backward& t) {
           const Operands saved{t.saved(0), t.saved(1), t.saved(2), t.saved(3), settings};
           if (t.create_graph()) return composed_gradient(t, saved);
           fused_gradient(t, saved, t.saved(4), t.saved(5));
         });
  return y;
}

AttentionAndWeights attention_with_weights(const Tensor& query, const Tensor& key,
                                           const Tensor& value, const AttentionOptions& options) {
  const Autocast off(false);
  return composed(operands_of(query, key, value, options));
}

}  // namespace xtape
