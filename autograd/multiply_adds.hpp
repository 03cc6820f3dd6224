// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>

#include "export.hpp"
#include "owned.hpp"

namespace xtape {

/// Counts the multiply-adds of what this thread computes in its scope, recorded or not: those of
/// matrix products, convolutions, recurrent layers, attention and linear algebra, beside which the
/// rest is little. A bias, what a convolution multiplies with padding and what a mask hides count
/// as the whole product does; factorisations count by the formulas of G. H. Golub and C. F. Van
/// Loan, "Matrix Computations" (2013), those by iteration as is usual.
///
///     MultiplyAdds work;
///     net(x);
///     std::printf("%lld\n", static_cast<long long>(work.total()));
class XTAPE_API MultiplyAdds {
 public:
  MultiplyAdds();
  ~MultiplyAdds();
  MultiplyAdds(const MultiplyAdds&) = delete;
  MultiplyAdds& operator=(const MultiplyAdds&) = delete;

  std::int64_t total() const noexcept;
  /// Those of one module itself, without the modules that it called: "Net.conv2 (Conv2d)".
  std::int64_t of_module(const std::string& path) const noexcept;

 private:
  class Watch;
  Owned<Watch> watch_;
};

}  // namespace xtape
