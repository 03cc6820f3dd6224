// SPDX-License-Identifier: BSD-3-Clause
#include "cross_validate.hpp"

#include <atomic>
#include <cmath>
#include <exception>
#include <limits>

#include "../autograd/error.hpp"
#include "../autograd/random.hpp"
#include "folds.hpp"
#include "named_error.hpp"

namespace xtape::optim {
namespace {

// Some samples of a dataset that outlives it.
class Selection final : public data::Dataset {
 public:
  Selection(const data::Dataset& all, const std::vector<std::int64_t>& chosen)
      : all_(&all), chosen_(chosen) {}
  std::int64_t size() const override { return static_cast<std::int64_t>(chosen_.size()); }
  data::Batch get(std::int64_t i) const override {
    return all_->get(chosen_.at(static_cast<std::size_t>(i)));
  }
  data::Batch get_batch(std::span<const std::int64_t> indices) const override {
    std::vector<std::int64_t> there;
    for (const std::int64_t i : indices) there.push_back(chosen_.at(static_cast<std::size_t>(i)));
    return all_->get_batch(there);
  }

 private:
  const data::Dataset* all_;
  std::vector<std::int64_t> chosen_;
};

void check_fold(const Fold& fold, std::size_t number, std::int64_t samples) {
  const std::string where = "cross_validate: fold " + std::to_string(number);
  if (fold.train.empty() || fold.test.empty()) throw ValueError(where + " has an empty side");
  std::vector<bool> trained(static_cast<std::size_t>(samples));
  const auto check = [&](std::int64_t i) {
    if (i < 0 || i >= samples) {
      throw IndexError(where + ": sample " + std::to_string(i) + " of " + std::to_string(samples));
    }
    return static_cast<std::size_t>(i);
  };
  for (const std::int64_t i : fold.train) trained[check(i)] = true;
  for (const std::int64_t i : fold.test) {
    if (trained[check(i)]) {
      throw ValueError(where + ": sample " + std::to_string(i) + " is on both sides");
    }
  }
}

}  // namespace

FoldStatistics detail::fold_statistics(std::string name, std::vector<double> folds) {
  const auto count = static_cast<double>(folds.size());
  double mean = 0, squares = 0;
  for (const double x : folds) mean += x / count;
  for (const double x : folds) squares += (x - mean) * (x - mean);
  const double deviation =
      count > 1 ? std::sqrt(squares / (count - 1)) : std::numeric_limits<double>::quiet_NaN();
  return {std::move(name), mean, deviation, std::move(folds)};
}

std::vector<FoldStatistics> CrossValidation::statistics() const {
  std::vector<FoldStatistics> found;
  for (std::size_t i = 0; !folds.empty() && i < folds[0].size(); ++i) {
    std::vector<double> values;
    for (const NamedNumbers& f : folds) values.push_back(f[i].second);
    found.push_back(detail::fold_statistics(folds[0][i].first, std::move(values)));
  }
  return found;
}

Difference paired_difference(const FoldStatistics& after, const FoldStatistics& before) {
  const std::size_t count = after.folds.size();
  if (after.name != before.name) {
    throw ValueError("paired_difference: two figures, '" + after.name + "' and '" + before.name +
                     "'");
  }
  if (count == 0 || count != before.folds.size()) {
    throw ValueError("paired_difference: expected the same folds, got " + std::to_string(count) +
                     " and " + std::to_string(before.folds.size()));
  }
  std::vector<double> differences;
  for (std::size_t i = 0; i < count; ++i) {
    differences.push_back(after.folds[i] - before.folds[i]);
  }
  const FoldStatistics d = detail::fold_statistics(after.name, std::move(differences));
  return {d.mean, d.standard_deviation / std::sqrt(static_cast<double>(count))};
}

void detail::check_folds(std::span<const Fold> folds, std::int64_t samples) {
  if (folds.empty()) throw ValueError("cross_validate: there is no fold");
  for (std::size_t i = 0; i < folds.size(); ++i) check_fold(folds[i], i, samples);
}

NamedNumbers detail::run_fold(LearnerFactory factory, const data::Dataset& data,
                              std::span<const Fold> folds, std::size_t i,
                              const CrossValidateOptions& options) try {
  const GeneratorScope scope({.seed = options.seed, .stream = options.first_stream + i});
  const Owned<data::Dataset> fitted = data.fitted(folds[i].train);
  const data::Dataset& samples = fitted ? *fitted : data;
  const auto train = Shared<const Selection>::make(samples, folds[i].train);
  const auto test = Shared<const Selection>::make(samples, folds[i].test);
  const Learner learner = factory.make(factory.object, *train);
  data::DataLoader train_loader(
      train, {.batch_size = learner.batch_size, .shuffle = true, .seed = options.seed});
  data::DataLoader test_loader(test, {.batch_size = learner.batch_size});
  learner.trainer->fit(train_loader, {.epochs = learner.epochs});
  return learner.trainer->evaluate(test_loader);
} catch (...) {
  rethrow_named("cross_validate: fold " + std::to_string(i));
}

CrossValidation detail::cross_validate_with(LearnerFactory factory, const data::Dataset& data,
                                            std::span<const Fold> folds,
                                            const CrossValidateOptions& options) {
  check_folds(folds, data.size());
  if (options.threads < 1) {
    throw ValueError("cross_validate: threads is at least 1, got " +
                     std::to_string(options.threads));
  }
  CrossValidation result{std::vector<NamedNumbers>(folds.size())};
  std::vector<std::exception_ptr> errors(folds.size());
  std::atomic<std::size_t> next{0};
  run_on_threads(options.threads, folds.size(), [&] {
    for (std::size_t i; (i = next++) < folds.size();) {
      try {
        result.folds[i] = run_fold(factory, data, folds, i, options);
      } catch (...) {
        errors[i] = std::current_exception();
      }
    }
  });
  for (const std::exception_ptr& e : errors) {
    if (e) std::rethrow_exception(e);
  }
  return result;
}

}  // namespace xtape::optim
