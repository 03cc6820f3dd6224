// SPDX-License-Identifier: BSD-3-Clause
#include "embedding.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "../error.hpp"
#include "../kernels/index.hpp"
#include "../row_gradient.hpp"
#include "../tape.hpp"
#include "arithmetic.hpp"
#include "creation.hpp"
#include "indexing.hpp"
#include "reductions.hpp"
#include "shape.hpp"

namespace xtape {
namespace {

void check_index(const char* operation, const Tensor& index, const Tensor& weight) {
  detail::check_defined(operation, index);
  detail::check_defined(operation, weight);
  if (index.dtype() != int64) {
    throw DTypeError(std::string(operation) + ": expected an int64 index, got " +
                     index.description());
  }
  if (weight.dim() != 2) {
    throw ShapeError(std::string(operation) + ": expected a weight [rows, features], got " +
                     to_string(weight.sizes()));
  }
}

void check_rows(const char* operation, const Tensor& flat, std::int64_t rows) {
  const std::int64_t* row = flat.data<std::int64_t>();
  const std::int64_t bad = kernels::find_out_of_range(row, flat.numel(), rows);
  if (bad < 0) return;
  throw IndexError(std::string(operation) + ": index " + std::to_string(row[bad]) +
                   " is out of range for " + std::to_string(rows) + " rows");
}

// -1 where there is none.
std::int64_t padding_row(const char* operation, std::optional<std::int64_t> padding,
                         std::int64_t rows) {
  if (!padding) return -1;
  if (*padding < -rows || *padding >= rows) {
    throw IndexError(std::string(operation) + ": padding_idx " + std::to_string(*padding) +
                     " is out of range for " + std::to_string(rows) + " rows");
  }
  return *padding < 0 ? *padding + rows : *padding;
}

// What each occurrence's gradient is multiplied by, [n, 1]; undefined for ones.
Tensor occurrence_factors(const Tensor& index, std::int64_t rows, DType dtype, std::int64_t padding,
                          bool by_frequency) {
  if (padding < 0 && !by_frequency) return {};
  const std::int64_t* row = index.data<std::int64_t>();
  std::vector<std::int64_t> counts(static_cast<std::size_t>(by_frequency ? rows : 0));
  for (std::int64_t i = 0; by_frequency && i < index.numel(); ++i) {
    ++counts[static_cast<std::size_t>(row[i])];
  }
  std::vector<double> factors(static_cast<std::size_t>(index.numel()), 1.0);
  for (std::size_t i = 0; i < factors.size(); ++i) {
    if (by_frequency) {
      factors[i] = 1 / static_cast<double>(counts[static_cast<std::size_t>(row[i])]);
    }
    if (row[i] == padding) factors[i] = 0;
  }
  return from_values<double>(factors, {index.numel(), 1}).to(dtype);
}

// weight[index] for a 1-d, contiguous index.
Tensor rows_of(const Tensor& index, const Tensor& weight, std::int64_t padding, bool by_frequency) {
  Tensor y;
  {
    const NoGrad guard;
    y = index_select(weight, 0, index);
  }
  record("embedding", y, {weight}, saves(index), [padding, by_frequency](Backward& t) {
    const Tensor at = t.saved(0);
    const Shape sizes(t.sizes(0));
    Tensor g = t.take_g();
    const Tensor factors = occurrence_factors(at, sizes[0], g.dtype(), padding, by_frequency);
    if (factors.defined()) g = g * factors;
    detail::add_rows(t, 0, at, std::move(g));
  });
  return y;
}

// --- bags ---------------------------------------------------------------------------------------

// The bag of each position, and how many of each bag's positions count.
struct Bags {
  std::int64_t count;
  Tensor bag;  // int64 [n]
  std::vector<std::int64_t> sizes;
};

std::vector<std::int64_t> bag_starts(const Tensor& index, const EmbeddingBagOptions& o) {
  std::vector<std::int64_t> starts;
  if (index.dim() == 2) {
    if (o.offsets.defined()) {
      throw ShapeError("embedding_bag: offsets belong to a 1-d index, got index " +
                       to_string(index.sizes()));
    }
    for (std::int64_t b = 0; b < index.sizes()[0]; ++b) starts.push_back(b * index.sizes()[1]);
  } else if (index.dim() == 1 && o.offsets.defined() && o.offsets.dim() == 1) {
    if (o.offsets.dtype() != int64) {
      throw DTypeError("embedding_bag: expected int64 offsets, got " + o.offsets.description());
    }
    const Tensor offsets = o.offsets.contiguous();
    const std::int64_t* at = offsets.data<std::int64_t>();
    starts.assign(at, at + offsets.numel());
  } else {
    throw ShapeError(
        "embedding_bag: expected an index [bags, n], or [n] with offsets [bags], got " +
        to_string(index.sizes()) + " and " +
        (o.offsets.defined() ? to_string(o.offsets.sizes()) : "no offsets"));
  }
  if (o.include_last_offset && index.dim() == 1) {
    if (starts.empty() || starts.back() != index.numel()) {
      throw ValueError("embedding_bag: expected the last offset to be the index's length " +
                       std::to_string(index.numel()));
    }
    starts.pop_back();
  }
  const bool ordered = std::ranges::is_sorted(starts) &&
                       (starts.empty() || (starts.front() == 0 && starts.back() <= index.numel()));
  if (!ordered || (starts.empty() && index.numel() > 0)) {
    throw ValueError("embedding_bag: expected offsets that begin with 0 and never fall, within " +
                     std::to_string(index.numel()) + " positions");
  }
  return starts;
}

Bags bags_of(const Tensor& index, const Tensor& flat, const EmbeddingBagOptions& o,
             std::int64_t padding) {
  const std::vector<std::int64_t> starts = bag_starts(index, o);
  Bags bags{static_cast<std::int64_t>(starts.size()), detail::empty(int64, flat.sizes()), {}};
  bags.sizes.resize(starts.size());
  std::int64_t* bag = detail::fresh_data<std::int64_t>(bags.bag);
  const std::int64_t* row = flat.data<std::int64_t>();
  for (std::size_t b = 0; b < starts.size(); ++b) {
    const std::int64_t end = b + 1 < starts.size() ? starts[b + 1] : flat.numel();
    for (std::int64_t i = starts[b]; i < end; ++i) {
      bag[i] = static_cast<std::int64_t>(b);
      if (row[i] != padding) ++bags.sizes[b];
    }
  }
  return bags;
}

// [bags, 1] or [n, 1]
Tensor column(const std::vector<double>& values, DType dtype) {
  return from_values<double>(values, {static_cast<std::int64_t>(values.size()), 1}).to(dtype);
}

// For each bag and feature the position of the first largest row; 0 for an empty bag.
template <class T>
Tensor largest_positions(const Tensor& rows, const Tensor& flat, const Bags& bags,
                         std::int64_t padding) {
  const std::int64_t features = rows.sizes()[1];
  Tensor best = zeros({bags.count, features}, int64);
  std::vector<bool> seen(static_cast<std::size_t>(bags.count));
  const T* x = rows.data<T>();
  const std::int64_t* row = flat.data<std::int64_t>();
  const std::int64_t* bag = bags.bag.data<std::int64_t>();
  for (std::int64_t i = 0; i < flat.numel(); ++i) {
    if (row[i] == padding) continue;
    std::int64_t* at = detail::fresh_data<std::int64_t>(best) + bag[i] * features;
    const bool first = !seen[static_cast<std::size_t>(bag[i])];
    for (std::int64_t j = 0; j < features; ++j) {
      if (first || x[i * features + j] > x[at[j] * features + j]) at[j] = i;
    }
    seen[static_cast<std::size_t>(bag[i])] = true;
  }
  return best;
}

Tensor largest_rows(const Tensor& rows, const Tensor& flat, const Bags& bags,
                    std::int64_t padding) {
  if (flat.numel() == 0) return zeros({bags.count, rows.sizes()[1]}, rows.dtype());
  const Tensor best = detail::dispatch_floating(rows.dtype(), [&]<class T>(detail::Type<T>) {
    return largest_positions<T>(rows.detach(), flat, bags, padding);
  });
  std::vector<double> holds(bags.sizes.begin(), bags.sizes.end());
  const Tensor is_filled = gt(column(holds, rows.dtype()), 0);
  return where(is_filled, gather(rows, 0, best), zeros({}, rows.dtype()));
}

}  // namespace

Tensor embedding(const Tensor& index, const Tensor& weight, const EmbeddingOptions& options) {
  check_index("embedding", index, weight);
  const std::int64_t padding = padding_row("embedding", options.padding_idx, weight.sizes()[0]);
  Shape sizes = index.shape();
  sizes.push_back(weight.sizes()[1]);
  const Tensor flat = index.contiguous().reshape({index.numel()});
  check_rows("embedding", flat, weight.sizes()[0]);
  return reshape(rows_of(flat, weight, padding, options.scale_grad_by_freq), sizes);
}

Tensor embedding_bag(const Tensor& index, const Tensor& weight,
                     const EmbeddingBagOptions& options) {
  check_index("embedding_bag", index, weight);
  if (!is_floating(weight.dtype())) {
    throw DTypeError("embedding_bag: expected a floating weight, got " + weight.description());
  }
  const Tensor& factors = options.per_sample_weights;
  if (factors.defined() && options.mode != BagMode::sum) {
    throw ValueError("embedding_bag: per_sample_weights belong to the mode sum");
  }
  if (factors.defined() && factors.shape() != index.shape()) {
    throw ShapeError("embedding_bag: expected per_sample_weights " + to_string(index.sizes()) +
                     ", got " + to_string(factors.sizes()));
  }
  const std::int64_t padding = padding_row("embedding_bag", options.padding_idx, weight.sizes()[0]);
  const Tensor flat = index.contiguous().reshape({index.numel()});
  check_rows("embedding_bag", flat, weight.sizes()[0]);
  const Bags bags = bags_of(index, flat, options, padding);
  Tensor rows = rows_of(flat, weight, padding, options.scale_grad_by_freq);
  if (options.mode == BagMode::max) return largest_rows(rows, flat, bags, padding);
  if (factors.defined()) rows = rows * reshape(factors, {flat.numel(), 1});
  if (padding >= 0) rows = rows * unsqueeze(ne(flat, padding).to(rows.dtype()), 1);
  const Tensor sums =
      index_add(zeros({bags.count, weight.sizes()[1]}, weight.dtype()), 0, bags.bag, rows);
  if (options.mode == BagMode::sum) return sums;
  std::vector<double> sizes;
  for (const std::int64_t n : bags.sizes)
    sizes.push_back(static_cast<double>(std::max<std::int64_t>(n, 1)));
  return sums / column(sizes, weight.dtype());
}

}  // namespace xtape
