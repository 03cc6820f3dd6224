// SPDX-License-Identifier: BSD-3-Clause
// The operations of docs/adding-an-operation.md, as they stand there, and their checks.
#include <xtape/xtape.hpp>

// README: header of lambdas
#include <xtape/autograd/pointwise.hpp>
// README: end

// README: headers of arrays
#include <xtape/autograd/xtensor.hpp>
#include <xtensor/xview.hpp>
// README: end

// README: headers of linear algebra
#include <xtensor-blas/xlinalg.hpp>
#include <xtensor/xtensor.hpp>
// README: end

// README: header of writable arrays
#include <xtape/autograd/xtensor.hpp>
// README: end

// README: header of checks
#include <xtape/autograd/gradcheck.hpp>
// README: end

#include <cmath>
#include <cstdio>

using xtape::Tensor;

namespace {

namespace composed {
// README: composing
Tensor softclip(const Tensor& x, double limit) { return limit * tanh(x / limit); }
// README: end
}  // namespace composed

namespace lambda {
// README: one lambda
const auto softclip =
    xtape::pointwise("softclip", [](auto x, auto limit) { return limit * tanh(x / limit); });
// README: end

// README: summed
Tensor mean_softclip(const Tensor& x, double limit) {
  return softclip.sum(x, limit) / static_cast<double>(x.numel());
}
// README: end

// README: captured
Tensor softclip_number(const Tensor& x, double limit) {
  return xtape::pointwise("softclip", [limit](auto v) { return limit * tanh(v / limit); })(x);
}
// README: end
}  // namespace lambda

namespace recorded {
// README: record
Tensor softclip(const Tensor& x, double limit) {
  Tensor y;
  {
    const xtape::NoGrad no_grad;
    y = composed::softclip(x, limit);
  }
  xtape::record("softclip", y, {x}, saves(y), [limit](xtape::Backward& t) {
    t.add(0, t.g() * (1 - square(t.saved(0) / limit)));
  });
  return y;
}
// README: end
}  // namespace recorded

// README: xtensor
Tensor differences(const Tensor& x) {
  if (x.dim() != 2 || x.size(1) < 2) {
    throw xtape::ShapeError("differences: expected [rows, 2 or more], got " +
                            xtape::to_string(x.sizes()));
  }
  const auto v = x.array<double>();
  Tensor y = xtape::from(xt::view(v, xt::all(), xt::range(1, x.size(1))) -
                         xt::view(v, xt::all(), xt::range(0, x.size(1) - 1)));
  xtape::record("differences", y, {x}, xtape::saves(), [](xtape::Backward& t) {
    const Tensor none = xtape::zeros({t.g().size(0), 1}, t.g().dtype());
    t.add(0, xtape::cat({none, t.g()}, 1) - xtape::cat({t.g(), none}, 1));
  });
  return y;
}
// README: end

// README: blas
// x x^T, the products of the rows of x with each other.
Tensor gram(const Tensor& x) {
  if (x.dim() != 2) {
    throw xtape::ShapeError("gram: expected [rows, columns], got " + xtape::to_string(x.sizes()));
  }
  const xt::xtensor<double, 2> v = x.array<double>();
  Tensor y = xtape::from(xt::linalg::dot(v, xt::transpose(v)));
  xtape::record("gram", y, {x}, saves(x),
                [](xtape::Backward& t) { t.add(0, matmul(t.g() + t.g().t(), t.saved(0))); });
  return y;
}
// README: end

// README: kernel
// y = x / sqrt(mean x^2) for each row; scales = 1 / sqrt(mean x^2).
void rms_rows(const double* x, double* y, double* scales, std::int64_t rows, std::int64_t n) {
  for (std::int64_t r = 0; r < rows; ++r, x += n, y += n) {
    double sum = 0;
    for (std::int64_t i = 0; i < n; ++i) sum += x[i] * x[i];
    scales[r] = 1 / std::sqrt(sum / static_cast<double>(n));
    for (std::int64_t i = 0; i < n; ++i) y[i] = x[i] * scales[r];
  }
}

// gx = (g - y mean(g y)) scale
void rms_rows_backward(const double* g, const double* y, const double* scales, double* gx,
                       std::int64_t rows, std::int64_t n) {
  for (std::int64_t r = 0; r < rows; ++r, g += n, y += n, gx += n) {
    double mean = 0;
    for (std::int64_t i = 0; i < n; ++i) mean += g[i] * y[i] / static_cast<double>(n);
    for (std::int64_t i = 0; i < n; ++i) gx[i] = (g[i] - y[i] * mean) * scales[r];
  }
}

Tensor rms_normalized(const Tensor& input) {
  if (input.dim() != 2) {
    throw xtape::ShapeError("rms_normalized: expected [rows, features], got " +
                            input.description());
  }
  const Tensor x = input.detach().contiguous();
  Tensor y = xtape::zeros(x.shape(), xtape::float64);
  Tensor scales = xtape::zeros({x.size(0), 1}, xtape::float64);
  rms_rows(x.data<double>(), y.mutable_array<double>()->data(),
           scales.mutable_array<double>()->data(), x.size(0), x.size(1));
  xtape::record("rms_normalized", y, {input}, saves(input, y, scales), [](xtape::Backward& t) {
    if (t.create_graph()) {  // the same in recorded operations, from the input on
      const Tensor v = t.saved(0), scale = rsqrt(mean(square(v), {1}, true)), unit = v * scale;
      return t.add(0, (t.g() - unit * mean(t.g() * unit, {1}, true)) * scale);
    }
    const Tensor g = t.g().contiguous(), result = t.saved(1), scale = t.saved(2);
    Tensor gx = xtape::zeros(g.shape(), xtape::float64);
    rms_rows_backward(g.data<double>(), result.data<double>(), scale.data<double>(),
                      gx.mutable_array<double>()->data(), g.size(0), g.size(1));
    t.add(0, gx);
  });
  return y;
}
// README: end

bool all_right = true;

template <class F>
void check(const char* name, F f, const Tensor& x) {
  for (const auto& report : {xtape::gradcheck(f, {x}), xtape::gradgradcheck(f, {x})}) {
    if (report) continue;
    std::printf("%s: %s\n", name, report.text().c_str());
    all_right = false;
  }
}

}  // namespace

int main() {
  xtape::manual_seed(1);
  const Tensor x = xtape::randn({3, 5}, xtape::float64);
  check(
      "composing", [](const Tensor& t) { return composed::softclip(t, 2); }, x);
  check(
      "one lambda", [](const Tensor& t) { return lambda::softclip(t, 2.0); }, x);
  check(
      "captured", [](const Tensor& t) { return lambda::softclip_number(t, 2); }, x);
  check(
      "summed", [](const Tensor& t) { return lambda::mean_softclip(t, 2); }, x);
  check(
      "record", [](const Tensor& t) { return recorded::softclip(t, 2); }, x);
  check("xtensor", differences, x);
  check("xtensor-blas", gram, x);
  check("kernel", rms_normalized, x);
  const auto apart = amax(abs(composed::softclip(x, 2) - recorded::softclip(x, 2))) +
                     amax(abs(composed::softclip(x, 2) - lambda::softclip(x, 2.0)));
  const auto off = amax(abs(gram(x.t()) - matmul(x.t(), x)));
  return all_right && (apart + off).item<double>() < 1e-13 ? 0 : 1;
}
