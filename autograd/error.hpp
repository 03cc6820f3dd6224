// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <stdexcept>
#include <string>

#include "export.hpp"

namespace xtape {

/// Base of every error that xtape raises.
class XTAPE_API Error : public std::runtime_error {
 public:
  /// `message` is prefixed with the module path where a module is being called, or where an
  /// operation that was recorded in one is being differentiated.
  explicit Error(const std::string& message);
};

/// Shapes do not fit the operation.
class XTAPE_API ShapeError : public Error {
  using Error::Error;
};
/// A dtype does not fit the operation.
class XTAPE_API DTypeError : public Error {
  using Error::Error;
};
/// An index, a class label or a dimension number is out of range.
class XTAPE_API IndexError : public Error {
  using Error::Error;
};
/// An argument (not a shape or dtype) is outside what the operation is defined for.
class XTAPE_API ValueError : public Error {
  using Error::Error;
};
/// The tape cannot do what is asked: second backward, overwritten value, no gradient path.
class XTAPE_API GradError : public Error {
  using Error::Error;
};
/// A module is not put together rightly: a part missing from its list, unexpected names.
class XTAPE_API ModuleError : public Error {
  using Error::Error;
};
/// A file is missing, cut, damaged or cannot be written.
class XTAPE_API FileError : public Error {
  using Error::Error;
};

}  // namespace xtape
