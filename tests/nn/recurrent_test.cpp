// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/indexing.hpp>
#include <xtape/autograd/ops/joining.hpp>
#include <xtape/autograd/ops/matmul.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/sweep.hpp>
#include <xtape/nn/clip.hpp>
#include <xtape/nn/recurrent.hpp>
#include <xtape/nn/recurrent_cells.hpp>

#include <algorithm>

#include "modules.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using namespace nn_test;

const std::string kFile = "recurrent.safetensors";

Tensors parts(const nn::RNNResult& r) { return {r.output, r.state}; }
Tensors parts(const nn::LSTMResult& r) { return {r.output, r.state.h, r.state.c}; }

Tensor lengths_in(const Tensors& x) {
  for (const Tensor& t : x) {
    if (t.dtype() == int64) return t;
  }
  return {};
}

// inputs: x, lengths where there are any, states
const auto run_lstm = [](nn::LSTM& m, const Tensors& x) {
  const std::size_t n = x.size();
  const bool given = n >= 3;
  return parts(m(x[0], given ? nn::LSTMState{x[n - 2], x[n - 1]} : nn::LSTMState{}, lengths_in(x)));
};
const auto run_other = [](auto& m, const Tensors& x) {
  return parts(m(x[0], x.size() > 1 ? x.back() : Tensor(), lengths_in(x)));
};

template <class M, class Run>
void check_family(const std::string& name, Run run) {
  check_reference(kFile, name, M(4, 6), run);
  check_reference(kFile, name + "_deep", M(4, 6, {.num_layers = 2, .bidirectional = true}), run);
  check_reference(kFile, name + "_batch_first", M(4, 6, {.bias = false, .batch_first = true}), run);
  check_reference(kFile, name + "_ragged", M(4, 6, {.num_layers = 2, .bidirectional = true}), run);
}

double largest(const Tensor& x) {
  double found = 0;
  for (const double v : values(x)) found = std::max(found, std::abs(v));
  return found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_recurrent)

BOOST_AUTO_TEST_CASE(rnn_is_pytorchs) {
  check_family<nn::RNN>("rnn", run_other);
  check_reference(kFile, "rnn_relu", nn::RNN(4, 6, {.nonlinearity = nn::RnnNonlinearity::relu}),
                  run_other);
}
BOOST_AUTO_TEST_CASE(lstm_is_pytorchs) {
  check_family<nn::LSTM>("lstm", run_lstm);
  check_reference(kFile, "lstm_unbatched", nn::LSTM(4, 6), run_lstm);
}
BOOST_AUTO_TEST_CASE(gru_is_pytorchs) { check_family<nn::GRU>("gru", run_other); }

BOOST_AUTO_TEST_CASE(cells_are_pytorchs) {
  check_reference(kFile, "rnn_cell", nn::RNNCell(4, 6),
                  [](nn::RNNCell& m, const Tensors& x) { return Tensors{m(x[0], x[1])}; });
  check_reference(kFile, "gru_cell", nn::GRUCell(4, 6),
                  [](nn::GRUCell& m, const Tensors& x) { return Tensors{m(x[0], x[1])}; });
  check_reference(kFile, "lstm_cell", nn::LSTMCell(4, 6), [](nn::LSTMCell& m, const Tensors& x) {
    const auto [h, c] = m(x[0], {x[1], x[2]});
    return Tensors{h, c};
  });
}

BOOST_AUTO_TEST_CASE(names_are_pytorchs) {
  const nn::LSTM lstm(3, 5, {.num_layers = 2, .bidirectional = true});
  check_names(lstm.named_parameters(),
              {"weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0", "weight_ih_l0_reverse",
               "weight_hh_l0_reverse", "bias_ih_l0_reverse", "bias_hh_l0_reverse", "weight_ih_l1",
               "weight_hh_l1", "bias_ih_l1", "bias_hh_l1", "weight_ih_l1_reverse",
               "weight_hh_l1_reverse", "bias_ih_l1_reverse", "bias_hh_l1_reverse"});
  check_names(nn::GRU(3, 5, {.bias = false}).named_parameters(), {"weight_ih_l0", "weight_hh_l0"});
  check_names(nn::LSTMCell(3, 5).named_parameters(),
              {"weight_ih", "weight_hh", "bias_ih", "bias_hh"});
}

BOOST_AUTO_TEST_CASE(starts_as_pytorch_does) {
  manual_seed(3);
  nn::LSTM lstm(10, 25);
  for (const Tensor& p : lstm.parameters()) {
    BOOST_TEST(largest(p) <= 0.2);
    BOOST_TEST(largest(p) > 0.18);
  }
  BOOST_TEST((lstm.weight_ih().shape() == Shape{100, 10}));
  BOOST_TEST(largest(nn::GRUCell(10, 25).weight_hh) <= 0.2);
}

BOOST_AUTO_TEST_CASE(a_copy_has_values_of_its_own) {
  nn::GRU gru(2, 3);
  nn::GRU copy = gru;
  check_values(copy.weight_hh(), values(gru.weight_hh()));
  copy.weight_hh().set_data(zeros({9, 3}));
  BOOST_TEST(largest(gru.weight_hh()) > 0);
}

