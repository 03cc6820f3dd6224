// SPDX-License-Identifier: BSD-3-Clause
#include "named_state.hpp"

#include <cstdint>

#include "../autograd/error.hpp"
#include "../autograd/ops/creation.hpp"

namespace xtape::data::detail {

Tensor find_state(const char* who, const NamedTensors& state, const std::string& name,
                  DType dtype) {
  for (const auto& [other, tensor] : state) {
    if (other != name) continue;
    if (tensor.defined() && tensor.dim() == 1 && tensor.dtype() == dtype) {
      return tensor.detach().contiguous();
    }
    throw ValueError(std::string(who) + ": load_state: expected '" + name + "' to be " +
                     xtape::name(dtype) + " of 1 dimension, got " +
                     (tensor.defined() ? tensor.description() : "an undefined tensor"));
  }
  throw ValueError(std::string(who) + ": load_state: no '" + name + "'");
}

void append_texts(NamedTensors& state, const std::string& name,
                  const std::vector<std::string>& texts) {
  std::vector<std::uint8_t> bytes;
  std::vector<std::int64_t> ends;
  for (const std::string& text : texts) {
    bytes.insert(bytes.end(), text.begin(), text.end());
    ends.push_back(static_cast<std::int64_t>(bytes.size()));
  }
  const auto size = [](const auto& x) { return Shape{static_cast<std::int64_t>(x.size())}; };
  state.emplace_back(name + ".bytes", from_values<std::uint8_t>(bytes, size(bytes)));
  state.emplace_back(name + ".ends", from_values<std::int64_t>(ends, size(ends)));
}

std::vector<std::string> find_texts(const char* who, const NamedTensors& state,
                                    const std::string& name) {
  const Tensor bytes = find_state(who, state, name + ".bytes", uint8);
  const Tensor ends = find_state(who, state, name + ".ends", int64);
  const auto* text = reinterpret_cast<const char*>(bytes.data<std::uint8_t>());
  std::vector<std::string> texts;
  std::int64_t begin = 0;
  for (std::int64_t i = 0; i < ends.numel(); ++i) {
    const std::int64_t end = ends.data<std::int64_t>()[i];
    if (end < begin || end > bytes.numel()) break;
    texts.emplace_back(text + begin, text + end);
    begin = end;
  }
  if (static_cast<std::int64_t>(texts.size()) != ends.numel() || begin != bytes.numel()) {
    throw ValueError(std::string(who) + ": load_state: '" + name + ".ends' does not part '" + name +
                     ".bytes'");
  }
  return texts;
}

}  // namespace xtape::data::detail
