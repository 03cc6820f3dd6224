// SPDX-License-Identifier: BSD-3-Clause
#include "named_error.hpp"

#include <typeinfo>

#include "../autograd/anomaly.hpp"
#include "../autograd/error.hpp"

namespace xtape::optim::detail {
namespace {

// Exactly this type: a user's own, derived from it, must stay what it is.
template <class E>
void throw_if(const Error& error, const std::string& text) {
  if (typeid(error) == typeid(E)) throw E(text);
}

}  // namespace

void rethrow_named(const std::string& where) {
  try {
    throw;
  } catch (const Error& error) {
    const std::string text = where + ": " + error.what();
    throw_if<ShapeError>(error, text);
    throw_if<DTypeError>(error, text);
    throw_if<IndexError>(error, text);
    throw_if<ValueError>(error, text);
    throw_if<GradError>(error, text);
    throw_if<ModuleError>(error, text);
    throw_if<FileError>(error, text);
    throw_if<AnomalyError>(error, text);
    throw;
  }
}

}  // namespace xtape::optim::detail
