// SPDX-License-Identifier: BSD-3-Clause
#include "metrics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../autograd/error.hpp"
#include "../autograd/ops/creation.hpp"
#include "../autograd/tape.hpp"
#include "../nn/losses_classes.hpp"

namespace xtape::optim {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

[[noreturn]] void bad_shapes(const char* owner, const char* rule, const Tensor& prediction,
                             const Tensor& target) {
  throw ShapeError(std::string(owner) + ": " + rule + ", got " + prediction.description() +
                   " and " + target.description());
}

void check_same_shape(const char* owner, const Tensor& prediction, const Tensor& target) {
  if (prediction.shape() != target.shape()) {
    bad_shapes(owner, "expected predictions of the targets' shape", prediction, target);
  }
}

// Row-major elements, kept alive by the tensor.
template <class T>
struct Elements {
  Elements(const Tensor& x) : tensor(x.detach().to(dtype_of<T>).contiguous()) {}
  T operator[](std::int64_t i) const { return tensor.data<T>()[i]; }
  std::int64_t size() const { return tensor.numel(); }
  Tensor tensor;
};

// Labels of a binary problem, of any dtype.
Elements<double> binary_labels(const char* owner, const Tensor& prediction, const Tensor& target) {
  check_same_shape(owner, prediction, target);
  Elements<double> labels(target);
  for (std::int64_t i = 0; i < labels.size(); ++i) {
    if (labels[i] != 0 && labels[i] != 1) {
      throw IndexError(std::string(owner) + ": expected labels 0 and 1, got " +
                       std::to_string(labels[i]));
    }
  }
  return labels;
}

// Scores [N, C, ...] beside labels [N, ...]: where each position's scores lie.
struct Scores {
  Scores(const char* owner, const Tensor& prediction, const Tensor& target)
      : values((check(owner, prediction, target), prediction)),
        labels(target),
        classes(prediction.size(1)) {
    for (int d = 2; d < prediction.dim(); ++d) inner *= prediction.size(d);
    for (std::int64_t i = 0; i < labels.size(); ++i) {
      if (labels[i] < 0 || labels[i] >= classes) {
        throw IndexError(std::string(owner) + ": label " + std::to_string(labels[i]) +
                         " is none of " + std::to_string(classes) + " classes");
      }
    }
  }
  double at(std::int64_t position, std::int64_t c) const {
    return values[(position / inner * classes + c) * inner + position % inner];
  }
  bool has_nan(std::int64_t position) const {
    for (std::int64_t c = 0; c < classes; ++c) {
      if (std::isnan(at(position, c))) return true;
    }
    return false;
  }
  // How many classes come before this one: larger ones, and equal ones of a smaller number.
  std::int64_t rank(std::int64_t position, std::int64_t of) const {
    const double mine = at(position, of);
    std::int64_t before = 0;
    for (std::int64_t c = 0; c < classes; ++c) {
      before += at(position, c) > mine || (at(position, c) == mine && c < of);
    }
    return before;
  }
  std::int64_t largest(std::int64_t position) const {
    std::int64_t best = 0;
    for (std::int64_t c = 1; c < classes; ++c) {
      if (at(position, c) > at(position, best)) best = c;
    }
    return best;
  }

  Elements<double> values;
  Elements<std::int64_t> labels;
  std::int64_t classes, inner = 1;

 private:
  static void check(const char* owner, const Tensor& prediction, const Tensor& target) {
    bool fits = prediction.dim() == target.dim() + 1 && target.dim() >= 1;
    for (int d = 0; fits && d < target.dim(); ++d) {
      fits = target.size(d) == prediction.size(d == 0 ? 0 : d + 1);
    }
    if (!fits) {
      bad_shapes(owner, "expected scores [N, C, ...] and labels [N, ...]", prediction, target);
    }
    if (is_floating(target.dtype())) {
      throw DTypeError(std::string(owner) + ": expected integer labels, got " +
                       target.description());
    }
  }
};

}  // namespace

