// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "../autograd/export.hpp"
#include "../autograd/owned.hpp"
#include "../autograd/tensor.hpp"

namespace xtape::data {

/// Samples stacked along the first dimension. It unpacks into x and y: `for (auto& [x, y] :
/// loader)`.
struct Batch {
  Tensor x;          ///< what goes in
  Tensor y;          ///< what should come out; undefined where there is nothing of the kind
  Tensor lengths{};  ///< of ragged samples that were padded (collate.hpp), int64 [n]

  template <std::size_t I>
  Tensor& get() & noexcept {
    return I == 0 ? x : y;
  }
  template <std::size_t I>
  const Tensor& get() const& noexcept {
    return I == 0 ? x : y;
  }
  template <std::size_t I>
  Tensor&& get() && noexcept {
    return std::move(I == 0 ? x : y);
  }
};

/// Numbered samples. With loader workers, all but the destructor runs in several threads at once.
class XTAPE_API Dataset {
 public:
  virtual ~Dataset();

  virtual std::int64_t size() const = 0;
  /// One sample, without a batch dimension.
  virtual Batch get(std::int64_t index) const = 0;
  /// The samples of these numbers, stacked; overridden where that can be done faster than one by
  /// one. Here each sample draws random numbers of its own from the thread's generator, whatever
  /// its neighbours draw. Throws ShapeError and DTypeError where samples do not stack, ValueError
  /// for none at all.
  virtual Batch get_batch(std::span<const std::int64_t> indices) const;
  /// All samples in order, e.g. for fitting a scaler. Throws as get_batch does.
  Batch get_all() const;
  /// These samples with whatever is fitted to data, a scaling say, fitted to those of `rows` alone:
  /// a cross-validation asks for it with each fold's training samples. Null, as here: there is
  /// nothing of the kind, the samples serve as they are.
  virtual Owned<Dataset> fitted(std::span<const std::int64_t> rows) const;

 protected:
  Dataset() = default;
  Dataset(const Dataset&) = default;
  Dataset& operator=(const Dataset&) = default;
};

/// Sample i is (x[i], y[i]); batches are copies, so that writing to them leaves the data alone.
class XTAPE_API TensorDataset : public Dataset {
 public:
  /// Throws ShapeError unless both have the same first dimension; `y` may be left out.
  explicit TensorDataset(const Tensor& x, const Tensor& y = {});

  std::int64_t size() const override;
  Batch get(std::int64_t index) const override;
  Batch get_batch(std::span<const std::int64_t> indices) const override;

 private:
  Tensor x_, y_;
};

namespace detail {

/// Blocks of random numbers set aside for each sample: a sample's first one is at its place times
/// this.
inline constexpr std::uint64_t kBlocksPerSample = std::uint64_t{1} << 24;

/// The samples of these numbers, each with random numbers of its own.
std::vector<Batch> get_samples(const Dataset& dataset, std::span<const std::int64_t> indices);

}  // namespace detail
}  // namespace xtape::data

template <>
struct std::tuple_size<xtape::data::Batch> : std::integral_constant<std::size_t, 2> {};
template <std::size_t I>
struct std::tuple_element<I, xtape::data::Batch> {
  using type = xtape::Tensor;
};
