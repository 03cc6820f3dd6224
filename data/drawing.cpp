// SPDX-License-Identifier: BSD-3-Clause
#include "drawing.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <utility>

#include "csv.hpp"
#include "file.hpp"

namespace xtape::data::detail {
namespace {

struct Rgb {
  int red, green, blue;
};

// Okabe and Ito's colours, told apart by colour-blind readers too; without the yellow, which does
// not show on white.
constexpr std::array<Rgb, kColours> kRgb{{{0x00, 0x72, 0xb2},
                                          {0xd5, 0x5e, 0x00},
                                          {0x00, 0x9e, 0x73},
                                          {0xcc, 0x79, 0xa7},
                                          {0xe6, 0x9f, 0x00},
                                          {0x56, 0xb4, 0xe9},
                                          {0x00, 0x00, 0x00}}};
constexpr std::array<const char*, kColours> kNames{"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                   "#e69f00", "#56b4e9", "#000000"};

constexpr double kLean = 35, kPi = 3.14159265358979323846;  // of labels, in degrees

}  // namespace

std::string pixel(double x) { return number_text(std::round(x * 100) / 100 + 0.0); }

std::string short_number(double x) {
  char text[64];
  if (std::abs(x) < 1e7 && x == std::floor(x)) return number_text(x + 0.0);
  return {text, std::to_chars(text, text + sizeof text, x, std::chars_format::general, 3).ptr};
}

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;  // XML has no others
    }
  }
  return result;
}

double width_of(const std::string& text) {
  const auto count = std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) >> 6) != 2; });
  return kCharacter * static_cast<double>(count);
}

double widest_of(const std::vector<std::string>& texts) {
  double widest = 0;
  for (const std::string& text : texts) widest = std::max(widest, width_of(text));
  return widest;
}

const char* colour(std::size_t index) { return kNames[index % kColours]; }

std::string tint(std::size_t index, double white) {
  const Rgb c = kRgb[index % kColours];
  const auto mixed = [&](int part) { return white + (1 - white) * part / 255; };
  return rgb(mixed(c.red), mixed(c.green), mixed(c.blue));
}

std::string rgb(double red, double green, double blue) {
  const auto part = [](double share) { return static_cast<int>(std::lround(255 * share)); };
  char text[16];
  std::snprintf(text, sizeof text, "#%02x%02x%02x", part(red) & 255, part(green) & 255,
                part(blue) & 255);
  return text;
}

std::string corners(Pixel centre, double radius, int count, double turn) {
  std::string points;
  for (int i = 0; i < count; ++i) {
    const double angle = 2 * kPi * (i + turn) / count;
    points += pixel(centre.x + radius * std::sin(angle)) + ',' +
              pixel(centre.y - radius * std::cos(angle)) + ' ';
  }
  points.pop_back();
  return points;
}

std::string mark(std::size_t kind, Pixel centre, double radius, const std::string& style) {
  kind %= 4;
  if (kind == 0) {
    return "<circle cx=\"" + pixel(centre.x) + "\" cy=\"" + pixel(centre.y) + "\" r=\"" +
           pixel(radius) + "\" " + style + "/>\n";
  }
  const std::string points = kind == 2
                                 ? corners({centre.x, centre.y + 0.1 * radius}, 1.35 * radius, 3, 0)
                                 : corners(centre, 1.2 * radius, 4, kind == 1 ? 0.5 : 0);
  return "<polygon points=\"" + points + "\" " + style + "/>\n";
}

Drawing::Drawing(double width, double height) {
  const std::string w = pixel(width), h = pixel(height);
  text_ = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + w + "\" height=\"" + h +
          "\" viewBox=\"0 0 " + w + " " + h + "\" font-family=\"sans-serif\" font-size=\"" +
          number_text(kFontSize) + "\">\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n";
}

void Drawing::line(Pixel a, Pixel b, const std::string& style) {
  text_ += "<line x1=\"" + pixel(a.x) + "\" y1=\"" + pixel(a.y) + "\" x2=\"" + pixel(b.x) +
           "\" y2=\"" + pixel(b.y) + "\" " + style + "/>\n";
}

void Drawing::rectangle(Pixel corner, double width, double height, const std::string& style) {
  text_ += "<rect x=\"" + pixel(corner.x) + "\" y=\"" + pixel(corner.y) + "\" width=\"" +
           pixel(width) + "\" height=\"" + pixel(height) + "\" " + style + "/>\n";
}

void Drawing::text(Pixel at, const std::string& content, const char* anchor,
                   const std::string& style) {
  text_ += "<text x=\"" + pixel(at.x) + "\" y=\"" + pixel(at.y) + "\" text-anchor=\"" + anchor +
           "\"" + (style.find("fill=") == std::string::npos ? " fill=\"#222222\"" : "") +
           (style.empty() ? "" : " ") + style + ">" + escaped(content) + "</text>\n";
}

void Drawing::leaning_text(Pixel at, const std::string& content) {
  text(at, content, "end",
       "transform=\"rotate(-" + number_text(kLean) + " " + pixel(at.x) + " " + pixel(at.y) + ")\"");
}

void Drawing::title(Pixel at, const std::string& content, const char* anchor) {
  text(at, content, anchor, "font-size=\"16\" font-weight=\"bold\"");
}

std::string Drawing::finish() && { return std::move(text_) + "</svg>\n"; }

double leaning_height(double width) { return width * std::sin(kLean * kPi / 180) + kLineHeight; }
double leaning_width(double width) { return width * std::cos(kLean * kPi / 180); }

void save_drawing(const char* operation, const std::string& path, const std::string& svg,
                  const Table& values) {
  OutputFile file(operation, path);
  file.write(svg.data(), svg.size());
  file.commit();
  write_csv((path.ends_with(".svg") ? path.substr(0, path.size() - 4) : path) + ".csv", values);
}

}  // namespace xtape::data::detail
