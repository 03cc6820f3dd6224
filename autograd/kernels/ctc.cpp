// SPDX-License-Identifier: BSD-3-Clause
#include "ctc.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "../parallel.hpp"

namespace xtape::kernels {
namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

// log(e^a + e^b)
double log_add(double a, double b) {
  const double top = std::max(a, b), low = std::min(a, b);
  return top == kNever ? kNever : top + std::log1p(std::exp(low - top));
}

// One sample: its states are blank, first class, blank, second class, ..., blank.
template <class T>
class Sample {
 public:
  Sample(const Ctc& c, std::int64_t n, const T* log_probs)
      : c_(c),
        label_(c.targets + c.target_offsets[n]),
        states_(2 * c.target_lengths[n] + 1),
        steps_(c.input_lengths[n]),
        first_(log_probs + n * c.classes) {}

  std::int64_t states() const { return states_; }
  std::int64_t steps() const { return steps_; }
  std::int64_t class_of(std::int64_t s) const { return s % 2 == 0 ? c_.blank : label_[s / 2]; }
  double log_prob(std::int64_t t, std::int64_t s) const {
    return static_cast<double>(first_[t * c_.samples * c_.classes + class_of(s)]);
  }

  // alpha[t][s]: all ways from the start to state s at step t.
  std::vector<double> forward() const {
    std::vector<double> alpha(static_cast<std::size_t>(steps_ * states_), kNever);
    for (std::int64_t t = 0; t < steps_; ++t) {
      double* now = alpha.data() + t * states_;
      const double* before = now - states_;
      for (std::int64_t s = 0; s < states_; ++s) {
        double ways = t == 0 && s < 2 ? 0 : kNever;
        if (t > 0) {
          ways = before[s];
          if (s > 0) ways = log_add(ways, before[s - 1]);
          if (skips(s)) ways = log_add(ways, before[s - 2]);
        }
        now[s] = ways + log_prob(t, s);
      }
    }
    return alpha;
  }

  // beta[t][s]: all ways from state s at step t, the step itself left out, to the end.
  std::vector<double> backward() const {
    std::vector<double> beta(static_cast<std::size_t>(steps_ * states_), kNever);
    for (std::int64_t t = steps_ - 1; t >= 0; --t) {
      double* now = beta.data() + t * states_;
      const double* after = now + states_;
      for (std::int64_t s = 0; s < states_; ++s) {
        if (t == steps_ - 1) {
          now[s] = s >= states_ - 2 ? 0 : kNever;
          continue;
        }
        double ways = after[s] + log_prob(t + 1, s);
        if (s + 1 < states_) ways = log_add(ways, after[s + 1] + log_prob(t + 1, s + 1));
        if (s + 2 < states_ && skips(s + 2)) {
          ways = log_add(ways, after[s + 2] + log_prob(t + 1, s + 2));
        }
        now[s] = ways;
      }
    }
    return beta;
  }

  double log_likelihood(const std::vector<double>& alpha) const {
    const double* last = alpha.data() + (steps_ - 1) * states_;
    return states_ == 1 ? last[0] : log_add(last[states_ - 1], last[states_ - 2]);
  }

 private:
  // Whether the blank before state s may be left out.
  bool skips(std::int64_t s) const {
    return s >= 2 && s % 2 == 1 && label_[s / 2] != label_[s / 2 - 1];
  }

  const Ctc& c_;
  const std::int64_t* label_;
  std::int64_t states_, steps_;
  const T* first_;
};

template <class T>
void add_gradient(const Ctc& c, const Sample<T>& sample, double g, T* gradient) {
  const std::vector<double> alpha = sample.forward(), beta = sample.backward();
  const double total = sample.log_likelihood(alpha);
  for (std::int64_t t = 0; t < sample.steps(); ++t) {
    T* row = gradient + t * c.samples * c.classes;
    for (std::int64_t s = 0; s < sample.states(); ++s) {
      const auto i = static_cast<std::size_t>(t * sample.states() + s);
      row[sample.class_of(s)] -= static_cast<T>(g * std::exp(alpha[i] + beta[i] - total));
    }
  }
}

}  // namespace

void ctc(const Ctc& c, DType dtype, void* losses, const void* log_probs) {
  detail::dispatch_floating(dtype, [&]<class T>(detail::Type<T>) {
    detail::parallel_for(c.samples, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t n = begin; n < end; ++n) {
        const Sample<T> sample(c, n, static_cast<const T*>(log_probs));
        static_cast<T*>(losses)[n] = static_cast<T>(-sample.log_likelihood(sample.forward()));
      }
    });
  });
}

void ctc_backward(const Ctc& c, DType dtype, bool zero_infinity, void* gradient, const void* g,
                  const void* log_probs) {
  detail::dispatch_floating(dtype, [&]<class T>(detail::Type<T>) {
    T* all = static_cast<T*>(gradient);
    std::fill(all, all + c.steps * c.samples * c.classes, T(0));
    detail::parallel_for(c.samples, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t n = begin; n < end; ++n) {
        const Sample<T> sample(c, n, static_cast<const T*>(log_probs));
        if (zero_infinity && sample.log_likelihood(sample.forward()) == kNever) continue;
        add_gradient(c, sample, static_cast<double>(static_cast<const T*>(g)[n]),
                     all + n * c.classes);
      }
    });
  });
}

}  // namespace xtape::kernels
