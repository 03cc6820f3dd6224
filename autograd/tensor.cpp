// SPDX-License-Identifier: BSD-3-Clause
#include "tensor.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <numeric>

#include "block_pool.hpp"
#include "error.hpp"
#include "kernels/copy.hpp"
#include "node.hpp"

namespace xtape {
namespace detail {
namespace {

constexpr std::size_t kHeader = 64;
constexpr std::size_t kSmall = 4096;  // data up to it lie in one block with their first value

std::size_t value_bytes(std::size_t rank) noexcept {
  return sizeof(Value) + 2 * rank * sizeof(std::int64_t);
}

// Storage with its own memory, `before` bytes after its start.
Storage* make_storage(std::size_t before, std::size_t bytes) {
  auto* block = static_cast<std::byte*>(allocate_inline(before + bytes));
  auto* s = ::new (block) Storage;
  s->data = block + before;
  s->bytes = bytes;
  count_storage(static_cast<std::int64_t>(bytes));
  return s;
}

// A row-major value at `place`. Takes over one reference to `storage`.
Value* make_value_at(void* place, DType dtype, std::span<const std::int64_t> sizes,
                     Storage* storage, std::byte* data) noexcept {
  auto* v = ::new (place) Value;
  v->dtype = dtype;
  v->rank = static_cast<std::uint8_t>(sizes.size());
  v->contiguous = true;
  v->with_data = false;
  v->output = 0;
  v->storage = storage;
  v->data = data;
  v->node = nullptr;
  std::int64_t n = 1;
  std::int64_t* out = v->sizes();
  std::int64_t* strides = v->strides();
  for (int i = v->rank - 1; i >= 0; --i) {
    out[i] = sizes[i];
    strides[i] = n;
    n *= sizes[i];
  }
  if (n == 0) {
    const Shape dense = contiguous_strides(sizes);
    std::copy(dense.begin(), dense.end(), strides);
  }
  v->numel = n;
  count_tensor(1);
  return v;
}

Value* make_value(DType dtype, std::span<const std::int64_t> sizes, Storage* storage,
                  std::byte* data) {
  return make_value_at(allocate_inline(value_bytes(sizes.size())), dtype, sizes, storage, data);
}

// A row-major value with memory of its own: one block where that is small. Then the value keeps one
// reference to the block it lies in as long as it lives, whatever memory it shows (`set_data`).
Value* make_fresh(DType dtype, std::span<const std::int64_t> sizes, std::int64_t numel) {
  const std::size_t bytes = static_cast<std::size_t>(numel) * item_size(dtype);
  if (bytes > kSmall) {
    Storage* s = make_storage(kHeader, bytes);
    return make_value(dtype, sizes, s, s->data);
  }
  const std::size_t before = sizeof(Storage) + value_bytes(sizes.size());
  Storage* s = make_storage((before + 63) / 64 * 64, bytes);
  Value* v = make_value_at(s + 1, dtype, sizes, s, s->data);
  v->with_data = true;
  return v;
}

// The storage in whose block the value lies, behind it; null where it has a block of its own.
Storage* home_of(Value* v) noexcept {
  return v->with_data ? reinterpret_cast<Storage*>(v) - 1 : nullptr;
}

bool is_contiguous(std::span<const std::int64_t> sizes, const std::int64_t* strides,
                   std::int64_t numel) noexcept {
  if (numel <= 1) return true;
  std::int64_t step = 1;
  for (int i = static_cast<int>(sizes.size()) - 1; i >= 0; --i) {
    if (sizes[i] != 1 && strides[i] != step) return false;
    step *= sizes[i];
  }
  return true;
}

void set_strides(Value& v, std::span<const std::int64_t> strides) noexcept {
  std::copy(strides.begin(), strides.end(), v.strides());
  v.contiguous = is_contiguous({v.sizes(), v.rank}, v.strides(), v.numel);
}

Node& require_history(const char* what, const Tensor& x) {
  if (!x.requires_grad()) {
    throw GradError(std::string(what) + ": the tensor does not require grad");
  }
  return *x.value()->node;
}

}  // namespace

void destroy(Storage* s) noexcept {
  count_storage(-static_cast<std::int64_t>(s->bytes));
  if (s->release) {
    s->release(s->owner);
    deallocate_inline(s, kHeader);
  } else {
    const auto before = static_cast<std::size_t>(s->data - reinterpret_cast<std::byte*>(s));
    deallocate_inline(s, before + s->bytes);
  }
}

void destroy(Value* v) noexcept {
  if (Node* node = v->node) {
    if (node->leaf) node->extras->value = nullptr;
    release(node);
  }
  count_tensor(-1);
  Storage* home = home_of(v);
  if (v->storage != home) release(v->storage);
  if (home) {
    release(home);
  } else {
    deallocate_inline(v, value_bytes(v->rank));
  }
}

Tensor empty(DType dtype, std::span<const std::int64_t> sizes) {
  return Tensor::adopt(make_fresh(dtype, sizes, checked_numel("empty", sizes)));
}

Tensor empty_like(const Tensor& like, DType dtype) {
  const Value& l = *like.value();
  Value* v = make_fresh(dtype, like.sizes(), l.numel);
  if (!l.contiguous && is_dense(like)) set_strides(*v, like.strides());
  return Tensor::adopt(v);
}

Tensor make_view(const Tensor& base, std::byte* data, std::span<const std::int64_t> sizes,
                 std::span<const std::int64_t> strides) {
  Storage* s = base.value()->storage;
  retain(s);
  Value* v = make_value(base.dtype(), sizes, s, data);
  set_strides(*v, strides);
  return Tensor::adopt(v);
}

Tensor adopt_memory(DType dtype, void* data, std::span<const std::int64_t> sizes,
                    std::span<const std::int64_t> strides, void* owner, void (*release)(void*)) {
  auto* s = ::new (allocate_inline(kHeader)) Storage;
  s->data = static_cast<std::byte*>(data);
  s->bytes = static_cast<std::size_t>(checked_numel("from", sizes)) * item_size(dtype);
  s->owner = owner;
  s->release = release;
  count_storage(static_cast<std::int64_t>(s->bytes));
  Value* v = make_value(dtype, sizes, s, s->data);
  set_strides(*v, strides);
  return Tensor::adopt(v);
}

bool is_dense(const Tensor& x) noexcept {
  if (x.is_contiguous()) return true;
  int order[Shape::kMaxRank];
  const int rank = x.dim();
  const auto sizes = x.sizes();
  const auto strides = x.strides();
  std::iota(order, order + rank, 0);
  std::sort(order, order + rank, [&](int a, int b) { return strides[a] < strides[b]; });
  std::int64_t step = 1;
  for (int k = 0; k < rank; ++k) {
    if (sizes[order[k]] == 1) continue;
    if (strides[order[k]] != step) return false;
    step *= sizes[order[k]];
  }
  return true;
}

namespace {

// Whether two elements may lie in one place: true for expanded views and overlapping windows.
bool may_overlap(const Tensor& x) noexcept {
  if (x.is_contiguous() || x.numel() == 0) return false;
  std::array<std::pair<std::int64_t, std::int64_t>, Shape::kMaxRank> dims;  // stride, size
  std::size_t count = 0;
  for (std::size_t i = 0; i < x.sizes().size(); ++i) {
    if (x.sizes()[i] > 1) dims[count++] = {std::abs(x.strides()[i]), x.sizes()[i]};
  }
  std::sort(dims.begin(), dims.begin() + static_cast<std::ptrdiff_t>(count));
  std::int64_t reach = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (dims[i].first <= reach) return true;
    reach += (dims[i].second - 1) * dims[i].first;
  }
  return false;
}

}  // namespace

void refuse_undefined(const char* operation) {
  throw ValueError(std::string(operation) + ": got an undefined tensor");
}

void check_unrecorded(const char* operation, const Tensor& x) {
  if (!thread_state.grad_mode || !x.requires_grad()) return;
  throw GradError(
      std::string(operation) +
      ": what is written is recorded, and its gradient would be lost; use the functional "
      "form, detach(), or a NoGrad scope");
}

void check_writable(const char* operation, const Tensor& x) {
  check_defined(operation, x);
  const Node* node = x.value()->node;
  if (node && !node->leaf) {
    throw GradError(std::string(operation) +
                    ": a recorded value is never written; use the functional form, or detach()");
  }
  if (node && thread_state.grad_mode) {
    throw GradError(std::string(operation) +
                    ": a leaf that requires grad is written only inside a NoGrad scope");
  }
  if (may_overlap(x)) {
    throw ValueError(
        std::string(operation) +
        ": several elements share one place in memory, as in an expanded view; clone() "
        "it first");
  }
}

void begin_write(const char* operation, const Tensor& x) {
  check_writable(operation, x);
  raise_version(x);
}

}  // namespace detail

