// SPDX-License-Identifier: BSD-3-Clause
#include "dataset.hpp"

#include <cstring>
#include <numeric>
#include <string>
#include <vector>

#include "../autograd/error.hpp"
#include "../autograd/random.hpp"

namespace xtape::data {
namespace {

std::size_t bytes_of(const Tensor& x) {
  return static_cast<std::size_t>(x.numel()) * item_size(x.dtype());
}

// [count, sizes...], uninitialised.
Tensor stack_of(std::int64_t count, std::span<const std::int64_t> sizes, DType dtype) {
  Shape shape{count};
  for (const std::int64_t size : sizes) shape.push_back(size);
  return xtape::detail::empty(dtype, shape);
}

// Copies rows `indices` of the contiguous `from`; undefined stays undefined.
Tensor take_rows(const Tensor& from, std::span<const std::int64_t> indices) {
  if (!from.defined()) return {};
  Tensor result =
      stack_of(static_cast<std::int64_t>(indices.size()), from.sizes().subspan(1), from.dtype());
  if (result.numel() == 0) return result;
  const std::size_t row = bytes_of(result) / indices.size();
  std::byte* to = result.value()->data;
  for (const std::int64_t i : indices) {
    std::memcpy(to, from.value()->data + static_cast<std::size_t>(i) * row, row);
    to += row;
  }
  return result;
}

std::string describe(const Tensor& x) { return x.defined() ? x.description() : "undefined"; }

// One of the two tensors of all samples.
Tensor stack(const std::vector<Batch>& samples, std::span<const std::int64_t> indices,
             Tensor Batch::*part) {
  const Tensor& first = samples[0].*part;
  Tensor result;
  if (first.defined()) {
    result = stack_of(static_cast<std::int64_t>(samples.size()), first.sizes(), first.dtype());
  }
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const Tensor& sample = samples[i].*part;
    const auto message = [&] {
      return "Dataset: samples " + std::to_string(indices[0]) + " and " +
             std::to_string(indices[i]) + " do not stack, " + describe(first) + " and " +
             describe(sample);
    };
    if (sample.defined() != first.defined()) throw ValueError(message());
    if (!first.defined()) continue;
    if (sample.dtype() != first.dtype()) throw DTypeError(message());
    if (sample.shape() != first.shape()) throw ShapeError(message());
    const Tensor dense = sample.detach().contiguous();
    const std::size_t row = bytes_of(dense);
    if (row > 0) std::memcpy(result.value()->data + i * row, dense.value()->data, row);
  }
  return result;
}

}  // namespace

std::vector<Batch> detail::get_samples(const Dataset& dataset,
                                       std::span<const std::int64_t> indices) {
  std::vector<Batch> samples;
  samples.reserve(indices.size());
  Generator& generator = default_generator();
  for (const std::int64_t i : indices) {
    const std::uint64_t next = generator.position + kBlocksPerSample;
    samples.push_back(dataset.get(i));
    generator.position = next;
  }
  return samples;
}

Dataset::~Dataset() = default;

Batch Dataset::get_batch(std::span<const std::int64_t> indices) const {
  if (indices.empty()) throw ValueError("Dataset: expected at least one sample to stack, got none");
  const std::vector<Batch> samples = detail::get_samples(*this, indices);
  return {stack(samples, indices, &Batch::x), stack(samples, indices, &Batch::y)};
}

Owned<Dataset> Dataset::fitted(std::span<const std::int64_t>) const { return nullptr; }

Batch Dataset::get_all() const {
  std::vector<std::int64_t> all(static_cast<std::size_t>(size()));
  std::iota(all.begin(), all.end(), 0);
  return get_batch(all);
}

TensorDataset::TensorDataset(const Tensor& x, const Tensor& y) {
  if (!x.defined()) throw ValueError("TensorDataset: x is undefined");
  if (x.dim() == 0 || (y.defined() && (y.dim() == 0 || y.sizes()[0] != x.sizes()[0]))) {
    throw ShapeError("TensorDataset: expected the same first dimension, got " + describe(x) +
                     " and " + describe(y));
  }
  x_ = x.detach().contiguous();
  if (y.defined()) y_ = y.detach().contiguous();
}

std::int64_t TensorDataset::size() const { return x_.sizes()[0]; }

Batch TensorDataset::get(std::int64_t index) const {
  Batch one = get_batch({&index, 1});
  const auto drop = [](Tensor& t) {
    if (t.defined()) {
      t = xtape::detail::make_view(t, t.value()->data, t.sizes().subspan(1),
                                   t.strides().subspan(1));
    }
  };
  drop(one.x);
  drop(one.y);
  return one;
}

Batch TensorDataset::get_batch(std::span<const std::int64_t> indices) const {
  for (const std::int64_t i : indices) {
    if (i < 0 || i >= size()) {
      throw IndexError("TensorDataset: sample " + std::to_string(i) + " of " +
                       std::to_string(size()));
    }
  }
  return {take_rows(x_, indices), take_rows(y_, indices)};
}

}  // namespace xtape::data
