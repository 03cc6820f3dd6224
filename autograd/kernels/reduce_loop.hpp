// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstdint>

#include "../memory.hpp"
#include "../parallel.hpp"
#include "loop.hpp"
#include "reduce.hpp"

// How the reductions walk memory; included by the kernels that reduce. A policy has
//
//   Source, Accumulator, Result                types
//   Accumulator start()                        the neutral element
//   Accumulator join(a, b), repeat(a, n)       of two parts, of n equal parts
//   Accumulator row(x, n, stride, c)           of n elements
//   void columns(acc, x, rows, row_stride, cols, col_stride, c)
//                                              adds `rows` rows to `cols` sums
//   Result finish(a)
//
// where c is a number (an array of them for columns) that belongs to each result, such as its mean.
namespace xtape::kernels {

inline constexpr std::int64_t kReduceGrain = 1 << 15;
inline constexpr std::int64_t kReduceTile = 512;  // columns whose sums are kept at a time

struct ReductionNest {
  int rank = 0;
  std::int64_t sizes[kMaxRank], source[kMaxRank], target[kMaxRank];

  std::int64_t count(int dims) const noexcept {
    std::int64_t n = 1;
    for (int i = 0; i < dims; ++i) n *= sizes[i];
    return n;
  }
  /// Appends a dimension, joined to the last one where both walk without a gap.
  void push(std::int64_t size, std::int64_t s, std::int64_t t) noexcept {
    const int last = rank - 1;
    if (last >= 0 && source[last] == s * size && target[last] == t * size) {
      sizes[last] *= size;
    } else {
      sizes[rank++] = size;
    }
    source[rank - 1] = s;
    target[rank - 1] = t;
  }
  /// Offsets of the k-th index of the first `dims` dimensions.
  void offsets(int dims, std::int64_t k, std::int64_t& s, std::int64_t& t) const noexcept {
    for (int i = dims - 1; i >= 0; --i) {
      const std::int64_t index = i > 0 ? k % sizes[i] : k;
      s += index * source[i];
      t += index * target[i];
      if (i > 0) k /= sizes[i];
    }
  }
};

struct ReductionPlan {
  ReductionNest kept, reduced;
  std::int64_t repeats = 1;  // along reduced dimensions that the source is broadcast over
  std::int64_t source_offset = 0, target_offset = 0;
  bool by_rows = false;  // the innermost dimension in memory is reduced

  explicit ReductionPlan(const Reduction& r) noexcept;
};

inline ReductionPlan::ReductionPlan(const Reduction& r) noexcept {
  struct Dim {
    std::int64_t size, source, target;
    bool kept;
  } dims[kMaxRank];
  int n = 0;
  for (std::size_t i = 0; i < r.sizes.size(); ++i) {
    Dim d{r.sizes[i], r.source_strides[i], r.target_strides[i], r.target_strides[i] != 0};
    if (d.size == 1) continue;
    if (d.source == 0 && !d.kept) {
      repeats *= d.size;
      continue;
    }
    if (d.source < 0) {
      source_offset += d.source * (d.size - 1);
      target_offset += d.target * (d.size - 1);
      d.source = -d.source;
      d.target = -d.target;
    }
    // Largest steps outermost; what the source is broadcast over, too. (Few: no allocating sort.)
    const auto key = [](const Dim& dim) { return static_cast<std::uint64_t>(dim.source) - 1; };
    int at = n++;
    for (; at > 0 && key(dims[at - 1]) < key(d); --at) dims[at] = dims[at - 1];
    dims[at] = d;
  }
  for (int i = 0; i < n; ++i) {
    (dims[i].kept ? kept : reduced).push(dims[i].size, dims[i].source, dims[i].target);
  }
  by_rows = n > 0 && !dims[n - 1].kept;
  if (kept.rank == 0) kept.push(1, 0, 0);
  if (reduced.rank == 0) reduced.push(1, 0, 0);
  // Very short rows cost more to enter than to sum: their elements become rows of strided columns.
  if (by_rows && reduced.sizes[reduced.rank - 1] < 16 && kept.sizes[kept.rank - 1] >= 64) {
    by_rows = false;
  }
}

/// The reduced part of one result, cut into units of rows: the cut depends on sizes alone.
struct ReductionUnits {
  const ReductionNest& reduced;
  std::int64_t length;  // of the innermost reduced dimension
  std::int64_t piece;   // how much of it one unit takes
  std::int64_t pieces, count, chunks, chunk_units;