std::int64_t Tensor::size(std::int64_t d) const {
  detail::check_defined("size", *this);
  const int i = detail::wrap_dim("size", d, dim());
  return dim() == 0 ? 1 : sizes()[i];
}

std::string Tensor::description() const {
  if (!value_) return "undefined";
  return std::string(name(dtype())) + " " + to_string(sizes());
}

void Tensor::bad_dtype(DType wanted) const {
  throw DTypeError(std::string("data: expected dtype ") + name(wanted) + ", got " + description() +
                   "; convert with to()");
}

Scalar Tensor::item_scalar() const {
  detail::check_defined("item", *this);
  if (numel() != 1) {
    throw ShapeError("item: expected a single element, got shape " + to_string(sizes()));
  }
  return detail::dispatch(dtype(), [&]<class T>(detail::Type<T>) {
    return Scalar(*reinterpret_cast<const T*>(value_->data));
  });
}

Tensor& Tensor::requires_grad_(bool on) {
  detail::check_defined("requires_grad_", *this);
  if (on == (value_->node != nullptr)) return *this;
  if (!on) {
    if (!value_->node->leaf) throw GradError("requires_grad_: a recorded value stays recorded");
    value_->node->extras->value = nullptr;
    detail::release(std::exchange(value_->node, nullptr));
    return *this;
  }
  if (!is_floating(dtype())) {
    throw DTypeError(std::string("requires_grad_: expected a floating dtype, got ") +
                     name(dtype()));
  }
  value_->node = detail::make_leaf(dtype(), sizes());
  value_->node->extras->value = value_;
  value_->output = 0;
  return *this;
}

