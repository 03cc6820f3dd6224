// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "../autograd/export.hpp"
#include "parameter.hpp"

// What XTAPE_PARTS expands to: walking over the members that it lists.
namespace xtape::nn {

class Module;

namespace detail {

/// The name of a part inside its module, "blocks.0"; a text is made of it only where one is wanted.
struct PartName {
  const PartName* outer = nullptr;
  std::string_view text{};
  std::int64_t index = 0;  // used where `text` is empty

  XTAPE_API std::string str() const;
};

/// Receives the parts of one module in the order of its list.
class PartVisitor {
 public:
  virtual void module(const PartName& name, Module& part) = 0;
  virtual void parameter(const PartName& name, Parameter& part) = 0;
  virtual void buffer(const PartName& name, Buffer& part) = 0;

 protected:
  ~PartVisitor() = default;
};

template <class P>
concept SharedPart = std::is_pointer_v<P> || requires(P& p) {
  p.use_count();
};
template <class P>
concept HeldPart = requires(P& p) {
  *p;
  static_cast<bool>(p);
};
template <class P>
concept MappedParts = requires(P& p) {
  typename P::mapped_type;
  p.begin()->second;
};
template <class P>
concept PartRange = requires(P& p) {
  std::begin(p);
  std::end(p);
};
template <class>
inline constexpr bool always_false = false;

template <class P>
void visit_part(PartVisitor& visitor, const PartName& name, P& part) {
  if constexpr (std::is_base_of_v<Module, P>) {
    visitor.module(name, part);
  } else if constexpr (std::is_base_of_v<Parameter, P>) {
    visitor.parameter(name, part);
  } else if constexpr (std::is_base_of_v<Buffer, P>) {
    visitor.buffer(name, part);
  } else if constexpr (std::is_base_of_v<Tensor, P>) {
    static_assert(always_false<P>, "XTAPE_PARTS: make a Tensor a Parameter or a Buffer");
  } else if constexpr (SharedPart<P>) {
    static_assert(always_false<P>,
                  "XTAPE_PARTS: copies of a module would share this part; "
                  "hold it by value, by unique_ptr or as an AnyModule");
  } else if constexpr (HeldPart<P>) {
    if (static_cast<bool>(part)) visit_part(visitor, name, *part);
  } else if constexpr (MappedParts<P>) {
    for (auto& [key, value] : part) {
      if constexpr (std::integral<std::remove_cvref_t<decltype(key)>>) {
        visit_part(visitor, PartName{&name, {}, static_cast<std::int64_t>(key)}, value);
      } else {
        visit_part(visitor, PartName{&name, key}, value);
      }
    }
  } else if constexpr (PartRange<P>) {
    std::int64_t i = 0;
    for (auto& p : part) visit_part(visitor, PartName{&name, {}, i++}, p);
  } else {
    static_assert(always_false<P>,
                  "XTAPE_PARTS: neither a Module, a Parameter, a Buffer nor a container of them");
  }
}

/// Takes the next name off a list as the preprocessor spells it: "conv, fc, drop".
XTAPE_API std::string_view next_name(std::string_view& names) noexcept;

template <class... P>
void visit_members(PartVisitor& visitor, [[maybe_unused]] std::string_view names, P&... parts) {
  (visit_part(visitor, PartName{nullptr, next_name(names)}, parts), ...);
}

/// False for a vector of unique_ptr too, which claims to be copyable.
template <class P>
constexpr bool is_copyable_part() {
  if constexpr (std::is_base_of_v<Module, P> || std::is_base_of_v<Tensor, P>) {
    return std::is_copy_constructible_v<P>;
  } else if constexpr (MappedParts<P>) {
    return is_copyable_part<typename P::mapped_type>();
  } else if constexpr (PartRange<P>) {
    return is_copyable_part<std::remove_cvref_t<decltype(*std::begin(std::declval<P&>()))>>();
  } else {
    return std::is_copy_constructible_v<P>;
  }
}

enum class PartKind : unsigned char { module, parameter, buffer };

/// The living parts by address: how a part that no list names is found.
XTAPE_API void register_part(const void* address, PartKind kind) noexcept;
XTAPE_API void unregister_part(const void* address) noexcept;

/// Stands at the end of a module's list and tells when a copy of the whole module is complete.
class XTAPE_API EndOfParts {
 public:
  EndOfParts(const Module* module, std::size_t size) noexcept;
  EndOfParts(const EndOfParts& other) noexcept;
  EndOfParts& operator=(const EndOfParts& other) noexcept;

 private:
  void end_copy() const noexcept;

  std::uint32_t offset_;  // from the Module to this
  std::uint32_t size_;    // of the class that has the list
};

}  // namespace detail
}  // namespace xtape::nn
