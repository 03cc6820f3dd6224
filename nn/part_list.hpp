// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "module.hpp"

// Lists made of XTAPE_PARTS and of the registry of living parts; private to nn/.
namespace xtape::nn::detail {

struct ListedPart {
  std::string name;
  Module* module;       // of kind module
  OwnedTensor* tensor;  // of the other kinds; may be undefined
  PartKind kind;
};

/// The parts that one module lists itself, in the order of its list.
std::vector<ListedPart> listed_parts(const Module& module);

struct LivingPart {
  const void* address;
  PartKind kind;
};

/// The parts constructed in [begin, begin + size), by address.
std::vector<LivingPart> living_parts(const void* begin, std::size_t size);

}  // namespace xtape::nn::detail
