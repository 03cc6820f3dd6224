// SPDX-License-Identifier: BSD-3-Clause
#include "encoding.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>

#include "../autograd/error.hpp"
#include "../autograd/ops/creation.hpp"
#include "column_lookup.hpp"
#include "field.hpp"
#include "named_state.hpp"
#include "number_text.hpp"

namespace xtape::data {

using detail::quoted;
namespace {

// "churn.csv", or "the table" where that is of no file.
std::string source_of(const Table& table) {
  return table.source().empty() ? "the table" : table.source();
}

std::string none_of(const std::string& text, const LabelEncoder& encoder) {
  return quoted(text) + " is none of the " + std::to_string(encoder.classes().size()) +
         " texts that fit saw";
}

// The most frequent value, the least of several.
template <class T>
T most_frequent(const std::vector<T>& values) {
  std::map<T, std::size_t> counts;
  for (const T& value : values) ++counts[value];
  return std::max_element(counts.begin(), counts.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  const double below = *std::max_element(values.begin(), middle);
  return below + (*middle - below) / 2;
}

double mean(const std::vector<double>& values) {
  double result = 0;
  for (const double x : values) result += x / static_cast<double>(values.size());
  return result;
}

// What stands for the missing numbers of a column; 0 where none may be missing.
double fill_of(const Table& table, std::span<const double> numbers, const std::string& name,
               Imputation imputation) {
  if (imputation == Imputation::none) return 0;
  std::vector<double> present;
  for (const double x : numbers) {
    if (!std::isnan(x)) present.push_back(x);
  }
  if (present.empty()) {
    throw ValueError("TableEncoder: fit: " + source_of(table) + ": nothing to impute column " +
                     quoted(name) + " from, all of it is missing");
  }
  switch (imputation) {
    case Imputation::mean:
      return mean(present);
    case Imputation::median:
      return median(std::move(present));
    default:
      return most_frequent(present);
  }
}

}  // namespace

// --- labels --------------------------------------------------------------------------------------

void LabelEncoder::fit(std::span<const std::string> texts) {
  if (texts.empty()) throw ValueError("LabelEncoder: fit: expected at least one text, got none");
  std::vector<std::string> classes(texts.begin(), texts.end());
  std::sort(classes.begin(), classes.end());
  classes.erase(std::unique(classes.begin(), classes.end()), classes.end());
  if (classes[0].empty()) {
    const auto row = std::find(texts.begin(), texts.end(), "") - texts.begin();
    throw ValueError("LabelEncoder: fit: text " + std::to_string(row) + " is missing");
  }
  classes_ = std::move(classes);
}

std::int64_t LabelEncoder::find(std::string_view text) const noexcept {
  const auto found = std::lower_bound(classes_.begin(), classes_.end(), text);
  if (found == classes_.end() || *found != text) return -1;
  return found - classes_.begin();
}

Tensor LabelEncoder::transform(std::span<const std::string> texts) const {
  if (classes_.empty()) throw ValueError("LabelEncoder: transform: not fitted yet (see fit)");
  Tensor labels = xtape::detail::empty(int64, Shape{static_cast<std::int64_t>(texts.size())});
  auto* to = xtape::detail::fresh_data<std::int64_t>(labels);
  for (const std::string& text : texts) {
    *to = find(text);
    if (*to++ < 0) {
      throw ValueError("LabelEncoder: transform: " + none_of(text, *this));
    }
  }
  return labels;
}

Tensor LabelEncoder::fit_transform(std::span<const std::string> texts) {
  fit(texts);
  return transform(texts);
}

std::vector<std::string> LabelEncoder::inverse_transform(const Tensor& labels) const {
  const std::string who = "LabelEncoder: inverse_transform: ";
  if (labels.dtype() != int64)
    throw DTypeError(who + "expected int64, got " + labels.description());
  if (labels.dim() != 1) throw ShapeError(who + "expected [n], got " + labels.description());
  const Tensor dense = labels.contiguous();
  std::vector<std::string> texts;
  for (std::int64_t i = 0; i < dense.numel(); ++i) {
    const std::int64_t label = dense.data<std::int64_t>()[i];
    if (label < 0 || label >= static_cast<std::int64_t>(classes_.size())) {
      throw IndexError(who + "label " + std::to_string(label) + " of " +
                       std::to_string(classes_.size()));
    }
    texts.push_back(classes_[static_cast<std::size_t>(label)]);
  }
  return texts;
}

void LabelEncoder::fit(const Table& table, std::string_view column) {
  const auto texts = table.texts(column);
  if (texts.empty()) throw ValueError("LabelEncoder: fit: " + source_of(table) + " has no rows");
  for (std::int64_t row = 0; row < table.rows(); ++row) {
    if (!texts[static_cast<std::size_t>(row)].empty()) continue;
    throw ValueError("LabelEncoder: " + table.where(row, column) + ": expected a text, found none");
  }
  fit(texts);
}

Tensor LabelEncoder::transform(const Table& table, std::string_view column) const {
  const auto texts = table.texts(column);
  for (std::int64_t row = 0; !classes_.empty() && row < table.rows(); ++row) {
    const std::string& text = texts[static_cast<std::size_t>(row)];
    if (find(text) >= 0) continue;
    throw ValueError("LabelEncoder: " + table.where(row, column) + ": " +
                     (text.empty() ? "expected a text, found none" : none_of(text, *this)));
  }
  return transform(texts);
}

Tensor LabelEncoder::fit_transform(const Table& table, std::string_view column) {
  fit(table, column);
  return transform(table, column);
}

NamedTensors LabelEncoder::state() const {
  if (classes_.empty()) throw ValueError("LabelEncoder: state: not fitted yet (see fit)");
  NamedTensors state;
  detail::append_texts(state, "classes", classes_);
  return state;
}

void LabelEncoder::load_state(const NamedTensors& state) {
  std::vector<std::string> classes = detail::find_texts("LabelEncoder", state, "classes");
  const auto unordered = std::adjacent_find(classes.begin(), classes.end(), std::greater_equal<>());
  if (classes.empty() || classes[0].empty() || unordered != classes.end()) {
    throw ValueError("LabelEncoder: load_state: expected texts in sorted order");
  }
  classes_ = std::move(classes);
}

// --- tables --------------------------------------------------------------------------------------

TableEncoder::TableEncoder(TableEncoderOptions options) : options_(std::move(options)) {
  if (!is_floating(options_.dtype)) {
    throw DTypeError(std::string("TableEncoder: expected float32 or float64, got ") +
                     name(options_.dtype));
  }
  std::vector<std::string> names = column_names();
  if (names.empty()) throw ValueError("TableEncoder: expected at least one column, got none");
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) {
    throw ValueError("TableEncoder: column " + quoted(*twice) + " comes twice");
  }
  if (options_.drop_first && options_.ignore_unknown) {
    throw ValueError(
        "TableEncoder: drop_first and ignore_unknown exclude each other: the first "
        "text and an unknown one would be the same features");
  }
  if (options_.impute_texts != Imputation::none &&
      options_.impute_texts != Imputation::most_frequent) {
    throw ValueError(
        "TableEncoder: texts have no mean or median; impute_texts may be none or "
        "most_frequent");
  }
}

std::vector<std::string> TableEncoder::column_names() const {
  std::vector<std::string> names = options_.numbers;
  names.insert(names.end(), options_.labels.begin(), options_.labels.end());
  names.insert(names.end(), options_.one_hot.begin(), options_.one_hot.end());
  return names;
}

const Scaler* TableEncoder::scaler() const noexcept {
  switch (options_.scaling) {
    case Scaling::standard:
      return &standard_;
    case Scaling::min_max:
      return &min_max_;
    default:
      return nullptr;
  }
}

void TableEncoder::check_fitted(const char* method) const {
  if (!fitted_) {
    throw ValueError(std::string("TableEncoder: ") + method +
                     ": not fitted yet (see fit and load_state)");
  }
}

Tensor TableEncoder::filled_numbers(const Table& table) const {
  const auto width = static_cast<std::int64_t>(options_.numbers.size());
  Tensor result = xtape::detail::empty(float64, Shape{table.rows(), width});
  const detail::ColumnLookup lookup(table);
  for (std::size_t j = 0; j < options_.numbers.size(); ++j) {
    const std::string& name = options_.numbers[j];
    double* to = xtape::detail::fresh_data<double>(result) + j;
    std::int64_t row = 0;
    for (double x : lookup.numbers(name)) {
      if (std::isnan(x) && options_.impute_numbers == Imputation::none) {
        throw ValueError("TableEncoder: " + table.where(row, name) +
                         ": expected a number, found none (see impute_numbers)");
      }
      if (std::isinf(x))
        throw ValueError("TableEncoder: " + table.where(row, name) + " is infinite");
      to[row++ * width] = std::isnan(x) ? fills_[j] : x;
    }
  }
  return result;
}

void TableEncoder::fit(const Table& table) {
  if (table.rows() == 0) {
    throw ValueError("TableEncoder: fit: " + source_of(table) + " has no rows");
  }
  TableEncoder fitted(options_);  // this one stays as it is where something is refused
  const detail::ColumnLookup lookup(table);
  for (const std::string& name : options_.numbers) {
    fitted.fills_.push_back(fill_of(table, lookup.numbers(name), name, options_.impute_numbers));
  }
  const Tensor numbers = fitted.filled_numbers(table);
  if (options_.scaling == Scaling::standard) fitted.standard_.fit(numbers);
  if (options_.scaling == Scaling::min_max) fitted.min_max_.fit(numbers);
  for (const auto* names : {&options_.labels, &options_.one_hot}) {
    for (const std::string& name : *names) {
      std::vector<std::string> present;
      std::int64_t row = 0;
      for (const std::string& text : table.texts(name)) {
        if (!text.empty()) {
          present.push_back(text);
        } else if (options_.impute_texts == Imputation::none) {
          throw ValueError("TableEncoder: " + table.where(row, name) +
                           ": expected a text, found none (see impute_texts)");
        }
        ++row;
      }
      if (present.empty()) {
        throw ValueError("TableEncoder: fit: " + source_of(table) + ": all of column " +
                         quoted(name) + " is missing");
      }
      Category category{.column = name};
      category.encoder.fit(present);
      category.fill = category.encoder.find(most_frequent(present));
      fitted.categories_.push_back(std::move(category));
    }
  }
  fitted.fitted_ = true;
  *this = std::move(fitted);
}

std::int64_t TableEncoder::label(const Table& table, const Category& category, std::int64_t row,
                                 bool may_be_unknown) const {
  const std::string& text = table.texts(category.column)[static_cast<std::size_t>(row)];
  if (text.empty()) {
    if (options_.impute_texts != Imputation::none) return category.fill;
    throw ValueError("TableEncoder: " + table.where(row, category.column) +
                     ": expected a text, found none (see impute_texts)");
  }
  const std::int64_t found = category.encoder.find(text);
  if (found >= 0 || may_be_unknown) return found;
  throw ValueError("TableEncoder: " + table.where(row, category.column) + ": " +
                   none_of(text, category.encoder));
}

Tensor TableEncoder::transform(const Table& table) const {
  check_fitted("transform");
  Tensor numbers = filled_numbers(table);
  if (const Scaler* s = scaler()) numbers = s->transform(numbers).detach();
  const std::int64_t rows = table.rows(), scaled = numbers.size(1);
  const auto width = static_cast<std::int64_t>(feature_names().size());
  Tensor features = xtape::zeros({rows, width}, options_.dtype);
  xtape::detail::dispatch_floating(options_.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    T* to = xtape::detail::fresh_data<T>(features);
    constexpr auto largest = static_cast<double>(std::numeric_limits<T>::max());
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < scaled; ++j) {
        const double x = numbers.data<double>()[i * scaled + j];
        if (!(std::abs(x) <= largest)) {
          throw ValueError(
              "TableEncoder: " + table.where(i, options_.numbers[static_cast<std::size_t>(j)]) +
              ": scaled it is " + detail::number_text(x) + ", beyond " + name(options_.dtype));
        }
        to[i * width + j] = static_cast<T>(x);
      }
    }
    std::int64_t begin = scaled;  // of the category's features
    for (std::size_t c = 0; c < categories_.size(); ++c) {
      const bool is_label = c < options_.labels.size();
      const std::int64_t first = options_.drop_first ? 1 : 0;
      const auto classes = static_cast<std::int64_t>(categories_[c].encoder.classes().size());
      for (std::int64_t i = 0; i < rows; ++i) {
        const bool may_be_unknown = !is_label && options_.ignore_unknown;
        const std::int64_t found = label(table, categories_[c], i, may_be_unknown);
        if (is_label) {
          to[i * width + begin] = static_cast<T>(found);
        } else if (found >= first) {
          to[i * width + begin + found - first] = 1;
        }
      }
      begin += is_label ? 1 : classes - first;
    }
  });
  return features;
}

