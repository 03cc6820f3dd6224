// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// What the writers of pictures share: texts, colours, marks, the SVG document; not part of the
// public interface.

#include <cstddef>
#include <string>
#include <vector>

#include "number_text.hpp"
#include "table.hpp"

namespace xtape::data::detail {

inline constexpr double kFontSize = 13;
inline constexpr double kCharacter = 0.62 * kFontSize;  // wider than usual sans-serif fonts' mean
inline constexpr double kLineHeight = 20;

struct Pixel {
  double x, y;
};

/// A coordinate in the picture: hundredths of a pixel.
std::string pixel(double x);
/// Three digits; a whole number below ten millions has all of its own.
std::string short_number(double x);
/// As text of XML.
std::string escaped(const std::string& text);
/// Estimated, in pixels; texts are UTF-8.
double width_of(const std::string& text);
double widest_of(const std::vector<std::string>& texts);

/// Colours to tell things apart; after so many they come again.
inline constexpr std::size_t kColours = 7;
const char* colour(std::size_t index);
/// The same, mixed with so much white.
std::string tint(std::size_t index, double white);
/// "#rrggbb" of shares 0..1.
std::string rgb(double red, double green, double blue);

/// Points "x,y x,y ..." on a circle; the first is `turn` of a side after the top.
std::string corners(Pixel centre, double radius, int count, double turn);
/// A circle, square, triangle or diamond of about one area, as an SVG element.
std::string mark(std::size_t kind, Pixel centre, double radius, const std::string& style);

/// An SVG document that grows element by element.
class Drawing {
 public:
  Drawing(double width, double height);

  void line(Pixel a, Pixel b, const std::string& style);
  void rectangle(Pixel corner, double width, double height, const std::string& style);
  /// `anchor`: start, middle or end; further attributes in `style`.
  void text(Pixel at, const std::string& content, const char* anchor,
            const std::string& style = "");
  /// A label under an axis that leans to the left, ending at `at`.
  void leaning_text(Pixel at, const std::string& content);
  void title(Pixel at, const std::string& content, const char* anchor);
  /// Any element, as it stands in the file.
  void add(const std::string& element) { text_ += element; }
  std::string finish() &&;

 private:
  std::string text_;
};

/// Room that leaning labels of this width take below an axis, and to the left of their places.
double leaning_height(double width);
double leaning_width(double width);

/// Writes the document to `path` and its data beside it, "loss.svg" and "loss.csv"; each appears
/// whole or not at all. Throws FileError.
void save_drawing(const char* operation, const std::string& path, const std::string& svg,
                  const Table& values);

}  // namespace xtape::data::detail
