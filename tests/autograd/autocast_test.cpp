// SPDX-License-Identifier: BSD-3-Clause
// Products of rounded operands. What is rounded is known exactly, so results are those of float64
// on rounded numbers, to float32's precision.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include <xtape/autograd/autograd.hpp>
#include <xtape/autograd/kernels/winograd.hpp>

#include "expect.hpp"
#include "samples.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

constexpr double kFloat = 4e-6, kRounding = 1e-4;

// To 8 bits, ties to even, by arithmetic.
Tensor near(const Tensor& x) {
  Array a = to_array(x.detach());
  for (long double& v : a.values) {
    int exponent = 0;
    std::frexp(v, &exponent);
    v = std::ldexp(std::nearbyint(std::ldexp(v, 8 - exponent)), exponent - 8);
  }
  return to_tensor(a, x.dtype());
}

Tensors near(const Tensors& x) {
  Tensors y;
  for (const Tensor& t : x) y.push_back(near(t));
  return y;
}

// A function linear in each of its two arguments.
struct Case {
  const char* name;
  Function f;
  Sample inputs;
};

struct Numbers {
  Tensors x;  // arguments
  Tensor g;   // gradient of the result
  Tensors u;  // and of the arguments' gradients
};

// The result, the gradients of x, and those of x and g given `u`. The scope ends before the sweeps.
Tensors orders(const Case& c, const Numbers& n, bool autocast) {
  Tensors x;
  for (const Tensor& t : n.x) x.push_back(t.detach().clone().requires_grad_());
  const Tensor g = n.g.clone().requires_grad_();
  Tensor y;
  {
    const Autocast scope(autocast);
    y = c.f(x)[0];
  }
  const Tensors first = grad({y}, x, {.grad_outputs = {g}, .create_graph = true});
  const Tensors second = grad(first, {x[0], x[1], g}, {.grad_outputs = n.u});
  return {y, first[0], first[1], second[0], second[1], second[2]};
}

const char* const kParts[] = {"result", "d/da", "d/db", "d2/da", "d2/db", "d2/dg"};