bool Tensor::is_leaf() const noexcept { return !value_ || !value_->node || value_->node->leaf; }

Tensor Tensor::grad() const {
  if (!value_ || !value_->node || !value_->node->extras) return {};
  const detail::Extras& e = *value_->node->extras;
  if (value_->node->leaf) {
    if (e.holds_rows.load(std::memory_order_acquire)) detail::settle_rows(*value_->node);
    return e.gradient;
  }
  for (const auto& [output, gradient] : e.retained) {
    if (output == static_cast<int>(value_->output)) return gradient;
  }
  return {};
}

void Tensor::set_grad(const Tensor& gradient) {
  if (!gradient.defined() && !requires_grad()) return;
  detail::Node& node = detail::require_history("set_grad", *this);
  if (!node.leaf) throw GradError("set_grad: only a leaf's gradient can be set");
  if (gradient.defined()) {
    if (gradient.dtype() != dtype()) {
      throw DTypeError(std::string("set_grad: expected ") + description() + ", got " +
                       gradient.description());
    }
    if (gradient.shape() != shape()) {
      throw ShapeError(std::string("set_grad: expected ") + description() + ", got " +
                       gradient.description());
    }
  }
  node.extras->gradient = gradient;
  if (!node.extras->holds_rows.load(std::memory_order_relaxed)) return;
  node.extras->holds_rows.store(false, std::memory_order_relaxed);
  node.extras->rows.clear();
}

