// SPDX-License-Identifier: BSD-3-Clause
#include "recurrent_composed.hpp"

#include <vector>

#include "activations.hpp"
#include "arithmetic.hpp"
#include "creation.hpp"
#include "indexing.hpp"
#include "joining.hpp"
#include "math.hpp"
#include "matmul.hpp"
#include "reductions.hpp"
#include "shape.hpp"

namespace xtape::detail {
namespace {

using kernels::Recurrence;

// One step forward again, recorded.
struct Step {
  Tensor h0, c0;                // before
  Tensor h, c;                  // after
  std::vector<Tensor> gates{};  // past their nonlinearities
  Tensor share{};               // the GRU's W_hn h + b_hn
  Tensor active{};              // boolean [batch, 1]; undefined where every row is
};

struct GateGradients {
  Tensor input, state, dh, dc;  // of both shares; what reaches the states past the gates
};

Tensor derivative_of_sigmoid(const Tensor& y) { return y * (1 - y); }
Tensor derivative_of_tanh(const Tensor& y) { return 1 - square(y); }

void run_gates(Recurrence kind, Step& s, const Tensor& input, const Tensor& state) {
  switch (kind) {
    case Recurrence::rnn_tanh:
    case Recurrence::rnn_relu: {
      const Tensor a = input + state;
      s.h = kind == Recurrence::rnn_tanh ? tanh(a) : relu(a);
      return;
    }
    case Recurrence::lstm: {
      const std::vector<Tensor> a = chunk(input + state, 4, 1);
      s.gates = {sigmoid(a[0]), sigmoid(a[1]), tanh(a[2]), sigmoid(a[3])};
      s.c = s.gates[1] * s.c0 + s.gates[0] * s.gates[2];
      s.h = s.gates[3] * tanh(s.c);
      return;
    }
    case Recurrence::gru: {
      const std::vector<Tensor> a = chunk(input, 3, 1), b = chunk(state, 3, 1);
      s.share = b[2];
      const Tensor r = sigmoid(a[0] + b[0]);
      s.gates = {r, sigmoid(a[1] + b[1]), tanh(a[2] + r * s.share)};
      s.h = (1 - s.gates[1]) * s.gates[2] + s.gates[1] * s.h0;
      return;
    }
  }
}

GateGradients gate_gradients(Recurrence kind, const Step& s, const Tensor& dh, const Tensor& dc) {
  switch (kind) {
    case Recurrence::lstm: {
      const Tensor &i = s.gates[0], &f = s.gates[1], &g = s.gates[2], &o = s.gates[3];
      const Tensor t = tanh(s.c), d = dc + dh * o * derivative_of_tanh(t);
      const Tensor a = cat({d * g * derivative_of_sigmoid(i), d * s.c0 * derivative_of_sigmoid(f),
                            d * i * derivative_of_tanh(g), dh * t * derivative_of_sigmoid(o)},
                           1);
      return {a, a, {}, d * f};
    }
    case Recurrence::gru: {
      const Tensor &r = s.gates[0], &z = s.gates[1], &n = s.gates[2];
      const Tensor dn = dh * (1 - z) * derivative_of_tanh(n);
      const Tensor dr = dn * s.share * derivative_of_sigmoid(r);
      const Tensor dz = dh * (s.h0 - n) * derivative_of_sigmoid(z);
      return {cat({dr, dz, dn}, 1), cat({dr, dz, dn * r}, 1), dh * z, {}};
    }
    case Recurrence::rnn_tanh: {
      const Tensor a = dh * derivative_of_tanh(s.h);
      return {a, a, {}, {}};
    }
    default: {
      const Tensor a = dh * gt(s.h, 0).to(dh.dtype());
      return {a, a, {}, {}};
    }
  }
}

// a + b where both are there.
Tensor plus(const Tensor& a, const Tensor& b) {
  return !a.defined() ? b : !b.defined() ? a : a + b;
}

Tensor where_active(const Step& s, const Tensor& a, const Tensor& b) {
  return s.active.defined() && a.defined() ? where(s.active, a, b) : a;
}

Tensor only_active(const Step& s, const Tensor& a) {
  return s.active.defined() && a.defined() ? where(s.active, a, zeros({}, a.dtype())) : a;
}

// What a resting row hands on.
Tensor only_resting(const Step& s, const Tensor& a) {
  return s.active.defined() && a.defined() ? where(s.active, zeros({}, a.dtype()), a) : Tensor();
}

class Composed {
 public:
  Composed(Backward& t, Recurrence kind, bool reverse)
      : t_(t), in_(t), kind_(kind), reverse_(reverse), count_(in_.x.sizes()[0]) {}