const std::vector<Case> kCases{
    {"matmul",
     [](const Tensor& a, const Tensor& b) { return matmul(a, b); },
     {real({130, 70}), real({70, 90})}},
    {"small matmul",
     [](const Tensor& a, const Tensor& b) { return matmul(a, b); },
     {real({3, 4}), real({4, 5})}},
    {"matmul of transposed",
     [](const Tensor& a, const Tensor& b) { return matmul(a.t(), b.t()); },
     {real({70, 130}), real({90, 70})}},
    {"matmul of gaps",
     [](const Tensor& a, const Tensor& b) {
       return matmul(narrow(a, 1, 3, 70), narrow(b, 1, 2, 90));
     },
     {real({130, 75}), real({70, 95})}},
    {"vector and matrix",
     [](const Tensor& a, const Tensor& b) { return matmul(a, b); },
     {real(Shape{170}), real({170, 90})}},
    {"bmm",
     [](const Tensor& a, const Tensor& b) { return bmm(a, b); },
     {real({6, 20, 30}), real({6, 30, 25})}},
    {"bmm of large ones",
     [](const Tensor& a, const Tensor& b) { return bmm(a, b); },
     {real({2, 260, 270}), real({2, 270, 280})}},
    {"one matrix for a batch",
     [](const Tensor& a, const Tensor& b) { return matmul(a, b); },
     {real({4, 33, 64}), real({64, 48})}},
    {"linear",
     [](const Tensor& x, const Tensor& w) { return linear(x, w, linspace(-1, 1, 260, x.dtype())); },
     {real({140, 200}), real({260, 200})}},
    {"addmm",
     [](const Tensor& a, const Tensor& b) { return addmm(ones({70}, a.dtype()), a, b, 2, 0.5); },
     {real({80, 60}), real({60, 70})}},
    {"einsum",
     [](const Tensor& a, const Tensor& b) {
       return einsum("bij,bkj->bik", {a, b});
     },
     {real({3, 40, 50}), real({3, 60, 50})}},
    {"tensordot",
     [](const Tensor& a, const Tensor& b) { return tensordot(a, b, 2); },
     {real({30, 8, 9}), real({8, 9, 40})}},
    {"conv2d",
     [](const Tensor& x, const Tensor& w) { return conv2d(x, w, linspace(-1, 1, 20, x.dtype())); },
     {real({5, 3, 12, 13}), real({20, 3, 3, 3})}},
    {"conv2d of many channels",
     [](const Tensor& x, const Tensor& w) { return conv2d(x, w, {}, {.padding = 1}); },
     {real({3, 18, 16, 17}), real({24, 18, 3, 3})}},
    {"conv2d of few tiles",
     [](const Tensor& x, const Tensor& w) { return conv2d(x, w, {}, {.padding = 1}); },
     {real({2, 16, 8, 8}), real({32, 16, 3, 3})}},
    {"conv2d in groups",
     [](const Tensor& x, const Tensor& w) { return conv2d(x, w, {}, {.stride = 2, .groups = 3}); },
     {real({4, 6, 12, 13}), real({9, 2, 3, 3})}},
    {"conv2d by depth",
     [](const Tensor& x, const Tensor& w) {
       return conv2d(x, w, {}, {.padding = 1, .groups = 16});
     },
     {real({3, 16, 9, 8}), real({16, 1, 3, 3})}},
    {"conv2d of pixels",
     [](const Tensor& x, const Tensor& w) { return conv2d(x, w); },
     {real({4, 24, 7, 9}), real({32, 24, 1, 1})}},
    {"conv2d of a view",
     [](const Tensor& x, const Tensor& w) { return conv2d(flip(x, {3}), transpose(w, 0, 1)); },
     {real({2, 5, 9, 8}), real({5, 7, 3, 2})}},
    {"conv1d",
     [](const Tensor& x, const Tensor& w) { return conv1d(x, w); },
     {real({5, 8, 60}), real({16, 8, 5})}},
    {"conv3d",
     [](const Tensor& x, const Tensor& w) { return conv3d(x, w); },
     {real({2, 3, 5, 6, 7}), real({4, 3, 2, 3, 3})}},
    {"conv_transpose2d",
     [](const Tensor& x, const Tensor& w) { return conv_transpose2d(x, w, {}, {.stride = 2}); },
     {real({4, 8, 7, 6}), real({8, 6, 3, 3})}},
};

Numbers numbers_of(const Case& c) {
  Random random(3);
  Numbers n;
  n.x = converted(make(c.inputs, random, {}), float32);
  n.g = random_gradient(c.f(n.x)[0], random);
  for (const Tensor& x : n.x) n.u.push_back(random_gradient(x, random));
  return n;
}

void check_case(const Case& c) {
  const Numbers n = numbers_of(c);
  const Numbers rounded{converted(near(n.x), float64), near(n.g).to(float64),
                        converted(near(n.u), float64)};
  const Tensors got = orders(c, n, true), plain = orders(c, n, false);
  const Tensors expected = orders(c, rounded, false);
  for (std::size_t i = 0; i < got.size(); ++i) {
    const Array right = to_array(expected[i]);
    const std::string wrong = difference(got[i], right, kFloat);
    BOOST_TEST(wrong.empty(), c.name << ", " << kParts[i] << ": " << wrong);
    BOOST_TEST(!difference(plain[i], right, kRounding).empty(),
               c.name << ", " << kParts[i] << ": rounding makes no difference");
    BOOST_TEST((got[i].dtype() == float32));
  }
}

// Results and gradients, all of it in the scope.
Tensors run(const Case& c, DType dtype, bool autocast) {
  const Autocast scope(autocast);
  manual_seed(5);
  Random random(7);
  Tensors x = converted(make(c.inputs, random, {}), dtype), leaves;
  for (Tensor& t : x) {
    if (is_floating(t.dtype())) leaves.push_back(t.requires_grad_());
  }
  Tensors results = c.f(x), seeds;
  for (const Tensor& y : results) seeds.push_back(random_gradient(y, random));
  for (const Tensor& g : grad(results, leaves, {.grad_outputs = seeds})) results.push_back(g);
  return results;
}

