// SPDX-License-Identifier: BSD-3-Clause
#include "samples.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <numeric>

namespace xtape::test {
namespace {

// f(offset in elements) for each element in row-major order.
template <class F>
void for_each_element(std::span<const std::int64_t> sizes, std::span<const std::int64_t> strides,
                      F f) {
  std::vector<std::int64_t> index(sizes.size(), 0);
  std::int64_t n = 1;
  for (const std::int64_t s : sizes) n *= s;
  for (std::int64_t i = 0; i < n; ++i) {
    std::int64_t offset = 0;
    for (std::size_t d = 0; d < sizes.size(); ++d) offset += index[d] * strides[d];
    f(offset);
    for (std::size_t d = sizes.size(); d-- > 0 && ++index[d] == sizes[d];) index[d] = 0;
  }
}

void put(const Tensor& x, const std::vector<long double>& values) {
  xtape::detail::dispatch(x.dtype(), [&]<class T>(xtape::detail::Type<T>) {
    T* data = reinterpret_cast<T*>(x.value()->data);
    std::size_t i = 0;
    for_each_element(x.sizes(), x.strides(),
                     [&](std::int64_t offset) { data[offset] = static_cast<T>(values[i++]); });
  });
}

std::vector<long double> sample_values(const Argument& a, Random& random,
                                       const std::vector<double>& kinks) {
  const auto n = static_cast<std::size_t>(a.shape.numel());
  std::vector<long double> values(n);
  if (a.distinct) {
    for (std::size_t i = 0; i < n; ++i) {
      values[i] =
          a.low + (a.high - a.low) * (static_cast<double>(i) + 0.5) / static_cast<double>(n);
    }
    for (std::size_t i = n; i > 1; --i) std::swap(values[i - 1], values[random.next() % i]);
  } else {
    for (long double& v : values) v = random.uniform(a.low, a.high);
  }
  if (!is_floating(a.dtype)) {
    for (long double& v : values) v = std::floor(v);
    return values;
  }
  constexpr double kAway = 0.02;
  for (long double& v : values) {
    for (const double kink : kinks) {
      if (std::abs(v - kink) < kAway) v = v < kink ? kink - kAway : kink + kAway;
    }
  }
  return values;
}

struct Buffer {
  std::vector<std::max_align_t> memory;
};

}  // namespace

std::size_t Array::offset(std::initializer_list<std::int64_t> index) const {
  std::int64_t at = 0;
  int d = 0;
  for (const std::int64_t i : index) at = at * shape[d++] + i;
  return static_cast<std::size_t>(at);
}

Array to_array(const Tensor& x) {
  Array a{x.shape(), {}};
  xtape::detail::dispatch(x.dtype(), [&]<class T>(xtape::detail::Type<T>) {
    const T* data = x.data<T>();
    for_each_element(x.sizes(), x.strides(), [&](std::int64_t offset) {
      a.values.push_back(static_cast<long double>(data[offset]));
    });
  });
  return a;
}

Tensor to_tensor(const Array& a, DType dtype) {
  Tensor x = empty(a.shape, dtype);
  put(x, a.values);
  return x;
}

std::uint64_t Random::next() noexcept {
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

double Random::uniform(double low, double high) noexcept {
  return low + (high - low) * (static_cast<double>(next() >> 11) * 0x1p-53);
}

const char* name(Layout layout) noexcept {
  switch (layout) {
    case Layout::contiguous:
      return "contiguous";
    case Layout::transposed:
      return "transposed";
    case Layout::sliced:
      return "sliced";
    case Layout::reversed:
      return "reversed";
    case Layout::unaligned:
      return "unaligned";
  }
  return "";
}

Tensor make(const Argument& a, Random& random, const std::vector<double>& kinks) {
  return to_tensor({a.shape, a.values.empty() ? sample_values(a, random, kinks) : a.values},
                   a.dtype);
}

Tensors make(const Sample& sample, Random& random, const std::vector<double>& kinks) {
  Tensors x;
  for (const Argument& a : sample) x.push_back(make(a, random, kinks));
  return x;
}

Tensor with_layout(const Tensor& x, Layout layout) {
  const int rank = x.dim();
  Shape strides = Shape::filled(rank, 0);
  std::int64_t count = 1, first = 0;
  const auto lay = [&](int d, std::int64_t gap) {
    strides[d] = count;
    count *= std::max<std::int64_t>(1, x.sizes()[d]) * gap;
  };
  if (layout == Layout::transposed) {
    for (int d = 0; d < rank; ++d) lay(d, 1);
  } else {
    for (int d = rank - 1; d >= 0; --d) lay(d, layout == Layout::sliced ? 2 : 1);
  }
  if (layout == Layout::reversed) {
    for (int d = 0; d < rank; ++d) {
      first += strides[d] * std::max<std::int64_t>(0, x.sizes()[d] - 1);
      strides[d] = -strides[d];
    }
  }
  if (layout == Layout::unaligned || layout == Layout::sliced) ++first;
  const std::size_t bytes = static_cast<std::size_t>(count + first + 1) * item_size(x.dtype());
  auto* buffer = new Buffer{std::vector<std::max_align_t>(bytes / sizeof(std::max_align_t) + 1)};
  auto* data = reinterpret_cast<std::byte*>(buffer->memory.data());
  // Gaps hold what no right result can come from.
  std::memset(data, 0x7f, bytes);
  Tensor y = xtape::detail::adopt_memory(
      x.dtype(), data + static_cast<std::size_t>(first) * item_size(x.dtype()), x.sizes(), strides,
      buffer, [](void* owner) { delete static_cast<Buffer*>(owner); });
  put(y, to_array(x).values);
  return y;
}

Tensors converted(const Tensors& x, DType dtype) {
  Tensors y;
  for (const Tensor& t : x) {
    y.push_back(is_floating(t.dtype()) ? to_tensor(to_array(t), dtype) : t);
  }
  return y;
}

Tensor random_gradient(const Tensor& y, Random& random) {
  Array g = Array::filled(y.shape(), 0);
  for (long double& v : g.values) {
    v = random.uniform(0.5, 1.5);
    if (random.next() & 1) v = -v;
    v = static_cast<float>(v);
  }
  return to_tensor(g, y.dtype());
}

Shape common_shape(const std::vector<Shape>& shapes) {
  int rank = 0;
  for (const Shape& s : shapes) rank = std::max(rank, s.rank());
  Shape common = Shape::filled(rank, 1);
  for (const Shape& s : shapes) {
    for (int d = 0; d < s.rank(); ++d) {
      std::int64_t& size = common[rank - s.rank() + d];
      if (s[d] != 1) size = s[d];
    }
  }
  return common;
}

Array broadcast_to(const Array& a, const Shape& shape) {
  Array out{shape, {}};
  const int lead = shape.rank() - a.shape.rank();
  std::vector<std::int64_t> strides(shape.size(), 0);
  std::int64_t step = 1;
  for (int d = a.shape.rank() - 1; d >= 0; --d) {
    if (a.shape[d] != 1) strides[static_cast<std::size_t>(lead + d)] = step;
    step *= a.shape[d];
  }
  for_each_element(shape, strides, [&](std::int64_t offset) {
    out.values.push_back(a.values[static_cast<std::size_t>(offset)]);
  });
  return out;
}

Array rounded(Array a, DType dtype) {
  for (long double& v : a.values) {
    v = dtype == float32 ? static_cast<long double>(static_cast<float>(v))
                         : static_cast<long double>(static_cast<double>(v));
  }
  return a;
}

std::string difference(const Array& got, const Array& expected, double tolerance,
                       double largest_rms) {
  if (got.shape != expected.shape) {
    return "shape " + to_string(got.shape) + ", expected " + to_string(expected.shape);
  }
  long double squares = 0;
  std::size_t count = 0;
  for (const long double b : expected.values) {
    if (!std::isfinite(b)) continue;
    squares += b * b;
    ++count;
  }
  const long double rms =
      std::min<long double>(largest_rms, count ? std::sqrt(squares / count) : 0.0L);
  for (std::size_t i = 0; i < expected.values.size(); ++i) {
    const long double a = got.values[i], b = expected.values[i];
    if (std::isnan(a) && std::isnan(b)) continue;
    if (a == b) continue;
    if (std::abs(a - b) <= tolerance * std::max(std::abs(b), rms) && std::isfinite(a)) continue;
    char text[160];
    std::snprintf(text, sizeof text, "element %zu is %.17Lg, expected %.17Lg (rms %.3Lg)", i, a, b,
                  rms);
    return text;
  }
  return {};
}

std::string difference(const Tensor& got, const Array& expected, double tolerance) {
  if (!got.defined()) return "undefined";
  return difference(to_array(got), expected, tolerance);
}

std::string listed(long double x) {
  char text[48];
  std::snprintf(text, sizeof text, " %.9Lg", x);
  return text;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  if (a.defined() != b.defined()) return false;
  if (!a.defined()) return true;
  if (a.dtype() != b.dtype() || a.shape() != b.shape()) return false;
  const auto bits = [](const Tensor& x) {
    std::vector<std::byte> out;
    const std::size_t item = item_size(x.dtype());
    for_each_element(x.sizes(), x.strides(), [&](std::int64_t offset) {
      const std::byte* p = x.value()->data + offset * static_cast<std::int64_t>(item);
      out.insert(out.end(), p, p + item);
    });
    return out;
  };
  return bits(a) == bits(b);
}

}  // namespace xtape::test
