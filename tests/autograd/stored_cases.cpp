// SPDX-License-Identifier: BSD-3-Clause
#include "stored_cases.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <map>
#include <set>

#include <xtape/autograd/ops/creation.hpp>
#include <xtape/data/safetensors.hpp>

#include "../folders.hpp"
#include "expect.hpp"

namespace xtape::test {

namespace {

// in.0, out.0, seed.0, grad.0, ... of one sample.
using Sample = std::map<std::string, Tensor>;
// By the name of the case.
using Samples = std::map<std::string, std::map<std::string, Sample>>;

Samples read(const char* file) {
  const auto path = source_folder() / "tests" / "reference" / "ops" / file;
  Samples samples;
  for (auto& [key, tensor] : data::read_safetensors(path.string()).tensors) {
    const std::size_t hash = key.find('#'), dot = key.find('.', hash);
    samples[key.substr(0, hash)][key.substr(0, dot)][key.substr(dot + 1)] = std::move(tensor);
  }
  return samples;
}

Tensor in(const Tensor& x, DType dtype) { return is_floating(x.dtype()) ? x.to(dtype) : x; }

// Finite ones: infinities and NaN must stand where they are expected.
double rms(const std::vector<double>& v) {
  double sum = 0;
  std::size_t count = 0;
  for (const double x : v) {
    if (!std::isfinite(x)) continue;
    sum += x * x;
    ++count;
  }
  return count == 0 ? 0 : std::sqrt(sum / static_cast<double>(count));
}

bool agree(double got, double expected, double allowed) {
  if (std::isnan(expected)) return std::isnan(got);
  return got == expected || std::abs(got - expected) <= allowed;
}

void compare(const std::string& what, const Tensor& got, const Tensor& stored, DType dtype) {
  BOOST_REQUIRE_MESSAGE(got.defined(), what << " is missing");
  const Tensor expected = in(stored, dtype);
  BOOST_TEST((got.shape() == expected.shape() && got.dtype() == expected.dtype()),
             what << ": got " << got.description() << ", expected " << expected.description());
  if (got.shape() != expected.shape()) return;
  const double tolerance = !is_floating(dtype) || !is_floating(stored.dtype()) ? 0
                           : dtype == float64                                  ? 1e-10
                                                                               : 1e-5;
  const Values a = elements(got), b = elements(expected);
  const double scale = rms(b);
  for (std::size_t k = 0; k < a.size(); ++k) {
    if (agree(a[k], b[k], tolerance * std::max(std::abs(b[k]), scale))) continue;
    BOOST_ERROR(what << ", element " << k << ": got " << a[k] << ", expected " << b[k]);
    return;
  }
}

// name.0, name.1, ... as far as they go.
Tensors listed(const Sample& sample, const std::string& name) {
  Tensors list;
  for (auto at = sample.find(name + ".0"); at != sample.end();
       at = sample.find(name + "." + std::to_string(list.size()))) {
    list.push_back(at->second);
  }
  return list;
}

void run(const StoredCase& stored, const std::string& key, const Sample& sample, DType dtype) {
  const std::string where = key + " in " + name(dtype) + ": ";
  Tensors x = listed(sample, "in");
  for (std::size_t k = 0; k < x.size(); ++k) {
    x[k] = in(x[k], dtype).clone();
    if (sample.contains("grad." + std::to_string(k))) x[k].requires_grad_();
  }
  x.resize(3);
  const Tensors y = stored.call({x[0], x[1], x[2]});
  const Tensors expected = listed(sample, "out");
  BOOST_REQUIRE_MESSAGE(y.size() == expected.size(), where << y.size() << " results");
  for (std::size_t k = 0; k < y.size(); ++k) {
    const std::string index = std::to_string(k);
    compare(where + "result " + index, y[k], expected[k], dtype);
    const auto seed = sample.find("seed." + index);
    if (seed != sample.end() && y[k].requires_grad()) {
      y[k].backward({.seed = in(seed->second, dtype), .retain_graph = true});
    }
  }
  for (std::size_t k = 0; k < x.size(); ++k) {
    const auto gradient = sample.find("grad." + std::to_string(k));
    if (gradient == sample.end()) continue;
    const Tensor g = x[k].grad().defined() ? x[k].grad() : zeros_like(x[k]);
    compare(where + "gradient " + std::to_string(k), g, gradient->second, dtype);
  }
}

void run_all(const char* file, const std::vector<StoredCase>& cases) {
  const Samples samples = read(file);
  std::set<std::string> names;
  for (const StoredCase& stored : cases) {
    BOOST_TEST(names.insert(stored.name).second, stored.name << " stands twice in the table");
    const auto found = samples.find(stored.name);
    BOOST_TEST((found != samples.end()), stored.name << " is not stored in " << file);
    if (found == samples.end()) continue;
    for (const auto& [key, sample] : found->second) {
      for (const DType dtype : {float64, float32}) {
        try {
          run(stored, key, sample, dtype);
        } catch (const Error& e) {
          BOOST_ERROR(key << " in " << name(dtype) << ": " << e.what());
        }
      }
    }
  }
  for (const auto& [name, sample] : samples) {
    BOOST_TEST(names.contains(name), name << " of " << file << " has no line in the table");
  }
}

}  // namespace

StoredCases::StoredCases(const char* file, std::initializer_list<StoredCase> cases,
                         std::source_location where) {
  const std::string name = std::string(file).substr(0, std::string(file).find('.'));
  boost::unit_test::framework::current_auto_test_suite().add(boost::unit_test::make_test_case(
      [file, list = std::vector<StoredCase>(cases)] { run_all(file, list); }, "stored_" + name,
      where.file_name(), where.line()));
}

}  // namespace xtape::test
