// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <array>
#include <cmath>

#include "axis_scale.hpp"
#include "drawing.hpp"
#include "plot.hpp"

namespace xtape::data {
namespace {

using detail::AxisScale;
using detail::Drawing;
using detail::kFontSize;
using detail::kLineHeight;
using detail::Pixel;
using detail::pixel;
using detail::Range;
using detail::width_of;

constexpr std::size_t kMany = 4000;  // points beyond which some are left out
constexpr double kBars = 0.8;        // share of a label's room that its bars take

// Lines in colours that come again are dashed.
std::string stroke(std::size_t look) {
  constexpr std::array<const char*, 4> dashes{"", "7 4", "2 3", "9 3 2 3"};
  const std::string dash = dashes[look / detail::kColours % dashes.size()];
  return std::string("fill=\"none\" stroke=\"") + detail::colour(look) +
         "\" stroke-width=\"1.8\" stroke-linejoin=\"round\"" +
         (dash.empty() ? "" : " stroke-dasharray=\"" + dash + "\"");
}

std::string fill(std::size_t look) {
  return std::string("fill=\"") + detail::colour(look) + "\" stroke=\"#ffffff\" " +
         "stroke-width=\"0.8\"";
}

// Of the points that share a column of pixels the first, lowest, highest and last are enough: the
// picture is the same, and a million steps make a small file.
std::vector<Pixel> thinned(const std::vector<Pixel>& points) {
  if (points.size() < kMany) return points;
  std::vector<Pixel> result;
  for (std::size_t begin = 0; begin < points.size();) {
    std::size_t end = begin, low = begin, high = begin;
    for (; end < points.size() && std::floor(points[end].x) == std::floor(points[begin].x); ++end) {
      if (points[end].y < points[low].y) low = end;
      if (points[end].y > points[high].y) high = end;
    }
    std::size_t kept[] = {begin, std::min(low, high), std::max(low, high), end - 1};
    for (const std::size_t* k = kept; k != std::unique(kept, kept + 4); ++k) {
      result.push_back(points[*k]);
    }
    begin = end;
  }
  return result;
}

// One mark is enough for each pixel.
std::vector<Pixel> one_per_pixel(std::vector<Pixel> points) {
  if (points.size() < kMany) return points;
  for (Pixel& p : points) p = {std::round(p.x), std::round(p.y)};
  const auto key = [](const Pixel& p) { return std::pair(p.x, p.y); };
  std::ranges::sort(points, {}, key);
  const auto rest = std::ranges::unique(points, {}, key);
  points.erase(rest.begin(), rest.end());
  return points;
}

}  // namespace

/// Margins as wide as what stands in them, so that nothing is cut; then element by element.
class Plot::Painter {
 public:
  explicit Painter(const Plot& plot)
      : plot_(plot), x_range_(x_range(plot)), y_range_(y_range(plot)), x_(x_range_), y_(y_range_) {
    for (const Series& s : plot.series_) {
      if (!s.name.empty()) legend_.push_back(&s);
      if (s.kind == Kind::bars) bars_.push_back(&s);
    }
    const bool bars = !bars_.empty(), regions = !plot.regions_.empty();
    const double aside = bars || regions ? 0 : 0.02, above = regions ? 0 : 0.04;
    const bool stand = bars && (y_range_.low == 0 || y_range_.axis == Axis::logarithmic);
    x_.widen(aside, aside);
    y_.widen(stand ? 0 : above, above);
    for (const auto& [value, text] : y_.ticks()) widest_ = std::max(widest_, width_of(text));
    place_area();
  }

  std::string paint() && {
    const PlotOptions& o = plot_.options_;
    const double centre = left_ + width_ / 2, title_width = 1.25 * width_of(o.title);
    const bool fits = title_width / 2 + 8 < centre;  // else it starts at the left edge
    const double title_end = fits ? centre + title_width / 2 : 8 + title_width;
    const double names = kLineHeight * static_cast<double>(legend_.size()) + top_;
    Drawing drawing(std::max(left_ + width_ + 24 + legend_width(), title_end + 8),
                    std::max(top_ + height_ + below_, names + 8));
    for (const Regions& regions : plot_.regions_) paint_regions(drawing, regions);
    paint_axes(drawing);
    if (!o.title.empty())
      drawing.title({fits ? centre : 8, 26}, o.title, fits ? "middle" : "start");
    if (!o.x_label.empty()) {
      drawing.text({centre, top_ + height_ + below_ - 10}, o.x_label, "middle");
    }
    if (!o.y_label.empty()) {
      const double half = top_ + height_ / 2;
      drawing.text({16, half}, o.y_label, "middle",
                   "transform=\"rotate(-90 16 " + pixel(half) + ")\"");
    }
    for (const Series& s : plot_.series_) {
      if (s.kind == Kind::line) paint_line(drawing, s);
      if (s.kind == Kind::points) paint_points(drawing, s);
      if (s.kind == Kind::bars) paint_bars(drawing, s);
    }
    paint_legend(drawing);
    return std::move(drawing).finish();
  }

