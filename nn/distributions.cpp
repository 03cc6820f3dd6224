// SPDX-License-Identifier: BSD-3-Clause
#include "distributions.hpp"

#include <cmath>
#include <limits>
#include <numbers>
#include <string>

#include "../autograd/error.hpp"
#include "../autograd/ops/activations.hpp"
#include "../autograd/ops/arithmetic.hpp"
#include "../autograd/ops/creation.hpp"
#include "../autograd/ops/gamma_sampling.hpp"
#include "../autograd/ops/indexing.hpp"
#include "../autograd/ops/logic.hpp"
#include "../autograd/ops/math.hpp"
#include "../autograd/ops/random.hpp"
#include "../autograd/ops/reductions.hpp"
#include "../autograd/ops/shape.hpp"
#include "../autograd/ops/softmax.hpp"
#include "../autograd/tape.hpp"

namespace xtape::nn::distributions {
namespace {

const double kHalfLogTwoPi = 0.5 * std::log(2 * std::numbers::pi);

// From there on the exponential distribution of rate 1; rand() is below 1, so it is finite.
Tensor standard_exponential(const Shape& shape, DType dtype) { return -log1p(-rand(shape, dtype)); }

// Off 0 and 1 by an epsilon, so that logarithms are finite, as PyTorch does.
Tensor clamp_probabilities(const Tensor& p) {
  const double epsilon = p.dtype() == float64 ? std::numeric_limits<double>::epsilon()
                                              : std::numeric_limits<float>::epsilon();
  return clamp(p, epsilon, 1 - epsilon);
}

// -inf becomes the lowest number, which times 0 is 0.
Tensor finite_logits(const Tensor& logits) {
  return clamp_min(logits, logits.dtype() == float64 ? std::numeric_limits<double>::lowest()
                                                     : std::numeric_limits<float>::lowest());
}

void check_given(const char* name, const ProbsOrLogits& given) {
  if (given.probs.defined() == given.logits.defined()) {
    throw ValueError(std::string(name) + ": expected either probs or logits");
  }
}

Tensor infinity_where(const Tensor& condition, const Tensor& otherwise) {
  return where(condition, scalar_tensor(INFINITY, otherwise.dtype()), otherwise);
}

}  // namespace

// --- what all have -------------------------------------------------------------------------------

Distribution::~Distribution() = default;

Tensor Distribution::stddev() const { return sqrt(variance()); }

Tensor Distribution::sample(const Shape& sample_shape) const {
  const NoGrad no_grad;
  Shape shape = sample_shape;
  for (const std::int64_t n : batch_shape_) shape.push_back(n);
  return draw(shape);
}

Tensor Distribution::rsample(const Shape& sample_shape) const {
  if (!has_rsample()) {
    throw GradError(std::string(name_) +
                    ": draws of it are no smooth functions of its parameters, so it has no "
                    "rsample; use sample() with log_prob(), or gumbel_softmax()");
  }
  Shape shape = sample_shape;
  for (const std::int64_t n : batch_shape_) shape.push_back(n);
  return draw(shape);
}

TensorOrNumber::TensorOrNumber(const Tensor& x) : tensor_(x) {
  if (!x.defined()) throw ValueError("distribution: a parameter is undefined");
}

void Distribution::broadcast(Tensor& a, const TensorOrNumber& from) {
  a = from.is_number() ? scalar_tensor(from.number(), float32) : from.tensor();
  if (!is_floating(a.dtype())) {
    throw DTypeError(std::string(name_) + ": expected floating parameters, got " + a.description());
  }
  batch_shape_ = a.shape();
  dtype_ = a.dtype();
}

void Distribution::broadcast(Tensor& a, const TensorOrNumber& from_a, Tensor& b,
                             const TensorOrNumber& from_b) {
  broadcast(a, from_a);
  if (from_a.is_number() && !from_b.is_number()) {
    broadcast(b, from_b);
    a = scalar_tensor(from_a.number(), dtype_);
  } else {
    b = from_b.is_number() ? scalar_tensor(from_b.number(), dtype_) : from_b.tensor();
  }
  if (a.dtype() != b.dtype()) {
    throw DTypeError(std::string(name_) + ": expected parameters of one dtype, got " +
                     a.description() + " and " + b.description());
  }
  batch_shape_ = xtape::detail::broadcast(name_, a.shape(), b.shape());
  a = broadcast_to(a, batch_shape_);
  b = broadcast_to(b, batch_shape_);
}

void Distribution::require(const Tensor& condition, const char* what) const {
  if (!all(condition).item<bool>()) throw ValueError(std::string(name_) + ": expected " + what);
}

// --- Normal --------------------------------------------------------------------------------------

Normal::Normal(const TensorOrNumber& l, const TensorOrNumber& s) : Distribution("Normal") {
  broadcast(loc, l, scale, s);
  require(loc == loc, "a loc that is a number");
  require(scale > 0, "a positive scale");
}

Tensor Normal::variance() const { return square(scale); }

Tensor Normal::entropy() const { return log(scale) + (0.5 + kHalfLogTwoPi); }

Tensor Normal::log_prob(const Tensor& value) const {
  require(value == value, "a value that is a number");
  return -0.5 * square((value - loc) / scale) - log(scale) - kHalfLogTwoPi;
}

Tensor Normal::draw(const Shape& shape) const { return loc + scale * randn(shape, dtype()); }

Tensor kl_divergence(const Normal& p, const Normal& q) {
  const Tensor ratio = square(p.scale / q.scale);
  return 0.5 * (ratio + square((p.loc - q.loc) / q.scale) - 1 - log(ratio));
}

// --- Uniform -------------------------------------------------------------------------------------

Uniform::Uniform(const TensorOrNumber& l, const TensorOrNumber& h) : Distribution("Uniform") {
  broadcast(low, l, high, h);
  require(low < high, "low < high");
}

Tensor Uniform::mean() const { return 0.5 * (low + high); }

Tensor Uniform::variance() const { return square(high - low) / 12; }

Tensor Uniform::entropy() const { return log(high - low); }

Tensor Uniform::log_prob(const Tensor& value) const {
  require(logical_and(value >= low, value <= high), "a value from low to high");
  return where(value < high, -log(high - low), scalar_tensor(-INFINITY, dtype()));
}

Tensor Uniform::draw(const Shape& shape) const { return low + rand(shape, dtype()) * (high - low); }

Tensor kl_divergence(const Uniform& p, const Uniform& q) {
  return infinity_where(logical_or(q.low > p.low, q.high < p.high),
                        log((q.high - q.low) / (p.high - p.low)));
}

// --- Laplace -------------------------------------------------------------------------------------

Laplace::Laplace(const TensorOrNumber& l, const TensorOrNumber& s) : Distribution("Laplace") {
  broadcast(loc, l, scale, s);
  require(loc == loc, "a loc that is a number");
  require(scale > 0, "a positive scale");
}

Tensor Laplace::variance() const { return 2 * square(scale); }

Tensor Laplace::entropy() const { return 1 + log(2 * scale); }

Tensor Laplace::log_prob(const Tensor& value) const {
  require(value == value, "a value that is a number");
  return -abs(value - loc) / scale - log(2 * scale);
}

Tensor Laplace::draw(const Shape& shape) const {
  const Tensor size = standard_exponential(shape, dtype());
  return loc + scale * where(rand(shape, dtype()) < 0.5, -size, size);
}

Tensor kl_divergence(const Laplace& p, const Laplace& q) {
  const Tensor ratio = p.scale / q.scale, distance = abs(p.loc - q.loc);
  return ratio * exp(-distance / p.scale) + distance / q.scale - log(ratio) - 1;
}

// --- Exponential ---------------------------------------------------------------------------------

Exponential::Exponential(const TensorOrNumber& r) : Distribution("Exponential") {
  broadcast(rate, r);
  require(rate > 0, "a positive rate");
}

Tensor Exponential::mean() const { return 1 / rate; }

Tensor Exponential::variance() const { return 1 / square(rate); }

Tensor Exponential::entropy() const { return 1 - log(rate); }

Tensor Exponential::log_prob(const Tensor& value) const {
  require(value >= 0, "a value of at least 0");
  return log(rate) - rate * value;
}

Tensor Exponential::draw(const Shape& shape) const {
  return standard_exponential(shape, dtype()) / rate;
}

Tensor kl_divergence(const Exponential& p, const Exponential& q) {
  const Tensor ratio = q.rate / p.rate;
  return ratio - 1 - log(ratio);
}

// --- Gamma ---------------------------------------------------------------------------------------

Gamma::Gamma(const TensorOrNumber& c, const TensorOrNumber& r) : Distribution("Gamma") {
  broadcast(concentration, c, rate, r);
  require(concentration > 0, "a positive concentration");
  require(rate > 0, "a positive rate");
}

Tensor Gamma::mean() const { return concentration / rate; }

Tensor Gamma::variance() const { return concentration / square(rate); }

Tensor Gamma::entropy() const {
  return concentration - log(rate) + lgamma(concentration) +
         (1 - concentration) * digamma(concentration);
}

Tensor Gamma::log_prob(const Tensor& value) const {
  require(value >= 0, "a value of at least 0");
  return concentration * log(rate) + xlogy(concentration - 1, value) - rate * value -
         lgamma(concentration);
}

Tensor Gamma::draw(const Shape& shape) const {
  return standard_gamma(broadcast_to(concentration, shape)) / rate;
}

Tensor kl_divergence(const Gamma& p, const Gamma& q) {
  return q.concentration * log(p.rate / q.rate) + lgamma(q.concentration) -
         lgamma(p.concentration) + (p.concentration - q.concentration) * digamma(p.concentration) +
         (q.rate - p.rate) * (p.concentration / p.rate);
}

// --- Bernoulli -----------------------------------------------------------------------------------

Bernoulli::Bernoulli(const ProbsOrLogits& given) : Distribution("Bernoulli") {
  check_given(name_, given);
  if (given.probs.defined()) {
    broadcast(probs, given.probs);
    require(logical_and(probs >= 0, probs <= 1), "probabilities in [0, 1]");
    logits = logit(clamp_probabilities(probs));
  } else {
    broadcast(logits, given.logits);
    require(logits == logits, "logits that are numbers");
    probs = sigmoid(logits);
  }
}

Tensor Bernoulli::variance() const { return probs * (1 - probs); }

Tensor Bernoulli::entropy() const { return -probs * logits - logsigmoid(-logits); }

Tensor Bernoulli::log_prob(const Tensor& value) const {
  require(logical_or(value == 0, value == 1), "values of 0 or 1");
  return value * logits + logsigmoid(-logits);
}

Tensor Bernoulli::draw(const Shape& shape) const { return bernoulli(broadcast_to(probs, shape)); }

Tensor kl_divergence(const Bernoulli& p, const Bernoulli& q) {
  const Tensor yes = logsigmoid(p.logits) - logsigmoid(q.logits);
  const Tensor no = logsigmoid(-p.logits) - logsigmoid(-q.logits);
  const Tensor impossible =
      logical_or(logical_and(q.probs == 0, p.probs > 0), logical_and(q.probs == 1, p.probs < 1));
  return infinity_where(impossible, p.probs * yes + (1 - p.probs) * no);
}

// --- Categorical ---------------------------------------------------------------------------------

Categorical::Categorical(const ProbsOrLogits& given) : Distribution("Categorical") {
  check_given(name_, given);
  Tensor x;
  broadcast(x, given.probs.defined() ? given.probs : given.logits);
  if (x.dim() == 0 || x.size(-1) == 0) {
    throw ShapeError("Categorical: expected classes in the last dimension, got " + x.description());
  }
  batch_shape_.erase(batch_shape_.rank() - 1);
  if (given.probs.defined()) {
    const Tensor total = sum(x, {-1}, true);
    require(logical_and(all(x >= 0), all(logical_and(total > 0, isfinite(total)))),
            "probabilities of at least 0 with a positive, finite sum");
    probs = x / total;
    logits = log(clamp_probabilities(probs));
  } else {
    require(x == x, "logits that are numbers");
    logits = x - logsumexp(x, {-1}, true);
    probs = exp(logits);
  }
}

Tensor Categorical::mean() const { return full(batch_shape(), NAN, dtype()); }

Tensor Categorical::entropy() const { return -sum(probs * finite_logits(logits), {-1}); }

Tensor Categorical::log_prob(const Tensor& value) const {
  const std::int64_t classes = probs.size(-1);
  require(logical_and(logical_and(value >= 0, value < classes), value == floor(value)),
          "whole values from 0 to the number of classes less 1");
  Shape shape = xtape::detail::broadcast("Categorical: log_prob", value.shape(), batch_shape());
  const Tensor index = broadcast_to(value.to(int64), shape).unsqueeze(-1);
  shape.push_back(classes);
  return take_along_dim(broadcast_to(logits, shape), index, -1).squeeze(-1);
}

Tensor Categorical::draw(const Shape& shape) const {
  const std::int64_t rows = batch_shape().numel();
  if (shape.numel() == 0) return empty(shape, int64);
  const Tensor weights = probs.detach().reshape({rows, probs.size(-1)});
  return multinomial(weights, shape.numel() / rows, true).transpose(0, 1).reshape(shape);
}

Tensor kl_divergence(const Categorical& p, const Categorical& q) {
  if (p.probs.size(-1) != q.probs.size(-1)) {
    throw ShapeError("kl_divergence: numbers of classes differ, " + p.probs.description() +
                     " and " + q.probs.description());
  }
  const Tensor terms = p.probs * (finite_logits(p.logits) - finite_logits(q.logits));
  return sum(infinity_where(logical_and(q.probs == 0, p.probs > 0), terms), {-1});
}

}  // namespace xtape::nn::distributions
