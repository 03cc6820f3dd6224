// SPDX-License-Identifier: BSD-3-Clause
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <numeric>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/ops/shape.hpp>
#include <xtape/autograd/parallel.hpp>

#include "../expect.hpp"
#include "../rows.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

using Group = std::vector<long double>;
constexpr long double kInfinity = std::numeric_limits<long double>::infinity();

long double total(const Group& x) { return std::accumulate(x.begin(), x.end(), 0.0L); }
long double product_of(const Group& x) {
  return std::accumulate(x.begin(), x.end(), 1.0L, std::multiplies<>());
}
bool has_nan(const Group& x) {
  return std::any_of(x.begin(), x.end(), [](long double v) { return std::isnan(v); });
}
long double largest(const Group& x) {
  return has_nan(x) ? std::nanl("") : *std::max_element(x.begin(), x.end());
}
long double smallest(const Group& x) {
  return has_nan(x) ? std::nanl("") : *std::min_element(x.begin(), x.end());
}
long double variance(const Group& x, long double correction) {
  const long double count = static_cast<long double>(x.size()), mean = total(x) / count;
  long double sum = 0;
  for (const long double v : x) sum += (v - mean) * (v - mean);
  return sum / (count - correction);
}
long double log_sum_exp(const Group& x) {
  if (x.empty()) return -kInfinity;
  const long double top = largest(x);
  if (std::isinf(top) || std::isnan(top)) return top;
  long double sum = 0;
  for (const long double v : x) sum += std::exp(v - top);
  return top + std::log(sum);
}
long double norm_of(const Group& x, long double p) {
  long double sum = 0;
  for (const long double v : x) sum += std::pow(std::abs(v), p);
  return std::pow(sum, 1 / p);
}
Group magnitudes(Group x) {
  for (long double& v : x) v = std::abs(v);
  return x;
}
long double place_of(const Group& x, long double value) {
  return static_cast<long double>(std::find(x.begin(), x.end(), value) - x.begin());
}
Tensors both(const ValuesAndIndices& y) { return {y.values, y.indices}; }

