// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// What the kernels on oneDNN share; included by their .cpp files alone.

#include <array>
#include <cstddef>
#include <cstdint>
#include <dnnl.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <new>

namespace xtape::kernels::onednn {

/// Never destroyed: a kernel may run while the process ends.
inline const dnnl::engine& engine() {
  static const auto* const engine = new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return *engine;
}

/// A stream is not to be shared by threads.
inline dnnl::stream& stream() {
  static thread_local dnnl::stream stream(engine());
  return stream;
}

/// Memory that belongs to somebody else.
inline dnnl::memory memory_at(const dnnl::memory::desc& desc, const void* data) {
  return dnnl::memory(desc, engine(), const_cast<void*>(data));
}

/// Scratchpads come from our allocator: oneDNN's own would be freed and faulted in on every call.
inline dnnl::primitive_attr attributes() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

/// What `Primitive` is to do. oneDNN 2 has that in a struct, later ones in the arguments
/// themselves.
template <class Primitive, class... Operation>
typename Primitive::primitive_desc describe(const dnnl::primitive_attr& attributes,
                                            const Operation&... operation) {
#if DNNL_VERSION_MAJOR < 3
  return {typename Primitive::desc(operation...), attributes, engine()};
#else
  return {engine(), operation..., attributes};
#endif
}

/// The same for a gradient of what `forward` describes.
template <class Primitive, class Forward, class... Operation>
typename Primitive::primitive_desc describe_gradient(const Forward& forward,
                                                     const Operation&... operation) {
#if DNNL_VERSION_MAJOR < 3
  return {typename Primitive::desc(operation...), attributes(), engine(), forward};
#else
  return {engine(), operation..., forward, attributes()};
#endif
}

/// Plans by key, for all threads; a plan that is in use survives the clearing of a full cache.
template <std::size_t N, class Plan>
class PlanCache {
 public:
  using Key = std::array<std::int64_t, N>;

  /// The plan of `key`, made by `make()` where there is none; null where oneDNN cannot serve it.
  template <class Make>
  std::shared_ptr<const Plan> get(const Key& key, Make make) {
    {
      const std::lock_guard lock(mutex_);
      const auto found = plans_.find(key);
      if (found != plans_.end()) return found->second;
    }
    std::shared_ptr<const Plan> plan = make_or_null(make);
    const std::lock_guard lock(mutex_);
    if (plans_.size() >= kMostPlans) plans_.clear();
    return plans_.emplace(key, std::move(plan)).first->second;
  }

 private:
  static constexpr std::size_t kMostPlans = 512;

  template <class Make>
  static std::shared_ptr<const Plan> make_or_null(Make& make) {
    try {
      return make();
    } catch (const dnnl::error& error) {
      if (error.status == dnnl_out_of_memory) throw std::bad_alloc();
      if (error.status != dnnl_unimplemented && error.status != dnnl_invalid_arguments) throw;
      return nullptr;
    }
  }

  std::mutex mutex_;
  std::map<Key, std::shared_ptr<const Plan>> plans_;
};

}  // namespace xtape::kernels::onednn
