// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "scaling.hpp"

// Fits as named tensors; not part of the public interface.
namespace xtape::data::detail {

/// The 1-d tensor of this name and dtype, dense. Throws ValueError "who: ..." where there is none.
Tensor find_state(const char* who, const NamedTensors& state, const std::string& name, DType dtype);

/// Texts as "name.bytes", one after the other, and "name.ends".
void append_texts(NamedTensors& state, const std::string& name,
                  const std::vector<std::string>& texts);
std::vector<std::string> find_texts(const char* who, const NamedTensors& state,
                                    const std::string& name);

}  // namespace xtape::data::detail
