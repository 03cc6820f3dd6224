// SPDX-License-Identifier: BSD-3-Clause
// The kernels alone, on raw memory: matrix products of the shapes that the rule in gemm.cpp tells
// apart, the three passes of a convolution.

#include <benchmark/benchmark.h>

#include <xtape/autograd/kernels/convolution.hpp>
#include <xtape/autograd/kernels/gemm.hpp>
#include <xtape/autograd/parallel.hpp>

#include <cstdint>
#include <vector>

namespace {

namespace kernels = xtape::kernels;

template <class T>
std::vector<T> numbers(std::int64_t count) {
  std::vector<T> x(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<T>(i % 17) - 8;
  return x;
}

// Arguments: rows, columns, inner size, transpose a, transpose b.
template <class T>
void BM_gemm(benchmark::State& state) {
  const std::int64_t m = state.range(0), n = state.range(1), k = state.range(2);
  const bool ta = state.range(3) != 0, tb = state.range(4) != 0;
  const std::vector<T> a = numbers<T>(m * k), b = numbers<T>(k * n);
  std::vector<T> c(static_cast<std::size_t>(m * n));
  for (auto _ : state) {
    kernels::gemm<T>(ta, tb, m, n, k, 1, a.data(), ta ? m : k, b.data(), tb ? k : n, 0, c.data(),
                     n);
    benchmark::ClobberMemory();
  }
  state.counters["flop/s"] = benchmark::Counter(2.0 * static_cast<double>(m * n * k),
                                                benchmark::Counter::kIsIterationInvariantRate);
}

void shapes(benchmark::internal::Benchmark* b) {
  for (const std::int64_t n : {4, 8, 16, 32, 64}) {
    b->Args({1, n, n, 0, 0})->Args({1, n, n, 0, 1})->Args({n, n, 1, 1, 0});
    b->Args({n, n, n, 0, 0})->Args({n, n, n, 0, 1})->Args({n, n, n, 1, 0});
  }
  b->Args({128, 512, 784, 0, 1})->Args({128, 784, 512, 0, 0})->Args({512, 784, 128, 1, 0});
  b->Args({1024, 1024, 1024, 0, 0});
}
BENCHMARK(BM_gemm<float>)->Apply(shapes);
BENCHMARK(BM_gemm<double>)
    ->Args({1, 32, 32, 0, 1})
    ->Args({32, 32, 32, 0, 0})
    ->Args({512, 512, 512, 0, 0});

kernels::ConvolutionShape convolution(std::int64_t channels) {
  kernels::ConvolutionShape s;
  s.batch = 16;
  s.in_channels = channels;
  s.in_height = s.in_width = 28;
  s.out_channels = 32;
  s.out_height = s.out_width = 26;
  s.kernel_height = s.kernel_width = 3;
  return s;
}

kernels::Strides4 channels_last(std::int64_t channels, std::int64_t height, std::int64_t width) {
  return {channels * height * width, 1, width * channels, channels};
}

enum class Pass { forward, data, weight };

// A 3 x 3 convolution of 16 pictures, channels last; the argument is the number of channels in.
template <Pass pass>
void BM_convolution(benchmark::State& state) {
  const kernels::ConvolutionShape s = convolution(state.range(0));
  std::vector<float> x = numbers<float>(s.batch * s.in_channels * 28 * 28);
  std::vector<float> y = numbers<float>(s.batch * s.out_channels * 26 * 26);
  std::vector<float> w = numbers<float>(s.out_channels * s.in_channels * 9);
  const kernels::Strides4 of_x = channels_last(s.in_channels, 28, 28);
  const kernels::Strides4 of_y = channels_last(s.out_channels, 26, 26);
  for (auto _ : state) {
    if constexpr (pass == Pass::forward) {
      kernels::convolution_forward<float>(s, x.data(), of_x, w.data(), nullptr, y.data(), of_y);
    } else if constexpr (pass == Pass::data) {
      kernels::convolution_backward_data(s, y.data(), of_y, w.data(), x.data(), of_x);
    } else {
      kernels::convolution_backward_weight<float>(s, x.data(), of_x, y.data(), of_y, w.data(),
                                                  nullptr);
    }
    benchmark::ClobberMemory();
  }
  state.counters["flop/s"] =
      benchmark::Counter(2.0 * 16 * 26 * 26 * 9 * 32 * static_cast<double>(s.in_channels),
                         benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(BM_convolution<Pass::forward>)->Arg(1)->Arg(32);
BENCHMARK(BM_convolution<Pass::data>)->Arg(32);
BENCHMARK(BM_convolution<Pass::weight>)->Arg(1)->Arg(32);

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  xtape::set_num_threads(1);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
