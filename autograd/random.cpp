// SPDX-License-Identifier: BSD-3-Clause
#include "random.hpp"

namespace xtape {
namespace {

constinit thread_local Generator generator;

}  // namespace

Generator& default_generator() noexcept { return generator; }

void manual_seed(std::uint64_t seed) noexcept { generator = {seed, 0, 0}; }

GeneratorScope::GeneratorScope(const Generator& g) noexcept : before_(generator) { generator = g; }
GeneratorScope::~GeneratorScope() { generator = before_; }

}  // namespace xtape
