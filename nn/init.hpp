// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../autograd/export.hpp"
#include "../autograd/tensor.hpp"

// Initial values, written into a leaf without being recorded and returned. Random ones come from
// this thread's generator. Names, formulas and defaults are PyTorch's.
namespace xtape::nn::init {

/// Which side of a weight [out, in, ...] keeps its variance; fan in is in times the kernel's size.
enum class FanMode { fan_in, fan_out };

/// What follows the layer: decides the gain.
enum class Nonlinearity { linear, sigmoid, tanh, relu, leaky_relu, selu };

/// 1; 1; 5/3; sqrt(2); sqrt(2 / (1 + slope^2)); 3/4. A `slope` (of leaky_relu) elsewhere is
/// ignored.
XTAPE_API double calculate_gain(Nonlinearity nonlinearity, double slope = 0.01);

struct Fans {
  std::int64_t in, out;
};
/// Throws ShapeError for fewer than two dimensions.
XTAPE_API Fans calculate_fans(const Tensor& x);

XTAPE_API Tensor uniform_(Tensor x, double low = 0, double high = 1);
XTAPE_API Tensor normal_(Tensor x, double mean = 0, double std = 1);
XTAPE_API Tensor constant_(Tensor x, double value);
XTAPE_API Tensor zeros_(Tensor x);
XTAPE_API Tensor ones_(Tensor x);

/// N(mean, std) within [a, b]; the limits are numbers, not multiples of std. Throws ValueError
/// unless a < b and std > 0.
XTAPE_API Tensor trunc_normal_(Tensor x, double mean = 0, double std = 1, double a = -2,
                               double b = 2);
/// 1 on the diagonal of a matrix, 0 elsewhere. Throws ShapeError where x is none.
XTAPE_API Tensor eye_(Tensor x);
/// A convolution's weight [out, in, ...] of 3 to 5 dimensions that hands its channels on, in each
/// group as many as there are. Throws ShapeError for other ranks and groups that do not divide
/// `out`.
XTAPE_API Tensor dirac_(Tensor x, std::int64_t groups = 1);
/// N(0, std) with a share `sparsity` of each column 0, at random places. Martens, ICML 2010. Throws
/// ShapeError where x is no matrix, ValueError for a share outside [0, 1].
XTAPE_API Tensor sparse_(Tensor x, double sparsity, double std = 0.01);

/// U(-a, a), a = gain sqrt(6 / (fan in + fan out)). Glorot and Bengio, AISTATS 2010.
XTAPE_API Tensor xavier_uniform_(Tensor x, double gain = 1);
/// N(0, std), std = gain sqrt(2 / (fan in + fan out)).
XTAPE_API Tensor xavier_normal_(Tensor x, double gain = 1);

struct KaimingOptions {
  double a = 0;  ///< negative slope of the leaky rectifier that follows
  FanMode mode = FanMode::fan_in;
  Nonlinearity nonlinearity = Nonlinearity::leaky_relu;
};
/// U(-a, a), a = gain sqrt(3 / fan). He et al., ICCV 2015.
XTAPE_API Tensor kaiming_uniform_(Tensor x, const KaimingOptions& options = {});
/// N(0, std), std = gain / sqrt(fan).
XTAPE_API Tensor kaiming_normal_(Tensor x, const KaimingOptions& options = {});

/// U(-a, a), a = sqrt(3 / fan in). LeCun et al., Efficient BackProp, 1998.
XTAPE_API Tensor lecun_uniform_(Tensor x);
/// N(0, std), std = 1 / sqrt(fan in): what selu wants. Klambauer et al., NeurIPS 2017.
XTAPE_API Tensor lecun_normal_(Tensor x);

/// Rows (or columns, where there are fewer) orthonormal times gain, of x as [x.size(0), rest].
/// Saxe et al., ICLR 2014. Throws ShapeError for fewer than two dimensions.
XTAPE_API Tensor orthogonal_(Tensor x, double gain = 1);

}  // namespace xtape::nn::init
