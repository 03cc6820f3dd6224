// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/ops/activations.hpp>
#include <xtape/autograd/ops/softmax.hpp>

#include "../stored_cases.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

const StoredCases cases("activations.safetensors",
                        {
                            {"relu", XTAPE_CALL(relu(a))},
                            {"relu6", XTAPE_CALL(relu6(a))},
                            {"sigmoid", XTAPE_CALL(sigmoid(a))},
                            {"logsigmoid", XTAPE_CALL(logsigmoid(a))},
                            {"softsign", XTAPE_CALL(softsign(a))},
                            {"silu", XTAPE_CALL(silu(a))},
                            {"mish", XTAPE_CALL(mish(a))},
                            {"hardsigmoid", XTAPE_CALL(hardsigmoid(a))},
                            {"hardswish", XTAPE_CALL(hardswish(a))},
                            {"tanhshrink", XTAPE_CALL(tanhshrink(a))},
                            {"selu", XTAPE_CALL(selu(a))},
                            {"leaky_relu", XTAPE_CALL(leaky_relu(a))},
                            {"elu", XTAPE_CALL(elu(a))},
                            {"celu", XTAPE_CALL(celu(a))},
                            {"hardtanh", XTAPE_CALL(hardtanh(a))},
                            {"softplus", XTAPE_CALL(softplus(a))},
                            {"softshrink", XTAPE_CALL(softshrink(a))},
                            {"hardshrink", XTAPE_CALL(hardshrink(a))},
                            {"gelu", XTAPE_CALL(gelu(a))},
                            {"relu.zero", XTAPE_CALL(relu(a))},
                            {"softplus.beta", XTAPE_CALL(softplus(a, 2.5))},
                            {"leaky_relu.slope", XTAPE_CALL(leaky_relu(a, 0.3))},
                            {"elu.alpha", XTAPE_CALL(elu(a, 0.3))},
                            {"celu.alpha", XTAPE_CALL(celu(a, 0.3))},
                            {"hardtanh.limits", XTAPE_CALL(hardtanh(a, -0.5, 1.5))},
                            {"prelu", XTAPE_CALL(prelu(a, b))},
                            {"threshold", XTAPE_CALL(threshold(a, 0.25, -3))},
                            {"heaviside", XTAPE_CALL(heaviside(a, b))},
                            {"softshrink.lambd", XTAPE_CALL(softshrink(a, 1.25))},
                            {"hardshrink.lambd", XTAPE_CALL(hardshrink(a, 1.25))},
                            {"glu", XTAPE_CALL(glu(a))},
                            {"glu.dim", XTAPE_CALL(glu(a, 0))},
                            {"gelu_tanh", XTAPE_CALL(gelu(a, GeluForm::tanh))},
                            {"softmax", XTAPE_CALL(softmax(a, -1))},
                            {"softmax.first", XTAPE_CALL(softmax(a, 0))},
                            {"softmax.middle", XTAPE_CALL(softmax(a, -2))},
                            {"log_softmax", XTAPE_CALL(log_softmax(a, -1))},
                            {"log_softmax.first", XTAPE_CALL(log_softmax(a, 0))},
                            {"softmin", XTAPE_CALL(softmin(a, -1))},
                        });

}  // namespace
