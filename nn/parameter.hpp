// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "../autograd/export.hpp"
#include "../autograd/tensor.hpp"

namespace xtape::nn {

namespace detail {

/// A tensor that belongs to a module: copying copies the value, moving keeps it.
class XTAPE_API OwnedTensor : public Tensor {
 protected:
  enum class Kind : unsigned char { parameter, buffer };

  explicit OwnedTensor(Kind kind) noexcept;
  OwnedTensor(Kind kind, Tensor value);
  OwnedTensor(const OwnedTensor& other);
  OwnedTensor(OwnedTensor&& other) noexcept;
  OwnedTensor& operator=(const OwnedTensor& other);
  OwnedTensor& operator=(OwnedTensor&& other) noexcept;
  ~OwnedTensor();

  bool tied_ = false;  // another parameter may hold the same value

 private:
  void assign_value(const OwnedTensor& other);

  Kind kind_;
};

}  // namespace detail

/// A tensor that a module learns. `Tensor w = net.weight` shares its value; a copied Parameter has
/// a value of its own. Undefined where a module has none, e.g. a layer without bias.
class XTAPE_API Parameter : public detail::OwnedTensor {
 public:
  Parameter() noexcept : OwnedTensor(Kind::parameter) {}
  /// Takes over `value` where nobody else holds it, else copies it; without history. Throws
  /// ValueError on an undefined value, DTypeError where an integer one should require grad.
  explicit Parameter(Tensor value, bool requires_grad = true);
  Parameter(const Parameter&) = default;
  Parameter(Parameter&&) noexcept = default;
  /// Writes the value behind this handle where the shapes agree, so that an optimizer keeps it.
  Parameter& operator=(const Parameter&) = default;
  Parameter& operator=(Parameter&&) noexcept = default;

  /// Makes this the same parameter as `other`: listed once, stored once, and tied again in copies
  /// of a module that holds both. To be called before an optimizer is made. Throws ShapeError,
  /// DTypeError.
  void tie(Parameter& other);
};

/// A tensor that a module keeps but does not learn, e.g. a running mean; saved with the parameters.
class XTAPE_API Buffer : public detail::OwnedTensor {
 public:
  Buffer() noexcept : OwnedTensor(Kind::buffer) {}
  /// Takes over `value` where nobody else holds it, else copies it; without history. Throws
  /// ValueError on an undefined value.
  explicit Buffer(Tensor value) : OwnedTensor(Kind::buffer, std::move(value)) {}
  Buffer(const Buffer&) = default;
  Buffer(Buffer&&) noexcept = default;
  /// Writes the value behind this handle where the shapes agree.
  Buffer& operator=(const Buffer&) = default;
  Buffer& operator=(Buffer&&) noexcept = default;
};

}  // namespace xtape::nn
