// SPDX-License-Identifier: BSD-3-Clause
#include "reference.hpp"

#include <algorithm>
#include <cmath>
#include <iomanip>

#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/sweep.hpp>
#include <xtape/data/safetensors.hpp>

#include "../folders.hpp"
#include "nn_test.hpp"

namespace nn_test {

using namespace xtape;

namespace {

Tensor in(const Tensor& x, DType dtype) { return is_floating(x.dtype()) ? x.to(dtype) : x; }

double rms(const std::vector<double>& v) {
  double sum = 0;
  for (const double x : v) sum += x * x;
  return v.empty() ? 0 : std::sqrt(sum / static_cast<double>(v.size()));
}

}  // namespace

ReferenceCase::ReferenceCase(const std::string& file, const std::string& name, DType dtype)
    : name_(name), dtype_(dtype) {
  const auto path = test::source_folder() / "tests" / "reference" / "nn" / file;
  for (auto& [key, tensor] : data::read_safetensors(path.string()).tensors) {
    if (key.starts_with(name + ".")) {
      tensors_.emplace_back(key.substr(name.size() + 1), std::move(tensor));
    }
  }
  BOOST_REQUIRE_MESSAGE(!tensors_.empty(), "no case " << name << " in " << file);
  for (int k = 0; const Tensor* x = find("in." + std::to_string(k)); ++k) {
    Tensor input = in(*x, dtype).clone();
    if (is_floating(input.dtype())) input.requires_grad_();
    inputs_.push_back(input);
  }
}

const Tensor* ReferenceCase::find(const std::string& name) const {
  const auto found = std::ranges::find(tensors_, name, &nn::NamedTensors::value_type::first);
  return found == tensors_.end() ? nullptr : &found->second;
}

nn::NamedTensors ReferenceCase::state() const {
  nn::NamedTensors state;
  for (const auto& [name, tensor] : tensors_) {
    if (name.starts_with("state.")) state.emplace_back(name.substr(6), tensor);
  }
  return state;
}

void ReferenceCase::load(nn::Module& module) const {
  module.to(dtype_);
  nn::load_state(module, state());
}

// |got - expected| <= tolerance * max(|expected|, rms), where what is zero but for rounding, such
// as the gradient of attention's key bias, counts as a tenth.
void ReferenceCase::compare(const std::string& what, const Tensor& got, const Tensor& expected,
                            double tolerance) const {
  const std::string where = name_ + "." + what + " in " + name(dtype_);
  BOOST_REQUIRE_MESSAGE(got.defined(), where << " is missing");
  BOOST_REQUIRE_MESSAGE(got.shape() == expected.shape(), where << ": got " << got.description()
                                                               << ", expected "
                                                               << expected.description());
  const std::vector<double> a = values(got), b = values(expected);
  const double scale = std::max(rms(b), 0.1);
  const auto excess = [&](std::size_t i) {
    const double error = std::abs(a[i] - b[i]) / std::max(std::abs(b[i]), scale) / tolerance;
    return std::isnan(error) ? HUGE_VAL : error;
  };
  std::size_t worst = 0;
  for (std::size_t i = 1; i < a.size(); ++i) {
    if (excess(i) > excess(worst)) worst = i;
  }
  BOOST_TEST((a.empty() || excess(worst) <= 1), where << ", element " << worst << ": got "
                                                      << std::setprecision(17) << a[worst]
                                                      << ", expected " << b[worst]);
}

void ReferenceCase::check(nn::Module& module, const Tensors& outputs) const {
  const bool is_double = dtype_ == float64;
  const double tolerance = is_double ? 1e-10 : 1e-5, of_weights = is_double ? 1e-10 : 5e-5;
  std::size_t count = 0;
  while (find("out." + std::to_string(count))) ++count;
  BOOST_REQUIRE_EQUAL(outputs.size(), count);
  Tensors recorded, seeds;
  for (std::size_t k = 0; k < count; ++k) {
    const std::string index = std::to_string(k);
    compare("out." + index, outputs[k], *find("out." + index), tolerance);
    if (!outputs[k].requires_grad()) continue;
    backward(outputs[k],
             {.seed = in(*find("seed." + index), dtype_), .retain_graph = k + 1 < count});
  }
  for (std::size_t k = 0; k < inputs_.size(); ++k) {
    if (const Tensor* g = find("grad.in." + std::to_string(k))) {
      const Tensor got = inputs_[k].grad();
      compare("grad.in." + std::to_string(k), got.defined() ? got : zeros_like(inputs_[k]), *g,
              tolerance);
    }
  }
  for (const auto& [name, p] : module.named_parameters()) {
    const Tensor* g = find("grad." + name);
    BOOST_REQUIRE_MESSAGE(g, name_ << " stores no gradient of " << name);
    compare("grad." + name, p.grad().defined() ? p.grad() : zeros_like(p), *g, of_weights);
  }
  for (const auto& [name, b] : module.named_buffers()) {
    const Tensor* after = find("after." + name);
    compare("after." + name, b, after ? *after : *find("state." + name), tolerance);
  }
}

}  // namespace nn_test
