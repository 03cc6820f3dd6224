// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "../autograd/export.hpp"
#include "../autograd/owned.hpp"
#include "module.hpp"

namespace xtape::nn {

namespace detail {

template <class M>
concept ModuleValue = std::derived_from<std::remove_cvref_t<M>, Module>;

[[noreturn]] XTAPE_API void bad_module_type(const char* operation, const Module& got,
                                            const std::type_info& wanted);

}  // namespace detail

/// A module of any class, held by value: a copy holds a clone. Serves as a part.
class XTAPE_API AnyModule {
 public:
  AnyModule() noexcept = default;
  /// A temporary is moved from, anything else cloned.
  template <detail::ModuleValue M>
  AnyModule(M&& module) {
    if constexpr (std::is_lvalue_reference_v<M> || std::is_const_v<M>) {
      module_ = module.clone();
    } else {
      module_ = Owned<M>::make(std::move(module));
    }
  }
  AnyModule(Owned<Module> module) noexcept : module_(std::move(module)) {}
  AnyModule(const AnyModule& other) : module_(other ? other->clone() : nullptr) {}
  AnyModule(AnyModule&&) noexcept = default;
  AnyModule& operator=(const AnyModule& other) { return *this = AnyModule(other); }
  AnyModule& operator=(AnyModule&&) noexcept = default;

  explicit operator bool() const noexcept { return module_ != nullptr; }
  Module& operator*() const noexcept { return *module_; }
  Module* operator->() const noexcept { return module_.get(); }
  Tensor operator()(const Tensor& x) { return (*module_)(x); }
  /// The module as an M. Throws ModuleError where it is none.
  template <class M>
  M& as() const {
    if (auto* m = dynamic_cast<M*>(module_.get())) return *m;
    detail::bad_module_type("as", *module_, typeid(M));
  }

 private:
  Owned<Module> module_;
};

/// Modules in a list, named "0", "1", ...: parts of a module whose number is known at run time.
class XTAPE_API ModuleList : public Module {
  std::vector<AnyModule> modules_;  // before the macro, as all parts

 public:
  ModuleList() = default;
  template <detail::ModuleValue... M>
  requires(sizeof...(M) > 1 || (!std::derived_from<std::remove_cvref_t<M>, ModuleList> &&
                                ...)) explicit ModuleList(M&&... modules) {
    modules_.reserve(sizeof...(M));
    (push_back(std::forward<M>(modules)), ...);
  }
  ModuleList(const ModuleList&) = default;
  ModuleList(ModuleList&&) noexcept = default;
  ModuleList& operator=(const ModuleList&) = default;
  ModuleList& operator=(ModuleList&&) noexcept = default;

  /// Throws ModuleError on an empty pointer.
  ModuleList& push_back(AnyModule module);
  std::int64_t size() const noexcept { return static_cast<std::int64_t>(modules_.size()); }
  bool empty() const noexcept { return modules_.empty(); }
  /// Negative indices count from the back. Throws IndexError.
  Module& operator[](std::int64_t i) const;
  /// Module i as an M: `net.at<nn::Linear>(0).weight`. Throws IndexError, ModuleError.
  template <class M>
  M& at(std::int64_t i) const {
    Module& module = (*this)[i];
    if (auto* m = dynamic_cast<M*>(&module)) return *m;
    detail::bad_module_type("at", module, typeid(M));
  }
  std::vector<AnyModule>::iterator begin() noexcept { return modules_.begin(); }
  std::vector<AnyModule>::iterator end() noexcept { return modules_.end(); }

  XTAPE_DECLARE_PARTS()
};

/// Modules called one after the other, each with the result of the one before; its parts are named
/// "0", "1", ... Only `forward(const Tensor&)` is used.
///
///     nn::Sequential net(nn::Linear(784, 128), nn::ReLU(), nn::Linear(128, 10));
class XTAPE_API Sequential : public ModuleList {
 public:
  Sequential() = default;
  template <detail::ModuleValue... M>
  requires(sizeof...(M) > 1 || (!std::same_as<std::remove_cvref_t<M>, Sequential> &&
                                ...)) explicit Sequential(M&&... modules) {
    (push_back(std::forward<M>(modules)), ...);
  }
  Sequential(const Sequential&) = default;
  Sequential(Sequential&&) noexcept = default;
  Sequential& operator=(const Sequential&) = default;
  Sequential& operator=(Sequential&&) noexcept = default;

  Sequential& push_back(AnyModule module);
  Tensor forward(const Tensor& x) override;
  XTAPE_DECLARE_PARTS()
};

/// Modules by name, in the order in which they came.
///
///     nn::ModuleDict heads;
///     heads.insert("digit", nn::Linear(128, 10)).insert("parity", nn::Linear(128, 2));
///     Tensor y = heads["digit"](x);
class XTAPE_API ModuleDict : public Module {
  std::vector<std::pair<std::string, AnyModule>> modules_;

 public:
  ModuleDict() = default;
  ModuleDict(const ModuleDict&) = default;
  ModuleDict(ModuleDict&&) noexcept = default;
  ModuleDict& operator=(const ModuleDict&) = default;
  ModuleDict& operator=(ModuleDict&&) noexcept = default;

  /// Adds a module or replaces the one of this name. Throws ModuleError on an empty pointer, an
  /// empty name and one with a dot.
  ModuleDict& insert(std::string name, AnyModule module);
  bool contains(std::string_view name) const noexcept;
  std::int64_t size() const noexcept { return static_cast<std::int64_t>(modules_.size()); }
  std::vector<std::string> keys() const;
  /// Throws IndexError for a name that is not there.
  Module& operator[](std::string_view name) const;
  template <class M>
  M& at(std::string_view name) const {
    Module& module = (*this)[name];
    if (auto* m = dynamic_cast<M*>(&module)) return *m;
    detail::bad_module_type("at", module, typeid(M));
  }

  XTAPE_DECLARE_PARTS()
};

}  // namespace xtape::nn
