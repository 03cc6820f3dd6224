// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstddef>
#include <string>
#include <typeinfo>
#include <utility>
#include <vector>

#include "../autograd/export.hpp"
#include "../autograd/owned.hpp"
#include "../autograd/scope.hpp"
#include "../autograd/tensor.hpp"
#include "parameter.hpp"
#include "parts.hpp"

namespace xtape::nn {

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;
using NamedModules = std::vector<std::pair<std::string, Module*>>;

namespace detail {

/// The class whose XTAPE_PARTS is in force for an object.
struct ModuleClass {
  const std::type_info* type;
  std::size_t size;
  const void* end_of_parts;  // the members before it are complete when a copy is
};

/// Numbers modules: each object has one that no other ever had.
XTAPE_API std::uint64_t next_serial() noexcept;
struct CallStack;

/// Told of every module call of this thread that returns a tensor, see CallScope::result.
class CallObserver {
 public:
  virtual void called(Module& module, const Tensor& result) = 0;

 protected:
  ~CallObserver() = default;
};

/// Installs an observer and returns the one before.
XTAPE_API CallObserver* set_call_observer(CallObserver* observer) noexcept;

}  // namespace detail

/// Base of everything with parameters. A module is a struct that holds its parts as members and
/// names them once:
///
///     struct Net : nn::Module {
///       nn::Linear a{784, 128}, b{128, 10};
///       XTAPE_PARTS(a, b)
///       Tensor forward(const Tensor& x) override { return b(relu(a(x))); }
///     };
///
/// Copying a module copies its values. At first use a Module, Parameter or Buffer that was
/// constructed inside the object but is missing from the list raises ModuleError.
class XTAPE_API Module {
 public:
  Module() noexcept;
  Module(const Module& other) noexcept;
  Module(Module&& other) noexcept;
  Module& operator=(const Module& other) noexcept;
  Module& operator=(Module&& other) noexcept;
  virtual ~Module();

// With -Wall g++ 13 and newer warn of a `forward` of other arguments, which is to hide this one.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverloaded-virtual"
  /// What the module computes; this one refuses with ModuleError. A `forward` of other arguments
  /// may stand in its place, but only this form serves inside Sequential.
  virtual Tensor forward(const Tensor& x);
#pragma GCC diagnostic pop
  /// Calls `forward` in the module's scope; XTAPE_PARTS brings one for any arguments.
  Tensor operator()(const Tensor& x);
  /// A copy of the whole object. Throws ModuleError where its type cannot be copied.
  virtual Owned<Module> clone() const = 0;

  /// Training mode, on from the start, for this module and all below it.
  Module& train(bool on = true);
  Module& eval() { return train(false); }
  bool is_training() const noexcept { return training_; }

  /// Handles that share the values, a tied one once: a module's own first, then its children's, as
  /// PyTorch orders them.
  std::vector<Tensor> parameters() const;
  std::vector<Tensor> buffers() const;
  /// With dotted names: "conv.weight", "blocks.0.bias".
  NamedTensors named_parameters() const;
  NamedTensors named_buffers() const;
  /// The modules below this one, each after the one that holds it; this one first, named "".
  std::vector<Module*> modules();
  NamedModules named_modules();
  /// The modules that this one lists itself.
  std::vector<Module*> children();
  NamedModules named_children();

  /// Drops the gradients of all parameters.
  void zero_grad();
  /// Converts floating parameters and buffers behind their handles, so that optimizers keep theirs;
  /// gradients of another dtype are dropped. Throws DTypeError unless `dtype` is floating.
  Module& to(DType dtype);
  /// Freezes (false) or unfreezes all parameters.
  Module& requires_grad_(bool on = true);
  /// f(Module&) for every module below this one, children first, then this one.
  template <class F>
  Module& apply(F f) {
    for (Module* m : children()) m->apply(f);
    f(*this);
    return *this;
  }

  /// The name of the class without namespaces, e.g. "Conv2d".
  std::string type_name() const;

  /// For XTAPE_PARTS, which defines both.
  virtual void visit_parts(detail::PartVisitor& visitor) = 0;
  virtual detail::ModuleClass module_class() const noexcept = 0;
  /// Throws ModuleError where a part is missing from the list or listed twice, here or below.
  void check_parts() const {
    if (!checked_.load(std::memory_order_acquire)) check_parts_below("");
  }

 private:
  friend struct detail::CallStack;
  void check_parts_below(const std::string& path) const;

  const std::uint64_t serial_ = detail::next_serial();
  mutable std::atomic<bool> checked_{false};
  bool training_ = true;
};

namespace detail {

/// Lives while a module is called: gives errors and recorded operations their module path.
class XTAPE_API CallScope {
 public:
  explicit CallScope(Module& module);
  ~CallScope();
  CallScope(const CallScope&) = delete;
  CallScope& operator=(const CallScope&) = delete;

