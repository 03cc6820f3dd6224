// SPDX-License-Identifier: BSD-3-Clause
#include "collate.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "../autograd/error.hpp"
#include "../autograd/ops/creation.hpp"
#include "../autograd/ops/joining.hpp"

namespace xtape::data {
namespace {

std::string describe(const Tensor& x) { return x.defined() ? x.description() : "undefined"; }

// [n, longest, ...] from parts [T_i, ...].
Tensor pad_up(std::span<const Batch> samples, Tensor Batch::*part, double value) {
  const Tensor& first = samples[0].*part;
  std::int64_t longest = 0;
  for (const Batch& sample : samples) {
    const Tensor& one = sample.*part;
    const auto message = [&] {
      return "pad_collate: expected samples [length, ...] alike but for the length, got " +
             describe(first) + " and " + describe(one);
    };
    if (!one.defined() || one.dim() == 0 || one.dim() != first.dim() ||
        !std::ranges::equal(one.sizes().subspan(1), first.sizes().subspan(1))) {
      throw ShapeError(message());
    }
    if (one.dtype() != first.dtype()) throw DTypeError(message());
    longest = std::max(longest, one.size(0));
  }
  Shape shape{static_cast<std::int64_t>(samples.size()), longest};
  for (const std::int64_t size : first.sizes().subspan(1)) shape.push_back(size);
  const Tensor result = full(shape, value, first.dtype());
  const std::size_t row =
      static_cast<std::size_t>(result.numel()) * item_size(result.dtype()) / samples.size();
  std::byte* to = result.value()->data;
  for (const Batch& sample : samples) {
    const Tensor dense = (sample.*part).detach().contiguous();
    const std::size_t bytes = static_cast<std::size_t>(dense.numel()) * item_size(dense.dtype());
    if (bytes > 0) std::memcpy(to, dense.value()->data, bytes);
    to += row;
  }
  return result;
}

class PadCollate final : public Collate {
 public:
  explicit PadCollate(const PadOptions& options) : options_(options) {}

  Batch operator()(std::span<const Batch> samples) const override {
    Batch batch;
    batch.x = pad_up(samples, &Batch::x, options_.value);
    std::vector<std::int64_t> lengths;
    std::vector<Tensor> targets;
    for (const Batch& sample : samples) {
      lengths.push_back(sample.x.size(0));
      if (sample.y.defined()) targets.push_back(sample.y.detach());
    }
    batch.lengths = from_values(std::span<const std::int64_t>(lengths),
                                {static_cast<std::int64_t>(lengths.size())});
    if (targets.empty()) return batch;
    if (targets.size() != samples.size()) {
      throw ValueError("pad_collate: some samples have a y, others have none");
    }
    if (!options_.pad_y) {
      batch.y = stack(targets);
      return batch;
    }
    batch.y = pad_up(samples, &Batch::y, options_.y_value);
    for (std::size_t i = 0; i < samples.size(); ++i) {
      if (targets[i].size(0) == lengths[i]) continue;
      throw ShapeError("pad_collate: expected x and y of the same length, got " +
                       samples[i].x.description() + " and " + targets[i].description());
    }
    return batch;
  }

 private:
  PadOptions options_;
};

}  // namespace

Collate::~Collate() = default;

Shared<const Collate> pad_collate(const PadOptions& options) {
  return Shared<PadCollate>::make(options);
}

}  // namespace xtape::data
