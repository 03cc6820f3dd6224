// SPDX-License-Identifier: BSD-3-Clause
// Draws what `compare.py --scaling` has written: for each series the time of a step and the memory
// of its process, all axes logarithmic.

#include <xtape/xtape.hpp>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

namespace data = xtape::data;

namespace {

struct Curve {
  std::string name;
  std::vector<double> sizes{}, milliseconds{}, mib{};
};

struct Series {
  std::string name, title, parameter;
  std::vector<Curve> curves{};
};

// The element of this name, added at the end where there is none.
template <class T>
T& named(std::vector<T>& all, T otherwise) {
  const auto found = std::ranges::find(all, otherwise.name, &T::name);
  return found != all.end() ? *found : all.emplace_back(std::move(otherwise));
}

std::vector<Series> series_of(const data::Table& rows) {
  std::vector<Series> all;
  for (std::size_t i = 0; i < static_cast<std::size_t>(rows.rows()); ++i) {
    const std::string &workload = rows.texts("workload")[i], &program = rows.texts("program")[i],
                      &parameter = rows.texts("parameter")[i];
    const bool over_threads = parameter == "threads";
    const int threads = static_cast<int>(rows.numbers("threads")[i]);
    const std::string title = over_threads ? "threads" : workload + ", " + parameter;
    const std::string what =
        over_threads ? workload : std::to_string(threads) + (threads == 1 ? " thread" : " threads");
    Series& series = named(all, Series{rows.texts("series")[i], title, parameter});
    Curve& curve = named(series.curves, Curve{program + ", " + what});
    curve.sizes.push_back(rows.numbers("value")[i]);
    curve.milliseconds.push_back(rows.numbers("milliseconds")[i]);
    curve.mib.push_back(rows.numbers("mib")[i]);
  }
  return all;
}

std::string plot(const Series& series, const char* what, std::vector<double> Curve::*values) {
  data::Plot plot({.title = series.title,
                   .x_label = series.parameter,
                   .y_label = what,
                   .x_axis = data::Axis::logarithmic,
                   .y_axis = data::Axis::logarithmic,
                   .width = 520,
                   .height = 340});
  for (const Curve& curve : series.curves) plot.line(curve.name, curve.sizes, curve.*values);
  return plot.svg();
}

// Of the picture as a whole, e.g. its width.
double attribute(const std::string& svg, const std::string& name) {
  const std::string begin = " " + name + "=\"";
  return std::stod(svg.substr(svg.find(begin) + begin.size()));
}

// Rows of pictures, one SVG document around them.
std::string page(const std::vector<std::vector<std::string>>& rows) {
  std::string inside;
  double width = 0, height = 0;
  for (const auto& row : rows) {
    double x = 0, highest = 0;
    for (const std::string& svg : row) {
      inside += "<g transform=\"translate(" + std::to_string(x) + " " + std::to_string(height) +
                ")\">\n" + svg + "</g>\n";
      x += attribute(svg, "width") + 16;
      highest = std::max(highest, attribute(svg, "height"));
    }
    width = std::max(width, x);
    height += highest + 8;
  }
  const std::string w = std::to_string(width), h = std::to_string(height);
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + w + "\" height=\"" + h +
         "\" viewBox=\"0 0 " + w + " " + h + "\">\n<rect width=\"100%\" height=\"100%\" " +
         "fill=\"#ffffff\"/>\n" + inside + "</svg>\n";
}

void draw(const char* from, const char* to) {
  std::vector<std::vector<std::string>> rows;
  for (const Series& series : series_of(data::read_csv(from))) {
    rows.push_back({plot(series, "milliseconds per step", &Curve::milliseconds),
                    plot(series, "MiB at most", &Curve::mib)});
  }
  std::ofstream file(to, std::ios::binary);
  file << page(rows);
  file.close();
  if (!file) throw xtape::FileError(std::string("draw_scaling: cannot write ") + to);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s scaling.csv scaling.svg\n", argv[0]);
    return 2;
  }
  try {
    draw(argv[1], argv[2]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
