// SPDX-License-Identifier: BSD-3-Clause
#include <boost/test/unit_test.hpp>
#include <vector>
#include <xtape/autograd/ops/activations.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/indexing.hpp>
#include <xtape/autograd/ops/joining.hpp>
#include <xtape/autograd/ops/math.hpp>
#include <xtape/autograd/ops/matmul.hpp>
#include <xtape/autograd/ops/recurrent.hpp>
#include <xtape/autograd/ops/shape.hpp>

#include "../expect.hpp"
#include "../rows.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

enum class Layer { rnn_tanh, rnn_relu, lstm, gru };

// The layers in recorded operations, step by step: x, the states, the weights, lengths.
struct Composed {
  Layer kind;
  bool reverse = false;

  Tensors operator()(const Tensor& x, Tensor h, Tensor c, const RecurrentWeights& w,
                     const Tensor& lengths = {}) const {
    const std::int64_t steps = x.size(0);
    Tensors ys(static_cast<std::size_t>(steps));
    for (std::int64_t k = 0; k < steps; ++k) {
      const std::int64_t t = reverse ? steps - 1 - k : k;
      const auto [next_h, next_c] = step(x[t], h, c, w);
      ys[static_cast<std::size_t>(t)] = next_h;
      if (lengths.defined()) {
        const Tensor active = unsqueeze(gt(lengths, t), 1);
        ys[static_cast<std::size_t>(t)] = where(active, next_h, zeros({}, x.dtype()));
        h = where(active, next_h, h);
        if (c.defined()) c = where(active, next_c, c);
      } else {
        h = next_h;
        c = next_c;
      }
    }
    Tensors results{stack(ys), h};
    if (kind == Layer::lstm) results.push_back(c);
    return results;
  }

 private:
  std::pair<Tensor, Tensor> step(const Tensor& x, const Tensor& h, const Tensor& c,
                                 const RecurrentWeights& w) const {
    const Tensor a = linear(x, w.weight_ih, w.bias_ih), b = linear(h, w.weight_hh, w.bias_hh);
    if (kind == Layer::rnn_tanh) return {tanh(a + b), {}};
    if (kind == Layer::rnn_relu) return {relu(a + b), {}};
    if (kind == Layer::lstm) {
      const auto gates = chunk(a + b, 4, 1);
      const Tensor next = sigmoid(gates[1]) * c + sigmoid(gates[0]) * tanh(gates[2]);
      return {sigmoid(gates[3]) * tanh(next), next};
    }
    const auto i = chunk(a, 3, 1), s = chunk(b, 3, 1);
    const Tensor z = sigmoid(i[1] + s[1]), n = tanh(i[2] + sigmoid(i[0] + s[0]) * s[2]);
    return {(1 - z) * n + z * h, {}};
  }
};

template <RecurrentOutput layer(const Tensor&, const Tensor&, const RecurrentWeights&,
                                const RecurrentOptions&)>
Tensors run(const Tensor& x, const Tensor& h, const Tensor& a, const Tensor& b, const Tensor& p,
            const Tensor& q) {
  const RecurrentOutput o = layer(x, h, {a, b, p, q}, {});
  return {o.y, o.h};
}

template <Layer kind>
Tensors composed(const Tensor& x, const Tensor& h, const Tensor& a, const Tensor& b,
                 const Tensor& p, const Tensor& q) {
  return Composed{kind}(x, h, {}, {a, b, p, q});
}

Sample sample(std::int64_t steps, std::int64_t batch, std::int64_t in, std::int64_t gates,
              std::int64_t hidden) {
  const std::int64_t rows = gates * hidden;
  return {real({steps, batch, in}),        real({batch, hidden}), real({rows, in}, -1, 1),
          real({rows, hidden}, -0.5, 0.5), real({rows}),          real({rows})};
}

Tensors parts(const LstmOutput& o) { return {o.y, o.h, o.c}; }