// --- the base, and lists of metrics -------------------------------------------------------------

Metric::~Metric() = default;

void Metric::update(const Tensor& prediction, const Tensor& target) {
  const NoGrad guard;
  add(prediction, target);
  updated_ = true;
}

double Metric::value() const {
  if (!updated_) throw ValueError(name() + ": value() before the first update()");
  return result();
}

void Metric::reset() {
  clear();
  updated_ = false;
}

Metrics::Metrics(const Metrics& other) {
  for (const auto& m : other.metrics_) metrics_.push_back(m->clone());
}

void Metrics::update(const Tensor& prediction, const Tensor& target) {
  for (const auto& m : metrics_) m->update(prediction, target);
}

void Metrics::reset() {
  for (const auto& m : metrics_) m->reset();
}

std::vector<std::string> Metrics::names() const {
  std::vector<std::string> found;
  for (const auto& m : metrics_) found.push_back(m->name());
  return found;
}

std::vector<std::pair<std::string, double>> Metrics::values() const {
  std::vector<std::pair<std::string, double>> found;
  for (const auto& m : metrics_) found.emplace_back(m->name(), m->value());
  return found;
}

// --- classes ------------------------------------------------------------------------------------

Accuracy::Accuracy(std::int64_t top_k) : top_k_(top_k) {
  if (top_k < 1) {
    throw ValueError("Accuracy: top_k is at least 1, got " + std::to_string(top_k));
  }
}

std::string Accuracy::name() const {
  return top_k_ == 1 ? "accuracy" : "top_" + std::to_string(top_k_) + "_accuracy";
}

void Accuracy::add(const Tensor& prediction, const Tensor& target) {
  const Scores scores("Accuracy", prediction, target);
  for (std::int64_t i = 0; i < scores.labels.size(); ++i) {
    right_ += scores.has_nan(i) ? kNaN : scores.rank(i, scores.labels[i]) < top_k_;
  }
  count_ += static_cast<double>(scores.labels.size());
}

double Accuracy::result() const { return right_ / count_; }
void Accuracy::clear() { right_ = count_ = 0; }
Owned<Metric> Accuracy::clone() const { return Owned<Accuracy>::make(*this); }

void BinaryAccuracy::add(const Tensor& prediction, const Tensor& target) {
  const auto labels = binary_labels("BinaryAccuracy", prediction, target);
  const Elements<double> values(prediction);
  for (std::int64_t i = 0; i < labels.size(); ++i) {
    right_ += std::isnan(values[i]) ? kNaN : (values[i] > threshold_) == (labels[i] == 1);
  }
  count_ += static_cast<double>(labels.size());
}

double BinaryAccuracy::result() const { return right_ / count_; }
void BinaryAccuracy::clear() { right_ = count_ = 0; }
Owned<Metric> BinaryAccuracy::clone() const { return Owned<BinaryAccuracy>::make(*this); }

ConfusionMatrix::ConfusionMatrix(const char* owner, const ConfusionMatrixOptions& options)
    : owner_(owner), options_(options) {
  if (options.classes < 2) {
    throw ValueError(std::string(owner) + ": there are at least two classes, got " +
                     std::to_string(options.classes));
  }
  reset();
}

void ConfusionMatrix::update(const Tensor& prediction, const Tensor& target) {
  const auto count = [&](bool nan, std::int64_t label, std::int64_t predicted) {
    nan_ = nan_ || nan;
    ++counts_[static_cast<std::size_t>(label * options_.classes + predicted)];
  };
  if (prediction.shape() == target.shape() && options_.classes == 2) {
    const auto labels = binary_labels(owner_, prediction, target);
    const Elements<double> values(prediction);
    for (std::int64_t i = 0; i < labels.size(); ++i) {
      count(std::isnan(values[i]), labels[i] == 1, values[i] > options_.threshold);
    }
    return;
  }
  const Scores scores(owner_, prediction, target);
  if (scores.classes != options_.classes) {
    bad_shapes(owner_,
               ("expected scores of " + std::to_string(options_.classes) + " classes").c_str(),
               prediction, target);
  }
  for (std::int64_t i = 0; i < scores.labels.size(); ++i) {
    count(scores.has_nan(i), scores.labels[i], scores.largest(i));
  }
}

