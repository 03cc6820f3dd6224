// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../dtype.hpp"
#include "bfloat16.hpp"

// One recurrent layer over a whole sequence; float32 and float64. Everything is dense and
// time-major.
namespace xtape::kernels {

enum class Recurrence : std::uint8_t { rnn_tanh, rnn_relu, lstm, gru };

/// Gates that the inputs and the state are multiplied for: LSTM i f g o, GRU r z n.
constexpr int gate_count(Recurrence kind) noexcept {
  return kind == Recurrence::lstm ? 4 : kind == Recurrence::gru ? 3 : 1;
}

/// The layer and its sequence; `rows` is the size of the batch.
struct RecurrentLayer {
  Recurrence kind;
  bool reverse;  // from the last step to the first
  std::int64_t steps, rows, hidden;
  const std::int64_t* lengths;  // of each row, null where all have every step; a row rests beyond
  DType dtype;
  Precision precision;  // of the states times their weights

  std::int64_t gates() const noexcept { return gate_count(kind) * hidden; }
};

/// What the forward pass reads and writes. `cells` [steps, rows, hidden] holds what a gradient
/// needs beyond the gates: the LSTM's cell states, the GRU's recurrent share of n; null for an RNN.
struct RecurrentForward {
  const void* weight;                   // [gates, hidden]
  const void *bias_input, *bias_state;  // [gates], null for none
  const void *h0, *c0;                  // [rows, hidden], null for zeros
  void* gates;   // [steps, rows, gates]: in, the inputs times their weights; out, the gates
  void* cells;   // [steps, rows, hidden]
  void* states;  // [steps, rows, hidden]: a resting row keeps its state
  void* y;       // the same with zeros where a row rests; `states` itself where none ever does
};
void recurrent_forward(const RecurrentLayer& layer, const RecurrentForward& p);

/// What the backward pass reads and writes. `dh` and `dc` [rows, hidden]: in, the gradients of the
/// last states; out, those of the first.
struct RecurrentBackward {
  const void* weight;
  const void *gates, *cells, *states;
  const void *h0, *c0;
  const void* g;  // of y, null for none
  void *dh, *dc;
  void* input_gates;  // [steps, rows, gates]: the gradient of the inputs times their weights
  void* state_gates;  // of the states times theirs: the same memory but for the GRU
};
void recurrent_backward(const RecurrentLayer& layer, const RecurrentBackward& p);

}  // namespace xtape::kernels
