// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "../autograd/export.hpp"
#include "module.hpp"

namespace xtape::nn {

/// A table of a module: `std::puts(nn::summary(net, x).str().c_str())`.
struct Summary {
  struct Row {
    std::string name;                ///< dotted, "" for the module itself
    std::string label;               ///< the name in the list of the module that holds it
    std::string type;                ///< class
    int depth = 0;                   ///< 0 for the module itself
    bool called = false;             ///< the forward call went through it by operator()
    Shape output;                    ///< of its last call
    std::int64_t parameters = 0;     ///< numbers it holds itself, without those of modules below it
    std::int64_t bytes = 0;          ///< of its parameters and buffers
    std::int64_t multiply_adds = 0;  ///< of the call in it itself, as MultiplyAdds counts them
  };
  std::vector<Row> rows;        ///< in the order of the lists, each after the one that holds it
  std::int64_t parameters = 0;  ///< a tied one counts once
  std::int64_t trainable = 0;
  std::int64_t bytes = 0;          ///< of all parameters and buffers
  std::int64_t multiply_adds = 0;  ///< of the whole call

  XTAPE_API std::string str() const;
};

/// Calls the module once, in eval mode and unrecorded, and lists every module below it. Modes and
/// random numbers are left as they were.
XTAPE_API Summary summary(Module& module, const Tensor& input);

}  // namespace xtape::nn
