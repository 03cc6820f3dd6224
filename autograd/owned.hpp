// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <type_traits>
#include <utility>

// std::unique_ptr and std::shared_ptr of the thin headers, since <memory> costs each file that
// includes it a fifth of a second and 23 MB. They take over those of the standard library.
namespace xtape {

/// A pointer that gives its object up as std::unique_ptr does.
template <class P, class T>
concept ReleasesTo = requires(P p) {
  { p.release() } -> std::convertible_to<T*>;
};

/// The only owner of an object on the heap; moved, never copied.
template <class T>
class Owned {
 public:
  Owned() noexcept = default;
  Owned(decltype(nullptr)) noexcept {}
  explicit Owned(T* object) noexcept : object_(object) {}
  template <class... A>
  static Owned make(A&&... arguments) {
    return Owned(new T(std::forward<A>(arguments)...));
  }
  Owned(Owned&& other) noexcept : object_(other.release()) {}
  /// From an Owned or a std::unique_ptr of a derived class.
  template <ReleasesTo<T> P>
  requires(!std::is_lvalue_reference_v<P>) Owned(P&& other)
  noexcept : object_(other.release()) {}
  Owned& operator=(Owned other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Owned() {
    static_assert(sizeof(T) > 0, "an object of an incomplete type cannot be deleted");
    delete object_;
  }

  /// To std::unique_ptr<T>.
  template <class P>
  requires std::same_as<typename P::element_type, T> && ReleasesTo<P, T>
  operator P() && noexcept { return P(release()); }

  T* get() const noexcept { return object_; }
  T& operator*() const noexcept { return *object_; }
  T* operator->() const noexcept { return object_; }
  explicit operator bool() const noexcept { return object_ != nullptr; }
  friend bool operator==(const Owned& a, decltype(nullptr)) noexcept { return !a; }

  /// The object, from now on the caller's to delete.
  T* release() noexcept { return std::exchange(object_, nullptr); }
  void reset() noexcept { delete release(); }

 private:
  T* object_ = nullptr;
};

/// An object that lives until the last of its owners goes; counted, from any thread.
template <class T>
class Shared {
 public:
  Shared() noexcept = default;
  template <class... A>
  static Shared make(A&&... arguments) {
    return Owned<T>::make(std::forward<A>(arguments)...);
  }
  Shared(const Shared& other) noexcept : object_(other.object_), count_(other.count_) {
    if (count_ != nullptr) count_->owners.fetch_add(1, std::memory_order_relaxed);
  }
  Shared(Shared&& other) noexcept
      : object_(std::exchange(other.object_, nullptr)),
        count_(std::exchange(other.count_, nullptr)) {}
  /// Keeps `owner` (a std::shared_ptr, a Shared of a derived class, ...) and points to what it
  /// does.
  template <class P>
  requires(!std::same_as<P, Shared>) && requires(const P& p) {
    { p.get() } -> std::convertible_to<T*>;
  }
  Shared(P owner) : object_(owner.get()) {
    if (object_ != nullptr) count_ = new Kept<P>(std::move(owner));
  }
  Shared& operator=(Shared other) noexcept {
    std::swap(object_, other.object_);
    std::swap(count_, other.count_);
    return *this;
  }
  ~Shared() {
    if (count_ != nullptr && count_->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      delete count_;
    }
  }

  T* get() const noexcept { return object_; }
  std::add_lvalue_reference_t<T> operator*() const noexcept { return *object_; }
  T* operator->() const noexcept { return object_; }
  explicit operator bool() const noexcept { return object_ != nullptr; }
  /// For those who look for pointers that share what they point to (XTAPE_PARTS refuses them).
  std::uint32_t use_count() const noexcept { return count_ == nullptr ? 0 : count_->owners.load(); }

 private:
  struct Count {
    virtual ~Count() = default;
    std::atomic<std::uint32_t> owners{1};
  };
  template <class P>
  struct Kept final : Count {
    explicit Kept(P owner) : owner(std::move(owner)) {}
    P owner;
  };

  T* object_ = nullptr;
  Count* count_ = nullptr;
};

}  // namespace xtape
