// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "rows.hpp"

// The cells of kernels/recurrent.cpp: one row of one step, gates and state in one pass.
namespace xtape::kernels {

/// Pointers to one row; null where a cell does not use it or a state is zero.
template <class T>
struct CellForward {
  T* gates;            // in: the input's share; of all but the GRU, the state's too
  const T* recurrent;  // the state's share where it is not in `gates` yet; null for zeros
  const T *bias_input, *bias_state;
  const T *h, *c;  // before
  T *next_h, *next_c;
};

template <class T>
struct CellBackward {
  const T *gates, *cells;
  const T *h, *c;  // before
  const T* next_h;
  const T* g;  // of this step's output, null for none
  T *dh, *dc;  // in: of the states after; out: of those before, without what the gates carry back
  T *input_gates, *state_gates;
};

template <class T>
Lane<T> load_or_zero(const Part<T>& part, const T* x, std::int64_t i) {
  return x ? part.load(x + i, T(0)) : Lane<T>(0.0);
}

template <class T>
struct RnnCell {
  bool rectified;

  void forward(const CellForward<T>& p, std::int64_t n) const {
    each_part<T>(n, [&](std::int64_t i, Part<T> part) {
      const Lane<T> a = part.load(p.gates + i, T(0)) + load_or_zero(part, p.bias_input, i) +
                        load_or_zero(part, p.bias_state, i);
      const Lane<T> zero(0.0);
      // NaN stays, as in relu.
      part.store(rectified ? where(le(a, zero), zero, a) : tanh(a), p.next_h + i);
    });
  }
  void backward(const CellBackward<T>& p, std::int64_t n) const {
    each_part<T>(n, [&](std::int64_t i, Part<T> part) {
      const Lane<T> dh = part.load(p.dh + i, T(0)) + load_or_zero(part, p.g, i);
      const Lane<T> y = part.load(p.next_h + i, T(0)), zero(0.0);
      const Lane<T> da = rectified ? where(le(y, zero), zero, dh) : dh * (1.0 - y * y);
      part.store(da, p.input_gates + i);
      part.store(zero, p.dh + i);
    });
  }
};

template <class T>
struct LstmCell {
  void forward(const CellForward<T>& p, std::int64_t n) const {
    each_part<T>(n, [&](std::int64_t j, Part<T> part) {
      const auto gate = [&](int k) {
        const std::int64_t at = k * n + j;
        return part.load(p.gates + at, T(0)) + load_or_zero(part, p.bias_input, at) +
               load_or_zero(part, p.bias_state, at);
      };
      const Lane<T> i = sigmoid(gate(0)), f = sigmoid(gate(1)), g = tanh(gate(2));
      const Lane<T> o = sigmoid(gate(3));
      const Lane<T> c = f * load_or_zero(part, p.c, j) + i * g;
      part.store(i, p.gates + j);
      part.store(f, p.gates + n + j);
      part.store(g, p.gates + 2 * n + j);
      part.store(o, p.gates + 3 * n + j);
      part.store(c, p.next_c + j);
      part.store(o * tanh(c), p.next_h + j);
    });
  }
  void backward(const CellBackward<T>& p, std::int64_t n) const {
    each_part<T>(n, [&](std::int64_t j, Part<T> part) {
      const auto gate = [&](int k) { return part.load(p.gates + k * n + j, T(0)); };
      const Lane<T> i = gate(0), f = gate(1), g = gate(2), o = gate(3);
      const Lane<T> t = tanh(part.load(p.cells + j, T(0)));
      const Lane<T> dh = part.load(p.dh + j, T(0)) + load_or_zero(part, p.g, j);
      const Lane<T> dc = part.load(p.dc + j, T(0)) + dh * o * (1.0 - t * t);
      part.store(dc * g * i * (1.0 - i), p.input_gates + j);
      part.store(dc * load_or_zero(part, p.c, j) * f * (1.0 - f), p.input_gates + n + j);
      part.store(dc * i * (1.0 - g * g), p.input_gates + 2 * n + j);
      part.store(dh * t * o * (1.0 - o), p.input_gates + 3 * n + j);
      part.store(dc * f, p.dc + j);
      part.store(Lane<T>(0.0), p.dh + j);
    });
  }
};

template <class T>
struct GruCell {
  void forward(const CellForward<T>& p, std::int64_t n) const {
    each_part<T>(n, [&](std::int64_t j, Part<T> part) {
      const auto input = [&](int k) {
        return part.load(p.gates + k * n + j, T(0)) + load_or_zero(part, p.bias_input, k * n + j);
      };
      const auto state = [&](int k) {
        return load_or_zero(part, p.recurrent, k * n + j) +
               load_or_zero(part, p.bias_state, k * n + j);
      };
      const Lane<T> r = sigmoid(input(0) + state(0)), z = sigmoid(input(1) + state(1));
      const Lane<T> share = state(2), m = tanh(input(2) + r * share);
      part.store(r, p.gates + j);
      part.store(z, p.gates + n + j);
      part.store(m, p.gates + 2 * n + j);
      part.store(share, p.next_c + j);
      part.store((1.0 - z) * m + z * load_or_zero(part, p.h, j), p.next_h + j);
    });
  }
  void backward(const CellBackward<T>& p, std::int64_t n) const {
    each_part<T>(n, [&](std::int64_t j, Part<T> part) {
      const auto gate = [&](int k) { return part.load(p.gates + k * n + j, T(0)); };
      const Lane<T> r = gate(0), z = gate(1), m = gate(2);
      const Lane<T> dh = part.load(p.dh + j, T(0)) + load_or_zero(part, p.g, j);
      const Lane<T> dm = dh * (1.0 - z) * (1.0 - m * m);
      const Lane<T> dr = dm * part.load(p.cells + j, T(0)) * r * (1.0 - r);
      const Lane<T> dz = dh * (load_or_zero(part, p.h, j) - m) * z * (1.0 - z);
      part.store(dr, p.input_gates + j);
      part.store(dz, p.input_gates + n + j);
      part.store(dm, p.input_gates + 2 * n + j);
      part.store(dr, p.state_gates + j);
      part.store(dz, p.state_gates + n + j);
      part.store(dm * r, p.state_gates + 2 * n + j);
      part.store(dh * z, p.dh + j);
    });
  }
};

}  // namespace xtape::kernels
