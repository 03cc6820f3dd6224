// SPDX-License-Identifier: BSD-3-Clause
#include "packed_matrix.hpp"

#include <algorithm>
#include <deque>
#include <type_traits>

#include "../parallel.hpp"
#include "gemm.hpp"
#ifdef XTAPE_HAS_ONEDNN
#include "../deterministic.hpp"
#include "../memory.hpp"
#include "onednn.hpp"
#include "parts.hpp"
#endif

namespace xtape::kernels {

#ifdef XTAPE_HAS_ONEDNN

namespace {

struct Plan {
  dnnl::matmul product, sum;  // C = A B and C += A B
  dnnl::reorder pack;
  dnnl::memory::desc a, b, packed, c, scratchpad, sum_scratchpad, pack_scratchpad;
};

using Plans = onednn::PlanCache<7, Plan>;

std::shared_ptr<const Plan> make_plan(const Plans::Key& key) {
  const auto [m, n, k, ldb, ldc, flags, threads] = key;
  const bool transpose = flags & 1, halves = flags & 2;
  using dnnl::memory;
  const auto type = memory::data_type::f32;
  const auto read = halves ? memory::data_type::bf16 : type;
  auto plan = std::make_shared<Plan>();
  plan->a = memory::desc({m, k}, read, memory::dims{k, 1});
  plan->b = memory::desc({k, n}, type, transpose ? memory::dims{1, ldb} : memory::dims{ldb, 1});
  plan->c = memory::desc({m, n}, type, memory::dims{ldc, 1});
  const memory::desc any({k, n}, read, memory::format_tag::any);
  dnnl::primitive_attr attr = onednn::attributes();
  const auto product = onednn::describe<dnnl::matmul>(attr, plan->a, any, plan->c);
  plan->packed = product.weights_desc();
  plan->product = dnnl::matmul(product);
  plan->scratchpad = product.scratchpad_desc();
  dnnl::post_ops post;
  post.append_sum();
  attr.set_post_ops(post);
  const auto sum = onednn::describe<dnnl::matmul>(attr, plan->a, plan->packed, plan->c);
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

// Columns of B, packed.
class Part {
 public:
  Part(std::shared_ptr<const Plan> plan, const void* b)
      : plan_(std::move(plan)), packed_(plan_->packed.get_size()) {
    const xtape::detail::Scratch<std::byte> scratch(plan_->pack_scratchpad.get_size());
    plan_->pack.execute(
        onednn::stream(),
        {{DNNL_ARG_FROM, onednn::memory_at(plan_->b, b)},
         {DNNL_ARG_TO, onednn::memory_at(plan_->packed, packed_.data())},
         {DNNL_ARG_SCRATCHPAD, onednn::memory_at(plan_->pack_scratchpad, scratch.data())}});
  }
  void multiply(const void* a, bool adds, void* c) const {
    const auto& scratchpad = adds ? plan_->sum_scratchpad : plan_->scratchpad;
    const xtape::detail::Scratch<std::byte> scratch(scratchpad.get_size());
    const dnnl::matmul& product = adds ? plan_->sum : plan_->product;
    product.execute(onednn::stream(),
                    {{DNNL_ARG_SRC, onednn::memory_at(plan_->a, a)},
                     {DNNL_ARG_WEIGHTS, onednn::memory_at(plan_->packed, packed_.data())},
                     {DNNL_ARG_DST, onednn::memory_at(plan_->c, c)},
                     {DNNL_ARG_SCRATCHPAD, onednn::memory_at(scratchpad, scratch.data())}});
  }

 private:
  std::shared_ptr<const Plan> plan_;
  xtape::detail::Scratch<std::byte> packed_;
};

}  // namespace

template <class T>
struct PackedMatrix<T>::Engine {
  bool alone;            // deterministic: each part is multiplied by one thread, else by all
  std::int64_t columns;  // of a part
  std::deque<Part> parts;
};

#else

template <class T>
struct PackedMatrix<T>::Engine {};

#endif

template <class T>
PackedMatrix<T>::PackedMatrix(bool transpose, std::int64_t m, std::int64_t n, std::int64_t k,
                              const T* b, std::int64_t ldb, Precision precision)
    : transpose_(transpose),
      m_(m),
      n_(n),
      k_(k),
      ldb_(ldb),
      b_(b),
      rounds_(std::is_same_v<T, float> && precision == Precision::bfloat16) {
  pack();
  if constexpr (std::is_same_v<T, float>) {
    if (!rounds_ || engine_) return;
    near_b_ = std::make_unique<const Rounded<float>>(transpose ? n : k, transpose ? k : n, b, ldb);
  }
}

template <class T>
PackedMatrix<T>::~PackedMatrix() = default;

template <class T>
void PackedMatrix<T>::pack() {
#ifdef XTAPE_HAS_ONEDNN
  if constexpr (std::is_same_v<T, float>) {
    if (!serves(m_, n_, k_) || (rounds_ && !has_bfloat16())) return;
    auto engine = std::make_unique<Engine>();
    engine->alone = are_deterministic_algorithms_enabled();
    const double work = static_cast<double>(m_ * k_) * static_cast<double>(n_);
    engine->columns = engine->alone ? part_of_product(n_, work) : n_;
    const xtape::detail::ThreadScope scope(engine->alone ? 1 : num_threads());
    for (std::int64_t begin = 0; begin < n_; begin += engine->columns) {
      const std::int64_t width = std::min(n_ - begin, engine->columns);
      const std::int64_t flags = (transpose_ ? 1 : 0) | (rounds_ ? 2 : 0);
      const Plans::Key key{m_, width, k_, ldb_, n_, flags, num_threads()};
      auto plan = plans().get(key, [&] { return make_plan(key); });
      if (!plan) return;
      engine->parts.emplace_back(std::move(plan), b_ + begin * (transpose_ ? ldb_ : 1));
    }
    engine_ = std::move(engine);
  }
#endif
}

template <class T>
void PackedMatrix<T>::multiply(const T* a, T beta, T* c) const {
#ifdef XTAPE_HAS_ONEDNN
  if (engine_ && !rounds_) return multiply_packed(a, beta != T(0), c);
  if constexpr (std::is_same_v<T, float>) {
    if (engine_) return multiply_packed(Rounded<BFloat16>(m_, k_, a, k_).data(), beta != 0, c);
  }
#endif
  if constexpr (std::is_same_v<T, float>) {
    if (near_b_) {
      const Rounded<float> near_a(m_, k_, a, k_);
      return gemm(false, transpose_, m_, n_, k_, T(1), near_a.data(), k_, near_b_->data(),
                  near_b_->step(), beta, c, n_);
    }
  }
  gemm(false, transpose_, m_, n_, k_, T(1), a, k_, b_, ldb_, beta, c, n_);
}

#ifdef XTAPE_HAS_ONEDNN
template <class T>
void PackedMatrix<T>::multiply_packed(const void* a, bool adds, T* c) const {
  if (!engine_->alone) return engine_->parts[0].multiply(a, adds, c);
  in_parts(n_, engine_->columns, [&](std::int64_t begin, std::int64_t) {
    const auto part = static_cast<std::size_t>(begin / engine_->columns);
    engine_->parts[part].multiply(a, adds, c + begin);
  });
}
#endif

template class XTAPE_API PackedMatrix<float>;
template class XTAPE_API PackedMatrix<double>;

}  // namespace xtape::kernels
