// SPDX-License-Identifier: BSD-3-Clause
#include "matmul.hpp"

#include <string>
#include <utility>

#include "../error.hpp"
#include "../kernels/copy.hpp"
#include "../kernels/gemm.hpp"
#include "../tape.hpp"
#include "arithmetic.hpp"
#include "creation.hpp"
#include "precision.hpp"
#include "shape.hpp"

namespace xtape {
namespace {

const Tensor undefined;

std::string sizes_of(const Tensor& a, const Tensor& b) {
  return to_string(a.sizes()) + " @ " + to_string(b.sizes());
}

void check_operands(const char* operation, const Tensor& a, const Tensor& b) {
  detail::check_defined(operation, a);
  detail::check_defined(operation, b);
  if (a.dtype() != b.dtype() || !is_floating(a.dtype())) {
    throw DTypeError(std::string(operation) + ": expected one floating dtype, got " +
                     a.description() + " @ " + b.description());
  }
}

void check_inner(const char* operation, const Tensor& a, const Tensor& b, std::int64_t of_a,
                 std::int64_t of_b) {
  if (of_a == of_b) return;
  throw ShapeError(std::string(operation) + ": inner dimensions differ, " + sizes_of(a, b));
}

void check_dims(const char* operation, const Tensor& a, const Tensor& b, int of_a, int of_b) {
  if (a.dim() == of_a && b.dim() == of_b) return;
  throw ShapeError(std::string(operation) + ": expected " + std::to_string(of_a) + " and " +
                   std::to_string(of_b) + " dimensions, got " + sizes_of(a, b));
}

// A factor of a product: the matrices of x, or their transposes.
struct Factor {
  const Tensor& x;
  bool transposed = false;

  std::int64_t rows() const { return x.sizes()[x.dim() - (transposed ? 1 : 2)]; }
  std::int64_t cols() const { return x.sizes()[x.dim() - (transposed ? 2 : 1)]; }
};

// Where BLAS reads a factor: its own memory where that has the form, else a copy.
class Side {
 public:
  bool transposed;
  std::int64_t rows, cols, step;

  explicit Side(const Factor& f)
      : transposed(f.transposed), rows(f.rows()), cols(f.cols()), value_(f.x.value()) {
    const std::int64_t height = transposed ? cols : rows, width = transposed ? rows : cols;
    step = width;
    if (value_->contiguous) return;
    const std::int64_t* strides = value_->strides() + value_->rank - 2;
    if ((strides[1] == 1 || width == 1) && (strides[0] >= width || height == 1)) {
      step = strides[0];
    } else if ((strides[0] == 1 || height == 1) && (strides[1] >= height || width == 1)) {
      step = strides[1];
      transposed = !transposed;
    } else {
      copy_ = detail::copy_contiguous(f.x);
      value_ = copy_.value();
    }
  }
  template <class T>
  const T* data() const {
    return reinterpret_cast<const T*>(value_->data);
  }
  // The stride along dimension i of a result of `rank` dimensions.
  std::int64_t batch_step(int i, int rank) const {
    const int d = i - (rank - value_->rank);
    return d < 0 || value_->sizes()[d] == 1 ? 0 : value_->strides()[d];
  }

 private:
  const detail::Value* value_;
  Tensor copy_;
};

// The leading dimensions of a product, joined where all three operands walk through without a gap.
struct Batch {
  int rank = 0;
  std::int64_t sizes[Shape::kMaxRank], a[Shape::kMaxRank], b[Shape::kMaxRank], c[Shape::kMaxRank];

