// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <xtape/xtape.hpp>

#include "values.hpp"

// What a run leaves in its folder: metrics.json, metrics.csv and loss.svg.
namespace example::detail {

inline std::string make_folder(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!std::filesystem::is_directory(path)) {
    throw std::runtime_error("cannot make the folder " + path.string() +
                             (error ? ": " + error.message() : ""));
  }
  return path.string();
}

inline std::ofstream open_to_write(const std::string& path) {
  std::ofstream file(path);
  if (!file) throw std::runtime_error("cannot write " + path);
  return file;
}

inline void close(std::ofstream& file, const std::string& path) {
  file.close();
  if (!file) throw std::runtime_error("cannot write " + path);
}

/// A flat object of JSON.
class Json {
 public:
  /// Adds a key, or replaces its value.
  void set(const std::string& key, double value) { put(key, number(value)); }
  void set(const std::string& key, const std::string& value) { put(key, quoted(value)); }
  void put(const std::string& key, std::string json) {
    for (auto& [name, value] : values_) {
      if (name == key) return void(value = std::move(json));
    }
    values_.emplace_back(key, std::move(json));
  }
  void write(const std::string& path) const {
    auto file = open_to_write(path);
    const char* before = "{\n  ";
    for (const auto& [key, value] : values_) {
      file << before << quoted(key) << ": " << value;
      before = ",\n  ";
    }
    file << "\n}\n";
    close(file, path);
  }

 private:
  static std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
      if (c == '"' || c == '\\') {
        out += {'\\', c};
      } else if (static_cast<unsigned char>(c) < 0x20) {
        char code[8];
        std::snprintf(code, sizeof code, "\\u%04x", static_cast<unsigned>(c));
        out += code;
      } else {
        out += c;
      }
    }
    return out + '"';
  }

  std::vector<std::pair<std::string, std::string>> values_;
};

/// What was measured: a row for each pass, written to metrics.csv at once, and the training loss
/// within the passes.
class History {
 public:
  /// Without a folder nothing is written.
  explicit History(const std::filesystem::path& folder) : path_((folder / "metrics.csv").string()) {
    if (!folder.empty()) table_ = open_to_write(path_);
  }

  const std::vector<Values>& rows() const { return rows_; }
  Values last() const { return rows_.empty() ? Values() : rows_.back(); }

  /// The row of a pass; the first of its values is the pass.
  void add(const Values& row) {
    rows_.push_back(row);
    write(row, rows_.size() == 1);
  }

  /// A step's loss. Points of the curve are means over so many steps.
  void add_loss(double epoch, double loss, std::int64_t steps_per_point) {
    curve_sum_ += loss;
    if (++curve_count_ < steps_per_point) return;
    curve_x_.push_back(epoch);
    curve_y_.push_back(curve_sum_ / static_cast<double>(curve_count_));
    curve_sum_ = 0;
    curve_count_ = 0;
  }

  /// Draws the training loss and every other ..._loss of the rows over the epochs.
  void draw(const std::string& title, const std::string& path) const {
    struct Line {
      std::string name;
      std::vector<double> x, y;
    };
    std::vector<Line> lines{{"train", curve_x_, curve_y_}};
    for (std::size_t i = 0; !rows_.empty() && i < rows_[0].size(); ++i) {
      const std::string& name = rows_[0][i].first;
      if (!name.ends_with("_loss") || name == "train_loss") continue;
      lines.push_back({name.substr(0, name.size() - 5), {}, {}});
      for (const Values& row : rows_) {
        lines.back().x.push_back(row[0].second);
        lines.back().y.push_back(row[i].second);
      }
    }
    const bool positive = std::all_of(lines.begin(), lines.end(), [](const Line& l) {
      return std::all_of(l.y.begin(), l.y.end(), [](double y) { return y > 0; });
    });
    using xtape::data::Axis;
    xtape::data::Plot plot({.title = title,
                            .x_label = "epoch",
                            .y_label = "loss",
                            .y_axis = positive ? Axis::logarithmic : Axis::linear});
    for (const Line& l : lines) plot.line(l.name, l.x, l.y);
    plot.save(path);
  }

  void close() { detail::close(table_, path_); }

  /// All of it as named numbers for a checkpoint, and back from there.
  Values state() const {
    Values all{{"curve_sum", curve_sum_}, {"curve_count", static_cast<double>(curve_count_)}};
    for (std::size_t i = 0; i < curve_x_.size(); ++i) {
      all.emplace_back("curve.x." + std::to_string(i), curve_x_[i]);
      all.emplace_back("curve.y." + std::to_string(i), curve_y_[i]);
    }
    for (const Values& row : rows_) {
      const std::string epoch = "epoch." + number(row[0].second) + ".";
      for (const auto& [key, value] : row) all.emplace_back(epoch + key, value);
    }
    return all;
  }
  void restore(const Values& state) {
    curve_sum_ = find(state, "curve_sum");
    curve_count_ = static_cast<std::int64_t>(find(state, "curve_count"));
    for (const auto& [name, value] : state) {
      if (name.starts_with("curve.x.")) curve_x_.push_back(value);
      if (name.starts_with("curve.y.")) curve_y_.push_back(value);
      if (!name.starts_with("epoch.")) continue;
      const std::string key = name.substr(name.find('.', 6) + 1);
      if (key == "epoch") rows_.emplace_back();
      rows_.back().emplace_back(key, value);
    }
    for (std::size_t i = 0; i < rows_.size(); ++i) write(rows_[i], i == 0);
  }

 private:
  void write(const Values& row, bool first) {
    for (int part = first ? 0 : 1; part < 2; ++part) {
      for (std::size_t i = 0; i < row.size(); ++i) {
        table_ << (i ? "," : "") << (part ? number(row[i].second) : row[i].first);
      }
      table_ << '\n';
    }
    table_.flush();
  }

  std::string path_;
  std::ofstream table_;
  std::vector<Values> rows_;
  std::vector<double> curve_x_, curve_y_;
  double curve_sum_ = 0;
  std::int64_t curve_count_ = 0;
};

}  // namespace example::detail
