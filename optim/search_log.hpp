// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// The results file of a search; not part of the public interface.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "search.hpp"

namespace xtape::optim::detail {

/// The figures of the points done, and their file: a line that says of which search, then one line
/// for each point, each with a checksum. It is written anew for each point and takes the old one's
/// place whole, so that no kill leaves half a line.
class SearchLog {
 public:
  using Figures = std::optional<std::vector<FoldStatistics>>;

  /// Reads the file where it is there. Throws FileError where it is damaged or of another search.
  SearchLog(std::span<const Point> points, std::int64_t samples, std::span<const Fold> folds,
            const SearchOptions& options);

  /// One for each point; none where it is not done.
  const std::vector<Figures>& rows() const noexcept { return rows_; }
  /// Keeps a point's figures, in the file first. Throws FileError.
  void add(std::size_t point, std::vector<FoldStatistics> figures);

 private:
  void read(const Point& first);

  std::string path_, first_line_;
  std::size_t folds_;
  std::vector<Figures> rows_;
};

}  // namespace xtape::optim::detail
