// SPDX-License-Identifier: BSD-3-Clause
#include "gradcheck.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <numeric>

#include "error.hpp"
#include "node.hpp"
#include "ops/creation.hpp"
#include "sweep.hpp"

namespace xtape {
namespace detail {
namespace {

// SplitMix64: a check must not move the state of the user's generator.
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(seed) {}
  std::uint64_t next() noexcept {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  // In [0.5, 1.5) with a random sign: never about zero, never uniform.
  double weight() noexcept {
    const std::uint64_t bits = next();
    const double x = 0.5 + static_cast<double>(bits >> 11) * 0x1p-53;
    return bits & 1 ? -x : x;
  }

 private:
  std::uint64_t state_;
};

using Values = std::vector<double>;

// Row-major copy of a float64 tensor.
Values values_of(const Tensor& y) {
  const Tensor dense = y.is_contiguous() ? y : copy_contiguous(y.detach());
  const double* data = dense.data<double>();
  return Values(data, data + dense.numel());
}

bool same_bits(const std::vector<Values>& a, const std::vector<Values>& b) {
  return std::ranges::equal(a, b, [](const Values& u, const Values& v) {
    return u.size() == v.size() &&
           (u.empty() || std::memcmp(u.data(), v.data(), u.size() * sizeof(double)) == 0);
  });
}

// Infinities and NaN too.
bool same_value(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

std::vector<std::int64_t> index_of(std::int64_t element, std::span<const std::int64_t> sizes) {
  std::vector<std::int64_t> index(sizes.size());
  for (std::size_t i = sizes.size(); i-- > 0;) {
    index[i] = element % sizes[i];
    element /= sizes[i];
  }
  return index;
}

void require_float64(const char* what, std::size_t i, const Tensor& x) {
  if (!x.defined()) {
    throw ValueError("gradcheck: " + std::string(what) + " " + std::to_string(i) + " is undefined");
  }
  if (x.dtype() == float32) {
    throw DTypeError("gradcheck: " + std::string(what) + " " + std::to_string(i) + " is " +
                     x.description() + "; differences need float64");
  }
}

/// One comparison of a function's gradients with its differences. `recorded` is differentiated by
/// the tape, `plain` by differences: two ways to the same values.
class Check {
 public:
  Check(TensorFunction recorded, TensorFunction plain, const std::vector<Tensor>& inputs,
        const GradcheckOptions& options)
      : recorded_(recorded), plain_(plain), options_(options), random_(options.seed) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      require_float64("input", i, inputs[i]);
      inputs_.push_back(copy_contiguous(inputs[i].detach()));
      if (is_floating(inputs[i].dtype())) inputs_.back().requires_grad_();
    }
  }

  GradcheckReport run();

 private:
  std::vector<Values> evaluate() const;
  std::vector<Tensor> analytic_gradients(const std::vector<Tensor>& outputs);
  double slope(const Tensor& x, std::int64_t element, double h) const;
  double numeric(const Tensor& x, std::int64_t element, double analytic) const;
  bool close(double analytic, double numeric) const noexcept {
    return std::abs(analytic - numeric) <= options_.atol + options_.rtol * std::abs(numeric);
  }
  std::vector<std::int64_t> elements(std::int64_t count);
  bool check_input(std::size_t i, const Values& analytic, GradcheckReport& report);

