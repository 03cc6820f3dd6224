// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <type_traits>

#include "../autograd/export.hpp"
#include "../autograd/scalar.hpp"
#include "../autograd/tensor.hpp"

// Probability distributions, named and shaped as PyTorch's torch.distributions. Parameters
// broadcast to the batch shape; a draw has sample_shape followed by it. Gradients flow to the
// parameters through log_prob, entropy, kl_divergence and rsample. Constructors throw ValueError
// for parameters out of range, DTypeError unless they are floating and of one dtype, ShapeError
// where they do not broadcast; log_prob throws ValueError for a value outside of the support.
namespace xtape::nn::distributions {

/// What a parameter is given as: a number takes the dtype of the others (float32 alone).
class XTAPE_API TensorOrNumber {
 public:
  /// Throws ValueError if x is undefined.
  TensorOrNumber(const Tensor& x);
  TensorOrNumber(Scalar x) : number_(x) {}
  template <class T>
  requires(std::is_arithmetic_v<T>) TensorOrNumber(T x) : number_(x) {}

  bool is_number() const noexcept { return !tensor_.defined(); }
  const Tensor& tensor() const noexcept { return tensor_; }
  Scalar number() const noexcept { return number_; }

 private:
  Tensor tensor_;
  Scalar number_ = 0;
};

/// What all of them have.
class XTAPE_API Distribution {
 public:
  virtual ~Distribution();

  const Shape& batch_shape() const noexcept { return batch_shape_; }
  DType dtype() const noexcept { return dtype_; }
  virtual Tensor mean() const = 0;
  virtual Tensor variance() const = 0;
  Tensor stddev() const;
  /// - E log p; for densities it may be negative.
  virtual Tensor entropy() const = 0;
  /// Logarithm of the probability, or of the density, of a value that broadcasts with the batch.
  virtual Tensor log_prob(const Tensor& value) const = 0;
  /// Random values without history.
  Tensor sample(const Shape& sample_shape = {}) const;
  /// Random values as functions of the parameters: gradients flow through them. Throws GradError
  /// where there are none: Bernoulli and Categorical.
  Tensor rsample(const Shape& sample_shape = {}) const;
  virtual bool has_rsample() const noexcept { return true; }

 protected:
  explicit Distribution(const char* name) noexcept : name_(name) {}
  /// Brings parameters to one dtype and to the batch shape.
  void broadcast(Tensor& a, const TensorOrNumber& from);
  void broadcast(Tensor& a, const TensorOrNumber& from_a, Tensor& b, const TensorOrNumber& from_b);
  /// Throws ValueError, "Normal: expected `what`", unless the condition holds everywhere.
  void require(const Tensor& condition, const char* what) const;
  virtual Tensor draw(const Shape& shape) const = 0;

  const char* name_;
  Shape batch_shape_;
  DType dtype_ = float32;
};

/// exp(-((x - loc) / scale)^2 / 2) / (scale sqrt(2 pi)).
class XTAPE_API Normal final : public Distribution {
 public:
  Tensor loc, scale;
  Normal(const TensorOrNumber& loc, const TensorOrNumber& scale);
  Tensor mean() const override { return loc; }
  Tensor variance() const override;
  Tensor entropy() const override;
  Tensor log_prob(const Tensor& value) const override;

 private:
  Tensor draw(const Shape& shape) const override;
};

/// 1 / (high - low) on [low, high); at high itself log_prob is -inf.
class XTAPE_API Uniform final : public Distribution {
 public:
  Tensor low, high;
  Uniform(const TensorOrNumber& low, const TensorOrNumber& high);
  Tensor mean() const override;
  Tensor variance() const override;
  Tensor entropy() const override;
  Tensor log_prob(const Tensor& value) const override;

 private:
  Tensor draw(const Shape& shape) const override;
};

/// exp(-|x - loc| / scale) / (2 scale).
class XTAPE_API Laplace final : public Distribution {
 public:
  Tensor loc, scale;
  Laplace(const TensorOrNumber& loc, const TensorOrNumber& scale);
  Tensor mean() const override { return loc; }
  Tensor variance() const override;
  Tensor entropy() const override;
  Tensor log_prob(const Tensor& value) const override;

 private:
  Tensor draw(const Shape& shape) const override;
};

/// rate exp(-rate x) for x >= 0.
class XTAPE_API Exponential final : public Distribution {
 public:
  Tensor rate;
  explicit Exponential(const TensorOrNumber& rate);
  Tensor mean() const override;
  Tensor variance() const override;
  Tensor entropy() const override;
  Tensor log_prob(const Tensor& value) const override;

 private:
  Tensor draw(const Shape& shape) const override;
};

/// rate^c x^(c - 1) exp(-rate x) / Gamma(c), c the concentration, for x >= 0. Its rsample is that
/// of `standard_gamma`: differentiable once.
class XTAPE_API Gamma final : public Distribution {
 public:
  Tensor concentration, rate;
  Gamma(const TensorOrNumber& concentration, const TensorOrNumber& rate);
  Tensor mean() const override;
  Tensor variance() const override;
  Tensor entropy() const override;
  Tensor log_prob(const Tensor& value) const override;

 private:
  Tensor draw(const Shape& shape) const override;
};

/// How a distribution over classes is given: one of the two.
struct ProbsOrLogits {
  Tensor probs{};   ///< probabilities
  Tensor logits{};  ///< log(p / (1 - p)), or log p up to a constant for each row
};

/// 1 with probability p, else 0: `Bernoulli(p)` or `Bernoulli({.logits = l})`.
class XTAPE_API Bernoulli final : public Distribution {
 public:
  Tensor probs, logits;
  explicit Bernoulli(const Tensor& p) : Bernoulli(ProbsOrLogits{.probs = p}) {}
  explicit Bernoulli(const ProbsOrLogits& given);
  Tensor mean() const override { return probs; }
  Tensor variance() const override;
  Tensor entropy() const override;
  Tensor log_prob(const Tensor& value) const override;
  bool has_rsample() const noexcept override { return false; }

 private:
  Tensor draw(const Shape& shape) const override;
};

/// 0, 1, ..., n - 1 with the probabilities in the last dimension [..., n], which need not add up to
/// 1; the batch shape is what comes before. Draws are int64. Mean and variance are NaN.
class XTAPE_API Categorical final : public Distribution {
 public:
  Tensor probs, logits;  ///< normalised
  explicit Categorical(const Tensor& p) : Categorical(ProbsOrLogits{.probs = p}) {}
  explicit Categorical(const ProbsOrLogits& given);
  Tensor mean() const override;
  Tensor variance() const override { return mean(); }
  Tensor entropy() const override;
  Tensor log_prob(const Tensor& value) const override;
  bool has_rsample() const noexcept override { return false; }

 private:
  Tensor draw(const Shape& shape) const override;
};

/// Kullback and Leibler's divergence, E_p (log p - log q), for each element of the batch; infinite
/// where q is 0 and p is not.
XTAPE_API Tensor kl_divergence(const Normal& p, const Normal& q);
XTAPE_API Tensor kl_divergence(const Uniform& p, const Uniform& q);
XTAPE_API Tensor kl_divergence(const Laplace& p, const Laplace& q);
XTAPE_API Tensor kl_divergence(const Exponential& p, const Exponential& q);
XTAPE_API Tensor kl_divergence(const Gamma& p, const Gamma& q);
XTAPE_API Tensor kl_divergence(const Bernoulli& p, const Bernoulli& q);
/// Throws ShapeError where the numbers of classes differ.
XTAPE_API Tensor kl_divergence(const Categorical& p, const Categorical& q);

}  // namespace xtape::nn::distributions
