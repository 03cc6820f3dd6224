// SPDX-License-Identifier: BSD-3-Clause
#include "module.hpp"

#include "../autograd/error.hpp"
#include "copy_session.hpp"
#include "part_list.hpp"
#include "walk.hpp"

namespace xtape::nn {

Module::Module() noexcept { detail::register_part(this, detail::PartKind::module); }

Module::Module(const Module& other) noexcept : training_(other.training_) {
  detail::register_part(this, detail::PartKind::module);
  detail::begin_copy(this, other.module_class().size);
}

Module::Module(Module&& other) noexcept : training_(other.training_) {
  detail::register_part(this, detail::PartKind::module);
}

Module& Module::operator=(const Module& other) noexcept {
  training_ = other.training_;
  checked_ = false;
  detail::begin_copy(this, module_class().size);
  return *this;
}

Module& Module::operator=(Module&& other) noexcept {
  training_ = other.training_;
  checked_ = false;
  return *this;
}

Module::~Module() { detail::unregister_part(this); }

Tensor Module::forward(const Tensor&) {
  throw ModuleError("class " + type_name() + " does not define forward(const Tensor&)");
}

Tensor Module::operator()(const Tensor& x) {
  detail::CallScope scope(*this);
  return scope.result(forward(x));
}

Module& Module::train(bool on) {
  detail::walk(*this, [&](const std::string&, Module& m) { m.training_ = on; });
  return *this;
}

std::vector<Tensor> Module::parameters() const {
  return detail::tensors(*this, detail::PartKind::parameter);
}

std::vector<Tensor> Module::buffers() const {
  return detail::tensors(*this, detail::PartKind::buffer);
}

NamedTensors Module::named_parameters() const {
  return detail::named_tensors(*this, detail::PartKind::parameter);
}

NamedTensors Module::named_buffers() const {
  return detail::named_tensors(*this, detail::PartKind::buffer);
}

NamedModules Module::named_modules() {
  NamedModules all;
  detail::walk(*this, [&](const std::string& path, Module& m) { all.emplace_back(path, &m); });
  return all;
}

std::vector<Module*> Module::modules() {
  std::vector<Module*> all;
  detail::walk(*this, [&](const std::string&, Module& m) { all.push_back(&m); });
  return all;
}

NamedModules Module::named_children() {
  check_parts();
  NamedModules found;
  for (detail::ListedPart& p : detail::listed_parts(*this)) {
    if (p.module) found.emplace_back(std::move(p.name), p.module);
  }
  return found;
}

std::vector<Module*> Module::children() {
  std::vector<Module*> found;
  for (auto& [name, module] : named_children()) found.push_back(module);
  return found;
}

void Module::zero_grad() {
  for (Tensor& p : parameters()) p.zero_grad();
}

Module& Module::to(DType dtype) {
  if (!is_floating(dtype)) {
    throw DTypeError(std::string("to: a module takes floating dtypes only, got ") + name(dtype));
  }
  detail::walk_tensors(*this, [&](const std::string&, detail::OwnedTensor& t, detail::PartKind) {
    if (is_floating(t.dtype()) && t.dtype() != dtype) t.set_data(t.detach().to(dtype));
  });
  return *this;
}

Module& Module::requires_grad_(bool on) {
  for (Tensor& p : parameters()) p.requires_grad_(on);
  return *this;
}

}  // namespace xtape::nn
