// SPDX-License-Identifier: BSD-3-Clause
// The same bits from 1, 2 and 3 threads: of kernels of our own always, of all in deterministic
// mode.
#include <boost/test/unit_test.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <xtape/autograd/autograd.hpp>
#include <xtape/nn/ctc.hpp>

#include "samples.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

class Mode {
 public:
  explicit Mode(bool deterministic) { use_deterministic_algorithms(deterministic); }
  ~Mode() {
    use_deterministic_algorithms(false);
    set_num_threads(before_);
  }

 private:
  int before_ = num_threads();
};

// A family of kernels on arguments that are large enough to be divided among threads.
struct Case {
  const char* name;
  Function f;
  Sample inputs;
};

// Results, then the gradients of floating inputs.
Tensors run(const Case& c, DType dtype) {
  manual_seed(7);
  Random random(11);
  Tensors x = converted(make(c.inputs, random, {}), dtype), leaves;
  for (Tensor& t : x) {
    if (!is_floating(t.dtype())) continue;
    t.requires_grad_();
    leaves.push_back(t);
  }
  Tensors results = c.f(x), roots, seeds;
  for (const Tensor& y : results) {
    if (!y.requires_grad()) continue;
    roots.push_back(y);
    seeds.push_back(random_gradient(y, random));
  }
  if (!roots.empty()) {
    for (const Tensor& g : grad(roots, leaves, {.grad_outputs = seeds, .allow_unused = true})) {
      results.push_back(g);
    }
  }
  return results;
}

// Of which result threads change bits, if of any.
std::optional<std::size_t> changed(const Case& c, DType dtype) {
  set_num_threads(1);
  const Tensors one = run(c, dtype);
  for (const int threads : {2, 3}) {
    set_num_threads(threads);
    const Tensors several = run(c, dtype);
    for (std::size_t i = 0; i < one.size(); ++i) {
      if (!same_bits(one[i], several[i])) return i;
    }
  }
  return {};
}

void check(const std::vector<Case>& cases, const std::vector<DType>& dtypes = {float32, float64}) {
  for (const Case& c : cases) {
    for (const DType dtype : dtypes) {
      const auto result = changed(c, dtype);
      BOOST_TEST(!result,
                 c.name << ", " << name(dtype) << ": threads change result " << result.value_or(0));
    }
  }
}

const Sample kMatrix{real({301, 307})}, kPictures{real({9, 6, 31, 33})};

Tensors all_of(const ValuesAndIndices& r) { return {r.values, r.indices}; }

