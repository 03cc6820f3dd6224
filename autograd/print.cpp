// SPDX-License-Identifier: BSD-3-Clause
#include "print.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <ostream>
#include <vector>

#include "node.hpp"

namespace xtape {
namespace {

constexpr std::int64_t kGap = -1;

std::string formatted(const char* format, int precision, double x) {
  char text[512];  // the largest double has 309 digits before the point
  std::snprintf(text, sizeof text, format, precision, x);
  return text;
}

// How floating elements are written: found from all that are shown.
class FloatFormat {
 public:
  explicit FloatFormat(int precision) : precision_(std::clamp(precision, 0, 100)) {}

  void see(double x) {
    if (!std::isfinite(x) || x == 0) return;
    whole_ = whole_ && x == std::ceil(x);
    least_ = std::min(least_, std::abs(x));
    most_ = std::max(most_, std::abs(x));
  }
  std::string operator()(double x) const {
    const bool any = most_ > 0;
    if (any && (most_ / least_ > 1000 || most_ > 1e8 || (!whole_ && least_ < 1e-4))) {
      return formatted("%.*e", precision_, x);
    }
    if (!whole_) return formatted("%.*f", precision_, x);
    return formatted("%.*f", 0, x) + (std::isfinite(x) ? "." : "");
  }

 private:
  int precision_;
  bool whole_ = true;
  double least_ = std::numeric_limits<double>::infinity(), most_ = 0;
};

class Printer {
 public:
  Printer(const Tensor& x, const PrintOptions& options)
      : x_(x.detach().contiguous()),
        options_(options),
        shortened_(x.numel() > options.threshold),
        float_format_(options.precision) {
    if (is_floating(x.dtype())) {
      each_shown(0, 0, [&](std::int64_t i) { float_format_.see(number(i)); });
    }
    each_shown(0, 0, [&](std::int64_t i) {
      // What is not finite does not widen the columns.
      if (is_floating(x_.dtype()) && !(std::isfinite(number(i)) && number(i) != 0)) return;
      width_ = std::max(width_, element(i).size());
    });
  }

  std::string text(std::int64_t indent) const {
    return x_.dim() == 0 ? padded(0) : dimension(0, 0, indent);
  }

 private:
  // Positions along a dimension, with kGap for those that are left out.
  std::vector<std::int64_t> shown(int dim) const {
    const std::int64_t size = x_.sizes()[static_cast<std::size_t>(dim)];
    const std::int64_t edge = std::max<std::int64_t>(options_.edge_items, 0);
    std::vector<std::int64_t> at;
    for (std::int64_t i = 0; i < size; ++i) {
      if (shortened_ && size > 2 * edge && i == edge) {
        at.push_back(kGap);
        i = size - edge;
        if (edge == 0) break;
      }
      at.push_back(i);
    }
    return at;
  }

  template <class F>
  void each_shown(int dim, std::int64_t offset, F f) const {
    if (dim == x_.dim()) return f(offset);
    for (const std::int64_t i : shown(dim)) {
      if (i != kGap) each_shown(dim + 1, offset + i * stride(dim), f);
    }
  }

  std::int64_t stride(int dim) const { return x_.strides()[static_cast<std::size_t>(dim)]; }

  double number(std::int64_t i) const {
    return detail::dispatch(
        x_.dtype(), [&]<class T>(detail::Type<T>) { return static_cast<double>(x_.data<T>()[i]); });
  }

  std::string element(std::int64_t i) const {
    if (is_floating(x_.dtype())) return float_format_(number(i));
    if (x_.dtype() == boolean) return x_.data<bool>()[i] ? "True" : "False";
    return std::to_string(x_.dtype() == int64 ? x_.data<std::int64_t>()[i]
                                              : std::int64_t{x_.data<std::uint8_t>()[i]});
  }

  std::string padded(std::int64_t i) const {
    const std::string text = element(i);
    return std::string(width_ - std::min(width_, text.size()), ' ') + text;
  }

  std::string dimension(int dim, std::int64_t offset, std::int64_t indent) const {
    const bool last = dim + 1 == x_.dim();
    const std::int64_t per_line = std::max<std::int64_t>(
        1, (options_.line_width - indent) / (static_cast<std::int64_t>(width_) + 2));
    const std::string margin(static_cast<std::size_t>(indent + 1), ' ');
    const std::string lines(last ? 1 : static_cast<std::size_t>(x_.dim() - dim - 1), '\n');
    std::string text = "[";
    std::int64_t count = 0;
    for (const std::int64_t i : shown(dim)) {
      if (count > 0) text += !last || count % per_line == 0 ? "," + lines + margin : ", ";
      ++count;
      if (i == kGap) {
        text += last ? " ..." : "...";
      } else if (last) {
        text += padded(offset + i * stride(dim));
      } else {
        text += dimension(dim + 1, offset + i * stride(dim), indent + 1);
      }
    }
    return text + "]";
  }

  Tensor x_;
  PrintOptions options_;
  bool shortened_;
  FloatFormat float_format_;
  std::size_t width_ = 1;
};

std::string tuple(const Tensor& x) {
  std::string text = to_string(x.sizes());
  text.front() = '(';
  text.back() = ')';
  return text;
}

}  // namespace

std::string to_string(const Tensor& x, const PrintOptions& options) {
  if (!x.defined()) return "tensor(undefined)";
  const std::string begin = "tensor(";
  const auto indent = static_cast<std::int64_t>(begin.size());
  std::vector<std::string> notes;
  if (x.numel() == 0 && x.dim() != 1) notes.push_back("size=" + tuple(x));
  const bool usual =
      x.dtype() == float32 || (x.numel() > 0 && (x.dtype() == int64 || x.dtype() == boolean));
  if (!usual) notes.push_back(std::string("dtype=") + name(x.dtype()));
  if (x.requires_grad()) {
    notes.push_back(x.is_leaf() ? "requires_grad=True"
                                : "grad_fn=<" + std::string(x.value()->node->name) + ">");
  }
  std::string text = begin + (x.numel() == 0 ? "[]" : Printer(x, options).text(indent));
  for (const std::string& note : notes) {
    const std::size_t line = text.size() - (text.rfind('\n') + 1);
    const bool fits = static_cast<std::int64_t>(line + note.size()) + 4 <= options.line_width;
    text += (fits ? ", " : ",\n" + std::string(begin.size(), ' ')) + note;
  }
  return text + ")";
}

std::ostream& operator<<(std::ostream& out, const Tensor& x) { return out << to_string(x); }

}  // namespace xtape
