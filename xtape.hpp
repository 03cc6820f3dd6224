// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Everything but what costs compile time: <xtape/autograd/xtensor.hpp> (tensors as xtensor
// expressions) and <xtape/autograd/pointwise.hpp> (operations from one lambda); what few programs
// need: <xtape/autograd/gradcheck.hpp> (gradients compared with differences) and
// <xtape/autograd/processor.hpp>; and <xtape/optim/mpi_process_group.hpp>, which needs xtape::mpi.
#include "autograd/autograd.hpp"
#include "data/data.hpp"
#include "nn/nn.hpp"
#include "optim/optim.hpp"
