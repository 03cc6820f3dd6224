// SPDX-License-Identifier: BSD-3-Clause
#include "anomaly.hpp"

#include <cmath>
#include <string>
#include <vector>

#include "node.hpp"
#include "ops/layout.hpp"
#include "stack.hpp"
#include "tape.hpp"

namespace xtape {

const char* detail::anomaly_in(const Tensor& x, bool inf) {
  if (!x.defined() || !is_floating(x.dtype())) return nullptr;
  const Tensor dense = detail::dense(x);
  const char* found = nullptr;
  detail::dispatch_floating(x.dtype(), [&]<class T>(detail::Type<T>) {
    const T* data = dense.data<T>();
    for (std::int64_t i = 0; i < dense.numel(); ++i) {
      if (std::isnan(data[i])) {
        found = "NaN";
        return;
      }
      if (inf && std::isinf(data[i])) found = "Inf";
    }
  });
  return found;
}

namespace {

using detail::anomaly_in;

std::string recorded_at(const std::vector<void*>& stack) {
  const std::string caller = detail::caller_of(stack);
  return caller.empty() ? "" : "; recorded by " + caller;
}

}  // namespace

class DetectAnomaly::Watch final : public detail::Watcher {
 public:
  explicit Watch(const AnomalyOptions& options) : options_(options) {}

  void computed(const detail::Recording& r) override {
    for (const Tensor* y : r.outputs) {
      const char* found = anomaly_in(*y, options_.inf);
      if (!found) continue;
      std::string inputs;
      for (const TensorRef& x : r.inputs) {
        inputs += (inputs.empty() ? "" : ", ") + x.tensor->description();
      }
      const std::string what = std::string("the result of ") + r.name + " (" + inputs + ")";
      if (walking_.empty()) {
        throw AnomalyError(what + " holds " + found + recorded_at(detail::capture_stack()));
      }
      refuse(*walking_.back(), what, found);
    }
    if (!options_.stacks || r.outputs.empty()) return;
    detail::Node* node = r.outputs[0]->value()->node;
    if (node && !node->leaf) node->extra().stack = detail::capture_stack();
  }

  void gradient(detail::Node& node, int input, const Tensor& g) override {
    const char* found = anomaly_in(g, options_.inf);
    if (!found) return;
    refuse(node, "the gradient of input " + std::to_string(input) + ", " + g.description() + ",",
           found);
  }

  void begin_backward(detail::Node& node) override { walking_.push_back(&node); }
  void end_backward(detail::Node&) override { walking_.pop_back(); }

 private:
  [[noreturn]] static void refuse(detail::Node& node, const std::string& what, const char* found) {
    throw AnomalyError(std::string("backward of ") + node.name + ": " + what + " holds " + found +
                       (node.extras ? recorded_at(node.extras->stack) : ""));
  }

  AnomalyOptions options_;
  std::vector<detail::Node*> walking_;  // the operations being differentiated, nested ones last
};

DetectAnomaly::DetectAnomaly(const AnomalyOptions& options) : watch_(Owned<Watch>::make(options)) {}

DetectAnomaly::~DetectAnomaly() = default;

}  // namespace xtape
