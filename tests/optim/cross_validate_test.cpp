// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/indexing.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/ops/shape.hpp>
#include <xtape/autograd/random.hpp>
#include <xtape/autograd/tape.hpp>
#include <xtape/data/csv.hpp>
#include <xtape/data/table_dataset.hpp>
#include <xtape/nn/linear.hpp>
#include <xtape/nn/losses_regression.hpp>
#include <xtape/optim/adam.hpp>
#include <xtape/optim/cross_validate.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <set>

#include "../nn/nn_test.hpp"

namespace {

using namespace xtape;
using nn_test::says;

optim::Learner make(const data::Dataset&) {
  optim::Learner made{.epochs = 2, .batch_size = 4};
  made.model = std::make_unique<nn::Linear>(3, 1);
  made.optimizer = std::make_unique<optim::Adam>(made.model->parameters());
  made.trainer = std::make_unique<optim::Trainer>(*made.model, nn::MSELoss(), *made.optimizer,
                                                  optim::MeanAbsoluteError());
  return made;
}

data::TensorDataset samples() {
  const GeneratorScope scope({.seed = 4});
  return data::TensorDataset(randn({12, 3}), randn({12, 1}));
}

std::vector<optim::Fold> folds() {
  std::vector<optim::Fold> result(4);
  for (std::int64_t i = 0; i < 12; ++i) {
    for (std::int64_t f = 0; f < 4; ++f) {
      auto& fold = result[static_cast<std::size_t>(f)];
      (i % 4 == f ? fold.test : fold.train).push_back(i);
    }
  }
  return result;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(optim_cross_validate)

BOOST_AUTO_TEST_CASE(same_figures_for_any_number_of_threads) {
  const auto position = default_generator().position;
  const auto one = optim::cross_validate(make, samples(), folds());
  for (const int threads : {2, 3, 8}) {
    const auto many = optim::cross_validate(make, samples(), folds(), {.threads = threads});
    BOOST_TEST((many.folds == one.folds));
  }
  BOOST_TEST((optim::cross_validate(make, samples(), folds(), {.seed = 1}).folds != one.folds));
  BOOST_TEST((one.folds[0] != one.folds[1]));
  BOOST_TEST(default_generator().position == position);
  BOOST_REQUIRE(one.folds.size() == 4u);
  BOOST_TEST(one.folds[0][1].first == "mae");
}

BOOST_AUTO_TEST_CASE(a_learner_sees_its_training_samples_alone) {
  const auto check = [](const data::Dataset& train) {
    if (train.size() != 9) throw ValueError("not 9");
    return make(train);
  };
  BOOST_TEST(optim::cross_validate(check, samples(), folds()).folds.size() == 4u);
}

// Samples in units of the largest that they were fitted to.
class Scaled final : public data::Dataset {
 public:
  explicit Scaled(Tensor x, double largest = 0) : x_(std::move(x)), largest_(largest) {}
  std::int64_t size() const override { return x_.size(0); }
  data::Batch get(std::int64_t i) const override {
    if (largest_ == 0) throw ValueError("not fitted");
    return {x_[i] / largest_, zeros({1})};
  }
  Owned<data::Dataset> fitted(std::span<const std::int64_t> rows) const override {
    double largest = 0;
    for (const std::int64_t i : rows) largest = std::max(largest, max(x_[i]).item<double>());
    return Owned<Scaled>::make(x_, largest);
  }

 private:
  Tensor x_;
  double largest_;
};

BOOST_AUTO_TEST_CASE(data_are_fitted_to_the_training_samples_of_each_fold) {
  // Sample i is i + 1 three times, so that what was seen can be read off the largest one.
  const Tensor x = (arange(12).to(float32) + 1).reshape({12, 1}).expand({12, 3}).contiguous();
  std::mutex mutex;
  std::multiset<double> seen;
  const auto look = [&](const data::Dataset& train) {
    const Tensor all = train.get_all().x;
    const std::lock_guard lock(mutex);
    for (const Tensor& share : {max(all), min(all)}) {
      seen.insert(std::round(1320 * share.item<double>()));
    }
    return make(train);
  };
  optim::cross_validate(look, Scaled(x), folds(), {.threads = 2});
  // The first fold tests 1, 5 and 9, the last one 4, 8 and 12.
  const std::multiset<double> expected{1320, 1320, 1320, 1320, 220, 110, 110, 120};
  BOOST_TEST((seen == expected));
  // What is tested is scaled by the fold too, and its own values leave the training alone.
  const auto losses = [](const Tensor& samples) {
    std::vector<double> found;
    const auto still = [](const data::Dataset& train) {
      optim::Learner made = make(train);
      made.epochs = 0;
      const NoGrad no_grad;
      for (Tensor& p : made.model->parameters()) p.fill_(1.0);
      return made;
    };
    const std::vector<optim::Fold> one{{{0, 1}, {2}}};
    const auto result = optim::cross_validate(still, Scaled(samples), one);
    for (const auto& [name, figure] : result.folds.at(0)) found.push_back(figure);
    return found;
  };
  // 3 times 4 / 2, and the bias.
  BOOST_TEST(losses(tensor({{1, 1, 1}, {2, 2, 2}, {4, 4, 4}})).at(1) == 7);
  BOOST_TEST(losses(tensor({{1, 1, 1}, {2, 2, 2}, {400, 400, 400}})).at(1) == 601);
}

BOOST_AUTO_TEST_CASE(an_encoder_is_fitted_inside_a_fold) {
  const auto table = [](const std::string& tested) {
    return data::parse_csv("age,land\n20,Spain\n,France\n40,Spain\n" + tested + "\n");
  };
  const std::vector<optim::Fold> one{{{0, 1, 2}, {3}}};
  const auto features = [&](const std::string& tested) {
    data::TableEncoder encoder({.numbers = {"age"},
                                .one_hot = {"land"},
                                .impute_numbers = data::Imputation::median,
                                .impute_texts = data::Imputation::most_frequent,
                                .ignore_unknown = true});
    const data::TableDataset customers(table(tested), encoder, zeros({4, 1}));
    std::vector<double> seen;
    const auto look = [&](const data::Dataset& train) {
      seen = nn_test::values(train.get_all().x);
      return make(train);
    };
    optim::cross_validate(look, customers, one);
    return seen;
  };
  const std::vector<double> seen = features("30,France");
  BOOST_TEST(seen.size() == 9u);
  BOOST_TEST(features("1e9,France") == seen);  // nothing of it in fill values or scales,
  BOOST_TEST(features("30,Peru") == seen);     // nor in the categories
  BOOST_TEST(features(",") == seen);
  BOOST_CHECK_EXCEPTION(
      optim::cross_validate(
          make,
          data::TableDataset(table("30,Peru"), data::TableEncoder({.one_hot = {"land"}}),
                             zeros({4, 1})),
          one),
      ValueError, says("cross_validate: fold 0: TableEncoder: text: line 5, column 2 ('land')"));
}

BOOST_AUTO_TEST_CASE(mean_and_deviation) {
  const optim::CrossValidation v{{{{"loss", 1}}, {{"loss", 2}}, {{"loss", 6}}}};
  const auto figures = v.statistics();
  BOOST_REQUIRE(figures.size() == 1u);
  BOOST_TEST(std::abs(figures[0].mean - 3) < 1e-15);
  BOOST_TEST(std::abs(figures[0].standard_deviation - std::sqrt(7.0)) < 1e-15);
}

BOOST_AUTO_TEST_CASE(differences_fold_by_fold) {
  const auto figure = [](const char* name, std::vector<double> folds) {
    optim::CrossValidation v;
    for (const double x : folds) v.folds.push_back({{name, x}});
    return v.statistics().at(0);
  };
  // Hard and easy folds alike: differences 2, 3, 4, 3 about their mean of 3.
  const auto before = figure("loss", {1, 10, 100, 1000}),
             after = figure("loss", {3, 13, 104, 1003});
  BOOST_TEST(after.folds == (std::vector<double>{3, 13, 104, 1003}));
  const optim::Difference d = optim::paired_difference(after, before);
  BOOST_TEST(std::abs(d.mean - 3) < 1e-15);
  BOOST_TEST(std::abs(d.standard_error - std::sqrt(2.0 / 3 / 4)) < 1e-15);
  const optim::Difference one = optim::paired_difference(figure("loss", {1}), figure("loss", {3}));
  BOOST_TEST(one.mean == -2);
  BOOST_TEST(std::isnan(one.standard_error));
  BOOST_CHECK_EXCEPTION(optim::paired_difference(after, figure("loss", {1, 2})), ValueError,
                        says("the same folds, got 4 and 2"));
  BOOST_CHECK_EXCEPTION(optim::paired_difference(after, figure("mae", {1, 2, 3, 4})), ValueError,
                        says("two figures, 'loss' and 'mae'"));
  BOOST_CHECK_THROW(optim::paired_difference({}, {}), ValueError);
}

BOOST_AUTO_TEST_CASE(what_does_not_fit) {
  const auto refuses = [](std::vector<optim::Fold> f, const std::string& text) {
    BOOST_CHECK_EXCEPTION(optim::cross_validate(make, samples(), f), Error, says(text));
  };
  refuses({}, "there is no fold");
  refuses({{{1, 2}, {}}}, "fold 0 has an empty side");
  refuses({{{1, 2}, {2}}}, "sample 2 is on both sides");
  refuses({{{1, 2}, {12}}}, "sample 12 of 12");
  const auto fails = [](const data::Dataset&) -> optim::Learner { throw ValueError("no model"); };
  BOOST_CHECK_EXCEPTION(optim::cross_validate(fails, samples(), folds(), {.threads = 2}),
                        ValueError, says("no model"));
}

BOOST_AUTO_TEST_SUITE_END()
