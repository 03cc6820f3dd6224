// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "../autograd/error.hpp"
#include "../autograd/export.hpp"
#include "../autograd/ops/recurrent.hpp"
#include "module.hpp"

// Recurrent networks with PyTorch's names, shapes and order of gates. For x [steps, batch, in]
// (batch_first: [batch, steps, in]; one sequence alone: [steps, in]) they give y [steps, batch,
// directions hidden] of the last layer and the last state of each layer and direction, [layers
// directions, batch, hidden]:
//
//   auto [y, state] = lstm(x);                  // from zeros
//   auto [z, next] = lstm(more, state);         // goes on
//   auto [w, last] = lstm(x, {h, c}, lengths);  // sequences of different lengths, int64 [batch]
//
// Beyond a sequence's length y is 0 and the state rests, so that the last one is that of its last
// step; what x holds there must be finite.
namespace xtape::nn {

enum class RnnNonlinearity { tanh, relu };

struct RecurrentModuleOptions {
  std::int64_t num_layers = 1;
  bool bias = true;
  bool batch_first = false;
  double dropout = 0;  ///< between layers, while training
  bool bidirectional = false;
  DType dtype = float32;
};

struct RNNOptions {
  std::int64_t num_layers = 1;
  RnnNonlinearity nonlinearity = RnnNonlinearity::tanh;
  bool bias = true;
  bool batch_first = false;
  double dropout = 0;  ///< between layers, while training
  bool bidirectional = false;
  DType dtype = float32;
};
using LSTMOptions = RecurrentModuleOptions;
using GRUOptions = RecurrentModuleOptions;

struct LSTMState {
  Tensor h, c;
};
struct LSTMResult {
  Tensor output;
  LSTMState state;
};
struct RNNResult {
  Tensor output, state;
};

/// What RNN, LSTM and GRU share: the weights weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0,
/// ..., weight_ih_l0_reverse, ..., all from U(-1 / sqrt(hidden), 1 / sqrt(hidden)), and the way
/// through the layers.
class XTAPE_API RecurrentModule : public Module {
 public:
  std::int64_t input_size() const noexcept { return input_size_; }
  std::int64_t hidden_size() const noexcept { return hidden_size_; }
  std::int64_t directions() const noexcept { return options_.bidirectional ? 2 : 1; }
  const RecurrentModuleOptions& options() const noexcept { return options_; }

  /// [gates hidden, in] and [gates hidden, hidden]; throws IndexError for another layer.
  Parameter& weight_ih(std::int64_t layer = 0, bool reverse = false) {
    return parameter(layer, reverse, 0);
  }
  Parameter& weight_hh(std::int64_t layer = 0, bool reverse = false) {
    return parameter(layer, reverse, 1);
  }
  /// [gates hidden]; undefined without bias.
  Parameter& bias_ih(std::int64_t layer = 0, bool reverse = false) {
    return parameter(layer, reverse, 2);
  }
  Parameter& bias_hh(std::int64_t layer = 0, bool reverse = false) {
    return parameter(layer, reverse, 3);
  }

 protected:
  /// Throws ValueError for sizes below 1 and a dropout outside [0, 1].
  RecurrentModule(const char* name, int gates, std::int64_t input_size, std::int64_t hidden_size,
                  const RecurrentModuleOptions& options);
  LstmOutput run(const Tensor& x, const Tensor& h0, const Tensor& c0, const Tensor& lengths);
  void visit_weights(detail::PartVisitor& visitor);

 private:
  virtual LstmOutput run_layer(const Tensor& x, const Tensor& h0, const Tensor& c0,
                               const RecurrentWeights& w, const RecurrentOptions& options) = 0;
  Parameter& parameter(std::int64_t layer, bool reverse, int which);
  void check_state(const char* what, const Tensor& state, const Tensor& x) const;

