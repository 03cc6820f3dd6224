// SPDX-License-Identifier: BSD-3-Clause
#include "multiply_adds.hpp"

#include <algorithm>
#include <map>
#include <string_view>

#include "scope.hpp"
#include "tape.hpp"
#include "watch.hpp"

namespace xtape {
namespace {

std::int64_t size_from_back(const Tensor& x, int i) { return x.sizes()[x.dim() - i]; }

// Of y [..., m, n], a product with `a` [..., m, k] or [..., k, m].
std::int64_t of_product(const Tensor& y, const Tensor& a) {
  const std::int64_t m = size_from_back(y, 2);
  return m == 0 ? 0 : y.numel() * (size_from_back(a, 1) * size_from_back(a, 2) / m);
}

// Each number of a convolution's output, or each one that its gradient begins with, meets the
// weights of one output channel.
std::int64_t of_convolution(const Tensor& outputs, const Tensor& weight) {
  return outputs.numel() * (weight.numel() / weight.sizes()[0]);
}

// A convolution or transposed one in any number of directions, or a gradient of it; 0 where `r` is
// none.
std::int64_t of_convolution(const detail::Recording& r) {
  std::string_view name = r.name;
  const auto take_off = [&](std::string_view end) {
    const bool found = name.ends_with(end);
    if (found) name.remove_suffix(end.size());
    return found;
  };
  const bool of_weight = take_off("_backward_weight"), of_data = take_off("_backward_data");
  const bool transposed = name == "conv_transpose1d" || name == "conv_transpose2d";
  if (!transposed && name != "conv1d" && name != "conv2d" && name != "conv3d") return 0;
  const Tensor &y = *r.outputs[0], &first = *r.inputs[0].tensor, &second = *r.inputs[1].tensor;
  if (of_weight) return of_convolution(second, y);
  return of_convolution(transposed == of_data ? y : first, second);
}

std::int64_t of_attention(const Tensor& q, const Tensor& k, const Tensor& v) {
  return q.numel() * size_from_back(k, 2) +
         q.numel() / size_from_back(q, 1) * size_from_back(k, 2) * size_from_back(v, 1);
}

// Lower terms are left out.
std::int64_t of_factorisation(const detail::Recording& r) {
  const std::string_view name = r.name;
  const Tensor& x = *r.inputs[0].tensor;
  const std::int64_t m = size_from_back(x, 2), n = size_from_back(x, 1);
  const std::int64_t k = std::min(m, n), l = std::max(m, n);
  const std::int64_t count = k == 0 ? 0 : x.numel() / (m * n);
  // qr: complete; svd: full_matrices.
  const bool all = size_from_back(*r.outputs[0], 1) > k ||
                   (r.outputs.size() == 3 && size_from_back(*r.outputs[2], 2) > k);
  if (name == "cholesky") return count * (k * k * k / 6);
  if (name == "lu") return count * (k * k * k / 3);
  if (name == "qr") {
    const std::int64_t half = k * k * m - k * k * k / 3;
    return count * (half + (all ? 2 * (m * m * k - m * k * k + k * k * k / 3) : half));
  }
  if (name == "eigh") return count * (9 * k * k * k / 2);
  if (name == "eigvalsh") return count * (2 * k * k * k / 3);
  if (name == "svd") {
    return count * (all ? 2 * l * l * k + 4 * l * k * k + 9 * k * k * k / 2
                        : 7 * l * k * k + 4 * k * k * k);
  }
  if (name == "svdvals") return count * (2 * l * k * k - 2 * k * k * k / 3);
  return 0;
}

std::int64_t count(const detail::Recording& r) {
  const std::string_view name = r.name;
  const Tensor& y = *r.outputs[0];
  const auto in = [&](std::size_t i) -> const Tensor& { return *r.inputs[i].tensor; };
  if (y.numel() == 0) return 0;
  if (name == "matmul") return of_product(y, in(0));
  if (name == "addmm") return of_product(y, in(1));
  if (name == "linear") return y.numel() * size_from_back(in(0), 1);
  if (name.starts_with("conv")) return of_convolution(r);
  if (name == "scaled_dot_product_attention") return of_attention(in(0), in(1), in(2));
  if (name == "solve_triangular") return y.numel() * size_from_back(in(0), 1) / 2;
  if (name == "solve" || name == "inv") return y.numel() * size_from_back(in(0), 1);
  const bool recurrent =
      name.starts_with("lstm") || name.starts_with("gru") || name.starts_with("rnn_");
  if (recurrent && r.inputs.size() > 4) {  // others may call theirs so
    // The product with the inputs is a `linear` of its own.
    return in(0).numel() / size_from_back(in(0), 1) * in(4).numel();
  }
  for (const char* factorisation : {"cholesky", "lu", "qr", "eigh", "eigvalsh", "svd", "svdvals"}) {
    if (name == factorisation) return of_factorisation(r);
  }
  return 0;
}

}  // namespace

class MultiplyAdds::Watch final : public detail::Watcher {
 public:
  void computed(const detail::Recording& r) override {
    const std::int64_t n = count(r);
    if (n == 0) return;
    total += n;
    of_module[detail::scope_text(detail::current_scope())] += n;
  }

  std::int64_t total = 0;
  std::map<std::string, std::int64_t> of_module;
};

MultiplyAdds::MultiplyAdds() : watch_(Owned<Watch>::make()) {}
MultiplyAdds::~MultiplyAdds() = default;

std::int64_t MultiplyAdds::total() const noexcept { return watch_->total; }

std::int64_t MultiplyAdds::of_module(const std::string& path) const noexcept {
  const auto found = watch_->of_module.find(path);
  return found == watch_->of_module.end() ? 0 : found->second;
}

}  // namespace xtape