Tensor ConfusionMatrix::value() const {
  if (nan_) throw ValueError(std::string(owner_) + ": a prediction was NaN");
  return from_values<std::int64_t>(counts_, {options_.classes, options_.classes});
}

void ConfusionMatrix::reset() {
  counts_.assign(static_cast<std::size_t>(options_.classes * options_.classes), 0);
  nan_ = false;
}

ClassMetric::ClassMetric(const char* name, const ClassMetricOptions& options)
    : average_(options.average),
      counts_(name, {.classes = options.classes, .threshold = options.threshold}) {
  if (average_ == Average::binary && options.classes != 2) {
    throw ValueError(std::string(name) + ": the binary average is one of two classes, got " +
                     std::to_string(options.classes));
  }
}

void ClassMetric::add(const Tensor& prediction, const Tensor& target) {
  counts_.update(prediction, target);
}

double ClassMetric::result() const {
  if (counts_.nan_) return kNaN;
  const std::int64_t classes = counts_.options_.classes;
  double all = 0, all_right = 0, mean = 0, weighted = 0, last = 0;
  for (std::int64_t c = 0; c < classes; ++c) {
    double predicted = 0, labelled = 0;
    for (std::int64_t other = 0; other < classes; ++other) {
      predicted += static_cast<double>(counts_.count(other, c));
      labelled += static_cast<double>(counts_.count(c, other));
    }
    const auto right = static_cast<double>(counts_.count(c, c));
    last = ratio(right, predicted, labelled);
    mean += last / static_cast<double>(classes);
    weighted += last * labelled;
    all += labelled;
    all_right += right;
  }
  switch (average_) {
    case Average::binary:
      return last;
    case Average::micro:
      return ratio(all_right, all, all);
    case Average::macro:
      return mean;
    default:
      return weighted / all;
  }
}

void ClassMetric::clear() { counts_.reset(); }

double Precision::ratio(double right, double predicted, double) const {
  return predicted == 0 ? 0 : right / predicted;
}
double Recall::ratio(double right, double, double labelled) const {
  return labelled == 0 ? 0 : right / labelled;
}
double F1Score::ratio(double right, double predicted, double labelled) const {
  return predicted + labelled == 0 ? 0 : 2 * right / (predicted + labelled);
}
Owned<Metric> Precision::clone() const { return Owned<Precision>::make(*this); }
Owned<Metric> Recall::clone() const { return Owned<Recall>::make(*this); }
Owned<Metric> F1Score::clone() const { return Owned<F1Score>::make(*this); }

void ROCAUC::add(const Tensor& prediction, const Tensor& target) {
  const auto labels = binary_labels("ROCAUC", prediction, target);
  const Elements<double> values(prediction);
  for (std::int64_t i = 0; i < labels.size(); ++i) {
    samples_.emplace_back(values[i], labels[i] == 1);
  }
}

// Mann and Whitney's count of pairs, over groups of equal predictions in increasing order.
double ROCAUC::result() const {
  for (const auto& s : samples_) {
    if (std::isnan(s.first)) return kNaN;
  }
  auto sorted = samples_;
  std::sort(sorted.begin(), sorted.end());
  double zeros = 0, ones = 0, pairs = 0;
  for (std::size_t i = 0; i < sorted.size();) {
    double group[2] = {0, 0};
    for (const double score = sorted[i].first; i < sorted.size() && sorted[i].first == score; ++i) {
      ++group[sorted[i].second];
    }
    pairs += group[1] * (zeros + group[0] / 2);
    zeros += group[0];
    ones += group[1];
  }
  if (zeros == 0 || ones == 0) {
    throw ValueError("ROCAUC: expected samples of both labels, got " +
                     std::to_string(sorted.size()) + " labelled " + (ones == 0 ? "0" : "1"));
  }
  return pairs / (zeros * ones);
}

