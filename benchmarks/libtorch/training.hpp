// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <torch/torch.h>

#include <utility>
#include <vector>

#include "../groups.hpp"

inline torch::Tensor leaf(at::IntArrayRef shape) {
  return torch::randn(shape).set_requires_grad(true);
}

inline void drop_grad(torch::Tensor& x) { x.mutable_grad().reset(); }

/// Measures steps of training: `loss()`, backward, `optimizer.step()`.
template <class Optimizer, class Loss>
void train(measure::Session& session, const char* name, std::vector<torch::Tensor> parameters,
           Optimizer optimizer, Loss loss) {
  session.run(name, [&] {
    for (torch::Tensor& p : parameters) drop_grad(p);  // faster than zero_grad()
    loss().backward();
    optimizer.step();
  });
}

template <class Optimizer>
void train_classes(measure::Session& session, const char* name, torch::nn::Sequential net,
                   Optimizer optimizer, const torch::Tensor& x, const torch::Tensor& y) {
  train(session, name, net->parameters(), std::move(optimizer),
        [&] { return torch::nn::functional::cross_entropy(net->forward(x), y); });
}

inline torch::Tensor classes(std::int64_t count, at::IntArrayRef shape) {
  return torch::randint(0, count, shape, torch::kInt64);
}

inline void make_channels_last(const std::vector<torch::Tensor>& parameters) {
  for (torch::Tensor p : parameters) {
    if (p.dim() == 4) p.set_data(p.contiguous(torch::MemoryFormat::ChannelsLast));
  }
}
