// SPDX-License-Identifier: BSD-3-Clause
#ifdef XTAPE_HAS_ONEDNN

#include "gemm_onednn.hpp"

#include <string>
#include <unordered_map>

#include "../error.hpp"
#include "../memory.hpp"
#include "onednn.hpp"

namespace xtape::kernels::onednn {
namespace {

// Where oneDNN's matmul primitive is taken, in multiply-adds, from the table of matrix products in
// docs/performance.md: OpenBLAS's small-matrix kernels win below a million, but never thread; a
// product with a transposed right side (Linear's forward) they pack badly, oneDNN does not pack it
// at all. dnnl_sgemm is faster for some shapes, by up to 15 %, but its kernels keep data where the
// stack pointer points: a signal handler that runs meanwhile overwrites it (oneDNN 2.6).
bool serves(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
            int threads) {
  const double work = static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
  if (transpose_b) {
    if (transpose_a || m < 16) return false;
    return work >= (m < 32 ? 524288 : m < 128 ? 262144 : 65536);
  }
  return work > 1e6 || (threads > 1 && work >= 262144 && n >= 16);
}

// A column of a wider result. oneDNN 3.7 writes over what follows each of its elements.
bool is_column(std::int64_t n, std::int64_t ldc) { return n == 1 && ldc > 1; }

struct Plan {
  dnnl::matmul primitive;
  dnnl::memory::desc a, b, bias, c, scratchpad;
};

using Plans = PlanCache<8, Plan>;

std::shared_ptr<const Plan> make_plan(const Plans::Key& key) {
  const auto [m, n, k, lda, ldb, ldc, flags, threads] = key;
  const bool transpose_a = flags & 1, transpose_b = flags & 2, accumulate = flags & 4;
  const bool has_bias = flags & 8, halves = flags & 16;
  using dnnl::memory;
  const auto type = memory::data_type::f32;
  const auto read = halves ? memory::data_type::bf16 : type;
  auto plan = std::make_shared<Plan>();
  plan->a = memory::desc({m, k}, read, transpose_a ? memory::dims{1, lda} : memory::dims{lda, 1});
  plan->b = memory::desc({k, n}, read, transpose_b ? memory::dims{1, ldb} : memory::dims{ldb, 1});
  plan->c = memory::desc({m, n}, type, memory::dims{ldc, 1});
  dnnl::primitive_attr attr = attributes();
  if (accumulate) {
    dnnl::post_ops sum;
    sum.append_sum();
    attr.set_post_ops(sum);
  }
  if (has_bias) plan->bias = memory::desc({1, n}, type, memory::dims{n, 1});
  const auto desc = has_bias ? describe<dnnl::matmul>(attr, plan->a, plan->b, plan->bias, plan->c)
                             : describe<dnnl::matmul>(attr, plan->a, plan->b, plan->c);
  plan->scratchpad = desc.scratchpad_desc();
  plan->primitive = dnnl::matmul(desc);
  return plan;
}

Plans& plans() {
  static auto* const plans = new Plans;
  return *plans;
}

std::int64_t flags_of(bool transpose_a, bool transpose_b, float beta, const float* bias) {
  return (transpose_a ? 1 : 0) | (transpose_b ? 2 : 0) | (beta == 1 ? 4 : 0) | (bias ? 8 : 0);
}

bool run_matmul(const Plans::Key& key, const void* a, const void* b, const float* bias, float* c) {
  const auto plan = plans().get(key, [&] { return make_plan(key); });
  if (!plan) return false;
  const xtape::detail::Scratch<std::byte> scratch(plan->scratchpad.get_size());
  std::unordered_map<int, dnnl::memory> arguments{
      {DNNL_ARG_SRC, memory_at(plan->a, a)},
      {DNNL_ARG_WEIGHTS, memory_at(plan->b, b)},
      {DNNL_ARG_DST, memory_at(plan->c, c)},
      {DNNL_ARG_SCRATCHPAD, memory_at(plan->scratchpad, scratch.data())}};
  if (bias) arguments.emplace(DNNL_ARG_BIAS, memory_at(plan->bias, bias));
  plan->primitive.execute(stream(), arguments);
  return true;
}

}  // namespace

bool gemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
          float alpha, const float* a, std::int64_t lda, const float* b, std::int64_t ldb,
          float beta, const float* bias, float* c, std::int64_t ldc, int threads) {
  if (alpha != 1 || (beta != 0 && beta != 1) || is_column(n, ldc)) return false;
  if (!serves(transpose_a, transpose_b, m, n, k, threads)) return false;
  const std::int64_t flags = flags_of(transpose_a, transpose_b, beta, bias);
  return run_matmul({m, n, k, lda, ldb, ldc, flags, threads}, a, b, bias, c);
}

bool serves_bfloat16(std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t ldc) {
  const double work = static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
  return has_bfloat16() && m > 4 && work >= 65536 && !is_column(n, ldc);
}

void gemm_bfloat16(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n,
                   std::int64_t k, const BFloat16* a, std::int64_t lda, const BFloat16* b,
                   std::int64_t ldb, float beta, const float* bias, float* c, std::int64_t ldc,
                   int threads) {
  const std::int64_t flags = flags_of(transpose_a, transpose_b, beta, bias) | 16;
  if (run_matmul({m, n, k, lda, ldb, ldc, flags, threads}, a, b, bias, c)) return;
  throw Error("oneDNN has no product of bfloat16 matrices of " + std::to_string(m) + "x" +
              std::to_string(k) + "x" + std::to_string(n));
}

}  // namespace xtape::kernels::onednn

#endif