Tensor TableEncoder::fit_transform(const Table& table) {
  fit(table);
  return transform(table);
}

std::vector<std::string> TableEncoder::feature_names() const {
  check_fitted("feature_names");
  std::vector<std::string> names = options_.numbers;
  names.insert(names.end(), options_.labels.begin(), options_.labels.end());
  for (std::size_t c = options_.labels.size(); c < categories_.size(); ++c) {
    const auto& classes = categories_[c].encoder.classes();
    for (std::size_t k = options_.drop_first ? 1 : 0; k < classes.size(); ++k) {
      names.push_back(categories_[c].column + "=" + classes[k]);
    }
  }
  return names;
}

// --- the fit as tensors --------------------------------------------------------------------------

NamedTensors TableEncoder::state() const {
  check_fitted("state");
  NamedTensors state;
  detail::append_texts(state, "columns", column_names());
  state.emplace_back("fill",
                     from_values<double>(fills_, Shape{static_cast<std::int64_t>(fills_.size())}));
  if (const Scaler* s = scaler()) {
    for (auto& tensor : s->state()) state.push_back(std::move(tensor));
  }
  std::vector<std::int64_t> fills;
  for (const Category& category : categories_) {
    detail::append_texts(state, category.column + ".classes", category.encoder.classes());
    fills.push_back(category.fill);
  }
  state.emplace_back("fill_labels", from_values<std::int64_t>(
                                        fills, Shape{static_cast<std::int64_t>(fills.size())}));
  return state;
}

