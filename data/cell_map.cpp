// SPDX-License-Identifier: BSD-3-Clause
#include "cell_map.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <utility>

#include "../autograd/error.hpp"
#include "file.hpp"

namespace xtape::data {
namespace {

// Of Okabe and Ito's, which colour-blind readers tell apart; they stand on shades of grey.
constexpr std::array kColours{"#d55e00", "#009e73", "#0072b2", "#e69f00"};
constexpr double kFontSize = 13, kCharacter = 0.62 * kFontSize, kLine = 22,
                 kRowHeight = 0.866025403784;
constexpr double kHexagon = 1.154700538379;  // height of a hexagon by its width, 2 / sqrt(3)

std::vector<double> numbers(const char* who, const Tensor& x) {
  const Tensor dense = x.detach().to(float64).contiguous();
  std::vector<double> all(dense.data<double>(), dense.data<double>() + dense.numel());
  for (const double v : all) {
    if (!std::isfinite(v)) throw ValueError(std::string(who) + ": NaN or Inf");
  }
  return all;
}

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    result += c == '&'                               ? "&amp;"
              : c == '<'                             ? "&lt;"
              : c == '>'                             ? "&gt;"
              : static_cast<unsigned char>(c) < 0x20 ? " "
                                                     : std::string(1, c);
  }
  return result;
}

double width_of(const std::string& text) { return kCharacter * static_cast<double>(text.size()); }

std::string pixel(double x) {
  char text[32];
  const double rounded = std::round(x * 100) / 100 + 0.0;
  return {text, std::to_chars(text, text + sizeof text, rounded).ptr};
}

std::string short_number(double x) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, x, std::chars_format::general, 3).ptr};
}

// share 0: nearly white; 1: nearly black.
std::string shade(double share) {
  const int grey = static_cast<int>(std::lround(245 - 205 * share));
  char text[8];
  std::snprintf(text, sizeof text, "#%02x%02x%02x", grey, grey, grey);
  return text;
}

std::string label(double x, double y, const std::string& text, const std::string& anchor) {
  return "<text x=\"" + pixel(x) + "\" y=\"" + pixel(y) + "\" text-anchor=\"" + anchor + "\">" +
         escaped(text) + "</text>\n";
}

// Points x,y x,y ... on a circle, the first at the top.
std::string corners(double x, double y, double radius, int count, double turn) {
  std::string points;
  for (int i = 0; i < count; ++i) {
    const double angle = 2 * 3.14159265358979323846 * (i + turn) / count;
    points += pixel(x + radius * std::sin(angle)) + ',' + pixel(y - radius * std::cos(angle)) + ' ';
  }
  points.pop_back();
  return points;
}

// Circle, square, triangle, diamond of about one area.
std::string mark(std::size_t kind, double x, double y, double radius) {
  const std::string look = std::string(" fill=\"") + kColours[kind] +
                           "\" stroke=\"#ffffff\" stroke-width=\"1.2\" class=\"mark\"/>\n";
  if (kind == 0) {
    return "<circle cx=\"" + pixel(x) + "\" cy=\"" + pixel(y) + "\" r=\"" + pixel(radius) + "\"" +
           look;
  }
  const std::string points = kind == 2 ? corners(x, y + 0.1 * radius, 1.35 * radius, 3, 0)
                                       : corners(x, y, 1.2 * radius, 4, kind == 1 ? 0.5 : 0);
  return "<polygon points=\"" + points + "\"" + look;
}

}  // namespace

CellMap::CellMap(const Tensor& values, CellMapOptions options) : options_(std::move(options)) {
  if (!values.defined() || values.dim() != 2 || values.numel() == 0) {
    throw ShapeError("CellMap: expected values [rows, columns], got " +
                     (values.defined() ? to_string(values.sizes()) : "undefined"));
  }
  if (options_.cell < 16) {
    throw ValueError("CellMap: a cell is at least 16 wide, got " + std::to_string(options_.cell));
  }
  rows_ = values.size(0);
  columns_ = values.size(1);
  values_ = numbers("CellMap", values);
}

CellMap& CellMap::marks(const std::string& name, const Tensor& counts) {
  if (!counts.defined() || counts.shape() != Shape{rows_, columns_}) {
    throw ShapeError("CellMap::marks: expected counts [" + std::to_string(rows_) + ", " +
                     std::to_string(columns_) + "], got " +
                     (counts.defined() ? to_string(counts.sizes()) : "undefined"));
  }
  if (marks_.size() == kColours.size()) throw ValueError("CellMap::marks: more than four kinds");
  Marks added{name, numbers("CellMap::marks", counts)};
  if (std::ranges::any_of(added.counts, [](double c) { return c < 0; })) {
    throw ValueError("CellMap::marks: negative counts");
  }
  marks_.push_back(std::move(added));
  return *this;
}

// Margins as wide as what stands in them, so that nothing is cut. In pixels.
struct CellMap::Layout {
  double left, top, step, bottom, bar, kinds_top, width, height;
  double low, high, most;  // of the values and of the counts
};

