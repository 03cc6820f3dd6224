// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "../autograd/export.hpp"
#include "../autograd/tensor.hpp"

namespace xtape::optim {

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

/// Parameters with options of their own:
/// `Adam opt({{body.parameters(), {.lr = 1e-4}}, {head.parameters(), {.lr = 1e-3}}})`.
template <class Options>
struct ParameterGroup {
  std::vector<Tensor> parameters;
  Options options{};
};

namespace detail {

inline constexpr std::size_t kMaxBuffers = 4;

/// One parameter and what an optimizer remembers of it.
struct Slot {
  Tensor parameter;
  std::int64_t steps = 0;
  Tensor buffers[kMaxBuffers];
};

/// Names of an optimizer's buffers as PyTorch has them, null at the end.
struct BufferNames {
  const char* names[kMaxBuffers + 1];
};

}  // namespace detail

/// Base of the optimizers: changes parameters in place by their gradients. Keeps handles, so values
/// that are loaded or converted behind them are followed.
class XTAPE_API Optimizer {
 public:
  virtual ~Optimizer();
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// One step for every parameter that has a gradient.
  void step();
  /// Drops all gradients.
  void zero_grad();

  std::size_t group_count() const noexcept { return groups_.size(); }
  /// Throws IndexError.
  std::vector<Tensor> parameters(std::size_t group = 0) const;
  double lr(std::size_t group = 0) const;
  /// Of all groups, or of one.
  void set_lr(double lr);
  void set_lr(double lr, std::size_t group);

  /// What a checkpoint needs to go on bit for bit: "state.0.exp_avg", "state.0.step", ...,
  /// "groups.0.lr", parameters numbered through all groups. Shares memory with the optimizer.
  NamedTensors state() const;
  /// Takes over a copy of `state()`. Throws ValueError on a name that does not belong here or is
  /// missing, ShapeError and DTypeError where a tensor does not fit; nothing is changed then.
  void load_state(const NamedTensors& state);

 protected:
  Optimizer(const char* name, detail::BufferNames buffers) noexcept;
  Optimizer(Optimizer&&) noexcept = default;

  /// Throws ValueError for no parameters, one that is undefined, not a leaf or here already.
  void add_group(const std::vector<Tensor>& parameters);
  void check_group(std::size_t group) const;
  [[noreturn]] void bad_option(const char* option, double got) const;
  /// Throws ValueError naming the option unless `valid`.
  void require(bool valid, const char* option, double got) const {
    if (!valid) bad_option(option, got);
  }

  /// Steps one parameter. Parameter, gradient and buffers are dense and of one memory order.
  virtual void update(detail::Slot& slot, const Tensor& parameter, const Tensor& gradient,
                      std::size_t group) = 0;
  virtual double& lr_of(std::size_t group) = 0;
  /// Buffer i in the layout of `parameter`, zeros at first.
  const Tensor& buffer(detail::Slot& slot, std::size_t i, const Tensor& parameter) const;

 private:
  struct Group {
    std::vector<detail::Slot> slots;
  };
  void step(detail::Slot& slot, std::size_t group);
  std::string name_of(std::size_t index, const char* what) const;

  const char* name_;
  detail::BufferNames buffers_;
  std::vector<Group> groups_;
};

/// An optimizer whose groups have these options.
template <class Options>
class OptimizerWith : public Optimizer {
 public:
  /// May be changed between steps. Throws IndexError.
  Options& options(std::size_t group = 0) {
    check_group(group);
    return options_[group];
  }

 protected:
  using Optimizer::Optimizer;
  using Groups = std::vector<ParameterGroup<Options>>;

  void add(const std::vector<Tensor>& parameters, const Options& options) {
    add_group(parameters);
    options_.push_back(options);
  }
  double& lr_of(std::size_t group) final { return options_[group].lr; }

  std::vector<Options> options_;
};

}  // namespace xtape::optim
