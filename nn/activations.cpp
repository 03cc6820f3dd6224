// SPDX-License-Identifier: BSD-3-Clause
#include "activations.hpp"

#include <string>

#include "../autograd/error.hpp"
#include "../autograd/ops/arithmetic.hpp"
#include "../autograd/ops/creation.hpp"
#include "../autograd/ops/math.hpp"
#include "../autograd/ops/random.hpp"
#include "../autograd/ops/softmax.hpp"

namespace xtape::nn {

XTAPE_DEFINE_PARTS(ReLU)
XTAPE_DEFINE_PARTS(Sigmoid)
XTAPE_DEFINE_PARTS(Tanh)
XTAPE_DEFINE_PARTS(Softplus)
XTAPE_DEFINE_PARTS(LogSigmoid)
XTAPE_DEFINE_PARTS(ReLU6)
XTAPE_DEFINE_PARTS(SELU)
XTAPE_DEFINE_PARTS(SiLU)
XTAPE_DEFINE_PARTS(Mish)
XTAPE_DEFINE_PARTS(Softsign)
XTAPE_DEFINE_PARTS(Hardsigmoid)
XTAPE_DEFINE_PARTS(Hardswish)
XTAPE_DEFINE_PARTS(LeakyReLU)
XTAPE_DEFINE_PARTS(ELU)
XTAPE_DEFINE_PARTS(CELU)
XTAPE_DEFINE_PARTS(PReLU, weight)
XTAPE_DEFINE_PARTS(RReLU)
XTAPE_DEFINE_PARTS(Threshold)
XTAPE_DEFINE_PARTS(Softshrink)
XTAPE_DEFINE_PARTS(Hardshrink)
XTAPE_DEFINE_PARTS(Tanhshrink)
XTAPE_DEFINE_PARTS(GLU)
XTAPE_DEFINE_PARTS(Hardtanh)
XTAPE_DEFINE_PARTS(GELU)
XTAPE_DEFINE_PARTS(Softmax)
XTAPE_DEFINE_PARTS(Softmin)
XTAPE_DEFINE_PARTS(LogSoftmax)

Tensor ReLU::forward(const Tensor& x) { return relu(x); }
Tensor Sigmoid::forward(const Tensor& x) { return sigmoid(x); }
Tensor Tanh::forward(const Tensor& x) { return tanh(x); }
Tensor Softplus::forward(const Tensor& x) { return softplus(x, beta); }
Tensor LogSigmoid::forward(const Tensor& x) { return logsigmoid(x); }
Tensor ReLU6::forward(const Tensor& x) { return relu6(x); }
Tensor SELU::forward(const Tensor& x) { return selu(x); }
Tensor SiLU::forward(const Tensor& x) { return silu(x); }
Tensor Mish::forward(const Tensor& x) { return mish(x); }
Tensor Softsign::forward(const Tensor& x) { return softsign(x); }
Tensor Hardsigmoid::forward(const Tensor& x) { return hardsigmoid(x); }
Tensor Hardswish::forward(const Tensor& x) { return hardswish(x); }
Tensor LeakyReLU::forward(const Tensor& x) { return leaky_relu(x, negative_slope); }
Tensor ELU::forward(const Tensor& x) { return elu(x, alpha); }
Tensor CELU::forward(const Tensor& x) { return celu(x, alpha); }
Tensor Threshold::forward(const Tensor& x) { return xtape::threshold(x, threshold, value); }
Tensor Softshrink::forward(const Tensor& x) { return softshrink(x, lambd); }
Tensor Hardshrink::forward(const Tensor& x) { return hardshrink(x, lambd); }
Tensor Tanhshrink::forward(const Tensor& x) { return tanhshrink(x); }
Tensor GLU::forward(const Tensor& x) { return glu(x, dim); }
Tensor Hardtanh::forward(const Tensor& x) { return hardtanh(x, min, max); }
Tensor GELU::forward(const Tensor& x) { return gelu(x, form); }
Tensor Softmax::forward(const Tensor& x) { return softmax(x, dim); }
Tensor Softmin::forward(const Tensor& x) { return softmin(x, dim); }
Tensor LogSoftmax::forward(const Tensor& x) { return log_softmax(x, dim); }

PReLU::PReLU(std::int64_t num_parameters, double init) {
  if (num_parameters < 1) {
    throw ValueError("PReLU: expected at least 1 parameter, got " + std::to_string(num_parameters));
  }
  weight = Parameter(full({num_parameters}, init));
}
Tensor PReLU::forward(const Tensor& x) { return prelu(x, weight); }

RReLU::RReLU(double low, double high) : lower(low), upper(high) {
  if (!(low <= high)) {
    throw ValueError("RReLU: expected lower <= upper, got " + std::to_string(low) + " and " +
                     std::to_string(high));
  }
}
Tensor RReLU::forward(const Tensor& x) {
  if (!is_training() || lower == upper) return leaky_relu(x, (lower + upper) / 2);
  return where(x > 0, x, x * uniform(lower, upper, x.shape(), x.dtype()));
}

}  // namespace xtape::nn
