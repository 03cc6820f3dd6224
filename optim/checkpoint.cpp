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

}  // namespace

void save_model(const nn::Module& module, const std::string& path) {
  data::write_safetensors(path, nn::state_dict(module));
}

nn::LoadReport load_model(nn::Module& module, const std::string& path,
                          const nn::LoadStateOptions& options) {
  return nn::load_state(module, data::read_safetensors(path).tensors, options);
}

void save_checkpoint(const std::string& path, const nn::Module& module, const Optimizer& optimizer,
                     const Position& position) {
  NamedTensors all;
  append(all, kModel, nn::state_dict(module));
  append(all, kOptimizer, optimizer.state());
  const Generator& g = default_generator();
  all.emplace_back(kGenerator, integers<3>({static_cast<std::int64_t>(g.seed),
                                            static_cast<std::int64_t>(g.stream),
                                            static_cast<std::int64_t>(g.position)}));
  all.emplace_back(kPosition, integers<2>({position.epoch, position.step}));
  data::write_safetensors(path, all);
}

Position load_checkpoint(const std::string& path, nn::Module& module, Optimizer& optimizer) {
  const NamedTensors all = data::read_safetensors(path).tensors;
  const auto generator = integers<3>(all, kGenerator, path);
  const auto position = integers<2>(all, kPosition, path);
  // The optimizer refuses what does not fit it before the module is written, and goes back to where
  // it was if the module refuses.
  const NamedTensors before = optimizer.state();
  optimizer.load_state(with_prefix(all, kOptimizer));
  try {
    nn::load_state(module, with_prefix(all, kModel));
  } catch (...) {
    optimizer.load_state(before);
    throw;
  }
  default_generator() = {static_cast<std::uint64_t>(generator[0]),
                         static_cast<std::uint64_t>(generator[1]),
                         static_cast<std::uint64_t>(generator[2])};
  return {position[0], position[1]};
}

}  // namespace xtape::optim
