// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/indexing.hpp>
#include <xtape/autograd/ops/shape.hpp>
#include <xtape/optim/metrics.hpp>

#include <boost/test/unit_test.hpp>

#include <limits>

#include "../nn/nn_test.hpp"

// Expected numbers without a comment are scikit-learn's definitions worked out by hand.
namespace {

using namespace xtape;
using nn_test::check_values;
using nn_test::says;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Tensor numbers(const std::vector<double>& x) {
  return from_values<double>(x, {static_cast<std::int64_t>(x.size())});
}
Tensor labels(const std::vector<std::int64_t>& x) {
  return from_values<std::int64_t>(x, {static_cast<std::int64_t>(x.size())});
}

template <class M>
double value_of(M metric, const Tensor& prediction, const Tensor& target) {
  metric.update(prediction, target);
  return metric.value();
}

// Four samples of three classes; the largest are 0, 2, 1, 0 (the first of equal ones).
Tensor scores() {
  return from_values<float>(std::vector<float>{3, 1, 2, 0, 1, 5, -1, 4, 0, 2, 2, 2}, {4, 3});
}

const Tensor kProbability = numbers({0.9, 0.2, 0.6, 0.4, 0.5, 0.1});
const Tensor kLabel = labels({1, 0, 0, 1, 1, 0});  // right: 0.9, 0.2, 0.1

}  // namespace

BOOST_AUTO_TEST_SUITE(optim_metrics)

BOOST_AUTO_TEST_CASE(accuracy_of_classes) {
  const Tensor target = labels({0, 1, 1, 1});
  BOOST_TEST(value_of(optim::Accuracy(), scores(), target) == 0.5);
  BOOST_TEST(value_of(optim::Accuracy(2), scores(), target) == 1.0);
  BOOST_TEST(value_of(optim::Accuracy(2), scores(), labels({1, 0, 2, 2})) == 0.25);
  BOOST_TEST(optim::Accuracy().name() == "accuracy");
  BOOST_TEST(optim::Accuracy(5).name() == "top_5_accuracy");
  // [N, C, d]: the same scores as two samples of two positions each.
  const Tensor planes = scores().reshape({2, 2, 3}).transpose(1, 2);
  BOOST_TEST(value_of(optim::Accuracy(), planes, target.reshape({2, 2})) == 0.5);
}

BOOST_AUTO_TEST_CASE(accuracy_of_two_classes) {
  BOOST_TEST(value_of(optim::BinaryAccuracy(), kProbability, kLabel) == 0.5);
  BOOST_TEST(value_of(optim::BinaryAccuracy(0.3), kProbability, kLabel.to(float32)) == 5.0 / 6);
}

BOOST_AUTO_TEST_CASE(batches_add_up_and_reset_forgets) {
  optim::Accuracy metric;
  BOOST_CHECK_EXCEPTION(metric.value(), ValueError, says("accuracy: value() before the first"));
  metric.update(scores()[{slice(0, 3)}], labels({0, 1, 1}));
  metric.update(scores()[{slice(3, 4)}], labels({0}));
  BOOST_TEST(metric.value() == 0.75);
  const auto copy = metric.clone();
  metric.reset();
  BOOST_CHECK_THROW(metric.value(), ValueError);
  metric.update(scores(), labels({0, 0, 0, 0}));
  BOOST_TEST(metric.value() == 0.5);
  BOOST_TEST(copy->value() == 0.75);
}

BOOST_AUTO_TEST_CASE(a_confusion_matrix) {
  optim::ConfusionMatrix two, three({.classes = 3});
  two.update(kProbability, kLabel);
  check_values(two.value(), {2, 1, 2, 1});
  three.update(scores(), labels({0, 1, 1, 1}));
  three.update(scores(), labels({0, 1, 1, 1}));
  check_values(three.value(), {2, 0, 0, 2, 2, 2, 0, 0, 0});
  three.reset();
  check_values(three.value(), {0, 0, 0, 0, 0, 0, 0, 0, 0});
  BOOST_CHECK_THROW(optim::ConfusionMatrix({.classes = 1}), ValueError);
}