  TensorFunction recorded_, plain_;
  const GradcheckOptions& options_;
  Random random_;
  std::vector<Tensor> inputs_;
  std::vector<Values> weights_;  // the outputs' gradients; none for what is no float64
};

// Undefined results count as zeros.
std::vector<Values> Check::evaluate() const {
  std::vector<Values> ys;
  for (const Tensor& y : plain_.call(plain_.object, inputs_)) {
    ys.push_back(y.defined() && y.dtype() == float64 ? values_of(y) : Values{});
    if (!y.defined() && ys.size() <= weights_.size())
      ys.back().resize(weights_[ys.size() - 1].size());
  }
  return ys;
}

// Zeros where the tape knows no way from the outputs to an input: the differences tell whether
// that is right.
std::vector<Tensor> Check::analytic_gradients(const std::vector<Tensor>& outputs) {
  std::vector<Tensor> recorded, seeds, wanted;
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    if (weights_[k].empty() || !outputs[k].requires_grad()) continue;
    recorded.push_back(outputs[k]);
    seeds.push_back(from_values(std::span<const double>(weights_[k]), outputs[k].shape()));
  }
  for (const Tensor& x : inputs_) {
    if (x.requires_grad()) wanted.push_back(x);
  }
  if (recorded.empty() || wanted.empty()) return std::vector<Tensor>(inputs_.size());
  std::vector<Tensor> found =
      grad(recorded, wanted, {.grad_outputs = std::move(seeds), .allow_unused = true});
  std::vector<Tensor> gradients;
  for (std::size_t i = 0, next = 0; i < inputs_.size(); ++i) {
    gradients.push_back(inputs_[i].requires_grad() ? std::move(found[next++]) : Tensor());
  }
  return gradients;
}

// (L(x + h) - L(x - h)) / 2h, L the weighted sum of the outputs; differences first, then the sum,
// so that large outputs that do not depend on x cost no digits.
double Check::slope(const Tensor& x, std::int64_t element, double h) const {
  double& place = reinterpret_cast<double*>(x.value()->data)[element];
  const double before = place, above = before + h, below = before - h;
  const auto evaluate_at = [&](double value) {
    place = value;
    raise_version(x);  // what a kernel prepared from the value before is no longer good
    return evaluate();
  };
  const std::vector<Values> plus = evaluate_at(above), minus = evaluate_at(below);
  place = before;
  raise_version(x);
  long double sum = 0;
  for (std::size_t k = 0; k < weights_.size(); ++k) {
    for (std::size_t j = 0; j < weights_[k].size(); ++j) {
      sum += static_cast<long double>(weights_[k][j]) *
             (static_cast<long double>(plus[k][j]) - minus[k][j]);
    }
  }
  return static_cast<double>(sum / (static_cast<long double>(above) - below));
}

// Where the plain difference does not agree, finer and fourth-order ones are tried, and the one
// whose two orders agree best among themselves is believed, whatever the analytic value is.
double Check::numeric(const Tensor& x, std::int64_t element, double analytic) const {
  const double scale = std::max(1.0, std::abs(x.data<double>()[element]));
  if (options_.step > 0) return slope(x, element, options_.step * scale);
  const double first = slope(x, element, std::cbrt(std::numeric_limits<double>::epsilon()) * scale);
  if (close(analytic, first)) return first;
  double best = first, least = std::numeric_limits<double>::infinity();
  for (const double h : {1e-3, 2e-4, 3e-5, 4e-6, 5e-7}) {
    const double coarse = slope(x, element, 2 * h * scale), fine = slope(x, element, h * scale);
    const double spread = std::abs(coarse - fine);
    if (spread < least) {
      least = spread;
      best = (4 * fine - coarse) / 3;
    }
  }
  return best;
}

std::vector<std::int64_t> Check::elements(std::int64_t count) {
  std::vector<std::int64_t> chosen(static_cast<std::size_t>(count));
  std::iota(chosen.begin(), chosen.end(), 0);
  const std::int64_t limit = options_.max_elements;
  if (limit <= 0 || limit >= count) return chosen;
  for (std::size_t i = 0; i < static_cast<std::size_t>(limit); ++i) {
    std::swap(chosen[i], chosen[i + random_.next() % (chosen.size() - i)]);
  }
  chosen.resize(static_cast<std::size_t>(limit));
  return chosen;
}

bool Check::check_input(std::size_t i, const Values& analytic, GradcheckReport& report) {
  for (const std::int64_t e : elements(inputs_[i].numel())) {
    const double expected = analytic.empty() ? 0.0 : analytic[static_cast<std::size_t>(e)];
    const double measured = numeric(inputs_[i], e, expected);
    if (close(expected, measured)) continue;
    report.ok = false;
    report.input = static_cast<int>(i);
    report.element = e;
    report.index = index_of(e, inputs_[i].sizes());
    report.analytic = expected;
    report.numeric = measured;
    return false;
  }
  return true;
}

GradcheckReport Check::run() {
  GradcheckReport report;
  std::vector<Tensor> gradients;
  std::vector<Values> values;
  {
    const std::vector<Tensor> outputs = recorded_.call(recorded_.object, inputs_);
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      weights_.emplace_back();
      values.emplace_back();
      if (!outputs[k].defined() || !is_floating(outputs[k].dtype())) continue;
      require_float64("output", k, outputs[k]);
      for (std::int64_t j = 0; j < outputs[k].numel(); ++j) {
        weights_.back().push_back(random_.weight());
      }
      values.back() = values_of(outputs[k]);
      if (report.operation.empty() && outputs[k].requires_grad()) {
        report.operation = outputs[k].value()->node->name;
      }
    }
    gradients = analytic_gradients(outputs);
  }
  const std::vector<Values> again = evaluate();
  const bool as_many = std::ranges::equal(again, weights_, {}, &Values::size, &Values::size);
  if (!as_many || !same_bits(again, evaluate())) {
    report.ok = false;
    report.problem =
        "the function gives other values when it is called again; seed its random numbers inside";
    return report;
  }
  for (std::size_t k = 0; k < values.size(); ++k) {
    if (std::ranges::equal(values[k], again[k], [this](double a, double b) {
          return close(a, b) || same_value(a, b);
        })) {
      continue;
    }
    report.ok = false;
    report.problem = "gradient " + std::to_string(k) +
                     " has other values when its own graph is recorded (create_graph)";
    return report;
  }
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (!is_floating(inputs_[i].dtype())) continue;
    const Values analytic = gradients[i].defined() ? values_of(gradients[i]) : Values{};
    if (!check_input(i, analytic, report)) break;
  }
  return report;
}

