// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "../pointwise.hpp"

namespace xtape::detail {

template <class G>
struct OutputClosure {
  G gradient;
  const char* name;

  void operator()(Backward& t) const {
    if (t.create_graph()) return t.add(0, Pointwise<G>(name, gradient)(t.g(), t.saved(0)));
    Tensor in[2] = {t.take_g(), t.take_saved(0)};
    Tensor out[1];
    pointwise_outputs({value_strip<G, 2, float>, value_strip<G, 2, double>}, &gradient, out, 1, in,
                      &in[0]);
    t.add(0, std::move(out[0]));
  }
};

/// y = f(x) whose gradient, a formula of (g, y), needs the output alone.
template <class F, class G>
Tensor unary_by_output(const char* name, const Tensor& x, F f, G gradient) {
  std::array<Tensor, 1> in{x};
  const bool number[] = {false};
  convert_arguments(name, in, number);
  Tensor y = pointwise_value(name, {value_strip<F, 1, float>, value_strip<F, 1, double>}, &f, in);
  const TensorRef inputs[] = {x};
  record_named(name, y, inputs, saves(y), OutputClosure<G>{gradient, name});
  return y;
}

}  // namespace xtape::detail
