// SPDX-License-Identifier: BSD-3-Clause
#include "plot.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "../autograd/error.hpp"
#include "file.hpp"

namespace xtape::data {
namespace {

// Okabe and Ito's colours, told apart by colour-blind readers too; without the yellow, which does
// not show on white. After the last one they come again, dashed.
constexpr const char* kColours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                    "#e69f00", "#56b4e9", "#000000"};
constexpr const char* kDashes[] = {"", "7 4", "2 3", "9 3 2 3"};
constexpr std::size_t kColourCount = std::size(kColours);
constexpr double kFontSize = 13;
constexpr double kCharacter = 0.62 * kFontSize;  // wider than the mean of usual sans-serif fonts
constexpr double kLineHeight = 20;

// Values beyond this are not drawn: their distances would overflow.
constexpr double kLargest = 1e300;

// Shortest text of a number, whatever the locale.
std::string number(double x) {
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, x);
  return std::string(text, end.ptr);
}

// A coordinate in the picture: hundredths of a pixel.
std::string pixel(double x) { return number(std::round(x * 100) / 100 + 0.0); }

// Characters of UTF-8, to estimate a text's width.
double width_of(const std::string& text) {
  const auto count = std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) >> 6) != 2; });
  return kCharacter * static_cast<double>(count);
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

// False for NaN too.
bool drawn(double value, bool logarithmic) {
  return std::abs(value) <= kLargest && (!logarithmic || value > 0);
}

// Maps values of one axis to 0..1 and knows its ticks.
class Scale {
 public:
  // `whole`: all values are whole numbers, and so are the ticks.
  Scale(Axis axis, double low, double high, bool whole)
      : logarithmic_(axis == Axis::logarithmic), whole_(whole) {
    if (!(low <= high)) {  // nothing to show
      low = logarithmic_ ? 0.1 : 0;
      high = 1;
    }
    low_ = transformed(low);
    high_ = transformed(high);
    if (high_ - low_ <= 1e-12 * std::max(std::abs(low_), std::abs(high_)) || high_ == low_) {
      const double room = logarithmic_ || low_ == 0 ? 0.5 : 0.05 * std::abs(low_);
      low_ -= room;
      high_ += room;
    }
    logarithmic_ ? decades() : steps();
  }

  bool shows(double value) const { return drawn(value, logarithmic_); }
  double operator()(double value) const { return (transformed(value) - low_) / (high_ - low_); }
  void widen(double share) {
    const double room = share * (high_ - low_);
    low_ -= room;
    high_ += room;
  }
  const std::vector<std::pair<double, std::string>>& ticks() const { return ticks_; }

 private:
  double transformed(double value) const { return logarithmic_ ? std::log10(value) : value; }

  // Multiples of 1, 2 or 5 times a power of ten, about six of them.
  void steps() {
    const double raw = (high_ - low_) / 6;
    const int exponent = static_cast<int>(std::floor(std::log10(raw)));
    const double power = std::pow(10.0, exponent);
    const double multiple = raw / power;
    double step = (multiple <= 1 ? 1 : multiple <= 2 ? 2 : multiple <= 5 ? 5 : 10) * power;
    if (whole_) step = std::max(step, 1.0);
    // Counted in steps, so that no error accumulates and a tick at zero is zero.
    const double first = std::ceil(low_ / step - 1e-9), last = std::floor(high_ / step + 1e-9);
    for (double i = first; i <= last; ++i) ticks_.emplace_back(i * step, label(i * step, step));
  }

  // Powers of ten; 2 and 5 times these where there are few, steps where there is less than one.
  void decades() {
    const int first = static_cast<int>(std::floor(low_)), last = static_cast<int>(std::ceil(high_));
    const int every = std::max(1, (last - first + 7) / 8);
    for (int decade = first; decade <= last; ++decade) {
      if ((decade - first) % every != 0) continue;
      for (const int digit : {1, 2, 5}) {
        if (digit != 1 && high_ - low_ > 3) continue;
        const double value = digit * std::pow(10.0, decade);
        const double at = std::log10(value);
        if (at >= low_ - 1e-9 && at <= high_ + 1e-9)
          ticks_.emplace_back(value, label(value, value));
      }
    }
    if (ticks_.size() >= 2) return;
    ticks_.clear();
    const Scale linear(Axis::linear, std::pow(10.0, low_), std::pow(10.0, high_), whole_);
    ticks_ = linear.ticks_;
  }

