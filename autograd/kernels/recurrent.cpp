// SPDX-License-Identifier: BSD-3-Clause
#include "recurrent.hpp"

#include <algorithm>
#include <optional>

#include "../memory.hpp"
#include "../parallel.hpp"
#include "packed_matrix.hpp"
#include "recurrent_cells.hpp"

namespace xtape::kernels {
namespace {

constexpr std::int64_t kGrain = 1 << 12;  // elements of a state; each costs some exponentials

std::int64_t rows_of_grain(const RecurrentLayer& layer) {
  return std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(layer.hidden, 1));
}

// Typed memory seen step by step; null stays null.
template <class T>
struct Steps {
  T* data;
  std::int64_t rows, width;

  T* at(std::int64_t step) const { return data ? data + step * rows * width : nullptr; }
  T* at(std::int64_t step, std::int64_t row) const {
    return data ? data + (step * rows + row) * width : nullptr;
  }
};

template <class T>
T* row_of(T* matrix, std::int64_t row, std::int64_t width) {
  return matrix ? matrix + row * width : nullptr;
}

template <class T, class Cell>
class Forward {
 public:
  Forward(const RecurrentLayer& layer, const RecurrentForward& p, const Cell& cell)
      : layer_(layer),
        cell_(cell),
        gates_{static_cast<T*>(p.gates), layer.rows, layer.gates()},
        cells_{static_cast<T*>(p.cells), layer.rows, layer.hidden},
        states_{static_cast<T*>(p.states), layer.rows, layer.hidden},
        y_{p.y == p.states ? nullptr : static_cast<T*>(p.y), layer.rows, layer.hidden},
        bias_input_(static_cast<const T*>(p.bias_input)),
        bias_state_(static_cast<const T*>(p.bias_state)),
        h_(static_cast<const T*>(p.h0)),
        c_(static_cast<const T*>(p.c0)),
        weight_(true, layer.rows, layer.gates(), layer.hidden, static_cast<const T*>(p.weight),
                layer.hidden, layer.precision) {
    if (apart()) recurrent_.emplace(static_cast<std::size_t>(layer.rows * layer.gates()));
  }

  void run() {
    for (std::int64_t k = 0; k < layer_.steps; ++k) {
      const std::int64_t step = layer_.reverse ? layer_.steps - 1 - k : k;
      if (h_) weight_.multiply(h_, T(!apart()), apart() ? recurrent_->data() : gates_.at(step));
      detail::parallel_for(layer_.rows, rows_of_grain(layer_),
                           [&](std::int64_t begin, std::int64_t end) {
                             for (std::int64_t r = begin; r < end; ++r) row(step, r);
                           });
      h_ = states_.at(step);
      if (carries_cell()) c_ = cells_.at(step);
    }
  }

 private:
  bool apart() const { return layer_.kind == Recurrence::gru; }
  bool carries_cell() const { return layer_.kind == Recurrence::lstm; }

  void row(std::int64_t step, std::int64_t r) {
    const std::int64_t n = layer_.hidden;
    const T *h = row_of(h_, r, n), *c = row_of(c_, r, n);
    T *next_h = states_.at(step, r), *next_c = cells_.at(step, r), *y = y_.at(step, r);
    if (layer_.lengths && step >= layer_.lengths[r]) {
      keep(next_h, h);
      if (next_c) keep(next_c, c);
      if (y) std::fill_n(y, n, T(0));
      return;
    }
    const T* recurrent = apart() && h_ ? recurrent_->data() + r * layer_.gates() : nullptr;
    cell_.forward({gates_.at(step, r), recurrent, bias_input_, bias_state_, h, c, next_h, next_c},
                  n);
    if (y) std::copy_n(next_h, n, y);
  }
  void keep(T* next, const T* before) const {
    if (before) {
      std::copy_n(before, layer_.hidden, next);
    } else {
      std::fill_n(next, layer_.hidden, T(0));
    }
  }

