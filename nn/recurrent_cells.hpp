// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../autograd/export.hpp"
#include "module.hpp"
#include "recurrent.hpp"

// One step of a recurrent network, for loops written by hand: x [batch, in] or [in], states
// accordingly, zeros where undefined. weight_ih [gates hidden, in], weight_hh [gates hidden,
// hidden], bias_ih and bias_hh [gates hidden], all from U(-1 / sqrt(hidden), 1 / sqrt(hidden)).
namespace xtape::nn {

struct RecurrentCellOptions {
  bool bias = true;
  DType dtype = float32;
};
struct RNNCellOptions {
  bool bias = true;
  RnnNonlinearity nonlinearity = RnnNonlinearity::tanh;
  DType dtype = float32;
};
using LSTMCellOptions = RecurrentCellOptions;
using GRUCellOptions = RecurrentCellOptions;

namespace detail {

struct CellWeights {
  Parameter ih, hh, bias_ih, bias_hh;
  /// Throws ValueError for sizes below 1.
  CellWeights(const char* name, int gates, std::int64_t input_size, std::int64_t hidden_size,
              const RecurrentCellOptions& options);
};

}  // namespace detail

/// `h = cell(x, h)`
class XTAPE_API RNNCell : public Module {
 public:
  Parameter weight_ih, weight_hh, bias_ih, bias_hh;
  XTAPE_DECLARE_PARTS()

  RNNCell(std::int64_t input_size, std::int64_t hidden_size, const RNNCellOptions& options = {});
  Tensor forward(const Tensor& x) override { return forward(x, Tensor()); }
  Tensor forward(const Tensor& x, const Tensor& h);

 private:
  RnnNonlinearity nonlinearity_;
};

/// `state = cell(x, state)`, a state being {h, c}.
class XTAPE_API LSTMCell : public Module {
 public:
  Parameter weight_ih, weight_hh, bias_ih, bias_hh;
  XTAPE_DECLARE_PARTS()

  LSTMCell(std::int64_t input_size, std::int64_t hidden_size, const LSTMCellOptions& options = {});
  LSTMState operator()(const Tensor& x, const LSTMState& state);
  LSTMState forward(const Tensor& x, const LSTMState& state = {});
};

/// `h = cell(x, h)`
class XTAPE_API GRUCell : public Module {
 public:
  Parameter weight_ih, weight_hh, bias_ih, bias_hh;
  XTAPE_DECLARE_PARTS()

  GRUCell(std::int64_t input_size, std::int64_t hidden_size, const GRUCellOptions& options = {});
  Tensor forward(const Tensor& x) override { return forward(x, Tensor()); }
  Tensor forward(const Tensor& x, const Tensor& h);
};

namespace init {

/// As for an LSTM.
XTAPE_API void forget_bias_(LSTMCell& cell, double value = 1);

}  // namespace init
}  // namespace xtape::nn
