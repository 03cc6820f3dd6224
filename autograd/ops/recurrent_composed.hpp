// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "../kernels/recurrent.hpp"
#include "../tape.hpp"
#include "../tensor.hpp"

// Private to ops/recurrent*.cpp.
namespace xtape::detail {

/// What a recurrent layer saves, in this order; `gates`, `cells` and `states` as in
/// kernels/recurrent.hpp.
struct RecurrentTensors {
  Tensor x, h0, c0, weight_ih, weight_hh, bias_ih, bias_hh, gates, cells, states, lengths;

  explicit RecurrentTensors(const Backward& t)
      : x(t.saved(0)),
        h0(t.saved(1)),
        c0(t.saved(2)),
        weight_ih(t.saved(3)),
        weight_hh(t.saved(4)),
        bias_ih(t.saved(5)),
        bias_hh(t.saved(6)),
        gates(t.saved(7)),
        cells(t.saved(8)),
        states(t.saved(9)),
        lengths(t.saved(10)) {}
};

/// The gradients of the layer step by step in recorded operations, for where their own graph is
/// wanted.
void composed_recurrent_gradient(Backward& t, kernels::Recurrence kind, bool reverse);

}  // namespace xtape::detail
