// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <cstdint>
#include <utility>
#include <vector>

#include "../autograd/export.hpp"
#include "../autograd/owned.hpp"
#include "../autograd/tensor.hpp"

// Which samples an epoch has, and in which order: `DataLoaderOptions::sampler`.
namespace xtape::data {

/// An epoch's samples by number; the order of an epoch is always the same one.
class XTAPE_API Sampler {
 public:
  virtual ~Sampler();
  /// Samples in each epoch.
  virtual std::int64_t size() const = 0;
  /// `size()` numbers.
  virtual std::vector<std::int64_t> order(std::int64_t epoch) const = 0;

 protected:
  Sampler() = default;
  Sampler(const Sampler&) = default;
  Sampler& operator=(const Sampler&) = default;
};

/// 0, 1, ..., count - 1. Throws ValueError for a negative count.
class XTAPE_API SequentialSampler final : public Sampler {
 public:
  explicit SequentialSampler(std::int64_t count);
  std::int64_t size() const override { return count_; }
  std::vector<std::int64_t> order(std::int64_t epoch) const override;

 private:
  std::int64_t count_;
};

struct RandomSamplerOptions {
  std::int64_t samples = 0;  ///< in an epoch; 0: as many as there are
  bool replacement = false;  ///< a sample may come several times
  std::uint64_t seed = 0;
};

/// Samples of 0 ... count - 1, all alike; without replacement and with all of them, what a loader
/// with `shuffle` does. Throws ValueError for negative counts, and for more samples than there are
/// to draw without replacement.
class XTAPE_API RandomSampler final : public Sampler {
 public:
  explicit RandomSampler(std::int64_t count, const RandomSamplerOptions& options = {});
  std::int64_t size() const override { return options_.samples; }
  std::vector<std::int64_t> order(std::int64_t epoch) const override;

 private:
  std::int64_t count_;
  RandomSamplerOptions options_;
};

struct WeightedRandomSamplerOptions {
  std::int64_t samples = 0;  ///< in an epoch; 0: as many as there are weights
  bool replacement = true;   ///< a sample may come several times
  std::uint64_t seed = 0;
};

/// Sample i with a probability proportional to weights[i]; without replacement, one after the other
/// among those left. Rare classes come as often as others with weights 1 / (samples of the class).
/// Throws ValueError for weights that are negative, not finite or all 0, and for more samples than
/// positive weights to draw without replacement.
class XTAPE_API WeightedRandomSampler final : public Sampler {
 public:
  explicit WeightedRandomSampler(std::vector<double> weights,
                                 const WeightedRandomSamplerOptions& options = {});
  std::int64_t size() const override { return options_.samples; }
  std::vector<std::int64_t> order(std::int64_t epoch) const override;

 private:
  std::vector<double> weights_;
  std::vector<double> sums_;  // of the weights up to each one, that one included
  WeightedRandomSamplerOptions options_;
};

/// One process's part of what another sampler gives, for training in several: of each `ranks`
/// samples the one of place `rank`, so that the ranks' batches of B together are one process's
/// batch of ranks * B. Where the numbers do not divide the first samples come once more at the end:
/// all ranks have equally many. Throws ValueError for a rank outside [0, ranks) and an empty
/// sampler.
class XTAPE_API DistributedSampler final : public Sampler {
 public:
  /// Takes the sampler over, which is the same on all ranks, its seed included.
  template <std::derived_from<Sampler> S>
  DistributedSampler(S all, int rank, int ranks)
      : DistributedSampler(Shared<const Sampler>(Shared<S>::make(std::move(all))), rank, ranks) {}
  DistributedSampler(Shared<const Sampler> all, int rank, int ranks);
  std::int64_t size() const override;
  std::vector<std::int64_t> order(std::int64_t epoch) const override;

 private:
  Shared<const Sampler> all_;
  std::int64_t rank_, ranks_;
};

/// For each sample 1 / (samples of its class), of labels int64 [n] of 0 or more. Throws DTypeError,
/// ShapeError, ValueError.
XTAPE_API std::vector<double> balanced_weights(const Tensor& labels);

namespace detail {

/// 0 ... count - 1 by Fisher and Yates's shuffle, with the Philox numbers of (seed, epoch).
std::vector<std::int64_t> shuffled(std::int64_t count, std::uint64_t seed, std::int64_t epoch);

}  // namespace detail
}  // namespace xtape::data
