// SPDX-License-Identifier: BSD-3-Clause
#include "parts.hpp"

#include <map>
#include <mutex>

#include "copy_session.hpp"
#include "part_list.hpp"

namespace xtape::nn::detail {
namespace {

// Never destroyed: static modules outlive it otherwise.
struct Registry {
  std::mutex mutex;
  std::map<const void*, PartKind> parts;
};

Registry& registry() {
  static auto* r = new Registry;
  return *r;
}

const char* address_of(const void* p) noexcept { return static_cast<const char*>(p); }

}  // namespace

std::string PartName::str() const {
  std::string own = text.empty() ? std::to_string(index) : std::string(text);
  return outer ? outer->str() + "." + own : own;
}

std::string_view next_name(std::string_view& names) noexcept {
  const auto skip = [](char c) { return c == ' ' || c == ','; };
  while (!names.empty() && skip(names.front())) names.remove_prefix(1);
  std::size_t n = 0;
  while (n < names.size() && !skip(names[n])) ++n;
  const std::string_view name = names.substr(0, n);
  names.remove_prefix(n);
  return name;
}

void register_part(const void* address, PartKind kind) noexcept {
  Registry& r = registry();
  const std::lock_guard lock(r.mutex);
  r.parts[address] = kind;
}

void unregister_part(const void* address) noexcept {
  Registry& r = registry();
  const std::lock_guard lock(r.mutex);
  r.parts.erase(address);
}

std::vector<LivingPart> living_parts(const void* begin, std::size_t size) {
  std::vector<LivingPart> found;
  Registry& r = registry();
  const std::lock_guard lock(r.mutex);
  const void* end = address_of(begin) + size;
  for (auto i = r.parts.lower_bound(begin); i != r.parts.end() && i->first < end; ++i) {
    found.push_back({i->first, i->second});
  }
  return found;
}

namespace {

class Lister final : public PartVisitor {
 public:
  void module(const PartName& name, Module& part) override {
    parts.push_back({name.str(), &part, nullptr, PartKind::module});
  }
  void parameter(const PartName& name, Parameter& part) override {
    parts.push_back({name.str(), nullptr, &part, PartKind::parameter});
  }
  void buffer(const PartName& name, Buffer& part) override {
    parts.push_back({name.str(), nullptr, &part, PartKind::buffer});
  }
  std::vector<ListedPart> parts;
};

}  // namespace

std::vector<ListedPart> listed_parts(const Module& module) {
  // Visiting changes nothing; it is not const because it hands out the parts.
  Lister lister;
  const_cast<Module&>(module).visit_parts(lister);
  return std::move(lister.parts);
}

EndOfParts::EndOfParts(const Module* module, std::size_t size) noexcept
    : offset_(static_cast<std::uint32_t>(address_of(this) - address_of(module))),
      size_(static_cast<std::uint32_t>(size)) {
  end_copy();
}

EndOfParts::EndOfParts(const EndOfParts& other) noexcept
    : offset_(other.offset_), size_(other.size_) {
  end_copy();
}

EndOfParts& EndOfParts::operator=(const EndOfParts&) noexcept {
  end_copy();
  return *this;
}

void EndOfParts::end_copy() const noexcept {
  const void* module = address_of(this) - offset_;
  detail::end_copy(static_cast<const Module*>(module), size_);
}

}  // namespace xtape::nn::detail
