// SPDX-License-Identifier: BSD-3-Clause
#include "row_gradient.hpp"

#include <bit>
#include <cstring>
#include <mutex>
#include <utility>

#include "kernels/index.hpp"
#include "node.hpp"
#include "ops/creation.hpp"

namespace xtape::detail {
namespace {

// Readers of one gradient are rare, and each of them settles it once.
constinit std::mutex settling;

Tensor zeros_of(Node& leaf) {
  const Slot& slot = leaf.slots()[0];
  const Tensor y = empty(slot.dtype, leaf.output_sizes(slot));
  std::memset(y.value()->data, 0, static_cast<std::size_t>(y.numel()) * item_size(slot.dtype));
  return y;
}

void add_to(const Tensor& dense, const RowGradient& g) {
  const std::int64_t rows = dense.sizes()[0], features = rows == 0 ? 0 : dense.numel() / rows;
  const std::int64_t *row = g.index.data<std::int64_t>(), count = g.index.numel();
  const std::size_t step = static_cast<std::size_t>(features) * item_size(dense.dtype());
  // Runs between the rows that were joined.
  for (std::int64_t begin = 0, end; begin < count; begin = end + 1) {
    for (end = begin; end < count && row[end] >= 0;) ++end;
    kernels::add_slices(dense.dtype(), 1, end - begin, rows, features, dense.value()->data,
                        g.values.value()->data + static_cast<std::size_t>(begin) * step,
                        row + begin);
  }
}

// Where a row was met first: open addressing.
class FirstPlaces {
 public:
  explicit FirstPlaces(std::size_t most) : places_(std::bit_ceil(2 * most + 2)) {}

  /// The place of `row`, or null and the given one is kept.
  std::byte* find_or_keep(std::int64_t row, std::byte* place) {
    const std::size_t mask = places_.size() - 1;
    std::size_t at = static_cast<std::size_t>(row) * 0x9E3779B97F4A7C15u >> 20;
    for (;; ++at) {
      auto& [known, first] = places_[at & mask];
      if (!first) {
        known = row;
        first = place;
        return nullptr;
      }
      if (known == row) return first;
    }
  }

 private:
  std::vector<std::pair<std::int64_t, std::byte*>> places_;
};

void join(std::vector<RowGradient>& parts) {
  std::int64_t most = 0;
  for (const RowGradient& g : parts) most += g.index.numel();
  FirstPlaces places(static_cast<std::size_t>(most));
  for (RowGradient& g : parts) {
    const std::int64_t count = g.index.numel();
    if (count == 0) continue;
    const std::int64_t features = g.values.numel() / count;
    std::int64_t* row = fresh_data<std::int64_t>(g.index);
    dispatch_floating(g.values.dtype(), [&]<class T>(Type<T>) {
      T* values = fresh_data<T>(g.values);
      for (std::int64_t i = 0; i < count; ++i) {
        if (row[i] < 0) continue;
        T* own = values + i * features;
        std::byte* first = places.find_or_keep(row[i], reinterpret_cast<std::byte*>(own));
        if (!first) continue;
        T* sum = reinterpret_cast<T*>(first);
        for (std::int64_t j = 0; j < features; ++j) sum[j] += own[j];
        row[i] = -1;
      }
    });
  }
}

}  // namespace

void hold_rows(Node& leaf, const Tensor& index, Tensor values) {
  Extras& e = leaf.extra();
  const bool own = is_sole_owner(values) && values.is_contiguous();
  e.rows.push_back({copy_contiguous(index), own ? std::move(values) : copy_contiguous(values)});
  e.holds_rows.store(true, std::memory_order_release);
  std::int64_t held = 0;
  for (const RowGradient& g : e.rows) held += g.index.numel();
  const std::int64_t rows = leaf.output_sizes(leaf.slots()[0])[0];
  if (e.gradient.defined() || held > rows) settle_rows(leaf);
}

void settle_rows(Node& leaf) {
  const std::lock_guard lock(settling);
  Extras& e = *leaf.extras;
  if (!e.holds_rows.load(std::memory_order_relaxed)) return;
  Tensor dense = e.gradient;
  e.gradient = {};
  if (!dense.defined()) {
    dense = zeros_of(leaf);
  } else if (!is_sole_owner(dense) || !dense.is_contiguous()) {
    dense = copy_contiguous(dense);  // a handle that the user keeps stays as it is
  }
  for (const RowGradient& g : e.rows) add_to(dense, g);
  e.gradient = std::move(dense);
  e.rows.clear();
  e.holds_rows.store(false, std::memory_order_release);
}

const std::vector<RowGradient>* joined_rows(const Tensor& leaf) {
  const Value* v = leaf.value();
  if (!v || !v->node || !v->node->leaf) return nullptr;
  Extras& e = *v->node->extras;
  if (!e.holds_rows.load(std::memory_order_acquire) || e.gradient.defined()) return nullptr;
  join(e.rows);
  return &e.rows;
}

}  // namespace xtape::detail