  RecurrentLayer layer_;
  Cell cell_;
  Steps<T> gates_, cells_, states_, y_;
  const T *bias_input_, *bias_state_, *h_, *c_;
  PackedMatrix<T> weight_;
  std::optional<detail::Scratch<T>> recurrent_;
};

template <class T, class Cell>
class Backward {
 public:
  Backward(const RecurrentLayer& layer, const RecurrentBackward& p, const Cell& cell)
      : layer_(layer),
        cell_(cell),
        gates_{static_cast<const T*>(p.gates), layer.rows, layer.gates()},
        cells_{static_cast<const T*>(p.cells), layer.rows, layer.hidden},
        states_{static_cast<const T*>(p.states), layer.rows, layer.hidden},
        g_{static_cast<const T*>(p.g), layer.rows, layer.hidden},
        input_gates_{static_cast<T*>(p.input_gates), layer.rows, layer.gates()},
        state_gates_{static_cast<T*>(p.state_gates), layer.rows, layer.gates()},
        h0_(static_cast<const T*>(p.h0)),
        c0_(static_cast<const T*>(p.c0)),
        dh_(static_cast<T*>(p.dh)),
        dc_(static_cast<T*>(p.dc)),
        weight_(false, layer.rows, layer.hidden, layer.gates(), static_cast<const T*>(p.weight),
                layer.hidden, layer.precision) {}

  void run() {
    for (std::int64_t k = layer_.steps - 1; k >= 0; --k) {
      const std::int64_t step = layer_.reverse ? layer_.steps - 1 - k : k;
      const std::int64_t before = layer_.reverse ? step + 1 : step - 1;
      const T* h = k > 0 ? states_.at(before) : h0_;
      const T* c = layer_.kind != Recurrence::lstm ? nullptr : k > 0 ? cells_.at(before) : c0_;
      detail::parallel_for(layer_.rows, rows_of_grain(layer_),
                           [&](std::int64_t begin, std::int64_t end) {
                             for (std::int64_t r = begin; r < end; ++r) row(step, r, h, c);
                           });
      // A resting row passes its gradient on, a GRU's goes past the gates too.
      const bool adds = layer_.lengths || layer_.kind == Recurrence::gru;
      weight_.multiply(state_gates_.at(step), T(adds), dh_);
    }
  }

 private:
  void row(std::int64_t step, std::int64_t r, const T* h, const T* c) {
    const std::int64_t n = layer_.hidden;
    T *input = input_gates_.at(step, r), *state = state_gates_.at(step, r);
    if (layer_.lengths && step >= layer_.lengths[r]) {
      std::fill_n(input, layer_.gates(), T(0));
      if (state != input) std::fill_n(state, layer_.gates(), T(0));
      return;
    }
    cell_.backward(
        {gates_.at(step, r), cells_.at(step, r), row_of(h, r, n), row_of(c, r, n),
         states_.at(step, r), g_.at(step, r), row_of(dh_, r, n), row_of(dc_, r, n), input, state},
        n);
  }

  RecurrentLayer layer_;
  Cell cell_;
  Steps<const T> gates_, cells_, states_, g_;
  Steps<T> input_gates_, state_gates_;
  const T *h0_, *c0_;
  T *dh_, *dc_;
  PackedMatrix<T> weight_;
};

// f(Type<T>, cell)
template <class F>
void with_cell(const RecurrentLayer& layer, F&& f) {
  detail::dispatch_floating(layer.dtype, [&]<class T>(detail::Type<T> type) {
    switch (layer.kind) {
      case Recurrence::lstm:
        return f(type, LstmCell<T>{});
      case Recurrence::gru:
        return f(type, GruCell<T>{});
      default:
        return f(type, RnnCell<T>{layer.kind == Recurrence::rnn_relu});
    }
  });
}

}  // namespace

void recurrent_forward(const RecurrentLayer& layer, const RecurrentForward& p) {
  with_cell(layer, [&]<class T, class Cell>(detail::Type<T>, const Cell& cell) {
    Forward<T, Cell>(layer, p, cell).run();
  });
}

void recurrent_backward(const RecurrentLayer& layer, const RecurrentBackward& p) {
  with_cell(layer, [&]<class T, class Cell>(detail::Type<T>, const Cell& cell) {
    Backward<T, Cell>(layer, p, cell).run();
  });
}

}  // namespace xtape::kernels
