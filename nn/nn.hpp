// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "activations.hpp"
#include "clip.hpp"
#include "containers.hpp"
#include "convolution.hpp"
#include "dropout.hpp"
#include "init.hpp"
#include "linear.hpp"
#include "losses.hpp"
#include "module.hpp"
#include "parameter.hpp"
#include "pooling.hpp"
#include "recurrent.hpp"
#include "recurrent_cells.hpp"
#include "shape.hpp"
#include "state.hpp"
#include "summary.hpp"
