// SPDX-License-Identifier: BSD-3-Clause
#include "containers.hpp"

#include "../autograd/error.hpp"
#include "type_name.hpp"

namespace xtape::nn {

XTAPE_DEFINE_CLONE(Sequential, modules_)

void detail::bad_module_type(const char* operation, const Module& got,
                             const std::type_info& wanted) {
  throw ModuleError(std::string(operation) + ": expected a " + type_name(wanted) + ", got a " +
                    got.type_name());
}

Sequential& Sequential::push_back(AnyModule module) {
  if (!module) throw ModuleError("Sequential: push_back of an empty module");
  modules_.push_back(std::move(module));
  return *this;
}

Module& Sequential::operator[](std::int64_t i) const {
  const std::int64_t n = size();
  if (i < -n || i >= n) {
    throw IndexError("Sequential: index " + std::to_string(i) + " is out of range for " +
                     std::to_string(n) + " modules");
  }
  return *modules_[static_cast<std::size_t>(i < 0 ? i + n : i)];
}

Tensor Sequential::forward(const Tensor& x) {
  Tensor y = x;
  for (AnyModule& module : modules_) y = module(y);
  return y;
}

void Sequential::visit_parts(detail::PartVisitor& visitor) {
  std::int64_t i = 0;
  for (AnyModule& module : modules_) {
    detail::visit_part(visitor, detail::PartName{nullptr, {}, i++}, module);
  }
}

}  // namespace xtape::nn
