// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "../autograd/export.hpp"
#include "../autograd/tensor.hpp"

namespace xtape::data {

struct CellMapOptions {
  std::string title{};
  std::string value_label{};  ///< what the shades stand for
  bool hexagonal = false;     ///< cells have six sides; odd rows are moved by half a cell
  int cell = 48;              ///< width of a cell in pixels, 16 at least
};

/// A picture of the units of a map, written as SVG: a shade for each one's value, dark where large,
/// and on it marks for what falls there:
/// `CellMap(map.distance_map()).marks("accepted", map.hit_map(x)).save("map.svg")`.
class XTAPE_API CellMap {
 public:
  /// Values [rows, columns]. Throws ShapeError; ValueError on NaN and Inf.
  explicit CellMap(const Tensor& values, CellMapOptions options = {});

  /// A mark in each cell whose count [rows, columns] is above 0, its area as the count. Four kinds
  /// at most (ValueError), beside each other in a cell. Throws ShapeError; ValueError on counts
  /// that are negative or not finite.
  CellMap& marks(const std::string& name, const Tensor& counts);

  /// The SVG document; its text is UTF-8.
  std::string svg() const;
  /// Writes it; the file appears whole or not at all. Throws FileError.
  void save(const std::string& path) const;

 private:
  struct Layout;
  struct Marks {
    std::string name;
    std::vector<double> counts;
  };

  Layout layout() const;
  std::string cells(const Layout& at) const;
  std::string legend(const Layout& at) const;

  CellMapOptions options_;
  std::int64_t rows_, columns_;
  std::vector<double> values_;
  std::vector<Marks> marks_;
};

}  // namespace xtape::data
