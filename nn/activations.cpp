// SPDX-License-Identifier: BSD-3-Clause
#include "activations.hpp"

#include "../autograd/ops/math.hpp"
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
XTAPE_DEFINE_PARTS(Hardtanh)
XTAPE_DEFINE_PARTS(GELU)
XTAPE_DEFINE_PARTS(Softmax)
XTAPE_DEFINE_PARTS(LogSoftmax)

Tensor ReLU::forward(const Tensor& x) { return relu(x); }
Tensor Sigmoid::forward(const Tensor& x) { return sigmoid(x); }
Tensor Tanh::forward(const Tensor& x) { return tanh(x); }
Tensor Softplus::forward(const Tensor& x) { return softplus(x); }
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
Tensor Hardtanh::forward(const Tensor& x) { return hardtanh(x, min, max); }
Tensor GELU::forward(const Tensor& x) { return gelu(x, form); }
Tensor Softmax::forward(const Tensor& x) { return softmax(x, dim); }
Tensor LogSoftmax::forward(const Tensor& x) { return log_softmax(x, dim); }

}  // namespace xtape::nn
