// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <tuple>
#include <vector>

#include "common.hpp"

// One page of HTML with text and pictures inside it, so that the file can be sent alone.
namespace example {
namespace detail {

inline std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    out += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
  }
  return out;
}

inline std::string base64(const std::string& bytes) {
  const char* const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned three = 0;
    for (std::size_t k = i; k < i + 3; ++k) {
      three = three << 8 | (k < bytes.size() ? static_cast<unsigned char>(bytes[k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out += i + k > bytes.size() ? '=' : digits[(three >> (18 - 6 * k)) & 63U];
    }
  }
  return out;
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes(std::istreambuf_iterator<char>(file), {});
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return bytes;
}

inline std::string figure(const std::filesystem::path& path) {
  const std::string name = escaped(path.filename().string()), bytes = read_file(path);
  const std::string picture =
      path.extension() == ".svg"
          ? bytes
          : "<img alt=\"" + name + "\" src=\"data:image/png;base64," + base64(bytes) + "\">";
  return "<figure>" + picture + "<figcaption>" + name + "</figcaption></figure>\n";
}

}  // namespace detail

class Page {
 public:
  Page(const std::string& title, const std::string& introduction)
      : title_(detail::escaped(title)), introduction_(detail::escaped(introduction)) {}

  /// A part with its heading, what it is about, what a program printed, and the SVG and PNG of a
  /// folder as they were written, the curve of the loss last and only where it has points.
  void add(const std::string& name, const std::string& about, const std::string& printed,
           bool failed, const std::filesystem::path& folder) {
    const std::string heading = detail::escaped(name);
    links_ += "<a href=\"#" + heading + "\">" + heading + "</a>\n";
    parts_ += "<h2 id=\"" + heading + "\">" + heading + "</h2>\n<p>" + detail::escaped(about) +
              "</p>\n<pre" + (failed ? " class=\"failed\">" : ">") + detail::escaped(printed) +
              "</pre>\n";
    std::vector<std::filesystem::path> pictures;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      const std::string ending = entry.path().extension().string();
      if (ending == ".svg" || ending == ".png") pictures.push_back(entry.path());
    }
    std::ranges::sort(pictures, {}, [](const std::filesystem::path& p) {
      return std::tuple(p.stem() == "loss", std::filesystem::last_write_time(p), p);
    });
    for (const auto& picture : pictures) {
      if (picture.stem() == "loss" && is_empty(folder / "loss.csv")) continue;
      parts_ += detail::figure(picture);
    }
  }

  void save(const std::string& path) const {
    auto file = detail::open_to_write(path);
    file << R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>)"
         << title_ << R"(</title><style>
body { font: 16px/1.5 sans-serif; color: #222; max-width: 1000px; margin: 2em auto; padding: 0 1em }
nav a { margin-right: 1em; white-space: nowrap } svg, img { max-width: 100%; height: auto }
figure { display: inline-block; margin: 0 1em 1em 0; vertical-align: top; max-width: 100% }
figcaption { color: #666; font-size: 14px }
pre { background: #f4f4f4; padding: .6em; max-height: 20em; overflow: auto } .failed { background: #fdd }
</style></head><body>
<h1>)" << title_
         << "</h1>\n<p>" << introduction_ << "</p>\n<nav>\n"
         << links_ << "</nav>\n"
         << parts_ << "</body></html>\n";
    detail::close(file, path);
  }

 private:
  // A table of nothing but its heading.
  static bool is_empty(const std::filesystem::path& csv) {
    return std::ranges::count(detail::read_file(csv), '\n') < 2;
  }

  std::string title_, introduction_, links_, parts_;
};

}  // namespace example