  std::vector<Parameter> weights_;  // four for each layer and direction
  std::int64_t input_size_, hidden_size_;
  RecurrentModuleOptions options_;
};

/// h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu in the place of tanh.
class XTAPE_API RNN : public RecurrentModule {
 public:
  XTAPE_DECLARE_PARTS()

  RNN(std::int64_t input_size, std::int64_t hidden_size, const RNNOptions& options = {});
  RNNResult operator()(const Tensor& x, const Tensor& state, const Tensor& lengths);
  RNNResult forward(const Tensor& x, const Tensor& state = {}, const Tensor& lengths = {});

 private:
  LstmOutput run_layer(const Tensor& x, const Tensor& h0, const Tensor& c0,
                       const RecurrentWeights& w, const RecurrentOptions& options) override;

  RnnNonlinearity nonlinearity_;
};

/// Long short-term memory; see xtape::lstm for the formulas. Gates in the order i f g o.
class XTAPE_API LSTM : public RecurrentModule {
 public:
  XTAPE_DECLARE_PARTS()

  LSTM(std::int64_t input_size, std::int64_t hidden_size, const LSTMOptions& options = {});
  LSTMResult operator()(const Tensor& x, const LSTMState& state, const Tensor& lengths = {});
  LSTMResult forward(const Tensor& x, const LSTMState& state = {}, const Tensor& lengths = {});

 private:
  LstmOutput run_layer(const Tensor& x, const Tensor& h0, const Tensor& c0,
                       const RecurrentWeights& w, const RecurrentOptions& options) override;
};

/// Gated recurrent unit; see xtape::gru for the formulas. Gates in the order r z n.
class XTAPE_API GRU : public RecurrentModule {
 public:
  XTAPE_DECLARE_PARTS()

  GRU(std::int64_t input_size, std::int64_t hidden_size, const GRUOptions& options = {});
  RNNResult operator()(const Tensor& x, const Tensor& state, const Tensor& lengths);
  RNNResult forward(const Tensor& x, const Tensor& state = {}, const Tensor& lengths = {});

 private:
  LstmOutput run_layer(const Tensor& x, const Tensor& h0, const Tensor& c0,
                       const RecurrentWeights& w, const RecurrentOptions& options) override;
};

/// The same values without history: where truncated backpropagation through time cuts.
XTAPE_API Tensor detach_state(const Tensor& state);
XTAPE_API LSTMState detach_state(const LSTMState& state);

/// Truncated backpropagation through time over `steps` time steps: `f(begin, count, state)` takes
/// `count` of them, at most `length`, trains on these and returns the state after them, which is
/// detached before the next call. Returns the last state. Throws ValueError for a length below 1.
///
///     state = nn::truncated_bptt(x.size(0), 35, state, [&](auto begin, auto count, auto before) {
///       auto [y, after] = lstm(narrow(x, 0, begin, count), before);
///       ... loss.backward(); optimizer.step();
///       return after;
///     });
template <class State, class F>
State truncated_bptt(std::int64_t steps, std::int64_t length, State state, F f) {
  if (length < 1) {
    throw ValueError("truncated_bptt: expected a length of at least 1, got " +
                     std::to_string(length));
  }
  for (std::int64_t begin = 0; begin < steps; begin += length) {
    state =
        detach_state(f(begin, steps - begin < length ? steps - begin : length, std::move(state)));
  }
  return state;
}

namespace init {

/// Each gate's block of a recurrent weight [gates hidden, hidden] orthogonal times gain: states
/// neither vanish nor explode at first. Saxe et al., ICLR 2014. Throws ShapeError.
XTAPE_API Tensor orthogonal_gates_(Tensor weight_hh, double gain = 1);
/// The recurrent weights of all layers.
XTAPE_API void orthogonal_gates_(RecurrentModule& module, double gain = 1);

/// An LSTM remembers at first: the forget gates' biases b_ih + b_hh become `value`. Jozefowicz et
/// al., ICML 2015. Throws ValueError without bias.
XTAPE_API void forget_bias_(LSTM& module, double value = 1);

}  // namespace init
}  // namespace xtape::nn