// A loop by hand, and the sequence in two parts, are the layer over the whole sequence.
BOOST_AUTO_TEST_CASE(cells_and_parts_make_the_sequence) {
  manual_seed(5);
  nn::LSTM lstm(4, 7, {.dtype = float64});
  nn::LSTMCell cell(4, 7, {.dtype = float64});
  cell.weight_ih = lstm.weight_ih();
  cell.weight_hh = lstm.weight_hh();
  cell.bias_ih = lstm.bias_ih();
  cell.bias_hh = lstm.bias_hh();
  const Tensor x = randn({6, 3, 4}, float64);
  const auto [y, last] = lstm(x);
  nn::LSTMState state;
  std::vector<Tensor> steps;
  for (const Tensor& step : unbind(x)) {
    state = cell(step, state);
    steps.push_back(state.h);
  }
  check_values(stack(steps), values(y), 1e-13);
  check_values(state.c, values(last.c), 1e-13);
  const auto [first, between] = lstm(narrow(x, 0, 0, 2));
  const auto [second, after] = lstm(narrow(x, 0, 2, 4), between);
  check_values(cat({first, second}), values(y), 1e-13);
  check_values(after.h, values(last.h), 1e-13);
  y.sum().backward();
  stack(steps).sum().backward();
  check_values(cell.weight_hh.grad(), values(lstm.weight_hh().grad()), 1e-12);
  check_values(cell.bias_ih.grad(), values(lstm.bias_ih().grad()), 1e-12);
}

BOOST_AUTO_TEST_CASE(dropout_acts_between_layers_while_training) {
  manual_seed(1);
  nn::LSTM lstm(3, 4, {.num_layers = 2, .dropout = 0.5});
  const Tensor x = randn({5, 2, 3});
  BOOST_TEST((values(lstm(x).output) != values(lstm(x).output)));
  lstm.eval();
  check_values(lstm(x).output, values(lstm(x).output));
  nn::LSTM one(3, 4, {.dropout = 0.5});
  check_values(one(x).output, values(one(x).output));
}

BOOST_AUTO_TEST_CASE(truncation_cuts_the_history) {
  manual_seed(1);
  nn::GRU gru(2, 3, {.dtype = float64});
  Tensor x = randn({7, 2, 2}, float64).requires_grad_();
  std::vector<std::int64_t> counts;
  const Tensor last = nn::truncated_bptt(
      7, 3, Tensor(), [&](std::int64_t begin, std::int64_t count, const Tensor& before) {
        counts.push_back(count);
        BOOST_TEST(!before.requires_grad());
        auto [y, after] = gru(narrow(x, 0, begin, count), before);
        x.zero_grad();
        y.sum().backward();
        const std::vector<double> g = values(x.grad());
        for (std::int64_t i = 0; i < 28; ++i) {
          const bool inside = i / 4 >= begin && i / 4 < begin + count;
          BOOST_TEST((g[static_cast<std::size_t>(i)] != 0) == inside);
        }
        return after;
      });
  BOOST_TEST((counts == std::vector<std::int64_t>{3, 3, 1}));
  BOOST_TEST(!last.requires_grad());
  check_values(last, values(gru(x).state), 1e-13);
  const nn::LSTMState state{ones({1}).requires_grad_(), Tensor()};
  BOOST_TEST(!nn::detach_state(state).h.requires_grad());
  BOOST_CHECK_THROW(nn::truncated_bptt(3, 0, Tensor(), [](auto, auto, Tensor s) { return s; }),
                    ValueError);
}

BOOST_AUTO_TEST_CASE(orthogonal_gates_and_forget_bias) {
  manual_seed(2);
  nn::LSTM lstm(3, 6, {.num_layers = 2, .dtype = float64});
  nn::init::orthogonal_gates_(lstm, 2);
  const Tensor w = narrow(lstm.weight_hh(1).detach(), 0, 12, 6);
  check_values(matmul(w, w.t()), values(eye(6, 6, float64) * 4), 1e-12);
  nn::init::forget_bias_(lstm);
  const std::vector<double> b = values(lstm.bias_ih(1) + lstm.bias_hh(1));
  for (std::size_t i = 0; i < b.size(); ++i) BOOST_TEST((b[i] == 1) == (i >= 6 && i < 12));
  nn::LSTMCell cell(3, 2);
  nn::init::forget_bias_(cell, 0.5);
  check_values(narrow((cell.bias_ih + cell.bias_hh).detach(), 0, 2, 2), {0.5, 0.5});
  nn::LSTM plain(3, 6, {.bias = false});
  BOOST_CHECK_THROW(nn::init::forget_bias_(plain), ValueError);
  BOOST_CHECK_THROW(nn::init::orthogonal_gates_(zeros({5, 2})), ShapeError);
}

BOOST_AUTO_TEST_CASE(recurrent_errors) {
  nn::LSTM lstm(3, 5);
  BOOST_CHECK_EXCEPTION(lstm(zeros({4, 2, 7})), ShapeError,
                        says("LSTM: expected 3 input features in 2 or 3 dimensions, got input of "
                             "shape [4, 2, 7]"));
  BOOST_CHECK_EXCEPTION(lstm(zeros({4, 2, 3}), {zeros({1, 3, 5}), Tensor()}), ShapeError,
                        says("expected a state h of shape [1, 2, 5], got [1, 3, 5]"));
  BOOST_CHECK_EXCEPTION(lstm(zeros({4, 2, 3}), {}, tensor({5, 1}, int64)), ValueError,
                        says("lstm: expected lengths in [1, 4], got 5"));
  BOOST_CHECK_THROW(lstm(zeros({4, 2, 3}, float64)), DTypeError);
  BOOST_CHECK_EXCEPTION(nn::GRU(0, 5), ValueError, says("GRU: expected at least 1"));
  BOOST_CHECK_THROW(nn::RNN(3, 5, {.dropout = 2}), ValueError);
  BOOST_CHECK_THROW(nn::LSTMCell(3, 0), ValueError);
  BOOST_CHECK_EXCEPTION(lstm.weight_ih(1), IndexError, says("LSTM: there is no layer 1"));
  BOOST_CHECK_THROW(lstm.weight_ih(0, true), IndexError);
}

BOOST_AUTO_TEST_SUITE_END()