  Batch(const Side& left, const Side& right, const Tensor& y) {
    for (int i = 0; i < y.dim() - 2; ++i) {
      if (y.sizes()[i] == 1) continue;
      const std::int64_t n = y.sizes()[i], sa = left.batch_step(i, y.dim());
      const std::int64_t sb = right.batch_step(i, y.dim()), sc = y.strides()[i];
      const int last = rank - 1;
      if (rank > 0 && a[last] == sa * n && b[last] == sb * n && c[last] == sc * n) {
        sizes[last] *= n;
      } else {
        sizes[rank++] = n;
      }
      a[rank - 1] = sa;
      b[rank - 1] = sb;
      c[rank - 1] = sc;
    }
    if (rank == 0) {
      sizes[rank] = 1;
      a[rank] = b[rank] = c[rank] = 0;
      ++rank;
    }
  }
};

// y = alpha * left @ right + beta * y, matrices all.
void multiply_matrices(const Tensor& y, const Side& left, const Side& right, double alpha,
                       double beta) {
  detail::dispatch_floating(y.dtype(), [&]<class T>(detail::Type<T>) {
    kernels::gemm(left.transposed, right.transposed, left.rows, right.cols, left.cols,
                  static_cast<T>(alpha), left.data<T>(), left.step, right.data<T>(), right.step,
                  static_cast<T>(beta), detail::fresh_data<T>(y), right.cols,
                  detail::precision_of(y.dtype()));
  });
}

// y = left @ right + bias
void multiply_and_add(const Tensor& y, const Side& left, const Side& right, const Tensor& bias) {
  const Tensor dense = bias.is_contiguous() ? bias : detail::copy_contiguous(bias);
  detail::dispatch_floating(y.dtype(), [&]<class T>(detail::Type<T>) {
    kernels::gemm_bias(left.transposed, right.transposed, left.rows, right.cols, left.cols,
                       left.data<T>(), left.step, right.data<T>(), right.step,
                       reinterpret_cast<const T*>(dense.value()->data), detail::fresh_data<T>(y),
                       right.cols, detail::precision_of(y.dtype()));
  });
}

// y = alpha * a @ b + beta * y for a [..., m, k], b [..., k, n] and a dense, fresh y.
void multiply_into(const Tensor& y, const Factor& a, const Factor& b, double alpha, double beta) {
  if (y.numel() == 0) return;
  const Side left(a), right(b);
  if (y.dim() == 2) return multiply_matrices(y, left, right, alpha, beta);
  const Batch batch(left, right, y);
  const int last = batch.rank - 1;
  std::int64_t outer = 1;
  for (int i = 0; i < last; ++i) outer *= batch.sizes[i];
  detail::dispatch_floating(y.dtype(), [&]<class T>(detail::Type<T>) {
    const T* pa = left.data<T>();
    const T* pb = right.data<T>();
    T* py = detail::fresh_data<T>(y);
    for (std::int64_t o = 0; o < outer; ++o) {
      std::int64_t k = o, oa = 0, ob = 0, oc = 0;
      for (int i = last - 1; i >= 0; --i) {
        const std::int64_t index = k % batch.sizes[i];
        k /= batch.sizes[i];
        oa += index * batch.a[i];
        ob += index * batch.b[i];
        oc += index * batch.c[i];
      }
      kernels::gemm_batched(batch.sizes[last], left.transposed, right.transposed, left.rows,
                            right.cols, left.cols, static_cast<T>(alpha), pa + oa, left.step,
                            batch.a[last], pb + ob, right.step, batch.b[last], static_cast<T>(beta),
                            py + oc, right.cols, batch.c[last], detail::precision_of(y.dtype()));
    }
  });
}

// [..., n] as [rows, n].
Tensor as_matrix(Tensor x) {
  if (x.dim() == 2) return x;
  const std::int64_t n = x.sizes()[x.dim() - 1];
  std::int64_t rows = 1;
  for (int i = 0; i + 1 < x.dim(); ++i) rows *= x.sizes()[i];
  return reshape(x, {rows, n});
}

// The result's shape, all operands of at least two dimensions.
Shape product_shape(const char* operation, const Factor& a, const Factor& b) {
  const int rank_a = a.x.dim(), rank_b = b.x.dim();
  Shape shape = (rank_a >= rank_b ? a : b).x.shape();
  const int rank = shape.rank();
  for (int i = 0; i < rank - 2; ++i) {
    const int da = i - (rank - rank_a), db = i - (rank - rank_b);
    const std::int64_t na = da < 0 ? 1 : a.x.sizes()[da], nb = db < 0 ? 1 : b.x.sizes()[db];
    if (na != nb && na != 1 && nb != 1) {
      throw ShapeError(std::string(operation) + ": leading dimensions do not broadcast, " +
                       sizes_of(a.x, b.x));
    }
    shape[i] = na == 1 ? nb : na;
  }
  shape[rank - 2] = a.rows();
  shape[rank - 1] = b.cols();
  return shape;
}

// The uninitialised result.
Tensor empty_product(const char* operation, const Factor& a, const Factor& b) {
  if (a.x.dim() > 2 || b.x.dim() > 2) {
    return detail::empty(a.x.dtype(), product_shape(operation, a, b));
  }
  const std::int64_t sizes[] = {a.rows(), b.cols()};
  return detail::empty(a.x.dtype(), sizes);
}

// The one product that is recorded: with either factor transposed, its gradients are products of
// the same kind, and no transposed view is ever made.
Tensor product(const char* operation, const Factor& a, const Factor& b) {
  check_inner(operation, a.x, b.x, a.cols(), b.rows());
  Tensor y = empty_product(operation, a, b);
  multiply_into(y, a, b, 1, 0);
  // Each factor is saved for the other's gradient alone.
  record("matmul", y, {a.x, b.x},
         saves(b.x.requires_grad() ? a.x : undefined, a.x.requires_grad() ? b.x : undefined),
         [ta = a.transposed, tb = b.transposed](Backward& t) {
           const Tensor& g = t.g();
           if (t.needs(0)) {
             const Tensor right = t.take_saved(1);
             t.add(0, ta ? product("matmul", {right, tb}, {g, true})
                         : product("matmul", {g}, {right, !tb}));
           }
           if (!t.needs(1)) return;
           const Tensor left = t.take_saved(0);
           if (tb) return t.add(1, product("matmul", {g, true}, {left, ta}));
           // One matrix for a whole batch: its gradient is one product, too.
           const bool folds = !ta && t.sizes(1).size() == 2 && left.dim() > 2;
           t.add(1, folds ? product("matmul", {as_matrix(left), true}, {as_matrix(g)})
                          : product("matmul", {left, !ta}, {g}));
         });
  return y;
}

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b) {
  check_operands("matmul", a, b);
  if (a.dim() == 0 || b.dim() == 0) {
    throw ShapeError("matmul: expected at least one dimension, got " + sizes_of(a, b));
  }
  const std::int64_t of_b = b.sizes()[b.dim() == 1 ? 0 : b.dim() - 2];
  check_inner("matmul", a, b, a.sizes()[a.dim() - 1], of_b);
  if (a.dim() > 1 && b.dim() > 1) return product("matmul", {a}, {b});
  // A vector is a matrix of one row or column, which the result loses again.
  if (b.dim() > 1) return squeeze(product("matmul", {unsqueeze(a, 0)}, {b}), -2);
  if (a.dim() > 1) return squeeze(product("matmul", {a}, {unsqueeze(b, 1)}), -1);
  return reshape(product("matmul", {unsqueeze(a, 0)}, {unsqueeze(b, 1)}), {});
}

Tensor mm(const Tensor& a, const Tensor& b) {
  check_operands("mm", a, b);
  check_dims("mm", a, b, 2, 2);
  return product("mm", {a}, {b});
}

Tensor bmm(const Tensor& a, const Tensor& b) {
  check_operands("bmm", a, b);
  check_dims("bmm", a, b, 3, 3);
  if (a.sizes()[0] != b.sizes()[0]) {
    throw ShapeError("bmm: batch sizes differ, " + sizes_of(a, b));
  }
  return product("bmm", {a}, {b});
}

Tensor mv(const Tensor& a, const Tensor& b) {
  check_operands("mv", a, b);
  check_dims("mv", a, b, 2, 1);
  check_inner("mv", a, b, a.sizes()[1], b.sizes()[0]);
  const Autocast off(false);
  return squeeze(product("mv", {a}, {unsqueeze(b, 1)}), -1);
}

Tensor dot(const Tensor& a, const Tensor& b) {
  check_operands("dot", a, b);
  check_dims("dot", a, b, 1, 1);
  check_inner("dot", a, b, a.sizes()[0], b.sizes()[0]);
  const Autocast off(false);
  return reshape(product("dot", {unsqueeze(a, 0)}, {unsqueeze(b, 1)}), {});
}

Tensor outer(const Tensor& a, const Tensor& b) {
  detail::check_defined("outer", a);
  detail::check_defined("outer", b);
  check_dims("outer", a, b, 1, 1);
  return unsqueeze(a, 1) * b;
}

namespace {

// A new tensor with x broadcast to `shape`.
Tensor broadcast_copy(const Tensor& x, const Shape& shape) {
  Tensor y = detail::empty(x.dtype(), shape);
  Shape strides = Shape::filled(shape.rank(), 0);
  const int lead = shape.rank() - x.dim();
  for (int i = 0; i < x.dim(); ++i) strides[lead + i] = x.sizes()[i] == 1 ? 0 : x.strides()[i];
  kernels::copy_items(shape, static_cast<int>(item_size(x.dtype())), y.value()->data,
                      y.strides().data(), x.value()->data, strides.data());
  return y;
}

}  // namespace

Tensor addmm(const Tensor& x, const Tensor& a, const Tensor& b, double beta, double alpha) {
  check_operands("addmm", a, b);
  check_operands("addmm", x, a);
  check_dims("addmm", a, b, 2, 2);
  check_inner("addmm", a, b, a.sizes()[1], b.sizes()[0]);
  const Shape shape{a.sizes()[0], b.sizes()[1]};
  if (detail::broadcast("addmm", x.sizes(), shape) != shape) {
    throw ShapeError("addmm: shape " + to_string(x.sizes()) + " does not broadcast to " +
                     to_string(shape));
  }
  Tensor y = beta == 0 ? detail::empty(a.dtype(), shape) : broadcast_copy(x, shape);
  multiply_into(y, {a}, {b}, alpha, beta);
  record("addmm", y, {x, a, b},
         saves(b.requires_grad() ? a : undefined, a.requires_grad() ? b : undefined),
         [alpha, beta](Backward& t) {
           if (t.needs(0)) t.add(0, t.g() * beta);
           const Tensor g = t.needs(1) || t.needs(2) ? t.g() * alpha : undefined;
           if (t.needs(1)) t.add(1, product("addmm", {g}, {t.saved(1), true}));
           if (t.needs(2)) t.add(2, product("addmm", {t.saved(0), true}, {g}));
         });
  return y;
}

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  check_operands("linear", x, weight);
  if (bias.defined()) check_operands("linear", bias, weight);
  if (x.dim() < 1 || weight.dim() != 2 || x.sizes()[x.dim() - 1] != weight.sizes()[1]) {
    throw ShapeError("linear: expected x [..., in] and weight [out, in], got " +
                     to_string(x.sizes()) + " and " + to_string(weight.sizes()));
  }
  const std::int64_t out = weight.sizes()[0];
  if (bias.defined() && (bias.dim() != 1 || bias.numel() != out)) {
    throw ShapeError("linear: expected a bias " + to_string(Shape{out}) + ", got " +
                     to_string(bias.sizes()));
  }
  Shape shape = x.shape();
  shape[shape.rank() - 1] = out;
  Tensor y = detail::empty(x.dtype(), shape);
  const Tensor rows = x.dim() == 2 ? Tensor() : as_matrix(x.detach());
  const Side left({x.dim() == 2 ? x : rows}), right({weight, true});
  if (bias.defined()) {
    multiply_and_add(y, left, right, bias);
  } else {
    multiply_matrices(y, left, right, 1, 0);
  }
  record("linear", y, {x, weight, bias},
         saves(weight.requires_grad() ? x : undefined, x.requires_grad() ? weight : undefined),
         [](Backward& t) {
           Tensor g = t.take_g();
           if (t.needs(0)) {
             t.add(0, product("linear", {g.dim() == 1 ? as_matrix(g) : g}, {t.take_saved(1)}));
           }
           if (t.needs(1)) {
             t.add(1, product("linear", {as_matrix(g), true}, {as_matrix(t.take_saved(0))}));
           }
           if (t.needs(2)) t.add(2, std::move(g));
         });
  return y;
}

}  // namespace xtape
