// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../autograd/export.hpp"
#include "module.hpp"

// Positions for transformers.
namespace xtape::nn {

/// [length, dim], fixed: sin(t / base^(2i / dim)) in the even columns 2i, cos of the same in the
/// odd ones. Vaswani et al., 2017. Throws ValueError for sizes below 1.
XTAPE_API Tensor sinusoidal_position(std::int64_t length, std::int64_t dim, double base = 10000,
                                     DType dtype = float32);

struct SinusoidalPositionOptions {
  double base = 10000;
  bool batch_first = false;
};

/// x + sinusoidal_position for x [length, batch, dim] (batch_first: [batch, length, dim]; [length,
/// dim] alone).
class XTAPE_API SinusoidalPosition : public Module {
 public:
  XTAPE_DECLARE_PARTS()

  explicit SinusoidalPosition(const SinusoidalPositionOptions& options = {});
  Tensor forward(const Tensor& x) override;

 private:
  SinusoidalPositionOptions options_;
};

struct RotaryOptions {
  std::int64_t offset = 0;  ///< position of the first row
  double base = 10000;
  /// Pairs are columns 2i and 2i + 1, as in the paper; else i and i + dim / 2, as in GPT-NeoX and
  /// LLaMA.
  bool interleaved = true;
};

/// Queries or keys x [..., length, dim] turned by their position: pair i of row t by the angle
/// (t + offset) base^(-2i / dim), so that products of two depend on their distance alone. Su et
/// al., "RoFormer", 2021. Throws ShapeError for an odd dim.
XTAPE_API Tensor rotary_position(const Tensor& x, const RotaryOptions& options = {});

}  // namespace xtape::nn
