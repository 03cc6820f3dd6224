// SPDX-License-Identifier: BSD-3-Clause
#include "gradient_averager.hpp"

#include <cstring>
#include <string>
#include <vector>

#include "../autograd/error.hpp"
#include "../autograd/tape.hpp"

namespace xtape::optim {

ProcessGroup::~ProcessGroup() = default;
ProcessGroup::Sum::~Sum() = default;

namespace {

/// Gradients of one dtype side by side, and behind them, for each parameter, on how many ranks it
/// has a gradient.
struct Bucket {
  explicit Bucket(DType d) : dtype(d) {}

  DType dtype;
  std::vector<std::size_t> parameters;
  std::int64_t count = 0;  // of gradient elements
  std::size_t filled = 0;  // parameters whose gradient is complete
  Tensor values;
  Owned<ProcessGroup::Sum> sum;  // set while it is under way

  std::byte* at(std::int64_t element) const {
    return values.value()->data + static_cast<std::size_t>(element) * item_size(dtype);
  }
};

Tensor mean_of(const Tensor& like, const std::byte* sum, int ranks) {
  Tensor mean = xtape::detail::empty(like.dtype(), like.sizes());
  xtape::detail::dispatch_floating(like.dtype(), [&]<class T>(xtape::detail::Type<T>) {
    const T* s = reinterpret_cast<const T*>(sum);
    T* m = xtape::detail::fresh_data<T>(mean);
    for (std::int64_t i = 0; i < mean.numel(); ++i) m[i] = s[i] / static_cast<T>(ranks);
  });
  return mean;
}

}  // namespace

struct GradientAverager::State {
  ProcessGroup& group;
  bool overlap;
  std::vector<Tensor> parameters{};
  std::vector<std::size_t> bucket_of{};
  std::vector<bool> complete{};
  std::vector<Bucket> buckets{};
  std::size_t sent = 0;  // buckets under way: ranks send them in one order
  bool active = true;

  void fill_buckets(std::int64_t bucket_bytes);
  void completed(std::size_t parameter);
  void send(Bucket& bucket);
  void receive(Bucket& bucket);
};

// The last layers' gradients are there first.
void GradientAverager::State::fill_buckets(std::int64_t bucket_bytes) {
  bucket_of.resize(parameters.size());
  complete.assign(parameters.size(), false);
  for (std::size_t i = parameters.size(); i-- > 0;) {
    const Tensor& p = parameters[i];
    const auto bytes = [&](std::int64_t n) {
      return n * static_cast<std::int64_t>(item_size(p.dtype()));
    };
    if (buckets.empty() || buckets.back().dtype != p.dtype() ||
        bytes(buckets.back().count + p.numel()) > bucket_bytes) {
      buckets.emplace_back(p.dtype());
    }
    buckets.back().parameters.push_back(i);
    buckets.back().count += p.numel();
    bucket_of[i] = buckets.size() - 1;
  }
  for (Bucket& b : buckets) {
    const std::int64_t sizes[] = {b.count + static_cast<std::int64_t>(b.parameters.size())};
    b.values = xtape::detail::empty(b.dtype, sizes);
  }
}

void GradientAverager::State::completed(std::size_t parameter) {
  if (!active || !overlap) return;
  if (complete[parameter]) {
    throw GradError(
        "GradientAverager: a second backward before wait(); to add up the gradients of several, "
        "make it with overlap = false");
  }
  complete[parameter] = true;
  ++buckets[bucket_of[parameter]].filled;
  while (sent < buckets.size() && buckets[sent].filled == buckets[sent].parameters.size()) {
    send(buckets[sent++]);
  }
}

void GradientAverager::State::send(Bucket& bucket) {
  xtape::detail::dispatch_floating(bucket.dtype, [&]<class T>(xtape::detail::Type<T>) {
    std::int64_t at = 0, flag = bucket.count;
    for (const std::size_t i : bucket.parameters) {
      const Tensor g = parameters[i].grad();
      const std::int64_t n = parameters[i].numel();
      const std::size_t bytes = static_cast<std::size_t>(n) * sizeof(T);
      if (g.defined()) {
        std::memcpy(bucket.at(at), g.contiguous().data<T>(), bytes);
      } else {
        std::memset(bucket.at(at), 0, bytes);
      }
      const T there = g.defined() ? T(1) : T(0);
      std::memcpy(bucket.at(flag++), &there, sizeof there);
      at += n;
    }
  });
  bucket.sum = group.start_sum(bucket.at(0), bucket.values.numel(), bucket.dtype);
}

void GradientAverager::State::receive(Bucket& bucket) {
  bucket.sum->wait();
  bucket.sum = {};
  bucket.filled = 0;
  xtape::detail::dispatch_floating(bucket.dtype, [&]<class T>(xtape::detail::Type<T>) {
    std::int64_t at = 0, flag = bucket.count;
    for (const std::size_t i : bucket.parameters) {
      T ranks_with_it;
      std::memcpy(&ranks_with_it, bucket.at(flag++), sizeof ranks_with_it);
      if (ranks_with_it > 0) {
        parameters[i].set_grad(mean_of(parameters[i], bucket.at(at), group.size()));
      }
      at += parameters[i].numel();
    }
  });
}

GradientAverager::GradientAverager(ProcessGroup& group, const nn::Module& model,
                                   const GradientAveragerOptions& options)
    : state_(Shared<State>::make(State{.group = group, .overlap = options.overlap})) {
  if (options.bucket_bytes < 1) {
    throw ValueError("GradientAverager: bucket_bytes is at least 1, got " +
                     std::to_string(options.bucket_bytes));
  }
  std::vector<Tensor> all = model.parameters();
  for (const Tensor& p : all) {
    if (p.requires_grad()) state_->parameters.push_back(p);
  }
  for (const Tensor& b : model.buffers()) all.push_back(b);
  for (Tensor& x : all) {
    Tensor values = x.detach().contiguous().clone();
    group.broadcast(values.value()->data,
                    static_cast<std::size_t>(values.numel()) * item_size(values.dtype()));
    const NoGrad no_grad;
    x.copy_(values);
  }
  state_->fill_buckets(options.bucket_bytes);
  for (std::size_t i = 0; i < state_->parameters.size(); ++i) {
    state_->parameters[i].register_post_accumulate_grad_hook(
        [state = state_, i](const Tensor&) { state->completed(i); });
  }
}

// The parameters keep the hooks: from now on these do nothing. A sum that nobody waited for ends
// here, while the group is there.
GradientAverager::~GradientAverager() {
  state_->active = false;
  state_->parameters.clear();
  state_->buckets.clear();
}

void GradientAverager::wait() {
  State& s = *state_;
  while (s.sent < s.buckets.size()) s.send(s.buckets[s.sent++]);
  for (Bucket& b : s.buckets) s.receive(b);
  s.complete.assign(s.complete.size(), false);
  s.sent = 0;
}

}  // namespace xtape::optim