BOOST_AUTO_TEST_CASE(precision_recall_and_f1) {
  BOOST_TEST(value_of(optim::Precision(), kProbability, kLabel) == 0.5);
  BOOST_TEST(value_of(optim::Recall(), kProbability, kLabel) == 1.0 / 3);
  BOOST_TEST(value_of(optim::F1Score(), kProbability, kLabel) == 0.4);
  // Nothing predicted, nothing labelled: 0.
  BOOST_TEST(value_of(optim::Precision(), numbers({0, 0}), labels({1, 0})) == 0);
  BOOST_TEST(value_of(optim::Recall(), numbers({1, 1}), labels({0, 0})) == 0);
  BOOST_TEST(value_of(optim::F1Score(), numbers({0, 0}), labels({0, 0})) == 0);
}

BOOST_AUTO_TEST_CASE(averages_of_classes) {
  using optim::Average;
  // Rows: 0 -> 0; 1 -> 2, 1, 0. Precision 1/2, 1, 0; recall 1, 1/3, 0.
  const Tensor target = labels({0, 1, 1, 1});
  const auto precision = [&](Average a) {
    return value_of(optim::Precision({.classes = 3, .average = a}), scores(), target);
  };
  const auto recall = [&](Average a) {
    return value_of(optim::Recall({.classes = 3, .average = a}), scores(), target);
  };
  BOOST_TEST(precision(Average::macro) == 0.5);
  BOOST_TEST(precision(Average::micro) == 0.5);
  BOOST_TEST(precision(Average::weighted) == 0.875);
  BOOST_TEST(std::abs(recall(Average::macro) - 4.0 / 9) < 1e-15);
  BOOST_TEST(recall(Average::micro) == 0.5);
  BOOST_TEST(recall(Average::weighted) == 0.5);
  const optim::F1Score f1({.classes = 3, .average = Average::macro});
  BOOST_TEST(std::abs(value_of(f1, scores(), target) - (2.0 / 3 + 0.5) / 3) < 1e-15);
  BOOST_CHECK_EXCEPTION(optim::Precision({.classes = 3}), ValueError, says("the binary average"));
}

BOOST_AUTO_TEST_CASE(area_under_the_roc_curve) {
  // Of the nine pairs 0.9, 0.4, 0.5 against 0.2, 0.6, 0.1 seven are in order.
  BOOST_TEST(value_of(optim::ROCAUC(), kProbability, kLabel) == 7.0 / 9);
  BOOST_TEST(value_of(optim::ROCAUC(), numbers({1, 1, 1}), labels({1, 0, 0})) == 0.5);
  BOOST_TEST(value_of(optim::ROCAUC(), numbers({1, 2, 2, 3}), labels({0, 0, 1, 1})) == 0.875);
  optim::ROCAUC one;
  one.update(numbers({1, 2}), labels({1, 1}));
  BOOST_CHECK_EXCEPTION(one.value(), ValueError, says("both labels, got 2 labelled 1"));
}

BOOST_AUTO_TEST_CASE(errors_of_numbers) {
  const Tensor p = numbers({2.5, 0, 2, 8}), t = numbers({3, -0.5, 2, 7});
  BOOST_TEST(value_of(optim::MeanSquaredError(), p, t) == 0.375);
  BOOST_TEST(value_of(optim::MeanAbsoluteError(), p, t) == 0.5);
  // The example of scikit-learn's page on r2_score.
  BOOST_TEST(std::abs(value_of(optim::R2Score(), p, t) - 0.9486081370449679) < 1e-15);
}

BOOST_AUTO_TEST_CASE(r2_by_outputs) {
  // Outputs of 1 - 2 / 2 and 1 - 0 / 8, and the mean of the two, in one batch and in three.
  const Tensor t = from_values<double>(std::vector<double>{1, 2, 2, 4, 3, 6}, {3, 2});
  const Tensor p = from_values<double>(std::vector<double>{2, 2, 2, 4, 2, 6}, {3, 2});
  BOOST_TEST(value_of(optim::R2Score(), p, t) == 0.5);
  optim::R2Score rows;
  for (int i = 0; i < 3; ++i) rows.update(p[{slice(i, i + 1)}], t[{slice(i, i + 1)}]);
  BOOST_TEST(rows.value() == 0.5);
  BOOST_CHECK_THROW(rows.update(numbers({1}), numbers({1})), ShapeError);
  // Far from 0, where a difference of squares would have no digit left.
  const double r2 = value_of(optim::R2Score(), numbers({1e9, 1e9 + 1, 1e9 + 2}),
                             numbers({1e9, 1e9 + 1, 1e9 + 3}));
  BOOST_TEST(std::abs(r2 - (1 - 3.0 / 14)) < 1e-6);
  BOOST_TEST(std::isnan(value_of(optim::R2Score(), numbers({1}), numbers({1}))));
  BOOST_TEST(value_of(optim::R2Score(), numbers({1, 1}), numbers({1, 1})) == 1);
  BOOST_TEST(value_of(optim::R2Score(), numbers({1, 2}), numbers({1, 1})) == 0);
}