  // The value with as many digits as its step needs.
  static std::string label(double value, double step) {
    if (value == 0) return "0";
    const int digits = std::max(0, -static_cast<int>(std::floor(std::log10(step) + 1e-9)));
    char text[64];
    const bool plain = std::abs(value) < 1e6 && digits <= 5;
    const int precision =
        plain ? digits
              : std::clamp(static_cast<int>(std::floor(std::log10(std::abs(value)) + 1e-9)) -
                               static_cast<int>(std::floor(std::log10(step) + 1e-9)),
                           0, 15);
    const auto end =
        std::to_chars(text, text + sizeof text, value,
                      plain ? std::chars_format::fixed : std::chars_format::scientific, precision);
    return std::string(text, end.ptr);
  }

  bool logarithmic_, whole_;
  double low_, high_;
  std::vector<std::pair<double, std::string>> ticks_;
};

struct Range {
  bool whole = true;
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  void add(double value, Axis axis) {
    if (!drawn(value, axis == Axis::logarithmic)) return;
    low = std::min(low, value);
    high = std::max(high, value);
    whole &= value == std::floor(value);
  }
};

// The drawing area inside the picture, y pointing down.
struct Area {
  double left, top, width, height;
  double x(double unit) const { return left + unit * width; }
  double y(double unit) const { return top + (1 - unit) * height; }
};

struct Pixel {
  double x, y;
};

// Of the points that share a column of pixels the first, lowest, highest and last are enough: the
// picture is the same, and a million steps make a small file.
std::vector<Pixel> thinned(const std::vector<Pixel>& points) {
  if (points.size() < 4000) return points;
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

class Document {
 public:
  Document(double width, double height) {
    const std::string size = pixel(width) + " " + pixel(height);
    text_ = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + pixel(width) + "\" height=\"" +
            pixel(height) + "\" viewBox=\"0 0 " + size +
            "\" font-family=\"sans-serif\" font-size=\"" + number(kFontSize) +
            "\">\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n";
  }
  void line(Pixel a, Pixel b, const std::string& style) {
    text_ += "<line x1=\"" + pixel(a.x) + "\" y1=\"" + pixel(a.y) + "\" x2=\"" + pixel(b.x) +
             "\" y2=\"" + pixel(b.y) + "\" " + style + "/>\n";
  }
  void label(Pixel at, const std::string& content, const std::string& style) {
    text_ += "<text x=\"" + pixel(at.x) + "\" y=\"" + pixel(at.y) + "\" fill=\"#222222\" " + style +
             ">" + escaped(content) + "</text>\n";
  }
  // Between two gaps; a lone point is a dot.
  void curve(const std::vector<Pixel>& points, std::size_t index) {
    if (points.empty()) return;
    if (points.size() == 1) {
      text_ += "<circle cx=\"" + pixel(points[0].x) + "\" cy=\"" + pixel(points[0].y) +
               "\" r=\"3\" fill=\"" + kColours[index % kColourCount] + "\"/>\n";
      return;
    }
    text_ += "<polyline " + stroke(index) + " points=\"";
    for (const Pixel p : thinned(points)) text_ += pixel(p.x) + "," + pixel(p.y) + " ";
    text_.back() = '"';
    text_ += "/>\n";
  }
  static std::string stroke(std::size_t index) {
    const std::string dash = kDashes[index / kColourCount % std::size(kDashes)];
    return std::string("fill=\"none\" stroke=\"") + kColours[index % kColourCount] +
           "\" stroke-width=\"1.8\" stroke-linejoin=\"round\"" +
           (dash.empty() ? "" : " stroke-dasharray=\"" + dash + "\"");
  }
  std::string finish() && { return std::move(text_) + "</svg>\n"; }

 private:
  std::string text_;
};

void draw_axes(Document& document, const Area& area, const Scale& x, const Scale& y) {
  const std::string grid = "stroke=\"#dddddd\"", frame = "stroke=\"#444444\"";
  // Labels that would run into each other are left out: every second, third, ...
  double widest = 0;
  for (const auto& tick : x.ticks()) widest = std::max(widest, width_of(tick.second));
  const auto count = static_cast<double>(x.ticks().size());
  const auto every = static_cast<std::size_t>(
      std::max(1.0, std::ceil(count * (widest + kCharacter) / area.width)));
  for (std::size_t i = 0; i < x.ticks().size(); ++i) {
    const double at = area.x(x(x.ticks()[i].first));
    document.line({at, area.top}, {at, area.top + area.height}, grid);
    if (i % every != 0) continue;
    document.line({at, area.top + area.height}, {at, area.top + area.height + 5}, frame);
    document.label({at, area.top + area.height + 19}, x.ticks()[i].second,
                   "text-anchor=\"middle\"");
  }
  for (const auto& [value, text] : y.ticks()) {
    const double at = area.y(y(value));
    document.line({area.left, at}, {area.left + area.width, at}, grid);
    document.line({area.left - 5, at}, {area.left, at}, frame);
    document.label({area.left - 8, at + 0.35 * kFontSize}, text, "text-anchor=\"end\"");
  }
  document.line({area.left, area.top}, {area.left, area.top + area.height}, frame);
  document.line({area.left, area.top + area.height},
                {area.left + area.width, area.top + area.height}, frame);
}

}  // namespace

