// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/linalg.hpp>
#include <xtape/autograd/ops/matmul.hpp>

#include "../stored_cases.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

Tensor definite(const Tensor& x) {
  return matmul(x, x.transpose(-2, -1)) + eye(x.size(-2), -1, x.dtype());
}

Tensors both(const SignAndLogAbsDet& y) { return {y.sign, y.logabsdet}; }

const StoredCases cases(
    "linalg.safetensors",
    {
        {"cholesky", XTAPE_CALL(cholesky(definite(a)))},
        {"cholesky.upper", XTAPE_CALL(cholesky(definite(a), true))},
        {"cholesky_solve", XTAPE_CALL(cholesky_solve(b, a))},
        {"cholesky_solve.upper", XTAPE_CALL(cholesky_solve(b, a, true))},
        {"solve_triangular", XTAPE_CALL(solve_triangular(a, b, {.upper = false}))},
        {"solve_triangular.upper", XTAPE_CALL(solve_triangular(a, b, {.upper = true}))},
        {"solve_triangular.right",
         XTAPE_CALL(solve_triangular(a, b, {.upper = true, .left = false}))},
        {"solve_triangular.unit",
         XTAPE_CALL(solve_triangular(a, b, {.upper = false, .unitriangular = true}))},
        {"solve", XTAPE_CALL(solve(a, b))},
        {"solve.vector", XTAPE_CALL(solve(a, b))},
        {"inv", XTAPE_CALL(inv(a))},
        {"det", XTAPE_CALL(det(a))},
        {"slogdet", XTAPE_CALL(both(slogdet(a)))},
    });

}  // namespace