void ROCAUC::clear() { samples_.clear(); }
Owned<Metric> ROCAUC::clone() const { return Owned<ROCAUC>::make(*this); }

// --- numbers ------------------------------------------------------------------------------------

void MeanSquaredError::add(const Tensor& prediction, const Tensor& target) {
  check_same_shape("MeanSquaredError", prediction, target);
  const Elements<double> p(prediction), t(target);
  for (std::int64_t i = 0; i < p.size(); ++i) sum_ += (p[i] - t[i]) * (p[i] - t[i]);
  count_ += static_cast<double>(p.size());
}

double MeanSquaredError::result() const { return sum_ / count_; }
void MeanSquaredError::clear() { sum_ = count_ = 0; }
Owned<Metric> MeanSquaredError::clone() const { return Owned<MeanSquaredError>::make(*this); }

void MeanAbsoluteError::add(const Tensor& prediction, const Tensor& target) {
  check_same_shape("MeanAbsoluteError", prediction, target);
  const Elements<double> p(prediction), t(target);
  for (std::int64_t i = 0; i < p.size(); ++i) sum_ += std::abs(p[i] - t[i]);
  count_ += static_cast<double>(p.size());
}

double MeanAbsoluteError::result() const { return sum_ / count_; }
void MeanAbsoluteError::clear() { sum_ = count_ = 0; }
Owned<Metric> MeanAbsoluteError::clone() const { return Owned<MeanAbsoluteError>::make(*this); }

void R2Score::add(const Tensor& prediction, const Tensor& target) {
  check_same_shape("R2Score", prediction, target);
  if (target.dim() == 0) {
    bad_shapes("R2Score", "expected [N, ...] of both", prediction, target);
  }
  std::int64_t width = 1;
  for (int d = 1; d < target.dim(); ++d) width *= target.size(d);
  if (!outputs_.empty() && static_cast<std::int64_t>(outputs_.size()) != width) {
    bad_shapes("R2Score", "expected as many outputs as in the batches before", prediction, target);
  }
  outputs_.resize(static_cast<std::size_t>(width));
  const Elements<double> p(prediction), t(target);
  for (std::int64_t row = 0; row < target.size(0); ++row) {
    ++count_;
    for (std::int64_t o = 0; o < width; ++o) {  // Welford's running mean and deviation
      const std::int64_t i = row * width + o;
      Output& output = outputs_[static_cast<std::size_t>(o)];
      const double before = t[i] - output.mean;
      output.mean += before / count_;
      output.deviation += before * (t[i] - output.mean);
      output.error += (p[i] - t[i]) * (p[i] - t[i]);
    }
  }
}

double R2Score::result() const {
  if (count_ < 2) return kNaN;
  double sum = 0;
  for (const Output& o : outputs_) {
    if (o.deviation == 0 && !std::isnan(o.error)) {
      sum += o.error == 0;
    } else {
      sum += 1 - o.error / o.deviation;
    }
  }
  return sum / static_cast<double>(outputs_.size());
}

void R2Score::clear() {
  outputs_.clear();
  count_ = 0;
}
Owned<Metric> R2Score::clone() const { return Owned<R2Score>::make(*this); }

void Perplexity::add(const Tensor& prediction, const Tensor& target) {
  sum_ += nn::cross_entropy(prediction, target,
                            {.ignore_index = ignore_index_, .reduction = nn::Reduction::sum})
              .item<double>();
  const Elements<std::int64_t> labels(target);
  for (std::int64_t i = 0; i < labels.size(); ++i) count_ += labels[i] != ignore_index_;
}

double Perplexity::result() const { return std::exp(sum_ / count_); }
void Perplexity::clear() { sum_ = count_ = 0; }
Owned<Metric> Perplexity::clone() const { return Owned<Perplexity>::make(*this); }

}  // namespace xtape::optim
