// SPDX-License-Identifier: BSD-3-Clause
#include "state_reader.hpp"

#include <algorithm>

#include "../autograd/error.hpp"

namespace xtape::optim::detail {

void StateReader::fail(const std::string& name, const std::string& what) const {
  throw ValueError(who_ + ": " + name + what);
}

const Tensor* StateReader::entry(const std::string& name) {
  const auto i = std::find_if(state_.begin(), state_.end(),
                              [&](const auto& entry) { return entry.first == name; });
  if (i == state_.end()) return nullptr;
  if (std::find(used_.begin(), used_.end(), &i->second) == used_.end()) used_.push_back(&i->second);
  return &i->second;
}

const Tensor* StateReader::find(const std::string& name, DType dtype, const Shape& shape) {
  const Tensor* t = entry(name);
  if (!t) return nullptr;
  const std::string got = t->defined() ? t->description() : "an undefined tensor";
  if (!t->defined() || t->shape() != shape) {
    throw ShapeError(who_ + ": " + name + ": expected shape " + to_string(shape) + ", got " + got);
  }
  if (t->dtype() != dtype) {
    throw DTypeError(who_ + ": " + name + ": expected " + xtape::name(dtype) + ", got " + got);
  }
  return t;
}

const Tensor& StateReader::get(const std::string& name, DType dtype, const Shape& shape) {
  const Tensor* t = find(name, dtype, shape);
  if (!t) fail(name, " is missing");
  return *t;
}

std::int64_t StateReader::length(const std::string& name) {
  const Tensor* t = entry(name);
  if (!t || !t->defined()) fail(name, " is missing");
  if (t->dim() != 1) {
    throw ShapeError(who_ + ": " + name + ": expected a list, got " + t->description());
  }
  return t->numel();
}

std::vector<double> StateReader::numbers(const std::string& name, std::size_t count) {
  const Tensor t = get(name, float64, {static_cast<std::int64_t>(count)}).contiguous();
  return {t.data<double>(), t.data<double>() + count};
}

void StateReader::finish(std::string_view owner) const {
  if (used_.size() == state_.size()) return;
  throw ValueError(who_ + ": " + std::to_string(state_.size() - used_.size()) +
                   " entries do not belong to " + std::string(owner));
}

}  // namespace xtape::optim::detail
