// SPDX-License-Identifier: BSD-3-Clause
#include "image_file.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "../autograd/error.hpp"
#include "../autograd/ops/creation.hpp"
#include "../autograd/ops/shape.hpp"
#include "image_decoders.hpp"

namespace xtape::data {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLargestFile = std::uint64_t{1} << 31;

enum class Format { none, png, jpeg };

const char* name_of(Format format) { return format == Format::png ? "PNG" : "JPEG"; }

Format format_of_name(const std::string& path) {
  std::string ending = fs::path(path).extension().string();
  for (char& c : ending) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (ending == ".png") return Format::png;
  return ending == ".jpg" || ending == ".jpeg" ? Format::jpeg : Format::none;
}

Format format_of_content(std::span<const std::uint8_t> bytes) {
  constexpr std::uint8_t kPng[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  constexpr std::uint8_t kJpeg[] = {0xff, 0xd8, 0xff};
  const auto starts = [&](std::span<const std::uint8_t> magic) {
    return bytes.size() >= magic.size() && std::equal(magic.begin(), magic.end(), bytes.begin());
  };
  return starts(kPng) ? Format::png : starts(kJpeg) ? Format::jpeg : Format::none;
}

// The names in a folder, in the order of their bytes.
std::vector<std::string> names_in(const fs::path& folder, bool folders) {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    std::error_code unreadable;
    if (name.starts_with(".") || entry->is_directory(unreadable) != folders) continue;
    if (folders || format_of_name(name) != Format::none) names.push_back(name);
  }
  if (error) throw FileError("ImageFolder: " + folder.string() + ": " + error.message());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

void detail::EncodedImage::check_size(std::uint64_t width, std::uint64_t height) const {
  const auto most = static_cast<std::uint64_t>(options.max_pixels);
  if (width == 0 || height == 0 || width > most / height) {
    file.fail("its size is " + std::to_string(width) + " x " + std::to_string(height) +
              " pixels; expected at least 1 and at most " + std::to_string(most));
  }
}

Tensor read_image(const std::string& path, const ReadImageOptions& options) {
  if (options.max_pixels < 1) throw ValueError("read_image: max_pixels is at least 1");
  detail::InputFile file("read_image", path);
  if (file.size() > kLargestFile) file.fail("too large for a picture");
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(file.size()));
  file.read(bytes.data(), bytes.size());
  const Format content = format_of_content(bytes), name = format_of_name(path);
  if (content == Format::none) file.fail("neither a PNG nor a JPEG file");
  if (name != Format::none && name != content) {
    file.fail(std::string("its name says ") + name_of(name) + ", its content is " +
              name_of(content));
  }
  const detail::EncodedImage image{file, bytes, options};
  const Tensor pixels =
      content == Format::png ? detail::decode_png(image) : detail::decode_jpeg(image);
  return permute(pixels, {2, 0, 1}).contiguous();
}

ImageFolder::ImageFolder(const std::string& root, const ReadImageOptions& options)
    : options_(options), classes_(names_in(root, true)) {
  if (classes_.empty()) throw FileError("ImageFolder: " + root + ": no folder of a class in it");
  for (std::size_t c = 0; c < classes_.size(); ++c) {
    const fs::path folder = fs::path(root) / classes_[c];
    const std::vector<std::string> names = names_in(folder, false);
    if (names.empty()) {
      throw FileError("ImageFolder: " + folder.string() + ": no .png, .jpg or .jpeg in it");
    }
    for (const std::string& name : names) {
      samples_.emplace_back((folder / name).string(), static_cast<std::int64_t>(c));
    }
  }
}

std::int64_t ImageFolder::size() const { return static_cast<std::int64_t>(samples_.size()); }

const std::pair<std::string, std::int64_t>& ImageFolder::at(std::int64_t index) const {
  if (index < 0 || index >= size()) {
    throw IndexError("ImageFolder: sample " + std::to_string(index) + " of " +
                     std::to_string(size()));
  }
  return samples_[static_cast<std::size_t>(index)];
}

const std::string& ImageFolder::path(std::int64_t index) const { return at(index).first; }

Batch ImageFolder::get(std::int64_t index) const {
  const auto& [path, label] = at(index);
  return {read_image(path, options_), scalar_tensor(label, int64)};
}

}  // namespace xtape::data
