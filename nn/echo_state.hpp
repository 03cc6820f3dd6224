// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../autograd/export.hpp"
#include "linear.hpp"
#include "module.hpp"
#include "recurrent.hpp"

// Echo state networks: a recurrent layer that stays as it was drawn, and a linear readout that
// learns. Jaeger, "The echo state approach", 2001; Lukosevicius, "A practical guide to applying
// echo state networks", 2012. Sequences are x [steps, batch, in], or [steps, in] one alone; states
// [batch, units] or [units], zeros where undefined:
//
//   nn::EchoStateNetwork net(1, 1000, 1);
//   Tensor state = net.fit(x, y);                      // y[t] = x[t + 1]: teacher forcing
//   auto [z, last] = net.free_run(x[-1], state, 500);  // each output is the next input
//
// By gradient instead: net.parameters() are those of the readout alone. A Reservoir by itself gives
// features to any module: `nn::Sequential(nn::Reservoir(1, 300), nn::Linear(300, 1))`.
namespace xtape::nn {

struct ReservoirOptions {
  double spectral_radius = 0.9;  ///< largest |eigenvalue| of the recurrent weights
  double leak = 1;               ///< share of the new in a state, in (0, 1]
  double input_scaling = 1;  ///< weight_ih and bias_ih are from U(-input_scaling, input_scaling)
  std::int64_t connections = 10;  ///< into each unit, at most as many as there are units
  DType dtype = float32;
};

/// h' = (1 - leak) h + leak tanh(W_ih x + b_ih + W_hh h), with weights that are not learned; each
/// unit hears `connections` others, drawn at random. Gradients go through to x and the state.
class XTAPE_API Reservoir : public Module {
 public:
  Buffer weight_ih, bias_ih;   ///< [units, in], [units]
  Buffer weight_hh, index_hh;  ///< [units, connections]: unit i hears index_hh[i][j]
  XTAPE_DECLARE_PARTS()

  /// Throws ValueError for sizes below 1 and options outside their ranges.
  Reservoir(std::int64_t input_size, std::int64_t units, const ReservoirOptions& options = {});
  /// The states after each step, [steps, batch, units], from zeros. Throws ShapeError.
  Tensor forward(const Tensor& x) override { return forward(x, Tensor()).output; }
  /// The same from a state, and the last of them.
  RNNResult forward(const Tensor& x, const Tensor& state);

  std::int64_t input_size() const { return weight_ih.size(1); }
  std::int64_t units() const { return weight_ih.size(0); }
  /// W_hh as a matrix [units, units].
  Tensor dense_weight_hh() const;

 private:
  double leak_;
};

struct EchoStateFitOptions {
  double ridge = 1e-8;
  std::int64_t washout = 100;  ///< first steps, whose states still hold the beginning: not learned
};

/// A Reservoir and a Linear that reads the input and the states.
class XTAPE_API EchoStateNetwork : public Module {
 public:
  Reservoir reservoir;
  Linear readout;  ///< of [input, state]: in + units features
  XTAPE_DECLARE_PARTS()

  EchoStateNetwork(std::int64_t input_size, std::int64_t units, std::int64_t output_size,
                   const ReservoirOptions& options = {});
  /// [steps, batch, out], from zeros.
  Tensor forward(const Tensor& x) override { return forward(x, Tensor()).output; }
  RNNResult forward(const Tensor& x, const Tensor& state);

  /// Sets the readout by ridge_regression to give y [steps, batch, out] for x; returns the state
  /// after the last step. Throws ShapeError where they do not fit, ValueError where the washout
  /// leaves no step, and as ridge_regression.
  Tensor fit(const Tensor& x, const Tensor& y, const EchoStateFitOptions& options = {});
  /// `steps` outputs, each being the next input; `x` [batch, in] or [in] is the first. Throws
  /// ShapeError where there are not as many outputs as inputs, ValueError below 1 step.
  RNNResult free_run(const Tensor& x, const Tensor& state, std::int64_t steps);
};

/// The largest |eigenvalue| of a square matrix, by power iteration and Arnoldi's method from a
/// random vector of this thread's generator: exact to rounding up to 100 rows, close beyond. Throws
/// ShapeError; ValueError for Inf and NaN.
XTAPE_API double spectral_radius(const Tensor& matrix);

}  // namespace xtape::nn