const Rows rows({
    {.name = "sum",
     .f = [](const Tensor& x) { return sum(x); },
     .reference = [](const Array& x) { return reduced(x, {}, false, total); },
     .inputs = {{real({3, 4})}, {real({2, 3, 2}, -400, 400)}},
     .any_shape = true,
     .errors = {throws<IndexError>(
                    [] {
                      return sum(zeros({2, 3}), {2});
                    },
                    "expected dim in"),
                throws<IndexError>(
                    [] {
                      return sum(zeros({2, 3}), {1, -1});
                    },
                    "appears twice")}},
    {.name = "sum_dims",
     .f =
         [](const Tensor& x) {
           return sum(x, {0, -1}, true);
         },
     .reference =
         [](const Array& x) {
           return reduced(x, {0, x.shape.rank() - 1}, true, total);
         },
     .inputs = {{real({3, 4, 2})}, {real({40, 3, 50})}, {real({0, 3, 2})}, {real({2, 0, 3})}}},
    {.name = "sum_middle",
     .f = [](const Tensor& x) { return x.sum({1}); },
     .reference = [](const Array& x) { return reduced(x, {1}, false, total); },
     .inputs = {{real({3, 4, 2})}, {real({2, 70, 65})}, {real({5, 4})}, {real({300, 7})}}},
    {.name = "sum_to",
     .f =
         [](const Tensor& x) {
           return xtape::detail::sum_to(x, {3, 1});
         },
     .reference =
         [](const Array& x) {
           Array y = reduced(x, {0, 2}, false, total);
           y.shape = {3, 1};
           return y;
         },
     .inputs = {{real({2, 3, 4})}, {real({1, 3, 4})}},
     .errors = {throws<ShapeError>(
         [] {
           return xtape::detail::sum_to(zeros({2, 3}), {4, 3});
         },
         "[4, 3] does not broadcast to [2, 3]")},
     .without = {Check::undefined}},
    {.name = "mean",
     .f = [](const Tensor& x) { return mean(x); },
     .reference =
         [](const Array& x) {
           return reduced(x, {}, false, [](const Group& g) {
             return g.empty() ? std::nanl("") : total(g) / static_cast<long double>(g.size());
           });
         },
     .inputs = {{real({3, 4})}},
     .any_shape = true,
     .errors = {throws<DTypeError>([] { return mean(zeros({2}, int64)); }, "floating")}},
    {.name = "mean_dims",
     .f =
         [](const Tensor& x) {
           return x.mean({1, 2});
         },
     .reference =
         [](const Array& x) {
           return reduced(x, {1, 2}, false, [](const Group& g) {
             return total(g) / static_cast<long double>(g.size());
           });
         },
     .inputs = {{real({3, 4, 2})}, {real({2, 30, 40})}}},
    {.name = "prod",
     .f = [](const Tensor& x) { return prod(x, {1}); },
     .reference = [](const Array& x) { return reduced(x, {1}, false, product_of); },
     .inputs = {{real({3, 4})},
                {real({2, 5, 2})},
                {given({3, 3}, {0, 2, -1, 0, 0, 3, 1, 2, 0})},
                {given({2, 4}, {0, 2, 0, 1.5L, 2, 0, 3, 1})},
                {real({2, 1})},
                {real({2, 0})}}},
    {.name = "prod_all",
     .f = [](const Tensor& x) { return prod(x, {}, true); },
     .reference = [](const Array& x) { return reduced(x, {}, true, product_of); },
     .inputs = {{real({3, 4})}, {real({})}, {real({5, 0})}}},
    {.name = "amax",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return amax(x, {0}); },
     .reference = [](const Array& x) { return reduced(x, {0}, false, largest); },
     .inputs = {{distinct({3, 4})}, {distinct({5, 40})}, {distinct({70, 3})}, {distinct({40})}},
     .errors = {throws<ValueError>(
         [] {
           return amax(zeros({0, 3}), {0});
         },
         "no elements")}},
    {.name = "amax_inner",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return amax(x, {-1}, true); },
     .reference = [](const Array& x) { return reduced(x, {x.shape.rank() - 1}, true, largest); },
     .inputs = {{distinct({3, 4})}, {distinct({2, 3, 133})}}},
    {.name = "amin",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return amin(x); },
     .reference = [](const Array& x) { return reduced(x, {}, false, smallest); },
     .inputs = {{distinct({3, 4})}, {distinct({3, 5, 7})}}},
    {.name = "max",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return both(max(x, 1)); },
     .reference =
         [](const Array& x) {
           return Arrays{
               reduced(x, {1}, false, largest),
               reduced(x, {1}, false, [](const Group& g) { return place_of(g, largest(g)); })};
         },
     .inputs = {{distinct({3, 4})}, {distinct({2, 100})}, {distinct({2, 5, 30})}},
     .errors = {throws<ValueError>(
                    [] {
                      return max(zeros({2, 0}), 1).values;
                    },
                    "no elements"),
                throws<IndexError>([] { return max(zeros({2}), 1).values; }, "expected dim in")}},
    {.name = "min",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return both(min(x, 0, true)); },
     .reference =
         [](const Array& x) {
           return Arrays{reduced(x, {0}, true, smallest), reduced(x, {0}, true, [](const Group& g) {
                           return place_of(g, smallest(g));
                         })};
         },
     .inputs = {{distinct({3, 4})}, {distinct({70})}, {distinct({4, 3, 5})}}},
    {.name = "argmax",
     .kind = Kind::no_gradient,
     .f = [](const Tensor& x) { return argmax(x, -1, true); },
     .reference =
         [](const Array& x) {
           return reduced(x, {x.shape.rank() - 1}, true,
                          [](const Group& g) { return place_of(g, largest(g)); });
         },
     .inputs = {{distinct({3, 4})}, {distinct({2, 3, 200})}, {integer({4, 300}, 0, 5)}},
     .errors = {throws<ValueError>([] { return argmax(zeros({0})); }, "no elements")}},
    {.name = "argmin",
     .kind = Kind::no_gradient,
     .f = [](const Tensor& x) { return argmin(x); },
     .reference =
         [](const Array& x) {
           return reduced(x, {}, false, [](const Group& g) { return place_of(g, smallest(g)); });
         },
     .inputs = {{distinct({3, 4})}, {distinct({500})}, {integer({4, 30}, 0, 5)}}},
    {.name = "var",
     .f = [](const Tensor& x) { return var(x, {1}); },
     .reference =
         [](const Array& x) {
           return reduced(x, {1}, false, [](const Group& g) { return variance(g, 1); });
         },
     .inputs = {{real({3, 4})}, {real({2, 50, 3})}, {real({2, 90})}},
     .errors = {throws<DTypeError>([] { return var(zeros({2}, int64)); }, "floating")}},
    {.name = "var_all",
     .f = [](const Tensor& x) { return var(x, {}, 0, true); },
     .reference =
         [](const Array& x) {
           return reduced(x, {}, true, [](const Group& g) { return variance(g, 0); });
         },
     .inputs = {{real({3, 4})}, {real({7}, 100, 101)}},
     .tolerance = 1e-12,
     .tolerance32 = 1e-4},
    {.name = "std",
     .f = [](const Tensor& x) { return xtape::std(x, {0}); },
     .reference =
         [](const Array& x) {
           return reduced(x, {0}, false, [](const Group& g) { return std::sqrt(variance(g, 1)); });
         },
     .inputs = {{real({3, 4})}, {real({40, 20})}}},
    {.name = "logsumexp",
     .f = [](const Tensor& x) { return logsumexp(x, {1}); },
     .reference = [](const Array& x) { return reduced(x, {1}, false, log_sum_exp); },
     .inputs = {{real({3, 4})},
                {real({2, 90})},
                {real({2, 5, 40})},
                {real({3, 4}, 9998, 10002)},
                {real({3, 4}, -400, 400)}},
     .errors = {throws<DTypeError>([] { return logsumexp(zeros({2}, int64)); }, "floating")}},
    {.name = "norm",
     .f = [](const Tensor& x) { return norm(x, 2, {1}); },
     .reference =
         [](const Array& x) {
           return reduced(x, {1}, false, [](const Group& g) { return norm_of(g, 2); });
         },
     .inputs = {{real({3, 4})}, {real({2, 90})}, {real({2, 5, 40})}}},
    {.name = "norm_p",
     .f =
         [](const Tensor& x) {
           return Tensors{norm(x, 3), norm(x, 1), norm(x, 1.5, {0}), norm(x, 0)};
         },
     .reference =
         [](const Array& x) {
           const auto of = [](long double p) {
             return [p](const Group& g) { return norm_of(g, p); };
           };
           return Arrays{reduced(x, {}, false, of(3)), reduced(x, {}, false, of(1)),
                         reduced(x, {0}, false, of(1.5L)),
                         Array{{}, {static_cast<long double>(x.values.size())}}};
         },
     .inputs = {{real({3, 4}, 0.5, 2)}},
     .errors = {throws<ValueError>([] { return norm(zeros({2}), std::nan("")); }, "p is not")}},
    {.name = "norm_infinite",
     .kind = Kind::kinked,
     .f =
         [](const Tensor& x) {
           constexpr double infinity = std::numeric_limits<double>::infinity();
           return Tensors{norm(x, infinity, {1}), norm(x, -infinity)};
         },
     .reference =
         [](const Array& x) {
           return Arrays{
               reduced(x, {1}, false, [](const Group& g) { return largest(magnitudes(g)); }),
               reduced(x, {}, false, [](const Group& g) { return smallest(magnitudes(g)); })};
         },
     .inputs = {{given({2, 3}, {0.5L, -1, 2, -3, 1.5L, 2.5L})}}},
    {.name = "count_nonzero",
     .kind = Kind::no_gradient,
     .f =
         [](const Tensor& x) {
           return Tensors{count_nonzero(x), count_nonzero(x, {1})};
         },
     .reference =
         [](const Array& x) {
           const auto count = [](const Group& g) {
             return static_cast<long double>(g.size()) - std::count(g.begin(), g.end(), 0.0L);
           };
           return Arrays{reduced(x, {}, false, count), reduced(x, {1}, false, count)};
         },
     .inputs = {{integer({3, 4}, -1, 2)}, {given({1, 3}, {0, std::nanl(""), 2})}, {flags({2, 3})}}},
    {.name = "var_mean",
     .f =
         [](const Tensor& x) {
           const auto [v, m] = var_mean(x, {1}, 0, true);
           return Tensors{v, m};
         },
     .reference =
         [](const Array& x) {
           const auto mean = [](const Group& g) { return total(g) / std::ssize(g); };
           return Arrays{reduced(x, {1}, true, [](const Group& g) { return variance(g, 0); }),
                         reduced(x, {1}, true, mean)};
         },
     .inputs = {{real({3, 4})}}},
    {.name = "std_mean",
     .f =
         [](const Tensor& x) {
           const auto [s, m] = std_mean(x);
           return Tensors{s, m};
         },
     .reference =
         [](const Array& x) {
           const auto mean = [](const Group& g) { return total(g) / std::ssize(g); };
           return Arrays{
               reduced(x, {}, false, [](const Group& g) { return std::sqrt(variance(g, 1)); }),
               reduced(x, {}, false, mean)};
         },
     .inputs = {{real({3, 4})}}},
    {.name = "all",
     .kind = Kind::no_gradient,
     .f = [](const Tensor& x) { return all(x, {1}); },
     .reference =
         [](const Array& x) {
           return reduced(x, {1}, false, [](const Group& g) {
             return std::all_of(g.begin(), g.end(), [](long double v) { return v != 0; });
           });
         },
     .inputs = {{flags({30, 3})}, {integer({9, 40}, 0, 20)}, {flags({3, 0})}}},
    {.name = "any",
     .kind = Kind::no_gradient,
     .f = [](const Tensor& x) { return any(x, {0}); },
     .reference =
         [](const Array& x) {
           return reduced(x, {0}, false, [](const Group& g) {
             return std::any_of(g.begin(), g.end(), [](long double v) { return v != 0; });
           });
         },
     .inputs = {{flags({3, 30})}, {integer({3, 40}, -1, 1)}, {flags({0, 3})}}},
});

