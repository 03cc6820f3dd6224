// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "export.hpp"

namespace xtape {

/// Element types, in the order of promotion.
enum class DType : std::uint8_t { boolean, uint8, int64, float32, float64 };

inline constexpr DType boolean = DType::boolean;
inline constexpr DType uint8 = DType::uint8;
inline constexpr DType int64 = DType::int64;
inline constexpr DType float32 = DType::float32;
inline constexpr DType float64 = DType::float64;

/// "float32", ...
XTAPE_API const char* name(DType dtype) noexcept;

/// Bytes of one element.
constexpr std::size_t item_size(DType dtype) noexcept {
  switch (dtype) {
    case DType::boolean:
    case DType::uint8:
      return 1;
    case DType::float32:
      return 4;
    case DType::int64:
    case DType::float64:
      return 8;
  }
  return 0;
}

constexpr bool is_floating(DType dtype) noexcept { return dtype >= DType::float32; }

/// The dtype that holds both: the larger in the order of promotion, as PyTorch has it.
constexpr DType promote(DType a, DType b) noexcept { return a < b ? b : a; }

namespace detail {

/// Booleans, whole numbers, floating ones: 0, 1, 2.
constexpr int category(DType dtype) noexcept {
  return is_floating(dtype) ? 2 : dtype == DType::boolean ? 0 : 1;
}

template <class T>
struct DTypeOf;
template <>
struct DTypeOf<bool> {
  static constexpr DType value = DType::boolean;
};
template <>
struct DTypeOf<std::uint8_t> {
  static constexpr DType value = DType::uint8;
};
template <>
struct DTypeOf<std::int64_t> {
  static constexpr DType value = DType::int64;
};
template <>
struct DTypeOf<float> {
  static constexpr DType value = DType::float32;
};
template <>
struct DTypeOf<double> {
  static constexpr DType value = DType::float64;
};

}  // namespace detail

template <class T>
inline constexpr DType dtype_of = detail::DTypeOf<T>::value;

namespace detail {

/// x as a T. A real number beyond a whole type's range, undefined in C++, gives the end of the
/// range of int64 (modulo that of a narrower T), and NaN gives 0.
template <class T, class Source>
constexpr T convert(Source x) noexcept {
  if constexpr (std::is_same_v<T, bool>) {
    return x != Source(0);
  } else if constexpr (std::is_floating_point_v<Source> && std::is_integral_v<T>) {
    constexpr double kLeast = -9223372036854775808.0, kMost = 9223372036854774784.0;
    const auto y = static_cast<double>(x);
    if (y != y) return T(0);
    return static_cast<T>(static_cast<std::int64_t>(y < kLeast ? kLeast : y > kMost ? kMost : y));
  } else {
    return static_cast<T>(x);
  }
}

template <class T>
struct Type {
  using type = T;
};

/// f(Type<T>{}) with the C++ type of `dtype`.
template <class F>
decltype(auto) dispatch(DType dtype, F&& f) {
  switch (dtype) {
    case DType::boolean:
      return f(Type<bool>{});
    case DType::uint8:
      return f(Type<std::uint8_t>{});
    case DType::int64:
      return f(Type<std::int64_t>{});
    case DType::float32:
      return f(Type<float>{});
    default:
      return f(Type<double>{});
  }
}

/// The same for float32 and float64 alone; the caller has checked.
template <class F>
decltype(auto) dispatch_floating(DType dtype, F&& f) {
  return dtype == DType::float32 ? f(Type<float>{}) : f(Type<double>{});
}

}  // namespace detail
}  // namespace xtape
