// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>

#include "module.hpp"

// Copying a module member by member; private to nn/. What is tied in the source is tied in the
// copy: while one whole module is being copied, parameters that share a value get copies that share
// one.
namespace xtape::nn::detail {

/// Starts a copy of a whole module unless one is under way around it.
void begin_copy(const Module* target, std::size_t size) noexcept;
/// Ends the copy that `begin_copy` started for the same target and size.
void end_copy(const Module* target, std::size_t size) noexcept;

bool is_copying() noexcept;

/// What the twin of the tied `source` was copied to; undefined where this is the first of them.
Tensor find_copy(const OwnedTensor& source);
void remember_copy(const OwnedTensor& source, const Tensor& copy);
/// True where `target` already holds the copy of another value.
bool is_copy_target(const Tensor& target) noexcept;

}  // namespace xtape::nn::detail
