// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "adam.hpp"
#include "checkpoint.hpp"
#include "optimizer.hpp"
#include "sgd.hpp"