  /// Hands a call's result on; of several tensors `output` is looked at, or else the state `h`.
  template <class R>
  R result(R&& y) {
    if (observed_) {
      if constexpr (std::is_base_of_v<Tensor, std::remove_cvref_t<R>>) {
        observe(y);
      } else if constexpr (requires { static_cast<const Tensor&>(y.output); }) {
        observe(y.output);
      } else if constexpr (requires { static_cast<const Tensor&>(y.h); }) {
        observe(y.h);
      }
    }
    return std::forward<R>(y);
  }

 private:
  friend struct CallStack;
  void observe(const Tensor& y) const;

  Module* module_;
  CallScope* outer_;
  bool observed_;
  xtape::detail::ScopeGuard scope_;
};

[[noreturn]] XTAPE_API void refuse_clone(const Module& module);

template <class M, class... P>
Owned<Module> clone_module(const M& module, const P&...) {
  if constexpr (std::is_copy_constructible_v<M> && (is_copyable_part<P>() && ...)) {
    return Owned<M>::make(module);
  } else {
    refuse_clone(module);
  }
}

}  // namespace detail
}  // namespace xtape::nn

/// Names the parts of a module: Modules, Parameters, Buffers, and vectors, arrays, optionals, maps
/// and unique_ptrs of them. Stands in the public part of the class, after the members it names;
/// not in a class local to a function, where C++ has no templates.
#define XTAPE_PARTS(...)                                                                         \
  void visit_parts(::xtape::nn::detail::PartVisitor& xtape_visitor_) override {                  \
    ::xtape::nn::detail::visit_members(xtape_visitor_, #__VA_ARGS__ __VA_OPT__(, ) __VA_ARGS__); \
  }                                                                                              \
  XTAPE_DETAIL_CLONE(__VA_ARGS__)                                                                \
  XTAPE_DETAIL_CALL

/// The same for a class derived from the module `Base`, whose parts come first.
#define XTAPE_PARTS_OF(Base, ...)                                                                \
  void visit_parts(::xtape::nn::detail::PartVisitor& xtape_visitor_) override {                  \
    Base::visit_parts(xtape_visitor_);                                                           \
    ::xtape::nn::detail::visit_members(xtape_visitor_, #__VA_ARGS__ __VA_OPT__(, ) __VA_ARGS__); \
  }                                                                                              \
  XTAPE_DETAIL_CLONE(__VA_ARGS__)                                                                \
  XTAPE_DETAIL_CALL

/// For a class in a header that many files include: declares what XTAPE_PARTS defines;
/// XTAPE_DEFINE_PARTS names the class and its parts in one source file.
#define XTAPE_DECLARE_PARTS()                                                  \
  void visit_parts(::xtape::nn::detail::PartVisitor& xtape_visitor_) override; \
  ::xtape::nn::detail::ModuleClass module_class() const noexcept override;     \
  ::xtape::Owned<::xtape::nn::Module> clone() const override;                  \
  XTAPE_DETAIL_CALL

#define XTAPE_DEFINE_PARTS(Class, ...)                                                           \
  void Class::visit_parts(::xtape::nn::detail::PartVisitor& xtape_visitor_) {                    \
    ::xtape::nn::detail::visit_members(xtape_visitor_, #__VA_ARGS__ __VA_OPT__(, ) __VA_ARGS__); \
  }                                                                                              \
  XTAPE_DEFINE_CLONE(Class __VA_OPT__(, ) __VA_ARGS__)

/// The same for a class that writes `visit_parts` itself.
#define XTAPE_DEFINE_CLONE(Class, ...)                                          \
  ::xtape::nn::detail::ModuleClass Class::module_class() const noexcept {       \
    return {&typeid(Class), sizeof(Class), &xtape_end_of_parts_};               \
  }                                                                             \
  ::xtape::Owned<::xtape::nn::Module> Class::clone() const {                    \
    return ::xtape::nn::detail::clone_module(*this __VA_OPT__(, ) __VA_ARGS__); \
  }

#define XTAPE_DETAIL_CLONE(...)                                                                  \
  ::xtape::nn::detail::ModuleClass module_class() const noexcept override {                      \
    return {&typeid(std::remove_cvref_t<decltype(*this)>), sizeof(*this), &xtape_end_of_parts_}; \
  }                                                                                              \
  ::xtape::Owned<::xtape::nn::Module> clone() const override {                                   \
    return ::xtape::nn::detail::clone_module(*this __VA_OPT__(, ) __VA_ARGS__);                  \
  }

#define XTAPE_DETAIL_CALL                                                                         \
  template <class... XtapeArguments>                                                              \
  decltype(auto) operator()(XtapeArguments&&... xtape_arguments_) {                               \
    ::xtape::nn::detail::CallScope xtape_scope_(*this);                                           \
    return xtape_scope_.result(this->forward(std::forward<XtapeArguments>(xtape_arguments_)...)); \
  }                                                                                               \
  ::xtape::nn::detail::EndOfParts xtape_end_of_parts_{this, sizeof(*this)};
