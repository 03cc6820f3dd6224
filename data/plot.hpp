// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <span>
#include <string>
#include <vector>

#include "../autograd/export.hpp"

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

/// A picture of curves over common axes, written as SVG:
/// `Plot({.title = "loss"}).line("train", losses).save("loss.svg")`.
class XTAPE_API Plot {
 public:
  explicit Plot(PlotOptions options = {});

  /// A curve through (x[i], y[i]); a value that is not finite, is beyond 1e300 or, on a
  /// logarithmic axis, not positive leaves a gap. Throws ShapeError where the counts differ.
  Plot& line(const std::string& name, std::span<const double> x, std::span<const double> y);
  /// The same over x = 1, 2, 3, ...
  Plot& line(const std::string& name, std::span<const double> y);

  /// The SVG document; its text is UTF-8.
  std::string svg() const;
  /// Writes it; the file appears whole or not at all. Throws FileError.
  void save(const std::string& path) const;

 private:
  struct Series {
    std::string name;
    std::vector<double> x, y;
  };

  PlotOptions options_;
  std::vector<Series> series_;
};

}  // namespace xtape::data
