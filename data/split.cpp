// SPDX-License-Identifier: BSD-3-Clause
#include "split.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <unordered_map>

#include "../autograd/error.hpp"
#include "../autograd/ops/random.hpp"
#include "../autograd/random.hpp"

namespace xtape::data {
namespace {

using Indices = std::vector<std::int64_t>;

// Clear of the streams that loaders draw from (top bit set) and that tasks count from 0.
constexpr std::uint64_t kStream = std::uint64_t{1} << 62;

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

// `values` in the random order number `order` of the seed.
void shuffle(Indices& values, std::uint64_t seed, std::uint64_t order = 0) {
  const GeneratorScope scope({.seed = seed, .stream = kStream + order});
  const Tensor permutation = randperm(static_cast<std::int64_t>(values.size()));
  const Indices before = values;
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = before[at(permutation.data<std::int64_t>()[i])];
  }
}

Indices range(std::int64_t begin, std::int64_t end) {
  Indices result(at(end - begin));
  std::iota(result.begin(), result.end(), begin);
  return result;
}

// The rows of each label, labels in the order in which they come first.
std::vector<Indices> rows_by_label(const char* who, const Tensor& labels) {
  const std::string name(who);
  if (labels.dtype() != int64) {
    throw DTypeError(name + ": expected int64 labels, got " + labels.description());
  }
  if (labels.dim() != 1) {
    throw ShapeError(name + ": expected labels [rows], got " + labels.description());
  }
  const Tensor dense = labels.detach().contiguous();
  std::vector<Indices> rows;
  std::unordered_map<std::int64_t, std::size_t> places;
  for (std::int64_t i = 0; i < dense.numel(); ++i) {
    const auto [place, is_new] = places.emplace(dense.data<std::int64_t>()[i], rows.size());
    if (is_new) rows.emplace_back();
    rows[place->second].push_back(i);
  }
  if (rows.size() < 2) {
    throw ValueError(
        name + ": expected at least two different labels, got " +
        (rows.empty() ? "none" : "only " + std::to_string(dense.data<std::int64_t>()[0])));
  }
  return rows;
}

// Rows with `test[row] == fold` test, the others train.
Split by_fold(const Indices& fold_of_row, std::int64_t fold) {
  Split split;
  for (std::size_t row = 0; row < fold_of_row.size(); ++row) {
    auto& part = fold_of_row[row] == fold ? split.test : split.train;
    part.push_back(static_cast<std::int64_t>(row));
  }
  return split;
}

std::vector<Split> all_folds(const Indices& fold_of_row, std::int64_t folds) {
  std::vector<Split> splits;
  for (std::int64_t fold = 0; fold < folds; ++fold) splits.push_back(by_fold(fold_of_row, fold));
  return splits;
}

void check_folds(const char* who, std::int64_t folds, std::int64_t rows) {
  if (folds < 2) {
    throw ValueError(std::string(who) + ": expected n_splits >= 2, got " + std::to_string(folds));
  }
  if (folds > rows) {
    throw ValueError(std::string(who) + ": " + std::to_string(folds) + " folds of " +
                     std::to_string(rows) + " rows");
  }
}

// `total` over the labels by their share of rows, what rounding leaves to the largest remainders.
Indices apportion(const std::vector<Indices>& rows, std::int64_t count, std::int64_t total) {
  Indices shares, remainders, order = range(0, static_cast<std::int64_t>(rows.size()));
  for (const Indices& of_label : rows) {
    // Does not overflow up to 3e9 rows, whose numbers alone would take 24 GB.
    const std::int64_t product = static_cast<std::int64_t>(of_label.size()) * total;
    shares.push_back(product / count);
    remainders.push_back(product % count);
  }
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return remainders[at(a)] > remainders[at(b)];
  });
  const std::int64_t left = total - std::accumulate(shares.begin(), shares.end(), std::int64_t{0});
  for (std::int64_t i = 0; i < left; ++i) ++shares[at(order[at(i)])];
  return shares;
}

Split stratified(std::int64_t count, std::int64_t tested, const TrainTestSplitOptions& options) {
  std::vector<Indices> rows = rows_by_label("train_test_split", options.stratify);
  if (options.stratify.numel() != count) {
    throw ShapeError("train_test_split: " + std::to_string(count) + " rows, got labels " +
                     options.stratify.description());
  }
  const auto labels = static_cast<std::int64_t>(rows.size());
  for (const Indices& of_label : rows) {
    if (of_label.size() > 1) continue;
    throw ValueError("train_test_split: label " +
                     std::to_string(options.stratify[of_label[0]].item<std::int64_t>()) +
                     " has one row only, expected one for each part");
  }
  if (tested < labels || count - tested < labels) {
    throw ValueError("train_test_split: parts of " + std::to_string(count - tested) + " and " +
                     std::to_string(tested) + " rows cannot hold all of " + std::to_string(labels) +
                     " labels");
  }
  const Indices shares = apportion(rows, count, tested);
  Split split;
  for (std::size_t label = 0; label < rows.size(); ++label) {
    shuffle(rows[label], options.seed, label + 2);
    const auto middle = rows[label].begin() + shares[label];
    split.test.insert(split.test.end(), rows[label].begin(), middle);
    split.train.insert(split.train.end(), middle, rows[label].end());
  }
  shuffle(split.train, options.seed, 0);
  shuffle(split.test, options.seed, 1);
  return split;
}

}  // namespace

