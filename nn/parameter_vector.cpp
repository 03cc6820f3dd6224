// SPDX-License-Identifier: BSD-3-Clause
#include "parameter_vector.hpp"

#include <string>

#include "../autograd/error.hpp"
#include "../autograd/ops/indexing.hpp"
#include "../autograd/ops/joining.hpp"
#include "../autograd/tape.hpp"

namespace xtape::nn {
namespace {

// Throws unless there are parameters, all of one dtype.
void check(const char* name, const std::vector<Tensor>& parameters) {
  if (parameters.empty()) throw ValueError(std::string(name) + ": the list of parameters is empty");
  for (const Tensor& p : parameters) {
    if (!p.defined()) throw ValueError(std::string(name) + ": a parameter is undefined");
    if (p.dtype() == parameters[0].dtype()) continue;
    throw DTypeError(std::string(name) + ": dtypes differ, " + parameters[0].description() +
                     " and " + p.description());
  }
}

}  // namespace

Tensor parameters_to_vector(const std::vector<Tensor>& parameters) {
  check("parameters_to_vector", parameters);
  std::vector<Tensor> parts;
  for (const Tensor& p : parameters) parts.push_back(p.reshape({p.numel()}));
  return cat(parts);
}

void vector_to_parameters(const Tensor& vector, const std::vector<Tensor>& parameters) {
  check("vector_to_parameters", parameters);
  std::int64_t total = 0;
  for (const Tensor& p : parameters) total += p.numel();
  if (!vector.defined() || vector.shape() != Shape{total}) {
    throw ShapeError("vector_to_parameters: expected a vector [" + std::to_string(total) +
                     "], got " + (vector.defined() ? vector.description() : "undefined"));
  }
  if (vector.dtype() != parameters[0].dtype()) {
    throw DTypeError("vector_to_parameters: expected " + std::string(name(parameters[0].dtype())) +
                     ", got " + vector.description());
  }
  const NoGrad guard;
  std::int64_t offset = 0;
  for (Tensor p : parameters) {
    p.copy_(narrow(vector, 0, offset, p.numel()).reshape(p.shape()));
    offset += p.numel();
  }
}

}  // namespace xtape::nn
