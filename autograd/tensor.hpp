// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <utility>

#include "dtype.hpp"
#include "export.hpp"
#include "owned.hpp"
#include "scalar.hpp"
#include "shape.hpp"
#include "value.hpp"

namespace xtape {

class Tensor;
class Index;
enum class RoundingMode : std::uint8_t;
struct BackwardOptions;

namespace detail {

/// A function kept by the tape. One on gradients may replace the gradient that it is called with;
/// one after accumulation is called with the leaf.
struct Hook {
  virtual ~Hook() = default;
  virtual void call(Tensor& x) = 0;
};

/// The error of all that needs a value and is given an undefined tensor.
[[noreturn]] XTAPE_API void refuse_undefined(const char* operation);

}  // namespace detail

/// A handle to an n-dimensional array, cheap to copy: copies share the value. A recorded value
/// never changes; operations make new ones. Views share memory.
class XTAPE_API Tensor {
 public:
  /// An undefined tensor: no value at all.
  Tensor() noexcept = default;
  Tensor(const Tensor& other) noexcept : value_(other.value_) {
    if (value_) detail::retain(value_);
  }
  Tensor(Tensor&& other) noexcept : value_(std::exchange(other.value_, nullptr)) {}
  /// Makes this handle one of `other`. Not for temporaries: `x[0] = y` would change nothing; write
  /// with `copy_` or `index_put_`.
  Tensor& operator=(const Tensor& other) & noexcept {
    Tensor(other).swap(*this);
    return *this;
  }
  Tensor& operator=(Tensor&& other) & noexcept {
    Tensor(std::move(other)).swap(*this);
    return *this;
  }
  ~Tensor() {
    if (value_) detail::release(value_);
  }
  void swap(Tensor& other) noexcept { std::swap(value_, other.value_); }

  // --- what it is -------------------------------------------------------------------------------
  bool defined() const noexcept { return value_ != nullptr; }
  // These and all below throw ValueError where the tensor is undefined, but for description() and
  // what concerns gradients.
  DType dtype() const { return checked("dtype")->dtype; }
  int dim() const { return checked("dim")->rank; }
  std::int64_t numel() const { return checked("numel")->numel; }
  /// A copy of the sizes, e.g. `x.shape() == Shape{2, 3}`.
  Shape shape() const { return Shape(sizes()); }
  /// Size of one dimension; negative counts from the back. Throws IndexError.
  std::int64_t size(std::int64_t dim) const;
  /// Sizes and strides (in elements) in place: valid as long as this tensor.
  std::span<const std::int64_t> sizes() const { return {checked("sizes")->sizes(), value_->rank}; }
  std::span<const std::int64_t> strides() const {
    return {checked("strides")->strides(), value_->rank};
  }
  /// Dense and row-major.
  bool is_contiguous() const { return checked("is_contiguous")->contiguous; }
  /// "float32 [2, 3]"
  std::string description() const;

  // --- its elements -----------------------------------------------------------------------------
  /// The first element; the others lie at `strides()`. Throws DTypeError where T is another type.
  template <class T>
  const T* data() const {
    check_dtype(dtype_of<T>);
    return reinterpret_cast<const T*>(value_->data);
  }
  /// The single element, converted. Throws ShapeError unless `numel() == 1`.
  template <class T>
  T item() const {
    return static_cast<T>(item_scalar().template to<T>());
  }
  /// A read-only xtensor expression over this tensor's memory, valid as long as a handle to it;
  /// needs <xtape/autograd/xtensor.hpp>. Throws DTypeError where T is another type.
  template <class T>
  auto array() const&;
  template <class T>
  auto array() const&& = delete;  // the memory would be gone at the end of the statement
  /// Writable access for the time of the object's life; needs <xtape/autograd/xtensor.hpp>.
  /// Throws GradError on a recorded value and, while recording, on a leaf that requires grad.
  template <class T>
  auto mutable_array();

  // --- gradients --------------------------------------------------------------------------------
  // An undefined tensor is a leaf that requires no grad; requires_grad_() throws ValueError.
  bool requires_grad() const noexcept { return value_ && value_->node != nullptr; }
  /// Makes a leaf collect gradients. Throws GradError on a recorded value, DTypeError on integers.
  Tensor& requires_grad_(bool on = true);
  bool is_leaf() const noexcept;
  /// The collected gradient: undefined before the first backward. Also of a recorded value after
  /// `retain_grad()`.
  Tensor grad() const;
  /// Replaces the gradient of a leaf; an undefined one drops it. Throws ShapeError, DTypeError.
  void set_grad(const Tensor& gradient);
  void zero_grad() { set_grad(Tensor()); }
  /// Keeps the gradient of a recorded value; no effect on a leaf.
  void retain_grad();
  /// f(gradient) runs whenever this value's gradient is complete; it may return a replacement.
  template <class F>
  void register_hook(F f);
  /// f(leaf) runs after this leaf's gradient was added to `.grad()`, while the sweep goes on.
  template <class F>
  void register_post_accumulate_grad_hook(F f);
  /// Adds d(this)/d(leaf) to every leaf's gradient. Throws GradError where `this` is no scalar and
  /// no seed is given, has no history, or its graph was released by an earlier call.
  void backward() const;
  void backward(const BackwardOptions& options) const;
  /// The same memory without history.
  Tensor detach() const;

