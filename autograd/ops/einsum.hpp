// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <initializer_list>
#include <span>
#include <string_view>

#include "../export.hpp"
#include "../tensor.hpp"

// Sums of products by a formula, made of recorded operations.
namespace xtape {

/// Sums of products by Einstein's rule: "bij,bjk->bik". Labels are letters; `...` stands for the
/// remaining dimensions, which broadcast; a label repeated in one operand takes its diagonal; what
/// the output does not name is summed. Without `->` the output has the dimensions of `...`, then
/// the labels that occur once, in alphabetical order (capitals first). Operands are contracted from
/// left to right, each pair as one batched matrix product; a size of 1 broadcasts. Throws
/// ValueError for a wrong equation, ShapeError for sizes that do not fit, DTypeError unless all
/// operands have one floating dtype.
XTAPE_API Tensor einsum(std::string_view equation, std::span<const Tensor> operands);
XTAPE_API Tensor einsum(std::string_view equation, std::initializer_list<Tensor> operands);

}  // namespace xtape
