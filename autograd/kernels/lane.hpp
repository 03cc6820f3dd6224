// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <numbers>
#include <type_traits>

#include <xsimd/xsimd.hpp>

#include "special.hpp"

// All that is known of xsimd. Every function is a template over the architecture, so that objects
// compiled for different instruction sets never share one.
namespace xtape::kernels {

/// Several T's side by side.
template <class T, class A = xsimd::default_arch>
struct Lane {
  using Scalar = T;
  using Batch = xsimd::batch<T, A>;
  using Mask = xsimd::batch_bool<T, A>;
  static constexpr std::int64_t kSize = static_cast<std::int64_t>(Batch::size);

  Lane() = default;
  Lane(Batch b) : batch(b) {}
  Lane(double x) : batch(static_cast<T>(x)) {}

  static Lane load(const T* from) { return Batch::load_unaligned(from); }
  void store(T* to) const { batch.store_unaligned(to); }

  Batch batch;
};

template <class T, class A>
struct LaneMask {
  typename Lane<T, A>::Mask mask;
};

#define XTAPE_LANE_BINARY(op)                                               \
  template <class T, class A>                                               \
  inline Lane<T, A> operator op(const Lane<T, A>& a, const Lane<T, A>& b) { \
    return a.batch op b.batch;                                              \
  }                                                                         \
  template <class T, class A>                                               \
  inline Lane<T, A> operator op(const Lane<T, A>& a, double b) {            \
    return a.batch op typename Lane<T, A>::Batch(static_cast<T>(b));        \
  }                                                                         \
  template <class T, class A>                                               \
  inline Lane<T, A> operator op(double a, const Lane<T, A>& b) {            \
    return typename Lane<T, A>::Batch(static_cast<T>(a)) op b.batch;        \
  }
XTAPE_LANE_BINARY(+)
XTAPE_LANE_BINARY(-)
XTAPE_LANE_BINARY(*)
XTAPE_LANE_BINARY(/)
#undef XTAPE_LANE_BINARY

// Not xsimd's, which for AVX-512 is 0 - x: the negative of 0 is -0.
template <class T, class A>
inline Lane<T, A> operator-(const Lane<T, A>& x) {
  return typename Lane<T, A>::Batch(T(-0.0)) - x.batch;
}

#define XTAPE_LANE_COMPARISON(name, op)                                  \
  template <class T, class A>                                            \
  inline LaneMask<T, A> name(const Lane<T, A>& a, const Lane<T, A>& b) { \
    return {a.batch op b.batch};                                         \
  }
XTAPE_LANE_COMPARISON(lt, <)
XTAPE_LANE_COMPARISON(le, <=)
XTAPE_LANE_COMPARISON(gt, >)
XTAPE_LANE_COMPARISON(ge, >=)
XTAPE_LANE_COMPARISON(eq, ==)
#undef XTAPE_LANE_COMPARISON

template <class T, class A>
inline LaneMask<T, A> logical_and(LaneMask<T, A> a, LaneMask<T, A> b) {
  return {a.mask && b.mask};
}
template <class T, class A>
inline LaneMask<T, A> logical_or(LaneMask<T, A> a, LaneMask<T, A> b) {
  return {a.mask || b.mask};
}
template <class T, class A>
inline LaneMask<T, A> logical_not(LaneMask<T, A> a) {
  return {!a.mask};
}
/// Where either is NaN, too: xsimd 8.1 has != false there.
template <class T, class A>
inline LaneMask<T, A> ne(const Lane<T, A>& a, const Lane<T, A>& b) {
  return logical_not(eq(a, b));
}
template <class T, class A>
inline bool any(LaneMask<T, A> c) {
  return xsimd::any(c.mask);
}
template <class T, class A>
inline Lane<T, A> where(LaneMask<T, A> c, const Lane<T, A>& a, const Lane<T, A>& b) {
  return xsimd::select(c.mask, a.batch, b.batch);
}

#define XTAPE_LANE_UNARY(name)                  \
  template <class T, class A>                   \
  inline Lane<T, A> name(const Lane<T, A>& x) { \
    return xsimd::name(x.batch);                \
  }
XTAPE_LANE_UNARY(abs)
XTAPE_LANE_UNARY(sqrt)
XTAPE_LANE_UNARY(log1p)
XTAPE_LANE_UNARY(sin)
XTAPE_LANE_UNARY(cos)
XTAPE_LANE_UNARY(tan)
XTAPE_LANE_UNARY(asin)
XTAPE_LANE_UNARY(acos)
XTAPE_LANE_UNARY(atan)
XTAPE_LANE_UNARY(sinh)
XTAPE_LANE_UNARY(cosh)
XTAPE_LANE_UNARY(asinh)
XTAPE_LANE_UNARY(atanh)
XTAPE_LANE_UNARY(floor)
XTAPE_LANE_UNARY(ceil)
XTAPE_LANE_UNARY(trunc)
XTAPE_LANE_UNARY(nearbyint)
#undef XTAPE_LANE_UNARY

/// Element by element through `f(T)`, where no vector form is good enough.
template <class T, class A, class F>
[[gnu::noinline]] Lane<T, A> each_element(const Lane<T, A>& x, F f) {
  alignas(64) T values[Lane<T, A>::kSize];
  x.store(values);
  for (T& v : values) v = f(v);
  return Lane<T, A>::load(values);
}

// xsimd's exponentials are within 2 ulp, but give infinity a little too early and 0 in the place of
// subnormal numbers: lanes with an element of that kind, rare ones, go through the C library.
#define XTAPE_LANE_EXPONENTIAL(name, first32, last32, first64, last64)               \
  template <class T, class A>                                                        \
  inline Lane<T, A> name(const Lane<T, A>& x) {                                      \
    constexpr bool kSingle = sizeof(T) == 4;                                         \
    const Lane<T, A> size = abs(x);                                                  \
    const auto rare = logical_and(gt(size, Lane<T, A>(kSingle ? first32 : first64)), \
                                  lt(size, Lane<T, A>(kSingle ? last32 : last64)));  \
    if (any(rare)) [[unlikely]]                                                      \
      return each_element(x, [](T v) { return std::name(v); });                      \
    return xsimd::name(x.batch);                                                     \
  }
XTAPE_LANE_EXPONENTIAL(exp, 87.0, 104.0, 708.0, 746.0)
XTAPE_LANE_EXPONENTIAL(expm1, 87.0, 104.0, 708.0, 746.0)
XTAPE_LANE_EXPONENTIAL(exp2, 126.0, 150.0, 1021.0, 1075.0)
#undef XTAPE_LANE_EXPONENTIAL

// The same of its logarithms for subnormal numbers.
#define XTAPE_LANE_LOGARITHM(name)                                    \
  template <class T, class A>                                         \
  inline Lane<T, A> name(const Lane<T, A>& x) {                       \
    const Lane<T, A> zero(0.0), least(std::numeric_limits<T>::min()); \
    const auto rare = logical_and(gt(x, zero), lt(x, least));         \
    if (any(rare)) [[unlikely]]                                       \
      return each_element(x, [](T v) { return std::name(v); });       \
    return xsimd::name(x.batch);                                      \
  }
XTAPE_LANE_LOGARITHM(log)
XTAPE_LANE_LOGARITHM(log2)
XTAPE_LANE_LOGARITHM(log10)
#undef XTAPE_LANE_LOGARITHM

template <class T, class A>
inline Lane<T, A> acosh(const Lane<T, A>& x) {
  const Lane<T, A> nan(std::numeric_limits<double>::quiet_NaN());
  return where(lt(x, Lane<T, A>(1.0)), nan, Lane<T, A>(xsimd::acosh(x.batch)));
}

/// `f(T, T)` by element.
template <class T, class A, class F>
[[gnu::noinline]] Lane<T, A> each_pair(const Lane<T, A>& x, const Lane<T, A>& y, F f) {
  alignas(64) T a[Lane<T, A>::kSize], b[Lane<T, A>::kSize];
  x.store(a);
  y.store(b);
  for (std::int64_t i = 0; i < Lane<T, A>::kSize; ++i) a[i] = f(a[i], b[i]);
  return Lane<T, A>::load(a);
}

// xsimd's loses 9 to 50 ulp and gives 0 for pow(0, 0).
template <class T, class A>
inline Lane<T, A> pow(const Lane<T, A>& x, const Lane<T, A>& y) {
  return each_pair(x, y, [](T a, T b) { return std::pow(a, b); });
}

/// x^k: by multiplication for small whole k (within 4 ulp), sqrt for a half.
template <class T, class A>
inline Lane<T, A> pow(const Lane<T, A>& x, double k) {
  if (k == 0.5) return sqrt(x);
  if (k >= -4 && k <= 8 && k == std::trunc(k)) {
    Lane<T, A> result(1.0), base = x;
    for (auto n = static_cast<unsigned>(std::abs(k)); n > 0; n >>= 1) {
      if (n & 1u) result = result * base;
      base = base * base;
    }
    return k < 0 ? 1.0 / result : result;
  }
  const T exponent = static_cast<T>(k);
  return each_element(x, [exponent](T v) { return std::pow(v, exponent); });
}

template <class T, class A>
inline Lane<T, A> atan2(const Lane<T, A>& y, const Lane<T, A>& x) {
  // At two zeros or two infinities xsimd's is NaN.
  if (any(eq(abs(y), abs(x)))) [[unlikely]] {
    return each_pair(y, x, [](T a, T b) { return std::atan2(a, b); });
  }
  return xsimd::atan2(y.batch, x.batch);
}

/// sqrt(x^2 + y^2) without overflow or underflow; infinite where either is.
template <class T, class A>
inline Lane<T, A> hypot(const Lane<T, A>& x, const Lane<T, A>& y) {
  using L = Lane<T, A>;
  const L zero(0.0), infinity(std::numeric_limits<double>::infinity());
  const L a = abs(x), b = abs(y), large = where(gt(a, b), a, b), small = where(gt(a, b), b, a);
  const L ratio = small / where(eq(large, zero), L(1.0), large);
  const L length = large * sqrt(ratio * ratio + 1.0);
  return where(logical_or(eq(a, infinity), eq(b, infinity)), infinity, length);
}

// Special functions go by way of double, an element at a time.
template <class T, class A>
inline Lane<T, A> lgamma(const Lane<T, A>& x) {
  return each_element(x, [](T v) { return static_cast<T>(log_gamma(v)); });
}
template <class T, class A>
inline Lane<T, A> polygamma(int n, const Lane<T, A>& x) {
  return each_element(x, [n](T v) { return static_cast<T>(polygamma(n, static_cast<double>(v))); });
}
template <class T, class A>
inline Lane<T, A> digamma(const Lane<T, A>& x) {
  return polygamma(0, x);
}
template <class T, class A>
inline Lane<T, A> erfinv(const Lane<T, A>& x) {
  return each_element(x, [](T v) { return static_cast<T>(erf_inverse(v)); });
}

/// log(x / (1 - x)), exact near 1/2 too: 1 - 2x loses nothing there. A negative 0 counts as 0.
template <class T, class A>
inline Lane<T, A> logit(const Lane<T, A>& x) {
  using L = Lane<T, A>;
  const auto rare = logical_and(gt(x, L(0.0)), lt(x, L(4 * std::numeric_limits<T>::min())));
  if (any(rare)) [[unlikely]]  // 1 / x overflows
    return each_element(x, [](T v) { return std::log((v + T(0)) / (1 - v)); });
  const auto low = lt(x, L(0.5));
  const L odds = log1p(where(low, 1.0 - x * 2.0, x * 2.0 - 1.0) / where(low, x + 0.0, 1.0 - x));
  return where(low, -odds, odds);
}

template <class T, class A>
inline Lane<T, A> square(const Lane<T, A>& x) {
  return x * x;
}
template <class T, class A>
inline Lane<T, A> reciprocal(const Lane<T, A>& x) {
  return 1.0 / x;
}
template <class T, class A>
inline Lane<T, A> rsqrt(const Lane<T, A>& x) {
  return 1.0 / sqrt(x);
}
/// -1, 0 or 1; NaN stays.
template <class T, class A>
inline Lane<T, A> sign(const Lane<T, A>& x) {
  const Lane<T, A> zero(0.0);
  return where(gt(x, zero), Lane<T, A>(1.0), where(lt(x, zero), Lane<T, A>(-1.0), x));
}
/// To the nearest, halves to even.
template <class T, class A>
inline Lane<T, A> round(const Lane<T, A>& x) {
  return nearbyint(x);
}
/// e^x / (1 + e^x) for x < 0: nothing overflows, nothing is lost.
template <class T, class A>
inline Lane<T, A> sigmoid(const Lane<T, A>& x) {
  const Lane<T, A> e = exp(-abs(x)), one(1.0);
  return where(lt(x, Lane<T, A>(0.0)), e, one) / (e + 1.0);
}
/// log(1 + e^x) without overflow.
template <class T, class A>
inline Lane<T, A> softplus(const Lane<T, A>& x) {
  const Lane<T, A> zero(0.0);
  return where(lt(x, zero), zero, x) + log1p(exp(-abs(x)));
}
template <class T, class A>
inline Lane<T, A> logsigmoid(const Lane<T, A>& x) {
  return -softplus(-x);
}

// (1 + 2y) exp(y^2) erfc(y) as a polynomial in t = (y - 3) / (y + 3): all of [0, infinity) becomes
// [-1, 1), where the function stays near 1.2. The transformation is that of Shepherd and
// Laframboise, Math. Comp. 36 (1981); interpolated at Chebyshev points, the relative error is 4e-9
// up to y = 12 in float32 and 3e-17 up to y = 28 in float64. Coefficients by falling powers, here
// and below.
inline constexpr double kErfc32[] = {
    -0.00025516402379482388509, -0.00074349732124527543246, 0.002023214685000199004,
    0.0025552225841066093673,   -0.023812687857699289117,   0.068295394110943397436,
    -0.11926811122915066757,    0.12964677921444244128,     -0.047562568076648376209,
    -0.13562115715965814345,    1.2530080606921387511};
inline constexpr double kErfc64[] = {
    -4.0932954299382796757e-9,   -8.236923603890497856e-9,   3.2674203303628230291e-8,
    9.097691427095026066e-8,     -1.3105532487623100189e-7,  -6.037276423723499438e-7,
    3.4925563800434926296e-7,    3.4629653365509415156e-6,   -7.279318568552995033e-7,
    -0.000020096118201729322965, 4.948350557478338037e-6,    0.00012509799027570953406,
    -0.00010515955770106385824,  -0.00077983200586456316655, 0.0018886903250794014982,
    0.0025293917843955001587,    -0.023770514915658876433,   0.068308027346065539385,
    -0.11927366341545076136,     0.12964515870269729752,     -0.047562294353448001736,
    -0.13562110612458060662,     1.253008058269729643};
// The Taylor series of erf(x) / x in x^2; float32 needs the last seven terms below kErfSmall.
inline constexpr double kErf[] = {
    9.4227590646504109706e-11, -1.2290555301717927353e-9,  1.480719281587921724e-8,
    -1.6365844691234924317e-7, 1.6462114365889247402e-6,   -0.000014925650358406250977,
    0.00012055332981789664251, -0.00085483270234508528325, 0.0052239776254421878421,
    -0.026866170645131251759,  0.11283791670955125739,     -0.37612638903183752463,
    1.1283791670955125739};
inline constexpr double kErfSmall = 0.46875;  // below, erf is computed; above, erfc

/// Of the coefficients from `first` on.
template <class T, class A, std::size_t N>
inline Lane<T, A> polynomial(const Lane<T, A>& x, const double (&c)[N], std::size_t first = 0) {
  Lane<T, A> p(c[first]);
  for (std::size_t i = first + 1; i < N; ++i) p = p * x + c[i];
  return p;
}

// (tanh(r) / r - 1) / r^2 as a polynomial in r^2: minimax (Remez) for the relative error of tanh(r)
// up to 0.66, which is 8e-9.
inline constexpr double kTanh[] = {-0.00544253737, 0.0204024594, -0.053667143, 0.133305803,
                                   -0.333332509};
inline constexpr double kTanhSmall = 0.65;

/// Within 1.5 ulp. With h = tanh(r) of the polynomial it is h for small x. For others, from
/// x = r + n log(2) / 2 and e^(2r) = (1 + h) / (1 - h), tanh(x) = 1 - 2 (1 - h) / (2^n (1 + h) +
/// (1 - h)). xsimd's takes 1.5 times as long.
template <class T, class A>
inline Lane<T, A> tanh(const Lane<T, A>& x) {
  if constexpr (sizeof(T) == 8) {
    return xsimd::tanh(x.batch);
  } else {
    using L = Lane<T, A>;
    const L size = abs(x);
    const auto small = lt(size, L(kTanhSmall));
    const L s = xsimd::min(L(10.0).batch, size.batch);  // in this order NaN stays
    const auto n = xsimd::nearbyint_as_int((s * (2.0 * std::numbers::log2e)).batch);
    const L rest = s - L(xsimd::to_float(n)) * (0.5 * std::numbers::ln2);
    const L power = std::bit_cast<typename L::Batch>((n + 127) << 23);
    const L r = where(small, s, rest), squared = r * r;
    const L h = polynomial(squared, kTanh) * (squared * r) + r, less = 1.0 - h;
    const L y = where(small, h, 1.0 - 2.0 * (less / (power * (h + 1.0) + less)));
    return y.batch | xsimd::bitofsign(x.batch);
  }
}

template <class T, class A>
inline Lane<T, A> erf_small(const Lane<T, A>& x) {
  return x * polynomial(x * x, kErf, sizeof(T) == 4 ? std::size(kErf) - 7 : 0);
}

/// erfc(y) for y = size * scale >= 0, where squared = scale^2 exactly; at 28 it is 0 in both types.
/// Fused products change nothing: the square of the upper bits is exact.
template <class T, class A>
inline Lane<T, A> erfc_positive(const Lane<T, A>& size, double scale, double squared) {
  using L = Lane<T, A>;
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  constexpr Bits kUpper = ~Bits{0} << (sizeof(T) == 4 ? 12 : 27);
  const L end(28.0 / scale), x = where(gt(size, end), end, size);
  const L y = x * scale, t = (y - 3.0) / (y + 3.0);
  L p;
  if constexpr (sizeof(T) == 4) {
    p = polynomial(t, kErfc32);
  } else {
    p = polynomial(t, kErfc64);
  }
  const L below = y * 2.0 + 1.0, ratio = p / below;
  const L upper = x.batch & typename L::Batch(std::bit_cast<T>(kUpper));
  const L whole = upper * upper * squared, rest = (x - upper) * (x + upper) * squared;
  const L square = whole + rest;
  // What rounding took from the square and, p being about 5/4, from the denominator.
  const L lost = ((whole - square) + rest) + (y * 2.0 - (below - 1.0)) * (ratio * 0.8);
  const L result = ratio * exp(-square);
  return result - result * lost;
}

template <class T, class A>
inline Lane<T, A> erf(const Lane<T, A>& x) {
  const Lane<T, A> size = abs(x), far = 1.0 - erfc_positive(size, 1.0, 1.0);
  return where(le(size, Lane<T, A>(kErfSmall)), erf_small(x),
               where(lt(x, Lane<T, A>(0.0)), -far, far));
}

template <class T, class A>
inline Lane<T, A> erfc(const Lane<T, A>& x) {
  const Lane<T, A> size = abs(x), far = erfc_positive(size, 1.0, 1.0);
  return where(le(size, Lane<T, A>(kErfSmall)), 1.0 - erf_small(x),
               where(lt(x, Lane<T, A>(0.0)), 2.0 - far, far));
}

/// P(Z < x) for a standard normal Z: erfc(-x / sqrt(2)) / 2 without the rounding of the argument,
/// which a tail would magnify.
template <class T, class A>
inline Lane<T, A> ndtr(const Lane<T, A>& x) {
  const Lane<T, A> size = abs(x), y = x * (1.0 / std::numbers::sqrt2);
  const Lane<T, A> far = erfc_positive(size, 1.0 / std::numbers::sqrt2, 0.5) * 0.5;
  return where(le(abs(y), Lane<T, A>(kErfSmall)), erf_small(y) * 0.5 + 0.5,
               where(lt(x, Lane<T, A>(0.0)), far, 1.0 - far));
}

}  // namespace xtape::kernels