const std::vector<Case> kOwn{
    {"pointwise",
     [](const Tensor& a, const Tensor& b) { return sigmoid(a * b + exp(a) / 3); },
     {real({301, 307}), real({307})}},
    {"copy", [](const Tensor& x) { return x.t().contiguous() + 1; }, kMatrix},
    {"sum", [](const Tensor& x) { return sum(x); }, kMatrix},
    {"sum of columns", [](const Tensor& x) { return sum(x * x, {0}); }, kMatrix},
    {"prod", [](const Tensor& x) { return prod(x, {1}); }, {real({301, 307}, 0.9, 1.1)}},
    {"var",
     [](const Tensor& x) {
       return Tensors{var(x, {0}), var(x, {1})};
     },
     kMatrix},
    {"norm", [](const Tensor& x) { return vector_norm(x, 3, {0}); }, kMatrix},
    {"max", [](const Tensor& x) { return all_of(max(x, 0)); }, kMatrix},
    {"argmax",
     [](const Tensor& x) {
       return Tensors{argmax(x, 1), argmin(x)};
     },
     kMatrix},
    {"logsumexp", [](const Tensor& x) { return logsumexp(x, {0}); }, kMatrix},
    {"cumsum",
     [](const Tensor& x) {
       return Tensors{cumsum(x, 0), cumprod(x, {1})};
     },
     kMatrix},
    {"cummax", [](const Tensor& x) { return all_of(cummax(x, 0)); }, kMatrix},
    {"softmax",
     [](const Tensor& x) {
       return Tensors{softmax(x, 1), log_softmax(x, 0)};
     },
     kMatrix},
    {"cross_entropy",
     [](const Tensor& x, const Tensor& y) { return xtape::detail::cross_entropy(x, y); },
     {real({301, 307}), integer({301}, 0, 307)}},
    {"sort", [](const Tensor& x) { return all_of(sort(x, 0)); }, kMatrix},
    {"topk", [](const Tensor& x) { return all_of(topk(x, 20)); }, kMatrix},
    {"median",
     [](const Tensor& x) {
       return Tensors{median(x), quantile(x, 0.3, 1)};
     },
     kMatrix},
    {"gather",
     [](const Tensor& x, const Tensor& i) { return gather(x, 0, i); },
     {real({301, 307}), integer({400, 300}, 0, 301)}},
    {"index_select",
     [](const Tensor& x, const Tensor& i) { return index_select(x, 1, i); },
     {real({301, 307}), integer({500}, 0, 307)}},
    {"scatter_add",
     [](const Tensor& x, const Tensor& y, const Tensor& i) { return scatter_add(x, 0, i, y); },
     {real({50, 307}), real({301, 307}), integer({301, 307}, 0, 50)}},
    {"cat",
     [](const Tensor& a, const Tensor& b) {
       return cat({a, b}, 1);
     },
     {real({301, 307}), real({301, 100})}},
    {"embedding",
     [](const Tensor& w, const Tensor& i) { return embedding(i, w); },
     {real({200, 64}), integer({40, 30}, 0, 200)}},
    {"embedding_bag",
     [](const Tensor& w, const Tensor& i) { return embedding_bag(i, w); },
     {real({200, 64}), integer({400, 9}, 0, 200)}},
    {"max_pool2d", [](const Tensor& x) { return max_pool2d(x, 3, {.stride = 2}); }, kPictures},
    {"avg_pool2d", [](const Tensor& x) { return avg_pool2d(x, 3, {.padding = 1}); }, kPictures},
    {"adaptive pooling",
     [](const Tensor& x) {
       return adaptive_avg_pool2d(x, {7, 5}) * adaptive_max_pool2d(x, {7, 5});
     },
     kPictures},
    {"layer_norm",
     [](const Tensor& x, const Tensor& w, const Tensor& b) { return layer_norm(x, {307}, w, b); },
     {real({301, 307}), real({307}), real({307})}},
    {"rms_norm",
     [](const Tensor& x, const Tensor& w) { return rms_norm(x, {307}, w); },
     {real({301, 307}), real({307})}},
    {"batch_norm",
     [](const Tensor& x, const Tensor& w, const Tensor& b) {
       return batch_norm(x, {}, {}, w, b, {.training = true});
     },
     {real({9, 6, 31, 33}), real(Shape{6}), real(Shape{6})}},
    {"group_norm", [](const Tensor& x) { return group_norm(x, 3); }, kPictures},
    {"dropout", [](const Tensor& x) { return dropout(x, 0.3); }, kMatrix},
    {"random numbers",
     [](const Tensor& x) {
       return x * randn({301, 307}, x.dtype()) + rand({307}, x.dtype());
     },
     kMatrix},
    {"gamma", [](const Tensor& a) { return standard_gamma(a); }, {real({3000}, 0.5, 4)}},
    {"multinomial",
     [](const Tensor& p) { return multinomial(p.detach(), 5); },
     {real({301, 307}, 0.1, 1)}},
    {"interpolate",
     [](const Tensor& x) {
       return interpolate(x, {.size = {50, 47}, .mode = InterpolateMode::bilinear});
     },
     kPictures},
    {"grid_sample",
     [](const Tensor& x, const Tensor& grid) { return grid_sample(x, grid); },
     {real({9, 6, 31, 33}), real({9, 20, 21, 2}, -1, 1)}},
    {"unfold", [](const Tensor& x) { return unfold(x, 3); }, kPictures},
    {"windows", [](const Tensor& x) { return unfold(x, 1, 5, 2) * 2; }, kMatrix},
    {"ctc",
     [](const Tensor& x, const Tensor& labels) {
       return nn::ctc_loss(log_softmax(x, 2), labels, full({16}, 30, int64), full({16}, 9, int64));
     },
     {real({30, 16, 12}), integer({16, 9}, 1, 12)}},
    {"product of few rows",
     [](const Tensor& a, const Tensor& b) { return matmul(a, b); },
     {real({2, 900}), real({900, 700})}},
};

