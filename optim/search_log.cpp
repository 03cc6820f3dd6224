// SPDX-License-Identifier: BSD-3-Clause
#include "search_log.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <string_view>

#include "../autograd/error.hpp"
#include "../data/file.hpp"
#include "../data/number_text.hpp"
#include "folds.hpp"

namespace xtape::optim::detail {

using data::detail::number_text;
namespace {

constexpr std::uint64_t kLargestFile = std::uint64_t{1} << 30;
constexpr std::string_view kAnyVersion = "xtape search ", kVersion = "xtape search 3\t";

// FNV-1a: against accidents, not against forgers.
class Checksum {
 public:
  void add(std::string_view text) {
    for (const char c : text) value_ = (value_ ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  void add_number(std::int64_t n) { add(std::to_string(n) + ","); }
  std::string text() const {
    char out[17];
    return {out, std::to_chars(out, out + sizeof out, value_, 16).ptr};
  }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325;
};

std::string with_checksum(const std::string& line) {
  Checksum sum;
  sum.add(line);
  return line + "\t" + sum.text() + "\n";
}

// Whether the line ends with its checksum; that is left out then.
bool take_checksum(std::string_view& line) {
  const std::size_t end = line.rfind('\t');
  if (end == line.npos ||
      with_checksum(std::string(line.substr(0, end))) != std::string(line) + "\n") {
    return false;
  }
  line = line.substr(0, end);
  return true;
}

std::vector<std::string_view> parts_of(std::string_view text, char mark) {
  std::vector<std::string_view> parts;
  for (std::size_t end; (end = text.find(mark)) != text.npos; text.remove_prefix(end + 1)) {
    parts.push_back(text.substr(0, end));
  }
  parts.push_back(text);
  return parts;
}

template <class T>
bool parse(std::string_view text, T& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

// "nt": a letter for each parameter, number or text.
std::string kinds_of(const Point& point) {
  std::string kinds;
  for (const auto& setting : point.settings) kinds += setting.second.is_text() ? 't' : 'n';
  return kinds;
}

// In what the first lines of two searches, without their checksums, differ.
std::string difference(std::string_view there, std::string_view here, const Point& first) {
  const auto old = parts_of(there, '\t'), now = parts_of(here, '\t');
  for (std::size_t i = 1; i + 2 < std::min(old.size(), now.size()); ++i) {
    if (old[i] != now[i]) return std::string(old[i]) + ", not " + std::string(now[i]);
  }
  const std::string_view before = old.back(), kinds = now.back();
  for (std::size_t i = 0; before.size() == kinds.size() && i < kinds.size(); ++i) {
    if (before[i] == kinds[i]) continue;
    const std::string& name = first.settings[i].first;
    return "parameter '" + name + "' was a " + (before[i] == 't' ? "text" : "number") +
           " there, is a " + (kinds[i] == 't' ? "text" : "number") + " here";
  }
  return "other parameters, values or folds";
}

std::string line_of(std::size_t point, const std::vector<FoldStatistics>& figures) {
  std::string line = std::to_string(point);
  for (const FoldStatistics& f : figures) {
    if (f.name.find_first_of("\t\n") != f.name.npos) {
      throw ValueError("search: a metric's name holds a tab or the end of a line");
    }
    line += "\t" + f.name;
    for (const double x : f.folds) line += "\t" + number_text(x);
  }
  return with_checksum(line);
}

}  // namespace

SearchLog::SearchLog(std::span<const Point> points, std::int64_t samples,
                     std::span<const Fold> folds, const SearchOptions& options)
    : path_(options.results), folds_(folds.size()), rows_(points.size()) {
  if (path_.empty()) return;
  Checksum sum;
  for (const Point& point : points) {
    for (const auto& [name, value] : point.settings) {
      // Lengths, so that no two lists read the same.
      for (const std::string& text : {name, value.to_string()}) {
        sum.add_number(static_cast<std::int64_t>(text.size()));
        sum.add(text);
      }
    }
  }
  for (const Fold& fold : folds) {
    for (const auto* side : {&fold.train, &fold.test}) {
      sum.add_number(static_cast<std::int64_t>(side->size()));
      for (const std::int64_t i : *side) sum.add_number(i);
    }
  }
  first_line_ = with_checksum(
      std::string(kVersion) + std::to_string(points.size()) + " points\t" +
      std::to_string(samples) + " samples\t" + std::to_string(folds.size()) + " folds\tseed " +
      std::to_string(options.seed) + "\t" + sum.text() + "\t" + kinds_of(points[0]));
  struct stat status;
  if (::stat(path_.c_str(), &status) == 0 || errno != ENOENT) read(points[0]);
}

void SearchLog::read(const Point& first) {
  data::detail::InputFile file("search", path_);
  if (file.size() > kLargestFile) file.fail("too large for the results of a search");
  std::string text(static_cast<std::size_t>(file.size()), '\0');
  file.read(text.data(), text.size());
  if (!text.starts_with(kAnyVersion)) file.fail("not the results of a search");
  if (!text.starts_with(kVersion)) {
    file.fail("the results of another version's search; name another file");
  }
  std::vector<std::string_view> lines = parts_of(text, '\n');
  const auto damaged = [&](std::size_t n) {
    file.fail("line " + std::to_string(n + 1) + " is damaged");
  };
  if (!text.starts_with(first_line_)) {
    if (lines.size() == 1 || !take_checksum(lines[0])) damaged(0);
    std::string_view own(first_line_.data(), first_line_.size() - 1);
    take_checksum(own);
    file.fail("the results of another search: " + difference(lines[0], own, first));
  }
  for (std::size_t n = 1; n < lines.size(); ++n) {
    if (n + 1 == lines.size() && lines[n].empty()) break;
    if (n + 1 == lines.size() || !take_checksum(lines[n])) damaged(n);
    const auto parts = parts_of(lines[n], '\t');
    std::size_t point = 0;
    if (parts.size() % (folds_ + 1) != 1 || !parse(parts[0], point) || point >= rows_.size() ||
        rows_[point]) {
      damaged(n);
    }
    std::vector<FoldStatistics>& figures = rows_[point].emplace();
    for (std::size_t i = 1; i < parts.size(); i += folds_ + 1) {
      std::vector<double> values(folds_);
      for (std::size_t f = 0; f < folds_; ++f) {
        if (!parse(parts[i + 1 + f], values[f])) damaged(n);
      }
      figures.push_back(fold_statistics(std::string(parts[i]), std::move(values)));
    }
  }
}

void SearchLog::add(std::size_t point, std::vector<FoldStatistics> figures) {
  if (!path_.empty()) {
    std::string text = first_line_;
    for (std::size_t p = 0; p < rows_.size(); ++p) {
      if (p == point)
        text += line_of(p, figures);
      else if (rows_[p])
        text += line_of(p, *rows_[p]);
    }
    data::detail::OutputFile file("search", path_);
    file.write(text.data(), text.size());
    file.commit();
  }
  rows_[point] = std::move(figures);
}

}  // namespace xtape::optim::detail
