// SPDX-License-Identifier: BSD-3-Clause
#include "parameter.hpp"

#include <string>

#include "../autograd/error.hpp"
#include "../autograd/ops/creation.hpp"
#include "copy_session.hpp"
#include "parts.hpp"

namespace xtape::nn {
namespace detail {
namespace {

bool is_held_elsewhere(const Tensor& x) noexcept {
  return x.value()->refs.load() > 1 || x.value()->storage->refs.load() > 1;
}

Tensor own(Tensor value, const char* what) {
  if (!value.defined()) throw ValueError(std::string(what) + ": the value is undefined");
  const bool fresh = !value.requires_grad() && value.is_contiguous() && !is_held_elsewhere(value);
  return fresh ? value : xtape::detail::copy_contiguous(value);
}

// A new leaf with the value of `source` and nothing else of it but `requires_grad`.
Tensor copy_value(const Tensor& source) {
  if (!source.defined()) return {};
  Tensor copy = xtape::detail::copy_contiguous(source);
  copy.requires_grad_(source.requires_grad());
  return copy;
}

}  // namespace

OwnedTensor::OwnedTensor(Kind kind) noexcept : kind_(kind) {
  register_part(this, kind == Kind::parameter ? PartKind::parameter : PartKind::buffer);
}

OwnedTensor::OwnedTensor(Kind kind, Tensor value) : OwnedTensor(kind) {
  Tensor::operator=(own(std::move(value), kind == Kind::parameter ? "Parameter" : "Buffer"));
}

OwnedTensor::OwnedTensor(const OwnedTensor& other) : OwnedTensor(other.kind_) {
  tied_ = other.tied_;
  if (!other.defined()) return;
  Tensor copy = tied_ ? find_copy(other) : Tensor();
  Tensor::operator=(copy.defined() ? copy : copy_value(other));
  if (tied_) remember_copy(other, *this);
}

OwnedTensor::OwnedTensor(OwnedTensor&& other) noexcept : OwnedTensor(other.kind_) {
  swap(other);
  tied_ = other.tied_;
}

OwnedTensor& OwnedTensor::operator=(const OwnedTensor& other) {
  if (this == &other) return *this;
  Tensor copy = other.tied_ ? find_copy(other) : Tensor();
  if (copy.defined()) {
    Tensor::operator=(copy);
  } else {
    assign_value(other);
    if (other.tied_) remember_copy(other, *this);
  }
  if (is_copying()) tied_ = other.tied_;
  return *this;
}

// Behind the own handle, unless a whole module is assigned in which the handle stands for two
// values.
void OwnedTensor::assign_value(const OwnedTensor& other) {
  Tensor copy = copy_value(other);
  const bool split = is_copying() && ((tied_ && !other.tied_) || is_copy_target(*this));
  if (split || !defined() || !copy.defined() || shape() != copy.shape() || !is_leaf()) {
    Tensor::operator=(copy);
    return;
  }
  if (!copy.requires_grad()) requires_grad_(false);
  set_data(copy);
  if (copy.requires_grad()) requires_grad_(true);
}

OwnedTensor& OwnedTensor::operator=(OwnedTensor&& other) noexcept {
  Tensor::operator=(static_cast<Tensor&&>(other));
  tied_ = other.tied_;
  return *this;
}

OwnedTensor::~OwnedTensor() { unregister_part(this); }

}  // namespace detail

Parameter::Parameter(Tensor value, bool requires_grad)
    : OwnedTensor(Kind::parameter, std::move(value)) {
  requires_grad_(requires_grad);
}

void Parameter::tie(Parameter& other) {
  if (!other.defined()) throw ValueError("tie: the other parameter is undefined");
  if (defined() && shape() != other.shape()) {
    throw ShapeError("tie: shapes differ, " + to_string(sizes()) + " and " +
                     to_string(other.sizes()));
  }
  if (defined() && dtype() != other.dtype()) {
    throw DTypeError(std::string("tie: dtypes differ, ") + name(dtype()) + " and " +
                     name(other.dtype()));
  }
  Tensor::operator=(other);
  tied_ = other.tied_ = true;
}

}  // namespace xtape::nn
