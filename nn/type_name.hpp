// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <typeinfo>

namespace xtape::nn::detail {

/// The name of a class without namespaces; private to nn/.
std::string type_name(const std::type_info& type);

}  // namespace xtape::nn::detail
