// SPDX-License-Identifier: BSD-3-Clause
// The README's lines on derivatives of functions and on looking at the tape, as they stand there.
#include <xtape/xtape.hpp>

#include <cmath>
#include <cstdio>
#include <fstream>

namespace nn = xtape::nn;
using xtape::Tensor;

namespace {

// clang-format off
bool derivatives(const Tensor& x, const Tensor& v) {
// README: functions
const auto f = [](const Tensor& t) { return sum(exp(t) * sin(t)); };
const auto [y, slope] = xtape::vjp(f, x);              // f(x) and its gradient
const auto [value, product] = xtape::hvp(f, x, v);     // Hessian times v, without the Hessian
const Tensor H = xtape::hessian(f, x);                 // [n, n]
// README: end
  const double wrong = amax(abs(matmul(H, v) - product)).item<double>() +
                       amax(abs(H - H.t())).item<double>() + std::abs((y - value).item<double>());
  return wrong < 1e-12 && slope.shape() == x.shape();
}

void looking(nn::Sequential& net, const Tensor& x, const Tensor& y) {
// README: looking
const xtape::DetectAnomaly guard;  // the first NaN or Inf is an error that names its operation
const xtape::Profiler profiler;
const Tensor loss = nn::cross_entropy(net(x), y);
const xtape::Tape tape = xtape::tape(loss);
std::printf("%s\n%s\n", tape.table().c_str(), tape.memory_report().c_str());
std::ofstream("tape.dot") << tape.dot();  // dot -Tsvg tape.dot > tape.svg
loss.backward();
std::printf("%s\n", profiler.table().c_str());
profiler.write_trace("trace.json");       // for chrome://tracing
// README: end
}
// clang-format on

}  // namespace

int main() {
  xtape::manual_seed(1);
  if (!derivatives(xtape::randn({3}, xtape::float64), xtape::randn({3}, xtape::float64))) return 1;
  nn::Sequential net(nn::Linear(4, 8), nn::ReLU(), nn::Linear(8, 3));
  looking(net, xtape::randn({2, 4}), xtape::randint(0, 3, {2}));
}