BOOST_AUTO_TEST_SUITE(reductions)

BOOST_AUTO_TEST_CASE(norms_have_finite_gradients_at_zeros) {
  for (const double p : {0.5, 1.0, 1.5, 2.0, 3.0}) {
    Tensor x = zeros({3}, float64).requires_grad_();
    norm(x, p).backward();
    XTAPE_SAME(x.grad(), {0, 0, 0});
    x = leaf({0, 3, 0});
    norm(x, p).backward();
    const std::vector<double> g = elements(x.grad());
    BOOST_TEST(g[1] == 1, boost::test_tools::tolerance(1e-14));
    BOOST_TEST((g[0] == 0 && g[2] == 0));
  }
}

BOOST_AUTO_TEST_CASE(norms_have_finite_second_derivatives_at_zeros) {
  const auto second = [](const auto& f) {
    const Tensor x = leaf({0, 0});
    const Tensor g = grad({f(x)}, {x}, {.create_graph = true})[0];
    return grad({g.sum()}, {x}, {.allow_unused = true})[0];
  };
  XTAPE_SAME(second([](const Tensor& x) { return norm(x); }), {0, 0});
  XTAPE_SAME(second([](const Tensor& x) { return norm(x, 3); }), {0, 0});
  XTAPE_SAME(second([](const Tensor& x) { return xtape::std(x); }), {0, 0});
}