  void run() {
    forward();
    const bool has_c = kind_ == Recurrence::lstm;
    const Tensor zero = zeros({in_.x.sizes()[1], in_.weight_hh.sizes()[1]}, in_.x.dtype());
    Tensor dh = t_.g(1).defined() ? t_.g(1) : zero;
    Tensor dc = !has_c ? Tensor() : t_.g(2).defined() ? t_.g(2) : zero;
    std::vector<Tensor> dx(static_cast<std::size_t>(count_));
    Tensor weight_ih, weight_hh, bias_ih, bias_hh;
    for (std::int64_t k = count_ - 1; k >= 0; --k) {
      const Step& s = steps_[static_cast<std::size_t>(k)];
      const std::int64_t at = time(k);
      const Tensor g = t_.g(0).defined() ? dh + select(t_.g(0), 0, at) : dh;
      const GateGradients d = gate_gradients(kind_, s, only_active(s, g), only_active(s, dc));
      const Tensor through = plus(matmul(d.state, in_.weight_hh), d.dh);
      dh = plus(only_active(s, through), only_resting(s, dh));
      if (has_c) dc = plus(d.dc, only_resting(s, dc));
      if (t_.needs(0)) dx[static_cast<std::size_t>(at)] = matmul(d.input, in_.weight_ih);
      if (t_.needs(3)) weight_ih = plus(weight_ih, matmul(d.input.t(), select(in_.x, 0, at)));
      if (t_.needs(4)) weight_hh = plus(weight_hh, matmul(d.state.t(), s.h0));
      if (t_.needs(5)) bias_ih = plus(bias_ih, sum(d.input, {0}));
      if (t_.needs(6)) bias_hh = plus(bias_hh, sum(d.state, {0}));
    }
    if (t_.needs(0)) t_.add(0, stack(dx, 0));
    t_.add(1, dh);
    t_.add(2, dc);
    t_.add(3, weight_ih);
    t_.add(4, weight_hh);
    t_.add(5, bias_ih);
    t_.add(6, bias_hh);
  }

 private:
  std::int64_t time(std::int64_t k) const { return reverse_ ? count_ - 1 - k : k; }

  void forward() {
    const Tensor zero = zeros({in_.x.sizes()[1], in_.weight_hh.sizes()[1]}, in_.x.dtype());
    Tensor h = in_.h0.defined() ? in_.h0 : zero, c;
    if (kind_ == Recurrence::lstm) c = in_.c0.defined() ? in_.c0 : zero;
    for (std::int64_t k = 0; k < count_; ++k) {
      Step s{h, c, {}, {}};
      if (in_.lengths.defined()) s.active = unsqueeze(gt(in_.lengths, time(k)), 1);
      run_gates(kind_, s, linear(select(in_.x, 0, time(k)), in_.weight_ih, in_.bias_ih),
                linear(h, in_.weight_hh, in_.bias_hh));
      h = where_active(s, s.h, h);
      c = where_active(s, s.c, c);
      steps_.push_back(std::move(s));
    }
  }

  Backward& t_;
  RecurrentTensors in_;
  Recurrence kind_;
  bool reverse_;
  std::int64_t count_;
  std::vector<Step> steps_;
};

}  // namespace

void composed_recurrent_gradient(Backward& t, kernels::Recurrence kind, bool reverse) {
  Composed(t, kind, reverse).run();
}

}  // namespace xtape::detail
