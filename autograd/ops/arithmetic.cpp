// SPDX-License-Identifier: BSD-3-Clause
#include "arithmetic.hpp"

#include <algorithm>
#include <string>

#include "../error.hpp"
#include "../kernels/arithmetic.hpp"
#include "../parallel.hpp"
#include "../tape.hpp"
#include "creation.hpp"
#include "elementwise.hpp"
#include "reductions.hpp"

namespace xtape {
namespace {

using kernels::Binary;
using kernels::Comparison;

Tensor with_dtype(const Tensor& x, DType dtype) { return x.dtype() == dtype ? x : x.to(dtype); }

// Division of integers is done in float32.
DType computed_in(Binary op, DType dtype) noexcept {
  return op == Binary::div && !is_floating(dtype) ? float32 : dtype;
}

bool is_whole_division(Binary op) noexcept {
  return op == Binary::div_floor || op == Binary::div_trunc || op == Binary::remainder ||
         op == Binary::fmod;
}

void check_division(const char* name, Binary op, DType dtype, bool by_zero) {
  if (!is_whole_division(op) || is_floating(dtype)) return;
  if (dtype == boolean) throw DTypeError(std::string(name) + ": booleans cannot be divided");
  if (by_zero) throw ValueError(std::string(name) + ": an integer is divided by 0");
}

// f over two row-major tensors of one shape into y, another of these or one of the two: the common
// case, with little around it.
void compute_into(kernels::StripFunction f, const Tensor& y, const Tensor& a, const Tensor& b) {
  const auto in = static_cast<std::int64_t>(item_size(a.dtype()));
  const auto out = static_cast<std::int64_t>(item_size(y.dtype()));
  constexpr std::int64_t kSteps[3] = {1, 1, 1};
  detail::parallel_for(
      y.numel(), detail::kElementwiseGrain, [&](std::int64_t begin, std::int64_t end) {
        std::byte* const pointers[3] = {y.value()->data + begin * out, a.value()->data + begin * in,
                                        b.value()->data + begin * in};
        f(nullptr, pointers, kSteps, end - begin);
      });
}

Tensor compute(const char* name, Binary op, const Tensor& a, const Tensor& b) {
  detail::check_defined(name, a);
  detail::check_defined(name, b);
  const DType dtype = computed_in(op, a.dtype() == b.dtype() ? a.dtype() : result_type(a, b));
  if (is_whole_division(op) && !is_floating(dtype)) {
    check_division(name, op, dtype, !all(b).item<bool>());
  }
  if (a.dtype() == dtype && b.dtype() == dtype && detail::pair_up(a, b)) {
    Tensor y = detail::empty_like(a, dtype);
    compute_into(kernels::binary_strip(op, dtype), y, a, b);
    return y;
  }
  if (a.dtype() != dtype || b.dtype() != dtype) {
    const NoGrad no_grad;  // the sweep converts gradients back
    return detail::elementwise(name, kernels::binary_strip(op, dtype), dtype,
                               {with_dtype(a, dtype), with_dtype(b, dtype)});
  }
  return detail::elementwise(name, kernels::binary_strip(op, dtype), dtype, {a, b});
}

Tensor compute(const char* name, Binary op, const Tensor& a, Scalar b, bool swapped = false) {
  detail::check_defined(name, a);
  const DType dtype = computed_in(op, b.promote_with(a.dtype()));
  const kernels::StripFunction f = kernels::binary_strip(op, dtype);
  return detail::dispatch(dtype, [&]<class T>(detail::Type<T>) {
    const T number = b.to<T>();
    if (is_whole_division(op) && !is_floating(dtype)) {
      check_division(name, op, dtype, swapped ? !all(a).item<bool>() : number == T(0));
    }
    if (a.dtype() == dtype) return detail::elementwise_number(f, a, &number, swapped);
    const NoGrad no_grad;
    return detail::elementwise_number(f, a.to(dtype), &number, swapped);
  });
}

Tensor compare(const char* name, Comparison op, const Tensor& a, const Tensor& b) {
  detail::check_defined(name, a);
  detail::check_defined(name, b);
  const NoGrad no_grad;
  const DType dtype = result_type(a, b);
  return detail::elementwise(name, kernels::comparison_strip(op, dtype), boolean,
                             {with_dtype(a, dtype), with_dtype(b, dtype)});
}

Tensor compare(const char* name, Comparison op, const Tensor& a, Scalar b) {
  detail::check_defined(name, a);
  const NoGrad no_grad;
  const DType dtype = b.promote_with(a.dtype());
  const Tensor x = with_dtype(a, dtype);
  return detail::dispatch(dtype, [&]<class T>(detail::Type<T>) {
    const T number = b.to<T>();
    return detail::elementwise_number(kernels::comparison_strip(op, dtype), x, &number, false,
                                      boolean);
  });
}

Tensor zero_of(const Tensor& g) { return scalar_tensor(0, g.dtype()); }

// g where a wins over b, half of it where they are equal (or either is NaN), 0 elsewhere.
Tensor share(const Tensor& g, const Tensor& wins, const Tensor& loses) {
  return where(wins, g, where(loses, zero_of(g), g * 0.5));
}

Tensor extremum(const char* name, Binary op, const Tensor& a, const Tensor& b) {
  Tensor y = compute(name, op, a, b);
  const auto closure = [op](Backward& t) {
    const Tensor a = t.saved(0), b = t.saved(1);
    const bool max = op == Binary::maximum;
    const Tensor first = max ? gt(a, b) : lt(a, b), second = max ? lt(a, b) : gt(a, b);
    if (t.needs(0)) t.add(0, share(t.g(), first, second));
    if (t.needs(1)) t.add(1, share(t.g(), second, first));
  };
  if (op == Binary::maximum) {
    record("maximum", y, {a, b}, saves(a, b), closure);
  } else {
    record("minimum", y, {a, b}, saves(a, b), closure);
  }
  return y;
}

}  // namespace

namespace detail {

void check_floating(const char* operation, const Tensor& x) {
  check_defined(operation, x);
  if (is_floating(x.dtype())) return;
  throw DTypeError(std::string(operation) + ": expected a floating dtype, got " + x.description());
}

void check_rebindable(const char* operation, const Tensor& x) {
  if (!x.requires_grad() || !x.is_leaf()) return;
  throw GradError(
      std::string(operation) +
      " would make this handle one of a new value, and leave the leaf that requires grad "
      "as it is; write x.add_(...) and the like under NoGrad, or x = x + ...");
}

void add_into(const Tensor& sum, const Tensor& x) noexcept {
  kernels::add_into(sum.dtype(), sum.value()->data, x.value()->data, sum.numel());
}

}  // namespace detail

DType result_type(const Tensor& a, const Tensor& b) {
  const bool a_number = a.dim() == 0, b_number = b.dim() == 0;
  if (a_number != b_number) {
    const DType tensor = a_number ? b.dtype() : a.dtype();
    const DType number = a_number ? a.dtype() : b.dtype();
    if (detail::category(number) <= detail::category(tensor)) return tensor;
    return number;
  }
  return promote(a.dtype(), b.dtype());
}

namespace {

// g * x, the last that a closure does with its gradient: in g's memory where nobody else sees it.
Tensor scaled(const Backward& t, Tensor g, const Tensor& x) {
  const bool fits = !t.create_graph() && g.dtype() == x.dtype() && detail::pair_up(g, x);
  if (!fits || !detail::is_sole_owner(g)) return g * x;
  compute_into(kernels::binary_strip(Binary::mul, g.dtype()), g, g, x);
  return g;
}

}  // namespace

Tensor add(const Tensor& a, const Tensor& b) {
  Tensor y = compute("add", Binary::add, a, b);
  record("add", y, {a, b}, saves(), [](Backward& t) {
    if (t.needs(1)) t.add(1, t.g());
    t.add(0, t.take_g());
  });
  return y;
}

Tensor add(const Tensor& a, Scalar b) {
  Tensor y = compute("add", Binary::add, a, b);
  record("add", y, {a}, saves(), [](Backward& t) { t.add(0, t.take_g()); });
  return y;
}

Tensor sub(const Tensor& a, const Tensor& b) {
  Tensor y = compute("sub", Binary::sub, a, b);
  record("sub", y, {a, b}, saves(), [](Backward& t) {
    if (t.needs(1)) t.add(1, -t.g());
    t.add(0, t.take_g());
  });
  return y;
}

Tensor sub(const Tensor& a, Scalar b) {
  Tensor y = compute("sub", Binary::sub, a, b);
  record("sub", y, {a}, saves(), [](Backward& t) { t.add(0, t.take_g()); });
  return y;
}

Tensor sub(Scalar a, const Tensor& b) {
  Tensor y = compute("sub", Binary::sub, b, a, true);
  record("sub", y, {b}, saves(), [](Backward& t) { t.add(0, -t.g()); });
  return y;
}

Tensor mul(const Tensor& a, const Tensor& b) {
  Tensor y = compute("mul", Binary::mul, a, b);
  // An operand is saved only where the other one's gradient needs it.
  const Tensor none;
  record("mul", y, {a, b}, saves(b.requires_grad() ? a : none, a.requires_grad() ? b : none),
         [](Backward& t) {
           if (t.needs(1)) t.add(1, t.g() * t.take_saved(0));
           if (t.needs(0)) t.add(0, scaled(t, t.take_g(), t.take_saved(1)));
         });
  return y;
}

Tensor mul(const Tensor& a, Scalar b) {
  Tensor y = compute("mul", Binary::mul, a, b);
  record("mul", y, {a}, saves(), [b](Backward& t) { t.add(0, t.g() * b); });
  return y;
}

Tensor div(const Tensor& a, const Tensor& b) {
  Tensor y = compute("div", Binary::div, a, b);
  record("div", y, {a, b}, saves(b, y), [](Backward& t) {
    const Tensor g = t.g() / t.saved(0);
    t.add(0, g);
    if (t.needs(1)) t.add(1, -(g * t.saved(1)));
  });
  return y;
}

Tensor div(const Tensor& a, Scalar b) {
  Tensor y = compute("div", Binary::div, a, b);
  record("div", y, {a}, saves(), [b](Backward& t) { t.add(0, t.g() / b); });
  return y;
}

Tensor div(Scalar a, const Tensor& b) {
  Tensor y = compute("div", Binary::div, b, a, true);
  record("div", y, {b}, saves(b, y),
         [](Backward& t) { t.add(0, -(t.g() * t.saved(1) / t.saved(0))); });
  return y;
}

namespace {

Binary quotient(RoundingMode mode) noexcept {
  return mode == RoundingMode::floor ? Binary::div_floor : Binary::div_trunc;
}

}  // namespace

Tensor div(const Tensor& a, const Tensor& b, RoundingMode rounding_mode) {
  return compute("div", quotient(rounding_mode), a, b);
}

Tensor div(const Tensor& a, Scalar b, RoundingMode rounding_mode) {
  return compute("div", quotient(rounding_mode), a, b);
}

Tensor div(Scalar a, const Tensor& b, RoundingMode rounding_mode) {
  return compute("div", quotient(rounding_mode), b, a, true);
}

Tensor remainder(const Tensor& a, const Tensor& b) {
  Tensor y = compute("remainder", Binary::remainder, a, b);
  record("remainder", y, {a, b}, saves(a, b), [](Backward& t) {
    t.add(0, t.g());
    if (t.needs(1)) t.add(1, -(t.g() * div(t.saved(0), t.saved(1), RoundingMode::floor)));
  });
  return y;
}

Tensor remainder(const Tensor& a, Scalar b) {
  Tensor y = compute("remainder", Binary::remainder, a, b);
  record("remainder", y, {a}, saves(), [](Backward& t) { t.add(0, t.take_g()); });
  return y;
}

Tensor remainder(Scalar a, const Tensor& b) {
  Tensor y = compute("remainder", Binary::remainder, b, a, true);
  record("remainder", y, {b}, saves(b),
         [a](Backward& t) { t.add(0, -(t.g() * div(a, t.saved(0), RoundingMode::floor))); });
  return y;
}

Tensor fmod(const Tensor& a, const Tensor& b) {
  Tensor y = compute("fmod", Binary::fmod, a, b);
  record("fmod", y, {a, b}, saves(a, b), [](Backward& t) {
    t.add(0, t.g());
    if (t.needs(1)) t.add(1, -(t.g() * div(t.saved(0), t.saved(1), RoundingMode::trunc)));
  });
  return y;
}

Tensor fmod(const Tensor& a, Scalar b) {
  Tensor y = compute("fmod", Binary::fmod, a, b);
  record("fmod", y, {a}, saves(), [](Backward& t) { t.add(0, t.take_g()); });
  return y;
}

Tensor fmod(Scalar a, const Tensor& b) {
  Tensor y = compute("fmod", Binary::fmod, b, a, true);
  record("fmod", y, {b}, saves(b),
         [a](Backward& t) { t.add(0, -(t.g() * div(a, t.saved(0), RoundingMode::trunc))); });
  return y;
}

Tensor neg(const Tensor& x) {
  if (x.defined() && x.dtype() == boolean) throw DTypeError("neg: a boolean tensor has no sign");
  Tensor y = compute("neg", Binary::mul, x, -1);
  record("neg", y, {x}, saves(), [](Backward& t) { t.add(0, -t.g()); });
  return y;
}

Tensor maximum(const Tensor& a, const Tensor& b) {
  return extremum("maximum", Binary::maximum, a, b);
}

Tensor minimum(const Tensor& a, const Tensor& b) {
  return extremum("minimum", Binary::minimum, a, b);
}

Tensor clamp(const Tensor& x, Scalar min, Scalar max) {
  Tensor y = compute("clamp", Binary::minimum, compute("clamp", Binary::maximum, x, min), max);
  record("clamp", y, {x}, saves(x), [min, max](Backward& t) {
    const Tensor x = t.saved(0);
    t.add(0, where(le(x, max), where(ge(x, min), t.g(), zero_of(t.g())), zero_of(t.g())));
  });
  return y;
}

Tensor clamp_min(const Tensor& x, Scalar min) {
  Tensor y = compute("clamp_min", Binary::maximum, x, min);
  record("clamp_min", y, {x}, saves(x),
         [min](Backward& t) { t.add(0, where(ge(t.saved(0), min), t.g(), zero_of(t.g()))); });
  return y;
}

Tensor clamp_max(const Tensor& x, Scalar max) {
  Tensor y = compute("clamp_max", Binary::minimum, x, max);
  record("clamp_max", y, {x}, saves(x),
         [max](Backward& t) { t.add(0, where(le(t.saved(0), max), t.g(), zero_of(t.g()))); });
  return y;
}

Tensor clamp(const Tensor& x, const Tensor& min, const Tensor& max) {
  const Tensor y = where(lt(x, min), min, x);
  return where(gt(y, max), max, y);
}

Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b) {
  detail::check_defined("where", condition);
  detail::check_defined("where", a);
  detail::check_defined("where", b);
  if (condition.dtype() != boolean) {
    throw DTypeError("where: expected a boolean condition, got " + condition.description());
  }
  const DType dtype = result_type(a, b);
  Tensor y;
  {
    const NoGrad no_grad;
    y = detail::elementwise("where", kernels::where_strip(dtype), dtype,
                            {condition, with_dtype(a, dtype), with_dtype(b, dtype)});
  }
  record("where", y, {a, b}, saves(condition), [](Backward& t) {
    const Tensor zero = zero_of(t.g()), c = t.saved(0);
    if (t.needs(0)) t.add(0, where(c, t.g(), zero));
    if (t.needs(1)) t.add(1, where(c, zero, t.g()));
  });
  return y;
}

