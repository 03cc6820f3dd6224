// SPDX-License-Identifier: BSD-3-Clause
#include "heat_map.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "../autograd/error.hpp"
#include "drawing.hpp"

namespace xtape::data {
namespace {

using detail::Drawing;
using detail::kFontSize;
using detail::pixel;
using detail::width_of;

// Of detail::colour: those that stand out on shades of grey.
constexpr std::array<std::size_t, 4> kMarkColours{1, 2, 0, 4};
constexpr double kMarkLine = 22, kRowHeight = 0.866025403784;
constexpr double kHexagon = 1.154700538379;  // height of a hexagon by its width, 2 / sqrt(3)

std::string shape_of(const Tensor& x) { return x.defined() ? to_string(x.sizes()) : "undefined"; }

std::vector<double> numbers(const char* who, const Tensor& x) {
  const Tensor dense = x.detach().to(float64).contiguous();
  std::vector<double> all(dense.data<double>(), dense.data<double>() + dense.numel());
  for (const double v : all) {
    if (!std::isfinite(v)) throw ValueError(std::string(who) + ": NaN or Inf");
  }
  return all;
}

// A share from 0 to 1 as a shade, and whether it is dark.
struct Shade {
  std::string colour;
  bool dark;
};

Shade shade(Shades kind, double share) {
  if (kind == Shades::grey) {
    const double grey = (245 - 205 * share) / 255;
    return {detail::rgb(grey, grey, grey), share > 0.5};
  }
  const double away = std::abs(2 * share - 1);
  const auto mixed = [&](double end) { return 1 - away * (1 - end); };
  return {share < 0.5 ? detail::rgb(mixed(0.13), mixed(0.40), mixed(0.67))
                      : detail::rgb(mixed(0.70), mixed(0.09), mixed(0.17)),
          away > 0.6};
}

std::string mark(std::size_t kind, detail::Pixel at, double radius) {
  return detail::mark(kind, at, radius,
                      std::string("fill=\"") + detail::colour(kMarkColours[kind]) +
                          "\" stroke=\"#ffffff\" stroke-width=\"1.2\" class=\"mark\"");
}

std::vector<std::string> names_or_numbers(const std::vector<std::string>& names,
                                          std::int64_t count) {
  if (!names.empty()) return names;
  std::vector<std::string> result;
  for (std::int64_t i = 0; i < count; ++i) result.push_back(std::to_string(i));
  return result;
}

}  // namespace

HeatMap::HeatMap(const Tensor& values, HeatMapOptions options) : options_(std::move(options)) {
  if (!values.defined() || values.dim() != 2 || values.numel() == 0) {
    throw ShapeError("HeatMap: expected values [rows, columns], got " + shape_of(values));
  }
  if (options_.cell < 4) {
    throw ValueError("HeatMap: a cell is at least 4 wide, got " + std::to_string(options_.cell));
  }
  rows_ = values.size(0);
  columns_ = values.size(1);
  const auto check = [](const char* what, const std::vector<std::string>& names, std::int64_t n) {
    if (names.empty() || std::ssize(names) == n) return;
    throw ShapeError("HeatMap: " + std::to_string(names.size()) + " names for " +
                     std::to_string(n) + " " + what);
  };
  check("rows", options_.row_names, rows_);
  check("columns", options_.column_names, columns_);
  values_ = numbers("HeatMap", values);
}

HeatMap& HeatMap::marks(const std::string& name, const Tensor& counts) {
  if (!counts.defined() || counts.shape() != Shape{rows_, columns_}) {
    throw ShapeError("HeatMap::marks: expected counts [" + std::to_string(rows_) + ", " +
                     std::to_string(columns_) + "], got " + shape_of(counts));
  }
  if (marks_.size() == kMarkColours.size()) {
    throw ValueError("HeatMap::marks: more than four kinds");
  }
  if (std::ranges::any_of(marks_, [&](const Marks& m) { return m.name == name; })) {
    throw ValueError("HeatMap::marks: '" + name + "' is there");
  }
  Marks added{name, numbers("HeatMap::marks", counts)};
  if (std::ranges::any_of(added.counts, [](double c) { return c < 0; })) {
    throw ValueError("HeatMap::marks: negative counts");
  }
  marks_.push_back(std::move(added));
  return *this;
}

// Margins as wide as what stands in them, so that nothing is cut. In pixels.
struct HeatMap::Layout {
  double cell, left, top, step, right, bottom, beneath, bar, kinds_top, width, height;
  double low, high, most;  // of the values and of the counts
  bool lean;               // names of columns
  std::vector<std::string> row_names, column_names;
};

HeatMap::Layout HeatMap::layout() const {
  const bool hexagonal = options_.hexagonal;
  Layout at{};
  at.row_names = names_or_numbers(options_.row_names, rows_);
  at.column_names = names_or_numbers(options_.column_names, columns_);
  at.cell = options_.cell;
  if (options_.write_values) {
    for (const double v : values_) {
      at.cell = std::max(at.cell, width_of(detail::short_number(v)) + 8);
    }
  }
  at.step = at.cell * (hexagonal ? kRowHeight : 1);
  const double across = at.cell * (static_cast<double>(columns_) + (hexagonal ? 0.5 : 0));
  const double down =
      at.step * static_cast<double>(rows_ - 1) + at.cell * (hexagonal ? kHexagon : 1);
  const double names = detail::widest_of(at.column_names);
  const double x_label = width_of(options_.x_label), y_label = width_of(options_.y_label);
  at.lean = !options_.column_names.empty() && names + 6 > at.cell;
  at.left = std::max(20 + detail::widest_of(at.row_names) + (y_label > 0 ? 22 : 0),
                     8 + (x_label - across) / 2);
  if (at.lean) at.left = std::max(at.left, detail::leaning_width(names) - at.cell / 2 + 8);
  at.top = std::max(options_.title.empty() ? 16.0 : 48.0, 8 + (y_label - down) / 2);
  at.right = at.left + across;
  at.bottom = at.top + down;
  at.beneath = at.bottom + (at.lean ? detail::leaning_height(names) : 20);
  at.bar = std::max(at.right + 24, at.left + (across + x_label) / 2 + 16);
  at.kinds_top = at.top + 150;
  double legend_width = std::max(width_of(options_.value_label), 90.0);
  for (const Marks& m : marks_) {
    at.most = std::max(at.most, *std::ranges::max_element(m.counts));
    legend_width = std::max(legend_width, 24 + width_of(m.name));
  }
  at.width = 16 + std::max(at.bar + legend_width, at.left + 1.3 * width_of(options_.title));
  at.height = std::max({at.beneath + 14 + (x_label > 0 ? 22 : 0), at.top + 130,
                        at.top + (down + y_label) / 2 + 8,
                        at.kinds_top + kMarkLine * static_cast<double>(marks_.size()) - 12});
  const auto [low, high] = std::ranges::minmax(values_);
  at.low = low;
  at.high = high;
  if (options_.shades == Shades::diverging) {
    at.high = std::max(std::abs(low), std::abs(high));
    at.low = -at.high;
  }
  return at;
}

void HeatMap::paint_cells(Drawing& drawing, const Layout& at) const {
  // One kind in the middle, two beside each other, more in two rows.
  const std::size_t kinds = marks_.size(), across = kinds > 1 ? 2 : 1, down = kinds > 2 ? 2 : 1;
  const double room = 0.42 * at.cell, largest = (kinds > 1 ? 0.19 : 0.26) * at.cell;
  const auto place = [&](std::size_t k, std::size_t of) {
    return room * (static_cast<double>(k) - static_cast<double>(of - 1) / 2);
  };
  const std::string edge = at.cell >= 12 ? "\" stroke=\"#ffffff\" stroke-width=\"1\" class=\"cell\""
                                         : "\" shape-rendering=\"crispEdges\" class=\"cell\"";
  for (std::int64_t u = 0; u < rows_ * columns_; ++u) {
    const auto i = static_cast<std::size_t>(u);
    const std::int64_t row = u / columns_, column = u % columns_;
    const double shift = options_.hexagonal && row % 2 ? at.cell / 2 : 0;
    const double x = at.left + at.cell * (static_cast<double>(column) + 0.5) + shift;
    const double y = at.top + at.step * static_cast<double>(row) +
                     at.cell / 2 * (options_.hexagonal ? kHexagon : 1);
    const double share = at.high > at.low ? (values_[i] - at.low) / (at.high - at.low)
                         : options_.shades == Shades::grey ? 0
                                                           : 0.5;
    const Shade cell = shade(options_.shades, share);
    const std::string points = options_.hexagonal
                                   ? detail::corners({x, y}, at.cell * kHexagon / 2, 6, 0)
                                   : detail::corners({x, y}, at.cell / std::sqrt(2.0), 4, 0.5);
    drawing.add("<polygon points=\"" + points + "\" fill=\"" + cell.colour + edge + "/>\n");
    if (options_.write_values) {
      drawing.text({x, y + 0.35 * kFontSize}, detail::short_number(values_[i]), "middle",
                   cell.dark ? "fill=\"#ffffff\"" : "");
    }
    for (std::size_t k = 0; k < marks_.size(); ++k) {
      const double count = marks_[k].counts[i];
      if (!(count > 0)) continue;
      const double radius = std::max(2.5, largest * std::sqrt(count / at.most));
      drawing.add(mark(k, {x + place(k % across, across), y + place(k / across, down)}, radius));
    }
  }
}

// Names that would run into each other are left out: every second, third, ...
void HeatMap::paint_names(Drawing& drawing, const Layout& at) const {
  const double centre = (at.left + at.right) / 2, middle = (at.top + at.bottom) / 2;
  const auto every = [](double room, double step) {
    return std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(room / step)));
  };
  const std::int64_t each_row = every(kFontSize + 2, at.step);
  for (std::int64_t i = 0; i < rows_; i += each_row) {
    const double y = at.top + at.step * static_cast<double>(i) +
                     at.cell / 2 * (options_.hexagonal ? kHexagon : 1);
    drawing.text({at.left - 8, y + 0.35 * kFontSize}, at.row_names[static_cast<std::size_t>(i)],
                 "end");
  }
  const double room = at.lean ? 1.5 * kFontSize : detail::widest_of(at.column_names) + 4;
  const std::int64_t each_column = every(room, at.cell);
  for (std::int64_t i = 0; i < columns_; i += each_column) {
    const double x = at.left + at.cell * (static_cast<double>(i) + 0.5);
    const std::string& name = at.column_names[static_cast<std::size_t>(i)];
    if (at.lean) {
      drawing.leaning_text({x + 4, at.bottom + 14}, name);
    } else {
      drawing.text({x, at.bottom + 20}, name, "middle");
    }
  }
  if (!options_.x_label.empty()) {
    drawing.text({centre, at.beneath + 22}, options_.x_label, "middle");
  }
  if (!options_.y_label.empty()) {
    drawing.text({16, middle}, options_.y_label, "middle",
                 "transform=\"rotate(-90 16 " + pixel(middle) + ")\"");
  }
}

