// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>

#include <xtape/autograd/autograd.hpp>
#include <xtape/autograd/pointwise.hpp>

#include "expect.hpp"
#include "programs.hpp"

namespace xtape::test {

namespace {

// How far values stay from kinks and poles: much farther than differences reach.
constexpr double kMargin = 0.01, kFromPole = 0.3;

template <class F>
bool every(const Tensor& x, F f) {
  return std::ranges::all_of(elements(x), f);
}

bool fit(const Tensor& a, const Tensor& b) {
  for (int k = 1; k <= std::min(a.dim(), b.dim()); ++k) {
    if (a.size(-k) != b.size(-k) && a.size(-k) != 1 && b.size(-k) != 1) return false;
  }
  return true;
}

bool anything(Random&, Call&) { return true; }
bool small(Random&, Call& call) {
  return every(call.a, [](double x) { return std::abs(x) < 3; });
}
bool inside(Random&, Call& call) {
  return every(call.a, [](double x) { return std::abs(x) < 0.8; });
}
bool positive(Random&, Call& call) {
  return every(call.a, [](double x) { return x > kFromPole; });
}
bool no_pole(Random&, Call& call) {
  return every(call.a, [](double x) { return std::abs(x) > kFromPole; });
}
// Away from where the kinked functions below bend.
bool no_kink(Random&, Call& call) {
  return every(call.a, [](double x) {
    return std::ranges::all_of(std::initializer_list<double>{-3, -1, -0.5, 0, 0.5, 1, 1.5, 3, 6},
                               [&](double kink) { return std::abs(x - kink) > kMargin; });
  });
}

bool broadcasting(Random&, Call& call) { return fit(call.a, call.b); }
bool three_broadcasting(Random&, Call& call) {
  return fit(call.a, call.b) && fit(call.a, call.c) && fit(call.b, call.c);
}
bool dividing(Random&, Call& call) {
  return fit(call.a, call.b) && every(call.b, [](double x) { return std::abs(x) > kFromPole; });
}
bool with_positive(Random& random, Call& call) {
  return fit(call.a, call.b) && positive(random, call);
}
bool of_positive(Random&, Call& call) {
  return fit(call.a, call.b) && every(call.b, [](double x) { return x > kFromPole; });
}
bool apart(Random&, Call& call) {
  return fit(call.a, call.b) &&
         every(call.a - call.b, [](double x) { return std::abs(x) > kMargin; });
}

bool along(Random& random, Call& call) {
  if (call.a.dim() == 0) return false;
  call.i = random.below(2 * call.a.dim()) - call.a.dim();
  return true;
}
bool along_several(Random& random, Call& call) {
  return along(random, call) && call.a.size(call.i) > 1;
}
bool along_even(Random& random, Call& call) {
  return along(random, call) && call.a.size(call.i) % 2 == 0;
}
bool along_no_pole(Random& random, Call& call) {
  return along(random, call) && no_pole(random, call);
}
bool spread(const Tensor& x) {
  std::vector<double> v = elements(x);
  std::ranges::sort(v);
  return std::ranges::adjacent_find(
             v, [](double low, double high) { return high - low < kMargin; }) == v.end();
}
bool along_spread(Random& random, Call& call) {
  return along_several(random, call) && spread(call.a);
}
bool spread_out(Random&, Call& call) { return spread(call.a); }
bool along_two(Random& random, Call& call) {
  if (call.a.dim() < 2) return false;
  call.i = random.below(call.a.dim());
  call.j = (call.i + 1 + random.below(call.a.dim() - 1)) % call.a.dim() - call.a.dim();
  return true;
}

bool same(Random& random, Call& call) {
  return call.a.shape() == call.b.shape() && along(random, call);
}
bool joined(Random& random, Call& call) {
  if (call.a.dim() != call.b.dim() || !along(random, call)) return false;
  for (int k = 0; k < call.a.dim(); ++k) {
    if (k != (call.i + call.a.dim()) % call.a.dim() && call.a.size(k) != call.b.size(k))
      return false;
  }
  return true;
}
bool added(Random& random, Call& call) { return same(random, call) && spread(call.b); }
bool vectors(Random&, Call& call) { return call.a.dim() == 1 && call.b.dim() == 1; }
bool matrix(Random&, Call& call) { return call.a.dim() >= 2; }
bool table(Random&, Call& call) { return call.a.dim() == 2; }
bool last_several(Random&, Call& call) { return call.a.dim() >= 2 && call.a.size(-1) > 1; }
bool factors(Random&, Call& call) {
  if (call.a.dim() == 0 || call.b.dim() == 0) return false;
  if (call.a.size(-1) != call.b.size(call.b.dim() == 1 ? 0 : -2)) return false;
  for (int k = 3; k <= std::min(call.a.dim(), call.b.dim()); ++k) {
    if (call.a.size(-k) != call.b.size(-k) && call.a.size(-k) != 1 && call.b.size(-k) != 1) {
      return false;
    }
  }
  return true;
}
bool rows_of_weights(Random&, Call& call) {
  return call.a.dim() >= 1 && call.b.dim() == 2 && call.a.size(-1) == call.b.size(1);
}

const auto swirl = pointwise("swirl", [](auto x) { return x * exp(-x * x / 4) + sin(2 * x); });
const auto blend =
    pointwise("blend", [](auto x, auto y) { return where(x > y, x * tanh(y), y / (1 + x * x)); });

}  // namespace

const Operations& program_operations() {
  static const Operations operations = {
      // arithmetic
      XTAPE_STEP(2, broadcasting, a + b),
      XTAPE_STEP(2, broadcasting, a - b),
      XTAPE_STEP(2, broadcasting, a * b),
      XTAPE_STEP(2, dividing, a / b),
      XTAPE_STEP(1, anything, 0.7 * a - 0.2),
      XTAPE_STEP(1, anything, 1 - a / 3),
      XTAPE_STEP(1, no_pole, 2 / a),
      XTAPE_STEP(1, anything, -a),
      XTAPE_STEP(1, anything, pow(a, 2)),
      XTAPE_STEP(1, anything, pow(a, 3)),
      XTAPE_STEP(2, with_positive, pow(a, b)),
      XTAPE_STEP(1, anything, pow(1.5, a)),
      XTAPE_STEP(2, apart, maximum(a, b)),
      XTAPE_STEP(2, apart, minimum(a, b)),
      XTAPE_STEP(2, apart, where(a > b, a, 2 * b)),
      XTAPE_STEP(1, no_kink, clamp(a, -1, 1.5)),
      XTAPE_STEP(2, broadcasting, lerp(a, b, 0.3)),
      XTAPE_STEP(3, three_broadcasting, lerp(a, b, c)),
      XTAPE_STEP(3, three_broadcasting, addcmul(a, b, c, 0.5)),
      XTAPE_STEP(2, dividing, hypot(a, b)),
      XTAPE_STEP(2, dividing, atan2(a, b)),
      // math
      XTAPE_STEP(1, small, exp(a)),
      XTAPE_STEP(1, small, expm1(a)),
      XTAPE_STEP(1, small, exp2(a)),
      XTAPE_STEP(1, positive, log(a)),
      XTAPE_STEP(1, anything, log1p(square(a))),
      XTAPE_STEP(1, positive, sqrt(a)),
      XTAPE_STEP(1, positive, rsqrt(a)),
      XTAPE_STEP(1, no_pole, reciprocal(a)),
      XTAPE_STEP(1, no_kink, abs(a)),
      XTAPE_STEP(1, anything, sin(a)),
      XTAPE_STEP(1, anything, cos(a)),
      XTAPE_STEP(1, inside, tan(a)),
      XTAPE_STEP(1, inside, asin(a)),
      XTAPE_STEP(1, inside, atanh(a)),
      XTAPE_STEP(1, anything, atan(a)),
      XTAPE_STEP(1, small, sinh(a)),
      XTAPE_STEP(1, small, cosh(a)),
      XTAPE_STEP(1, anything, tanh(a)),
      XTAPE_STEP(1, anything, asinh(a)),
      XTAPE_STEP(1, anything, erf(a)),
      XTAPE_STEP(1, anything, ndtr(a)),
      XTAPE_STEP(1, positive, lgamma(a)),
      XTAPE_STEP(1, positive, digamma(a)),
      XTAPE_STEP(1, anything, sinc(a)),
      XTAPE_STEP(2, broadcasting, logaddexp(a, b)),
      XTAPE_STEP(2, of_positive, xlogy(a, b)),
      // activations
      XTAPE_STEP(1, no_kink, relu(a)),
      XTAPE_STEP(1, no_kink, leaky_relu(a, 0.1)),
      XTAPE_STEP(1, no_kink, elu(a, 0.8)),
      XTAPE_STEP(1, no_kink, selu(a)),
      XTAPE_STEP(1, no_kink, celu(a, 0.7)),
      XTAPE_STEP(1, no_kink, hardtanh(a)),
      XTAPE_STEP(1, no_kink, hardswish(a)),
      XTAPE_STEP(1, no_kink, softshrink(a)),
      XTAPE_STEP(1, no_kink, softsign(a)),
      XTAPE_STEP(1, anything, sigmoid(a)),
      XTAPE_STEP(1, anything, logsigmoid(a)),
      XTAPE_STEP(1, anything, softplus(a, 2)),
      XTAPE_STEP(1, anything, silu(a)),
      XTAPE_STEP(1, anything, mish(a)),
      XTAPE_STEP(1, anything, gelu(a)),
      XTAPE_STEP(1, anything, gelu(a, GeluForm::tanh)),
      XTAPE_STEP(1, along_even, glu(a, i)),
      XTAPE_STEP(1, anything, swirl(a)),
      XTAPE_STEP(2, apart, blend(a, b)),
      // reductions and scans
      XTAPE_STEP(1, anything, sum(a)),
      XTAPE_STEP(1, along, sum(a, {i})),
      XTAPE_STEP(1, along, sum(a, {i}, true)),
      XTAPE_STEP(1, along_two, sum(a, {i, j})),
      XTAPE_STEP(1, along, mean(a, {i}, true)),
      XTAPE_STEP(1, along_two, mean(a, {i, j}, true)),
      XTAPE_STEP(1, along, prod(a, {i})),
      XTAPE_STEP(1, along_spread, amax(a, {i})),
      XTAPE_STEP(1, along_spread, amin(a, {i}, true)),
      XTAPE_STEP(1, along_spread, max(a, i).values),
      XTAPE_STEP(1, along_spread, min(a, i, true).values),
      XTAPE_STEP(1, along_spread, median(a, i).values),
      XTAPE_STEP(1, along_spread, quantile(a, 0.3, i)),
      XTAPE_STEP(1, along_several, var(a, {i})),
      XTAPE_STEP(1, along_two, var(a, {i, j}, 0, true)),
      XTAPE_STEP(1, along_spread, std(a, {i}, 1, true)),
      XTAPE_STEP(1, along, logsumexp(a, {i}, true)),
      XTAPE_STEP(1, along_two, logsumexp(a, {i, j})),
      XTAPE_STEP(1, along_no_pole, norm(a, 2, {i})),
      XTAPE_STEP(1, along_no_pole, norm(a, 3, {i}, true)),
      XTAPE_STEP(1, along, cumsum(a, i)),
      XTAPE_STEP(1, along, cumprod(a, i)),
      XTAPE_STEP(1, along_spread, cummax(a, i).values),
      // shapes
      XTAPE_STEP(1, anything, flatten(a)),
      XTAPE_STEP(1, along_two, transpose(a, i, j)),
      XTAPE_STEP(1, matrix, movedim(a, 0, -1)),
      XTAPE_STEP(1, anything, unsqueeze(a, 0)),
      XTAPE_STEP(1, anything, unsqueeze(a, -1)),
      XTAPE_STEP(1, anything, squeeze(a)),
      XTAPE_STEP(2, broadcasting, broadcast_to(a, (a.detach() + b.detach()).shape())),
      XTAPE_STEP(1, along, flip(a, {i})),
      XTAPE_STEP(1, along, roll(a, 1, i)),
      XTAPE_STEP(1, matrix, rot90(a)),
      XTAPE_STEP(1, matrix, diagonal(a)),
      XTAPE_STEP(1, along, diag_embed(a)),
      XTAPE_STEP(1, matrix, tril(a)),
      XTAPE_STEP(1, matrix, triu(a, 1)),
      XTAPE_STEP(2, joined, cat({a, b}, i)),
      XTAPE_STEP(2, same, stack({a, b}, i)),
      XTAPE_STEP(1, along, tile(a, {2})),
      XTAPE_STEP(1, along, repeat_interleave(a, 2, i)),
      XTAPE_STEP(1, along, pad(a, {1, 2}, 0.5)),
      XTAPE_STEP(1, last_several, pad(a, {1, 1}, PadMode::reflect)),
      XTAPE_STEP(1, matrix, pad(a, {2, 1}, PadMode::replicate)),
      XTAPE_STEP(1, along, split(a, 2, i)[0]),
      XTAPE_STEP(1, along, chunk(a, 2, i).back()),
      XTAPE_STEP(1, along, unbind(a, i)[0]),
      XTAPE_STEP(1, along_several, unfold(a, i, 2, 1)),
      // indexing and order
      XTAPE_STEP(1, along, select(a, i, -1)),
      XTAPE_STEP(1, along_several, narrow(a, i, 1, 1)),
      XTAPE_STEP(1, along, index_select(a, i, zeros({3}, int64))),
      XTAPE_STEP(1, along, index_select(a, i, arange(a.size(i) - 1, -1, -1))),
      XTAPE_STEP(1, along_spread, gather(a, i, argsort(a.detach(), i))),
      XTAPE_STEP(1, along_spread, take_along_dim(a, argmax(a.detach(), i, true), i)),
      XTAPE_STEP(2, added, scatter_add(a, i, argsort(b.detach(), i), b)),
      XTAPE_STEP(2, same, index_add(a, i, zeros({a.size(i)}, int64), b)),
      XTAPE_STEP(1, along, a[{ellipsis, 0}]),
      XTAPE_STEP(1, along, a[{slice(none, none, 2)}]),
      XTAPE_STEP(1, along, a[{none, ellipsis, slice(none, none, -1)}]),
      XTAPE_STEP(1, along, a[{zeros({2}, int64), ellipsis}]),
      XTAPE_STEP(1, anything, take(a, zeros({2}, int64))),
      XTAPE_STEP(1, no_kink, masked_select(a, a > 0)),
      XTAPE_STEP(2, apart, masked_fill(a, a > b, 0.5)),
      XTAPE_STEP(1, along_spread, sort(a, i).values),
      XTAPE_STEP(1, along_spread, topk(a, 2, i).values),
      XTAPE_STEP(1, spread_out, median(a)),
      XTAPE_STEP(1, table, embedding(zeros({2, 2}, int64), a)),
      // products
      XTAPE_STEP(2, factors, matmul(a, b)),
      XTAPE_STEP(1, matrix, matmul(a, transpose(a, -1, -2))),
      XTAPE_STEP(2, vectors, outer(a, b)),
      XTAPE_STEP(2, rows_of_weights, linear(a, b)),
      // sequences and pictures
      XTAPE_STEP(1, table, conv1d(unsqueeze(a, 1), unsqueeze(a, 1))),
      XTAPE_STEP(1, table, conv_transpose1d(unsqueeze(a, 1), unsqueeze(a, 0))),
      XTAPE_STEP(1, table, avg_pool1d(a, 2, {.padding = 1})),
      XTAPE_STEP(1, table, adaptive_avg_pool1d(a, 3)),
      XTAPE_STEP(1, table,
                 interpolate(unsqueeze(a, 0), {.size = {3}, .mode = InterpolateMode::linear})),
      // softmax
      XTAPE_STEP(1, along, softmax(a, i)),
      XTAPE_STEP(1, along, log_softmax(a, i)),
      XTAPE_STEP(1, along, softmin(a, i)),
  };
  return operations;
}

}  // namespace xtape::test