  // --- new tensors ------------------------------------------------------------------------------
  /// A copy in memory of its own; recorded.
  Tensor clone() const;
  /// Itself where contiguous, else a row-major copy; recorded.
  Tensor contiguous() const;
  /// Converted; itself where the dtype is the same; recorded between floating types.
  Tensor to(DType dtype) const;
  Tensor reshape(const Shape& shape) const;
  Tensor view(const Shape& shape) const;
  Tensor flatten(std::int64_t start_dim = 0, std::int64_t end_dim = -1) const;
  Tensor transpose(std::int64_t dim0, std::int64_t dim1) const;
  Tensor permute(const Shape& dims) const;
  Tensor t() const;
  Tensor expand(const Shape& shape) const;
  Tensor squeeze() const;
  Tensor squeeze(std::int64_t dim) const;
  Tensor unsqueeze(std::int64_t dim) const;
  Tensor sum() const;
  Tensor sum(const Shape& dims, bool keepdim = false) const;
  Tensor mean() const;
  Tensor mean(const Shape& dims, bool keepdim = false) const;
  /// x[2], x[{1, slice(2, 5), none, ellipsis}]: a view; with tensors of positions or masks among
  /// the indices, x[{ellipsis, mask}], a copy. Recorded.
  Tensor operator[](std::int64_t i) const;
  Tensor operator[](std::initializer_list<Index> indices) const;

  // --- writing (leaves only) --------------------------------------------------------------------
  /// Writes `source`, broadcast and converted, into this leaf. Throws GradError on a recorded value
  /// and, while recording (use NoGrad), on a leaf or a source that requires grad; ValueError on an
  /// expanded view.
  Tensor& copy_(const Tensor& source);
  Tensor& fill_(Scalar x);
  Tensor& zero_() { return fill_(0); }
  /// Writes `values`, broadcast, to x[{...}]; where a position occurs several times the last one
  /// counts, or all are added with `accumulate`. Throws as copy_ does, and IndexError.
  Tensor& index_put_(std::initializer_list<Index> indices, const Tensor& values,
                     bool accumulate = false);
  Tensor& index_put_(std::initializer_list<Index> indices, Scalar value, bool accumulate = false);
  /// x.op_(...) writes what op(x, ...) of ops/ gives into x, broadcast and converted. Throw as
  /// copy_ does, and DTypeError where the result is of a higher category.
  Tensor& add_(const Tensor& other);
  Tensor& add_(Scalar other);
  Tensor& add_(const Tensor& other, Scalar alpha);  ///< this + alpha other
  Tensor& sub_(const Tensor& other);
  Tensor& sub_(Scalar other);
  Tensor& sub_(const Tensor& other, Scalar alpha);  ///< this - alpha other
  Tensor& mul_(const Tensor& other);
  Tensor& mul_(Scalar other);
  Tensor& div_(const Tensor& other);
  Tensor& div_(Scalar other);
  Tensor& div_(const Tensor& other, RoundingMode rounding_mode);
  Tensor& div_(Scalar other, RoundingMode rounding_mode);
  Tensor& remainder_(const Tensor& other);
  Tensor& remainder_(Scalar other);
  Tensor& fmod_(const Tensor& other);
  Tensor& fmod_(Scalar other);
  Tensor& pow_(const Tensor& exponent);
  Tensor& pow_(Scalar exponent);
  Tensor& atan2_(const Tensor& other);
  Tensor& hypot_(const Tensor& other);
  Tensor& neg_();
  Tensor& abs_();
  Tensor& sign_();
  Tensor& reciprocal_();
  Tensor& floor_();
  Tensor& ceil_();
  Tensor& round_();
  Tensor& trunc_();
  Tensor& exp_();
  Tensor& log_();
  Tensor& sqrt_();
  Tensor& clamp_(Scalar min, Scalar max);
  Tensor& clamp_(const Tensor& min, const Tensor& max);
  Tensor& clamp_min_(Scalar min);
  Tensor& clamp_max_(Scalar max);
  Tensor& lerp_(const Tensor& end, double weight);
  Tensor& lerp_(const Tensor& end, const Tensor& weight);
  Tensor& addcmul_(const Tensor& a, const Tensor& b, Scalar value = 1);
  Tensor& addcdiv_(const Tensor& a, const Tensor& b, Scalar value = 1);
  Tensor& nan_to_num_(double nan = 0);
  Tensor& masked_fill_(const Tensor& mask, Scalar value);
  Tensor& index_add_(std::int64_t dim, const Tensor& index, const Tensor& source);
  Tensor& scatter_(std::int64_t dim, const Tensor& index, const Tensor& source);
  Tensor& scatter_(std::int64_t dim, const Tensor& index, Scalar value);
  Tensor& scatter_add_(std::int64_t dim, const Tensor& index, const Tensor& source);
  /// Fresh numbers of this thread's generator, as `uniform`, `normal` and `bernoulli` draw them;
  /// nn::init has the same for parameters.
  Tensor& uniform_(double low = 0, double high = 1);
  Tensor& normal_(double mean = 0, double std = 1);
  Tensor& bernoulli_(double p = 0.5);
  /// Takes over the data of `other` (same shape; dtype may differ): what other handles of this leaf
  /// see changes too, and gradients stay apart. Throws ShapeError.
  Tensor& set_data(const Tensor& other);