BOOST_AUTO_TEST_CASE(perplexity_of_scores) {
  // Even scores leave as many choices as there are classes.
  BOOST_TEST(std::abs(value_of(optim::Perplexity(), zeros({5, 7}), zeros({5}, int64)) - 7) < 1e-5);
  optim::Perplexity metric;
  metric.update(zeros({2, 4}), labels({1, -100}));
  metric.update(zeros({1, 2}), labels({1}));
  BOOST_TEST(std::abs(metric.value() - std::sqrt(8.0)) < 1e-5);
}

BOOST_AUTO_TEST_CASE(nan_is_never_counted_as_right_or_wrong) {
  const Tensor p = numbers({kNaN, 0.7}), t = labels({0, 1});
  BOOST_TEST(std::isnan(value_of(optim::BinaryAccuracy(), p, t)));
  BOOST_TEST(std::isnan(value_of(optim::ROCAUC(), p, t)));
  BOOST_TEST(std::isnan(value_of(optim::F1Score(), p, t)));
  BOOST_TEST(std::isnan(value_of(optim::MeanSquaredError(), p, t)));
  BOOST_TEST(std::isnan(value_of(optim::MeanAbsoluteError(), p, t)));
  BOOST_TEST(std::isnan(value_of(optim::R2Score(), p, t)));
  const Tensor s = from_values<double>(std::vector<double>{1, kNaN, 3, 1}, {2, 2});
  BOOST_TEST(std::isnan(value_of(optim::Accuracy(), s, t)));
  optim::ConfusionMatrix matrix;
  matrix.update(s, t);
  BOOST_CHECK_EXCEPTION(matrix.value(), ValueError, says("ConfusionMatrix: a prediction was NaN"));
}

BOOST_AUTO_TEST_CASE(what_does_not_fit) {
  optim::Accuracy accuracy;
  BOOST_CHECK_EXCEPTION(accuracy.update(scores(), labels({0, 1})), ShapeError,
                        says("Accuracy: expected scores [N, C, ...] and labels [N, ...], got "
                             "float32 [4, 3] and int64 [2]"));
  BOOST_CHECK_EXCEPTION(accuracy.update(scores(), numbers({0, 1, 1, 1})), DTypeError,
                        says("expected integer labels"));
  BOOST_CHECK_EXCEPTION(accuracy.update(scores(), labels({0, 1, 1, 3})), IndexError,
                        says("label 3 is none of 3 classes"));
  BOOST_CHECK_THROW(accuracy.value(), ValueError);  // unchanged
  BOOST_CHECK_THROW(optim::Accuracy(0), ValueError);
  optim::BinaryAccuracy binary;
  BOOST_CHECK_EXCEPTION(binary.update(numbers({1}), labels({2})), IndexError, says("0 and 1"));
  BOOST_CHECK_THROW(binary.update(numbers({1, 2}), labels({1})), ShapeError);
  optim::F1Score f1;
  BOOST_CHECK_EXCEPTION(f1.update(scores(), labels({0, 1, 1, 1})), ShapeError,
                        says("F1Score: expected scores of 2 classes"));
  optim::MeanSquaredError mse;
  BOOST_CHECK_THROW(mse.update(zeros({2, 1}), zeros({2})), ShapeError);
}

BOOST_AUTO_TEST_CASE(lists) {
  optim::Metrics a = {optim::BinaryAccuracy(), optim::Recall()};
  a.update(kProbability, kLabel);
  const optim::Metrics b = a;
  a.reset();
  BOOST_CHECK_THROW(a.values(), ValueError);
  const auto values = b.values();
  BOOST_REQUIRE(values.size() == 2u);
  BOOST_TEST(values[0].first == "accuracy");
  BOOST_TEST(values[0].second == 0.5);
  BOOST_TEST(values[1].first == "recall");
  BOOST_TEST(optim::Metrics{}.values().empty());
}

BOOST_AUTO_TEST_SUITE_END()
