// SPDX-License-Identifier: BSD-3-Clause
#include "spectral_norm.hpp"

#include <algorithm>

#include "../autograd/ops/arithmetic.hpp"
#include "../autograd/ops/matmul.hpp"
#include "../autograd/ops/random.hpp"
#include "../autograd/ops/reductions.hpp"
#include "../autograd/ops/shape.hpp"
#include "../autograd/tape.hpp"

namespace xtape::nn::detail {
namespace {

Tensor normalized(const Tensor& x, double eps) { return x / std::max(norm(x).item<double>(), eps); }

}  // namespace

Tensor as_matrix(const Tensor& w, std::int64_t dim) {
  const Tensor first = movedim(w, dim, 0);
  return first.dim() == 1 ? first.unsqueeze(1) : first.flatten(1);
}

Tensor random_direction(std::int64_t n, DType dtype) {
  return normalized(randn({n}, dtype), 1e-12);
}

void power_iteration(const Tensor& matrix, Tensor u, Tensor v, const SpectralNormOptions& options) {
  const NoGrad guard;
  for (int i = 0; i < options.n_power_iterations; ++i) {
    v.copy_(normalized(mv(matrix.t(), u), options.eps));
    u.copy_(normalized(mv(matrix, v), options.eps));
  }
}

Tensor over_spectral_norm(const Tensor& w, const Tensor& u, const Tensor& v, std::int64_t dim) {
  // Copies: the next call turns u and v while this one's gradient may still need them.
  return w / dot(u.detach().clone(), mv(as_matrix(w, dim), v.detach().clone()));
}

}  // namespace xtape::nn::detail