void HeatMap::paint_legend(Drawing& drawing, const Layout& at) const {
  drawing.text({at.bar, at.top + 12}, options_.value_label, "start");
  for (int i = 0; i < 5; ++i) {
    const double y = at.top + 22 + 20 * i, value = at.high + (at.low - at.high) * i / 4;
    drawing.rectangle({at.bar, y}, 18, 20,
                      "fill=\"" + shade(options_.shades, 1 - i / 4.).colour +
                          "\" stroke=\"#888888\" stroke-width=\"0.5\"");
    drawing.text({at.bar + 26, y + 15}, detail::short_number(value), "start");
  }
  for (std::size_t k = 0; k < marks_.size(); ++k) {
    const double y = at.kinds_top + kMarkLine * static_cast<double>(k);
    drawing.add(mark(k, {at.bar + 9, y}, 7));
    drawing.text({at.bar + 24, y + 0.35 * kFontSize}, marks_[k].name, "start");
  }
}

std::string HeatMap::svg() const {
  const Layout at = layout();
  Drawing drawing(at.width, at.height);
  if (!options_.title.empty()) drawing.title({at.left, 28}, options_.title, "start");
  paint_cells(drawing, at);
  paint_names(drawing, at);
  paint_legend(drawing, at);
  return std::move(drawing).finish();
}

Table HeatMap::table() const {
  std::vector<std::string> rows, columns;
  const auto row_names = names_or_numbers(options_.row_names, rows_),
             column_names = names_or_numbers(options_.column_names, columns_);
  for (const std::string& row : row_names) {
    for (const std::string& column : column_names) {
      rows.push_back(row);
      columns.push_back(column);
    }
  }
  Table all;
  all.add("row", std::move(rows)).add("column", std::move(columns)).add("value", values_);
  for (const Marks& m : marks_) all.add(m.name, m.counts);
  return all;
}

void HeatMap::save(const std::string& path) const {
  detail::save_drawing("HeatMap::save", path, svg(), table());
}

}  // namespace xtape::data
