// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <span>
#include <utility>

#include "../autograd/export.hpp"
#include "../autograd/owned.hpp"
#include "dataset.hpp"

// How samples become a batch, where they do not simply stack: `DataLoaderOptions::collate`.
namespace xtape::data {

/// Called with a batch's samples, at least one, from several threads at once.
class XTAPE_API Collate {
 public:
  virtual ~Collate();
  virtual Batch operator()(std::span<const Batch> samples) const = 0;

 protected:
  Collate() = default;
  Collate(const Collate&) = default;
  Collate& operator=(const Collate&) = default;
};

/// A function of one's own: `.collate = collate_by([](std::span<const Batch> samples) { ... })`.
template <class F>
Shared<const Collate> collate_by(F function) {
  struct ByFunction final : Collate {
    explicit ByFunction(F f) : call(std::move(f)) {}
    Batch operator()(std::span<const Batch> samples) const override { return call(samples); }
    F call;
  };
  return Shared<ByFunction>::make(std::move(function));
}

struct PadOptions {
  double value = 0;       ///< what fills x up
  bool pad_y = false;     ///< y is ragged too, with x's lengths; else y stacks
  double y_value = -100;  ///< what fills y up: the label that losses leave out by default
};

/// Samples x [T_i, ...] of different lengths: the batch's x is [n, max T_i, ...], its `lengths`
/// int64 [n], what nn::LSTM takes with batch_first. Throws ShapeError where the other dimensions
/// differ, or a y to be padded has another length than its x; DTypeError for different dtypes.
XTAPE_API Shared<const Collate> pad_collate(const PadOptions& options = {});

}  // namespace xtape::data
