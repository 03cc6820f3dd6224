// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "error.hpp"
#include "export.hpp"
#include "owned.hpp"

namespace xtape {

class Tensor;

namespace detail {

/// "NaN", or "Inf" where that counts too, if the tensor holds one; null if not, or if undefined.
const char* anomaly_in(const Tensor& x, bool inf);

}  // namespace detail

/// A NaN or an Inf appeared under DetectAnomaly.
class XTAPE_API AnomalyError : public Error {
  using Error::Error;
};

/// What counts as an anomaly.
struct AnomalyOptions {
  bool inf = true;     ///< Inf too; false for models that compute with -inf, as masks do
  bool stacks = true;  ///< remember where operations were recorded, for errors in backward
};

/// In its scope (this thread), the first operation whose result holds a NaN or an Inf raises
/// AnomalyError, and so does the first gradient: with the operation's name, its module path and the
/// place in the program that recorded it (file and line with debug information and addr2line, the
/// function's name without). Slow: it reads every result.
class XTAPE_API DetectAnomaly {
 public:
  explicit DetectAnomaly(const AnomalyOptions& options = {});
  ~DetectAnomaly();
  DetectAnomaly(const DetectAnomaly&) = delete;
  DetectAnomaly& operator=(const DetectAnomaly&) = delete;

 private:
  class Watch;
  Owned<Watch> watch_;
};

}  // namespace xtape
