// SPDX-License-Identifier: BSD-3-Clause
#include "folders.hpp"

#include <cstdlib>

namespace xtape::test {

// The one file that is told the folder, so that compiler caches serve every other one from any
// checkout.
std::filesystem::path source_folder() { return XTAPE_SOURCE_DIR; }

std::optional<std::filesystem::path> data_folder() {
  if (const char* given = std::getenv("XTAPE_DATA_DIR")) return given;
  const auto beside = source_folder() / ".." / "shared" / "data";
  if (std::filesystem::is_directory(beside)) return beside;
  return std::nullopt;
}

}  // namespace xtape::test
