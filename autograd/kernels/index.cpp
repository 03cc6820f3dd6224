// SPDX-License-Identifier: BSD-3-Clause
#include "index.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "../parallel.hpp"
#include "loop.hpp"

namespace xtape::kernels {
namespace {

constexpr std::int64_t kGrain = 1 << 15;

template <class T>
T plus(T a, T b) noexcept {
  if constexpr (std::is_same_v<T, bool>) {
    return a || b;
  } else if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
  } else {
    return a + b;
  }
}

// f(table offset, element offset, position in row-major order) for rows [begin, end) of the
// innermost dimension; the offset along `dim` is left out.
template <class F>
void each_row(const ElementIndex& e, std::int64_t begin, std::int64_t end, F&& f) {
  const int last = static_cast<int>(e.sizes.size()) - 1;
  for (std::int64_t row = begin; row < end; ++row) {
    std::int64_t table = 0, element = 0, k = row;
    for (int i = last - 1; i >= 0; --i) {
      const std::int64_t index = k % e.sizes[i];
      k /= e.sizes[i];
      if (i != e.dim) table += index * e.table_strides[i];
      element += index * e.element_strides[i];
    }
    f(table, element, row * e.sizes[last]);
  }
}

std::int64_t row_count(const ElementIndex& e) noexcept {
  std::int64_t rows = 1;
  for (std::size_t i = 0; i + 1 < e.sizes.size(); ++i) rows *= e.sizes[i];
  return rows;
}

template <class T>
void gather_as(const ElementIndex& e, T* elements, const T* table) {
  const int last = static_cast<int>(e.sizes.size()) - 1;
  const std::int64_t n = e.sizes[last];
  const std::int64_t along = e.dim == last ? 0 : e.table_strides[last];
  const std::int64_t step = e.element_strides[last], dim_step = e.table_strides[e.dim];
  detail::parallel_for(
      row_count(e), std::max<std::int64_t>(1, kGrain / n), [&](std::int64_t b, std::int64_t end) {
        each_row(e, b, end, [&](std::int64_t t, std::int64_t s, std::int64_t p) {
          for (std::int64_t j = 0; j < n; ++j) {
            elements[s + j * step] = table[t + j * along + e.positions[p + j] * dim_step];
          }
        });
      });
}

template <class T>
void take_elements(std::int64_t outer, std::int64_t count, std::int64_t size, T* target,
                   const T* source, const std::int64_t* positions) {
  detail::parallel_for(outer, std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(count, 1)),
                       [&](std::int64_t begin, std::int64_t end) {
                         for (std::int64_t o = begin; o < end; ++o) {
                           for (std::int64_t i = 0; i < count; ++i) {
                             target[o * count + i] = source[o * size + positions[i]];
                           }
                         }
                       });
}

}  // namespace

std::int64_t find_out_of_range(const std::int64_t* positions, std::int64_t count,
                               std::int64_t size) noexcept {
  bool bad = false;
  for (std::int64_t i = 0; i < count; ++i) {
    bad |= static_cast<std::uint64_t>(positions[i]) >= static_cast<std::uint64_t>(size);
  }
  if (!bad) return -1;
  std::int64_t i = 0;
  while (static_cast<std::uint64_t>(positions[i]) < static_cast<std::uint64_t>(size)) ++i;
  return i;
}

void take_slices(int item_bytes, std::int64_t outer, std::int64_t count, std::int64_t size,
                 std::int64_t inner, void* target, const void* source,
                 const std::int64_t* positions) {
  if (inner == 1) {
    const auto run = [&]<class T>(detail::Type<T>) {
      take_elements(outer, count, size, static_cast<T*>(target), static_cast<const T*>(source),
                    positions);
    };
    if (item_bytes == 1) return run(detail::Type<std::uint8_t>());
    if (item_bytes == 4) return run(detail::Type<std::uint32_t>());
    return run(detail::Type<std::uint64_t>());
  }
  const std::int64_t bytes = inner * item_bytes;
  auto* to = static_cast<std::byte*>(target);
  const auto* from = static_cast<const std::byte*>(source);
  detail::parallel_for(
      outer * count, std::max<std::int64_t>(1, 4 * kGrain / std::max<std::int64_t>(bytes, 1)),
      [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t k = begin; k < end; ++k) {
          const std::int64_t o = k / count;
          const std::int64_t at = o * size + positions[k - o * count];
          std::memcpy(to + k * bytes, from + at * bytes, static_cast<std::size_t>(bytes));
        }
      });
}

void add_slices(DType dtype, std::int64_t outer, std::int64_t count, std::int64_t size,
                std::int64_t inner, void* target, const void* source,
                const std::int64_t* positions) {
  detail::dispatch(dtype, [&]<class T>(detail::Type<T>) {
    // Split by columns: the order of the additions to an element stays that of the positions.
    const std::int64_t grain =
        std::max<std::int64_t>(64, kGrain / std::max<std::int64_t>(count, 1));
    detail::parallel_for(inner, grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t o = 0; o < outer; ++o) {
        T* to = static_cast<T*>(target) + o * size * inner;
        const T* from = static_cast<const T*>(source) + o * count * inner;
        for (std::int64_t i = 0; i < count; ++i) {
          T* __restrict row = to + positions[i] * inner;
          const T* __restrict add = from + i * inner;
          for (std::int64_t j = begin; j < end; ++j) row[j] = plus(row[j], add[j]);
        }
      }
    });
  });
}

void gather_elements(const ElementIndex& e, int item_bytes, void* elements, const void* table) {
  const auto run = [&]<class T>(detail::Type<T>) {
    gather_as(e, static_cast<T*>(elements), static_cast<const T*>(table));
  };
  if (item_bytes == 1) return run(detail::Type<std::uint8_t>());
  if (item_bytes == 4) return run(detail::Type<std::uint32_t>());
  run(detail::Type<std::uint64_t>());
}

void scatter_add_elements(const ElementIndex& e, DType dtype, void* table, const void* elements) {
  detail::dispatch(dtype, [&]<class T>(detail::Type<T>) {
    const int last = static_cast<int>(e.sizes.size()) - 1;
    const std::int64_t n = e.sizes[last];
    const std::int64_t along = e.dim == last ? 0 : e.table_strides[last];
    const std::int64_t step = e.element_strides[last], dim_step = e.table_strides[e.dim];
    T* to = static_cast<T*>(table);
    const T* from = static_cast<const T*>(elements);
    each_row(e, 0, row_count(e), [&](std::int64_t t, std::int64_t s, std::int64_t p) {
      for (std::int64_t j = 0; j < n; ++j) {
        T& sum = to[t + j * along + e.positions[p + j] * dim_step];
        sum = plus(sum, from[s + j * step]);
      }
    });
  });
}

void put_elements(DType dtype, std::int64_t count, bool accumulate, void* target,
                  const std::int64_t* positions, const void* elements) {
  detail::dispatch(dtype, [&]<class T>(detail::Type<T>) {
    T* to = static_cast<T*>(target);
    const T* from = static_cast<const T*>(elements);
    for (std::int64_t i = 0; i < count; ++i) {
      T& element = to[positions[i]];
      element = accumulate ? plus(element, from[i]) : from[i];
    }
  });
}

}  // namespace xtape::kernels
