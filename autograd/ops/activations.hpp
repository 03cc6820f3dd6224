// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../export.hpp"
#include "../tensor.hpp"

// Activations: each one pass forward and one backward. y is the result, g the incoming gradient; at
// a kink the gradient is that of the left side unless said otherwise.
namespace xtape {

XTAPE_API Tensor relu(const Tensor& x);        ///< max(x, 0); gradient g where x > 0, 0 at 0
XTAPE_API Tensor relu6(const Tensor& x);       ///< min(max(x, 0), 6)
XTAPE_API Tensor sigmoid(const Tensor& x);     ///< 1 / (1 + e^-x); g y (1 - y)
XTAPE_API Tensor logsigmoid(const Tensor& x);  ///< log sigmoid(x); g sigmoid(-x)
/// log(1 + e^(beta x)) / beta; g sigmoid(beta x). Exact everywhere, so without PyTorch's threshold.
XTAPE_API Tensor softplus(const Tensor& x, double beta = 1);
XTAPE_API Tensor softsign(const Tensor& x);     ///< x / (1 + |x|)
XTAPE_API Tensor silu(const Tensor& x);         ///< x sigmoid(x)
XTAPE_API Tensor mish(const Tensor& x);         ///< x tanh(softplus(x))
XTAPE_API Tensor hardsigmoid(const Tensor& x);  ///< min(max(x / 6 + 1/2, 0), 1)
XTAPE_API Tensor hardswish(const Tensor& x);    ///< x hardsigmoid(x)
XTAPE_API Tensor tanhshrink(const Tensor& x);   ///< x - tanh(x)

/// x where x > 0, else slope x.
XTAPE_API Tensor leaky_relu(const Tensor& x, double negative_slope = 0.01);
/// x where x > 0, else alpha (e^x - 1). Clevert et al., ICLR 2016.
XTAPE_API Tensor elu(const Tensor& x, double alpha = 1.0);
/// The self-normalising ELU. Klambauer et al., NIPS 2017.
XTAPE_API Tensor selu(const Tensor& x);
/// x limited to [min, max]; the gradient is 0 at the limits.
XTAPE_API Tensor hardtanh(const Tensor& x, double min = -1.0, double max = 1.0);

/// x where x > 0, else weight x; one weight, or one for each position of dimension 1 (ShapeError).
XTAPE_API Tensor prelu(const Tensor& x, const Tensor& weight);
/// x where x > 0, else alpha (e^(x / alpha) - 1). Barron, 2017.
XTAPE_API Tensor celu(const Tensor& x, double alpha = 1.0);
/// x where x > threshold, else value.
XTAPE_API Tensor threshold(const Tensor& x, double threshold, double value);
/// 0 below 0, 1 above, `values` (broadcast) at 0. Gradient: g to the values that were taken.
XTAPE_API Tensor heaviside(const Tensor& x, const Tensor& values);
/// x moved by lambd towards 0, and 0 where |x| <= lambd.
XTAPE_API Tensor softshrink(const Tensor& x, double lambd = 0.5);
/// x, and 0 where |x| <= lambd.
XTAPE_API Tensor hardshrink(const Tensor& x, double lambd = 0.5);
/// a sigmoid(b), where a and b are the halves of x along `dim`. Throws ShapeError on an odd size.
XTAPE_API Tensor glu(const Tensor& x, std::int64_t dim = -1);

enum class GeluForm : std::uint8_t { exact, tanh };
/// x P(Z < x) for a standard normal Z, or its approximation by tanh. Hendrycks & Gimpel, 2016.
XTAPE_API Tensor gelu(const Tensor& x, GeluForm form = GeluForm::exact);

}  // namespace xtape
