// SPDX-License-Identifier: BSD-3-Clause
#include <string>

#include "../error.hpp"
#include "../kernels/arithmetic.hpp"
#include "../tape.hpp"
#include "arithmetic.hpp"
#include "creation.hpp"
#include "elementwise.hpp"
#include "indexing.hpp"
#include "math.hpp"
#include "random.hpp"

// Tensor's forms in place: what the function gives is copied back, but for arithmetic that can be
// computed where the tensor lies.
namespace xtape {
namespace {

using kernels::Binary;

// x = f(). What throws leaves x, and its version, as they were. f records, so that an operand whose
// gradient would be lost is noticed.
template <class F>
Tensor& replace(const char* name, Tensor& x, F f) {
  detail::check_writable(name, x);
  const Tensor y = f();
  detail::check_unrecorded(name, y);
  if (detail::category(y.dtype()) > detail::category(x.dtype())) {
    throw DTypeError(std::string(name) + ": the result is " + y.description() +
                     ", which does not fit into " + x.description());
  }
  if (detail::broadcast(name, x.sizes(), y.sizes()) != x.shape()) {
    throw ShapeError(std::string(name) + ": the result is " + y.description() +
                     ", which does not fit into " + x.description());
  }
  return x.copy_(y);
}

// Without a temporary where x is dense and nothing that is written is read at another place.
bool computed_in_place(const char* name, Binary op, const Tensor& x, const Tensor& other) {
  if (!x.defined() || !other.defined() || !is_floating(x.dtype()) || x.dtype() != other.dtype() ||
      x.value()->storage == other.value()->storage || !detail::is_dense(x) ||
      detail::broadcast(name, x.sizes(), other.sizes()) != x.shape()) {
    return false;
  }
  detail::check_unrecorded(name, other);
  detail::begin_write(name, x);
  const Tensor *outputs[] = {&x}, *inputs[] = {&x, &other};
  detail::elementwise_into(kernels::binary_strip(op, x.dtype()), x, outputs, inputs, nullptr);
  return true;
}

bool computed_in_place(const char* name, Binary op, const Tensor& x, Scalar other) {
  return x.defined() && is_floating(x.dtype()) &&
         computed_in_place(name, op, x, scalar_tensor(other, x.dtype()));
}

}  // namespace

#define XTAPE_ARITHMETIC(op, binary, Other)                                     \
  Tensor& Tensor::op##_(Other other) {                                          \
    if (computed_in_place(#op "_", Binary::binary, *this, other)) return *this; \
    return replace(#op "_", *this, [&] { return xtape::op(*this, other); });    \
  }
XTAPE_ARITHMETIC(add, add, const Tensor&)
XTAPE_ARITHMETIC(add, add, Scalar)
XTAPE_ARITHMETIC(sub, sub, const Tensor&)
XTAPE_ARITHMETIC(sub, sub, Scalar)
XTAPE_ARITHMETIC(mul, mul, const Tensor&)
XTAPE_ARITHMETIC(mul, mul, Scalar)
XTAPE_ARITHMETIC(div, div, const Tensor&)
XTAPE_ARITHMETIC(div, div, Scalar)
XTAPE_ARITHMETIC(remainder, remainder, const Tensor&)
XTAPE_ARITHMETIC(remainder, remainder, Scalar)
XTAPE_ARITHMETIC(fmod, fmod, const Tensor&)
XTAPE_ARITHMETIC(fmod, fmod, Scalar)
XTAPE_ARITHMETIC(clamp_min, maximum, Scalar)
XTAPE_ARITHMETIC(clamp_max, minimum, Scalar)
#undef XTAPE_ARITHMETIC

Tensor& Tensor::clamp_(Scalar min, Scalar max) {
  if (computed_in_place("clamp_", Binary::maximum, *this, min)) {
    computed_in_place("clamp_", Binary::minimum, *this, max);
    return *this;
  }
  return replace("clamp_", *this, [&] { return xtape::clamp(*this, min, max); });
}

#define XTAPE_OF_ONE(op)                                              \
  Tensor& Tensor::op##_() {                                           \
    return replace(#op "_", *this, [&] { return xtape::op(*this); }); \
  }
XTAPE_OF_ONE(neg)
XTAPE_OF_ONE(abs)
XTAPE_OF_ONE(sign)
XTAPE_OF_ONE(reciprocal)
XTAPE_OF_ONE(floor)
XTAPE_OF_ONE(ceil)
XTAPE_OF_ONE(round)
XTAPE_OF_ONE(trunc)
XTAPE_OF_ONE(exp)
XTAPE_OF_ONE(log)
XTAPE_OF_ONE(sqrt)
#undef XTAPE_OF_ONE

#define XTAPE_OF_TWO(op, A)                                              \
  Tensor& Tensor::op##_(A a) {                                           \
    return replace(#op "_", *this, [&] { return xtape::op(*this, a); }); \
  }
XTAPE_OF_TWO(pow, const Tensor&)
XTAPE_OF_TWO(pow, Scalar)
XTAPE_OF_TWO(atan2, const Tensor&)
XTAPE_OF_TWO(hypot, const Tensor&)
XTAPE_OF_TWO(nan_to_num, double)
#undef XTAPE_OF_TWO

#define XTAPE_OF_THREE(op, A, B)                                            \
  Tensor& Tensor::op##_(A a, B b) {                                         \
    return replace(#op "_", *this, [&] { return xtape::op(*this, a, b); }); \
  }
XTAPE_OF_THREE(add, const Tensor&, Scalar)
XTAPE_OF_THREE(sub, const Tensor&, Scalar)
XTAPE_OF_THREE(div, const Tensor&, RoundingMode)
XTAPE_OF_THREE(div, Scalar, RoundingMode)
XTAPE_OF_THREE(clamp, const Tensor&, const Tensor&)
XTAPE_OF_THREE(lerp, const Tensor&, double)
XTAPE_OF_THREE(lerp, const Tensor&, const Tensor&)
XTAPE_OF_THREE(masked_fill, const Tensor&, Scalar)
#undef XTAPE_OF_THREE

#define XTAPE_OF_FOUR(op, A, B, C)                                             \
  Tensor& Tensor::op##_(A a, B b, C c) {                                       \
    return replace(#op "_", *this, [&] { return xtape::op(*this, a, b, c); }); \
  }
XTAPE_OF_FOUR(addcmul, const Tensor&, const Tensor&, Scalar)
XTAPE_OF_FOUR(addcdiv, const Tensor&, const Tensor&, Scalar)
XTAPE_OF_FOUR(index_add, std::int64_t, const Tensor&, const Tensor&)
XTAPE_OF_FOUR(scatter, std::int64_t, const Tensor&, const Tensor&)
XTAPE_OF_FOUR(scatter, std::int64_t, const Tensor&, Scalar)
XTAPE_OF_FOUR(scatter_add, std::int64_t, const Tensor&, const Tensor&)
#undef XTAPE_OF_FOUR

Tensor& Tensor::uniform_(double low, double high) {
  return replace("uniform_", *this, [&] { return uniform(low, high, shape(), dtype()); });
}

Tensor& Tensor::normal_(double mean, double std) {
  return replace("normal_", *this, [&] { return normal(mean, std, shape(), dtype()); });
}

Tensor& Tensor::bernoulli_(double p) {
  return replace("bernoulli_", *this, [&] { return bernoulli(full(shape(), p, float64)) != 0; });
}

}  // namespace xtape