/// What the second order differentiates: inputs and seeds to gradients.
struct FirstOrder {
  TensorFunction f;
  std::size_t inputs;
  bool create_graph;

  std::vector<Tensor> operator()(const std::vector<Tensor>& all) const {
    const auto split = all.begin() + static_cast<std::ptrdiff_t>(inputs);
    const std::vector<Tensor> x(all.begin(), split);
    std::vector<Tensor> outputs, seeds, wanted;
    auto seed = split;
    for (Tensor& y : f.call(f.object, x)) {
      if (!y.defined() || y.dtype() != float64) continue;
      if (y.requires_grad()) {
        outputs.push_back(std::move(y));
        seeds.push_back(*seed);
      }
      ++seed;
    }
    for (const Tensor& t : x) {
      if (t.requires_grad()) wanted.push_back(t);
    }
    if (outputs.empty() || wanted.empty()) return {};
    return grad(
        outputs, wanted,
        {.grad_outputs = std::move(seeds), .create_graph = create_graph, .allow_unused = true});
  }
};

}  // namespace

GradcheckReport run_gradcheck(TensorFunction f, const std::vector<Tensor>& inputs,
                              const GradcheckOptions& options) {
  const EnableGrad recording;
  return Check(f, f, inputs, options).run();
}

GradcheckReport run_gradgradcheck(TensorFunction f, const std::vector<Tensor>& inputs,
                                  const GradcheckOptions& options) {
  const EnableGrad recording;
  std::vector<Tensor> all = inputs;
  Random random(options.seed + 0x5eed);
  for (const Tensor& y : f.call(f.object, inputs)) {
    if (!y.defined() || y.dtype() != float64) continue;
    Values seed(static_cast<std::size_t>(y.numel()));
    std::ranges::generate(seed, [&] { return random.weight(); });
    all.push_back(from_values(std::span<const double>(seed), y.shape()));
  }
  // Differences take the gradient as training computes it, often by a fused kernel: what the tape
  // differentiates, in recorded operations, is held against it.
  FirstOrder recorded{f, inputs.size(), true}, plain{f, inputs.size(), false};
  return Check(tensor_function(recorded), tensor_function(plain), all, options).run();
}

}  // namespace detail

std::string GradcheckReport::text() const {
  if (ok) return "the gradients agree";
  const std::string where = operation.empty() ? "" : "gradient of " + operation + ": ";
  if (!problem.empty()) return where + problem;
  std::string at;
  for (const std::int64_t i : index) at += (at.empty() ? "" : ", ") + std::to_string(i);
  char numbers[120];
  std::snprintf(numbers, sizeof numbers, "the tape says %.12g, differences say %.12g", analytic,
                numeric);
  return where + "input " + std::to_string(input) + " at [" + at + "]: " + numbers;
}

}  // namespace xtape
