// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>

#include "../autograd/export.hpp"
#include "optimizer.hpp"

namespace xtape::optim {

/// lr' = lr sqrt(max(1, rows / columns)), or 0.2 lr sqrt(max(rows, columns)), whose steps are as
/// large as AdamW's.
enum class MuonRate : std::uint8_t { original, match_rms_adamw };

struct MuonOptions {
  double lr = 1e-3;
  double weight_decay = 0.1;
  double momentum = 0.95;
  bool nesterov = true;
  std::array<double, 3> ns_coefficients{3.4445, -4.7750, 2.0315};
  double eps = 1e-7;
  int ns_steps = 5;
  MuonRate adjust_lr = MuonRate::original;
  bool maximize = false;
};

/// For matrices [rows, columns] alone: m = momentum m + (1 - momentum) g (with Nesterov's look
/// ahead), o = m with its singular values brought near 1 by ns_steps of X = a X + (b X X^T + c (X
/// X^T)^2) X from X = m / |m|, p -= lr weight_decay p + lr' o. Biases, embeddings and the last
/// layer want AdamW. Jordan et al., 2024; names and defaults as in PyTorch.
class XTAPE_API Muon final : public OptimizerWith<MuonOptions> {
 public:
  /// Throws ValueError for options out of range, and as Optimizer does for parameters, and
  /// ShapeError for one that is no matrix.
  explicit Muon(const std::vector<Tensor>& parameters, const MuonOptions& options = {});
  explicit Muon(const std::vector<ParameterGroup<MuonOptions>>& groups);

 private:
  void check(const MuonOptions& o) const override;
  void check_parameters(const std::vector<Tensor>& parameters) const override;
  void update(detail::Slot& slot, const Tensor& parameter, const Tensor& gradient,
              std::size_t group) override;
};

}  // namespace xtape::optim