 private:
  static Range x_range(const Plot& plot) {
    Range range{plot.options_.x_axis};
    for (const Series& s : plot.series_) {
      for (const double x : s.x) range.add(x);
      if (s.kind != Kind::bars) continue;
      range.add(0.5);
      range.add(static_cast<double>(plot.labels_.size()) + 0.5);
    }
    for (const Regions& r : plot.regions_) {
      range.add(r.box.left);
      range.add(r.box.right);
    }
    return range;
  }
  static Range y_range(const Plot& plot) {
    Range range{plot.options_.y_axis};
    for (const Series& s : plot.series_) {
      for (const double y : s.y) range.add(y);
      for (std::size_t i = 0; i < s.errors.size(); ++i) {
        range.add(s.y[i] - s.errors[i]);
        range.add(s.y[i] + s.errors[i]);
      }
      if (s.kind == Kind::bars) range.add(0);
    }
    for (const Regions& r : plot.regions_) {
      range.add(r.box.bottom);
      range.add(r.box.top);
    }
    return range;
  }

  void place_area() {
    const PlotOptions& o = plot_.options_;
    const double labels = detail::widest_of(plot_.labels_);
    left_ = widest_ + 16 + (o.y_label.empty() ? 0 : kLineHeight);
    width_ = std::max(100.0, o.width - left_ - 24);
    below_ = o.x_label.empty() ? 30 : 52;
    lean_ = labels + 8 > slot();
    if (lean_) {
      left_ = std::max(left_, detail::leaning_width(labels) - slot() / 2 + 8);
      width_ = std::max(100.0, o.width - left_ - 24);
      below_ += detail::leaning_height(labels) - kLineHeight / 2;
    }
    top_ = o.title.empty() ? 16 : 42;
    height_ = std::max(lean_ ? 120.0 : 60.0, o.height - top_ - below_);
  }
  // Room of a label of bars.
  double slot() const { return width_ / std::max(1.0, static_cast<double>(plot_.labels_.size())); }
  double legend_width() const {
    double widest = 0;
    for (const Series* s : legend_) widest = std::max(widest, 50 + width_of(s->name));
    return widest;
  }

  Pixel at(double x, double y) const {
    return {left_ + x_(x) * width_, top_ + (1 - y_(y)) * height_};
  }

  void paint_axes(Drawing& drawing) const {
    const std::string grid = "stroke=\"#dddddd\"", frame = "stroke=\"#444444\"";
    const double bottom = top_ + height_, right = left_ + width_;
    const auto& ticks = x_.ticks();
    double widest = 0;
    for (const auto& tick : ticks) widest = std::max(widest, width_of(tick.second));
    // Labels that would run into each other are left out: every second, third, ...
    const auto every =
        static_cast<std::size_t>(std::max(1.0, std::ceil(static_cast<double>(ticks.size()) *
                                                         (widest + detail::kCharacter) / width_)));
    for (std::size_t i = 0; i < ticks.size() && plot_.labels_.empty(); ++i) {
      const double x = left_ + x_(ticks[i].first) * width_;
      drawing.line({x, top_}, {x, bottom}, grid);
      if (i % every != 0) continue;
      drawing.line({x, bottom}, {x, bottom + 5}, frame);
      drawing.text({x, bottom + 19}, ticks[i].second, "middle");
    }
    for (std::size_t i = 0; i < plot_.labels_.size(); ++i) {
      const double x = left_ + x_(static_cast<double>(i + 1)) * width_;
      if (lean_) {
        drawing.leaning_text({x + 4, bottom + 14}, plot_.labels_[i]);
      } else {
        drawing.text({x, bottom + 19}, plot_.labels_[i], "middle");
      }
    }
    for (const auto& [value, text] : y_.ticks()) {
      const double y = top_ + (1 - y_(value)) * height_;
      drawing.line({left_, y}, {right, y}, grid);
      drawing.line({left_ - 5, y}, {left_, y}, frame);
      drawing.text({left_ - 8, y + 0.35 * kFontSize}, text, "end");
    }
    drawing.line({left_, top_}, {left_, bottom}, frame);
    drawing.line({left_, bottom}, {right, bottom}, frame);
  }

  // Cells beside each other that have one class are one rectangle.
  void paint_regions(Drawing& drawing, const Regions& regions) const {
    const Box& box = regions.box;
    const auto edge = [](double low, double high, std::int64_t i, std::int64_t of) {
      return low + (high - low) * static_cast<double>(i) / static_cast<double>(of);
    };
    drawing.add("<g shape-rendering=\"crispEdges\" class=\"regions\">\n");
    for (std::int64_t row = 0; row < kUp; ++row) {
      const double low = edge(box.bottom, box.top, row, kUp);
      const double high = edge(box.bottom, box.top, row + 1, kUp);
      for (std::int64_t begin = 0, end = 0; begin < kAcross; begin = end) {
        const auto at_cell = [&](std::int64_t i) {
          return regions.classes[static_cast<std::size_t>(row * kAcross + i)];
        };
        while (end < kAcross && at_cell(end) == at_cell(begin)) ++end;
        const double x = edge(box.left, box.right, begin, kAcross);
        if (!x_.shows(x) || !y_.shows(low)) continue;
        const Pixel a = at(x, high), b = at(edge(box.left, box.right, end, kAcross), low);
        const double grey = 1 - 0.6 * static_cast<double>(at_cell(begin)) / (kBands - 1);
        const std::string colour =
            regions.grey ? detail::rgb(grey, grey, grey)
                         : detail::tint(static_cast<std::size_t>(at_cell(begin)), 0.7);
        drawing.rectangle(a, b.x - a.x, b.y - a.y, "fill=\"" + colour + "\"");
      }
    }
    drawing.add("</g>\n");
  }