const std::vector<Case> kByLibraries{
    {"matmul",
     [](const Tensor& a, const Tensor& b) { return matmul(a, b); },
     {real({203, 407}), real({407, 301})}},
    {"matmul, many terms",
     [](const Tensor& a, const Tensor& b) { return matmul(a, b); },
     {real({66, 3000}), real({3000, 70})}},
    {"linear",
     [](const Tensor& x, const Tensor& w, const Tensor& b) { return linear(x, w, b); },
     {real({130, 784}), real({257, 784}), real({257})}},
    {"bmm",
     [](const Tensor& a, const Tensor& b) { return matmul(a, b); },
     {real({12, 40, 50}), real({12, 50, 60})}},
    {"bmm of large ones",
     [](const Tensor& a, const Tensor& b) { return matmul(a, b); },
     {real({2, 260, 270}), real({2, 270, 280})}},
    {"einsum",
     [](const Tensor& a, const Tensor& b) {
       return einsum("bij,bkj->ik", {a, b});
     },
     {real({6, 60, 70}), real({6, 80, 70})}},
    {"conv2d",
     [](const Tensor& x, const Tensor& w, const Tensor& b) { return conv2d(x, w, b); },
     {real({9, 3, 20, 21}), real({20, 3, 3, 3}), real({20})}},
    {"conv2d by Winograd",
     [](const Tensor& x, const Tensor& w) { return conv2d(x, w, {}, {.padding = 1}); },
     {real({19, 18, 20, 21}), real({24, 18, 3, 3})}},
    {"conv2d by Winograd, whole vectors",
     [](const Tensor& x, const Tensor& w) { return conv2d(x, w, {}, {.padding = 1}); },
     {real({19, 16, 20, 21}), real({32, 16, 3, 3})}},
    {"conv2d in groups",
     [](const Tensor& x, const Tensor& w) { return conv2d(x, w, {}, {.stride = 2, .groups = 3}); },
     {real({10, 6, 20, 21}), real({9, 2, 3, 3})}},
    {"conv2d of one picture",
     [](const Tensor& x, const Tensor& w) { return conv2d(x, w); },
     {real({1, 16, 40, 40}), real({32, 16, 3, 3})}},
    {"conv2d of no picture",
     [](const Tensor& x, const Tensor& w) { return conv2d(x, w); },
     {real({0, 3, 9, 9}), real({4, 3, 3, 3})}},
    {"conv_transpose2d",
     [](const Tensor& x, const Tensor& w) { return conv_transpose2d(x, w, {}, {.stride = 2}); },
     {real({9, 8, 10, 11}), real({8, 6, 3, 3})}},
    {"conv1d",
     [](const Tensor& x, const Tensor& w) { return conv1d(x, w); },
     {real({20, 8, 200}), real({16, 8, 5})}},
    {"lstm",
     [](const Tensor& x, const Tensor& w, const Tensor& u, const Tensor& b) {
       const LstmOutput r = lstm(x, {}, {}, {w, u, b, b});
       return Tensors{r.y, r.h, r.c};
     },
     {real({7, 33, 40}), real({400, 40}, -0.2, 0.2), real({400, 100}, -0.2, 0.2), real({400})}},
    {"gru",
     [](const Tensor& x, const Tensor& w, const Tensor& u) {
       const RecurrentOutput r = gru(x, {}, {w, u});
       return Tensors{r.y, r.h};
     },
     {real({7, 33, 40}), real({300, 40}, -0.2, 0.2), real({300, 100}, -0.2, 0.2)}},
    {"attention",
     [](const Tensor& q, const Tensor& k, const Tensor& v) {
       return scaled_dot_product_attention(q, k, v, {.dropout_p = 0.1, .is_causal = true});
     },
     {real({2, 3, 150, 32}), real({2, 3, 150, 32}), real({2, 3, 150, 32})}},
    {"attention of one head",
     [](const Tensor& q, const Tensor& k, const Tensor& v) {
       return scaled_dot_product_attention(q, k, v);
     },
     {real({1, 1, 60, 64}), real({1, 1, 200, 64}), real({1, 1, 200, 64})}},
    {"solve",
     [](const Tensor& a, const Tensor& b) { return solve(a + 40 * eye(200, 200, a.dtype()), b); },
     {real({200, 200}), real({200, 90})}},
    {"cholesky of one large matrix",
     [](const Tensor& a) { return cholesky(matmul(a, a.t()) + 200 * eye(400, 400, a.dtype())); },
     {real({400, 400})}},
    {"eigenvalues, singular values, qr",
     [](const Tensor& a) {
       return Tensors{eigvalsh(a + a.t()), svdvals(a), qr(a).r};
     },
     {real({150, 150})}},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(deterministic)

BOOST_AUTO_TEST_CASE(kernels_of_our_own_give_the_same_bits_for_any_number_of_threads) {
  const Mode mode(false);
  check(kOwn);
}

BOOST_AUTO_TEST_CASE(in_deterministic_mode_all_do) {
  const Mode mode(true);
  check(kByLibraries);
}

BOOST_AUTO_TEST_CASE(and_with_operands_rounded) {
  const Mode mode(true);
  const Autocast autocast;
  check(kByLibraries, {float32});
}

BOOST_AUTO_TEST_CASE(values_are_those_of_the_other_mode) {
  for (const Case& c : kByLibraries) {
    for (const DType dtype : {float32, float64}) {
      const auto in_mode = [&](bool deterministic) {
        const Mode mode(deterministic);
        return run(c, dtype);
      };
      const Tensors one = in_mode(true), other = in_mode(false);
      for (std::size_t i = 0; i < one.size(); ++i) {
        const std::string wrong =
            difference(one[i], to_array(other[i]), dtype == float32 ? 1e-4 : 1e-11);
        BOOST_TEST(wrong.empty(),
                   c.name << ", " << name(dtype) << ", result " << i << ": " << wrong);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(the_mode_is_off_at_first_and_of_all_threads) {
  BOOST_TEST(!are_deterministic_algorithms_enabled());
  const Mode mode(true);
  bool seen = false;
  std::thread([&] { seen = are_deterministic_algorithms_enabled(); }).join();
  BOOST_TEST(seen);
}

BOOST_AUTO_TEST_SUITE_END()
