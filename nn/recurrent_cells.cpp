// SPDX-License-Identifier: BSD-3-Clause
#include "recurrent_cells.hpp"

#include <cmath>
#include <string>

#include "../autograd/error.hpp"
#include "../autograd/ops/indexing.hpp"
#include "../autograd/ops/random.hpp"
#include "../autograd/tape.hpp"
#include "init.hpp"

namespace xtape::nn {
namespace {

template <class Cell>
void take(Cell& cell, detail::CellWeights&& w) {
  cell.weight_ih = std::move(w.ih);
  cell.weight_hh = std::move(w.hh);
  cell.bias_ih = std::move(w.bias_ih);
  cell.bias_hh = std::move(w.bias_hh);
}

template <class Cell>
RecurrentWeights weights_of(const Cell& cell) {
  return {cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh};
}

}  // namespace

detail::CellWeights::CellWeights(const char* name, int gates, std::int64_t input_size,
                                 std::int64_t hidden_size, const RecurrentCellOptions& options) {
  if (input_size < 1 || hidden_size < 1) {
    throw ValueError(std::string(name) + ": expected at least 1 feature, got " +
                     std::to_string(input_size) + " in and " + std::to_string(hidden_size) +
                     " hidden");
  }
  const double bound = 1 / std::sqrt(static_cast<double>(hidden_size));
  const auto drawn = [&](const Shape& shape) {
    return Parameter(uniform(-bound, bound, shape, options.dtype));
  };
  const std::int64_t rows = gates * hidden_size;
  ih = drawn({rows, input_size});
  hh = drawn({rows, hidden_size});
  if (!options.bias) return;
  bias_ih = drawn({rows});
  bias_hh = drawn({rows});
}

XTAPE_DEFINE_PARTS(RNNCell, weight_ih, weight_hh, bias_ih, bias_hh)
XTAPE_DEFINE_PARTS(LSTMCell, weight_ih, weight_hh, bias_ih, bias_hh)
XTAPE_DEFINE_PARTS(GRUCell, weight_ih, weight_hh, bias_ih, bias_hh)

RNNCell::RNNCell(std::int64_t input_size, std::int64_t hidden_size, const RNNCellOptions& options)
    : nonlinearity_(options.nonlinearity) {
  take(*this, {"RNNCell", 1, input_size, hidden_size, {options.bias, options.dtype}});
}

Tensor RNNCell::forward(const Tensor& x, const Tensor& h) {
  const auto cell = nonlinearity_ == RnnNonlinearity::tanh ? rnn_tanh_cell : rnn_relu_cell;
  return cell(x, h, weights_of(*this));
}

LSTMCell::LSTMCell(std::int64_t input_size, std::int64_t hidden_size,
                   const LSTMCellOptions& options) {
  take(*this, {"LSTMCell", 4, input_size, hidden_size, options});
}

LSTMState LSTMCell::operator()(const Tensor& x, const LSTMState& state) {
  detail::CallScope scope(*this);
  return scope.result(forward(x, state));
}

LSTMState LSTMCell::forward(const Tensor& x, const LSTMState& state) {
  LstmCellOutput o = lstm_cell(x, state.h, state.c, weights_of(*this));
  return {o.h, o.c};
}

GRUCell::GRUCell(std::int64_t input_size, std::int64_t hidden_size, const GRUCellOptions& options) {
  take(*this, {"GRUCell", 3, input_size, hidden_size, options});
}

Tensor GRUCell::forward(const Tensor& x, const Tensor& h) {
  return gru_cell(x, h, weights_of(*this));
}

void init::forget_bias_(LSTMCell& cell, double value) {
  if (!cell.bias_ih.defined()) throw ValueError("forget_bias_: the LSTMCell has no bias");
  const NoGrad guard;
  const std::int64_t hidden = cell.weight_hh.size(1);
  constant_(narrow(cell.bias_ih, 0, hidden, hidden), value);
  constant_(narrow(cell.bias_hh, 0, hidden, hidden), 0);
}

}  // namespace xtape::nn
