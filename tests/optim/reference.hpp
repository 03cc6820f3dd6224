// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <xtape/autograd/tensor.hpp>
#include <xtape/optim/optimizer.hpp>

// Comparing with the numbers of tests/reference/optim/, which generate.py there wrote.
namespace optim_test {

using xtape::DType;
using xtape::Tensor;

/// A tensor of tests/reference/optim/FILE.safetensors.
Tensor reference(const std::string& file, const std::string& name);

/// |got - expected| <= tolerance * max(|expected|, rms(expected)), element by element; 1e-9 in
/// float64 and 1e-5 in float32 by default.
void check_near(const std::string& name, const std::vector<double>& got, const Tensor& expected,
                double tolerance = 0);

/// Makes an optimizer for these parameters.
using Maker = std::unique_ptr<xtape::optim::Optimizer> (*)(const std::vector<Tensor>& parameters);

/// Fifty steps with the stored gradients give the stored parameters, in float64 and in float32; so
/// they do where another optimizer takes over the state on the way; and any number of threads gives
/// the same bits. Only matrices are stepped where `matrices`.
void check_fifty_steps(const std::string& name, Maker make, bool matrices = false);

template <class O, class Options>
struct Made {
  static inline Options options{};
  static std::unique_ptr<xtape::optim::Optimizer> make(const std::vector<Tensor>& parameters) {
    return std::make_unique<O>(parameters, options);
  }
};

template <class O, class Options>
void check_fifty_steps(const std::string& name, const Options& options, bool matrices = false) {
  Made<O, Options>::options = options;
  check_fifty_steps(name, Made<O, Options>::make, matrices);
}

}  // namespace optim_test
