// SPDX-License-Identifier: BSD-3-Clause
#include "windows.hpp"

#include <cstring>
#include <string>

#include "../autograd/error.hpp"
#include "../autograd/ops/indexing.hpp"

namespace xtape::data {
namespace {

// [count, sizes of a run of steps...], run i copied from step `first(i)` on.
template <class F>
Tensor runs(const Tensor& from, std::int64_t count, const Shape& run, F&& first) {
  Shape shape{count};
  for (const std::int64_t size : run) shape.push_back(size);
  Tensor result = xtape::detail::empty(from.dtype(), shape);
  const auto step =
      static_cast<std::size_t>(Shape(from.sizes().subspan(1)).numel()) * item_size(from.dtype());
  const std::size_t bytes = static_cast<std::size_t>(run.numel()) * item_size(from.dtype());
  if (bytes == 0) return result;
  std::byte* to = result.value()->data;
  for (std::int64_t i = 0; i < count; ++i, to += bytes) {
    std::memcpy(to, from.value()->data + static_cast<std::size_t>(first(i)) * step, bytes);
  }
  return result;
}

}  // namespace

WindowDataset::WindowDataset(const Tensor& series, WindowOptions options)
    : WindowDataset(series, series, options) {}

WindowDataset::WindowDataset(const Tensor& series, const Tensor& targets, WindowOptions options)
    : options_(options) {
  const auto [length, horizon, stride] = options;
  if (length < 1 || horizon < 1 || stride < 1) {
    throw ValueError("WindowDataset: expected positive length, horizon and stride, got " +
                     std::to_string(length) + ", " + std::to_string(horizon) + " and " +
                     std::to_string(stride));
  }
  if (!series.defined() || !targets.defined()) throw ValueError("WindowDataset: no series");
  if (series.dim() == 0 || targets.dim() == 0 || series.size(0) != targets.size(0)) {
    throw ShapeError("WindowDataset: expected as many targets as steps, got " +
                     series.description() + " and " + targets.description());
  }
  // Taken apart so that no sum of sizes overflows.
  const std::int64_t steps = series.size(0);
  if (length > steps || horizon > steps - length) {
    throw ShapeError("WindowDataset: " + series.description() + " is shorter than a window of " +
                     std::to_string(length) + " steps and its target " + std::to_string(horizon) +
                     " later");
  }
  size_ = (steps - length - horizon) / stride + 1;
  series_ = series.detach().contiguous();
  targets_ = targets.detach().contiguous();
}

Batch WindowDataset::get(std::int64_t index) const {
  const Batch one = get_batch({&index, 1});
  return {select(one.x, 0, 0), select(one.y, 0, 0)};
}

Batch WindowDataset::get_batch(std::span<const std::int64_t> indices) const {
  for (const std::int64_t i : indices) {
    if (i < 0 || i >= size_) {
      throw IndexError("WindowDataset: window " + std::to_string(i) + " of " +
                       std::to_string(size_));
    }
  }
  const auto start = [&](std::int64_t i) {
    return indices[static_cast<std::size_t>(i)] * options_.stride;
  };
  const auto end = [&](std::int64_t i) {
    return start(i) + options_.length - 1 + options_.horizon;
  };
  Shape window{options_.length};
  for (const std::int64_t size : series_.sizes().subspan(1)) window.push_back(size);
  const auto count = static_cast<std::int64_t>(indices.size());
  return {runs(series_, count, window, start),
          runs(targets_, count, Shape(targets_.sizes().subspan(1)), end)};
}

}  // namespace xtape::data
