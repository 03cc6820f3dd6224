// SPDX-License-Identifier: BSD-3-Clause
#include "type_name.hpp"

#include <cstdlib>
#include <memory>

#include "module.hpp"

#if defined(__GNUC__)
#include <cxxabi.h>
#endif

namespace xtape::nn {
namespace detail {
namespace {

std::string demangle(const char* name) {
#if defined(__GNUC__)
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(
      abi::__cxa_demangle(name, nullptr, nullptr, &status), std::free);
  return status == 0 ? text.get() : name;
#else
  return name;
#endif
}

// What follows the last "::" outside of template arguments and parameter lists.
std::string last_component(const std::string& name) {
  int depth = 0;
  for (std::size_t i = name.size(); i-- > 1;) {
    if (name[i] == '>' || name[i] == ')') ++depth;
    if (name[i] == '<' || name[i] == '(') --depth;
    if (depth == 0 && name[i] == ':' && name[i - 1] == ':') return name.substr(i + 1);
  }
  return name;
}

}  // namespace

std::string type_name(const std::type_info& type) { return last_component(demangle(type.name())); }

}  // namespace detail

std::string Module::type_name() const { return detail::type_name(typeid(*this)); }

}  // namespace xtape::nn
