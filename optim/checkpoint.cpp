// SPDX-License-Identifier: BSD-3-Clause
#include "checkpoint.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include "../autograd/error.hpp"
#include "../autograd/ops/creation.hpp"
#include "../autograd/random.hpp"
#include "../data/safetensors.hpp"

namespace xtape::optim {
namespace {

constexpr std::string_view kModel = "model.";
constexpr std::string_view kOptimizer = "optimizer.";
constexpr const char* kGenerator = "random.generator";
constexpr const char* kPosition = "position";
constexpr std::string_view kMetrics = "metrics.";
constexpr std::string_view kSchedule = "schedule.";
constexpr const char* kLoader = "loader.position";

void append(NamedTensors& all, std::string_view prefix, const NamedTensors& some) {
  for (const auto& [name, t] : some) all.emplace_back(std::string(prefix) + name, t);
}

NamedTensors with_prefix(const NamedTensors& all, std::string_view prefix) {
  NamedTensors found;
  for (const auto& [name, t] : all) {
    if (name.starts_with(prefix)) found.emplace_back(name.substr(prefix.size()), t);
  }
  return found;
}

template <std::size_t N>
Tensor integers(const std::array<std::int64_t, N>& values) {
  return from_values<std::int64_t>(values, {static_cast<std::int64_t>(N)});
}

template <std::size_t N>
std::array<std::int64_t, N> integers(const NamedTensors& all, const std::string& name,
                                     const std::string& path) {
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const auto& entry) { return entry.first == name; });
  if (found == all.end() || found->second.dtype() != int64 ||
      found->second.shape() != Shape{static_cast<std::int64_t>(N)}) {
    throw FileError("load_checkpoint: " + path + ": no checkpoint, '" + name + "' is missing");
  }
  std::array<std::int64_t, N> values;
  std::copy_n(found->second.template data<std::int64_t>(), N, values.begin());
  return values;
}

// Without an optimizer where that is null.
void save(const std::string& path, const nn::Module& module, const Optimizer* optimizer,
          const Position& position, const CheckpointParts& parts) {
  NamedTensors all;
  append(all, kModel, nn::state_dict(module));
  if (optimizer) append(all, kOptimizer, optimizer->state());
  if (parts.schedule) append(all, kSchedule, parts.schedule->state());
  if (parts.loader) {
    const data::LoaderPosition at = parts.loader->position();
    all.emplace_back(kLoader, integers<2>({at.epoch, at.batch}));
  }
  const Generator& g = default_generator();
  all.emplace_back(kGenerator, integers<3>({static_cast<std::int64_t>(g.seed),
                                            static_cast<std::int64_t>(g.stream),
                                            static_cast<std::int64_t>(g.position)}));
  all.emplace_back(kPosition, integers<2>({position.epoch, position.step}));
  for (const auto& [name, value] : position.metrics) {
    all.emplace_back(std::string(kMetrics) + name, scalar_tensor(value, float64));
  }
  data::write_safetensors(path, all);
}

}  // namespace

void save_model(const nn::Module& module, const std::string& path) {
  data::write_safetensors(path, nn::state_dict(module));
}

nn::LoadReport load_model(nn::Module& module, const std::string& path,
                          const nn::LoadStateOptions& options) {
  return nn::load_state(module, data::read_safetensors(path).tensors, options);
}

void save_checkpoint(const std::string& path, const nn::Module& module, const Optimizer& optimizer,
                     const Position& position, const CheckpointParts& parts) {
  save(path, module, &optimizer, position, parts);
}

void save_checkpoint(const std::string& path, const nn::Module& module, const Position& position,
                     const CheckpointParts& parts) {
  save(path, module, nullptr, position, parts);
}

namespace {

Position position_in(const NamedTensors& all, const std::string& path) {
  const auto numbers = integers<2>(all, kPosition, path);
  Position position{numbers[0], numbers[1]};
  for (const auto& [name, value] : with_prefix(all, kMetrics)) {
    if (value.dtype() != float64 || value.dim() != 0) {
      throw FileError("load_checkpoint: " + path + ": metric '" + name + "' is no float64 number");
    }
    position.metrics.emplace_back(name, value.item<double>());
  }
  return position;
}

// A part that is in the file and not wanted, or the other way round, would be a run that goes on
// otherwise than it should.
void check_part(const std::string& path, const char* what, bool stored, bool wanted) {
  if (stored == wanted) return;
  throw ValueError("load_checkpoint: " + path +
                   (stored ? ": holds the state of " : ": lacks the state of ") + what +
                   (stored ? ", but none was given" : ", but one was given"));
}

// What was loaded so far goes back to where it was unless all of it could be.
class Rollback {
 public:
  Rollback(Optimizer* optimizer, const CheckpointParts& parts)
      : optimizer_(optimizer), parts_(parts) {
    if (optimizer) optimizer_state_ = optimizer->state();
    if (parts.schedule) schedule_state_ = parts.schedule->state();
    if (parts.loader) loader_ = parts.loader->position();
  }
  void run() {
    if (optimizer_) optimizer_->load_state(optimizer_state_);
    if (parts_.schedule) parts_.schedule->load_state(schedule_state_);
    if (parts_.loader) parts_.loader->set_position(loader_);
  }

 private:
  Optimizer* optimizer_;
  const CheckpointParts& parts_;
  NamedTensors optimizer_state_, schedule_state_;
  data::LoaderPosition loader_;
};

Position load(const std::string& path, nn::Module& module, Optimizer* optimizer,
              const CheckpointParts& parts) {
  const NamedTensors all = data::read_safetensors(path).tensors;
  const auto generator = integers<3>(all, kGenerator, path);
  Position position = position_in(all, path);
  const NamedTensors schedule = with_prefix(all, kSchedule);
  const bool has_loader = !with_prefix(all, kLoader).empty();
  check_part(path, "an optimizer", !with_prefix(all, kOptimizer).empty(), optimizer != nullptr);
  check_part(path, "a schedule", !schedule.empty(), parts.schedule != nullptr);
  check_part(path, "a loader", has_loader, parts.loader != nullptr);

  Rollback rollback(optimizer, parts);
  try {
    if (optimizer) optimizer->load_state(with_prefix(all, kOptimizer));
    if (parts.schedule) parts.schedule->load_state(schedule);
    if (parts.loader) {
      const auto at = integers<2>(all, kLoader, path);
      parts.loader->set_position({at[0], at[1]});
    }
    nn::load_state(module, with_prefix(all, kModel));  // changes nothing where it throws
  } catch (...) {
    rollback.run();
    throw;
  }
  default_generator() = {static_cast<std::uint64_t>(generator[0]),
                         static_cast<std::uint64_t>(generator[1]),
                         static_cast<std::uint64_t>(generator[2])};
  return position;
}

}  // namespace

Position read_position(const std::string& path) {
  return position_in(data::read_safetensors(path).tensors, path);
}

Position load_checkpoint(const std::string& path, nn::Module& module, Optimizer& optimizer,
                         const CheckpointParts& parts) {
  return load(path, module, &optimizer, parts);
}

Position load_checkpoint(const std::string& path, nn::Module& module,
                         const CheckpointParts& parts) {
  return load(path, module, nullptr, parts);
}

}  // namespace xtape::optim
