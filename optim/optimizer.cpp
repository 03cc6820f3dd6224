// SPDX-License-Identifier: BSD-3-Clause
#include "optimizer.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "../autograd/error.hpp"
#include "../autograd/ops/creation.hpp"
#include "../autograd/tape.hpp"

namespace xtape::optim {

using detail::Slot;

namespace {

bool same_layout(const Tensor& a, const Tensor& b) noexcept {
  if (a.is_contiguous() && b.is_contiguous()) return true;
  const auto s = a.strides(), t = b.strides();
  return std::equal(s.begin(), s.end(), t.begin());
}

// `x` in the memory order and dtype of `like`, which is dense.
Tensor laid_out(const Tensor& x, const Tensor& like) {
  if (x.dtype() == like.dtype() && same_layout(x, like)) return x;
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
    group.slots.push_back({p, 0, {}});
  }
  groups_.push_back(std::move(group));
}

void Optimizer::check_group(std::size_t group) const {
  if (group < groups_.size()) return;
  throw IndexError(std::string(name_) + ": group " + std::to_string(group) +
                   " is out of range for " + std::to_string(groups_.size()) + " groups");
}

void Optimizer::bad_option(const char* option, double got) const {
  throw ValueError(std::string(name_) + ": " + option + " is out of range: " + std::to_string(got));
}

void Optimizer::step() {
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    for (Slot& slot : groups_[g].slots) step(slot, g);
  }
}

void Optimizer::step(Slot& slot, std::size_t group) {
  const Tensor& p = slot.parameter;
  const Tensor gradient = p.grad();
  if (!gradient.defined()) return;
  ++slot.steps;
  if (xtape::detail::is_dense(p)) {
    xtape::detail::raise_version(p);
    update(slot, p, laid_out(gradient, p), group);
    return;
  }
  // A view with gaps: stepped in a dense copy.
  const NoGrad guard;
  const Tensor dense = xtape::detail::copy_contiguous(p);
  update(slot, dense, laid_out(gradient, dense), group);
  slot.parameter.copy_(dense);
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
  require(lr >= 0, "lr", lr);
  lr_of(group) = lr;
}

const Tensor& Optimizer::buffer(Slot& slot, std::size_t i, const Tensor& parameter) const {
  Tensor& b = slot.buffers[i];
  if (!b.defined()) {
    b = xtape::detail::empty_like(parameter, parameter.dtype());
    b.zero_();
  } else {
    b = laid_out(b, parameter);
  }
  return b;
}

// --- checkpoints
// ------------------------------------------------------------------------------------

std::string Optimizer::name_of(std::size_t index, const char* what) const {
  return "state." + std::to_string(index) + "." + what;
}

NamedTensors Optimizer::state() const {
  NamedTensors found;
  std::size_t index = 0;
  for (const Group& g : groups_) {
    for (const Slot& slot : g.slots) {
      if (slot.steps > 0) {
        found.emplace_back(name_of(index, "step"), scalar_tensor(slot.steps, int64));
      }
      for (std::size_t i = 0; buffers_.names[i]; ++i) {
        if (!slot.buffers[i].defined()) continue;
        found.emplace_back(name_of(index, buffers_.names[i]), slot.buffers[i]);
      }
      ++index;
    }
  }
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    found.emplace_back("groups." + std::to_string(g) + ".lr", scalar_tensor(lr(g), float64));
  }
  return found;
}

void Optimizer::load_state(const NamedTensors& state) {
  const std::string who = std::string(name_) + ": load_state: ";
  std::size_t used = 0;
  const auto find = [&](const std::string& name, DType dtype, const Shape& shape) -> const Tensor* {
    const auto i = std::find_if(state.begin(), state.end(),
                                [&](const auto& entry) { return entry.first == name; });
    if (i == state.end()) return nullptr;
    ++used;
    const Tensor& t = i->second;
    if (!t.defined() || t.shape() != shape) {
      throw ShapeError(who + name + ": expected shape " + to_string(shape) + ", got " +
                       t.description());
    }
    if (t.dtype() != dtype) {
      throw DTypeError(who + name + ": expected " + xtape::name(dtype) + ", got " +
                       t.description());
    }
    return &t;
  };

  std::vector<Slot> slots;
  std::vector<double> rates;
  for (const Group& g : groups_) {
    for (const Slot& slot : g.slots) {
      Slot& loaded = slots.emplace_back(Slot{slot.parameter, 0, {}});
      const std::size_t index = slots.size() - 1;
      const Tensor& p = slot.parameter;
      if (const Tensor* t = find(name_of(index, "step"), int64, {})) {
        loaded.steps = t->item<std::int64_t>();
      }
      for (std::size_t i = 0; buffers_.names[i]; ++i) {
        const Tensor* t = find(name_of(index, buffers_.names[i]), p.dtype(), p.shape());
        if (t) loaded.buffers[i] = xtape::detail::copy_contiguous(*t);
      }
    }
    const std::string name = "groups." + std::to_string(rates.size()) + ".lr";
    const Tensor* t = find(name, float64, {});
    if (!t) throw ValueError(who + name + " is missing");
    rates.push_back(t->item<double>());
    require(rates.back() >= 0, "lr", rates.back());
  }
  if (used != state.size()) {
    throw ValueError(who + std::to_string(state.size() - used) +
                     " entries do not belong to this optimizer and its parameters");
  }

  std::size_t index = 0;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    for (Slot& slot : groups_[g].slots) slot = std::move(slots[index++]);
    lr_of(g) = rates[g];
  }
}

}  // namespace xtape::optim
