// SPDX-License-Identifier: BSD-3-Clause
#include "optimizer.hpp"

#include <algorithm>
#include <utility>

#include "../autograd/error.hpp"
#include "../autograd/ops/creation.hpp"
#include "../autograd/tape.hpp"
#include "number_error.hpp"
#include "state_reader.hpp"

namespace xtape::optim {

using detail::Slot;

namespace {

bool is_laid_out(const Tensor& x, const Tensor& like) noexcept {
  if (x.dtype() != like.dtype()) return false;
  if (x.is_contiguous() && like.is_contiguous()) return true;
  const auto s = x.strides(), t = like.strides();
  return std::equal(s.begin(), s.end(), t.begin());
}

// `x` in the memory order and dtype of `like`, which is dense.
Tensor laid_out(Tensor x, const Tensor& like) {
  if (is_laid_out(x, like)) return x;
  Tensor y = xtape::detail::empty_like(like, like.dtype());
  y.copy_(x);
  return y;
}

}  // namespace

Optimizer::Optimizer(const char* name, detail::BufferNames buffers) noexcept
    : name_(name), buffers_(buffers) {}

Optimizer::~Optimizer() = default;

void Optimizer::add_group(const std::vector<Tensor>& parameters) {
  const std::string who = name_;
  if (parameters.empty()) throw ValueError(who + ": the list of parameters is empty");
  const auto is_known = [](const std::vector<Slot>& slots, const Tensor& p) {
    return std::any_of(slots.begin(), slots.end(),
                       [&](const Slot& s) { return s.parameter.value() == p.value(); });
  };
  Group group;
  group.slots.reserve(parameters.size());
  for (const Tensor& p : parameters) {
    const std::string which = who + ": parameter " + std::to_string(group.slots.size());
    if (!p.defined()) throw ValueError(which + " is undefined");
    if (!is_floating(p.dtype())) throw DTypeError(which + " is not floating: " + p.description());
    if (!p.is_leaf()) throw ValueError(which + " is a recorded value, not a leaf");
    bool known = is_known(group.slots, p);
    for (const Group& g : groups_) known = known || is_known(g.slots, p);
    if (known) throw ValueError(which + " is given twice");
    group.slots.push_back({.parameter = p, .buffers = {}});
  }
  groups_.push_back(std::move(group));
}

void Optimizer::check_group(std::size_t group) const {
  if (group < groups_.size()) return;
  throw IndexError(std::string(name_) + ": group " + std::to_string(group) +
                   " is out of range for " + std::to_string(groups_.size()) + " groups");
}

void Optimizer::refuse(const char* rule, double got) const {
  detail::refuse_number(name_, rule, got);
}

void Optimizer::step() {
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    for (Slot& slot : groups_[g].slots) step_slot(slot, g);
  }
}

void Optimizer::step_slot(Slot& slot, std::size_t group) {
  const Tensor& p = slot.parameter;
  if (p.is_contiguous() && update_rows(p, group)) {
    ++slot.steps;
    return;
  }
  Tensor gradient = p.grad();
  if (!gradient.defined()) return;
  ++slot.steps;
  if (xtape::detail::is_dense(p)) {
    xtape::detail::raise_version(p);
    update(slot, p, laid_out(std::move(gradient), p), group);
    return;
  }
  // A view with gaps: stepped in a dense copy.
  const NoGrad guard;
  const Tensor dense = xtape::detail::copy_contiguous(p);
  update(slot, dense, laid_out(std::move(gradient), dense), group);
  slot.parameter.copy_(dense);
}

Tensor Optimizer::step_with(const detail::LossClosure& closure) {
  Tensor loss;
  {
    const EnableGrad guard;
    loss = closure();
  }
  step();
  return loss;
}

void Optimizer::zero_grad() {
  for (Group& g : groups_) {
    for (Slot& slot : g.slots) slot.parameter.zero_grad();
  }
}

std::vector<Tensor> Optimizer::parameters(std::size_t group) const {
  check_group(group);
  std::vector<Tensor> found;
  for (const Slot& slot : groups_[group].slots) found.push_back(slot.parameter);
  return found;
}

double Optimizer::lr(std::size_t group) const {
  check_group(group);
  return const_cast<Optimizer*>(this)->lr_of(group);
}

void Optimizer::set_lr(double lr) {
  for (std::size_t g = 0; g < groups_.size(); ++g) set_lr(lr, g);
}

void Optimizer::set_lr(double lr, std::size_t group) {
  check_group(group);
  require(lr >= 0, "lr >= 0", lr);
  lr_of(group) = lr;
}

bool Optimizer::has_momentum() const {
  return const_cast<Optimizer*>(this)->momentum_of(0) != nullptr;
}