void Tensor::retain_grad() {
  detail::Node& node = detail::require_history("retain_grad", *this);
  if (node.leaf) return;
  const int output = static_cast<int>(value_->output);
  auto& retained = node.extra().retained;
  const bool there = std::any_of(retained.begin(), retained.end(),
                                 [&](const auto& r) { return r.first == output; });
  if (!there) retained.emplace_back(output, Tensor());
}

void Tensor::add_hook(Owned<detail::Hook> hook) {
  detail::Node& node = detail::require_history("register_hook", *this);
  node.extra().hooks.push_back({static_cast<int>(value_->output), std::move(hook)});
}

void Tensor::add_post_accumulate_hook(Owned<detail::Hook> hook) {
  detail::Node& node = detail::require_history("register_post_accumulate_grad_hook", *this);
  if (!node.leaf) {
    throw GradError("register_post_accumulate_grad_hook: only a leaf accumulates a gradient");
  }
  node.extras->after_accumulation.push_back(std::move(hook));
}

Tensor Tensor::detach() const {
  if (!value_) return *this;
  return detail::make_view(*this, value_->data, sizes(), strides());
}

Tensor& Tensor::copy_(const Tensor& source) {
  detail::check_defined("copy_", *this);
  detail::check_defined("copy_", source);
  detail::check_unrecorded("copy_", source);
  const Shape common = detail::broadcast("copy_", sizes(), source.sizes());
  if (common != shape()) {
    throw ShapeError("copy_: cannot broadcast " + to_string(source.sizes()) + " to " +
                     to_string(sizes()));
  }
  detail::begin_write("copy_", *this);
  Tensor from = source.detach();
  if (from.value_->storage == value_->storage) from = from.clone();  // may overlap
  Shape strides_of_source = Shape::filled(dim(), 0);
  const int lead = dim() - from.dim();
  for (int i = 0; i < from.dim(); ++i) {
    if (from.sizes()[i] != 1) strides_of_source[lead + i] = from.strides()[i];
  }
  kernels::copy_converted(sizes(), dtype(), value_->data, strides().data(), from.dtype(),
                          from.value_->data, strides_of_source.data());
  return *this;
}

Tensor& Tensor::fill_(Scalar x) {
  detail::begin_write("fill_", *this);
  double item[1];
  detail::dispatch(dtype(), [&]<class T>(detail::Type<T>) {
    const T value = x.to<T>();
    std::memcpy(item, &value, sizeof(T));
  });
  const Shape zero = Shape::filled(dim(), 0);
  kernels::copy_items(sizes(), static_cast<int>(item_size(dtype())), value_->data, strides().data(),
                      item, zero.data());
  return *this;
}

Tensor& Tensor::set_data(const Tensor& other) {
  detail::check_defined("set_data", *this);
  if (!other.defined() || other.shape() != shape()) {
    throw ShapeError("set_data: expected shape " + to_string(sizes()) + ", got " +
                     other.description());
  }
  if (value_->node && !value_->node->leaf) {
    throw GradError("set_data: a recorded value is never written");
  }
  if (value_->node && !is_floating(other.dtype())) {
    throw DTypeError(std::string("set_data: expected a floating dtype, got ") +
                     name(other.dtype()));
  }
  // What was saved before must find another version, in the new storage too.
  const std::uint32_t next = value_->storage->version.load() + 1;
  if (other.value_->storage->version.load() < next) other.value_->storage->version = next;
  const detail::Storage* home = detail::home_of(value_);
  if (other.value_->storage != home) detail::retain(other.value_->storage);
  detail::Storage* before = std::exchange(value_->storage, other.value_->storage);
  if (before != home) detail::release(before);
  value_->data = other.value_->data;
  value_->dtype = other.dtype();
  detail::set_strides(*value_, other.strides());
  if (value_->node) {
    const Tensor gradient = grad();
    value_->node->slot_array()[0].dtype = other.dtype();
    if (gradient.defined() && gradient.dtype() != other.dtype()) set_grad({});
  }
  return *this;
}

}  // namespace xtape