  ReductionUnits(const ReductionNest& nest, std::int64_t results, std::int64_t width,
                 std::int64_t most_chunks) noexcept
      : reduced(nest), length(nest.sizes[nest.rank - 1]) {
    piece = std::min(length, std::max<std::int64_t>(64, kReduceGrain / width));
    pieces = (length + piece - 1) / piece;
    count = nest.count(nest.rank - 1) * pieces;
    const std::int64_t elements = nest.count(nest.rank) * width;
    const std::int64_t wanted =
        results >= 32 ? 1 : std::clamp<std::int64_t>(elements / kReduceGrain, 1, most_chunks);
    chunk_units = (count + wanted - 1) / wanted;
    chunks = (count + chunk_units - 1) / chunk_units;
  }
  /// f(source offset, length) for the units of a chunk, in order.
  template <class F>
  void each(std::int64_t chunk, F&& f) const {
    const std::int64_t end = std::min(count, (chunk + 1) * chunk_units);
    for (std::int64_t u = chunk * chunk_units; u < end; ++u) {
      const std::int64_t begin = pieces == 1 ? 0 : u % pieces * piece;
      std::int64_t s = begin * reduced.source[reduced.rank - 1], t = 0;
      reduced.offsets(reduced.rank - 1, pieces == 1 ? u : u / pieces, s, t);
      f(s, std::min(piece, length - begin));
    }
  }
};

template <class P>
void reduce_rows(const P& policy, const ReductionPlan& plan, typename P::Result* target,
                 const typename P::Source* source, const typename P::Result* numbers) {
  using Accumulator = typename P::Accumulator;
  const ReductionNest& kept = plan.kept;
  const ReductionNest& reduced = plan.reduced;
  const std::int64_t results = kept.count(kept.rank);
  const ReductionUnits units(reduced, results, 1, 64);
  const std::int64_t step = reduced.source[reduced.rank - 1];
  const auto run = [&](std::int64_t s, std::int64_t t, std::int64_t chunk) {
    const typename P::Result c = numbers ? numbers[t] : typename P::Result();
    if (units.count == 1) return policy.row(source + s, units.length, step, c);
    Accumulator acc = policy.start();
    units.each(chunk, [&](std::int64_t offset, std::int64_t n) {
      acc = policy.join(acc, policy.row(source + s + offset, n, step, c));
    });
    return acc;
  };
  const detail::Scratch<Accumulator> partial(
      units.chunks > 1 ? static_cast<std::size_t>(results * units.chunks) : 0);
  const std::int64_t item = reduced.count(reduced.rank) / units.chunks + 1;
  detail::parallel_for(results * units.chunks, std::max<std::int64_t>(1, kReduceGrain / item),
                       [&](std::int64_t begin, std::int64_t end) {
                         for (std::int64_t i = begin; i < end; ++i) {
                           const std::int64_t k = units.chunks == 1 ? i : i / units.chunks;
                           std::int64_t s = 0, t = 0;
                           kept.offsets(kept.rank, k, s, t);
                           const Accumulator acc = run(s, t, i - k * units.chunks);
                           if (units.chunks == 1) {
                             target[t] = policy.finish(policy.repeat(acc, plan.repeats));
                           } else {
                             partial[static_cast<std::size_t>(i)] = acc;
                           }
                         }
                       });
  if (units.chunks == 1) return;
  for (std::int64_t k = 0; k < results; ++k) {
    std::int64_t s = 0, t = 0;
    kept.offsets(kept.rank, k, s, t);
    Accumulator acc = partial[static_cast<std::size_t>(k * units.chunks)];
    for (std::int64_t c = 1; c < units.chunks; ++c) {
      acc = policy.join(acc, partial[static_cast<std::size_t>(k * units.chunks + c)]);
    }
    target[t] = policy.finish(policy.repeat(acc, plan.repeats));
  }
}

template <class P>
void reduce_columns(const P& policy, const ReductionPlan& plan, typename P::Result* target,
                    const typename P::Source* source, const typename P::Result* numbers) {
  using Accumulator = typename P::Accumulator;
  const ReductionNest& kept = plan.kept;
  const ReductionNest& reduced = plan.reduced;
  const int last = kept.rank - 1;
  const std::int64_t cols = kept.sizes[last];
  const std::int64_t tiles = (cols + kReduceTile - 1) / kReduceTile;
  const std::int64_t width = std::min(cols, kReduceTile);
  const std::int64_t grids = kept.count(last) * tiles;
  const ReductionUnits units(reduced, grids, width, 16);
  const std::int64_t row_step = reduced.source[reduced.rank - 1];

  // Where grid g begins, and how many columns it has.
  const auto place = [&](std::int64_t g, std::int64_t& s, std::int64_t& t) {
    const std::int64_t tile = tiles == 1 ? 0 : g % tiles;
    kept.offsets(last, tiles == 1 ? g : g / tiles, s, t);
    s += tile * kReduceTile * kept.source[last];
    t += tile * kReduceTile * kept.target[last];
    return std::min(kReduceTile, cols - tile * kReduceTile);
  };
  const auto finish = [&](const Accumulator* acc, std::int64_t t, std::int64_t count) {
    for (std::int64_t j = 0; j < count; ++j) {
      target[t + j * kept.target[last]] = policy.finish(policy.repeat(acc[j], plan.repeats));
    }
  };
  const detail::Scratch<Accumulator> partial(
      units.chunks > 1 ? static_cast<std::size_t>(grids * units.chunks * width) : 0);
  const std::int64_t item = reduced.count(reduced.rank) * width / units.chunks + 1;
  detail::parallel_for(
      grids * units.chunks, std::max<std::int64_t>(1, kReduceGrain / item),
      [&](std::int64_t begin, std::int64_t end) {
        const detail::Scratch<Accumulator> own(static_cast<std::size_t>(width));
        const detail::Scratch<typename P::Result> c(numbers ? static_cast<std::size_t>(width) : 0);
        for (std::int64_t i = begin; i < end; ++i) {
          const std::int64_t g = units.chunks == 1 ? i : i / units.chunks;
          std::int64_t s = 0, t = 0;
          const std::int64_t count = place(g, s, t);
          Accumulator* acc = units.chunks == 1 ? own.data() : partial.data() + i * width;
          std::fill_n(acc, count, policy.start());
          for (std::int64_t j = 0; numbers && j < count; ++j) {
            c.data()[j] = numbers[t + j * kept.target[last]];
          }
          units.each(i - g * units.chunks, [&](std::int64_t offset, std::int64_t rows) {
            policy.columns(acc, source + s + offset, rows, row_step, count, kept.source[last],
                           numbers ? c.data() : nullptr);
          });
          if (units.chunks == 1) finish(acc, t, count);
        }
      });
  if (units.chunks == 1) return;
  for (std::int64_t g = 0; g < grids; ++g) {
    std::int64_t s = 0, t = 0;
    const std::int64_t count = place(g, s, t);
    Accumulator* acc = partial.data() + g * units.chunks * width;
    for (std::int64_t k = 1; k < units.chunks; ++k) {
      for (std::int64_t j = 0; j < count; ++j) {
        acc[j] = policy.join(acc[j], acc[k * width + j]);
      }
    }
    finish(acc, t, count);
  }
}

/// Whether the elements follow one another row by row.
inline bool is_row(const Reduction& r) noexcept {
  std::int64_t step = 1;
  for (std::size_t i = r.sizes.size(); i-- > 0;) {
    if (r.sizes[i] != 1 && r.source_strides[i] != step) return false;
    step *= r.sizes[i];
  }
  return true;
}

/// Every result of a reduction. `numbers`, laid out as the target, may be null.
template <class P>
void reduce(const P& policy, const Reduction& r, typename P::Result* target,
            const typename P::Source* source, const typename P::Result* numbers = nullptr) {
  std::int64_t results = 1, elements = 1;
  for (std::size_t i = 0; i < r.sizes.size(); ++i) {
    (r.target_strides[i] != 0 ? results : elements) *= r.sizes[i];
  }
  if (results == 0) return;
  if (elements == 0) {
    std::fill_n(target, results, policy.finish(policy.start()));
    return;
  }
  if (results == 1 && elements <= kReduceGrain && is_row(r)) {  // nothing to plan
    const auto c = numbers ? *numbers : typename P::Result();
    *target = policy.finish(policy.row(source, elements, 1, c));
    return;
  }
  const ReductionPlan plan(r);
  source += plan.source_offset;
  target += plan.target_offset;
  if (numbers) numbers += plan.target_offset;
  plan.by_rows ? reduce_rows(policy, plan, target, source, numbers)
               : reduce_columns(policy, plan, target, source, numbers);
}

}  // namespace xtape::kernels