  void paint_line(Drawing& drawing, const Series& s) const {
    std::vector<Pixel> points;
    const auto end_curve = [&] {  // between two gaps; a lone point is a dot
      if (points.size() == 1) {
        drawing.add(
            detail::mark(0, points[0], 3, std::string("fill=\"") + detail::colour(s.look) + "\""));
      } else if (!points.empty()) {
        std::string element = "<polyline " + stroke(s.look) + " points=\"";
        for (const Pixel p : thinned(points)) element += pixel(p.x) + "," + pixel(p.y) + " ";
        element.back() = '"';
        drawing.add(element + "/>\n");
      }
      points.clear();
    };
    for (std::size_t i = 0; i < s.x.size(); ++i) {
      if (x_.shows(s.x[i]) && y_.shows(s.y[i])) {
        points.push_back(at(s.x[i], s.y[i]));
      } else {
        end_curve();
      }
    }
    end_curve();
  }

  void paint_points(Drawing& drawing, const Series& s) const {
    std::vector<Pixel> points;
    for (std::size_t i = 0; i < s.x.size(); ++i) {
      if (x_.shows(s.x[i]) && y_.shows(s.y[i])) points.push_back(at(s.x[i], s.y[i]));
    }
    drawing.add("<g " + fill(s.look) + " class=\"points\">\n");
    for (const Pixel p : one_per_pixel(std::move(points))) {
      drawing.add(detail::mark(s.look, p, 3.5, ""));
    }
    drawing.add("</g>\n");
  }

  void paint_bars(Drawing& drawing, const Series& s) const {
    const auto kinds = static_cast<double>(bars_.size());
    const auto kind = static_cast<double>(std::ranges::find(bars_, &s) - bars_.begin());
    const double width = kBars / kinds, bottom = top_ + height_;
    const double zero = y_.shows(0) ? top_ + (1 - y_(0)) * height_ : bottom;
    for (std::size_t i = 0; i < s.x.size(); ++i) {
      if (!y_.shows(s.y[i])) continue;
      const double x = s.x[i] - kBars / 2 + width * kind;
      const Pixel a = at(x, s.y[i]), b = at(x + width, s.y[i]);
      drawing.rectangle({a.x, std::min(a.y, zero)}, b.x - a.x, std::abs(a.y - zero),
                        fill(s.look) + " class=\"bar\"");
      if (s.errors.empty() || !std::isfinite(s.errors[i])) continue;
      const double centre = (a.x + b.x) / 2, cap = std::min(5.0, (b.x - a.x) / 4);
      const double high = end_of_error(s.y[i] + s.errors[i], a.y),
                   low = end_of_error(s.y[i] - s.errors[i], bottom);
      const std::string style = "stroke=\"#222222\" stroke-width=\"1.4\" class=\"error\"";
      drawing.line({centre, high}, {centre, low}, style);
      for (const double y : {high, low}) drawing.line({centre - cap, y}, {centre + cap, y}, style);
    }
    drawing.line({left_, zero}, {left_ + width_, zero}, "stroke=\"#444444\"");
  }
  double end_of_error(double value, double otherwise) const {
    return y_.shows(value) ? top_ + (1 - y_(value)) * height_ : otherwise;
  }

  void paint_legend(Drawing& drawing) const {
    const double x = left_ + width_ + 24;
    for (std::size_t i = 0; i < legend_.size(); ++i) {
      const Series& s = *legend_[i];
      const double y = top_ + kLineHeight * (static_cast<double>(i) + 0.5);
      if (s.kind == Kind::line) {
        drawing.line({x, y}, {x + 24, y}, stroke(s.look));
      } else if (s.kind == Kind::points) {
        drawing.add(detail::mark(s.look, {x + 12, y}, 4.5, fill(s.look)));
      } else {
        drawing.rectangle({x + 5, y - 7}, 14, 14, fill(s.look));
      }
      drawing.text({x + 30, y + 0.35 * kFontSize}, s.name, "start");
    }
  }

  const Plot& plot_;
  Range x_range_, y_range_;
  AxisScale x_, y_;
  std::vector<const Series*> legend_{}, bars_{};
  bool lean_ = false;  // the labels of bars
  double widest_ = 0;
  double left_ = 0, top_ = 0, width_ = 0, height_ = 0, below_ = 0;  // the drawing area, its margin
};

std::string Plot::svg() const { return Painter(*this).paint(); }

}  // namespace xtape::data
