// SPDX-License-Identifier: BSD-3-Clause
#include <limits>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/diagonal.hpp>
#include <xtape/autograd/ops/linalg.hpp>
#include <xtape/autograd/ops/math.hpp>
#include <xtape/autograd/ops/matmul.hpp>

#include "../stored_cases.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

Tensor definite(const Tensor& x) {
  return matmul(x, x.transpose(-2, -1)) + eye(x.size(-2), -1, x.dtype());
}

Tensors both(const SignAndLogAbsDet& y) { return {y.sign, y.logabsdet}; }
Tensors solution_and_rank(const LeastSquares& y) { return {y.solution, y.rank}; }

// Signs are free: as in generate.py, what no common sign of a column and a row changes.
Tensor outer_products(const Tensor& a, const Tensor& b) {
  return a.unsqueeze(-1) * b.unsqueeze(-3);
}
Tensor symmetric(const Tensor& x) { return x + x.transpose(-2, -1); }

Tensors positive(const QAndR& y) {
  const Tensor signs = sign(diagonal(y.r, 0, -2, -1));
  return {y.q * signs.unsqueeze(-2), y.r * signs.unsqueeze(-1)};
}
Tensors invariant(const EigenvaluesAndVectors& y) {
  return {y.eigenvalues, outer_products(y.eigenvectors, y.eigenvectors.transpose(-2, -1))};
}
Tensors invariant(const SingularValuesAndVectors& y) { return {y.s, outer_products(y.u, y.vh)}; }

constexpr double kInfinity = std::numeric_limits<double>::infinity();

const StoredCases cases(
    "linalg.safetensors",
    {
        {"cholesky", XTAPE_CALL(cholesky(definite(a)))},
        {"cholesky.upper", XTAPE_CALL(cholesky(definite(a), true))},
        {"cholesky_solve", XTAPE_CALL(cholesky_solve(b, a))},
        {"cholesky_solve.upper", XTAPE_CALL(cholesky_solve(b, a, true))},
        {"cholesky_inverse", XTAPE_CALL(cholesky_inverse(a))},
        {"cholesky_inverse.upper", XTAPE_CALL(cholesky_inverse(a, true))},
        {"solve_triangular", XTAPE_CALL(solve_triangular(a, b, {.upper = false}))},
        {"solve_triangular.upper", XTAPE_CALL(solve_triangular(a, b, {.upper = true}))},
        {"solve_triangular.right",
         XTAPE_CALL(solve_triangular(a, b, {.upper = true, .left = false}))},
        {"solve_triangular.unit",
         XTAPE_CALL(solve_triangular(a, b, {.upper = false, .unitriangular = true}))},
        {"solve", XTAPE_CALL(solve(a, b))},
        {"solve.vector", XTAPE_CALL(solve(a, b))},
        {"solve.right", XTAPE_CALL(solve(a, b, false))},
        {"inv", XTAPE_CALL(inv(a))},
        {"det", XTAPE_CALL(det(a))},
        {"slogdet", XTAPE_CALL(both(slogdet(a)))},
        {"logdet", XTAPE_CALL(logdet(a))},
        {"qr", XTAPE_CALL(positive(qr(a)))},
        {"qr.complete", XTAPE_CALL(positive(qr(a, QrMode::complete)))},
        {"lstsq", XTAPE_CALL(lstsq(a, b).solution)},
        {"lstsq.residuals", XTAPE_CALL(lstsq(a, b).residuals)},
        {"lstsq.of_lower_rank", XTAPE_CALL(solution_and_rank(lstsq(matmul(a, b), c, 1e-4)))},
        {"lstsq.singular_values", XTAPE_CALL(lstsq(a, b).singular_values)},
        {"eigh", XTAPE_CALL(invariant(eigh(symmetric(a))))},
        {"eigh.upper", XTAPE_CALL(square(eigh(symmetric(a), true).eigenvectors))},
        {"eigvalsh", XTAPE_CALL(eigvalsh(symmetric(a)))},
        {"svd", XTAPE_CALL(invariant(svd(a)))},
        {"svdvals", XTAPE_CALL(svdvals(a))},
        {"pinv", XTAPE_CALL(pinv(a))},
        {"pinv.rtol", XTAPE_CALL(pinv(matmul(a, b), {.rtol = 1e-4}))},
        {"pinv.hermitian", XTAPE_CALL(pinv(symmetric(a), {.hermitian = true}))},
        {"matrix_rank", XTAPE_CALL(matrix_rank(a))},
        {"matrix_rank.hermitian",
         XTAPE_CALL(matrix_rank(symmetric(a), {.rtol = 0.3, .hermitian = true}))},
        {"matrix_power", XTAPE_CALL(matrix_power(a, 5))},
        {"matrix_power.negative", XTAPE_CALL(matrix_power(a, -3))},
        {"multi_dot", XTAPE_CALL(multi_dot({a, b, c}))},
        {"vector_norm", XTAPE_CALL(vector_norm(a))},
        {"vector_norm.options", XTAPE_CALL(vector_norm(a, 3, {0, -1}, true))},
        {"vector_norm.inf", XTAPE_CALL(vector_norm(a, kInfinity, {-1}))},
        {"matrix_norm", XTAPE_CALL(matrix_norm(a))},
        {"matrix_norm.nuc", XTAPE_CALL(matrix_norm(a, MatrixNorm::nuc))},
        {"matrix_norm.1", XTAPE_CALL(matrix_norm(a, 1))},
        {"matrix_norm.minus_1", XTAPE_CALL(matrix_norm(a, -1))},
        {"matrix_norm.2", XTAPE_CALL(matrix_norm(a, 2))},
        {"matrix_norm.minus_2", XTAPE_CALL(matrix_norm(a, -2))},
        {"matrix_norm.inf", XTAPE_CALL(matrix_norm(a, kInfinity))},
        {"matrix_norm.minus_inf", XTAPE_CALL(matrix_norm(a, -kInfinity))},
        {"matrix_norm.dims", XTAPE_CALL(matrix_norm(a, 1, {-1, 0}, true))},
        {"matrix_norm.ties", XTAPE_CALL(matrix_norm(a, kInfinity))},
        {"cond", XTAPE_CALL(cond(a))},
        {"cond.1", XTAPE_CALL(cond(a, 1))},
        {"cond.fro", XTAPE_CALL(cond(a, MatrixNorm::fro))},
    });

}  // namespace
