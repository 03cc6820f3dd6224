// SPDX-License-Identifier: BSD-3-Clause
// What the umbrella header leaves out: an operation from one lambda, tensors as xtensor
// expressions.
#include <xtape/autograd/pointwise.hpp>
#include <xtape/autograd/xtensor.hpp>
#include <xtape/xtape.hpp>

#include <cstdio>

int main() {
  const auto swish = xtape::pointwise("swish", [](auto x) {
    using std::exp;
    return x / (1 + exp(-x));
  });
  const xtape::Tensor y = swish(xtape::ones({2, 3}));
  std::printf("sum %.5f\n", static_cast<double>(xt::sum(y.array<float>())()));
}