Tensor where(const Tensor& condition, const Tensor& a, Scalar b) {
  detail::check_defined("where", a);
  return where(condition, a, scalar_tensor(b, b.promote_with(a.dtype())));
}

Tensor where(const Tensor& condition, Scalar a, const Tensor& b) {
  detail::check_defined("where", b);
  return where(condition, scalar_tensor(a, a.promote_with(b.dtype())), b);
}

Tensor where(const Tensor& condition, Scalar a, Scalar b) {
  const DType dtype = a.is_floating() || b.is_floating() ? float32 : promote(a.dtype(), b.dtype());
  return where(condition, scalar_tensor(a, dtype), scalar_tensor(b, dtype));
}

#define XTAPE_COMPARISON(op)                                                                 \
  Tensor op(const Tensor& a, const Tensor& b) { return compare(#op, Comparison::op, a, b); } \
  Tensor op(const Tensor& a, Scalar b) { return compare(#op, Comparison::op, a, b); }
XTAPE_COMPARISON(eq)
XTAPE_COMPARISON(ne)
XTAPE_COMPARISON(lt)
XTAPE_COMPARISON(le)
XTAPE_COMPARISON(gt)
XTAPE_COMPARISON(ge)
#undef XTAPE_COMPARISON

}  // namespace xtape
