// SPDX-License-Identifier: BSD-3-Clause
#include "plot.hpp"

#include <algorithm>
#include <cmath>

#include "../autograd/error.hpp"
#include "../autograd/ops/creation.hpp"
#include "axis_scale.hpp"
#include "drawing.hpp"

namespace xtape::data {
namespace {

using detail::Range;

std::vector<std::int64_t> whole_numbers(const char* who, const Tensor& x) {
  if (is_floating(x.dtype())) {
    throw DTypeError(std::string(who) + ": classes are integers, got " + name(x.dtype()));
  }
  const Tensor dense = x.to(int64).contiguous();
  std::vector<std::int64_t> all(dense.data<std::int64_t>(),
                                dense.data<std::int64_t>() + dense.numel());
  for (const std::int64_t c : all) {
    if (c < 0) throw ValueError(std::string(who) + ": class " + std::to_string(c));
  }
  return all;
}

std::string shape_of(const Tensor& x) { return x.defined() ? to_string(x.sizes()) : "undefined"; }

double middle(double low, double high, std::int64_t i, std::int64_t of) {
  return low + (high - low) * (static_cast<double>(i) + 0.5) / static_cast<double>(of);
}

}  // namespace

Plot::Plot(PlotOptions options) : options_(std::move(options)) {
  if (options_.width < 200 || options_.height < 200) {
    throw ValueError("Plot: width and height are at least 200, got " +
                     std::to_string(options_.width) + " and " + std::to_string(options_.height));
  }
}

Plot& Plot::add(Kind kind, const char* operation, const std::string& name,
                std::span<const double> x, std::span<const double> y) {
  if (x.size() != y.size()) {
    throw ShapeError(std::string("Plot::") + operation + ": x and y differ in length, " +
                     std::to_string(x.size()) + " and " + std::to_string(y.size()));
  }
  series_.push_back({kind, name, series_.size(), {x.begin(), x.end()}, {y.begin(), y.end()}});
  return *this;
}

Plot& Plot::line(const std::string& name, std::span<const double> x, std::span<const double> y) {
  return add(Kind::line, "line", name, x, y);
}

Plot& Plot::line(const std::string& name, std::span<const double> y) {
  std::vector<double> x(y.size());
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<double>(i + 1);
  return line(name, x, y);
}

Plot& Plot::scatter(const std::string& name, std::span<const double> x, std::span<const double> y) {
  return add(Kind::points, "scatter", name, x, y);
}

Plot& Plot::scatter(const Tensor& points, const Tensor& classes,
                    const std::vector<std::string>& names) {
  if (!points.defined() || !classes.defined() || points.dim() != 2 || points.size(1) != 2 ||
      classes.shape() != Shape{points.size(0)}) {
    throw ShapeError("Plot::scatter: expected points [n, 2] and classes [n], got " +
                     shape_of(points) + " and " + shape_of(classes));
  }
  const Tensor dense = points.detach().to(float64).contiguous();
  const double* p = dense.data<double>();
  const std::vector<std::int64_t> of = whole_numbers("Plot::scatter", classes);
  std::vector<std::int64_t> present = of;
  std::ranges::sort(present);
  const auto rest = std::ranges::unique(present);
  present.erase(rest.begin(), rest.end());
  if (!names.empty() && !present.empty() && present.back() >= std::ssize(names)) {
    throw ValueError("Plot::scatter: no name for class " + std::to_string(present.back()));
  }
  for (const std::int64_t c : present) {
    const auto look = static_cast<std::size_t>(c);
    Series series{Kind::points, names.empty() ? std::to_string(c) : names[look], look, {}, {}};
    for (std::size_t i = 0; i < of.size(); ++i) {
      if (of[i] != c) continue;
      series.x.push_back(p[2 * i]);
      series.y.push_back(p[2 * i + 1]);
    }
    series_.push_back(std::move(series));
  }
  return *this;
}

Plot& Plot::bars(const std::string& name, const std::vector<std::string>& labels,
                 std::span<const double> heights, std::span<const double> errors) {
  if (labels.size() != heights.size() || (!errors.empty() && errors.size() != heights.size())) {
    throw ShapeError("Plot::bars: " + std::to_string(labels.size()) + " labels, " +
                     std::to_string(heights.size()) + " heights, " + std::to_string(errors.size()) +
                     " errors");
  }
  if (options_.x_axis == Axis::logarithmic) throw ValueError("Plot::bars: logarithmic x axis");
  if (!labels_.empty() && labels != labels_) {
    throw ValueError("Plot::bars: other labels than before");
  }
  if (std::ranges::any_of(errors, [](double e) { return e < 0; })) {
    throw ValueError("Plot::bars: negative errors");
  }
  std::vector<double> x(labels.size());
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<double>(i + 1);
  add(Kind::bars, "bars", name, x, heights);
  series_.back().errors.assign(errors.begin(), errors.end());
  labels_ = labels;
  return *this;
}

Box Plot::around_points() const {
  Range x{options_.x_axis}, y{options_.y_axis};
  for (const Series& s : series_) {
    for (const double v : s.x) x.add(v);
    for (const double v : s.y) y.add(v);
  }
  if (x.empty() || y.empty()) throw ValueError("Plot::regions: no points yet, say a box");
  const auto room = [](const Range& r) {
    return r.axis == Axis::logarithmic ? 0 : r.high > r.low ? 0.08 * (r.high - r.low) : 1;
  };
  return {x.low - room(x), x.high + room(x), y.low - room(y), y.high + room(y)};
}

Tensor Plot::region_points(const Box& box) {
  if (!(box.left < box.right && box.bottom < box.top && std::isfinite(box.right - box.left) &&
        std::isfinite(box.top - box.bottom))) {
    throw ValueError("Plot::regions: the box is empty or not finite");
  }
  Tensor points = empty({kAcross * kUp, 2}, float32);
  float* p = xtape::detail::fresh_data<float>(points);
  for (std::int64_t i = 0; i < kAcross * kUp; ++i) {
    *p++ = static_cast<float>(middle(box.left, box.right, i % kAcross, kAcross));
    *p++ = static_cast<float>(middle(box.bottom, box.top, i / kAcross, kUp));
  }
  return points;
}

Plot& Plot::add_regions(const Box& box, const Tensor& classes) {
  if (!classes.defined() || classes.shape() != Shape{kAcross * kUp}) {
    throw ShapeError("Plot::regions: expected a class for each of " +
                     std::to_string(kAcross * kUp) + " points, got " + shape_of(classes));
  }
  regions_.push_back({box, whole_numbers("Plot::regions", classes), false});
  return *this;
}

Plot& Plot::add_shades(const Box& box, const Tensor& values) {
  if (!values.defined() || values.shape() != Shape{kAcross * kUp}) {
    throw ShapeError("Plot::shades: expected a value for each of " + std::to_string(kAcross * kUp) +
                     " points, got " + shape_of(values));
  }
  if (!is_floating(values.dtype())) {
    throw DTypeError(std::string("Plot::shades: expected float32 or float64, got ") +
                     name(values.dtype()));
  }
  const Tensor dense = values.detach().to(float64).contiguous();
  const std::span<const double> all(dense.data<double>(), static_cast<std::size_t>(dense.numel()));
  if (!std::ranges::all_of(all, [](double v) { return std::isfinite(v); })) {
    throw ValueError("Plot::shades: NaN or Inf");
  }
  const auto [low, high] = std::ranges::minmax(all);
  Regions regions{box, {}, true};
  for (const double v : all) {
    // Halves, for the difference of two large numbers may overflow.
    const double share = high > low ? (v / 2 - low / 2) / (high / 2 - low / 2) : 0;
    regions.classes.push_back(std::min(kBands - 1, static_cast<std::int64_t>(share * kBands)));
  }
  regions_.push_back(std::move(regions));
  return *this;
}

Table Plot::table() const {
  std::vector<std::string> series, label;
  std::vector<double> x, y, error;
  const auto add = [&](const std::string& name, double at, double value) {
    series.push_back(name);
    x.push_back(std::isfinite(at) ? at : NAN);
    y.push_back(std::isfinite(value) ? value : NAN);
    label.emplace_back();
    error.push_back(NAN);
  };
  for (const Series& s : series_) {
    for (std::size_t i = 0; i < s.x.size(); ++i) {
      add(s.name, s.x[i], s.y[i]);
      if (s.kind != Kind::bars) continue;
      label.back() = labels_[i];
      if (!s.errors.empty() && std::isfinite(s.errors[i])) error.back() = s.errors[i];
    }
  }
  for (const auto& [box, classes, grey] : regions_) {
    for (std::int64_t i = 0; i < kAcross * kUp; ++i) {
      add((grey ? "shade " : "region ") + std::to_string(classes[static_cast<std::size_t>(i)]),
          middle(box.left, box.right, i % kAcross, kAcross),
          middle(box.bottom, box.top, i / kAcross, kUp));
    }
  }
  Table all;
  all.add("series", std::move(series)).add("x", std::move(x)).add("y", std::move(y));
  if (!labels_.empty()) all.add("label", std::move(label)).add("error", std::move(error));
  return all;
}

void Plot::save(const std::string& path) const {
  detail::save_drawing("Plot::save", path, svg(), table());
}

}  // namespace xtape::data
