// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <type_traits>
#include <vector>

#include "ops/creation.hpp"
#include "tensor.hpp"
#include "xtensor_headers.hpp"

// xtensor as the face of the data: both ways without a copy.
namespace xtape {
namespace detail {

/// What the run-time dtypes call T: all whole numbers but bool and uint8 become int64.
template <class T>
using element_of =
    std::conditional_t<std::is_same_v<T, bool> || std::is_same_v<T, std::uint8_t> ||
                           std::is_same_v<T, float> || std::is_same_v<T, double>,
                       T, std::conditional_t<std::is_integral_v<T>, std::int64_t, void>>;

template <class T>
auto adapt(T* data, const Tensor& x) {
  const std::vector<std::size_t> shape(x.sizes().begin(), x.sizes().end());
  const std::vector<std::ptrdiff_t> strides(x.strides().begin(), x.strides().end());
  return xt::adapt(data, static_cast<std::size_t>(x.numel()), xt::no_ownership(), shape, strides);
}

}  // namespace detail

/// Writable access to a tensor's elements: raises its version when made and when it ends, so that
/// a value saved for a backward pass is never silently stale.
template <class T>
class MutableArray {
 public:
  explicit MutableArray(const Tensor& x)
      : tensor_((detail::begin_write("mutable_array", x), x)),
        array_(detail::adapt(const_cast<T*>(x.data<T>()), x)) {}
  ~MutableArray() { detail::raise_version(tensor_); }
  MutableArray(const MutableArray&) = delete;
  MutableArray& operator=(const MutableArray&) = delete;

  auto& operator*() noexcept { return array_; }
  auto* operator->() noexcept { return &array_; }

 private:
  Tensor tensor_;
  decltype(detail::adapt(static_cast<T*>(nullptr), Tensor())) array_;
};

template <class T>
auto Tensor::array() const& {
  return detail::adapt(data<T>(), *this);
}

template <class T>
auto Tensor::mutable_array() {
  return MutableArray<T>(*this);
}

/// Evaluates any xtensor expression straight into a new tensor's memory.
template <class E>
Tensor from(const xt::xexpression<E>& expression) {
  const E& e = expression.derived_cast();
  using T = detail::element_of<std::decay_t<typename E::value_type>>;
  static_assert(!std::is_void_v<T>, "from: expected elements of a real or whole number type");
  Shape shape;
  for (const auto size : e.shape()) shape.push_back(static_cast<std::int64_t>(size));
  Tensor y = empty(shape, dtype_of<T>);
  auto out = detail::adapt(detail::fresh_data<T>(y), y);
  xt::noalias(out) = e;
  return y;
}

/// Takes over the memory of an array of a dtype's own element type, without a copy.
template <class T>
requires std::is_same_v<T, detail::element_of<T>> Tensor from(xt::xarray<T>&& array) {
  auto owner = std::make_unique<xt::xarray<T>>(std::move(array));
  Shape shape, strides;
  for (const auto size : owner->shape()) shape.push_back(static_cast<std::int64_t>(size));
  for (const auto stride : owner->strides()) strides.push_back(static_cast<std::int64_t>(stride));
  Tensor y = detail::adopt_memory(dtype_of<T>, owner->data(), shape, strides, owner.get(),
                                  [](void* a) { delete static_cast<xt::xarray<T>*>(a); });
  (void)owner.release();
  return y;
}

}  // namespace xtape
