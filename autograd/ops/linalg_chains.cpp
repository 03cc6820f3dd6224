// SPDX-License-Identifier: BSD-3-Clause
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "../error.hpp"
#include "linalg.hpp"
#include "matmul.hpp"
#include "matrices.hpp"
#include "shape.hpp"

// Products of several matrices, composed.
namespace xtape {
namespace {

// The order of least work for a chain of matrices, by dynamic programming over its parts: T. H.
// Cormen et al., "Introduction to Algorithms", section 15.2.
class Chain {
 public:
  explicit Chain(std::vector<Tensor> matrices)
      : matrices_(std::move(matrices)), count_(matrices_.size()), cuts_(count_ * count_) {
    std::vector<double> work(count_ * count_);
    for (std::size_t length = 2; length <= count_; ++length) {
      for (std::size_t i = 0; i + length <= count_; ++i) {
        const std::size_t j = i + length - 1;
        double& least = work[i * count_ + j] = std::numeric_limits<double>::infinity();
        for (std::size_t cut = i; cut < j; ++cut) {
          const double parts = work[i * count_ + cut] + work[(cut + 1) * count_ + j];
          const double whole = parts + size(i, -2) * size(cut, -1) * size(j, -1);
          if (whole >= least) continue;
          least = whole;
          cuts_[i * count_ + j] = cut;
        }
      }
    }
  }
  Tensor product() const { return product(0, count_ - 1); }

 private:
  double size(std::size_t i, int dim) const { return static_cast<double>(matrices_[i].size(dim)); }
  Tensor product(std::size_t i, std::size_t j) const {
    if (i == j) return matrices_[i];
    const std::size_t cut = cuts_[i * count_ + j];
    return mm(product(i, cut), product(cut + 1, j));
  }

  std::vector<Tensor> matrices_;
  std::size_t count_;
  std::vector<std::size_t> cuts_;  // where the product of i ... j is parted
};

}  // namespace

Tensor matrix_power(const Tensor& x, std::int64_t n) {
  detail::check_square("matrix_power", x);
  if (n == 0) return detail::broadcast_matrices(eye(x.size(-1), -1, x.dtype()), x.shape());
  Tensor square = n < 0 ? inv(x) : x, y;
  // The magnitude, also of the lowest number.
  std::uint64_t rest = n < 0 ? 0 - static_cast<std::uint64_t>(n) : static_cast<std::uint64_t>(n);
  for (;; square = matmul(square, square)) {
    if (rest % 2 == 1) y = y.defined() ? matmul(y, square) : square;
    rest /= 2;
    if (rest == 0) return y;
  }
}

Tensor multi_dot(TensorList tensors) {
  std::vector<Tensor> matrices;
  for (const TensorRef& x : tensors) {
    detail::check_floating("multi_dot", *x.tensor);
    matrices.push_back(*x.tensor);
  }
  if (matrices.size() < 2) {
    throw ValueError("multi_dot: expected two tensors or more, got " +
                     std::to_string(matrices.size()));
  }
  const bool row = matrices.front().dim() == 1, column = matrices.back().dim() == 1;
  if (row) matrices.front() = unsqueeze(matrices.front(), 0);
  if (column) matrices.back() = unsqueeze(matrices.back(), 1);
  for (std::size_t i = 0; i < matrices.size(); ++i) {
    const Tensor& x = matrices[i];
    if (x.dim() == 2 && (i == 0 || matrices[i - 1].size(1) == x.size(0))) continue;
    throw ShapeError("multi_dot: tensor " + std::to_string(i) + " does not fit, " +
                     (i == 0 ? "" : to_string(matrices[i - 1].sizes()) + " @ ") +
                     to_string(x.sizes()));
  }
  Tensor y = Chain(std::move(matrices)).product();
  if (column) y = squeeze(y, -1);
  return row ? squeeze(y, 0) : y;
}

}  // namespace xtape
