// SPDX-License-Identifier: BSD-3-Clause
// Single operations, forward and backward, from a few numbers to a million: what recording costs,
// and what the kernels behind it give. E.g. --benchmark_filter=linear

#include <benchmark/benchmark.h>

#include <xtape/autograd/pointwise.hpp>
#include <xtape/xtape.hpp>

#include <cstdint>
#include <string>

namespace {

using xtape::Shape;
using xtape::Tensor;
namespace nn = xtape::nn;

Tensor leaf(const Shape& shape) { return xtape::randn(shape).requires_grad_(); }

void count(benchmark::State& state, std::int64_t elements) {
  state.SetItemsProcessed(state.iterations() * elements);
}

// f(inputs...) without recording.
template <class F, class... Inputs>
void forward(benchmark::State& state, F f, const Inputs&... inputs) {
  const xtape::NoGrad no_grad;
  Tensor y = f(inputs...);
  for (auto _ : state) y = f(inputs...);
  count(state, y.numel());
}

// f(inputs...), its reverse sweep, and the release of both.
template <class F, class... Inputs>
void training(benchmark::State& state, F f, const Inputs&... inputs) {
  const Tensor seed = xtape::ones(f(inputs...).shape());
  for (auto _ : state) {
    f(inputs...).backward({.seed = seed});
    (const_cast<Tensor&>(inputs).zero_grad(), ...);
  }
  count(state, seed.numel());
}

template <class F>
void unary(const char* name, F f) {
  const std::string prefix(name);
  const auto add = [&](const char* kind, auto run) {
    benchmark::RegisterBenchmark(
        (prefix + kind).c_str(),
        [f, run](benchmark::State& state) { run(state, f, leaf({state.range(0)})); })
        ->Arg(8)
        ->Arg(1 << 10)
        ->Arg(1 << 20);
  };
  add("/forward", [](auto& state, auto g, const Tensor& x) { forward(state, g, x); });
  add("/training", [](auto& state, auto g, const Tensor& x) { training(state, g, x); });
}

void pointwise_operations() {
  unary("relu", [](const Tensor& x) { return xtape::relu(x); });
  unary("sigmoid", [](const Tensor& x) { return xtape::sigmoid(x); });
  unary("tanh", [](const Tensor& x) { return xtape::tanh(x); });
  unary("exp", [](const Tensor& x) { return xtape::exp(x); });
  unary("gelu", [](const Tensor& x) { return xtape::gelu(x); });
  unary("softmax", [](const Tensor& x) { return xtape::softmax(x, -1); });
  unary("sum", [](const Tensor& x) { return xtape::sum(x); });
  unary("mul", [](const Tensor& x) { return x * x; });
  unary("reshape", [](const Tensor& x) { return xtape::reshape(x, {2, -1}); });
  unary("transposed copy", [](const Tensor& x) {
    return xtape::transpose(xtape::reshape(x, {8, -1}), 0, 1).contiguous();
  });
  unary("lambda", xtape::pointwise("swish", [](auto x) { return x * sigmoid(x); }));
}

void BM_matmul(benchmark::State& state) {
  const std::int64_t n = state.range(0);
  training(
      state, [](const Tensor& a, const Tensor& b) { return xtape::matmul(a, b); }, leaf({n, n}),
      leaf({n, n}));
}
BENCHMARK(BM_matmul)->Arg(4)->Arg(32)->Arg(128)->Arg(512);

void BM_linear(benchmark::State& state) {
  const std::int64_t rows = state.range(0), n = state.range(1);
  training(
      state,
      [](const Tensor& x, const Tensor& w, const Tensor& b) { return xtape::linear(x, w, b); },
      leaf({rows, n}), leaf({n, n}), leaf({n}));
}
BENCHMARK(BM_linear)->Args({1, 32})->Args({32, 32})->Args({128, 512});

void BM_conv2d(benchmark::State& state) {
  const std::int64_t channels = state.range(0);
  training(
      state, [](const Tensor& x, const Tensor& w) { return xtape::conv2d(x, w); },
      leaf({16, channels, 28, 28}), leaf({32, channels, 3, 3}));
}
BENCHMARK(BM_conv2d)->Arg(1)->Arg(32);

void BM_cross_entropy(benchmark::State& state) {
  const std::int64_t rows = state.range(0);
  const Tensor x = leaf({rows, 10}), y = xtape::randint(0, 10, {rows});
  training(
      state, [&](const Tensor& logits) { return nn::cross_entropy(logits, y); }, x);
}
BENCHMARK(BM_cross_entropy)->Arg(1)->Arg(128);

template <class Optimizer>
void BM_step(benchmark::State& state) {
  Tensor parameter = leaf({state.range(0)});
  Optimizer optimizer({parameter});
  xtape::sum(parameter).backward();
  for (auto _ : state) optimizer.step();
  count(state, parameter.numel());
}
BENCHMARK(BM_step<xtape::optim::SGD>)->Arg(32)->Arg(1 << 20);
BENCHMARK(BM_step<xtape::optim::Adam>)->Arg(32)->Arg(1 << 20);

}  // namespace

int main(int argc, char** argv) {
  pointwise_operations();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  xtape::set_num_threads(1);
  xtape::manual_seed(1);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
