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

/// log(1 + e^x)
struct XTAPE_API Softplus : Module {
  XTAPE_DECLARE_PARTS()
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

/// log softmax(x) along `dim`
struct XTAPE_API LogSoftmax : Module {
  std::int64_t dim;
  XTAPE_DECLARE_PARTS()
  explicit LogSoftmax(std::int64_t d) : dim(d) {}
  Tensor forward(const Tensor& x) override;
};

}  // namespace xtape::nn
