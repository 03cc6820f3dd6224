// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Arrays in, batches out.
#include "dataset.hpp"
#include "digits.hpp"
#include "idx.hpp"
#include "loader.hpp"
#include "npy.hpp"
#include "plot.hpp"
#include "safetensors.hpp"
