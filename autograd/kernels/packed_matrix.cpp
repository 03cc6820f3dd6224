// SPDX-License-Identifier: BSD-3-Clause
#include "packed_matrix.hpp"

#include <type_traits>

#include "../parallel.hpp"
#include "gemm.hpp"
#ifdef XTAPE_HAS_ONEDNN
#include "../memory.hpp"
#include "onednn.hpp"
#endif

namespace xtape::kernels {

#ifdef XTAPE_HAS_ONEDNN

namespace {

struct Plan {
  dnnl::matmul product, sum;  // C = A B and C += A B
  dnnl::reorder pack;
  dnnl::memory::desc a, b, packed, c, scratchpad, sum_scratchpad, pack_scratchpad;
};

using Plans = onednn::PlanCache<6, Plan>;

std::shared_ptr<const Plan> make_plan(const Plans::Key& key) {
  const auto [m, n, k, ldb, transpose, threads] = key;
  using dnnl::memory;
  const auto type = memory::data_type::f32;
  auto plan = std::make_shared<Plan>();
  plan->a = memory::desc({m, k}, type, memory::dims{k, 1});
  plan->b = memory::desc({k, n}, type, transpose ? memory::dims{1, ldb} : memory::dims{ldb, 1});
  plan->c = memory::desc({m, n}, type, memory::dims{n, 1});
  const memory::desc any({k, n}, type, memory::format_tag::any);
  dnnl::primitive_attr attr = onednn::attributes();
  const dnnl::matmul::primitive_desc product({plan->a, any, plan->c}, attr, onednn::engine());
  plan->packed = product.weights_desc();
  plan->product = dnnl::matmul(product);
  plan->scratchpad = product.scratchpad_desc();
  dnnl::post_ops post;
  post.append_sum();
  attr.set_post_ops(post);
  const dnnl::matmul::primitive_desc sum({plan->a, plan->packed, plan->c}, attr, onednn::engine());
  plan->sum = dnnl::matmul(sum);
  plan->sum_scratchpad = sum.scratchpad_desc();
  const dnnl::reorder::primitive_desc pack(onednn::engine(), plan->b, onednn::engine(),
                                           plan->packed, onednn::attributes());
  plan->pack = dnnl::reorder(pack);
  plan->pack_scratchpad = pack.scratchpad_desc();
  return plan;
}

Plans& plans() {
  static auto* const plans = new Plans;
  return *plans;
}

// Below it packing costs more than it saves; see the recurrent layers in docs/performance.md.
bool serves(std::int64_t m, std::int64_t n, std::int64_t k) { return m >= 8 && n * k >= 4096; }

}  // namespace

template <class T>
struct PackedMatrix<T>::Engine {
  std::shared_ptr<const Plan> plan;
  xtape::detail::Scratch<std::byte> packed;

  Engine(std::shared_ptr<const Plan> p, const void* b)
      : plan(std::move(p)), packed(plan->packed.get_size()) {
    const xtape::detail::Scratch<std::byte> scratch(plan->pack_scratchpad.get_size());
    plan->pack.execute(
        onednn::stream(),
        {{DNNL_ARG_FROM, onednn::memory_at(plan->b, b)},
         {DNNL_ARG_TO, onednn::memory_at(plan->packed, packed.data())},
         {DNNL_ARG_SCRATCHPAD, onednn::memory_at(plan->pack_scratchpad, scratch.data())}});
  }
  void run(const dnnl::matmul& product, const dnnl::memory::desc& scratchpad, const void* a,
           void* c) const {
    const xtape::detail::Scratch<std::byte> scratch(scratchpad.get_size());
    product.execute(onednn::stream(),
                    {{DNNL_ARG_SRC, onednn::memory_at(plan->a, a)},
                     {DNNL_ARG_WEIGHTS, onednn::memory_at(plan->packed, packed.data())},
                     {DNNL_ARG_DST, onednn::memory_at(plan->c, c)},
                     {DNNL_ARG_SCRATCHPAD, onednn::memory_at(scratchpad, scratch.data())}});
  }
};

#else

template <class T>
struct PackedMatrix<T>::Engine {};

#endif

template <class T>
PackedMatrix<T>::PackedMatrix(bool transpose, std::int64_t m, std::int64_t n, std::int64_t k,
                              const T* b, std::int64_t ldb)
    : transpose_(transpose), m_(m), n_(n), k_(k), ldb_(ldb), b_(b) {
#ifdef XTAPE_HAS_ONEDNN
  if constexpr (std::is_same_v<T, float>) {
    if (!serves(m, n, k)) return;
    const Plans::Key key{m, n, k, ldb, transpose, num_threads()};
    if (auto plan = plans().get(key, [&] { return make_plan(key); })) {
      engine_ = std::make_unique<const Engine>(std::move(plan), b);
    }
  }
#endif
}

template <class T>
PackedMatrix<T>::~PackedMatrix() = default;

template <class T>
void PackedMatrix<T>::multiply(const T* a, T beta, T* c) const {
#ifdef XTAPE_HAS_ONEDNN
  if (engine_) {
    const Plan& plan = *engine_->plan;
    if (beta == T(0)) return engine_->run(plan.product, plan.scratchpad, a, c);
    return engine_->run(plan.sum, plan.sum_scratchpad, a, c);
  }
#endif
  gemm(false, transpose_, m_, n_, k_, T(1), a, k_, b_, ldb_, beta, c, n_);
}

template class XTAPE_API PackedMatrix<float>;
template class XTAPE_API PackedMatrix<double>;

}  // namespace xtape::kernels
