// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "../autograd/export.hpp"
#include "../autograd/owned.hpp"
#include "../autograd/tensor.hpp"

// Figures of a model over all batches since the last reset, computed in double. A NaN among the
// predictions makes the value NaN. Where classes are counted, predictions are scores [N, C, ...]
// for integer labels [N, ...], of which the largest counts (the first of equal ones), or numbers of
// the labels' shape, class 1 where above a threshold.
namespace xtape::optim {

/// Base of the metrics.
class XTAPE_API Metric {
 public:
  virtual ~Metric();

  /// Adds a batch. Throws ShapeError, DTypeError, IndexError for a label that is no class; the
  /// metric is unchanged then.
  void update(const Tensor& prediction, const Tensor& target);
  /// Throws ValueError before the first `update`.
  double value() const;
  void reset();
  /// As the figure is called in tables, e.g. "accuracy".
  virtual std::string name() const = 0;
  /// A copy of the whole object.
  virtual Owned<Metric> clone() const = 0;

 protected:
  virtual void add(const Tensor& prediction, const Tensor& target) = 0;
  virtual double result() const = 0;
  virtual void clear() = 0;

 private:
  bool updated_ = false;
};

/// Metrics of several kinds, e.g. `{Accuracy(), F1Score()}`. Copies are apart.
class XTAPE_API Metrics {
 public:
  template <std::derived_from<Metric>... M>
  Metrics(M... metrics) {
    (metrics_.push_back(Owned<M>::make(std::move(metrics))), ...);
  }
  Metrics(const Metrics& other);
  Metrics(Metrics&&) noexcept = default;
  Metrics& operator=(Metrics other) noexcept {
    metrics_.swap(other.metrics_);
    return *this;
  }

  void update(const Tensor& prediction, const Tensor& target);
  void reset();
  std::vector<std::string> names() const;
  /// Names and values, in order.
  std::vector<std::pair<std::string, double>> values() const;

 private:
  std::vector<Owned<Metric>> metrics_;
};

/// Share of labels among the `top_k` largest of the scores [N, C, ...].
class XTAPE_API Accuracy final : public Metric {
 public:
  /// Throws ValueError for top_k < 1.
  explicit Accuracy(std::int64_t top_k = 1);
  std::string name() const override;  ///< "accuracy", "top_5_accuracy"
  Owned<Metric> clone() const override;

 private:
  void add(const Tensor& prediction, const Tensor& target) override;
  double result() const override;
  void clear() override;

  std::int64_t top_k_;
  double right_ = 0, count_ = 0;
};

/// Share of labels 0 and 1 on whose side of the threshold the prediction lies: 0.5 for
/// probabilities, 0 for logits.
class XTAPE_API BinaryAccuracy final : public Metric {
 public:
  explicit BinaryAccuracy(double threshold = 0.5) : threshold_(threshold) {}
  std::string name() const override { return "accuracy"; }
  Owned<Metric> clone() const override;

 private:
  void add(const Tensor& prediction, const Tensor& target) override;
  double result() const override;
  void clear() override;

  double threshold_;
  double right_ = 0, count_ = 0;
};

struct ConfusionMatrixOptions {
  std::int64_t classes = 2;
  double threshold = 0.5;  ///< for predictions of the labels' shape
};

/// Counts [classes, classes], int64: row the label, column the prediction.
class XTAPE_API ConfusionMatrix {
 public:
  /// Throws ValueError for fewer than two classes.
  explicit ConfusionMatrix(const ConfusionMatrixOptions& options = {})
      : ConfusionMatrix("ConfusionMatrix", options) {}

  /// Throws as Metric::update does.
  void update(const Tensor& prediction, const Tensor& target);
  /// Throws ValueError where a prediction was NaN.
  Tensor value() const;
  void reset();

 private:
  friend class ClassMetric;
  ConfusionMatrix(const char* owner, const ConfusionMatrixOptions& options);
  std::int64_t count(std::int64_t label, std::int64_t prediction) const {
    return counts_[static_cast<std::size_t>(label * options_.classes + prediction)];
  }

