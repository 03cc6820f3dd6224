// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <cstdint>
#include <utility>

#include "../autograd/export.hpp"
#include "../autograd/owned.hpp"
#include "collate.hpp"
#include "dataset.hpp"
#include "sampler.hpp"

namespace xtape::data {

struct DataLoaderOptions {
  std::int64_t batch_size = 1;
  bool shuffle = false;             ///< another order in every epoch, given by (seed, epoch)
  std::uint64_t seed = 0;           ///< of the order, and of random numbers that the dataset draws
  bool drop_last = false;           ///< leave out a last batch that is not full
  int workers = 0;                  ///< threads that make batches ahead; 0: made when asked for
  int prefetch = 2;                 ///< batches ahead per worker
  Shared<const Sampler> sampler{};  ///< which samples, in which order; instead of `shuffle`
  Shared<const Collate> collate{};  ///< how samples become a batch; none: Dataset::get_batch
};

/// Where a loader stands: `batch` batches of epoch `epoch` were given out.
struct LoaderPosition {
  std::int64_t epoch = 0;
  std::int64_t batch = 0;
  friend bool operator==(const LoaderPosition&, const LoaderPosition&) = default;
};

/// Gives a dataset's batches, an epoch per loop: `for (auto& [x, y] : loader)`. Batches and their
/// order depend on seed and epoch alone, not on the workers, random numbers drawn by the dataset
/// included; an exception of a dataset arrives in the loop at the batch where it arose.
class XTAPE_API DataLoader {
 public:
  class Iterator;
  struct End {};

  /// Takes the dataset over. Throws ValueError on options out of range or at odds.
  template <std::derived_from<Dataset> D>
  explicit DataLoader(D dataset, DataLoaderOptions options = {})
      : DataLoader(Shared<const Dataset>(Shared<D>::make(std::move(dataset))), options) {}
  /// Shares the dataset.
  explicit DataLoader(Shared<const Dataset> dataset, DataLoaderOptions options = {});
  ~DataLoader();
  DataLoader(DataLoader&&) noexcept;
  DataLoader& operator=(DataLoader&&) noexcept;

  /// Batches in a whole epoch.
  std::int64_t size() const;
  const Dataset& dataset() const;
  const DataLoaderOptions& options() const;

  /// The position after the batch given out last; at an epoch's end, the next epoch's start.
  LoaderPosition position() const;
  /// The next loop starts here: with what `position()` gave, it goes on as if never left. Throws
  /// ValueError on a negative number or a batch beyond the epoch.
  void set_position(LoaderPosition position);
  void set_epoch(std::int64_t epoch) { set_position({epoch, 0}); }

  /// Starts the next epoch (or goes on at a position just set). A loop that is left early ends its
  /// epoch; its workers have ended when the loop has.
  Iterator begin();
  End end() const { return {}; }

 private:
  struct State;
  struct Run;
  Shared<State> state_;
};

class XTAPE_API DataLoader::Iterator {
 public:
  ~Iterator();
  Iterator(Iterator&&) noexcept;
  Iterator& operator=(Iterator&&) noexcept;

  Batch& operator*() noexcept { return batch_; }
  Batch* operator->() noexcept { return &batch_; }
  Iterator& operator++();
  friend bool operator==(const Iterator& i, End) noexcept { return i.run_ == nullptr; }

 private:
  friend class DataLoader;
  explicit Iterator(Owned<Run> run);

  Owned<Run> run_;  // none at the end
  Batch batch_;
};

}  // namespace xtape::data
