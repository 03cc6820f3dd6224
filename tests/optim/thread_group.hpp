// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <condition_variable>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include <xtape/autograd/parallel.hpp>
#include <xtape/optim/process_group.hpp>

// Ranks that are threads; mpi_training.cpp does it with processes.
namespace optim_test {

using xtape::DType;
using xtape::Owned;

// What the ranks of one group share: each call of a rank has a number, and is done when all ranks
// have made the call of that number.
struct Board {
  explicit Board(int ranks) : size(ranks) {}

  struct Call {
    std::vector<void*> parts;
    bool done = false;
  };
  const int size;
  std::mutex mutex;
  std::condition_variable changed;
  std::map<int, Call> calls;

  template <class F>
  void join(int number, int rank, void* part, F all_there) {
    const std::lock_guard lock(mutex);
    Call& call = calls[number];
    call.parts.resize(static_cast<std::size_t>(size));
    call.parts[static_cast<std::size_t>(rank)] = part;
    for (void* p : call.parts) {
      if (!p) return;
    }
    all_there(call.parts);
    call.done = true;
    changed.notify_all();
  }
  void wait(int number) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return calls[number].done; });
  }
};

template <class T>
void sum_parts(const std::vector<void*>& parts, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    T sum = 0;
    for (void* p : parts) sum += static_cast<T*>(p)[i];
    for (void* p : parts) static_cast<T*>(p)[i] = sum;
  }
}

class ThreadGroup final : public xtape::optim::ProcessGroup {
 public:
  ThreadGroup(Board& board, int rank) : board_(board), rank_(rank) {}
  int under_way = 0;  // sums that live

  int rank() const noexcept override { return rank_; }
  int size() const noexcept override { return board_.size; }

  void broadcast(void* bytes, std::size_t count) override {
    const int number = calls_++;
    board_.join(number, rank_, bytes, [&](const std::vector<void*>& parts) {
      for (void* p : parts) std::memmove(p, parts[0], count);
    });
    board_.wait(number);
  }
  Owned<Sum> start_sum(void* values, std::int64_t count, DType dtype) override {
    struct Pending final : Sum {
      Pending(Board& b, int n, int& u) : board(b), number(n), under_way(u) { ++under_way; }
      ~Pending() override { --under_way; }
      void wait() override { board.wait(number); }
      Board& board;
      int number;
      int& under_way;
    };
    const int number = calls_++;
    board_.join(number, rank_, values, [&](const std::vector<void*>& parts) {
      dtype == xtape::float32 ? sum_parts<float>(parts, count) : sum_parts<double>(parts, count);
    });
    return Owned<Pending>::make(board_, number, under_way);
  }

 private:
  Board& board_;
  int rank_, calls_ = 0;
};

inline void on_ranks(int ranks, const std::function<void(ThreadGroup&)>& f) {
  Board board(ranks);
  std::vector<std::thread> threads;
  for (int r = 0; r < ranks; ++r) {
    threads.emplace_back([&, r] {
      xtape::set_num_threads(1);
      ThreadGroup group(board, r);
      f(group);
    });
  }
  for (std::thread& t : threads) t.join();
}

}  // namespace optim_test
