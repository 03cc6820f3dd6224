// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../autograd/export.hpp"
#include "../autograd/ops/activations.hpp"
#include "module.hpp"

// Activations as modules, for Sequential; each is the function of its name.
namespace xtape::nn {

/// max(x, 0)
struct XTAPE_API ReLU : Module {
  XTAPE_DECLARE_PARTS()
  Tensor forward(const Tensor& x) override;
};

/// 1 / (1 + e^-x)
struct XTAPE_API Sigmoid : Module {
  XTAPE_DECLARE_PARTS()
  Tensor forward(const Tensor& x) override;
};

struct XTAPE_API Tanh : Module {
  XTAPE_DECLARE_PARTS()
  Tensor forward(const Tensor& x) override;
};

/// log(1 + e^(beta x)) / beta
struct XTAPE_API Softplus : Module {
  double beta;
  XTAPE_DECLARE_PARTS()
  explicit Softplus(double b = 1.0) : beta(b) {}
  Tensor forward(const Tensor& x) override;
};

/// log sigmoid(x)
struct XTAPE_API LogSigmoid : Module {
  XTAPE_DECLARE_PARTS()
  Tensor forward(const Tensor& x) override;
};

/// min(max(x, 0), 6)
struct XTAPE_API ReLU6 : Module {
  XTAPE_DECLARE_PARTS()
  Tensor forward(const Tensor& x) override;
};

/// the self-normalising ELU
struct XTAPE_API SELU : Module {
  XTAPE_DECLARE_PARTS()
  Tensor forward(const Tensor& x) override;
};

/// x sigmoid(x)
struct XTAPE_API SiLU : Module {
  XTAPE_DECLARE_PARTS()
  Tensor forward(const Tensor& x) override;
};

/// x tanh(softplus(x))
struct XTAPE_API Mish : Module {
  XTAPE_DECLARE_PARTS()
  Tensor forward(const Tensor& x) override;
};

/// x / (1 + |x|)
struct XTAPE_API Softsign : Module {
  XTAPE_DECLARE_PARTS()
  Tensor forward(const Tensor& x) override;
};

/// min(max(x / 6 + 1/2, 0), 1)
struct XTAPE_API Hardsigmoid : Module {
  XTAPE_DECLARE_PARTS()
  Tensor forward(const Tensor& x) override;
};

/// x hardsigmoid(x)
struct XTAPE_API Hardswish : Module {
  XTAPE_DECLARE_PARTS()
  Tensor forward(const Tensor& x) override;
};

/// x where x > 0, else slope x
struct XTAPE_API LeakyReLU : Module {
  double negative_slope;
  XTAPE_DECLARE_PARTS()
  explicit LeakyReLU(double slope = 0.01) : negative_slope(slope) {}
  Tensor forward(const Tensor& x) override;
};

/// x where x > 0, else alpha (e^x - 1)
struct XTAPE_API ELU : Module {
  double alpha;
  XTAPE_DECLARE_PARTS()
  explicit ELU(double a = 1.0) : alpha(a) {}
  Tensor forward(const Tensor& x) override;
};

/// x where x > 0, else alpha (e^(x / alpha) - 1)
struct XTAPE_API CELU : Module {
  double alpha;
  XTAPE_DECLARE_PARTS()
  explicit CELU(double a = 1.0) : alpha(a) {}
  Tensor forward(const Tensor& x) override;
};

/// x where x > 0, else weight x: a slope that is learned, one for all or one for each channel
/// (dimension 1). He et al., ICCV 2015.
struct XTAPE_API PReLU : Module {
  Parameter weight;
  XTAPE_DECLARE_PARTS()
  /// Throws ValueError for no parameters.
  explicit PReLU(std::int64_t num_parameters = 1, double init = 0.25);
  Tensor forward(const Tensor& x) override;
};

/// x where x > 0, else a x; a is drawn from [lower, upper) for each element in training, and is
/// their mean otherwise. Xu et al., 2015.
struct XTAPE_API RReLU : Module {
  double lower, upper;
  XTAPE_DECLARE_PARTS()
  /// Throws ValueError unless lower <= upper.
  explicit RReLU(double lower = 1.0 / 8, double upper = 1.0 / 3);
  Tensor forward(const Tensor& x) override;
};

/// x where x > threshold, else value
struct XTAPE_API Threshold : Module {
  double threshold, value;
  XTAPE_DECLARE_PARTS()
  Threshold(double t, double v) : threshold(t), value(v) {}
  Tensor forward(const Tensor& x) override;
};

/// x moved by lambd towards 0, and 0 where |x| <= lambd
struct XTAPE_API Softshrink : Module {
  double lambd;
  XTAPE_DECLARE_PARTS()
  explicit Softshrink(double l = 0.5) : lambd(l) {}
  Tensor forward(const Tensor& x) override;
};

/// x, and 0 where |x| <= lambd
struct XTAPE_API Hardshrink : Module {
  double lambd;
  XTAPE_DECLARE_PARTS()
  explicit Hardshrink(double l = 0.5) : lambd(l) {}
  Tensor forward(const Tensor& x) override;
};

/// x - tanh(x)
struct XTAPE_API Tanhshrink : Module {
  XTAPE_DECLARE_PARTS()
  Tensor forward(const Tensor& x) override;
};

/// a sigmoid(b), where a and b are the halves of x along `dim`
struct XTAPE_API GLU : Module {
  std::int64_t dim;
  XTAPE_DECLARE_PARTS()
  explicit GLU(std::int64_t d = -1) : dim(d) {}
  Tensor forward(const Tensor& x) override;
};

/// x limited to [min, max]
struct XTAPE_API Hardtanh : Module {
  double min, max;
  XTAPE_DECLARE_PARTS()
  explicit Hardtanh(double low = -1.0, double high = 1.0) : min(low), max(high) {}
  Tensor forward(const Tensor& x) override;
};

/// x P(Z < x) for a standard normal Z, or its approximation by tanh
struct XTAPE_API GELU : Module {
  GeluForm form;
  XTAPE_DECLARE_PARTS()
  explicit GELU(GeluForm f = GeluForm::exact) : form(f) {}
  Tensor forward(const Tensor& x) override;
};

/// e^x / sum e^x along `dim`
struct XTAPE_API Softmax : Module {
  std::int64_t dim;
  XTAPE_DECLARE_PARTS()
  explicit Softmax(std::int64_t d) : dim(d) {}
  Tensor forward(const Tensor& x) override;
};

/// softmax(-x) along `dim`
struct XTAPE_API Softmin : Module {
  std::int64_t dim;
  XTAPE_DECLARE_PARTS()
  explicit Softmin(std::int64_t d) : dim(d) {}
  Tensor forward(const Tensor& x) override;
};

/// log softmax(x) along `dim`
struct XTAPE_API LogSoftmax : Module {
  std::int64_t dim;
  XTAPE_DECLARE_PARTS()
  explicit LogSoftmax(std::int64_t d) : dim(d) {}
  Tensor forward(const Tensor& x) override;
};

}  // namespace xtape::nn
