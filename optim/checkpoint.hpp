// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>

#include "../autograd/export.hpp"
#include "../nn/module.hpp"
#include "../nn/state.hpp"
#include "optimizer.hpp"

// Models and training runs in safetensors files. A file appears whole or not at all.
namespace xtape::optim {

/// Writes parameters and buffers under their dotted names: what Python's safetensors reads. Throws
/// FileError.
XTAPE_API void save_model(const nn::Module& module, const std::string& path);
/// Reads them back into the module, as nn::load_state. Throws FileError, ShapeError, ModuleError;
/// the module is unchanged then.
XTAPE_API nn::LoadReport load_model(nn::Module& module, const std::string& path,
                                    const nn::LoadStateOptions& options = {});

/// Where a training run stands.
struct Position {
  std::int64_t epoch = 0;  ///< epochs done
  std::int64_t step = 0;   ///< optimizer steps done
};

/// Writes the model, the optimizer's state, this thread's random generator and the position, so
/// that a run which loads them goes on bit for bit. Throws FileError.
XTAPE_API void save_checkpoint(const std::string& path, const nn::Module& module,
                               const Optimizer& optimizer, const Position& position);
/// Restores what `save_checkpoint` wrote. Throws FileError, ModuleError, ShapeError, DTypeError,
/// ValueError; nothing is changed then.
XTAPE_API Position load_checkpoint(const std::string& path, nn::Module& module,
                                   Optimizer& optimizer);

}  // namespace xtape::optim
