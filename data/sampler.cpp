// SPDX-License-Identifier: BSD-3-Clause
#include "sampler.hpp"

#include <Random123/philox.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>

#include "../autograd/error.hpp"

namespace xtape::data {
namespace {

using Indices = std::vector<std::int64_t>;

// The Philox numbers of (seed, epoch), one after the other.
class Numbers {
 public:
  Numbers(std::uint64_t seed, std::int64_t epoch)
      : key_{{seed, static_cast<std::uint64_t>(epoch)}} {}

  std::uint64_t next() {
    if (used_ == 4) {
      block_ = r123::Philox4x64()(counter_, key_);
      ++counter_[0];
      used_ = 0;
    }
    return block_[used_++];
  }
  // In [0, 1).
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

 private:
  r123::Philox4x64::key_type key_;
  r123::Philox4x64::ctr_type counter_{{0, 0, 0, 0}}, block_{};
  std::size_t used_ = 4;
};

std::int64_t checked_samples(const char* sampler, std::int64_t samples, std::int64_t all,
                             bool replacement, std::int64_t to_draw) {
  const std::string where = std::string(sampler) + ": ";
  if (samples < 0 || all < 0) throw ValueError(where + "a negative number of samples");
  const std::int64_t wanted = samples == 0 ? all : samples;
  if (wanted > to_draw && (!replacement || to_draw == 0)) {
    throw ValueError(where + "cannot draw " + std::to_string(wanted) + " samples of " +
                     std::to_string(to_draw) + " without replacement");
  }
  return wanted;
}

}  // namespace

Indices detail::shuffled(std::int64_t count, std::uint64_t seed, std::int64_t epoch) {
  Indices order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  Numbers numbers(seed, epoch);
  for (std::size_t left = order.size(); left > 1; --left) {
    std::swap(order[left - 1], order[numbers.next() % left]);
  }
  return order;
}

Sampler::~Sampler() = default;

SequentialSampler::SequentialSampler(std::int64_t count) : count_(count) {
  if (count < 0) throw ValueError("SequentialSampler: a negative number of samples");
}

Indices SequentialSampler::order(std::int64_t) const {
  Indices order(static_cast<std::size_t>(count_));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  return order;
}

RandomSampler::RandomSampler(std::int64_t count, const RandomSamplerOptions& options)
    : count_(count), options_(options) {
  options_.samples =
      checked_samples("RandomSampler", options.samples, count, options.replacement, count);
}

Indices RandomSampler::order(std::int64_t epoch) const {
  if (!options_.replacement) {
    Indices order = detail::shuffled(count_, options_.seed, epoch);
    order.resize(static_cast<std::size_t>(options_.samples));
    return order;
  }
  Indices order(static_cast<std::size_t>(options_.samples));
  Numbers numbers(options_.seed, epoch);
  for (std::int64_t& i : order) {
    i = static_cast<std::int64_t>(numbers.next() % static_cast<std::uint64_t>(count_));
  }
  return order;
}

WeightedRandomSampler::WeightedRandomSampler(std::vector<double> weights,
                                             const WeightedRandomSamplerOptions& options)
    : weights_(std::move(weights)), options_(options) {
  double sum = 0;
  std::int64_t positive = 0;
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    if (!(weights_[i] >= 0) || !std::isfinite(sum + weights_[i])) {
      throw ValueError("WeightedRandomSampler: weight " + std::to_string(i) + " is " +
                       std::to_string(weights_[i]) + ", or the sum is not finite");
    }
    sums_.push_back(sum += weights_[i]);
    positive += weights_[i] > 0;
  }
  if (positive == 0) throw ValueError("WeightedRandomSampler: no weight is positive");
  options_.samples =
      checked_samples("WeightedRandomSampler", options.samples,
                      static_cast<std::int64_t>(weights_.size()), options.replacement, positive);
}

Indices WeightedRandomSampler::order(std::int64_t epoch) const {
  Indices order(static_cast<std::size_t>(options_.samples));
  Numbers numbers(options_.seed, epoch);
  if (options_.replacement) {
    for (std::int64_t& i : order) {
      // The first sum beyond the number drawn; rounding must not lead past the last weight.
      const double drawn =
          std::min(numbers.uniform() * sums_.back(), std::nextafter(sums_.back(), 0.0));
      i = std::upper_bound(sums_.begin(), sums_.end(), drawn) - sums_.begin();
    }
    return order;
  }
  // Efraimidis and Spirakis, "Weighted random sampling with a reservoir", 2006: the greatest of
  // log(u) / w come first.
  std::vector<std::pair<double, std::int64_t>> keys;
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    const double u = 1 - numbers.uniform();
    if (weights_[i] > 0) keys.emplace_back(-std::log(u) / weights_[i], i);
  }
  std::sort(keys.begin(), keys.end());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = keys[i].second;
  return order;
}

DistributedSampler::DistributedSampler(Shared<const Sampler> all, int rank, int ranks)
    : all_(std::move(all)), rank_(rank), ranks_(ranks) {
  if (rank < 0 || rank >= ranks) {
    throw ValueError("DistributedSampler: rank " + std::to_string(rank) + " is not one of " +
                     std::to_string(ranks));
  }
  if (!all_ || all_->size() == 0) throw ValueError("DistributedSampler: there are no samples");
}

std::int64_t DistributedSampler::size() const { return (all_->size() + ranks_ - 1) / ranks_; }

Indices DistributedSampler::order(std::int64_t epoch) const {
  const Indices all = all_->order(epoch);
  Indices order(static_cast<std::size_t>(size()));
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto at = i * static_cast<std::size_t>(ranks_) + static_cast<std::size_t>(rank_);
    order[i] = all[at % all.size()];
  }
  return order;
}

std::vector<double> balanced_weights(const Tensor& labels) {
  if (!labels.defined() || labels.dtype() != int64) {
    throw DTypeError("balanced_weights: expected int64 labels, got " + labels.description());
  }
  if (labels.dim() != 1) {
    throw ShapeError("balanced_weights: expected labels [n], got " + labels.description());
  }
  const Tensor dense = labels.contiguous();
  const auto* label = dense.data<std::int64_t>();
  const auto count = static_cast<std::size_t>(dense.numel());
  Indices sorted(label, label + count);
  std::sort(sorted.begin(), sorted.end());
  if (!sorted.empty() && sorted[0] < 0) {
    throw ValueError("balanced_weights: a label is " + std::to_string(sorted[0]));
  }
  std::vector<double> weights(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), label[i]);
    weights[i] = 1 / static_cast<double>(last - first);
  }
  return weights;
}

}  // namespace xtape::data
