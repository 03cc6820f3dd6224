// SPDX-License-Identifier: BSD-3-Clause
#include "recurrent.hpp"

#include <cmath>

#include "../autograd/ops/dropout.hpp"
#include "../autograd/ops/indexing.hpp"
#include "../autograd/ops/joining.hpp"
#include "../autograd/ops/random.hpp"
#include "../autograd/ops/shape.hpp"
#include "../autograd/tape.hpp"
#include "init.hpp"

namespace xtape::nn {
namespace {

constexpr int kWeights = 4;
constexpr const char* kNames[kWeights] = {"weight_ih", "weight_hh", "bias_ih", "bias_hh"};

RecurrentModuleOptions common(const RNNOptions& o) {
  return {o.num_layers, o.bias, o.batch_first, o.dropout, o.bidirectional, o.dtype};
}

}  // namespace

RecurrentModule::RecurrentModule(const char* name, int gates, std::int64_t input_size,
                                 std::int64_t hidden_size, const RecurrentModuleOptions& options)
    : input_size_(input_size), hidden_size_(hidden_size), options_(options) {
  if (input_size < 1 || hidden_size < 1 || options.num_layers < 1) {
    throw ValueError(std::string(name) + ": expected at least 1 feature and layer, got " +
                     std::to_string(input_size) + " in, " + std::to_string(hidden_size) +
                     " hidden and " + std::to_string(options.num_layers) + " layers");
  }
  if (!(options.dropout >= 0 && options.dropout <= 1)) {
    throw ValueError(std::string(name) + ": expected a dropout in [0, 1], got " +
                     std::to_string(options.dropout));
  }
  const double bound = 1 / std::sqrt(static_cast<double>(hidden_size));
  const std::int64_t rows = gates * hidden_size;
  for (std::int64_t layer = 0; layer < options.num_layers; ++layer) {
    const std::int64_t in = layer == 0 ? input_size : directions() * hidden_size;
    for (std::int64_t d = 0; d < directions(); ++d) {
      weights_.emplace_back(uniform(-bound, bound, {rows, in}, options.dtype));
      weights_.emplace_back(uniform(-bound, bound, {rows, hidden_size}, options.dtype));
      for (int b = 0; b < 2; ++b) {
        weights_.push_back(options.bias ? Parameter(uniform(-bound, bound, {rows}, options.dtype))
                                        : Parameter());
      }
    }
  }
}

Parameter& RecurrentModule::parameter(std::int64_t layer, bool reverse, int which) {
  if (layer < 0 || layer >= options_.num_layers || (reverse && !options_.bidirectional)) {
    throw IndexError(type_name() + ": there is no " + (reverse ? "reverse " : "") + "layer " +
                     std::to_string(layer));
  }
  const std::int64_t i = (layer * directions() + (reverse ? 1 : 0)) * kWeights + which;
  return weights_[static_cast<std::size_t>(i)];
}

void RecurrentModule::visit_weights(detail::PartVisitor& visitor) {
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    const auto layer = i / kWeights / static_cast<std::size_t>(directions());
    const bool reverse = i / kWeights % static_cast<std::size_t>(directions()) == 1;
    const std::string name = std::string(kNames[i % kWeights]) + "_l" + std::to_string(layer) +
                             (reverse ? "_reverse" : "");
    detail::visit_part(visitor, detail::PartName{nullptr, name}, weights_[i]);
  }
}

void RecurrentModule::check_state(const char* what, const Tensor& state, const Tensor& x) const {
  Shape expected{options_.num_layers * directions()};
  if (x.dim() == 3) expected.push_back(x.sizes()[options_.batch_first ? 0 : 1]);
  expected.push_back(hidden_size_);
  if (!state.defined() || state.shape() == expected) return;
  throw ShapeError(std::string("expected ") + what + " of shape " + to_string(expected) + ", got " +
                   to_string(state.sizes()));
}

LstmOutput RecurrentModule::run(const Tensor& x, const Tensor& h0, const Tensor& c0,
                                const Tensor& lengths) {
  if (!x.defined() || (x.dim() != 2 && x.dim() != 3) || x.sizes().back() != input_size_) {
    throw ShapeError("expected " + std::to_string(input_size_) +
                     " input features in 2 or 3 dimensions, got input of shape " +
                     (x.defined() ? to_string(x.sizes()) : "undefined"));
  }
  check_state("a state h", h0, x);
  check_state("a state c", c0, x);
  const bool batched = x.dim() == 3, flips = batched && options_.batch_first;
  Tensor y = !batched ? unsqueeze(x, 1) : flips ? transpose(x, 0, 1) : x;
  std::vector<Tensor> h, c;
  for (std::int64_t layer = 0; layer < options_.num_layers; ++layer) {
    std::vector<Tensor> outputs;
    for (std::int64_t d = 0; d < directions(); ++d) {
      const auto first = [&](const Tensor& state) {
        if (!state.defined()) return state;
        const Tensor s = select(state, 0, layer * directions() + d);
        return batched ? s : unsqueeze(s, 0);
      };
      const auto weight = [&](int which) -> const Tensor& {
        return parameter(layer, d == 1, which);
      };
      const LstmOutput o =
          run_layer(y, first(h0), first(c0), {weight(0), weight(1), weight(2), weight(3)},
                    {.lengths = lengths, .reverse = d == 1});
      outputs.push_back(o.y);
      h.push_back(batched ? o.h : squeeze(o.h, 0));
      if (o.c.defined()) c.push_back(batched ? o.c : squeeze(o.c, 0));
    }
    y = outputs.size() == 1 ? outputs[0] : cat(outputs, 2);
    if (layer + 1 < options_.num_layers) y = dropout(y, options_.dropout, is_training());
  }
  const auto joined = [](const std::vector<Tensor>& states) {
    return states.empty() ? Tensor() : states.size() == 1 ? unsqueeze(states[0], 0) : stack(states);
  };
  return {!batched ? squeeze(y, 1) : flips ? transpose(y, 0, 1) : y, joined(h), joined(c)};
}

