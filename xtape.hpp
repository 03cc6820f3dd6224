// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Everything but <xtape/autograd/xtensor.hpp> (tensors as xtensor expressions) and
// <xtape/autograd/pointwise.hpp> (operations from one lambda), which cost compile time.
#include "autograd/autograd.hpp"
#include "data/data.hpp"
#include "nn/nn.hpp"
#include "optim/optim.hpp"