const Rows rows({
    {.name = "rnn_tanh",
     .f = run<rnn_tanh>,
     .reference = composed<Layer::rnn_tanh>,
     .inputs = {sample(3, 2, 3, 1, 4), sample(1, 9, 2, 1, 5)},
     .tolerance32 = 1e-5,
     .without = {Check::undefined}},
    {.name = "rnn_relu",
     .f = run<rnn_relu>,
     .reference = composed<Layer::rnn_relu>,
     .inputs = {sample(3, 2, 3, 1, 4), sample(1, 9, 2, 1, 5)},
     .tolerance32 = 1e-5,
     .without = {Check::undefined}},
    {.name = "gru",
     .f = run<gru>,
     .reference = composed<Layer::gru>,
     .inputs = {sample(3, 2, 3, 3, 4), sample(1, 9, 2, 3, 5)},
     .tolerance32 = 1e-5,
     .without = {Check::undefined}},
    {.name = "lstm",
     .f =
         [](const Tensor& x, const Tensor& h, const Tensor& c, const Tensor& a, const Tensor& b,
            const Tensor& p, const Tensor& q) {
           return parts(lstm(x, h, c, {a, b, p, q}));
         },
     .reference =
         [](const Tensor& x, const Tensor& h, const Tensor& c, const Tensor& a, const Tensor& b,
            const Tensor& p, const Tensor& q) {
           return Composed{Layer::lstm}(x, h, c, {a, b, p, q});
         },
     .inputs = {{real({3, 2, 3}), real({2, 4}), real({2, 4}), real({16, 3}, -1, 1),
                 real({16, 4}, -1, 1), real({16}), real({16})},
                {real({2, 5, 2}), real({5, 17}), real({5, 17}), real({68, 2}, -1, 1),
                 real({68, 17}, -0.3, 0.3), real({68}), real({68})}},
     .tolerance32 = 1e-5,
     .errors =
         {throws<ShapeError>(
              [] {
                return lstm(zeros({3, 2}), {}, {}, {}).y;
              },
              "lstm: expected x [steps, batch, in], got [3, 2]"),
          throws<ShapeError>(
              [] {
                return lstm(zeros({3, 2, 4}), {}, {}, {zeros({8, 4}), zeros({8, 3})}).y;
              },
              "expected weight_hh [4 hidden, hidden], got [8, 3]"),
          throws<ShapeError>(
              [] {
                return lstm(zeros({3, 2, 4}), {}, {}, {zeros({8, 5}), zeros({8, 2})}).y;
              },
              "lstm: expected weight_ih of shape [8, 4], got [8, 5]"),
          throws<DTypeError>(
              [] {
                return lstm(zeros({3, 2, 4}, float64), {}, {}, {zeros({8, 4}), zeros({8, 2})}).y;
              },
              "one dtype"),
          throws<ValueError>(
              [] {
                return lstm(zeros({3, 1, 4}), {}, {}, {zeros({8, 4}), zeros({8, 2})},
                            {.lengths = tensor({4}, int64)})
                    .y;
              },
              "lengths in [1, 3], got 4")},
     .without = {Check::undefined}},
    {.name = "lstm_reverse_ragged",
     .f =
         [](const Tensor& x, const Tensor& h, const Tensor& c, const Tensor& a, const Tensor& b,
            const Tensor& n) {
           return parts(lstm(x, h, c, {a, b}, {.lengths = n, .reverse = true}));
         },
     .reference =
         [](const Tensor& x, const Tensor& h, const Tensor& c, const Tensor& a, const Tensor& b,
            const Tensor& n) {
           return Composed{Layer::lstm, true}(x, h, c, {a, b}, n);
         },
     .inputs = {{real({3, 3, 2}), real({3, 4}), real({3, 4}), real({16, 2}, -1, 1),
                 real({16, 4}, -1, 1), given({3}, {2, 3, 1}, int64)}},
     .tolerance32 = 1e-5,
     .without = {Check::undefined}},
    {.name = "gru_ragged",
     .f =
         [](const Tensor& x, const Tensor& h, const Tensor& a, const Tensor& b, const Tensor& n) {
           const RecurrentOutput o = gru(x, h, {a, b}, {.lengths = n});
           return Tensors{o.y, o.h};
         },
     .reference =
         [](const Tensor& x, const Tensor& h, const Tensor& a, const Tensor& b, const Tensor& n) {
           return Composed{Layer::gru}(x, h, {}, {a, b}, n);
         },
     .inputs = {{real({3, 3, 2}), real({3, 4}), real({12, 2}, -1, 1), real({12, 4}, -1, 1),
                 given({3}, {2, 3, 1}, int64)}},
     .tolerance32 = 1e-5,
     .without = {Check::undefined}},
    {.name = "lstm_cell",
     .f =
         [](const Tensor& x, const Tensor& h, const Tensor& c, const Tensor& a, const Tensor& b) {
           const LstmCellOutput o = lstm_cell(x, h, c, {a, b});
           return Tensors{o.h, o.c};
         },
     .reference =
         [](const Tensor& x, const Tensor& h, const Tensor& c, const Tensor& a, const Tensor& b) {
           const Tensors o = Composed{Layer::lstm}(unsqueeze(x, 0), h, c, {a, b});
           return Tensors{o[1], o[2]};
         },
     .inputs = {{real({2, 3}), real({2, 4}), real({2, 4}), real({16, 3}, -1, 1),
                 real({16, 4}, -1, 1)}},
     .tolerance32 = 1e-5,
     .errors = {throws<ShapeError>(
         [] {
           return lstm_cell(zeros({1, 2, 3}), {}, {}, {}).h;
         },
         "lstm_cell: expected x [batch, in] or [in], got [1, 2, 3]")},
     .without = {Check::undefined}},
    {.name = "gru_cell",
     .f =
         [](const Tensor& x, const Tensor& h, const Tensor& a, const Tensor& b) {
           return gru_cell(x, h, {a, b});
         },
     .reference =
         [](const Tensor& x, const Tensor& h, const Tensor& a, const Tensor& b) {
           return Composed{Layer::gru}(unsqueeze(x, 0), h, {}, {a, b})[1];
         },
     .inputs = {{real({2, 3}), real({2, 4}), real({12, 3}, -1, 1), real({12, 4}, -1, 1)}},
     .tolerance32 = 1e-5,
     .without = {Check::undefined}},
    {.name = "rnn_tanh_cell",
     .f =
         [](const Tensor& x, const Tensor& h, const Tensor& a, const Tensor& b) {
           return rnn_tanh_cell(x, h, {a, b});
         },
     .reference =
         [](const Tensor& x, const Tensor& h, const Tensor& a, const Tensor& b) {
           return Composed{Layer::rnn_tanh}(unsqueeze(x, 0), h, {}, {a, b})[1];
         },
     .inputs = {{real({2, 3}), real({2, 4}), real({4, 3}, -1, 1), real({4, 4}, -1, 1)}},
     .tolerance32 = 1e-5,
     .covers = {"rnn_relu_cell"},
     .without = {Check::undefined}},
});

