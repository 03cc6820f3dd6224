// SPDX-License-Identifier: BSD-3-Clause
// The xtape column of docs/from-pytorch.md, row by row; the shapes and values are those that the
// other columns give (from_pytorch.py --pytorch computes them anew).
#include <xtape/xtape.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <vector>

using namespace xtape;

namespace {

int wrong = 0;

const Tensor a = tensor({{1, -2, 3}, {-4, 5, -6}}, float64);
const Tensor b = tensor({{2, 2, 1}, {0.5, 4, 3}}, float64);
const Tensor c = arange(1, 13, 1, float64).reshape({2, 2, 3});
const Tensor v = tensor({3, 1, 2}, float64);
const Tensor w = tensor({10, 20}, float64), w2 = w.unsqueeze(1);
const Tensor s = tensor({1, 2, 4}, float64);
const Tensor i = tensor({2, 0}, int64), j = tensor({2, 0, 2}, int64);
const Tensor k = i.unsqueeze(1), r = arange(2).unsqueeze(1);
Tensor x = a.clone();  // what is written to; anew for each row

void row(const Shape& shape, std::initializer_list<double> values, const Tensor& got) {
  static int count = 0;
  ++count;
  const Tensor y = xtape::detail::copy_contiguous(got.to(float64));
  const bool right =
      y.shape() == shape &&
      std::equal(values.begin(), values.end(), y.data<double>(), y.data<double>() + y.numel(),
                 [](double expected, double value) {
                   return std::abs(value - expected) <= 1e-7 * std::max(1.0, std::abs(expected));
                 });
  if (!right) std::printf("row %d: got %s, or other values\n", count, got.description().c_str());
  wrong += !right;
  x = a.clone();
}
void row(const Shape& shape, std::initializer_list<double> values, double got) {
  row(shape, values, scalar_tensor(got, float64));
}

// clang-format off
void rows() {
  // Making tensors
  row({2}, {1, 2}, tensor({1, 2}, float64));
  row({2, 2}, {1, 2, 3, 4}, tensor({{1, 2}, {3, 4}}, float64));
  row({2, 3}, {0, 0, 0, 0, 0, 0}, zeros({2, 3}, float64));
  row({2}, {7, 7}, full({2}, 7, float64));
  row({2, 3}, {1, 1, 1, 1, 1, 1}, ones_like(a));
  row({3}, {1, 3, 5}, arange(1, 7, 2));
  row({5}, {0, 0.25, 0.5, 0.75, 1}, linspace(0, 1, 5, float64));
  row({2, 3}, {1, 0, 0, 0, 1, 0}, eye(2, 3, float64));
  row({2, 3}, {1, -2, 3, -4, 5, -6}, a.clone());
  row({2, 3}, {1, -2, 3, -4, 5, -6}, a.to(float32));
  row({2, 3}, {1, -2, 3, -4, 5, -6}, a.to(int64));

  // Shapes
  row({3, 2}, {1, -2, 3, -4, 5, -6}, a.reshape({3, -1}));
  row({6}, {1, -2, 3, -4, 5, -6}, a.flatten());
  row({3, 2}, {1, -4, -2, 5, 3, -6}, a.t());
  row({3, 2}, {1, -4, -2, 5, 3, -6}, a.permute({1, 0}));
  row({2, 3, 2}, {1, 7, 2, 8, 3, 9, 4, 10, 5, 11, 6, 12}, movedim(c, 0, -1));
  row({1, 2, 3}, {1, -2, 3, -4, 5, -6}, a.unsqueeze(0));
  row({2, 1, 3}, {1, -2, 3, -4, 5, -6}, a[{slice(), none}]);
  row({2, 3}, {1, 2, 3, 4, 5, 6}, c[{slice(none, 1)}].squeeze());
  row({2, 3}, {3, 1, 2, 3, 1, 2}, v.expand({2, -1}));
  row({2, 6}, {1, -2, 3, 2, 2, 1, -4, 5, -6, 0.5, 4, 3}, cat({a, b}, 1));
  row({2, 2, 3}, {1, -2, 3, -4, 5, -6, 2, 2, 1, 0.5, 4, 3}, stack({a, b}));
  row({3, 3}, {1, -2, 3, -4, 5, -6, 3, 1, 2}, cat({a, v.unsqueeze(0)}));
  row({2, 2}, {-2, 3, 5, -6}, split(a, {1, 2}, 1)[1]);
  row({2, 2}, {1, -2, -4, 5}, chunk(a, 2, 1)[0]);
  row({2}, {3, -6}, unbind(a, 1)[2]);
  row({4, 3}, {1, -2, 3, -4, 5, -6, 1, -2, 3, -4, 5, -6}, repeat(a, {2, 1}));
  row({6}, {3, 3, 1, 1, 2, 2}, repeat_interleave(v, 2));
  row({2, 3}, {3, -2, 1, -6, 5, -4}, flip(a, {1}));
  row({2, 3}, {3, 1, -2, -6, -4, 5}, roll(a, 1, 1));
  row({3, 2}, {3, -6, -2, 5, 1, -4}, rot90(a));
  row({6}, {0, 3, 1, 2, 0, 0}, pad(v, {1, 2}));
  row({5}, {1, 3, 1, 2, 1}, pad(v, {1, 1}, PadMode::reflect));
  row({3, 2}, {3, 3, 1, 1, 2, 2}, meshgrid({v, w})[0]);
  row({3, 3}, {3, 0, 0, 0, 1, 0, 0, 0, 2}, diag_embed(v));
  row({2}, {1, 5}, diagonal(a));
  row({2, 3}, {1, 0, 0, -4, 5, 0}, tril(a));
  row({2, 2}, {3, 1, 1, 2}, unfold(v, 0, 2, 1));

  // Reading elements
  row({3}, {-4, 5, -6}, a[-1]);
  row({}, {-2}, a[{0, 1}]);
  row({2, 2}, {-2, 3, 5, -6}, a[{slice(), slice(1)}]);
  row({2, 2}, {1, -2, -4, 5}, a[{slice(), slice(none, -1)}]);
  row({2, 2}, {1, 3, -4, -6}, a[{slice(), slice(none, none, 2)}]);
  row({2, 3}, {3, -2, 1, -6, 5, -4}, a[{slice(), slice(none, none, -1)}]);
  row({2, 2}, {1, 4, 7, 10}, c[{ellipsis, 0}]);
  row({2, 2}, {3, 1, -6, -4}, a[{slice(), i}]);
  row({3}, {1, 3, 5}, a[{a > 0}]);
  row({2, 2}, {3, 1, -6, -4}, index_select(a, 1, i));
  row({2}, {3, 1}, take(a, i));
  row({2, 1}, {3, -4}, gather(a, 1, k));
  row({2, 3}, {5, -2, 9, 4, 5, 1}, index_add(a, 1, j, b, 2));
  row({2, 3}, {2, -2, 2, 4, 5, 0.5}, index_copy(a, 1, i, b[{slice(), slice(none, 2)}]));
  row({2, 3}, {7, -2, 7, 7, 5, 7}, index_fill(a, 1, i, 7));
  row({2, 3}, {1, 2, 3, 0.5, 5, 3}, where(a > 0, a, b));
  row({2, 3}, {1, 9, 3, 9, 5, 9}, where(a > 0, a, 9));
  row({2, 2}, {0, 2, 1, 1}, nonzero(a > 2));
  row({2, 3}, {0, 0, 1, 1, 0, 0}, one_hot(i, 3));
  row({}, {-6}, a[{1, 2}].item<double>());

  // Arithmetic and functions
  row({2}, {7, -19}, matmul(a, v));
  row({2, 3}, {2, -4, 3, -2, 20, -18}, a * b);
  row({2, 3}, {1, 4, 9, 16, 25, 36}, pow(a, 2));
  row({2, 3}, {2, 0.25, 8, 0.0625, 32, 0.015625}, pow(2, a));
  row({2, 3}, {0, -1, 3, -8, 1, -2}, div(a, b, RoundingMode::floor));
  row({2, 3}, {1, -0, 0, -0, 1, -0}, remainder(a, b));
  row({2, 3}, {1, 1, 0, 0, 3, 1}, remainder(7, b));
  row({2, 3}, {1, -0, 0, -0, 1, -0}, fmod(a, b));
  row({2, 3}, {0, 0, 0, 0, 1, 0}, (a > 0) & (b > 2));
  row({2, 3}, {0, 1, 0, 1, 0, 1}, ~(a > 0));
  row({2, 3}, {0, 0, 0, 0, 0, 0}, a == b);
  row({2, 3}, {0, 0, 0, 0, 0, 0}, isclose(a, b));
  row({}, {0}, allclose(a, b));
  row({}, {1}, equal(a, a));
  row({2, 3}, {1, 2, 3, 4, 5, 6}, abs(a));
  row({2, 3}, {2.7182818, 0.13533528, 20.085537, 0.018315639, 148.41316, 0.0024787522}, exp(a));
  row({2, 3}, {1, -1, 1, -1, 1, -1}, clamp(a, -1, 1));
  row({2, 3}, {1, 0, 3, 0, 5, 0}, clamp_min(a, 0));
  row({2, 3}, {2, 2, 3, 0.5, 5, 3}, maximum(a, b));
  row({2}, {3.7416574, 8.7749644}, norm(a, 2, {1}));
  row({3, 2}, {30, 60, 10, 20, 20, 40}, outer(v, w));
  row({2}, {1, 0}, vecdot(a, b));
  row({2, 2, 2}, {24, 52, 42, 97, 204, 286, 276, 385}, baddbmm(w, c, c.transpose(1, 2)));
  row({2, 2}, {11, 21.5, 6, 20}, linear(a, b, w));
  row({2, 3}, {0.11849965, 0.0058997504, 0.8756006, 0.00012339252, 0.99985991, 1.6699361e-05}, softmax(a, -1));
  row({2}, {0.88079708, 0.11920292}, softmax(i, 0, float64));
  row({2, 3}, {-3, -6, 1, -5, -3, -12}, add(a, b, -2));
  row({2, 3}, {1, -0.2, 3, -0.4, 5, -0.6}, leaky_relu(a, 0.1));
  row({2, 3}, {0.84119199, -0.045402306, 2.9963626, -7.0245948e-05, 4.9999998, -8.439649e-11}, gelu(a, GeluForm::tanh));
  row({2, 3}, {0.26726124, -0.53452248, 0.80178373, -0.45584231, 0.56980288, -0.68376346}, a / clamp_min(norm(a, 2, {1}, true), 1e-12));
  row({1, 1, 2, 2}, {-0.125, 1.125, -0.625, -1.875}, interpolate(a.view({1, 1, 2, 3}), {.size = {2, 2}, .mode = InterpolateMode::bilinear, .antialias = true}));
  row({1, 2, 1, 1}, {4.15625, 11.28125}, grid_sample(c.unsqueeze(0), zeros({1, 1, 1, 2}, float64), {.mode = GridSampleMode::bicubic}));
  row({}, {20.541667}, nn::mse_loss(a, b));
  row({}, {4.5664927}, nn::cross_entropy(a, i));

  // Linear algebra
  row({2}, {-5, 10}, solve(matmul(a, b.t()), w));
  row({3, 2}, {0.3333333333, -0.4166666667, 2.666666667, 0.1666666667, 2, 0.25}, solve(matmul(a, b.t()), b.t(), false));
  row({2, 2}, {0, -0.25, 0.6666666667, 0.1666666667}, inv(matmul(a, b.t())));
  row({}, {6}, det(matmul(a, b.t())));
  row({}, {1.791759469}, slogdet(matmul(a, b.t())).logabsdet);
  row({}, {3.988984047}, logdet(matmul(a, a.t())));
  row({2, 2}, {3.741657387, 0, -8.552359741, 1.963961012}, cholesky(matmul(a, a.t())));
  row({2, 2}, {1.425925926, 0.5925925926, 0.5925925926, 0.2592592593}, cholesky_inverse(cholesky(matmul(a, a.t()))));
  row({2, 2}, {-3.741657387, 8.552359741, 0, 1.963961012}, qr(a.t()).r);
  row({2}, {-1.277777778, -0.7777777778}, lstsq(a.t(), v).solution);
  row({2}, {0.01857142857, 0.03714285714}, lstsq(outer(v, w), s).solution);
  row({}, {1}, lstsq(outer(v, w), s).rank);
  row({3, 2}, {-0.9444444444, -0.4444444444, 0.1111111111, 0.1111111111, 0.7222222222, 0.2222222222}, pinv(a));
  row({2, 2}, {1.425925926, 0.5925925926, 0.5925925926, 0.2592592593}, pinv(matmul(a, a.t()), {.hermitian = true}));
  row({2}, {0.5973274737, 90.40267253}, eigh(matmul(a, a.t())).eigenvalues);
  row({2}, {0.5973274737, 90.40267253}, eigvalsh(matmul(a, a.t())));
  row({2}, {9.508032001, 0.7728696357}, svd(a).s);
  row({2}, {9.508032001, 0.7728696357}, svdvals(a));
  row({}, {9.539392014}, matrix_norm(a));
  row({}, {10.28090164}, matrix_norm(a, MatrixNorm::nuc));
  row({}, {3.301927249}, vector_norm(v, 3));
  row({2, 2}, {-11, -7.5, 20, -6}, matrix_power(matmul(a, b.t()), 3));
  row({}, {2}, matrix_rank(a));
  row({}, {12.3022455}, cond(a));
  row({}, {-310}, multi_dot({w, a, v}));

  // Reductions and order
  row({}, {-3}, a.sum());
  row({3}, {-3, 3, -3}, a.sum({0}));
  row({1, 2, 1}, {30, 48}, c.sum({0, 2}, true));
  row({2}, {2, -5}, sum(a, {1}, false, float32));
  row({2}, {0.66666667, -1.6666667}, a.mean({-1}));
  row({2}, {4.2222222, 22.888889}, var(a, {1}, 0));
  row({2}, {6.3333333, 34.333333}, var(a, {1}));
  row({2, 1}, {2.5166115, 5.8594653}, xtape::std(a, {1}, 1, true));
  row({}, {5}, max(a));
  row({2}, {3, 5}, max(a, 1).values);
  row({}, {5}, amax(a, {0, 1}));
  row({2}, {2, 1}, argmax(a, 1));
  row({2}, {-6, 120}, prod(a, {1}));
  row({2}, {0, 0}, all(a > 0, {1}));
  row({}, {3}, count_nonzero(a > 0));
  row({2}, {3.1328452, 5.0001401}, logsumexp(a, {1}));
  row({2, 3}, {1, -1, 2, -4, 1, -5}, cumsum(a, 1));
  row({2, 2}, {-3, 5, 9, -11}, diff(a, 1, 1));
  row({2, 3}, {1, 1, 3, -4, 5, 5}, cummax(a, 1).values);
  row({2, 3}, {-2, 1, 3, -6, -4, 5}, sort(a, 1).values);
  row({3}, {0, 2, 1}, argsort(v, -1, true));
  row({2, 2}, {3, 1, 5, -4}, topk(a, 2).values);
  row({2}, {1, -4}, kthvalue(a, 2).values);
  row({2}, {-0.2, -4.8}, quantile(a, 0.3, 1));
  row({2}, {0, 2}, unique(i).values);
  row({2}, {1, 1}, unique(i).counts);
  row({2, 2}, {0, 1, 1, 0}, unique(a > 0, 1).values);
  row({2}, {0, 1}, unique_consecutive(round(s / 4)).values);
  row({3}, {1, 0, 1}, bincount(i));
  row({3}, {2, 0, 1}, searchsorted(s, v));
  row({3}, {2, 0, 1}, bucketize(v, s));

  // Distributions
  row({2, 3}, {-2.112085714, -2.737085714, -1.737085714, -7.737085714, -3.612085714, -9.612085714}, nn::distributions::Normal(v, 2).log_prob(a));
  row({3}, {1.84757851, 0.3068528194, 0.1909213038}, nn::distributions::Gamma(v, s).entropy());
  row({3}, {0.9525741268, 0.7310585786, 0.880797078}, nn::distributions::Bernoulli({.logits = v}).mean());
  row({2}, {-0.1328452337, -9.000140102}, nn::distributions::Categorical({.logits = a}).log_prob(i));
  row({2, 3}, {1.129360529, 6.697414907, 2.390562088, 3.769546682, 16.00426773, 6.697414907}, kl_divergence(nn::distributions::Exponential(v), nn::distributions::Exponential(w2)));

  // What is written in place
  row({2, 3}, {3, 1, 2, -4, 5, -6}, x = index_put(x, {0}, v));
  row({2, 3}, {1, 10, 3, -4, 20, -6}, x = index_put(x, {slice(), 1}, w));
  row({2, 3}, {2, -2, 2, 4, 5, 0.5}, x = index_put(x, {slice(), i}, b[{slice(), slice(none, 2)}]));
  row({2, 3}, {3, -2, 6, 0, 5, -2.5}, x = index_put(x, {r, j}, b, true));
  row({2, 3}, {1, 0, 3, 0, 5, 0}, x = masked_fill(x, x < 0, 0));
  row({2, 3}, {1, 2, 3, 0.5, 5, 3}, x = where(x < 0, b, x));
  row({2, 3}, {3, 0, 4, -3.5, 9, -3}, x += b);
  row({2, 3}, {2, -4, 6, -8, 10, -12}, x *= 2);
  row({2, 3}, {-3, -6, 1, -5, -3, -12}, x = x - 2 * b);
  row({2, 3}, {2, -4, 4.5, -5, 15, -15}, x = addcmul(x, a, b, 0.5));
  row({2, 3}, {1.1, -1.6, 2.8, -3.55, 4.9, -5.1}, x = lerp(x, b, 0.1));
  row({2, 3}, {1, 0, 1, 0, 1, 0}, x = clamp(x, 0, 1));
  row({2, 3}, {2.7182818, 0.13533528, 20.085537, 0.018315639, 148.41316, 0.0024787522}, x = exp(x));
  row({2, 3}, {1, 0, 3, 0, 5, 0}, x = relu(x));
  row({2, 3}, {0, 0, 0, 0, 0, 0}, x = zeros_like(x));
  row({2, 3}, {2, 2, 1, 0.5, 4, 3}, x = b.clone());
  row({2, 3}, {1, -2, 10, 20, 5, -6}, x = scatter(x, 1, k, w2));
  row({2, 3}, {1, -2, 13, 16, 5, -6}, x = scatter_add(x, 1, k, w2));
  row({2, 3}, {3, -2, 6, 0, 5, -2.5}, x = index_add(x, 1, j, b));
  row({2, 3}, {1, -2, 3, -4, 7, 7}, x = masked_fill(x, b > 2, 7));
  row({2, 3}, {9, -2, 3, -4, 9, -6}, x = where(eye(2, 3, boolean), 9, x));
  row({2, 3}, {-2, 1, 3, -6, -4, 5}, x = sort(x, 1).values);
  row({3, 2}, {1, -4, -2, 5, 3, -6}, x = x.t());

  // Leaves, outside of recording
  row({2, 3}, {3, 0, 4, -3.5, 9, -3}, x.add_(b));
  row({2, 3}, {-1, -4, 1, -6, 3, -8}, x.sub_(2));
  row({2, 3}, {2, -4, 3, -2, 20, -18}, x.mul_(b));
  row({2, 3}, {0.5, -1, 3, -8, 1.25, -2}, x.div_(b));
  row({2, 3}, {-5, -4, -1, -10, 3, -10}, x.add_(v, -2));
  row({2, 3}, {1, 4, 9, 16, 25, 36}, x.pow_(2));
  row({2, 3}, {1.1, -1.6, 2.8, -3.55, 4.9, -5.1}, x.lerp_(b, 0.1));
  row({2, 3}, {2, -4, 4.5, -5, 15, -15}, x.addcmul_(a, b, 0.5));
  row({2, 3}, {1, 0, 1, 0, 1, 0}, x.clamp_(0, 1));
  row({2, 3}, {2.7182818, 0.13533528, 20.085537, 0.018315639, 148.41316, 0.0024787522}, x.exp_());
  row({2, 3}, {1, -2, 3, -4, 7, 7}, x.masked_fill_(b > 2, 7));
  row({2, 3}, {1, -2, 13, 16, 5, -6}, x.scatter_add_(1, k, w2));
  row({2, 3}, {2, 2, 2, 2, 2, 2}, x.uniform_(2, 2));
  row({2, 3}, {3, 1, 2, 3, 1, 2}, x.copy_(v));
  row({2, 3}, {3, 3, 3, 3, 3, 3}, x.fill_(3));
  row({2, 3}, {1, 7, 3, -4, 7, -6}, x.index_put_({slice(), 1}, 7));
  row({2, 3}, {0, -2, 0, -4, 0, -6}, x.index_put_({a > 0}, 0));
}

// Programs
struct Net : nn::Module {
  nn::Sequential body{nn::Linear(3, 8), nn::ReLU()};
  nn::Linear head{8, 3};
  XTAPE_PARTS(body, head)
  Tensor forward(const Tensor& in) override { return head(body(in)); }
};

double training(const std::string& path) {
  manual_seed(1);
  use_deterministic_algorithms(true);
  Generator g{.seed = 5};
  const Tensor noise = randn({4, 3}, g);
  Tensor w = zeros({4, 3});
  w.normal_(0, 0.02);
  Tensor x = randn({4, 3}).requires_grad_();
  const Tensor y = randint(0, 3, {4});
  std::cout << x << "\n";
  data::DataLoader loader(data::TensorDataset(x.detach(), y), {.batch_size = 2});
  Net net;
  nn::init::normal_(net.head.weight, 0, 0.02);
  optim::Adam optimizer(net.parameters(), {.lr = 1e-2});
  optim::StepLR schedule(optimizer, 30);
  Tensor result, slope;
  const nn::ForwardHook seen(net, [&](nn::Module&, const Tensor& y) { result = y; });
  const nn::BackwardHook slope_seen(net, [&](nn::Module&, const Tensor& g) { slope = g; });
  double first = 0, total = 0;
  for (int epoch = 0; epoch < 50; ++epoch) {
    total = 0;
    for (const auto& [inputs, targets] : loader) {
      const Autocast rounded;
      optimizer.zero_grad();
      const Tensor loss = nn::cross_entropy(net(inputs), targets);
      loss.backward();
      nn::clip_grad_norm_(net.parameters(), 1);
      optimizer.step();
      total += loss.item<double>();
    }
    schedule.step();
    if (epoch == 0) first = total;
  }
  if (result.shape() != Shape{2, 3} || slope.shape() != Shape{2, 3}) return first;
  if (!any(noise != 0).item<bool>() || !any(w != 0).item<bool>()) return first;
  net.eval();
  optim::save_model(net, path);
  optim::load_model(net, path);
  net.to(float64);
  return total / first;
}

bool gradients() {
  Tensor x = randn({3}, float64).requires_grad_();
  const Tensor v = randn({3}, float64);
  const auto f = [](const Tensor& t) { return sum(t * t * t); };
  const Tensor s = f(x);
  const Tensor g = grad({s}, {x}, {.create_graph = true})[0];
  const Tensor fixed = x.detach();
  const auto [value, along] = jvp(f, x, v);
  const auto [same, product] = hvp(f, x, v);
  const Tensor slopes = jacobian(f, x);
  const Tensor curvature = hessian(f, x);
  const Tensor z = checkpoint(f, x);
  std::vector<Tensor> states;
  for (int step = 0; step < 3; ++step) states.push_back(x * step);
  const Tensor all_states = stack(states);
  x.register_hook([](const Tensor& g) { return 2 * g; });
  z.backward();
  const Tensor twice = x.grad();
  {
    const NoGrad guard;
    x.sub_(0.1 * x.grad());
  }
  x.zero_grad();
  const auto near = [](const Tensor& one, const Tensor& other) {
    return amax(abs(one - other)).item<double>() < 1e-12;
  };
  return near(g, slopes) && near(twice, 2 * g) && near(sum(g * v), along) && near(value, s) &&
         near(same, s) && near(matmul(curvature, v), product) && near(all_states[2], 2 * all_states[1]) && near(fixed, x) &&
         !x.grad().defined();
}
// clang-format on

}  // namespace

int main() {
  rows();
  const auto path = std::filesystem::temp_directory_path() / "xtape_from_pytorch.safetensors";
  const double left = training(path.string());
  std::filesystem::remove(path);
  if (!(left < 0.9)) std::printf("training left %g of the loss\n", left);
  const bool right = gradients();
  if (!right) std::printf("wrong gradients\n");
  return wrong == 0 && left < 0.9 && right ? 0 : 1;
}