  const char* owner_;  // as errors name it
  ConfusionMatrixOptions options_;
  std::vector<std::int64_t> counts_;
  bool nan_ = false;
};

/// How the figures of the classes become one: class 1's of two; from the counts of all together;
/// the mean; the mean weighted by the number of labels of each.
enum class Average : std::uint8_t { binary, micro, macro, weighted };

struct ClassMetricOptions {
  std::int64_t classes = 2;
  Average average = Average::binary;
  double threshold = 0.5;  ///< for predictions of the labels' shape
};

/// Base of figures that come from a confusion matrix; 0 where the denominator is, as scikit-learn
/// has it.
class XTAPE_API ClassMetric : public Metric {
 protected:
  /// Throws ValueError for fewer than two classes, and for a binary average of more.
  ClassMetric(const char* name, const ClassMetricOptions& options);
  /// Of right ones, of all predicted and of all labelled as a class.
  virtual double ratio(double right, double predicted, double labelled) const = 0;

 private:
  void add(const Tensor& prediction, const Tensor& target) final;
  double result() const final;
  void clear() final;

  Average average_;
  ConfusionMatrix counts_;
};

/// Of what was predicted as the class, the share that is of it.
class XTAPE_API Precision final : public ClassMetric {
 public:
  explicit Precision(const ClassMetricOptions& options = {}) : ClassMetric("Precision", options) {}
  std::string name() const override { return "precision"; }
  Owned<Metric> clone() const override;

 private:
  double ratio(double right, double predicted, double labelled) const override;
};

/// Of what is of the class, the share that was predicted as such.
class XTAPE_API Recall final : public ClassMetric {
 public:
  explicit Recall(const ClassMetricOptions& options = {}) : ClassMetric("Recall", options) {}
  std::string name() const override { return "recall"; }
  Owned<Metric> clone() const override;

 private:
  double ratio(double right, double predicted, double labelled) const override;
};

/// The harmonic mean of precision and recall.
class XTAPE_API F1Score final : public ClassMetric {
 public:
  explicit F1Score(const ClassMetricOptions& options = {}) : ClassMetric("F1Score", options) {}
  std::string name() const override { return "f1"; }
  Owned<Metric> clone() const override;

 private:
  double ratio(double right, double predicted, double labelled) const override;
};

/// The chance that a sample labelled 1 has a larger prediction than one labelled 0, equal ones
/// counting half: the area under the ROC curve. Keeps all predictions. `value` throws ValueError
/// where only one of the labels came.
class XTAPE_API ROCAUC final : public Metric {
 public:
  std::string name() const override { return "roc_auc"; }
  Owned<Metric> clone() const override;

 private:
  void add(const Tensor& prediction, const Tensor& target) override;
  double result() const override;
  void clear() override;

  std::vector<std::pair<double, bool>> samples_;
};

/// Mean of (prediction - target)^2 over all elements.
class XTAPE_API MeanSquaredError final : public Metric {
 public:
  std::string name() const override { return "mse"; }
  Owned<Metric> clone() const override;

 private:
  void add(const Tensor& prediction, const Tensor& target) override;
  double result() const override;
  void clear() override;

  double sum_ = 0, count_ = 0;
};

/// Mean of |prediction - target| over all elements.
class XTAPE_API MeanAbsoluteError final : public Metric {
 public:
  std::string name() const override { return "mae"; }
  Owned<Metric> clone() const override;

 private:
  void add(const Tensor& prediction, const Tensor& target) override;
  double result() const override;
  void clear() override;

  double sum_ = 0, count_ = 0;
};

/// 1 - sum (prediction - target)^2 / sum (target - mean)^2 for each output, then their mean. NaN
/// for fewer than two samples; a constant target gives 1 where all is exact, else 0, as
/// scikit-learn has it.
class XTAPE_API R2Score final : public Metric {
 public:
  std::string name() const override { return "r2"; }
  Owned<Metric> clone() const override;

 private:
  void add(const Tensor& prediction, const Tensor& target) override;
  double result() const override;
  void clear() override;

  struct Output {
    double error = 0;                // sum of squares
    double mean = 0, deviation = 0;  // of the targets; sum of squares around the mean
  };
  std::vector<Output> outputs_;
  double count_ = 0;
};

/// exp of the mean cross-entropy of scores [N, C, ...] for labels [N, ...], those of `ignore_index`
/// left out.
class XTAPE_API Perplexity final : public Metric {
 public:
  explicit Perplexity(std::int64_t ignore_index = -100) : ignore_index_(ignore_index) {}
  std::string name() const override { return "perplexity"; }
  Owned<Metric> clone() const override;

 private:
  void add(const Tensor& prediction, const Tensor& target) override;
  double result() const override;
  void clear() override;

  std::int64_t ignore_index_;
  double sum_ = 0, count_ = 0;
};

}  // namespace xtape::optim
