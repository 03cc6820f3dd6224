// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <xtape/xtape.hpp>

#include "../groups.hpp"

inline xtape::Tensor leaf(const xtape::Shape& shape) {
  return xtape::randn(shape).requires_grad_();
}

/// Measures steps of training: `loss()`, backward, `optimizer.step()`.
template <class Optimizer, class Loss>
void train(measure::Session& session, const char* name, Optimizer&& optimizer, Loss loss) {
  session.run(name, [&] {
    optimizer.zero_grad();
    loss().backward();
    optimizer.step();
  });
}

template <class Optimizer>
void train_classes(measure::Session& session, const char* name, xtape::nn::Module& net,
                   Optimizer&& optimizer, const xtape::Tensor& x, const xtape::Tensor& y) {
  train(session, name, optimizer, [&] { return xtape::nn::cross_entropy(net(x), y); });
}
