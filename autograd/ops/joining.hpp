// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

#include "../export.hpp"
#include "../tensor.hpp"

// Tensors put together, taken apart and repeated. Dimensions may count from the back.
namespace xtape {

/// `repeats[i]` copies side by side along dimension i; more repeats than dimensions add leading
/// ones.
XTAPE_API Tensor repeat(const Tensor& x, const Shape& repeats);
/// As repeat, fewer repeats than dimensions apply to the last ones.
XTAPE_API Tensor tile(const Tensor& x, const Shape& repeats);
/// Joins tensors along `dim`; the other sizes must agree (ShapeError). dtypes promote; tensors of
/// shape [0] count as nothing.
XTAPE_API Tensor cat(std::span<const Tensor> tensors, std::int64_t dim = 0);
XTAPE_API Tensor cat(TensorList tensors, std::int64_t dim = 0);
/// Joins tensors of one shape along a new dimension.
XTAPE_API Tensor stack(std::span<const Tensor> tensors, std::int64_t dim = 0);
XTAPE_API Tensor stack(TensorList tensors, std::int64_t dim = 0);
/// Parts of `size` along `dim`; the last may be smaller.
XTAPE_API std::vector<Tensor> split(const Tensor& x, std::int64_t size, std::int64_t dim = 0);
/// Parts of the given sizes, which add up to the size of `dim` (ShapeError).
XTAPE_API std::vector<Tensor> split(const Tensor& x, const Shape& sizes, std::int64_t dim = 0);
/// At most `chunks` parts of equal size (the last may be smaller).
XTAPE_API std::vector<Tensor> chunk(const Tensor& x, std::int64_t chunks, std::int64_t dim = 0);
/// The slices along `dim`, without that dimension.
XTAPE_API std::vector<Tensor> unbind(const Tensor& x, std::int64_t dim = 0);
/// Surrounds x with `value`: `padding` is {before, after} of the last dimension, then of the one
/// before it, and so on; negative amounts cut off. Throws ShapeError where nothing would be left.
XTAPE_API Tensor pad(const Tensor& x, const Shape& padding, Scalar value = 0);
enum class PadMode : std::uint8_t { constant, reflect, replicate, circular };
/// The same with a mirror image of x (without its edge), its edge, or x over again around it.
/// Throws ShapeError where x is too small for that.
XTAPE_API Tensor pad(const Tensor& x, const Shape& padding, PadMode mode);

/// Moves the elements by `shifts[i]` along dims[i]; what leaves at the end comes in at the front.
/// Without dims, in row-major order. Throws ValueError where the numbers differ.
XTAPE_API Tensor roll(const Tensor& x, const Shape& shifts, const Shape& dims);
XTAPE_API Tensor roll(const Tensor& x, std::int64_t shift, std::int64_t dim);
XTAPE_API Tensor roll(const Tensor& x, std::int64_t shift);
/// Each position of `dim` as often as `repeats` says, one after the other; without `dim`, each
/// element.
XTAPE_API Tensor repeat_interleave(const Tensor& x, const Tensor& repeats, std::int64_t dim);
XTAPE_API Tensor repeat_interleave(const Tensor& x, std::int64_t repeats, std::int64_t dim);
XTAPE_API Tensor repeat_interleave(const Tensor& x, std::int64_t repeats);

enum class MeshIndexing : std::uint8_t { ij, xy };
/// For 1-d tensors of sizes n, m, ...: each expanded to [n, m, ...] (xy: [m, n, ...]), varying
/// along its own dimension. Views.
XTAPE_API std::vector<Tensor> meshgrid(std::span<const Tensor> tensors,
                                       MeshIndexing indexing = MeshIndexing::ij);
XTAPE_API std::vector<Tensor> meshgrid(std::initializer_list<Tensor> tensors,
                                       MeshIndexing indexing = MeshIndexing::ij);

}  // namespace xtape
