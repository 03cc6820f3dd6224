// SPDX-License-Identifier: BSD-3-Clause
#include "loader.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "../autograd/error.hpp"
#include "../autograd/parallel.hpp"
#include "../autograd/random.hpp"

namespace xtape::data {
namespace {

using Indices = std::vector<std::int64_t>;

Indices epoch_order(const Dataset& dataset, const DataLoaderOptions& options, std::int64_t epoch) {
  if (!options.sampler) {
    return options.shuffle ? detail::shuffled(dataset.size(), options.seed, epoch)
                           : SequentialSampler(dataset.size()).order(epoch);
  }
  Indices order = options.sampler->order(epoch);
  for (const std::int64_t i : order) {
    if (i >= 0 && i < dataset.size()) continue;
    throw IndexError("DataLoader: the sampler gave sample " + std::to_string(i) + " of " +
                     std::to_string(dataset.size()));
  }
  if (static_cast<std::int64_t>(order.size()) != options.sampler->size()) {
    throw ValueError("DataLoader: the sampler gave " + std::to_string(order.size()) +
                     " samples, its size is " + std::to_string(options.sampler->size()));
  }
  return order;
}

}  // namespace

struct DataLoader::State {
  Shared<const Dataset> dataset;
  DataLoaderOptions options;
  LoaderPosition next;      // where the next loop starts
  LoaderPosition position;  // what position() gives

  std::int64_t batches() const {
    const std::int64_t size = options.sampler ? options.sampler->size() : dataset->size();
    const std::int64_t batch = options.batch_size;
    return size / batch + (!options.drop_last && size % batch != 0 ? 1 : 0);
  }
};

// One epoch, from the position where it starts.
struct DataLoader::Run {
  struct Slot {
    Batch batch;
    std::exception_ptr error;
    bool ready = false;
  };

  Run(Shared<State> state, LoaderPosition start)
      : state_(std::move(state)),
        epoch_(start.epoch),
        order_(epoch_order(*state_->dataset, state_->options, start.epoch)),
        batches_(state_->batches()),
        taken_(start.batch),
        begun_(start.batch) {
    // More workers than batches, or more slots, would find nothing to do.
    const std::int64_t left = batches_ - taken_, wanted = state_->options.workers;
    const std::int64_t workers = std::min(wanted, left);
    slots_.resize(static_cast<std::size_t>(std::min(workers * state_->options.prefetch, left)));
    try {
      for (std::int64_t i = 0; i < workers; ++i) threads_.emplace_back([this] { work(); });
    } catch (...) {
      stop();
      throw;
    }
  }
  ~Run() { stop(); }

  bool done() const { return taken_ == batches_; }

  Batch next() {
    Batch batch = threads_.empty() ? make(taken_) : wait_for(taken_);
    {
      const std::lock_guard lock(mutex_);
      ++taken_;
    }
    room_.notify_one();
    state_->position = done() ? LoaderPosition{epoch_ + 1, 0} : LoaderPosition{epoch_, taken_};
    return batch;
  }

 private:
  Batch make(std::int64_t number) const {
    const std::int64_t size = state_->options.batch_size, first = number * size;
    // Random numbers by seed, epoch and place in the epoch; the top bit keeps clear of the streams
    // that other tasks count from 0.
    const GeneratorScope scope(
        {.seed = state_->options.seed,
         .stream = std::uint64_t{1} << 63 | static_cast<std::uint64_t>(epoch_),
         .position = static_cast<std::uint64_t>(first) * detail::kBlocksPerSample});
    const auto rest = static_cast<std::int64_t>(order_.size()) - first;
    const auto indices = std::span(order_).subspan(static_cast<std::size_t>(first),
                                                   static_cast<std::size_t>(std::min(size, rest)));
    if (!state_->options.collate) return state_->dataset->get_batch(indices);
    return (*state_->options.collate)(detail::get_samples(*state_->dataset, indices));
  }

  Slot& slot(std::int64_t number) {
    return slots_[static_cast<std::size_t>(number) % slots_.size()];
  }

