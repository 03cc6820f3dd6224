// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Values, the tape and the operations on it. What costs compile time stays out: xtensor comes with
// <xtape/autograd/xtensor.hpp>, one-lambda operations with <xtape/autograd/pointwise.hpp>.
#include "dtype.hpp"
#include "error.hpp"
#include "memory.hpp"
#include "ops/activations.hpp"
#include "ops/arithmetic.hpp"
#include "ops/convolution.hpp"
#include "ops/creation.hpp"
#include "ops/dropout.hpp"
#include "ops/indexing.hpp"
#include "ops/joining.hpp"
#include "ops/math.hpp"
#include "ops/matmul.hpp"
#include "ops/pooling.hpp"
#include "ops/random.hpp"
#include "ops/reductions.hpp"
#include "ops/shape.hpp"
#include "ops/softmax.hpp"
#include "parallel.hpp"
#include "random.hpp"
#include "scalar.hpp"
#include "shape.hpp"
#include "sweep.hpp"
#include "tape.hpp"
#include "tensor.hpp"
