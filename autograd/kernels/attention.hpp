// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../dtype.hpp"
#include "../random.hpp"

// softmax(scale Q K^T + mask) V block by block: no matrix of all queries by all keys is ever made.
// float32 and float64. Dao et al., "FlashAttention", NeurIPS 2022; Milakov and Gimelshein, 2018.
namespace xtape::kernels {

/// One matrix for each of a batch, whose rows are dense: matrix b begins at data + offsets[b], its
/// rows are `step` apart (elements).
struct Matrices {
  void* data;
  const std::int64_t* offsets;
  std::int64_t step;
};

struct Attention {
  std::int64_t batch, queries, keys, width, value_width;
  double scale;
  bool causal;  // query i sees keys 0 ... i
  DType dtype;
  Matrices q, k, v;
  Matrices mask;     // added to the scores, [queries, keys]; null data for none
  double keep;       // share of the weights that dropout keeps; 1 for all
  Generator random;  // where dropout's numbers begin, see mask_blocks

  /// Numbers that one query takes, in blocks of four.
  std::int64_t mask_blocks() const noexcept { return (keys + 3) / 4; }
};

/// y [batch, queries, value_width], and what makes each query's scores weights, which the gradient
/// needs: [batch, queries, 2], the largest score and 1 / the sum of exp(score - largest). Not the
/// logarithm of the sum: added to scores of -1e9, which masks have, it would be lost. A query that
/// sees nothing gives zeros.
void attention_forward(const Attention& a, const Matrices& y, void* norms);
/// Gradients of q, k and v from g, that of y. dq, dk and dv are written, not added to.
void attention_backward(const Attention& a, const Matrices& y, const Matrices& g, const void* norms,
                        const Matrices& dq, const Matrices& dk, const Matrices& dv);

}  // namespace xtape::kernels
