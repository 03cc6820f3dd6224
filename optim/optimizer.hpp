// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
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
  double number = 1;
  Tensor buffers[kMaxBuffers];
};

/// Names of an optimizer's buffers as PyTorch has them, null at the end, and of the number that it
/// keeps for each parameter, where it does.
struct BufferNames {
  const char* names[kMaxBuffers + 1];
  const char* number = nullptr;
  std::size_t optional = 0;  ///< so many of the last buffers depend on options
};

/// A user's function that computes the loss and its gradients, for the time of a call.
struct LossClosure {
  void* object;
  Tensor (*call)(void* object);
  Tensor operator()() const { return call(object); }
};

class StateReader;

}  // namespace detail

/// Base of the optimizers: changes parameters in place by their gradients. Keeps handles, so values
/// that are loaded or converted behind them are followed.
class XTAPE_API Optimizer {
 public:
  virtual ~Optimizer();
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// One step for every parameter that has a gradient.
  virtual void step();
  /// Calls `closure()`, which drops the old gradients, computes the loss, calls its backward() and
  /// returns it; then steps, and returns the loss. What needs several evaluations calls it again.
  template <class F>
  Tensor step(F&& closure) {
    using Function = std::remove_reference_t<F>;
    return step_with({const_cast<void*>(static_cast<const void*>(&closure)),
                      [](void* f) -> Tensor { return (*static_cast<Function*>(f))(); }});
  }
  /// Drops all gradients.
  void zero_grad();

  std::size_t group_count() const noexcept { return groups_.size(); }
  /// Throws IndexError.
  std::vector<Tensor> parameters(std::size_t group = 0) const;
  double lr(std::size_t group = 0) const;
  /// Of all groups, or of one.
  void set_lr(double lr);
  void set_lr(double lr, std::size_t group);
  /// The momentum, or the first of the betas: what OneCycleLR and CyclicLR move. Throws ValueError
  /// for an optimizer that has none, or a value that its options refuse.
  bool has_momentum() const;
  double momentum(std::size_t group = 0) const;
  void set_momentum(double momentum, std::size_t group);

  /// What a checkpoint needs to go on bit for bit: "state.0.exp_avg", "state.0.step", ...,
  /// "groups.0.lr", "groups.0.momentum", parameters numbered through all groups. Shares memory with
  /// the optimizer.
  NamedTensors state() const;
  /// Takes over a copy of `state()`. Throws ValueError on a name that does not belong here or is
  /// missing, ShapeError and DTypeError where a tensor does not fit; nothing is changed then.
  void load_state(const NamedTensors& state);

 protected:
  Optimizer(const char* name, detail::BufferNames buffers) noexcept;
  Optimizer(Optimizer&&) noexcept = default;

  /// Throws ValueError for no parameters, one that is undefined, not a leaf or here already,
  /// DTypeError for one that is not floating.
  void add_group(const std::vector<Tensor>& parameters);
  void check_group(std::size_t group) const;
  [[noreturn]] void refuse(const char* rule, double got) const;
  /// Throws ValueError unless `valid`: require(o.lr >= 0, "lr >= 0", o.lr).
  void require(bool valid, const char* rule, double got) const {
    if (!valid) refuse(rule, got);
  }

  /// Steps one parameter. Parameter, gradient and buffers are dense and of one memory order.
  virtual void update(detail::Slot& slot, const Tensor& parameter, const Tensor& gradient,
                      std::size_t group) = 0;
  /// Steps a contiguous parameter of which only some rows have a gradient (what an embedding read),
  /// each once. False, with nothing done, where all of it changes or the gradient is dense.
  virtual bool update_rows(const Tensor& /*parameter*/, std::size_t /*group*/) { return false; }
  virtual double& lr_of(std::size_t group) = 0;
  /// Null where there is none.
  virtual double* momentum_of(std::size_t group) = 0;
  /// Throws ValueError where an option of the group is out of range.
  virtual void check_options(std::size_t group) const = 0;
  virtual Tensor step_with(const detail::LossClosure& closure);
  /// Buffer i in the layout of `parameter`, filled with `initial` at first.
  const Tensor& buffer(detail::Slot& slot, std::size_t i, const Tensor& parameter,
                       double initial = 0) const;
  /// What an optimizer remembers beside its parameters' buffers. `read_state` is called to check
  /// first, then to take over.
  virtual void append_state(NamedTensors&) const {}
  virtual void read_state(detail::StateReader&, bool /*take_over*/) {}

 private:
  friend class Schedule;
  struct Group {
    std::vector<detail::Slot> slots;
    double initial_lr = -1;  // before the first schedule; below 0 where there was none yet
  };
  void step_slot(detail::Slot& slot, std::size_t group);
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
  /// A further group, say of layers that are unfrozen later. Throws as the constructors do.
  void add_param_group(const ParameterGroup<Options>& group) {
    check(group.options);
    check_parameters(group.parameters);
    add_group(group.parameters);
    options_.push_back(group.options);
  }

 protected:
  using Optimizer::Optimizer;
  using Groups = std::vector<ParameterGroup<Options>>;

  /// To be called by the constructors.
  void add(const Groups& groups) {
    for (const auto& g : groups) add_param_group(g);
  }
  /// Throws ValueError for options out of range; here those that most optimizers have.
  virtual void check(const Options& o) const {
    require(o.lr >= 0, "lr >= 0", o.lr);
    if constexpr (requires { o.betas; }) {
      for (const double beta : o.betas) require(beta >= 0 && beta < 1, "betas in [0, 1)", beta);
    }
    if constexpr (requires { o.eps; }) require(o.eps >= 0, "eps >= 0", o.eps);
    if constexpr (requires { o.weight_decay; }) {
      require(o.weight_decay >= 0, "weight_decay >= 0", o.weight_decay);
    }
  }
  virtual void check_parameters(const std::vector<Tensor>&) const {}

  void check_options(std::size_t group) const final { check(options_[group]); }
  double& lr_of(std::size_t group) final { return options_[group].lr; }
  double* momentum_of(std::size_t group) final {
    Options& o = options_[group];
    if constexpr (requires { o.betas; }) {
      return &o.betas[0];
    } else if constexpr (requires { o.momentum; }) {
      return &o.momentum;
    } else {
      return nullptr;
    }
  }

  std::vector<Options> options_;
};

}  // namespace xtape::optim