void TableEncoder::load_state(const NamedTensors& state) {
  constexpr const char* who = "TableEncoder";
  if (detail::find_texts(who, state, "columns") != column_names()) {
    throw ValueError("TableEncoder: load_state: the state is of other columns");
  }
  TableEncoder loaded(options_);
  const Tensor fill = detail::find_state(who, state, "fill", float64);
  const Tensor fill_labels = detail::find_state(who, state, "fill_labels", int64);
  const std::size_t numbers = options_.numbers.size();
  const std::size_t categories = options_.labels.size() + options_.one_hot.size();
  const auto count = [](const Tensor& x) { return static_cast<std::size_t>(x.numel()); };
  if (count(fill) != numbers || count(fill_labels) != categories) {
    throw ValueError("TableEncoder: load_state: expected a fill value for each column");
  }
  for (std::size_t j = 0; j < numbers; ++j) {
    if (std::isfinite(fill.data<double>()[j])) continue;
    throw ValueError("TableEncoder: load_state: a fill value is not finite");
  }
  loaded.fills_.assign(fill.data<double>(), fill.data<double>() + numbers);
  if (options_.scaling == Scaling::standard) loaded.standard_.load_state(state);
  if (options_.scaling == Scaling::min_max) loaded.min_max_.load_state(state);
  if (loaded.scaler() != nullptr && count(loaded.scaler()->shift()) != numbers) {
    throw ValueError("TableEncoder: load_state: expected a shift for each column of numbers");
  }
  const std::vector<std::string> names = column_names();
  for (std::size_t c = 0; c < categories; ++c) {
    Category category{.column = names[numbers + c], .fill = fill_labels.data<std::int64_t>()[c]};
    NamedTensors classes;
    detail::append_texts(classes, "classes",
                         detail::find_texts(who, state, category.column + ".classes"));
    category.encoder.load_state(classes);
    const auto known = static_cast<std::int64_t>(category.encoder.classes().size());
    if (category.fill < 0 || category.fill >= known) {
      throw ValueError("TableEncoder: load_state: fill label " + std::to_string(category.fill) +
                       " of " + std::to_string(known));
    }
    loaded.categories_.push_back(std::move(category));
  }
  loaded.fitted_ = true;
  *this = std::move(loaded);
}

}  // namespace xtape::data
