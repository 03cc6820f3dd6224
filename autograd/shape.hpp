// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

#include "export.hpp"

namespace xtape {

/// Sizes (or strides) of up to 16 dimensions, held in place.
class Shape {
 public:
  static constexpr int kMaxRank = 16;

  Shape() noexcept = default;
  Shape(std::initializer_list<std::int64_t> sizes)
      : Shape(std::span(sizes.begin(), sizes.size())) {}
  explicit Shape(std::span<const std::int64_t> sizes) : rank_(check_rank(sizes.size())) {
    for (int i = 0; i < rank_; ++i) sizes_[i] = sizes[i];
  }
  /// `rank` times `size`.
  static Shape filled(int rank, std::int64_t size) {
    Shape s;
    s.resize(rank, size);
    return s;
  }
  int rank() const noexcept { return rank_; }
  std::size_t size() const noexcept { return static_cast<std::size_t>(rank_); }
  bool empty() const noexcept { return rank_ == 0; }
  std::int64_t operator[](int i) const noexcept { return sizes_[i]; }
  std::int64_t& operator[](int i) noexcept { return sizes_[i]; }
  std::int64_t back() const noexcept { return sizes_[rank_ - 1]; }
  const std::int64_t* data() const noexcept { return sizes_; }
  std::int64_t* data() noexcept { return sizes_; }
  const std::int64_t* begin() const noexcept { return sizes_; }
  const std::int64_t* end() const noexcept { return sizes_ + rank_; }
  std::int64_t* begin() noexcept { return sizes_; }
  std::int64_t* end() noexcept { return sizes_ + rank_; }
  operator std::span<const std::int64_t>() const noexcept { return {sizes_, size()}; }

  void resize(int rank, std::int64_t fill = 0) {
    const int old = rank_;
    rank_ = check_rank(static_cast<std::size_t>(rank));
    for (int i = old; i < rank_; ++i) sizes_[i] = fill;
  }
  void push_back(std::int64_t size) { resize(rank_ + 1, size); }
  void insert(int at, std::int64_t size) {
    resize(rank_ + 1);
    for (int i = rank_ - 1; i > at; --i) sizes_[i] = sizes_[i - 1];
    sizes_[at] = size;
  }
  void erase(int at) noexcept {
    --rank_;
    for (int i = at; i < rank_; ++i) sizes_[i] = sizes_[i + 1];
  }

  /// Number of elements; 1 for rank 0.
  std::int64_t numel() const noexcept {
    std::int64_t n = 1;
    for (int i = 0; i < rank_; ++i) n *= sizes_[i];
    return n;
  }

  friend bool operator==(const Shape& a, const Shape& b) noexcept {
    if (a.rank_ != b.rank_) return false;
    for (int i = 0; i < a.rank_; ++i) {
      if (a.sizes_[i] != b.sizes_[i]) return false;
    }
    return true;
  }

 private:
  XTAPE_API static int check_rank(std::size_t rank);

  int rank_ = 0;
  std::int64_t sizes_[kMaxRank] = {};
};

/// "[2, 3]"
XTAPE_API std::string to_string(std::span<const std::int64_t> sizes);

namespace detail {

/// Row-major strides in elements.
XTAPE_API Shape contiguous_strides(std::span<const std::int64_t> sizes) noexcept;
/// The common shape by NumPy's rule; throws ShapeError naming `operation` and both shapes.
XTAPE_API Shape broadcast(const char* operation, std::span<const std::int64_t> a,
                          std::span<const std::int64_t> b);
/// `dim` counted from the front, negative ones from the back; throws IndexError. A 0-d tensor
/// has the dims 0 and -1, as in PyTorch.
XTAPE_API int wrap_dim(const char* operation, std::int64_t dim, int rank);
/// Product of `sizes`; throws ShapeError on a negative size or overflow.
XTAPE_API std::int64_t checked_numel(const char* operation, std::span<const std::int64_t> sizes);

}  // namespace detail
}  // namespace xtape
