// SPDX-License-Identifier: BSD-3-Clause
#include "reference.hpp"

#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/parallel.hpp>
#include <xtape/data/safetensors.hpp>

#include <algorithm>
#include <map>

#include "../folders.hpp"
#include "../nn/nn_test.hpp"

namespace optim_test {
namespace {

using namespace xtape;
using nn_test::values;

constexpr int kSteps = 50;
constexpr int kStored[] = {1, 2, 5, 10, 25, 50};

struct Run {
  std::vector<Tensor> parameters, gradients;
};

Run start(DType dtype, bool matrices) {
  Run run;
  for (const char* which : {"0", "1", "2"}) {
    const Tensor p = reference("optimizers", std::string("start.") + which);
    if (matrices && p.dim() != 2) continue;
    run.parameters.push_back(p.to(dtype).clone().requires_grad_());
    run.gradients.push_back(reference("optimizers", std::string("gradients.") + which).to(dtype));
  }
  return run;
}

void set_gradients(Run& run, int step) {
  for (std::size_t i = 0; i < run.parameters.size(); ++i) {
    run.parameters[i].set_grad(run.gradients[i][step]);
  }
}

void append(std::vector<double>& all, const std::vector<Tensor>& some) {
  for (const Tensor& x : some) {
    for (const double v : values(x)) all.push_back(v);
  }
}

void check_values(const std::string& name, Maker make, DType dtype, bool matrices, int reload_at) {
  Run run = start(dtype, matrices);
  auto optimizer = make(run.parameters);
  std::vector<double> got;
  for (int t = 0; t < kSteps; ++t) {
    if (t == reload_at) {
      const auto state = optimizer->state();
      optimizer = make(run.parameters);
      optimizer->load_state(state);
    }
    set_gradients(run, t);
    optimizer->step();
    if (std::ranges::count(kStored, t + 1)) append(got, run.parameters);
  }
  const std::string full = name + "." + xtape::name(dtype);
  check_near(full, got, reference("optimizers", full));
}

std::vector<double> run_large(Maker make, int threads) {
  const int before = num_threads();
  set_num_threads(threads);
  manual_seed(8);
  Tensor p = randn({193, 521});
  p.requires_grad_();
  const auto optimizer = make({p});
  for (int t = 0; t < 3; ++t) {
    p.set_grad(randn({193, 521}));
    optimizer->step();
  }
  set_num_threads(before);
  return values(p);
}

}  // namespace

Tensor reference(const std::string& file, const std::string& name) {
  static std::map<std::string, std::map<std::string, Tensor>> files;
  auto& tensors = files[file];
  if (tensors.empty()) {
    const auto path =
        xtape::test::source_folder() / "tests" / "reference" / "optim" / (file + ".safetensors");
    for (auto& [key, x] : data::read_safetensors(path.string()).tensors) tensors[key] = x;
  }
  return tensors.at(name);
}

void check_near(const std::string& name, const std::vector<double>& got, const Tensor& expected,
                double tolerance) {
  if (tolerance == 0) tolerance = expected.dtype() == float32 ? 1e-5 : 1e-9;
  const std::vector<double> right = values(expected);
  BOOST_REQUIRE_EQUAL(got.size(), right.size());
  double squares = 0;
  for (const double v : right) squares += v * v;
  const double rms =
      std::sqrt(squares / static_cast<double>(std::max<std::size_t>(1, right.size())));
  std::size_t wrong = 0, first = 0;
  for (std::size_t i = right.size(); i-- > 0;) {
    if (std::abs(got[i] - right[i]) <= tolerance * std::max(std::abs(right[i]), rms)) continue;
    ++wrong;
    first = i;
  }
  BOOST_TEST(wrong == 0u, name << ": " << wrong << " of " << right.size() << " wrong, element "
                               << first << " is " << got[first] << ", expected " << right[first]);
}

void check_fifty_steps(const std::string& name, Maker make, bool matrices) {
  for (const DType dtype : {float64, float32}) {
    check_values(name, make, dtype, matrices, -1);
    check_values(name, make, dtype, matrices, 7);
  }
  BOOST_TEST((run_large(make, 1) == run_large(make, 2)), name << ": bits depend on threads");
}

}  // namespace optim_test
