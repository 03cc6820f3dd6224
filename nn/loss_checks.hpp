// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// What the losses check alike, and how they sum up; private to nn/.

#include <initializer_list>

#include "../autograd/tensor.hpp"
#include "reduction.hpp"

namespace xtape::nn::detail {

/// Throws ValueError for an undefined tensor, DTypeError for an input that is not floating.
void check_input(const char* name, const Tensor& input);
/// The same, and ShapeError unless the shapes are equal: losses do not broadcast.
void check_pair(const char* name, const Tensor& input, const Tensor& target);
/// Throws ValueError unless every element is 1 or -1.
void check_signs(const char* name, const Tensor& target);
/// Throws ValueError naming the option unless `valid`.
void check_option(const char* name, bool valid, const char* option, double got);

/// Throws ShapeError for the mean of nothing, ValueError for batchmean.
Tensor reduce(const char* name, const Tensor& losses, Reduction reduction);

}  // namespace xtape::nn::detail
