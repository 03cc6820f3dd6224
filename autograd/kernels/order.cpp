// SPDX-License-Identifier: BSD-3-Clause
#include "order.hpp"

#include <algorithm>
#include <bit>
#include <type_traits>
#include <vector>

#include "../parallel.hpp"

namespace xtape::kernels {
namespace {

constexpr std::int64_t kGrain = 1 << 13;

// An unsigned number with the order of x: the sign bit set, or all bits turned for negative ones.
template <class T>
auto key_of(T x) noexcept {
  if constexpr (std::is_floating_point_v<T>) {
    using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    constexpr Bits kSign = Bits{1} << (8 * sizeof(T) - 1);
    if (x != x) return ~Bits{0};
    const Bits bits = std::bit_cast<Bits>(x + T(0));  // -0 equals 0
    return bits & kSign ? ~bits : bits | kSign;
  } else if constexpr (std::is_same_v<T, std::int64_t>) {
    return static_cast<std::uint64_t>(x) ^ (std::uint64_t{1} << 63);
  } else {
    return static_cast<std::uint32_t>(x);
  }
}

/// A key and its place as one number where both fit, so that sorting compares once.
struct Packed {
  std::uint64_t both;

  Packed() = default;
  Packed(std::uint32_t key, std::int64_t place) noexcept
      : both(std::uint64_t{key} << 32 | static_cast<std::uint64_t>(place)) {}
  std::int64_t place() const noexcept { return static_cast<std::int64_t>(both & 0xffffffffu); }
  bool operator<(Packed other) const noexcept { return both < other.both; }
};
struct Pair {
  std::uint64_t key;
  std::int64_t at;

  Pair() = default;
  Pair(std::uint64_t k, std::int64_t place) noexcept : key(k), at(place) {}
  std::int64_t place() const noexcept { return at; }
  bool operator<(const Pair& other) const noexcept {
    return key != other.key ? key < other.key : at < other.at;
  }
};

// f(entries of the slice, offset of its first element in the source, number of the slice) for each
// slice; Entry is what is sorted.
template <class Entry, class T, class F>
void for_slices(const Slices3& s, const T* x, bool descending, F f) {
  detail::parallel_for(s.outer * s.inner,
                       std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(s.count, 1)),
                       [&](std::int64_t begin, std::int64_t end) {
                         std::vector<Entry> entries(static_cast<std::size_t>(s.count));
                         for (std::int64_t k = begin; k < end; ++k) {
                           const std::int64_t first = k / s.inner * s.count * s.inner + k % s.inner;
                           for (std::int64_t i = 0; i < s.count; ++i) {
                             const auto key = key_of(x[first + i * s.inner]);
                             entries[static_cast<std::size_t>(i)] = {
                                 descending ? static_cast<decltype(key)>(~key) : key, i};
                           }
                           f(entries, first, k);
                         }
                       });
}

template <class T, class F>
void with_entries(std::int64_t count, F f) {
  constexpr bool kNarrow = sizeof(key_of(T())) == 4;
  if constexpr (kNarrow) {
    if (count <= std::int64_t{1} << 32) return f(detail::Type<Packed>());
  }
  f(detail::Type<Pair>());
}

}  // namespace

void order_slices(const Slices3& s, DType dtype, std::int64_t k, bool descending, bool sorted,
                  std::int64_t* indices, void* values, const void* source) {
  if (k == 0) return;
  detail::dispatch(dtype, [&]<class T>(detail::Type<T>) {
    const T* x = static_cast<const T*>(source);
    with_entries<T>(s.count, [&]<class Entry>(detail::Type<Entry>) {
      for_slices<Entry>(s, x, descending, [&](auto& entries, std::int64_t first, std::int64_t n) {
        const auto end = entries.begin() + k;
        if (k < s.count) std::nth_element(entries.begin(), end, entries.end());
        if (sorted) std::sort(entries.begin(), end);
        const std::int64_t target = n / s.inner * k * s.inner + n % s.inner;
        for (std::int64_t i = 0; i < k; ++i) {
          const std::int64_t place = entries[static_cast<std::size_t>(i)].place();
          indices[target + i * s.inner] = place;
          if (values) static_cast<T*>(values)[target + i * s.inner] = x[first + place * s.inner];
        }
      });
    });
  });
}

void find_rank(const Slices3& s, DType dtype, std::int64_t rank, std::int64_t* indices,
               void* values, const void* source) {
  detail::dispatch(dtype, [&]<class T>(detail::Type<T>) {
    const T* x = static_cast<const T*>(source);
    with_entries<T>(s.count, [&]<class Entry>(detail::Type<Entry>) {
      for_slices<Entry>(s, x, false, [&](auto& entries, std::int64_t first, std::int64_t n) {
        std::int64_t place = 0;
        while (place < s.count && x[first + place * s.inner] == x[first + place * s.inner]) ++place;
        if (place == s.count) {  // no NaN
          std::nth_element(entries.begin(), entries.begin() + rank, entries.end());
          place = entries[static_cast<std::size_t>(rank)].place();
        }
        indices[n] = place;
        static_cast<T*>(values)[n] = x[first + place * s.inner];
      });
    });
  });
}

void search_rows(DType dtype, std::int64_t rows, std::int64_t size, std::int64_t count, bool right,
                 bool shared, std::int64_t* places, const void* sorted, const void* values) {
  detail::dispatch(dtype, [&]<class T>(detail::Type<T>) {
    const auto before = [](T a, T b) { return key_of(a) < key_of(b); };
    detail::parallel_for(rows * count, kGrain / 8, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t k = begin; k < end; ++k) {
        const T* row = static_cast<const T*>(sorted) + (shared ? 0 : k / count * size);
        const T value = static_cast<const T*>(values)[k];
        places[k] = (right ? std::upper_bound(row, row + size, value, before)
                           : std::lower_bound(row, row + size, value, before)) -
                    row;
      }
    });
  });
}

}  // namespace xtape::kernels
