// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "export.hpp"

namespace xtape {

/// A counter-based generator (Philox 4x32-10): the numbers are a pure function of seed, stream and
/// position, so they do not depend on threads or on the machine. Salmon et al., "Parallel random
/// numbers: as easy as 1, 2, 3", SC 2011.
struct Generator {
  std::uint64_t seed = 0;
  std::uint64_t stream = 0;    ///< independent sequences of one seed: one for each task
  std::uint64_t position = 0;  ///< in blocks of four 32-bit numbers

  /// Takes the blocks for `count` 32-bit numbers and returns where they begin.
  std::uint64_t take(std::uint64_t count) noexcept {
    const std::uint64_t begin = position;
    position += (count + 3) / 4;
    return begin;
  }
};

/// The generator of this thread; seed 0 at first.
XTAPE_API Generator& default_generator() noexcept;

/// Restarts this thread's generator.
XTAPE_API void manual_seed(std::uint64_t seed) noexcept;

/// The generator of this thread is another one in its scope: a task draws from the stream of its
/// index, whichever thread runs it.
class XTAPE_API GeneratorScope {
 public:
  explicit GeneratorScope(const Generator& generator) noexcept;
  ~GeneratorScope();
  GeneratorScope(const GeneratorScope&) = delete;
  GeneratorScope& operator=(const GeneratorScope&) = delete;

 private:
  Generator before_;
};

}  // namespace xtape
