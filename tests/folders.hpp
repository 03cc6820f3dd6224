// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <optional>

namespace xtape::test {

/// The root of the sources that the tests were built from.
std::filesystem::path source_folder();

/// The folder of the real data sets, where there is one: $XTAPE_DATA_DIR, else beside the sources.
std::optional<std::filesystem::path> data_folder();

}  // namespace xtape::test
