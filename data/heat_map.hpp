// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "../autograd/export.hpp"
#include "../autograd/tensor.hpp"
#include "table.hpp"

namespace xtape::data {
namespace detail {
class Drawing;
}

/// `grey`: dark where large. `diverging`: blue below 0, white at 0, red above.
enum class Shades : std::uint8_t { grey, diverging };

struct HeatMapOptions {
  std::string title{};
  std::string x_label{};
  std::string y_label{};
  std::string value_label{};                ///< what the shades stand for
  std::vector<std::string> row_names{};     ///< else numbers from 0
  std::vector<std::string> column_names{};  ///< else numbers from 0
  bool write_values = false;                ///< in each cell
  Shades shades = Shades::grey;
  bool hexagonal = false;  ///< cells have six sides; odd rows are moved by half a cell
  int cell = 48;           ///< width of a cell in pixels, 4 at least; wider where its value is
};

/// A picture of a matrix or of the units of a map, written as SVG: a shade for each value, and on
/// it marks for what falls there: `HeatMap(confusion.value(), {.row_names = names, .write_values =
/// true}).save("confusion.svg")`, `HeatMap(map.distance_map()).marks("accepted",
/// map.hit_map(x)).save("map.svg")`.
class XTAPE_API HeatMap {
 public:
  /// Values [rows, columns]. Throws ShapeError, also on another number of names; ValueError on NaN
  /// and Inf.
  explicit HeatMap(const Tensor& values, HeatMapOptions options = {});

  /// A mark in each cell whose count [rows, columns] is above 0, its area as the count. Four kinds
  /// at most, beside each other in a cell. Throws ShapeError; ValueError on a fifth kind, on a
  /// name that is there, on counts that are negative or not finite.
  HeatMap& marks(const std::string& name, const Tensor& counts);

  /// The SVG document; its text is UTF-8.
  std::string svg() const;
  /// What it shows: row, column, value and a column for each kind of marks.
  Table table() const;
  /// Writes the picture and beside it the table: "map.svg" and "map.csv". Each file appears whole
  /// or not at all. Throws FileError.
  void save(const std::string& path) const;

 private:
  struct Layout;
  struct Marks {
    std::string name;
    std::vector<double> counts;
  };

  Layout layout() const;
  void paint_cells(detail::Drawing& drawing, const Layout& at) const;
  void paint_names(detail::Drawing& drawing, const Layout& at) const;
  void paint_legend(detail::Drawing& drawing, const Layout& at) const;

  HeatMapOptions options_;
  std::int64_t rows_, columns_;
  std::vector<double> values_;
  std::vector<Marks> marks_;
};

}  // namespace xtape::data