double Optimizer::momentum(std::size_t group) const {
  check_group(group);
  const double* found = const_cast<Optimizer*>(this)->momentum_of(group);
  if (!found) throw ValueError(std::string(name_) + ": has no momentum");
  return *found;
}

void Optimizer::set_momentum(double momentum, std::size_t group) {
  const double before = this->momentum(group);
  double& value = *momentum_of(group);
  value = momentum;
  try {
    check_options(group);
  } catch (...) {
    value = before;
    throw;
  }
}

const Tensor& Optimizer::buffer(Slot& slot, std::size_t i, const Tensor& parameter,
                                double initial) const {
  Tensor& b = slot.buffers[i];
  if (!b.defined()) {
    b = xtape::detail::empty_like(parameter, parameter.dtype());
    b.fill_(initial);
  } else if (!is_laid_out(b, parameter)) {
    b = laid_out(b, parameter);
  }
  return b;
}

// --- checkpoints --------------------------------------------------------------------------------

std::string Optimizer::name_of(std::size_t index, const char* what) const {
  return "state." + std::to_string(index) + "." + what;
}

namespace {

// How many buffers, the first ones, every step makes.
std::size_t always_made(const detail::BufferNames& buffers) {
  std::size_t count = 0;
  while (buffers.names[count]) ++count;
  return count - buffers.optional;
}

std::string group_name(std::size_t group, const char* what) {
  return "groups." + std::to_string(group) + "." + what;
}

}  // namespace

NamedTensors Optimizer::state() const {
  NamedTensors found;
  std::size_t index = 0;
  for (const Group& g : groups_) {
    for (const Slot& slot : g.slots) {
      if (slot.steps > 0) {
        found.emplace_back(name_of(index, "step"), scalar_tensor(slot.steps, int64));
        if (buffers_.number) {
          found.emplace_back(name_of(index, buffers_.number), scalar_tensor(slot.number, float64));
        }
      }
      for (std::size_t i = 0; buffers_.names[i]; ++i) {
        if (!slot.buffers[i].defined()) continue;
        found.emplace_back(name_of(index, buffers_.names[i]), slot.buffers[i]);
      }
      ++index;
    }
  }
  append_state(found);
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    found.emplace_back(group_name(g, "lr"), scalar_tensor(lr(g), float64));
    if (!has_momentum()) continue;
    found.emplace_back(group_name(g, "momentum"), scalar_tensor(momentum(g), float64));
  }
  return found;
}

void Optimizer::load_state(const NamedTensors& state) {
  detail::StateReader reader(std::string(name_) + ": load_state", state);
  std::vector<Slot> slots;
  std::vector<double> rates, momenta;
  for (const Group& g : groups_) {
    for (const Slot& slot : g.slots) {
      Slot& loaded = slots.emplace_back(Slot{.parameter = slot.parameter, .buffers = {}});
      const std::size_t index = slots.size() - 1;
      const Tensor& p = slot.parameter;
      const std::string step = name_of(index, "step");
      const Tensor* const steps = reader.find(step, int64, {});
      if (steps) {
        loaded.steps = steps->item<std::int64_t>();
        if (loaded.steps < 0) reader.fail(step, " is negative");
        if (buffers_.number) loaded.number = reader.number(name_of(index, buffers_.number));
      }
      for (std::size_t i = 0; buffers_.names[i]; ++i) {
        const Tensor* t = reader.find(name_of(index, buffers_.names[i]), p.dtype(), p.shape());
        if (!t) continue;
        loaded.buffers[i] = xtape::detail::copy_contiguous(*t);
        if (!steps) reader.fail(step, " is missing");
      }
      // A parameter never stepped has none, one without elements may have none.
      if (!steps || p.numel() == 0) continue;
      for (std::size_t i = 0; i < always_made(buffers_); ++i) {
        if (loaded.buffers[i].defined()) continue;
        reader.fail(name_of(index, buffers_.names[i]), " is missing");
      }
    }
    const std::size_t group = rates.size();
    rates.push_back(reader.number(group_name(group, "lr")));
    require(rates.back() >= 0, "lr >= 0", rates.back());
    if (has_momentum()) momenta.push_back(reader.number(group_name(group, "momentum")));
  }
  read_state(reader, false);
  reader.finish("this optimizer and its parameters");

  std::vector<double> momenta_before;
  for (std::size_t g = 0; g < momenta.size(); ++g) momenta_before.push_back(momentum(g));
  try {
    for (std::size_t g = 0; g < momenta.size(); ++g) set_momentum(momenta[g], g);
  } catch (...) {
    for (std::size_t g = 0; g < momenta.size(); ++g) *momentum_of(g) = momenta_before[g];
    throw;
  }
  std::size_t index = 0;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    for (Slot& slot : groups_[g].slots) slot = std::move(slots[index++]);
    lr_of(g) = rates[g];
  }
  read_state(reader, true);
}

}  // namespace xtape::optim
