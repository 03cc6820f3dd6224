// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "../export.hpp"
#include "../tensor.hpp"

// Recurrent layers, one recorded operation for a whole sequence: x [steps, batch, in], states
// [batch, hidden], zeros where undefined. sigma is the logistic function, * acts by element. Throws
// ShapeError, DTypeError; ValueError on lengths outside [1, steps].
namespace xtape {

/// The gates of one layer, G of them under one another: weight_ih [G hidden, in], weight_hh
/// [G hidden, hidden], biases [G hidden] or undefined.
struct RecurrentWeights {
  Tensor weight_ih, weight_hh, bias_ih{}, bias_hh{};
};

struct RecurrentOptions {
  /// int64 [batch]: steps of each sequence, all of them where undefined. Beyond, outputs are 0 and
  /// states rest; what x holds there must be finite.
  Tensor lengths{};
  bool reverse = false;  ///< from the last step to the first
};

/// y [steps, batch, hidden] and the state after the last step.
struct RecurrentOutput {
  Tensor y, h;
};
struct LstmOutput {
  Tensor y, h, c;
};
struct LstmCellOutput {
  Tensor h, c;
};

/// h' = tanh(W_ih x + b_ih + W_hh h + b_hh)
XTAPE_API RecurrentOutput rnn_tanh(const Tensor& x, const Tensor& h0, const RecurrentWeights& w,
                                   const RecurrentOptions& options = {});
/// The same with relu in the place of tanh.
XTAPE_API RecurrentOutput rnn_relu(const Tensor& x, const Tensor& h0, const RecurrentWeights& w,
                                   const RecurrentOptions& options = {});
/// (i, f, g, o) = W_ih x + b_ih + W_hh h + b_hh, c' = sigma(f) * c + sigma(i) * tanh(g),
/// h' = sigma(o) * tanh(c'). Hochreiter and Schmidhuber, 1997, with the forget gate of Gers, 2000.
XTAPE_API LstmOutput lstm(const Tensor& x, const Tensor& h0, const Tensor& c0,
                          const RecurrentWeights& w, const RecurrentOptions& options = {});
/// r, z = sigma of their shares, n = tanh(W_in x + b_in + r * (W_hn h + b_hn)),
/// h' = (1 - z) * n + z * h. Cho et al., EMNLP 2014.
XTAPE_API RecurrentOutput gru(const Tensor& x, const Tensor& h0, const RecurrentWeights& w,
                              const RecurrentOptions& options = {});

/// One step: x [batch, in] or [in], the states accordingly.
XTAPE_API Tensor rnn_tanh_cell(const Tensor& x, const Tensor& h, const RecurrentWeights& w);
XTAPE_API Tensor rnn_relu_cell(const Tensor& x, const Tensor& h, const RecurrentWeights& w);
XTAPE_API LstmCellOutput lstm_cell(const Tensor& x, const Tensor& h, const Tensor& c,
                                   const RecurrentWeights& w);
XTAPE_API Tensor gru_cell(const Tensor& x, const Tensor& h, const RecurrentWeights& w);

}  // namespace xtape