  // A worker makes the next batch that nobody has begun, as long as its slot is free.
  void work() {
    set_num_threads(1);  // the workers are the parallelism here
    for (;;) {
      std::unique_lock lock(mutex_);
      room_.wait(lock, [&] {
        return stopped_ || begun_ == batches_ ||
               begun_ < taken_ + static_cast<std::int64_t>(slots_.size());
      });
      if (stopped_ || begun_ == batches_) return;
      const std::int64_t number = begun_++;
      lock.unlock();
      Batch batch;
      std::exception_ptr error;
      try {
        batch = make(number);
      } catch (...) {
        error = std::current_exception();
      }
      lock.lock();
      slot(number) = {std::move(batch), std::move(error), true};
      ready_.notify_one();
    }
  }

  Batch wait_for(std::int64_t number) {
    std::unique_lock lock(mutex_);
    Slot& mine = slot(number);
    ready_.wait(lock, [&] { return mine.ready; });
    Slot result = std::exchange(mine, Slot{});
    if (result.error) std::rethrow_exception(result.error);
    return std::move(result.batch);
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    room_.notify_all();
    for (std::thread& t : threads_) t.join();
    threads_.clear();
  }

  Shared<State> state_;
  std::int64_t epoch_;
  Indices order_;
  std::int64_t batches_;
  std::int64_t taken_;  // batches given out; only the consumer writes it

  std::mutex mutex_;
  std::condition_variable room_, ready_;
  std::vector<Slot> slots_;
  std::int64_t begun_;  // batches that workers have begun
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

DataLoader::DataLoader(Shared<const Dataset> dataset, DataLoaderOptions options)
    : state_(Shared<State>::make()) {
  if (!dataset) throw ValueError("DataLoader: there is no dataset");
  const auto check = [](const char* name, std::int64_t value, std::int64_t least) {
    if (value < least) {
      throw ValueError(std::string("DataLoader: ") + name + " is at least " +
                       std::to_string(least) + ", got " + std::to_string(value));
    }
  };
  check("batch_size", options.batch_size, 1);
  check("workers", options.workers, 0);
  check("prefetch", options.prefetch, 1);
  if (options.shuffle && options.sampler) {
    throw ValueError("DataLoader: a sampler has its own order, leave shuffle out");
  }
  state_->dataset = std::move(dataset);
  state_->options = options;
}

DataLoader::~DataLoader() = default;
DataLoader::DataLoader(DataLoader&&) noexcept = default;
DataLoader& DataLoader::operator=(DataLoader&&) noexcept = default;

std::int64_t DataLoader::size() const { return state_->batches(); }
const Dataset& DataLoader::dataset() const { return *state_->dataset; }
const DataLoaderOptions& DataLoader::options() const { return state_->options; }
LoaderPosition DataLoader::position() const { return state_->position; }

void DataLoader::set_position(LoaderPosition position) {
  const bool inside = position.batch >= 0 && (position.batch == 0 || position.batch < size());
  if (position.epoch < 0 || !inside) {
    throw ValueError("DataLoader: no position at epoch " + std::to_string(position.epoch) +
                     ", batch " + std::to_string(position.batch) + " of " + std::to_string(size()));
  }
  state_->next = state_->position = position;
}

DataLoader::Iterator DataLoader::begin() {
  const LoaderPosition start = std::exchange(state_->next, {state_->next.epoch + 1, 0});
  state_->position = size() == 0 ? LoaderPosition{start.epoch + 1, 0} : start;
  return Iterator(Owned<Run>::make(state_, start));
}

DataLoader::Iterator::Iterator(Owned<Run> run) : run_(std::move(run)) { ++*this; }
DataLoader::Iterator::~Iterator() = default;
DataLoader::Iterator::Iterator(Iterator&&) noexcept = default;
DataLoader::Iterator& DataLoader::Iterator::operator=(Iterator&&) noexcept = default;

DataLoader::Iterator& DataLoader::Iterator::operator++() {
  batch_ = {};  // the last batch's memory serves the next one
  try {
    if (!run_->done()) {
      batch_ = run_->next();
      return *this;
    }
  } catch (...) {
    run_.reset();  // after an error there is nothing to go on with
    throw;
  }
  run_.reset();
  return *this;
}

}  // namespace xtape::data