BOOST_AUTO_TEST_SUITE(recurrent)

Tensor drawn(const Shape& shape, double phase, DType dtype) {
  std::vector<double> v(static_cast<std::size_t>(shape.numel()));
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = std::sin(phase + 1.7 * static_cast<double>(i));
  return from_values<double>(v, shape).to(dtype).detach().requires_grad_();
}

// Fused and composed gradients, in sizes that the packed product serves.
BOOST_AUTO_TEST_CASE(both_gradients_agree) {
  for (const DType dtype : {float64, float32}) {
    for (const std::int64_t gates : {1, 3, 4}) {
      const std::int64_t hidden = 36;
      const Tensor x = drawn({5, 11, 20}, 0, dtype), h = drawn({11, hidden}, 1, dtype);
      const Tensor c = drawn({11, hidden}, 2, dtype);
      const RecurrentWeights w{
          (drawn({gates * hidden, 20}, 3, dtype) * 0.2).detach().requires_grad_(),
          (drawn({gates * hidden, hidden}, 4, dtype) * 0.2).detach().requires_grad_(),
          drawn({gates * hidden}, 5, dtype), drawn({gates * hidden}, 6, dtype)};
      for (const bool ragged : {false, true}) {
        const RecurrentOptions options{
            .lengths = ragged ? tensor({5, 1, 3, 2, 5, 4, 1, 2, 3, 4, 5}, int64) : Tensor(),
            .reverse = gates == 3};
        Tensor y;
        std::vector<Tensor> inputs{x, h, w.weight_ih, w.weight_hh, w.bias_ih, w.bias_hh};
        if (gates == 4) {
          const LstmOutput o = lstm(x, h, c, w, options);
          y = (sin(o.y)).sum() + square(o.h).sum() + (o.c * o.h).sum();
          inputs.push_back(c);
        } else {
          const RecurrentOutput o = gates == 3 ? gru(x, h, w, options) : rnn_tanh(x, h, w, options);
          y = (sin(o.y)).sum() + square(o.h).sum();
        }
        const auto fused = grad({y}, inputs, {.retain_graph = true});
        const auto composed = grad({y}, inputs, {.create_graph = true});
        for (std::size_t k = 0; k < inputs.size(); ++k) {
          const Values a = elements(fused[k]), b = elements(composed[k]);
          double scale = 0;
          for (const double v : b) scale = std::max(scale, std::abs(v));
          for (std::size_t i = 0; i < a.size(); ++i) {
            BOOST_TEST(std::abs(a[i] - b[i]) <= (dtype == float64 ? 1e-13 : 1e-5) * scale);
          }
        }
      }
    }
  }
}

// States that nobody gives are zeros, and one step alone still gives every weight a gradient.
BOOST_AUTO_TEST_CASE(undefined_states_are_zeros) {
  const RecurrentWeights w{drawn({8, 3}, 1, float64), drawn({8, 2}, 2, float64)};
  const Tensor x = drawn({1, 2, 3}, 3, float64), zero = zeros({2, 2}, float64);
  BOOST_TEST((elements(lstm(x, {}, {}, w).y) == elements(lstm(x, zero, zero, w).y)));
  lstm(x, {}, {}, w).y.sum().backward();
  BOOST_TEST((elements(w.weight_hh.grad()) == Values(16, 0.0)));
  BOOST_TEST((lstm_cell(zeros({3}, float64), {}, {}, w).h.shape() == Shape{2}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
