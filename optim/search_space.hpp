// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "../autograd/export.hpp"

// What hyper-parameters may be, and the combinations of them that a search tries.
namespace xtape::optim {

/// What a parameter may be: a number or a text. The number 1 and the text "1" are not the same.
class XTAPE_API Setting {
 public:
  template <class T>
  requires std::integral<T> || std::floating_point<T> Setting(T number)
      : number_(static_cast<double>(number)) {}
  Setting(const char* text) : Setting(std::string(text)) {}
  Setting(std::string text) : text_(std::move(text)), is_text_(true) {}

  bool is_text() const noexcept { return is_text_; }
  double number() const noexcept { return number_; }  ///< 0 for a text
  const std::string& text() const noexcept { return text_; }
  /// The text, or the number in as many digits as tell it apart.
  std::string to_string() const;
  bool operator==(const Setting&) const = default;

 private:
  double number_ = 0;
  std::string text_{};
  bool is_text_ = false;
};

/// The numbers between two ends, both included: what `random_search` draws from.
class XTAPE_API Range {
 public:
  /// All alike likely. Throws ValueError unless low < high, both finite.
  static Range uniform(double low, double high);
  /// Their logarithms alike likely, so that each power of ten is drawn as often: for rates and
  /// penalties. Throws ValueError unless 0 < low < high, both finite.
  static Range log_uniform(double low, double high);
  /// Whole numbers, all alike likely. Throws ValueError unless low <= high, both within 2^53.
  static Range integers(std::int64_t low, std::int64_t high);

  bool is_whole() const noexcept { return kind_ == Kind::integers; }
  double low() const noexcept { return low_; }
  double high() const noexcept { return high_; }
  /// One of its numbers, by this thread's generator.
  double draw() const;

 private:
  enum class Kind : std::uint8_t { uniform, log_uniform, integers };
  Range(Kind kind, double low, double high) : kind_(kind), low_(low), high_(high) {}

  Kind kind_;
  double low_, high_;
};

/// A name and what it may be: values, all numbers or all texts, `{"optimizer", {"adam",
/// "rmsprop"}}`, or a range, `{"lr", Range::log_uniform(1e-4, 1e-1)}`.
struct Hyperparameter {
  Hyperparameter(std::string n, std::vector<Setting> v)
      : name(std::move(n)), values(std::move(v)) {}
  Hyperparameter(std::string n, const Range& r) : name(std::move(n)), range(r) {}

  std::string name;
  std::vector<Setting> values{};  ///< none where there is a range
  std::optional<Range> range{};
};

/// One combination.
struct XTAPE_API Point {
  std::vector<std::pair<std::string, Setting>> settings;

  /// These throw ValueError where there is no such parameter, it is of the other kind, or, for
  /// `whole`, no whole number.
  double number(const std::string& name) const;
  std::int64_t whole(const std::string& name) const;
  const std::string& text(const std::string& name) const;
  /// "units 6, optimizer adam"
  std::string to_string() const;
};

namespace detail {

XTAPE_API std::vector<Point> grid_points(std::span<const Hyperparameter> parameters);
XTAPE_API std::vector<Point> random_points(std::span<const Hyperparameter> parameters,
                                           std::int64_t count, std::uint64_t seed);

}  // namespace detail
}  // namespace xtape::optim