Split train_test_split(std::int64_t count, const TrainTestSplitOptions& options) {
  if (!(options.test_size > 0 && options.test_size < 1)) {
    throw ValueError("train_test_split: expected 0 < test_size < 1, got " +
                     std::to_string(options.test_size));
  }
  const auto tested =
      static_cast<std::int64_t>(std::ceil(options.test_size * static_cast<double>(count)));
  if (count < 2 || tested >= count) {
    throw ValueError("train_test_split: " + std::to_string(count) + " rows, of which " +
                     std::to_string(tested) + " test, leave a part empty");
  }
  if (options.stratify.defined()) {
    if (!options.shuffle) {
      throw ValueError("train_test_split: a split by labels shuffles; expected shuffle = true");
    }
    return stratified(count, tested, options);
  }
  if (!options.shuffle) return {range(0, count - tested), range(count - tested, count)};
  Indices order = range(0, count);
  shuffle(order, options.seed);
  return {Indices(order.begin() + tested, order.end()),
          Indices(order.begin(), order.begin() + tested)};
}

std::vector<Split> KFold::split(std::int64_t count) const {
  check_folds("KFold", n_splits, count);
  Indices order = range(0, count);
  if (shuffle) data::shuffle(order, seed);
  Indices fold_of_row(order.size());
  const std::int64_t size = count / n_splits, larger = count % n_splits;
  std::int64_t next = 0;
  for (std::int64_t fold = 0; fold < n_splits; ++fold) {
    const std::int64_t end = next + size + (fold < larger ? 1 : 0);
    for (; next < end; ++next) fold_of_row[at(order[at(next)])] = fold;
  }
  return all_folds(fold_of_row, n_splits);
}

std::vector<Split> StratifiedKFold::split(const Tensor& labels) const {
  const std::vector<Indices> rows = rows_by_label("StratifiedKFold", labels);
  check_folds("StratifiedKFold", n_splits, labels.numel());
  Indices fold_of_row(at(labels.numel()));
  std::int64_t next = 0;  // the fold that takes the next row, going through label after label
  for (std::size_t label = 0; label < rows.size(); ++label) {
    const auto size = static_cast<std::int64_t>(rows[label].size());
    if (size < n_splits) {
      throw ValueError("StratifiedKFold: label " +
                       std::to_string(labels[rows[label][0]].item<std::int64_t>()) + " has " +
                       std::to_string(size) + " rows for " + std::to_string(n_splits) + " folds");
    }
    Indices folds;
    for (std::int64_t i = 0; i < size; ++i) folds.push_back((next + i) % n_splits);
    next += size;
    std::sort(folds.begin(), folds.end());  // runs of rows
    if (shuffle) data::shuffle(folds, seed, label);
    for (std::size_t i = 0; i < folds.size(); ++i) fold_of_row[at(rows[label][i])] = folds[i];
  }
  return all_folds(fold_of_row, n_splits);
}

std::vector<Split> TimeSeriesSplit::split(std::int64_t count) const {
  check_folds("TimeSeriesSplit", n_splits, count);
  if (max_train_size < 0 || test_size < 0 || gap < 0) {
    throw ValueError("TimeSeriesSplit: expected no negative size, got max_train_size " +
                     std::to_string(max_train_size) + ", test_size " + std::to_string(test_size) +
                     ", gap " + std::to_string(gap));
  }
  const std::int64_t tested = test_size > 0 ? test_size : count / (n_splits + 1);
  // Divided, not multiplied: sizes of any magnitude.
  if (tested == 0 || tested > count / n_splits || gap >= count - tested * n_splits) {
    throw ValueError("TimeSeriesSplit: " + std::to_string(count) + " rows are too few for " +
                     std::to_string(n_splits) + " folds of " + std::to_string(tested) +
                     " test rows and a gap of " + std::to_string(gap));
  }
  std::vector<Split> splits;
  for (std::int64_t begin = count - tested * n_splits; begin < count; begin += tested) {
    const std::int64_t end = begin - gap;
    const std::int64_t first =
        max_train_size > 0 ? std::max<std::int64_t>(0, end - max_train_size) : 0;
    splits.push_back({range(first, end), range(begin, begin + tested)});
  }
  return splits;
}

}  // namespace xtape::data
