// SPDX-License-Identifier: BSD-3-Clause
#include "recurrent.hpp"

#include <string>

#include "../error.hpp"
#include "../kernels/recurrent.hpp"
#include "../tape.hpp"
#include "arithmetic.hpp"
#include "creation.hpp"
#include "indexing.hpp"
#include "layout.hpp"
#include "matmul.hpp"
#include "precision.hpp"
#include "recurrent_composed.hpp"
#include "reductions.hpp"
#include "shape.hpp"

namespace xtape {
namespace {

using detail::data_or_null;
using detail::RecurrentTensors;
using kernels::Recurrence;
using kernels::RecurrentLayer;

void check_shape(const char* operation, const char* what, const Tensor& x, const Shape& expected) {
  if (x.shape() == expected) return;
  throw ShapeError(std::string(operation) + ": expected " + what + " of shape " +
                   to_string(expected) + ", got " + to_string(x.sizes()));
}

void check_dtypes(const char* operation, const Tensor& x, TensorList others) {
  if (!is_floating(x.dtype())) {
    throw DTypeError(std::string(operation) + ": expected a floating dtype, got " +
                     x.description());
  }
  for (const TensorRef& other : others) {
    if (!other.tensor->defined() || other.tensor->dtype() == x.dtype()) continue;
    throw DTypeError(std::string(operation) + ": expected one dtype, got " + x.description() +
                     " and " + other.tensor->description());
  }
}

void check_weights(const char* operation, const Tensor& x, int gates, const RecurrentWeights& w) {
  detail::check_defined(operation, w.weight_ih);
  detail::check_defined(operation, w.weight_hh);
  const bool square = w.weight_hh.dim() == 2 && w.weight_hh.sizes()[1] > 0 &&
                      w.weight_hh.sizes()[0] == gates * w.weight_hh.sizes()[1];
  if (!square) {
    throw ShapeError(std::string(operation) + ": expected weight_hh [" + std::to_string(gates) +
                     " hidden, hidden], got " + to_string(w.weight_hh.sizes()));
  }
  const std::int64_t rows = w.weight_hh.sizes()[0];
  check_shape(operation, "weight_ih", w.weight_ih, {rows, x.sizes()[2]});
  if (w.bias_ih.defined()) check_shape(operation, "bias_ih", w.bias_ih, {rows});
  if (w.bias_hh.defined()) check_shape(operation, "bias_hh", w.bias_hh, {rows});
}

void check_lengths(const char* operation, const Tensor& lengths, std::int64_t steps,
                   std::int64_t rows) {
  if (lengths.dtype() != int64) {
    throw DTypeError(std::string(operation) + ": expected int64 lengths, got " +
                     lengths.description());
  }
  check_shape(operation, "lengths", lengths, {rows});
  const std::int64_t* length = lengths.data<std::int64_t>();
  for (std::int64_t r = 0; r < rows; ++r) {
    if (length[r] >= 1 && length[r] <= steps) continue;
    throw ValueError(std::string(operation) + ": expected lengths in [1, " + std::to_string(steps) +
                     "], got " + std::to_string(length[r]));
  }
}

void check(const char* operation, int gates, const Tensor& x, const Tensor& h0, const Tensor& c0,
           const RecurrentWeights& w) {
  detail::check_defined(operation, x);
  if (x.dim() != 3 || x.sizes()[0] == 0) {
    throw ShapeError(std::string(operation) + ": expected x [steps, batch, in], got " +
                     to_string(x.sizes()));
  }
  check_weights(operation, x, gates, w);
  check_dtypes(operation, x, {h0, c0, w.weight_ih, w.weight_hh, w.bias_ih, w.bias_hh});
  const Shape state{x.sizes()[1], w.weight_hh.sizes()[1]};
  if (h0.defined()) check_shape(operation, "h0", h0, state);
  if (c0.defined()) check_shape(operation, "c0", c0, state);
}

Tensor dense(const Tensor& x) { return x.defined() ? x.contiguous() : x; }

RecurrentLayer layer_of(Recurrence kind, bool reverse, const Tensor& states,
                        const Tensor& lengths) {
  return {kind,
          reverse,
          states.sizes()[0],
          states.sizes()[1],
          states.sizes()[2],
          lengths.defined() ? lengths.data<std::int64_t>() : nullptr,
          states.dtype(),
          detail::precision_of(states.dtype())};
}

// x [steps, batch, n] as rows.
Tensor as_rows(const Tensor& x) { return x.reshape({x.sizes()[0] * x.sizes()[1], x.sizes()[2]}); }

// state_gates^T @ the states before: all steps but the first in one product, then the first.
Tensor state_weight_gradient(const RecurrentLayer& layer, const Tensor& state_gates,
                             const Tensor& states, const Tensor& h0) {
  const Tensor g = as_rows(state_gates), h = as_rows(states);
  const std::int64_t rows = layer.rows, rest = (layer.steps - 1) * rows;
  const std::int64_t first = layer.reverse ? rest : 0, others = layer.reverse ? 0 : rows;
  if (rest == 0 && !h0.defined()) return zeros({layer.gates(), layer.hidden}, layer.dtype);
  const Tensor g0 = narrow(g, 0, first, rows);
  if (rest == 0) return matmul(g0.t(), h0);
  const Tensor sum =
      matmul(narrow(g, 0, others, rest).t(), narrow(h, 0, layer.reverse ? rows : 0, rest));
  return h0.defined() ? addmm(sum, g0.t(), h0) : sum;
}

void fused_gradient(Backward& t, Recurrence kind, bool reverse) {
  const RecurrentTensors s(t);
  const RecurrentLayer layer = layer_of(kind, reverse, s.states, s.lengths);
  const Tensor g = dense(t.g(0));
  const auto last = [&](int k) {
    const bool given = k < (kind == Recurrence::lstm ? 3 : 2) && t.g(k).defined();
    return given ? detail::copy_contiguous(t.g(k)) : zeros({layer.rows, layer.hidden}, layer.dtype);
  };
  Tensor dh = last(1), dc = kind == Recurrence::lstm ? last(2) : Tensor();
  const Tensor input_gates = empty(s.gates.shape(), layer.dtype);
  const Tensor state_gates =
      kind == Recurrence::gru ? empty(s.gates.shape(), layer.dtype) : input_gates;
  kernels::recurrent_backward(
      layer,
      {data_or_null(s.weight_hh), data_or_null(s.gates), data_or_null(s.cells),
       data_or_null(s.states), data_or_null(s.h0), data_or_null(s.c0), data_or_null(g),
       data_or_null(dh), data_or_null(dc), data_or_null(input_gates), data_or_null(state_gates)});
  if (t.needs(0)) t.add(0, matmul(input_gates, s.weight_ih));
  if (t.needs(1)) t.add(1, std::move(dh));
  if (t.needs(2)) t.add(2, std::move(dc));
  if (t.needs(3)) t.add(3, matmul(as_rows(input_gates).t(), as_rows(s.x)));
  if (t.needs(4)) t.add(4, state_weight_gradient(layer, state_gates, s.states, s.h0));
  Tensor bias;
  if (t.needs(5)) t.add(5, bias = sum(input_gates, {0, 1}));
  if (t.needs(6)) {
    const bool same = bias.defined() && kind != Recurrence::gru;
    t.add(6, same ? bias : sum(state_gates, {0, 1}));
  }
}

LstmOutput run(detail::OperationName name, Recurrence kind, const Tensor& input,
               const Tensor& h_first, const Tensor& c_first, const RecurrentWeights& given,
               const RecurrentOptions& options) {
  check(name.text, kernels::gate_count(kind), input, h_first, c_first, given);
  const Tensor x = dense(input), h0 = dense(h_first), c0 = dense(c_first);
  const RecurrentWeights w{dense(given.weight_ih), dense(given.weight_hh), dense(given.bias_ih),
                           dense(given.bias_hh)};
  const Tensor lengths = dense(options.lengths);
  const std::int64_t steps = x.sizes()[0], rows = x.sizes()[1], hidden = w.weight_hh.sizes()[1];
  if (lengths.defined()) check_lengths(name.text, lengths, steps, rows);
  const bool is_lstm = kind == Recurrence::lstm;
  Tensor gates;
  {
    const NoGrad guard;
    gates = linear(x, w.weight_ih);
  }
  const Shape shape{steps, rows, hidden};
  Tensor y = empty(shape, x.dtype());
  const Tensor states = lengths.defined() ? empty(shape, x.dtype()) : y;
  const Tensor cells = is_lstm || kind == Recurrence::gru ? empty(shape, x.dtype()) : Tensor();
  const RecurrentLayer layer = layer_of(kind, options.reverse, states, lengths);
  kernels::recurrent_forward(
      layer, {data_or_null(w.weight_hh), data_or_null(w.bias_ih), data_or_null(w.bias_hh),
              data_or_null(h0), data_or_null(c0), data_or_null(gates), data_or_null(cells),
              data_or_null(states), data_or_null(y)});
  const std::int64_t last = options.reverse ? 0 : steps - 1;
  const auto at_last = [&](const Tensor& all) {
    return detail::copy_contiguous(select(all.detach(), 0, last));
  };
  Tensor h = at_last(states), c = is_lstm ? at_last(cells) : Tensor();
  const TensorRef inputs[] = {x, h0, c0, w.weight_ih, w.weight_hh, w.bias_ih, w.bias_hh};
  const auto saved = saves(x, h0, c0, w.weight_ih, w.weight_hh, w.bias_ih, w.bias_hh, gates, cells,
                           states, lengths);
  const auto closure = [kind, reverse = options.reverse](Backward& t) {
    if (t.create_graph()) return detail::composed_recurrent_gradient(t, kind, reverse);
    fused_gradient(t, kind, reverse);
  };
  if (is_lstm) {
    detail::record_named(name.text, outputs(y, h, c), inputs, saved, closure);
  } else {
    detail::record_named(name.text, outputs(y, h), inputs, saved, closure);
  }
  return {y, h, c};
}

// One step of [batch, n] or [n] is a sequence of length one.
Tensor as_sequence(const Tensor& x) {
  if (!x.defined()) return x;
  return x.dim() == 1 ? unsqueeze(unsqueeze(x, 0), 0) : unsqueeze(x, 0);
}

Tensor as_batch(const Tensor& x, bool is_row) {
  return is_row && x.defined() && x.dim() == 1 ? unsqueeze(x, 0) : x;
}

LstmCellOutput run_cell(detail::OperationName name, Recurrence kind, const Tensor& x,
                        const Tensor& h, const Tensor& c, const RecurrentWeights& w) {
  detail::check_defined(name.text, x);
  if (x.dim() != 1 && x.dim() != 2) {
    throw ShapeError(std::string(name.text) + ": expected x [batch, in] or [in], got " +
                     to_string(x.sizes()));
  }
  const bool row = x.dim() == 1;
  LstmOutput y = run(name, kind, as_sequence(x), as_batch(h, row), as_batch(c, row), w, {});
  if (!row) return {y.h, y.c};
  return {squeeze(y.h, 0), y.c.defined() ? squeeze(y.c, 0) : y.c};
}

}  // namespace

RecurrentOutput rnn_tanh(const Tensor& x, const Tensor& h0, const RecurrentWeights& w,
                         const RecurrentOptions& options) {
  LstmOutput o = run("rnn_tanh", Recurrence::rnn_tanh, x, h0, {}, w, options);
  return {o.y, o.h};
}
RecurrentOutput rnn_relu(const Tensor& x, const Tensor& h0, const RecurrentWeights& w,
                         const RecurrentOptions& options) {
  LstmOutput o = run("rnn_relu", Recurrence::rnn_relu, x, h0, {}, w, options);
  return {o.y, o.h};
}
LstmOutput lstm(const Tensor& x, const Tensor& h0, const Tensor& c0, const RecurrentWeights& w,
                const RecurrentOptions& options) {
  return run("lstm", Recurrence::lstm, x, h0, c0, w, options);
}
RecurrentOutput gru(const Tensor& x, const Tensor& h0, const RecurrentWeights& w,
                    const RecurrentOptions& options) {
  LstmOutput o = run("gru", Recurrence::gru, x, h0, {}, w, options);
  return {o.y, o.h};
}

Tensor rnn_tanh_cell(const Tensor& x, const Tensor& h, const RecurrentWeights& w) {
  return run_cell("rnn_tanh_cell", Recurrence::rnn_tanh, x, h, {}, w).h;
}
Tensor rnn_relu_cell(const Tensor& x, const Tensor& h, const RecurrentWeights& w) {
  return run_cell("rnn_relu_cell", Recurrence::rnn_relu, x, h, {}, w).h;
}
LstmCellOutput lstm_cell(const Tensor& x, const Tensor& h, const Tensor& c,
                         const RecurrentWeights& w) {
  return run_cell("lstm_cell", Recurrence::lstm, x, h, c, w);
}
Tensor gru_cell(const Tensor& x, const Tensor& h, const RecurrentWeights& w) {
  return run_cell("gru_cell", Recurrence::gru, x, h, {}, w).h;
}

}  // namespace xtape