Plot::Plot(PlotOptions options) : options_(std::move(options)) {
  if (options_.width < 200 || options_.height < 200) {
    throw ValueError("Plot: width and height are at least 200, got " +
                     std::to_string(options_.width) + " and " + std::to_string(options_.height));
  }
}

Plot& Plot::line(const std::string& name, std::span<const double> x, std::span<const double> y) {
  if (x.size() != y.size()) {
    throw ShapeError("Plot::line: x and y differ in length, " + std::to_string(x.size()) + " and " +
                     std::to_string(y.size()));
  }
  series_.push_back({name, {x.begin(), x.end()}, {y.begin(), y.end()}});
  return *this;
}

Plot& Plot::line(const std::string& name, std::span<const double> y) {
  std::vector<double> x(y.size());
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<double>(i + 1);
  return line(name, x, y);
}

std::string Plot::svg() const {
  Range x_range, y_range;
  double legend = 0, widest = 0;
  for (const Series& s : series_) {
    for (std::size_t i = 0; i < s.x.size(); ++i) {
      x_range.add(s.x[i], options_.x_axis);
      y_range.add(s.y[i], options_.y_axis);
    }
    if (!s.name.empty()) legend = std::max(legend, 50 + width_of(s.name));
  }
  Scale x(options_.x_axis, x_range.low, x_range.high, x_range.whole);
  Scale y(options_.y_axis, y_range.low, y_range.high, y_range.whole);
  x.widen(0.02);
  y.widen(0.04);

  // Margins as wide as what stands in them, so that nothing is cut.
  for (const auto& tick : y.ticks()) widest = std::max(widest, width_of(tick.second));
  const bool titled = !options_.title.empty(), x_named = !options_.x_label.empty(),
             y_named = !options_.y_label.empty();
  Area area{};
  area.left = widest + 16 + (y_named ? kLineHeight : 0);
  area.top = titled ? 42 : 16;
  area.width = std::max(100.0, options_.width - area.left - 24);
  area.height = std::max(60.0, options_.height - area.top - (x_named ? 52 : 30));
  const double right = area.left + area.width + 24;
  const double centre = area.left + area.width / 2, middle = area.top + area.height / 2;
  const double names = kLineHeight * static_cast<double>(series_.size()) + area.top;
  const double title_width = 1.25 * width_of(options_.title);
  const bool fits = title_width / 2 + 8 < centre;  // else it starts at the left edge
  const double title_end = fits ? centre + title_width / 2 : 8 + title_width;
  Document document(std::max(right + legend, title_end + 8),
                    std::max<double>(options_.height, names + 8));

  draw_axes(document, area, x, y);
  if (titled) {
    document.label({fits ? centre : 8, 26}, options_.title,
                   std::string("font-size=\"16\" font-weight=\"bold\" text-anchor=\"") +
                       (fits ? "middle" : "start") + "\"");
  }
  if (x_named) {
    document.label({centre, area.top + area.height + 42}, options_.x_label,
                   "text-anchor=\"middle\"");
  }
  if (y_named) {
    document.label({16, middle}, options_.y_label,
                   "text-anchor=\"middle\" transform=\"rotate(-90 16 " + pixel(middle) + ")\"");
  }
  for (std::size_t index = 0; index < series_.size(); ++index) {
    const Series& s = series_[index];
    std::vector<Pixel> points;
    for (std::size_t i = 0; i < s.x.size(); ++i) {
      if (x.shows(s.x[i]) && y.shows(s.y[i])) {
        points.push_back({area.x(x(s.x[i])), area.y(y(s.y[i]))});
      } else {
        document.curve(points, index);
        points.clear();
      }
    }
    document.curve(points, index);
    if (s.name.empty()) continue;
    const double at = area.top + kLineHeight * (static_cast<double>(index) + 0.5);
    document.line({right, at}, {right + 24, at}, Document::stroke(index));
    document.label({right + 30, at + 0.35 * kFontSize}, s.name, "text-anchor=\"start\"");
  }
  return std::move(document).finish();
}

void Plot::save(const std::string& path) const {
  const std::string text = svg();
  detail::OutputFile file("Plot::save", path);
  file.write(text.data(), text.size());
  file.commit();
}

}  // namespace xtape::data
