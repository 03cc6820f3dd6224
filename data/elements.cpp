// SPDX-License-Identifier: BSD-3-Clause
#include "elements.hpp"

#include <algorithm>

namespace xtape::data::detail {
namespace {

float widen_f16(std::uint16_t bits) {
  const std::uint32_t sign = std::uint32_t{bits & 0x8000u} << 16;
  const std::uint32_t exponent = bits >> 10 & 31u, fraction = bits & 1023u;
  if (exponent == 0) {  // zero and numbers below 2^-14: fraction * 2^-24
    const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    return sign != 0 ? -magnitude : magnitude;
  }
  const std::uint32_t wide = exponent == 31 ? 255 : exponent + 112;  // 112: the biases' difference
  return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}

// Elements of type From in the file become To by `f`, in steps of bounded size.
template <class From, class To, class F>
void convert(Source& from, To* to, std::int64_t count, F f) {
  From buffer[4096];
  for (std::int64_t done = 0; done < count;) {
    const std::int64_t step = std::min<std::int64_t>(count - done, 4096);
    from.read(buffer, static_cast<std::size_t>(step) * sizeof(From));
    std::transform(buffer, buffer + step, to + done, f);
    done += step;
  }
}

template <class From>
void convert_integers(Source& from, const Tensor& x) {
  convert<From>(from, xtape::detail::fresh_data<std::int64_t>(x), x.numel(),
                [](From v) { return std::int64_t{v}; });
}

void check_booleans(const Source& from, const Tensor& x, const std::string& where) {
  if (x.dtype() != boolean) return;
  const std::byte* bytes = x.value()->data;
  if (std::any_of(bytes, bytes + x.numel(), [](std::byte b) { return b > std::byte{1}; })) {
    from.fail(where + ": a BOOL is neither 0 nor 1");
  }
}

}  // namespace

Tensor read_elements(Source& from, const Shape& shape, DType dtype, Element element,
                     const std::string& where) {
  Tensor x = xtape::detail::empty(dtype, shape);
  using xtape::detail::fresh_data;
  switch (element) {
    case Element::copied:
      from.read(x.value()->data, static_cast<std::size_t>(x.numel()) * item_size(dtype));
      break;
    case Element::f16:
      convert<std::uint16_t>(from, fresh_data<float>(x), x.numel(), widen_f16);
      break;
    case Element::bf16:
      convert<std::uint16_t>(from, fresh_data<float>(x), x.numel(), [](std::uint16_t bits) {
        return std::bit_cast<float>(std::uint32_t{bits} << 16);
      });
      break;
    case Element::i8:
      convert_integers<std::int8_t>(from, x);
      break;
    case Element::i16:
      convert_integers<std::int16_t>(from, x);
      break;
    case Element::i32:
      convert_integers<std::int32_t>(from, x);
      break;
    case Element::u16:
      convert_integers<std::uint16_t>(from, x);
      break;
    case Element::u32:
      convert_integers<std::uint32_t>(from, x);
      break;
  }
  check_booleans(from, x, where);
  return x;
}

bool is_mappable(Element element, DType dtype, std::uint64_t begin) {
  return element == Element::copied && begin % item_size(dtype) == 0;
}

Tensor map_elements(const Source& from, const std::shared_ptr<std::byte>& mapping,
                    std::uint64_t begin, const Shape& shape, DType dtype,
                    const std::string& where) {
  using Owner = std::shared_ptr<std::byte>;
  auto owner = std::make_unique<Owner>(mapping);
  Tensor x = xtape::detail::adopt_memory(dtype, mapping.get() + begin, shape,
                                         xtape::detail::contiguous_strides(shape), owner.get(),
                                         [](void* o) { delete static_cast<Owner*>(o); });
  (void)owner.release();
  check_booleans(from, x, where);
  return x;
}

}  // namespace xtape::data::detail
