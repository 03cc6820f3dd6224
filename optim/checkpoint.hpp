// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "../autograd/export.hpp"
#include "../data/loader.hpp"
#include "../nn/module.hpp"
#include "../nn/state.hpp"
#include "optimizer.hpp"
#include "schedule.hpp"

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
  std::int64_t epoch = 0;                                 ///< epochs done
  std::int64_t step = 0;                                  ///< optimizer steps done
  std::vector<std::pair<std::string, double>> metrics{};  ///< as of now, by name
};

/// What a training run may have beside its model and optimizer.
struct CheckpointParts {
  Schedule* schedule = nullptr;
  data::DataLoader* loader = nullptr;  ///< its position in the data
};

/// Writes the model, the optimizer's state, this thread's random generator, the position and what
/// `parts` names, so that a run which loads them goes on bit for bit. Inside a loop over the loader
/// the position in the data is after the batch given out last. Throws FileError; the old file is
/// unchanged then. Throws ValueError on a metric that comes twice.
XTAPE_API void save_checkpoint(const std::string& path, const nn::Module& module,
                               const Optimizer& optimizer, const Position& position,
                               const CheckpointParts& parts = {});
/// The same of a run without an optimizer, e.g. statistics gathered in buffers.
XTAPE_API void save_checkpoint(const std::string& path, const nn::Module& module,
                               const Position& position, const CheckpointParts& parts = {});
/// The position in a checkpoint, which nothing is restored from yet. Throws FileError.
XTAPE_API Position read_position(const std::string& path);
/// Restores what `save_checkpoint` wrote; `parts` names what the file holds, no more and no less.
/// Throws FileError, ModuleError, ShapeError, DTypeError, ValueError; nothing is changed then.
XTAPE_API Position load_checkpoint(const std::string& path, nn::Module& module,
                                   Optimizer& optimizer, const CheckpointParts& parts = {});
XTAPE_API Position load_checkpoint(const std::string& path, nn::Module& module,
                                   const CheckpointParts& parts = {});

}  // namespace xtape::optim
