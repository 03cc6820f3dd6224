// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "../autograd/export.hpp"
#include "../autograd/tensor.hpp"
#include "dataset.hpp"

// Pictures in PNG and JPEG files. libpng and libjpeg read them; where xtape was built without one,
// the error says so.
namespace xtape::data {

enum class ImageMode : std::uint8_t {
  unchanged,  ///< 1 or 3 channels, as the file has them
  grey,
  rgb
};

struct ReadImageOptions {
  ImageMode mode = ImageMode::unchanged;
  std::int64_t max_pixels = std::int64_t{1} << 26;  ///< a file that claims more is refused
};

/// The picture in a PNG or JPEG file, uint8 [channels, height, width]. Palettes become colours, 16
/// bits become 8, transparency is left out. What the file is its first bytes say; a name that
/// says otherwise is an error, and so is a file that is cut or damaged. Nothing is allocated for
/// sizes beyond `max_pixels`. Throws FileError, ValueError for max_pixels < 1.
XTAPE_API Tensor read_image(const std::string& path, const ReadImageOptions& options = {});

/// Pictures in a folder for each class: "root/<class>/<name>.png", .jpg or .jpeg, capitals too.
/// Sample i is x uint8 [channels, height, width], y the number of its class, int64; classes and
/// names in the order of their bytes. Hidden files and other endings are left out. Files are read
/// when they are asked for; TransformedImages brings them to one size.
class XTAPE_API ImageFolder : public Dataset {
 public:
  /// Throws FileError where there is no such folder, it has no folders, or one of these has no
  /// picture.
  explicit ImageFolder(const std::string& root,
                       const ReadImageOptions& options = {.mode = ImageMode::rgb});

  std::int64_t size() const override;
  Batch get(std::int64_t index) const override;

  const std::vector<std::string>& classes() const noexcept { return classes_; }
  /// Throws IndexError.
  const std::string& path(std::int64_t index) const;

 private:
  const std::pair<std::string, std::int64_t>& at(std::int64_t index) const;

  ReadImageOptions options_;
  std::vector<std::string> classes_;
  std::vector<std::pair<std::string, std::int64_t>> samples_;  // path, class
};

}  // namespace xtape::data
