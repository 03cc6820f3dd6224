// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include <xtape/autograd/tensor.hpp>
#include <xtape/nn/module.hpp>
#include <xtape/nn/state.hpp>

// What PyTorch gave for a module, as tests/reference/nn/generate.py stored it.
namespace nn_test {

using Tensors = std::vector<xtape::Tensor>;

/// One stored case in one dtype.
class ReferenceCase {
 public:
  ReferenceCase(const std::string& file, const std::string& name, xtape::DType dtype);

  /// The inputs; floating ones collect gradients.
  const Tensors& inputs() const noexcept { return inputs_; }
  /// Converts the module and gives it the stored parameters and buffers, all of them.
  void load(xtape::nn::Module& module) const;
  xtape::nn::NamedTensors state() const;
  /// Compares outputs, gradients of inputs and parameters, and buffers.
  void check(xtape::nn::Module& module, const Tensors& outputs) const;

 private:
  const xtape::Tensor* find(const std::string& name) const;
  void compare(const std::string& what, const xtape::Tensor& got, const xtape::Tensor& expected,
               double tolerance) const;

  std::string name_;
  xtape::DType dtype_;
  xtape::nn::NamedTensors tensors_;
  Tensors inputs_;
};

/// The case in float64 and float32; `forward(module, inputs)` gives the outputs.
template <class M, class F>
void check_reference(const std::string& file, const std::string& name, const M& module, F forward,
                     bool training = true) {
  for (const xtape::DType dtype : {xtape::float64, xtape::float32}) {
    const ReferenceCase reference(file, name, dtype);
    M copy = module;
    copy.train(training);
    reference.load(copy);
    reference.check(copy, forward(copy, reference.inputs()));
  }
}

/// For modules of one tensor.
template <class M>
void check_reference(const std::string& file, const std::string& name, const M& module,
                     bool training = true) {
  check_reference(
      file, name, module, [](M& m, const Tensors& x) { return Tensors{m(x[0])}; }, training);
}

}  // namespace nn_test
