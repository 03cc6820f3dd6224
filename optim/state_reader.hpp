// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Reading back what `state()` gave; private to optim/.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "optimizer.hpp"

namespace xtape::optim::detail {

/// Finds entries by name and checks them. Every error is "who: name: what".
class StateReader {
 public:
  StateReader(std::string who, const NamedTensors& state) : who_(std::move(who)), state_(state) {}

  /// Null where there is none. Throws ShapeError, DTypeError.
  const Tensor* find(const std::string& name, DType dtype, const Shape& shape);
  /// Throws ValueError where it is missing.
  const Tensor& get(const std::string& name, DType dtype, const Shape& shape);
  std::int64_t integer(const std::string& name) {
    return get(name, int64, {}).item<std::int64_t>();
  }
  double number(const std::string& name) { return get(name, float64, {}).item<double>(); }
  /// Elements of a list. Throws ValueError where it is missing, ShapeError where it is none.
  std::int64_t length(const std::string& name);
  std::vector<double> numbers(const std::string& name, std::size_t count);
  /// Throws ValueError where an entry was not asked for; `owner` says whom it does not belong to.
  void finish(std::string_view owner) const;
  [[noreturn]] void fail(const std::string& name, const std::string& what) const;

 private:
  const Tensor* entry(const std::string& name);

  std::string who_;
  const NamedTensors& state_;
  std::vector<const Tensor*> used_;
};

}  // namespace xtape::optim::detail
