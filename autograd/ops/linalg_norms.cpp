// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <limits>
#include <string>

#include "../error.hpp"
#include "arithmetic.hpp"
#include "linalg.hpp"
#include "math.hpp"
#include "matrices.hpp"
#include "reductions.hpp"
#include "shape.hpp"

// Norms of matrices, composed.
namespace xtape {
namespace {

// The matrices of x in the last two dimensions, and where these were.
struct Moved {
  Tensor x;
  int first, second;

  Moved(const Tensor& x_, const Shape& dims) {
    detail::check_floating("matrix_norm", x_);
    if (dims.rank() != 2) {
      throw ShapeError("matrix_norm: expected two dimensions, got " + to_string(dims));
    }
    first = detail::wrap_dim("matrix_norm", dims[0], x_.dim());
    second = detail::wrap_dim("matrix_norm", dims[1], x_.dim());
    if (x_.dim() < 2 || first == second) {
      throw IndexError("matrix_norm: dimensions " + to_string(dims) + " of shape " +
                       to_string(x_.sizes()) + " are no matrices");
    }
    x = movedim(x_, {first, second}, {-2, -1});
  }
  // The norms y of the batch, with the two dimensions where they are kept.
  Tensor back(const Tensor& y, bool keepdim) const {
    if (!keepdim) return y;
    return movedim(unsqueeze(unsqueeze(y, -1), -1), {-2, -1}, {first, second});
  }
};

Tensor norm_of(const Tensor& x, double ord) {
  const double size = std::abs(ord);
  if (!(size == 1 || size == 2 || std::isinf(size))) {
    throw ValueError("matrix_norm: expected ord 1, 2, infinity or their negatives, got " +
                     std::to_string(ord));
  }
  const Tensor each = size == 2 ? svdvals(x) : sum(abs(x), {size == 1 ? -2 : -1});
  return ord > 0 ? amax(each, {-1}) : amin(each, {-1});
}

}  // namespace

Tensor vector_norm(const Tensor& x, double ord, const Shape& dims, bool keepdim) {
  return norm(x, ord, dims, keepdim);
}

Tensor matrix_norm(const Tensor& x, MatrixNorm ord, const Shape& dims, bool keepdim) {
  const Moved moved(x, dims);
  return moved.back(
      ord == MatrixNorm::fro ? norm(moved.x, 2, {-2, -1}) : sum(svdvals(moved.x), {-1}), keepdim);
}

Tensor matrix_norm(const Tensor& x, double ord, const Shape& dims, bool keepdim) {
  const Moved moved(x, dims);
  return moved.back(norm_of(moved.x, ord), keepdim);
}

Tensor cond(const Tensor& x, double ord) {
  if (std::abs(ord) != 2) {
    detail::check_square("cond", x);
    return matrix_norm(x, ord) * matrix_norm(inv(x), ord);
  }
  detail::check_matrices("cond", x);
  const Tensor s = svdvals(x);
  const Tensor most = amax(s, {-1}), least = amin(s, {-1});
  return ord > 0 ? most / least : least / most;
}

Tensor cond(const Tensor& x, MatrixNorm ord) {
  detail::check_square("cond", x);
  return matrix_norm(x, ord) * matrix_norm(inv(x), ord);
}

}  // namespace xtape
