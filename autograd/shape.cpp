// SPDX-License-Identifier: BSD-3-Clause
#include "shape.hpp"

#include <algorithm>

#include "dtype.hpp"
#include "error.hpp"

namespace xtape {

const char* name(DType dtype) noexcept {
  switch (dtype) {
    case DType::boolean:
      return "boolean";
    case DType::uint8:
      return "uint8";
    case DType::int64:
      return "int64";
    case DType::float32:
      return "float32";
    case DType::float64:
      return "float64";
  }
  return "?";
}

int Shape::check_rank(std::size_t rank) {
  if (rank > static_cast<std::size_t>(kMaxRank)) {
    throw ShapeError("expected at most 16 dimensions, got " + std::to_string(rank));
  }
  return static_cast<int>(rank);
}

std::string to_string(std::span<const std::int64_t> sizes) {
  std::string s = "[";
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (i) s += ", ";
    s += std::to_string(sizes[i]);
  }
  return s + "]";
}

namespace detail {

Shape contiguous_strides(std::span<const std::int64_t> sizes) noexcept {
  Shape strides;
  strides.resize(static_cast<int>(sizes.size()));
  std::int64_t step = 1;
  for (int i = strides.rank() - 1; i >= 0; --i) {
    strides[i] = step;
    step *= std::max<std::int64_t>(sizes[i], 1);
  }
  return strides;
}

Shape broadcast(const char* operation, std::span<const std::int64_t> a,
                std::span<const std::int64_t> b) {
  const auto first = a, second = b;
  if (a.size() < b.size()) std::swap(a, b);
  Shape shape(a);
  const std::size_t lead = a.size() - b.size();
  for (std::size_t i = 0; i < b.size(); ++i) {
    std::int64_t& size = shape[static_cast<int>(lead + i)];
    if (size == b[i] || b[i] == 1) continue;
    if (size != 1) {
      throw ShapeError(std::string(operation) + ": shapes " + to_string(first) + " and " +
                       to_string(second) + " do not broadcast: sizes " + std::to_string(size) +
                       " and " + std::to_string(b[i]) + " differ and neither is 1");
    }
    size = b[i];
  }
  return shape;
}

int wrap_dim(const char* operation, std::int64_t dim, int rank) {
  const int n = std::max(rank, 1);
  if (dim < -n || dim >= n) {
    throw IndexError(std::string(operation) + ": expected dim in [" + std::to_string(-n) + ", " +
                     std::to_string(n - 1) + "] for a tensor of " + std::to_string(rank) +
                     " dimensions, got " + std::to_string(dim));
  }
  return static_cast<int>(dim < 0 ? dim + n : dim);
}

std::int64_t checked_numel(const char* operation, std::span<const std::int64_t> sizes) {
  constexpr std::int64_t kMost = std::int64_t{1} << 48;
  std::int64_t n = 1;
  bool empty = false;
  for (const std::int64_t size : sizes) {
    if (size < 0) {
      throw ShapeError(std::string(operation) + ": negative size in shape " + to_string(sizes));
    }
    if (size == 0) empty = true;
  }
  if (empty) return 0;
  for (const std::int64_t size : sizes) {
    if (__builtin_mul_overflow(n, size, &n) || n > kMost) {
      throw ShapeError(std::string(operation) + ": too many elements in shape " + to_string(sizes));
    }
  }
  return n;
}

}  // namespace detail
}  // namespace xtape
