// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>

#include <xtape/autograd/error.hpp>
#include <xtape/autograd/tape.hpp>
#include <xtape/data/dataset.hpp>
#include <xtape/nn/linear.hpp>
#include <xtape/optim/adam.hpp>
#include <xtape/optim/checkpoint.hpp>
#include <xtape/optim/schedule_factor.hpp>

// A training run whose whole state is one number, so that a torn file shows.
namespace checkpoint_test {

struct Run {
  xtape::nn::Linear net{64, 48};
  xtape::optim::Adam optimizer{net.parameters(), {.lr = 1}};
  xtape::optim::LambdaLR schedule{optimizer, [](std::int64_t) { return 1.0; }};

  void save(const std::string& path, std::int64_t state) {
    const xtape::NoGrad guard;
    for (xtape::Tensor p : net.parameters()) p.fill_(state);
    optimizer.set_lr(static_cast<double>(state));
    xtape::optim::save_checkpoint(path, net, optimizer,
                                  {state, state, {{"loss", static_cast<double>(state)}}},
                                  {.schedule = &schedule});
  }

  /// The state in the file; throws where it is damaged or made of two.
  std::int64_t load(const std::string& path) {
    const xtape::optim::Position position =
        xtape::optim::load_checkpoint(path, net, optimizer, {.schedule = &schedule});
    const auto state = static_cast<double>(position.epoch);
    bool whole = position.step == position.epoch && optimizer.lr() == state &&
                 position.metrics.at(0).second == state;
    for (const xtape::Tensor& p : net.parameters()) {
      const float* values = p.data<float>();
      for (std::int64_t i = 0; i < p.numel(); ++i) whole = whole && values[i] == float(state);
    }
    if (!whole) throw xtape::Error("two states in one file");
    return position.epoch;
  }
};

}  // namespace checkpoint_test