#define XTAPE_DEFINE_RECURRENT(Class)                                               \
  void Class::visit_parts(detail::PartVisitor& visitor) { visit_weights(visitor); } \
  XTAPE_DEFINE_CLONE(Class)
XTAPE_DEFINE_RECURRENT(RNN)
XTAPE_DEFINE_RECURRENT(LSTM)
XTAPE_DEFINE_RECURRENT(GRU)
#undef XTAPE_DEFINE_RECURRENT

RNN::RNN(std::int64_t input_size, std::int64_t hidden_size, const RNNOptions& options)
    : RecurrentModule("RNN", 1, input_size, hidden_size, common(options)),
      nonlinearity_(options.nonlinearity) {}

LstmOutput RNN::run_layer(const Tensor& x, const Tensor& h0, const Tensor&,
                          const RecurrentWeights& w, const RecurrentOptions& options) {
  const auto layer = nonlinearity_ == RnnNonlinearity::tanh ? rnn_tanh : rnn_relu;
  RecurrentOutput o = layer(x, h0, w, options);
  return {o.y, o.h, {}};
}

RNNResult RNN::operator()(const Tensor& x, const Tensor& state, const Tensor& lengths) {
  detail::CallScope scope(*this);
  return scope.result(forward(x, state, lengths));
}

RNNResult RNN::forward(const Tensor& x, const Tensor& state, const Tensor& lengths) {
  LstmOutput o = run(x, state, {}, lengths);
  return {o.y, o.h};
}

LSTM::LSTM(std::int64_t input_size, std::int64_t hidden_size, const LSTMOptions& options)
    : RecurrentModule("LSTM", 4, input_size, hidden_size, options) {}

LstmOutput LSTM::run_layer(const Tensor& x, const Tensor& h0, const Tensor& c0,
                           const RecurrentWeights& w, const RecurrentOptions& options) {
  return lstm(x, h0, c0, w, options);
}

LSTMResult LSTM::operator()(const Tensor& x, const LSTMState& state, const Tensor& lengths) {
  detail::CallScope scope(*this);
  return scope.result(forward(x, state, lengths));
}

LSTMResult LSTM::forward(const Tensor& x, const LSTMState& state, const Tensor& lengths) {
  LstmOutput o = run(x, state.h, state.c, lengths);
  return {o.y, {o.h, o.c}};
}

GRU::GRU(std::int64_t input_size, std::int64_t hidden_size, const GRUOptions& options)
    : RecurrentModule("GRU", 3, input_size, hidden_size, options) {}

LstmOutput GRU::run_layer(const Tensor& x, const Tensor& h0, const Tensor&,
                          const RecurrentWeights& w, const RecurrentOptions& options) {
  RecurrentOutput o = gru(x, h0, w, options);
  return {o.y, o.h, {}};
}

RNNResult GRU::operator()(const Tensor& x, const Tensor& state, const Tensor& lengths) {
  detail::CallScope scope(*this);
  return scope.result(forward(x, state, lengths));
}

RNNResult GRU::forward(const Tensor& x, const Tensor& state, const Tensor& lengths) {
  LstmOutput o = run(x, state, {}, lengths);
  return {o.y, o.h};
}

Tensor detach_state(const Tensor& state) { return state.defined() ? state.detach() : state; }
LSTMState detach_state(const LSTMState& state) {
  return {detach_state(state.h), detach_state(state.c)};
}

namespace init {

Tensor orthogonal_gates_(Tensor weight_hh, double gain) {
  const bool blocks = weight_hh.defined() && weight_hh.dim() == 2 && weight_hh.sizes()[1] > 0 &&
                      weight_hh.sizes()[0] % weight_hh.sizes()[1] == 0;
  if (!blocks) {
    throw ShapeError("orthogonal_gates_: expected a weight [gates hidden, hidden], got " +
                     (weight_hh.defined() ? to_string(weight_hh.sizes()) : "undefined"));
  }
  const NoGrad guard;
  const std::int64_t hidden = weight_hh.sizes()[1];
  for (std::int64_t at = 0; at < weight_hh.sizes()[0]; at += hidden) {
    orthogonal_(narrow(weight_hh, 0, at, hidden), gain);
  }
  return weight_hh;
}

void orthogonal_gates_(RecurrentModule& module, double gain) {
  for (std::int64_t layer = 0; layer < module.options().num_layers; ++layer) {
    for (std::int64_t d = 0; d < module.directions(); ++d) {
      orthogonal_gates_(module.weight_hh(layer, d == 1), gain);
    }
  }
}

void forget_bias_(LSTM& module, double value) {
  if (!module.options().bias) throw ValueError("forget_bias_: the LSTM has no bias");
  const NoGrad guard;
  const std::int64_t hidden = module.hidden_size();
  for (std::int64_t layer = 0; layer < module.options().num_layers; ++layer) {
    for (std::int64_t d = 0; d < module.directions(); ++d) {
      constant_(narrow(module.bias_ih(layer, d == 1), 0, hidden, hidden), value);
      constant_(narrow(module.bias_hh(layer, d == 1), 0, hidden, hidden), 0);
    }
  }
}

}  // namespace init
}  // namespace xtape::nn