BOOST_AUTO_TEST_CASE(many_ones_are_counted_exactly) {
  constexpr std::int64_t kCount = 20'000'000;
  const Tensor x = ones({kCount});
  BOOST_TEST(sum(x).item<double>() == static_cast<double>(kCount));
  BOOST_TEST(sum(x.view({2, kCount / 2}), {1})[0].item<double>() == kCount / 2.0);
  BOOST_TEST(sum(x.view({kCount / 4, 4}), {0})[3].item<double>() == kCount / 4.0);
  BOOST_TEST(sum(ones({1}).expand({kCount})).item<double>() == static_cast<double>(kCount));
}

BOOST_AUTO_TEST_CASE(integers_sum_to_int64) {
  BOOST_TEST((sum(full({300}, 255, uint8)).dtype() == int64));
  BOOST_TEST(sum(full({300}, 255, uint8)).item<std::int64_t>() == 300 * 255);
  BOOST_TEST(sum(ones({7, 9}, boolean)).item<std::int64_t>() == 63);
  BOOST_TEST(prod(full({3}, 5, int64)).item<std::int64_t>() == 125);
  BOOST_TEST(amax(tensor({3, 9, 2}, int64)).item<std::int64_t>() == 9);
  // In another dtype
  const Tensor x = tensor({3, 9, 2}, int64);
  BOOST_TEST((sum(x, {0}, true, float64).dtype() == float64));
  XTAPE_SAME(sum(tensor({0.5, 0.75}), {}, false, int64), {0});
  XTAPE_SAME(mean(x, {0}, false, float64), {14.0 / 3});
  XTAPE_SAME(prod(x, {0}, true, float32), {54});
}

