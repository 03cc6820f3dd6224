// SPDX-License-Identifier: BSD-3-Clause
// What users and closures call; the sweep itself stands in sweep.cpp.

#include <string>

#include "error.hpp"
#include "ops/creation.hpp"
#include "sweep_engine.hpp"
#include "tape.hpp"

namespace xtape {
namespace detail {
namespace {

Tensor checked_seed(const char* operation, const Tensor& y, const Tensor& seed) {
  const std::string what(operation);
  if (!y.requires_grad()) {
    throw GradError(what + ": " + y.description() +
                    " has no recorded history; does a leaf require grad, and is recording on?");
  }
  if (!seed.defined()) {
    if (y.numel() != 1) {
      throw GradError(what + ": the output has shape " + to_string(y.sizes()) +
                      "; a seed gradient of that shape is needed unless it is a single element");
    }
    return ones(y.shape(), y.dtype());
  }
  if (seed.dtype() != y.dtype()) {
    throw DTypeError(what + ": expected a seed " + y.description() + ", got " + seed.description());
  }
  if (seed.shape() != y.shape()) {
    throw ShapeError(what + ": expected a seed " + y.description() + ", got " + seed.description());
  }
  return seed;
}

}  // namespace
}  // namespace detail

void Backward::no_such(const char* what, int i, std::int64_t count) const {
  throw IndexError(std::string("backward of ") + node_.name + ": " + what + "(" +
                   std::to_string(i) + ") of " + std::to_string(count));
}

bool Backward::needs(int i) const {
  if (static_cast<std::uint32_t>(i) >= node_.inputs) no_such("needs", i, node_.inputs);
  return sweep_.needs(node_.edges()[static_cast<std::size_t>(i)]);
}

// Throws where it was overwritten since.
detail::Saved& Backward::checked_saved(int i) const {
  if (static_cast<std::uint32_t>(i) >= node_.saves) no_such("saved", i, node_.saves);
  detail::Saved& s = node_.saved()[static_cast<std::size_t>(i)];
  if (!s.value) return s;
  const std::uint32_t version = s.value->storage->version.load(std::memory_order_acquire);
  if (version != s.version) {
    throw GradError(std::string("backward of ") + node_.name + ": a value of shape " +
                    to_string({s.value->sizes(), s.value->rank}) +
                    " that it saved was overwritten since (version " + std::to_string(version) +
                    ", expected " + std::to_string(s.version) +
                    "); write the functional form, which makes a new tensor, or clone() before");
  }
  return s;
}

Tensor Backward::take_saved(int i) {
  if (sweep_.retains_graph()) return saved(i);
  Tensor x = Tensor::adopt(std::exchange(checked_saved(i).value, nullptr));
  node_.released = true;
  return x;
}

Tensor Backward::saved(int i) const {
  const detail::Saved& s = checked_saved(i);
  if (!s.value) return {};
  detail::retain(s.value);
  Tensor x = Tensor::adopt(s.value);
  if (s.output < 0 || !create_graph()) return x;
  Tensor y = detail::make_view(x, s.value->data, x.sizes(), x.strides());
  detail::retain(&node_);
  y.value()->node = &node_;
  y.value()->output = static_cast<std::uint32_t>(s.output);
  return y;
}

void Backward::add(int i, Tensor gradient) {
  if (static_cast<std::uint32_t>(i) >= node_.inputs) no_such("add", i, node_.inputs);
  sweep_.add(node_, i, std::move(gradient));
}

std::span<const std::int64_t> Backward::sizes(int i) const {
  if (static_cast<std::uint32_t>(i) >= node_.inputs) no_such("sizes", i, node_.inputs);
  const detail::Edge& e = node_.edges()[static_cast<std::size_t>(i)];
  if (!e.node) return {};
  return e.node->output_sizes(e.node->slots()[e.output]);
}

bool Backward::create_graph() const noexcept { return sweep_.create_graph(); }

void backward(const Tensor& y, const BackwardOptions& options) {
  const Tensor seed = detail::checked_seed("backward", y, options.seed);
  detail::Sweep sweep(options.retain_graph, options.create_graph);
  sweep.add_root(y, seed);
  sweep.run();
}

void Tensor::backward() const { xtape::backward(*this); }
void Tensor::backward(const BackwardOptions& options) const { xtape::backward(*this, options); }

std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                         const GradOptions& options) {
  return detail::gradients(outputs, inputs, options, false);
}

std::vector<Tensor> detail::gradients(const std::vector<Tensor>& outputs,
                                      const std::vector<Tensor>& inputs, const GradOptions& options,
                                      bool partial) {
  if (outputs.empty() || inputs.empty()) {
    throw ValueError("grad: expected at least one output and one input");
  }
  if (!options.grad_outputs.empty() && options.grad_outputs.size() != outputs.size()) {
    throw ValueError("grad: expected " + std::to_string(outputs.size()) + " grad_outputs, got " +
                     std::to_string(options.grad_outputs.size()));
  }
  std::vector<Tensor> seeds;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    seeds.push_back(checked_seed(
        "grad", outputs[i], options.grad_outputs.empty() ? Tensor() : options.grad_outputs[i]));
  }
  Sweep sweep(options.retain_graph, options.create_graph);
  sweep.want(outputs, inputs, partial);
  for (std::size_t i = 0; i < outputs.size(); ++i) sweep.add_root(outputs[i], seeds[i]);
  sweep.run();
  std::vector<Tensor> gradients;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    gradients.push_back(sweep.take_wanted(i));
    if (!gradients.back().defined() && !options.allow_unused) {
      throw GradError("grad: input " + std::to_string(i) + ", " + inputs[i].description() +
                      ", was not used by the outputs; pass allow_unused = true for an undefined "
                      "gradient");
    }
  }
  return gradients;
}

}  // namespace xtape
