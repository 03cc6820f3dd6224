// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "../autograd/export.hpp"
#include "../autograd/tensor.hpp"
#include "table.hpp"

namespace xtape::data {

enum class Axis { linear, logarithmic };

/// What stands around the curves.
struct PlotOptions {
  std::string title{};
  std::string x_label{};
  std::string y_label{};
  Axis x_axis = Axis::linear;
  Axis y_axis = Axis::linear;
  int width = 640;   ///< of the drawing area with its axes, in pixels; a legend comes on top
  int height = 400;  ///< 200 at least, both
};

/// A part of the plane.
struct Box {
  double left, right, bottom, top;
};

/// A picture of curves, points, bars and regions over common axes, written as SVG:
/// `Plot({.title = "loss"}).line("train", losses).save("loss.svg")`. What has a name is in the
/// legend. A value that is not finite, is beyond 1e300 or, on a logarithmic axis, not positive is
/// not drawn. Throws ShapeError where counts differ.
class XTAPE_API Plot {
 public:
  explicit Plot(PlotOptions options = {});

  /// A curve through (x[i], y[i]), with gaps where these cannot be drawn.
  Plot& line(const std::string& name, std::span<const double> x, std::span<const double> y);
  /// The same over x = 1, 2, 3, ...
  Plot& line(const std::string& name, std::span<const double> y);

  /// A mark at each (x[i], y[i]).
  Plot& scatter(const std::string& name, std::span<const double> x, std::span<const double> y);
  /// A mark at each row of `points` [n, 2], its colour and shape those of its class, an integer
  /// from 0 (`classes` [n]), named `names[class]` or by its number. Throws DTypeError; ValueError
  /// on a class that is negative or has no name.
  Plot& scatter(const Tensor& points, const Tensor& classes,
                const std::vector<std::string>& names = {});

  /// A bar for each label, from 0 (on a logarithmic axis: from the bottom) to its height, with a
  /// bar of +-errors[i] where `errors` are given. Bars of further calls stand beside the first; bar
  /// i stands at x = i + 1. Throws ValueError on labels other than the first call's, on negative
  /// errors and on a logarithmic x axis.
  Plot& bars(const std::string& name, const std::vector<std::string>& labels,
             std::span<const double> heights, std::span<const double> errors = {});

  /// What a classifier says of each place, beneath all else in the colours of `scatter`.
  /// `classify` gets points, float32 [n, 2], and answers with integers from 0, [n], e.g.
  /// `[&](const Tensor& x) { return argmax(net(x), 1); }`. Throws DTypeError, ShapeError;
  /// ValueError on a negative class and an empty box.
  template <class Classify>
  Plot& regions(Classify&& classify, const Box& box) {
    return add_regions(box, classify(region_points(box)));
  }
  /// The same around the points so far. Throws ValueError where there are none.
  template <class Classify>
  Plot& regions(Classify&& classify) {
    return regions(std::forward<Classify>(classify), around_points());
  }

  /// The values of a function, e.g. a cost, as bands of grey beneath all else, dark where large.
  /// `function` gets points, float32 [n, 2], and answers with floating numbers [n]; bands are of
  /// equal height, between lines of equal value. Throws as above; ValueError on NaN and Inf.
  template <class Function>
  Plot& shades(Function&& function, const Box& box) {
    return add_shades(box, function(region_points(box)));
  }

  /// The SVG document; its text is UTF-8.
  std::string svg() const;
  /// What it shows: series, x, y, and where there are bars label and error; the series of a region
  /// is "region 0", ..., of a band of grey "shade 0", ... Missing is what is not finite.
  Table table() const;
  /// Writes the picture and beside it the table: "loss.svg" and "loss.csv". Each file appears whole
  /// or not at all. Throws FileError.
  void save(const std::string& path) const;

 private:
  class Painter;
  enum class Kind : std::uint8_t { line, points, bars };
  struct Series {
    Kind kind;
    std::string name;
    std::size_t look;  // of colours, dashes and marks
    std::vector<double> x, y, errors{};
  };
  static constexpr std::int64_t kAcross = 150, kUp = 100;  // cells of regions
  static constexpr std::int64_t kBands = 14;               // of grey
  struct Regions {
    Box box{};
    std::vector<std::int64_t> classes{};  // row by row from the bottom
    bool grey = false;                    // bands of a function's values
  };

  Plot& add(Kind kind, const char* operation, const std::string& name, std::span<const double> x,
            std::span<const double> y);
  Box around_points() const;
  static Tensor region_points(const Box& box);
  Plot& add_regions(const Box& box, const Tensor& classes);
  Plot& add_shades(const Box& box, const Tensor& values);

  PlotOptions options_;
  std::vector<Series> series_;
  std::vector<std::string> labels_;  // of bars
  std::vector<Regions> regions_;
};

}  // namespace xtape::data
