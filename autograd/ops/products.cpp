// SPDX-License-Identifier: BSD-3-Clause
#include "products.hpp"

#include <algorithm>
#include <string>

#include "../error.hpp"
#include "arithmetic.hpp"
#include "diagonal.hpp"
#include "joining.hpp"
#include "matmul.hpp"
#include "matrices.hpp"
#include "reductions.hpp"
#include "shape.hpp"

namespace xtape {
namespace {

// A factor of tensordot: its dimensions in two groups, those that are summed and the others.
struct Split {
  Shape summed, others;        // dimensions
  std::int64_t count = 1;      // elements that are summed
  std::int64_t remaining = 1;  // elements of the others

  Split(const Tensor& x, const Shape& dims) {
    bool taken[Shape::kMaxRank] = {};
    for (const std::int64_t named : dims) {
      const int d = detail::wrap_dim("tensordot", named, x.dim());
      if (x.dim() == 0 || taken[d]) {
        throw IndexError("tensordot: dimension " + std::to_string(named) + " of shape " +
                         to_string(x.sizes()) +
                         (x.dim() == 0 ? " does not exist" : " named twice"));
      }
      taken[d] = true;
      summed.push_back(d);
      count *= x.sizes()[d];
    }
    for (int d = 0; d < x.dim(); ++d) {
      if (taken[d]) continue;
      others.push_back(d);
      remaining *= x.sizes()[d];
    }
  }
};

Shape joined(Shape a, const Shape& b) {
  for (const std::int64_t d : b) a.push_back(d);
  return a;
}

}  // namespace

Tensor trace(const Tensor& x) {
  detail::check_defined("trace", x);
  if (x.dim() != 2) {
    throw ShapeError("trace: expected 2 dimensions, got " + to_string(x.sizes()));
  }
  return diagonal(x).sum();
}

Tensor vecdot(const Tensor& a, const Tensor& b, std::int64_t dim) { return sum(a * b, {dim}); }

Tensor baddbmm(const Tensor& x, const Tensor& a, const Tensor& b, double beta, double alpha) {
  detail::check_defined("baddbmm", x);
  Tensor y = bmm(a, b);
  if (detail::broadcast("baddbmm", x.sizes(), y.sizes()) != y.shape()) {
    throw ShapeError("baddbmm: shape " + to_string(x.sizes()) + " does not broadcast to " +
                     to_string(y.sizes()));
  }
  detail::check_same_dtype("baddbmm", x, a);
  if (alpha != 1) y = alpha * y;
  if (beta == 0) return y;
  return beta == 1 ? x + y : beta * x + y;
}

Tensor kron(const Tensor& a, const Tensor& b) {
  detail::check_defined("kron", a);
  detail::check_defined("kron", b);
  const int rank = std::max(a.dim(), b.dim());
  if (2 * rank > Shape::kMaxRank) {
    throw ShapeError("kron: expected at most 8 dimensions, got " + to_string(a.sizes()) + " and " +
                     to_string(b.sizes()));
  }
  Shape of_a, of_b, shape;
  for (int d = 0; d < rank; ++d) {
    const int da = d - (rank - a.dim()), db = d - (rank - b.dim());
    const std::int64_t na = da < 0 ? 1 : a.sizes()[da], nb = db < 0 ? 1 : b.sizes()[db];
    of_a.push_back(na);
    of_a.push_back(1);
    of_b.push_back(1);
    of_b.push_back(nb);
    shape.push_back(na * nb);
  }
  return reshape(reshape(a, of_a) * reshape(b, of_b), shape);
}

Tensor cross(const Tensor& a, const Tensor& b, std::int64_t dim) {
  detail::check_defined("cross", a);
  detail::check_defined("cross", b);
  const bool fits = a.dim() == b.dim() && a.dim() > 0 && a.size(dim) == 3 && b.size(dim) == 3;
  if (!fits) {
    throw ShapeError("cross: expected vectors of three along dimension " + std::to_string(dim) +
                     " of as many dimensions, got " + to_string(a.sizes()) + " and " +
                     to_string(b.sizes()));
  }
  const auto turned = [&](const Tensor& x, std::int64_t by) { return roll(x, -by, dim); };
  return turned(a, 1) * turned(b, 2) - turned(a, 2) * turned(b, 1);
}

Tensor tensordot(const Tensor& a, const Tensor& b, const Shape& dims_a, const Shape& dims_b) {
  detail::check_floating("tensordot", a);
  detail::check_floating("tensordot", b);
  detail::check_same_dtype("tensordot", a, b);
  const Split of_a(a, dims_a), of_b(b, dims_b);
  bool fits = dims_a.rank() == dims_b.rank();
  for (int i = 0; fits && i < dims_a.rank(); ++i) {
    fits = a.size(dims_a[i]) == b.size(dims_b[i]);
  }
  if (!fits) {
    throw ShapeError("tensordot: dimensions " + to_string(dims_a) + " of " + to_string(a.sizes()) +
                     " and " + to_string(dims_b) + " of " + to_string(b.sizes()) + " differ");
  }
  Shape shape;
  for (const std::int64_t d : of_a.others) shape.push_back(a.size(d));
  for (const std::int64_t d : of_b.others) shape.push_back(b.size(d));
  const Tensor left =
      reshape(permute(a, joined(of_a.others, of_a.summed)), {of_a.remaining, of_a.count});
  const Tensor right =
      reshape(permute(b, joined(of_b.summed, of_b.others)), {of_b.count, of_b.remaining});
  return reshape(mm(left, right), shape);
}

Tensor tensordot(const Tensor& a, const Tensor& b, int dims) {
  detail::check_defined("tensordot", a);
  detail::check_defined("tensordot", b);
  if (dims < 0 || dims > std::min(a.dim(), b.dim())) {
    throw ShapeError("tensordot: expected at least " + std::to_string(dims) + " dimensions, got " +
                     to_string(a.sizes()) + " and " + to_string(b.sizes()));
  }
  Shape last, first;
  for (int d = 0; d < dims; ++d) {
    last.push_back(a.dim() - dims + d);
    first.push_back(d);
  }
  return tensordot(a, b, last, first);
}

}  // namespace xtape
