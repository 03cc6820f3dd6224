// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <functional>

#include "../autograd/error.hpp"
#include "part_list.hpp"
#include "type_name.hpp"

namespace xtape::nn {
namespace detail {
namespace {

struct Range {
  const char* begin;
  std::size_t size;
  bool contains(const void* p) const noexcept {
    const auto* c = static_cast<const char*>(p);
    return std::less_equal<>()(begin, c) && std::less<>()(c, begin + size);
  }
};

// The whole object, from its most derived class.
Range range_of(const Module& m) {
  return {static_cast<const char*>(dynamic_cast<const void*>(&m)), m.module_class().size};
}

const void* address_of(const ListedPart& p) noexcept {
  return p.module ? static_cast<const void*>(p.module) : static_cast<const void*>(p.tensor);
}

bool is_listed(const void* address, const std::vector<ListedPart>& listed) {
  return std::any_of(listed.begin(), listed.end(), [&](const ListedPart& p) {
    return p.module ? range_of(*p.module).contains(address) : p.tensor == address;
  });
}

std::string kind_name(const LivingPart& p) {
  switch (p.kind) {
    case PartKind::parameter:
      return "Parameter";
    case PartKind::buffer:
      return "Buffer";
    default:
      return static_cast<const Module*>(p.address)->type_name();
  }
}

// The listed member that stands nearest before `address` in the object.
std::string place(const void* address, const Range& object, const std::vector<ListedPart>& listed) {
  const ListedPart* nearest = nullptr;
  for (const ListedPart& p : listed) {
    const void* a = address_of(p);
    if (!object.contains(a) || !std::less<>()(a, address)) continue;
    if (!nearest || std::less<>()(address_of(*nearest), a)) nearest = &p;
  }
  return nearest ? ", declared after '" + nearest->name + "'," : std::string();
}

void check_listed_once(const std::string& who, const std::vector<ListedPart>& listed) {
  for (std::size_t i = 0; i < listed.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (address_of(listed[i]) == address_of(listed[j])) {
        throw ModuleError(who + ": '" + listed[i].name + "' is listed twice in XTAPE_PARTS");
      }
    }
  }
}

// A copy is complete at the macro; ties with a part below it would be lost.
void check_listed_above(const std::string& who, const Module& m,
                        const std::vector<ListedPart>& listed) {
  const Range object = range_of(m);
  const void* end = m.module_class().end_of_parts;
  for (const ListedPart& p : listed) {
    if (object.contains(address_of(p)) && std::less<>()(end, address_of(p))) {
      throw ModuleError(who + ": '" + p.name + "' is declared after XTAPE_PARTS; move the macro " +
                        "below the members it names");
    }
  }
}

void check_all_listed(const std::string& who, const Module& m,
                      const std::vector<ListedPart>& listed) {
  const Range object = range_of(m);
  for (const LivingPart& p : living_parts(object.begin, object.size)) {
    if (p.address == static_cast<const void*>(&m) || is_listed(p.address, listed)) continue;
    throw ModuleError(who + ": a " + kind_name(p) + place(p.address, object, listed) +
                      " is missing from XTAPE_PARTS");
  }
}

}  // namespace
}  // namespace detail

void Module::check_parts_below(const std::string& path) const {
  const std::string type = type_name();
  const std::string who = path.empty() ? type : path + " (" + type + ")";
  const std::type_info& listing = *module_class().type;
  if (typeid(*this) != listing) {
    throw ModuleError(who + ": the class has no list of its own; add XTAPE_PARTS_OF(" +
                      detail::type_name(listing) + ", ...)");
  }
  const auto listed = detail::listed_parts(*this);
  const std::string prefix = (path.empty() ? type : path) + ".";
  for (const detail::ListedPart& p : listed) {
    if (p.module && !p.module->checked_) p.module->check_parts_below(prefix + p.name);
  }
  detail::check_listed_once(who, listed);
  detail::check_listed_above(who, *this, listed);
  detail::check_all_listed(who, *this, listed);
  checked_.store(true, std::memory_order_release);
}

}  // namespace xtape::nn
