// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Losses, as functions and as modules. Shapes are not broadcast: [N, 1] against [N] is a
// ShapeError; the mean of nothing is one too.
#include "ctc.hpp"
#include "losses_binary.hpp"
#include "losses_classes.hpp"
#include "losses_likelihood.hpp"
#include "losses_pairs.hpp"
#include "losses_regression.hpp"
#include "reduction.hpp"
