// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "../autograd/export.hpp"
#include "../autograd/tensor.hpp"

namespace xtape::nn {

/// All elements of all parameters in one vector; recorded. Throws ValueError for no parameters,
/// DTypeError where their dtypes differ.
XTAPE_API Tensor parameters_to_vector(const std::vector<Tensor>& parameters);
/// Writes the elements of a vector back, behind the parameters' handles. Throws ShapeError unless
/// it is as long as all of them, DTypeError for another dtype; nothing is changed then.
XTAPE_API void vector_to_parameters(const Tensor& vector, const std::vector<Tensor>& parameters);

}  // namespace xtape::nn