CellMap::Layout CellMap::layout() const {
  const bool hexagonal = options_.hexagonal;
  const double cell = options_.cell;
  Layout at{};
  at.left = 20 + width_of(std::to_string(rows_ - 1));
  at.top = options_.title.empty() ? 16 : 48;
  at.step = cell * (hexagonal ? kRowHeight : 1);
  at.bottom = at.top + at.step * static_cast<double>(rows_ - 1) + cell * (hexagonal ? kHexagon : 1);
  at.bar = at.left + cell * (static_cast<double>(columns_) + (hexagonal ? 0.5 : 0)) + 24;
  at.kinds_top = at.top + 150;
  double legend_width = std::max(width_of(options_.value_label), 90.0);
  for (const Marks& m : marks_) {
    at.most = std::max(at.most, *std::ranges::max_element(m.counts));
    legend_width = std::max(legend_width, 24 + width_of(m.name));
  }
  at.width = 16 + std::max(at.bar + legend_width, at.left + 1.3 * width_of(options_.title));
  at.height = std::max(at.bottom + 34, at.kinds_top + kLine * static_cast<double>(marks_.size()));
  const auto [low, high] = std::ranges::minmax(values_);
  at.low = low;
  at.high = high;
  return at;
}

std::string CellMap::cells(const Layout& at) const {
  const double cell = options_.cell;
  // One kind in the middle, two beside each other, more in two rows.
  const std::size_t kinds = marks_.size(), across = kinds > 1 ? 2 : 1, down = kinds > 2 ? 2 : 1;
  const double room = 0.42 * cell, largest = (kinds > 1 ? 0.19 : 0.26) * cell;
  const auto place = [&](std::size_t k, std::size_t of) {
    return room * (static_cast<double>(k) - static_cast<double>(of - 1) / 2);
  };
  std::string out;
  for (std::int64_t u = 0; u < rows_ * columns_; ++u) {
    const auto i = static_cast<std::size_t>(u);
    const std::int64_t row = u / columns_, column = u % columns_;
    const double shift = options_.hexagonal && row % 2 ? cell / 2 : 0;
    const double x = at.left + cell * (static_cast<double>(column) + 0.5) + shift;
    const double y = at.top + at.step * static_cast<double>(row) +
                     cell / 2 * (options_.hexagonal ? kHexagon : 1);
    const double share = at.high > at.low ? (values_[i] - at.low) / (at.high - at.low) : 0;
    const std::string points = options_.hexagonal ? corners(x, y, cell * kHexagon / 2, 6, 0)
                                                  : corners(x, y, cell / std::sqrt(2.0), 4, 0.5);
    out += "<polygon points=\"" + points + "\" fill=\"" + shade(share) +
           "\" stroke=\"#ffffff\" stroke-width=\"1\" class=\"cell\"/>\n";
    for (std::size_t k = 0; k < marks_.size(); ++k) {
      const double count = marks_[k].counts[i];
      if (!(count > 0)) continue;
      const double radius = std::max(2.5, largest * std::sqrt(count / at.most));
      out += mark(k, x + place(k % across, across), y + place(k / across, down), radius);
    }
    if (column == 0) {
      out += label(at.left - 8, y + 0.35 * kFontSize, std::to_string(row), "end");
    }
    if (row == 0) {
      out += label(x, at.bottom + 20, std::to_string(column), "middle");
    }
  }
  return out;
}

std::string CellMap::legend(const Layout& at) const {
  std::string out = label(at.bar, at.top + 12, options_.value_label, "start");
  for (int i = 0; i < 5; ++i) {
    const double y = at.top + 22 + 20 * i, value = at.high + (at.low - at.high) * i / 4;
    out += "<rect x=\"" + pixel(at.bar) + "\" y=\"" + pixel(y) +
           "\" width=\"18\" height=\"20\" fill=\"" + shade(1 - i / 4.) +
           "\" stroke=\"#888888\" stroke-width=\"0.5\"/>\n" +
           label(at.bar + 26, y + 15, short_number(value), "start");
  }
  for (std::size_t k = 0; k < marks_.size(); ++k) {
    const double y = at.kinds_top + kLine * static_cast<double>(k);
    out += mark(k, at.bar + 9, y, 7) +
           label(at.bar + 24, y + 0.35 * kFontSize, marks_[k].name, "start");
  }
  return out;
}

std::string CellMap::svg() const {
  const Layout at = layout();
  const std::string width = pixel(at.width), height = pixel(at.height);
  std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + width + "\" height=\"" +
                    height + "\" viewBox=\"0 0 " + width + " " + height +
                    "\" font-family=\"sans-serif\" font-size=\"13\">\n"
                    "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n";
  if (!options_.title.empty()) {
    out += label(at.left, 28, options_.title, "start\" font-size=\"16\" font-weight=\"bold");
  }
  return out + cells(at) + legend(at) + "</svg>\n";
}

void CellMap::save(const std::string& path) const {
  const std::string text = svg();
  detail::OutputFile file("CellMap::save", path);
  file.write(text.data(), text.size());
  file.commit();
}

}  // namespace xtape::data
