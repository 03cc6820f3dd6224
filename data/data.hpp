// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Arrays in, batches out.
#include "csv.hpp"
#include "dataset.hpp"
#include "digits.hpp"
#include "encoding.hpp"
#include "generated.hpp"
#include "heat_map.hpp"
#include "idx.hpp"
#include "image_grid.hpp"
#include "loader.hpp"
#include "npy.hpp"
#include "plot.hpp"
#include "safetensors.hpp"
#include "scaling.hpp"
#include "split.hpp"
#include "table.hpp"
#include "text.hpp"
#include "windows.hpp"
