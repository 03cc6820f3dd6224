// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../autograd/export.hpp"
#include "../autograd/tensor.hpp"
#include "scaling.hpp"
#include "table.hpp"

namespace xtape::data {

/// Numbers texts by their place among the different ones in sorted order (by bytes).
class XTAPE_API LabelEncoder {
 public:
  /// Throws ValueError where there is no text, or an empty one (a missing value).
  void fit(std::span<const std::string> texts);
  /// int64 [texts]. Throws ValueError before `fit` and on a text that `fit` did not see.
  Tensor transform(std::span<const std::string> texts) const;
  Tensor fit_transform(std::span<const std::string> texts);
  /// The texts of int64 [n]. Throws ShapeError, DTypeError, IndexError.
  std::vector<std::string> inverse_transform(const Tensor& labels) const;

  /// The same for a column of texts: what cannot be used is named by file, line and column.
  void fit(const Table& table, std::string_view column);
  Tensor transform(const Table& table, std::string_view column) const;
  Tensor fit_transform(const Table& table, std::string_view column);

  /// The different texts, sorted: the text of label i is `classes()[i]`.
  const std::vector<std::string>& classes() const noexcept { return classes_; }
  /// The label of a text; -1 where `fit` did not see it.
  std::int64_t find(std::string_view text) const noexcept;

  /// "classes.bytes" and "classes.ends", for safetensors files.
  NamedTensors state() const;
  /// Throws ValueError where there are none, or not as `state` gives them.
  void load_state(const NamedTensors& state);

 private:
  std::vector<std::string> classes_;
};

enum class Scaling : std::uint8_t { none, standard, min_max };
/// What stands for a missing value: nothing (an error), or a figure of the rows that `fit` saw.
enum class Imputation : std::uint8_t { none, mean, median, most_frequent };

/// Which columns of a table become features, and how.
struct TableEncoderOptions {
  std::vector<std::string> numbers{};  ///< imputed and scaled
  std::vector<std::string> labels{};   ///< texts, each as its number in sorted order
  std::vector<std::string> one_hot{};  ///< texts, a feature for each different one
  Scaling scaling = Scaling::standard;
  Imputation impute_numbers = Imputation::none;
  Imputation impute_texts = Imputation::none;  ///< or most_frequent
  bool drop_first = false;      ///< no feature for the first text of each one-hot column
  bool ignore_unknown = false;  ///< all zeros for a text of a one-hot column that `fit` did not see
  DType dtype = float32;        ///< of the features
};

/// From tables to features, by what it saw in the rows that it was fitted on: features of numbers
/// first, then of labels, then one-hot ones. Copies are independent, one for each fold.
class XTAPE_API TableEncoder {
 public:
  /// Throws ValueError where no column is named or one comes twice, and on options that exclude
  /// each other; DTypeError where the dtype is no floating one.
  explicit TableEncoder(TableEncoderOptions options);

  /// Takes fill values, scales and categories from the training rows. Throws ValueError on no
  /// rows, and on a cell that cannot be used, named by file, line and column.
  void fit(const Table& table);
  /// [rows, features]. Throws ValueError before `fit`, and as it does.
  Tensor transform(const Table& table) const;
  Tensor fit_transform(const Table& table);
  bool is_fitted() const noexcept { return fitted_; }

  /// "Age", "Gender", "Geography=Spain": one for each column of the features.
  std::vector<std::string> feature_names() const;
  /// Of the columns of numbers; no scaler where the option is Scaling::none.
  const Scaler* scaler() const noexcept;

  /// The fit, for safetensors files; the options are the program's. Throws ValueError before `fit`.
  NamedTensors state() const;
  /// Throws ValueError where the state is of other columns, or not as `state` gives it.
  void load_state(const NamedTensors& state);

 private:
  struct Category {
    std::string column;
    LabelEncoder encoder{};
    std::int64_t fill = 0;  // label of the text that stands for a missing one
  };

  void check_fitted(const char* method) const;
  Tensor filled_numbers(const Table& table) const;
  std::int64_t label(const Table& table, const Category& category, std::int64_t row,
                     bool may_be_unknown) const;
  std::vector<std::string> column_names() const;

  TableEncoderOptions options_;
  bool fitted_ = false;
  std::vector<double> fills_{};  // of the numbers
  StandardScaler standard_{};
  MinMaxScaler min_max_{};
  std::vector<Category> categories_{};  // labels, then one-hot ones
};

}  // namespace xtape::data