  // --- for the library --------------------------------------------------------------------------
  detail::Value* value() const noexcept { return value_; }
  /// Takes over one reference.
  static Tensor adopt(detail::Value* value) noexcept {
    Tensor t;
    t.value_ = value;
    return t;
  }
  detail::Value* release() noexcept { return std::exchange(value_, nullptr); }

 private:
  const detail::Value* checked(const char* what) const {
    if (!value_) [[unlikely]]
      detail::refuse_undefined(what);
    return value_;
  }
  void check_dtype(DType wanted) const {
    if (checked("data")->dtype != wanted) [[unlikely]]
      bad_dtype(wanted);
  }
  [[noreturn]] void bad_dtype(DType wanted) const;
  Scalar item_scalar() const;
  void add_hook(Owned<detail::Hook> hook);
  void add_post_accumulate_hook(Owned<detail::Hook> hook);

  detail::Value* value_ = nullptr;
};

/// Where nothing else is said, gradients are those of a scalar and the graph is released.
struct BackwardOptions {
  Tensor seed{};              ///< gradient of the tensor itself; needed unless it is a scalar
  bool retain_graph = false;  ///< keep what is saved, for another sweep
  bool create_graph = false;  ///< record the gradients' own graph; keeps the graph too
};

/// A non-owning reference to a tensor that outlives the call: argument lists without counting.
struct TensorRef {
  TensorRef(const Tensor& t) noexcept : tensor(&t) {}
  const Tensor* tensor;
};
using TensorList = std::initializer_list<TensorRef>;

template <class F>
void Tensor::register_hook(F f) {
  struct Wrapped final : detail::Hook {
    explicit Wrapped(F g) : f(std::move(g)) {}
    void call(Tensor& gradient) override {
      if constexpr (std::is_void_v<decltype(f(std::as_const(gradient)))>) {
        f(std::as_const(gradient));
      } else {
        Tensor replacement = f(std::as_const(gradient));
        if (replacement.defined()) gradient = std::move(replacement);
      }
    }
    F f;
  };
  add_hook(Owned<Wrapped>::make(std::move(f)));
}

template <class F>
void Tensor::register_post_accumulate_grad_hook(F f) {
  struct Wrapped final : detail::Hook {
    explicit Wrapped(F g) : f(std::move(g)) {}
    void call(Tensor& leaf) override { f(leaf); }
    F f;
  };
  add_post_accumulate_hook(Owned<Wrapped>::make(std::move(f)));
}

namespace detail {

/// An uninitialised dense tensor, row-major.
XTAPE_API Tensor empty(DType dtype, std::span<const std::int64_t> sizes);
/// An uninitialised dense tensor with the dimensions in the memory order of `like`, a tensor of the
/// same shape (row-major where `like` is not dense).
XTAPE_API Tensor empty_like(const Tensor& like, DType dtype);
/// A view of `base`'s storage starting at `data`; not recorded.
XTAPE_API Tensor make_view(const Tensor& base, std::byte* data, std::span<const std::int64_t> sizes,
                           std::span<const std::int64_t> strides);
/// Memory of another owner, `release(owner)` when the last view is gone.
XTAPE_API Tensor adopt_memory(DType dtype, void* data, std::span<const std::int64_t> sizes,
                              std::span<const std::int64_t> strides, void* owner,
                              void (*release)(void*));
/// Every element in memory once, without gaps (in any order of dimensions).
XTAPE_API bool is_dense(const Tensor& x) noexcept;
/// True where nobody but this handle can see the memory.
inline bool is_sole_owner(const Tensor& x) noexcept {
  return x.value()->refs.load(std::memory_order_acquire) == 1 &&
         x.value()->storage->refs.load(std::memory_order_acquire) == 1;
}
/// The elements of a fresh result, for the operation that computes it.
template <class T>
T* fresh_data(const Tensor& y) noexcept {
  return reinterpret_cast<T*>(y.value()->data);
}
/// Throws ValueError naming the operation where `x` is undefined.
inline void check_defined(const char* operation, const Tensor& x) {
  if (!x.defined()) [[unlikely]]
    refuse_undefined(operation);
}
/// Throws GradError where `x` may not be written now, ValueError where several of its elements
/// share one place.
XTAPE_API void check_writable(const char* operation, const Tensor& x);
/// Throws GradError where `x` is recorded, and would lose its gradient when it is written
/// elsewhere.
XTAPE_API void check_unrecorded(const char* operation, const Tensor& x);
/// check_writable, then raises the version of x.
XTAPE_API void begin_write(const char* operation, const Tensor& x);
inline void raise_version(const Tensor& x) noexcept {
  x.value()->storage->version.fetch_add(1, std::memory_order_release);
}

}  // namespace detail
}  // namespace xtape
