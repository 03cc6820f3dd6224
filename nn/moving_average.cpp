// SPDX-License-Identifier: BSD-3-Clause
#include "moving_average.hpp"

#include <algorithm>

#include "../autograd/error.hpp"
#include "../autograd/ops/arithmetic.hpp"
#include "../autograd/ops/creation.hpp"
#include "../autograd/parallel.hpp"
#include "../autograd/tape.hpp"

namespace xtape::nn {
namespace {

constexpr std::int64_t kGrain = 32768;
constexpr const char* kUpdates = "num_updates";

// One pass where both lie in memory alike.
void move_towards(Tensor average, const Tensor& p, double decay) {
  if (p.dtype() != average.dtype() || !xtape::detail::is_dense(p) ||
      !std::ranges::equal(p.strides(), average.strides())) {
    average.copy_(average * decay + p.detach().to(average.dtype()) * (1 - decay));
    return;
  }
  xtape::detail::raise_version(average);
  xtape::detail::dispatch_floating(p.dtype(), [&]<class T>(xtape::detail::Type<T>) {
    T* a = xtape::detail::fresh_data<T>(average);
    const T* x = p.data<T>();
    const auto keep = static_cast<T>(decay), rest = static_cast<T>(1 - decay);
    xtape::detail::parallel_for(p.numel(), kGrain, [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) a[i] = keep * a[i] + rest * x[i];
    });
  });
}

}  // namespace

ExponentialMovingAverage::ExponentialMovingAverage(const Module& module, double decay)
    : parameters_(module.named_parameters()), decay_(decay) {
  if (!(decay >= 0 && decay <= 1)) {
    throw ValueError("ExponentialMovingAverage: expected decay in [0, 1], got " +
                     std::to_string(decay));
  }
  if (parameters_.empty()) {
    throw ValueError("ExponentialMovingAverage: " + module.type_name() + " has no parameters");
  }
  const NoGrad guard;
  for (const auto& [name, p] : parameters_) {
    averages_.push_back(xtape::detail::empty_like(p, p.dtype()).copy_(p));
  }
}

void ExponentialMovingAverage::update() {
  const NoGrad guard;
  for (std::size_t i = 0; i < averages_.size(); ++i) {
    move_towards(averages_[i], parameters_[i].second, decay_);
  }
  ++updates_;
}

void ExponentialMovingAverage::swap() {
  const NoGrad guard;
  for (std::size_t i = 0; i < averages_.size(); ++i) {
    Tensor& p = parameters_[i].second;
    const Tensor value = xtape::detail::copy_contiguous(p);
    p.copy_(averages_[i]);
    averages_[i].copy_(value);
  }
}

NamedTensors ExponentialMovingAverage::state() const {
  NamedTensors state;
  for (std::size_t i = 0; i < averages_.size(); ++i) {
    state.emplace_back(parameters_[i].first, averages_[i]);
  }
  state.emplace_back(kUpdates, scalar_tensor(updates_, int64));
  return state;
}

void ExponentialMovingAverage::load_state(const NamedTensors& state) {
  const std::string who = "ExponentialMovingAverage: load_state: ";
  const NamedTensors own = this->state();
  std::vector<const Tensor*> found;
  for (const auto& [name, mine] : own) {
    const auto i = std::find_if(state.begin(), state.end(),
                                [&](const auto& entry) { return entry.first == name; });
    if (i == state.end()) throw ValueError(who + name + " is missing");
    const Tensor& t = i->second;
    if (!t.defined() || t.shape() != mine.shape()) {
      throw ShapeError(who + name + ": expected shape " + to_string(mine.sizes()) + ", got " +
                       (t.defined() ? t.description() : "undefined"));
    }
    if (t.dtype() != mine.dtype()) {
      throw DTypeError(who + name + ": expected " + xtape::name(mine.dtype()) + ", got " +
                       t.description());
    }
    found.push_back(&t);
  }
  if (state.size() != own.size()) {
    throw ValueError(who + std::to_string(state.size() - own.size()) + " entries too many");
  }
  const NoGrad guard;
  for (std::size_t i = 0; i < averages_.size(); ++i) averages_[i].copy_(*found[i]);
  updates_ = found.back()->item<std::int64_t>();
}

}  // namespace xtape::nn
