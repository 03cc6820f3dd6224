// SPDX-License-Identifier: BSD-3-Clause
#include "creation.hpp"

#include <cmath>
#include <cstring>

#include "../error.hpp"
#include "../kernels/copy.hpp"
#include "../tape.hpp"

namespace xtape {

Tensor empty(const Shape& shape, DType dtype) { return detail::empty(dtype, shape); }

Tensor full(const Shape& shape, Scalar value, DType dtype) {
  Tensor y = empty(shape, dtype);
  detail::dispatch(dtype, [&]<class T>(detail::Type<T>) {
    std::fill_n(detail::fresh_data<T>(y), y.numel(), value.to<T>());
  });
  return y;
}

Tensor zeros(const Shape& shape, DType dtype) {
  Tensor y = empty(shape, dtype);
  std::memset(y.value()->data, 0, static_cast<std::size_t>(y.numel()) * item_size(dtype));
  return y;
}

Tensor ones(const Shape& shape, DType dtype) { return full(shape, 1, dtype); }
Tensor empty_like(const Tensor& x) { return empty(x.shape(), x.dtype()); }
Tensor zeros_like(const Tensor& x) { return zeros(x.shape(), x.dtype()); }
Tensor ones_like(const Tensor& x) { return ones(x.shape(), x.dtype()); }
Tensor full_like(const Tensor& x, Scalar value) { return full(x.shape(), value, x.dtype()); }

Tensor arange(Scalar start, Scalar end, Scalar step, DType dtype) {
  if (step.real() == 0.0 || std::isnan(step.real())) throw ValueError("arange: step must not be 0");
  const double count = std::ceil((end.real() - start.real()) / step.real());
  if (!(count < 1e15)) throw ValueError("arange: the range is not finite");
  Tensor y = empty({count > 0 ? static_cast<std::int64_t>(count) : 0}, dtype);
  detail::dispatch(dtype, [&]<class T>(detail::Type<T>) {
    T* out = detail::fresh_data<T>(y);
    for (std::int64_t i = 0; i < y.numel(); ++i) {
      if constexpr (std::is_floating_point_v<T>) {
        out[i] = static_cast<T>(start.real() + static_cast<double>(i) * step.real());
      } else {
        out[i] = static_cast<T>(start.to<std::int64_t>() + i * step.to<std::int64_t>());
      }
    }
  });
  return y;
}

Tensor arange(Scalar start, Scalar end, Scalar step) {
  const bool real = start.is_floating() || end.is_floating() || step.is_floating();
  return arange(start, end, step, real ? float32 : int64);
}

Tensor arange(Scalar end) { return arange(0, end, 1); }

Tensor linspace(double start, double end, std::int64_t steps, DType dtype) {
  if (steps < 0) throw ValueError("linspace: expected steps >= 0, got " + std::to_string(steps));
  Tensor y = empty({steps}, dtype);
  const double step = steps > 1 ? (end - start) / static_cast<double>(steps - 1) : 0.0;
  detail::dispatch(dtype, [&]<class T>(detail::Type<T>) {
    T* out = detail::fresh_data<T>(y);
    // From both ends, so that the last point is `end` exactly.
    for (std::int64_t i = 0; i < steps; ++i) {
      const bool first_half = i < (steps + 1) / 2;
      out[i] = static_cast<T>(first_half ? start + static_cast<double>(i) * step
                                         : end - static_cast<double>(steps - 1 - i) * step);
    }
  });
  return y;
}

Tensor eye(std::int64_t n, std::int64_t m, DType dtype) {
  if (m < 0) m = n;
  Tensor y = zeros({n, m}, dtype);
  detail::dispatch(dtype, [&]<class T>(detail::Type<T>) {
    T* out = detail::fresh_data<T>(y);
    for (std::int64_t i = 0; i < std::min(n, m); ++i) out[i * m + i] = T(1);
  });
  return y;
}

Tensor scalar_tensor(Scalar value, DType dtype) { return full({}, value, dtype); }

Tensor tensor(std::initializer_list<double> values, DType dtype) {
  return from_values(std::span(values.begin(), values.size()),
                     {static_cast<std::int64_t>(values.size())})
      .to(dtype);
}

Tensor tensor(std::initializer_list<std::initializer_list<double>> rows, DType dtype) {
  const std::size_t columns = rows.size() ? rows.begin()->size() : 0;
  Tensor y =
      empty({static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(columns)}, float64);
  double* out = detail::fresh_data<double>(y);
  for (const auto& row : rows) {
    if (row.size() != columns) {
      throw ShapeError("tensor: rows of " + std::to_string(columns) + " and of " +
                       std::to_string(row.size()) + " numbers");
    }
    out = std::copy(row.begin(), row.end(), out);
  }
  return y.to(dtype);
}

namespace detail {

Tensor copy_values(DType dtype, const void* values, std::size_t count, const Shape& shape) {
  Tensor y = empty(dtype, shape);
  if (static_cast<std::size_t>(y.numel()) != count) {
    throw ShapeError("from_values: " + std::to_string(count) + " values do not fill shape " +
                     to_string(shape));
  }
  if (count) std::memcpy(y.value()->data, values, count * item_size(dtype));
  return y;
}

Tensor copy_contiguous(const Tensor& x) {
  Tensor y = empty(x.dtype(), x.sizes());
  kernels::copy_items(x.sizes(), static_cast<int>(item_size(x.dtype())), y.value()->data,
                      y.strides().data(), x.value()->data, x.strides().data());
  return y;
}

}  // namespace detail

Tensor Tensor::clone() const {
  detail::check_defined("clone", *this);
  Tensor y = detail::empty_like(*this, dtype());
  kernels::copy_items(sizes(), static_cast<int>(item_size(dtype())), y.value_->data,
                      y.strides().data(), value_->data, strides().data());
  record("clone", y, {*this}, saves(), [](Backward& t) { t.add(0, t.take_g()); });
  return y;
}

Tensor Tensor::contiguous() const {
  if (value_ && value_->contiguous) return *this;
  detail::check_defined("contiguous", *this);
  Tensor y = detail::copy_contiguous(*this);
  record("contiguous", y, {*this}, saves(), [](Backward& t) { t.add(0, t.take_g()); });
  return y;
}

Tensor Tensor::to(DType target) const {
  detail::check_defined("to", *this);
  if (target == dtype()) return *this;
  Tensor y = detail::empty_like(*this, target);
  kernels::copy_converted(sizes(), target, y.value_->data, y.strides().data(), dtype(),
                          value_->data, strides().data());
  // The sweep converts a gradient to its input's dtype.
  record("to", y, {*this}, saves(), [](Backward& t) { t.add(0, t.take_g()); });
  return y;
}

}  // namespace xtape