// Every choice of dimensions from memory in every order, long enough for all paths of the kernels.
BOOST_AUTO_TEST_CASE(all_axes_of_all_layouts) {
  for (const Shape& shape :
       {Shape{3, 70, 5}, Shape{130, 2, 9}, Shape{2, 3, 600}, Shape{33, 40, 40}}) {
    Tensor base = empty(shape, float64);
    double* data = xtape::detail::fresh_data<double>(base);
    for (std::int64_t i = 0; i < base.numel(); ++i)
      data[i] = std::sin(0.7 * static_cast<double>(i));
    for (const Shape& order : {Shape{0, 1, 2}, Shape{2, 0, 1}, Shape{1, 2, 0}, Shape{2, 1, 0}}) {
      for (const bool reversed : {false, true}) {
        const Tensor x = reversed ? flip(base.permute(order), {0, 2}) : base.permute(order);
        const Array a = to_array(x);
        for (int mask = 1; mask < 8; ++mask) {
          Shape dims;
          std::vector<int> list;
          for (int i = 0; i < 3; ++i) {
            if (mask >> i & 1) dims.push_back(i), list.push_back(i);
          }
          const Array expected = reduced(a, list, false, total);
          const Array top = reduced(a, list, false, largest);
          const Array got = to_array(sum(x, dims)), single = to_array(sum(x.to(float32), dims));
          const Array got_top = to_array(amax(x, dims));
          for (std::size_t i = 0; i < expected.values.size(); ++i) {
            BOOST_TEST_REQUIRE(std::abs(got.values[i] - expected.values[i]) < 1e-11L);
            BOOST_TEST_REQUIRE(std::abs(single.values[i] - expected.values[i]) < 2e-4L);
            BOOST_TEST_REQUIRE(got_top.values[i] == top.values[i]);
          }
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(the_number_of_threads_does_not_matter) {
  Tensor x = empty({777, 1313});
  float* data = xtape::detail::fresh_data<float>(x);
  for (std::int64_t i = 0; i < x.numel(); ++i) data[i] = std::sin(static_cast<float>(i));
  const int before = num_threads();
  std::vector<Values> results;
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    Values all_sums = elements(sum(x));
    for (const int dim : {0, 1}) {
      for (const Tensor& y : {sum(x, {dim}), var(x, {dim}), logsumexp(x, {dim})}) {
        const Values v = elements(y);
        all_sums.insert(all_sums.end(), v.begin(), v.end());
      }
    }
    results.push_back(all_sums);
  }
  set_num_threads(before);
  BOOST_TEST((results[0] == results[1]));
  BOOST_TEST((results[0] == results[2]));
}

BOOST_AUTO_TEST_CASE(nan_is_kept) {
  for (const std::int64_t n : {1, 5, 33, 5000}) {
    for (const std::int64_t at : {std::int64_t{0}, n / 2, n - 1}) {
      Tensor x = ones({n});
      xtape::detail::fresh_data<float>(x)[at] = std::nanf("");
      const Tensor columns = x.view({n, 1}).expand({n, 40}).contiguous();
      BOOST_TEST(std::isnan(amax(x).item<float>()));
      BOOST_TEST(std::isnan(amin(x).item<float>()));
      for (const int j : {0, 39}) BOOST_TEST(std::isnan(amax(columns, {0})[j].item<float>()));
      BOOST_TEST(argmax(x).item<std::int64_t>() == at);
      BOOST_TEST(argmin(columns, 0)[20].item<std::int64_t>() == at);
      BOOST_TEST(std::isnan(max(x, 0).values.item<float>()));
      BOOST_TEST(std::isnan(sum(x).item<float>()));
      BOOST_TEST(std::isnan(logsumexp(x).item<float>()));
      BOOST_TEST(any(x).item<bool>());
    }
  }
}

BOOST_AUTO_TEST_CASE(ties) {
  const Tensor x = leaf({1, 3, 3, 2});
  amax(x).backward();
  BOOST_TEST((elements(x.grad()) == Values{0, 0.5, 0.5, 0}));
  const Tensor y = leaf({1, 3, 3, 2});
  const auto [values, indices] = max(y, 0);
  BOOST_TEST(indices.item<std::int64_t>() == 1);
  values.backward();
  BOOST_TEST((elements(y.grad()) == Values{0, 1, 0, 0}));
}

BOOST_AUTO_TEST_CASE(infinities_and_flat_places) {
  const double infinity = std::numeric_limits<double>::infinity();
  BOOST_TEST(logsumexp(full({3}, -infinity)).item<double>() == -infinity);
  BOOST_TEST(logsumexp(tensor({1, infinity, 2})).item<double>() == infinity);
  BOOST_TEST(logsumexp(full({4}, 1e4, float64)).item<double>() == 1e4 + std::log(4.0));
  BOOST_TEST(std::isnan(var(ones({1})).item<double>()));
  const Tensor none = full({3}, -infinity).requires_grad_();
  logsumexp(none).backward();
  BOOST_TEST((elements(none.grad()) == Values{0, 0, 0}));
  const Tensor x = leaf({2, 2, 2});
  (xtape::std(x) + norm(x - 2)).backward();
  BOOST_TEST((elements(x.grad()) == Values{0, 0, 0}));
}

BOOST_AUTO_TEST_CASE(the_gradient_of_a_sum_takes_no_memory) {
  const Tensor x = ones({100, 100}).requires_grad_();
  const Tensor y = x * 1;
  const std::vector<Tensor> g = grad({sum(y, {1}).sum()}, {y});
  BOOST_TEST((g[0].shape() == x.shape()));
  BOOST_TEST(g[0].strides()[1] == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
