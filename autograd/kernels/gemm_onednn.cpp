// SPDX-License-Identifier: BSD-3-Clause
#ifdef XTAPE_HAS_ONEDNN

#include "gemm_onednn.hpp"

#include "../memory.hpp"
#include "onednn.hpp"

namespace xtape::kernels::onednn {
namespace {

enum class Engine { blas, sgemm, matmul };

// Bounds in multiply-adds, from the table of matrix products in docs/performance.md: OpenBLAS's
// small-matrix kernels win below a million, but never thread; a product with a transposed right
// side (Linear's forward) they pack badly, oneDNN's matmul primitive does not pack at all.
Engine choose(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
              int threads) {
  const double work = static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
  if (transpose_b) {
    if (transpose_a) return Engine::blas;
    if (m < 16) return work >= 131072 ? Engine::sgemm : Engine::blas;
    const double least = m < 32 ? 524288 : m < 128 ? 262144 : 65536;
    return work >= least ? Engine::matmul : Engine::blas;
  }
  if (work > 1e6) return Engine::sgemm;
  return threads > 1 && work >= 262144 && n >= 16 ? Engine::sgemm : Engine::blas;
}

struct Plan {
  dnnl::matmul primitive;
  dnnl::memory::desc a, b, c, scratchpad;
};

using Plans = PlanCache<8, Plan>;

std::shared_ptr<const Plan> make_plan(const Plans::Key& key) {
  const auto [m, n, k, lda, ldb, ldc, accumulate, threads] = key;
  using dnnl::memory;
  const auto type = memory::data_type::f32;
  auto plan = std::make_shared<Plan>();
  plan->a = memory::desc({m, k}, type, memory::dims{lda, 1});
  plan->b = memory::desc({k, n}, type, memory::dims{1, ldb});
  plan->c = memory::desc({m, n}, type, memory::dims{ldc, 1});
  dnnl::primitive_attr attr = attributes();
  if (accumulate) {
    dnnl::post_ops sum;
    sum.append_sum();
    attr.set_post_ops(sum);
  }
  const dnnl::matmul::primitive_desc desc({plan->a, plan->b, plan->c}, attr, engine());
  plan->scratchpad = desc.scratchpad_desc();
  plan->primitive = dnnl::matmul(desc);
  return plan;
}

Plans& plans() {
  static auto* const plans = new Plans;
  return *plans;
}

bool run_matmul(const Plans::Key& key, const float* a, const float* b, float* c) {
  const auto plan = plans().get(key, [&] { return make_plan(key); });
  if (!plan) return false;
  const xtape::detail::Scratch<std::byte> scratch(plan->scratchpad.get_size());
  plan->primitive.execute(stream(),
                          {{DNNL_ARG_SRC, memory_at(plan->a, a)},
                           {DNNL_ARG_WEIGHTS, memory_at(plan->b, b)},
                           {DNNL_ARG_DST, memory_at(plan->c, c)},
                           {DNNL_ARG_SCRATCHPAD, memory_at(plan->scratchpad, scratch.data())}});
  return true;
}

}  // namespace

bool gemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
          float alpha, const float* a, std::int64_t lda, const float* b, std::int64_t ldb,
          float beta, float* c, std::int64_t ldc, int threads) {
  switch (choose(transpose_a, transpose_b, m, n, k, threads)) {
    case Engine::blas:
      return false;
    case Engine::matmul:
      if (alpha != 1 || (beta != 0 && beta != 1)) return false;
      return run_matmul({m, n, k, lda, ldb, ldc, beta == 1, threads}, a, b, c);
    case Engine::sgemm:
      return dnnl::sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n, k, alpha, a, lda,
                         b, ldb, beta, c, ldc) == dnnl::status::success;
  }
  return false;
}

}  // namespace xtape::kernels::onednn

#endif