void check_same(const Case& c, DType dtype) {
  const Tensors with = run(c, dtype, true), without = run(c, dtype, false);
  for (std::size_t i = 0; i < with.size(); ++i) {
    BOOST_TEST(same_bits(with[i], without[i]), c.name << ", " << i << ", " << name(dtype));
  }
}

Tensor symmetric(const Tensor& x) { return x + x.t() + 20 * eye(40, 40, x.dtype()); }

const std::vector<Case> kUntouched{
    {"mv",
     [](const Tensor& a, const Tensor& b) { return mv(a, b); },
     {real({40, 50}), real(Shape{50})}},
    {"dot",
     [](const Tensor& a, const Tensor& b) { return dot(a, b); },
     {real(Shape{50}), real(Shape{50})}},
    {"outer",
     [](const Tensor& a, const Tensor& b) { return outer(a, b); },
     {real(Shape{50}), real(Shape{40})}},
    {"layer_norm", [](const Tensor& x) { return layer_norm(x, {50}); }, {real({40, 50})}},
    {"softmax", [](const Tensor& x) { return softmax(x, 1); }, {real({40, 50})}},
    {"attention",
     [](const Tensor& q, const Tensor& k, const Tensor& v) {
       return scaled_dot_product_attention(q, k, v, {.is_causal = true});
     },
     {real({2, 70, 32}), real({2, 70, 32}), real({2, 70, 32})}},
    {"affine_grid",
     [](const Tensor& t) {
       return affine_grid(t, {3, 1, 20, 20});
     },
     {real({3, 2, 3})}},
    {"solve",
     [](const Tensor& a, const Tensor& b) { return solve(symmetric(a), b); },
     {real({40, 40}), real({40, 30})}},
    {"inv", [](const Tensor& a) { return inv(symmetric(a)); }, {real({40, 40})}},
    {"slogdet", [](const Tensor& a) { return slogdet(symmetric(a)).logabsdet; }, {real({40, 40})}},
    {"cholesky", [](const Tensor& a) { return cholesky(symmetric(a)); }, {real({40, 40})}},
    {"solve_triangular",
     [](const Tensor& a, const Tensor& b) {
       return solve_triangular(symmetric(a), b, {.upper = true});
     },
     {real({40, 40}), real({40, 30})}},
    {"qr", [](const Tensor& a) { return qr(a).r; }, {real({40, 30})}},
    {"lstsq",
     [](const Tensor& a, const Tensor& b) { return lstsq(a, b).solution; },
     {real({40, 20}), real({40, 3})}},
    {"eigvalsh", [](const Tensor& a) { return eigvalsh(symmetric(a)); }, {real({40, 40})}},
    {"svdvals", [](const Tensor& a) { return svdvals(a); }, {real({40, 20})}},
    {"pinv", [](const Tensor& a) { return pinv(a); }, {real({40, 20})}},
};

// What the Winograd kernels serve, in both orders of memory.
const std::vector<Case> kWinograd{
    {"conv2d of channels first",
     [](const Tensor& x, const Tensor& w) { return conv2d(x, w, {}, {.padding = 1}); },
     {real({3, 16, 16, 16}), real({32, 16, 3, 3})}},
    {"conv2d of channels last",
     [](const Tensor& x, const Tensor& w) {
       return conv2d(permute(x, {0, 3, 1, 2}), w, {}, {.padding = 1});
     },
     {real({3, 16, 16, 16}), real({32, 16, 3, 3})}},
};
constexpr kernels::ConvolutionShape kWinogradShape{.batch = 3,
                                                   .in_channels = 16,
                                                   .in_height = 16,
                                                   .in_width = 16,
                                                   .out_channels = 32,
                                                   .out_height = 16,
                                                   .out_width = 16,
                                                   .kernel_height = 3,
                                                   .kernel_width = 3,
                                                   .pad_top = 1,
                                                   .pad_left = 1};

struct Layer {
  Tensor x, h0, c0;
  RecurrentWeights w;

  Layer(std::int64_t steps, std::int64_t rows, DType dtype = float32) {
    Random random(9);
    const auto draw = [&](const Shape& shape, double size) {
      return make(real(shape, -size, size), random, {}).to(float32).to(dtype).detach();
    };
    x = draw({steps, rows, 40}, 1);
    h0 = draw({rows, 64}, 1);
    c0 = draw({rows, 64}, 1);
    w = {draw({256, 40}, 0.3), draw({256, 64}, 0.3), draw({256}, 1), draw({256}, 1)};
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(autocast)

BOOST_AUTO_TEST_CASE(operands_are_rounded_in_results_and_gradients_of_both_orders) {
  for (const Case& c : kCases) check_case(c);
}

BOOST_AUTO_TEST_CASE(in_deterministic_mode_too) {
  use_deterministic_algorithms(true);
  for (const Case& c : kCases) check_case(c);
  use_deterministic_algorithms(false);
}

BOOST_AUTO_TEST_CASE(rounding_is_to_the_nearest_and_to_even) {
  const float inf = std::numeric_limits<float>::infinity();
  const Tensor one = ones({1, 1});
  const auto rounded = [&](double x) {
    const Autocast scope;
    return matmul(full({1, 1}, x), one).item<double>();
  };
  const double unit = 0x1p-7;  // of the last digit between 1 and 2
  for (const double x : {1.0, -1.5, 1 + unit, 0.0, -3 * 0x1p100}) BOOST_TEST(rounded(x) == x);
  BOOST_TEST(rounded(1 + 0.5 * unit) == 1);
  BOOST_TEST(rounded(1 + 1.5 * unit) == 1 + 2 * unit);
  BOOST_TEST(rounded(1 + 0.5 * unit + 0x1p-23) == 1 + unit);
  BOOST_TEST(rounded(-1 - 0.5 * unit + 0x1p-23) == -1);
  BOOST_TEST(rounded(2 - 0x1p-23) == 2);
  BOOST_TEST(rounded(std::numeric_limits<float>::max()) == inf);
  BOOST_TEST(rounded(-inf) == -inf);
  BOOST_TEST(std::isnan(rounded(std::nan(""))));
}

BOOST_AUTO_TEST_CASE(float64_and_other_operations_are_untouched) {
  for (const Case& c : kCases) check_same(c, float64);
  for (const Case& c : kUntouched) check_same(c, float32);
}

BOOST_AUTO_TEST_CASE(convolutions_that_are_faster_in_float32_are_untouched) {
  for (const Case& c : kWinograd) {
    if (kernels::winograd::pays(kWinogradShape)) {
      check_same(c, float32);
    } else {
      check_case(c);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_gradient_of_a_bias_is_summed_as_it_is) {
  const Case c{"linear",
               [](const Tensor& x, const Tensor& w, const Tensor& b) { return linear(x, w, b); },
               {real({70, 150}), real({65, 150}), real({65})}};
  BOOST_TEST(same_bits(run(c, float32, true)[3], run(c, float32, false)[3]));
  const Case d{"conv2d",
               [](const Tensor& x, const Tensor& w, const Tensor& b) { return conv2d(x, w, b); },
               {real({5, 3, 12, 13}), real({20, 3, 3, 3}), real({20})}};
  BOOST_TEST(same_bits(run(d, float32, true)[3], run(d, float32, false)[3]));
}

BOOST_AUTO_TEST_CASE(a_cell_rounds_inputs_state_and_weights) {
  for (const std::int64_t rows : {32, 2}) {  // packed and not
    const Layer given(1, rows), exact(1, rows, float64);
    const auto step = [](const Layer& l, auto as) {
      const RecurrentWeights w{as(l.w.weight_ih), as(l.w.weight_hh), l.w.bias_ih, l.w.bias_hh};
      return lstm(as(l.x), as(l.h0), l.c0, w).h;
    };
    const auto itself = [](const Tensor& x) { return x; };
    const Array right = to_array(step(exact, [](const Tensor& x) { return near(x); }));
    BOOST_TEST(!difference(step(given, itself), right, kRounding).empty());
    const Autocast scope;
    BOOST_TEST(difference(step(given, itself), right, kFloat) == "");
  }
}

BOOST_AUTO_TEST_CASE(a_recurrent_layer_and_its_gradients_stay_near) {
  for (const std::int64_t rows : {16, 2}) {
    const auto gradients = [&](bool autocast) {
      Layer l(5, rows);
      Tensors leaves{l.x, l.h0, l.w.weight_ih, l.w.weight_hh};
      for (Tensor& t : leaves) t.requires_grad_();
      LstmOutput y;
      {
        const Autocast scope(autocast);
        y = lstm(l.x, l.h0, l.c0, l.w);
      }
      Tensors all = grad({sum(square(y.y))}, leaves, {.retain_graph = true});
      const Tensor slope = grad({sum(square(y.y))}, {l.x}, {.create_graph = true})[0];
      all.push_back(grad({sum(square(slope))}, {l.w.weight_hh})[0]);
      return all;
    };
    const Tensors with = gradients(true), without = gradients(false);
    for (std::size_t i = 0; i < with.size(); ++i) {
      const Array right = to_array(without[i]);
      BOOST_TEST(difference(with[i], right, 0.1) == "", "rows " << rows << ", gradient " << i);
      BOOST_TEST(!difference(with[i], right, kRounding).empty(), "gradient " << i);
    }
  }
}

BOOST_AUTO_TEST_CASE(scopes_nest_and_are_of_their_thread) {
  BOOST_TEST(!is_autocast_enabled());
  {
    const Autocast outer;
    BOOST_TEST(is_autocast_enabled());
    {
      const Autocast inner(false);
      BOOST_TEST(!is_autocast_enabled());
    }
    BOOST_TEST(is_autocast_enabled());
    bool there = true, after = false;
    std::thread([&] {
      there = is_autocast_enabled();
      const Autocast own;
      after = is_autocast_enabled();
    }).join();
    BOOST_TEST(!there);
    BOOST_TEST(after);
  }
  BOOST_TEST(!is_autocast_enabled());
}

BOOST_AUTO_TEST_CASE(a_sweep_follows_what_was_recorded) {
  const Numbers n = numbers_of(kCases[0]);
  const auto gradient = [&](bool recorded, bool swept, bool other_thread) {
    const Tensor a = n.x[0].clone().requires_grad_();
    Tensor y, result;
    {
      const Autocast scope(recorded);
      y = matmul(a, n.x[1]);
    }
    const auto sweep = [&] {
      const Autocast scope(swept);
      result = grad({y}, {a}, {.grad_outputs = {n.g}})[0];
      BOOST_TEST(is_autocast_enabled() == swept);
    };
    other_thread ? std::thread(sweep).join() : sweep();
    return result;
  };
  const Tensor plain = gradient(false, false, false), rounded = gradient(true, true, false);
  BOOST_TEST(!same_bits(plain, rounded));
  BOOST_TEST(same_bits(gradient(false, true, false), plain));
  BOOST_TEST(same_bits(gradient(true, false, false), rounded));
  BOOST_TEST(same_bits(gradient(true, false, true), rounded));
}

BOOST_AUTO_TEST_CASE(a_checkpoint_runs_again_as_it_ran) {
  const Numbers n = numbers_of(kCases[0]);
  const auto gradient = [&](bool checkpointed) {
    const Tensor a = n.x[0].clone().requires_grad_();
    const auto f = [&](const Tensor& x) {
      return tanh(matmul(tanh(matmul(x, n.x[1])), n.x[1].t()));
    };
    Tensor y;
    {
      const Autocast scope;
      y = checkpointed ? checkpoint(f, a) : f(a);
    }
    return grad({sum(y)}, {a})[0];
  };
  BOOST_TEST(same_bits(gradient(true), gradient(false)));
}

BOOST_AUTO_TEST_CASE(the_tape_keeps_what_it_keeps_without) {
  const auto live = [](bool autocast) {
    const std::int64_t before = memory::stats().live_bytes;
    const Autocast scope(autocast);
    const Tensor x = ones({100, 200}), w = ones({300, 200}).requires_grad_();
    const Tensor y = relu(linear(x, w));
    return memory::stats().live_bytes - before;
  };
  BOOST_TEST(live(true) == live(false));
}

BOOST_AUTO_TEST_SUITE_END()
