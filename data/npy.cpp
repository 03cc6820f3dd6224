// SPDX-License-Identifier: BSD-3-Clause
// Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#include "npy.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <set>
#include <string_view>

#include "../autograd/error.hpp"
#include "elements.hpp"
#include "file.hpp"
#include "zip.hpp"

namespace xtape::data {
namespace {

using detail::Element;
using detail::Source;

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::uint32_t kLargestHeader = 1 << 16;
constexpr std::string_view kSuffix = ".npy";

struct Stored {
  std::string_view name;
  std::size_t size;  // of an element in the file
  DType dtype;       // of the tensor that it becomes
  Element element = Element::copied;
};

// The first five are those that are written, in the order of DType.
constexpr Stored kStored[] = {
    {"|b1", 1, boolean},
    {"|u1", 1, uint8},
    {"<i8", 8, int64},
    {"<f4", 4, float32},
    {"<f8", 8, float64},
    {"<f2", 2, float32, Element::f16},
    {"|i1", 1, int64, Element::i8},
    {"<i2", 2, int64, Element::i16},
    {"<i4", 4, int64, Element::i32},
    {"<u2", 2, int64, Element::u16},
    {"<u4", 4, int64, Element::u32},
};

struct Header {
  const Stored* stored = nullptr;
  bool fortran_order = false;
  Shape shape;
  std::uint64_t bytes = 0;  // of the header itself, magic and all
};

// The header's text: a dictionary as Python writes it, "{'descr': '<f8', ...}".
class HeaderParser {
 public:
  HeaderParser(const Source& file, std::string_view text) : file_(file), text_(text) {}

  Header parse() {
    std::set<std::string> keys;
    expect('{');
    while (!takes('}')) {
      const std::string key = quoted();
      expect(':');
      if (!keys.insert(key).second) fail("key '" + key + "' comes twice");
      value_of(key);
      if (!takes(',')) {
        expect('}');
        break;
      }
    }
    skip_blanks();
    if (at_ + 1 != text_.size() || text_[at_] != '\n') fail("it does not end with its dictionary");
    if (keys.size() != 3) fail("expected 'descr', 'fortran_order' and 'shape'");
    return header_;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { file_.fail("header: " + what); }

  void skip_blanks() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool takes(char c) {
    skip_blanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!takes(c)) fail(std::string("expected '") + c + "' at position " + std::to_string(at_));
  }
  bool takes(std::string_view word) {
    skip_blanks();
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  std::string quoted() {
    const char quote = takes('"') ? '"' : '\'';
    if (quote == '\'') expect('\'');
    const auto end = text_.find(quote, at_);
    if (end == std::string_view::npos) fail("a text does not end");
    const std::string found(text_.substr(at_, end - at_));
    at_ = end + 1;
    return found;
  }

  void value_of(const std::string& key) {
    if (key == "descr") {
      skip_blanks();
      if (at_ < text_.size() && text_[at_] == '[') fail("structured arrays are not supported");
      const std::string dtype = quoted();
      header_.stored = std::find_if(std::begin(kStored), std::end(kStored),
                                    [&](const Stored& s) { return s.name == dtype; });
      if (header_.stored == std::end(kStored)) fail("dtype '" + dtype + "' is not supported");
    } else if (key == "fortran_order") {
      header_.fortran_order = takes("True");
      if (!header_.fortran_order && !takes("False")) fail("expected 'fortran_order' True or False");
    } else if (key == "shape") {
      header_.shape = shape();
    } else {
      fail("key '" + key + "' is not known");
    }
  }

  Shape shape() {
    Shape shape;
    expect('(');
    while (!takes(')')) {
      if (shape.rank() == Shape::kMaxRank) {
        fail("expected at most " + std::to_string(Shape::kMaxRank) + " dimensions");
      }
      shape.push_back(number());
      if (takes(',')) continue;
      if (shape.rank() < 2) fail("expected a tuple of whole numbers as the shape");
      expect(')');
      break;
    }
    return shape;
  }

  std::int64_t number() {
    skip_blanks();
    const std::size_t begin = at_;
    std::int64_t n = 0;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      const std::int64_t digit = text_[at_] - '0';
      if (n > (std::numeric_limits<std::int64_t>::max() - digit) / 10) fail("a size is too large");
      n = 10 * n + digit;
    }
    if (at_ == begin) fail("expected a whole number at position " + std::to_string(at_));
    return n;
  }

  const Source& file_;
  std::string_view text_;
  std::size_t at_ = 0;
  Header header_;
};

Header read_header(Source& file, std::uint64_t size) {
  if (size < 10) file.fail("not an .npy file: only " + std::to_string(size) + " bytes");
  char start[8];
  file.read(start, sizeof start);
  if (std::string_view(start, 6) != kMagic) file.fail("not an .npy file: its first bytes differ");
  const int major = start[6], minor = start[7];
  if (major < 1 || major > 3 || minor != 0) {
    file.fail("format " + std::to_string(major) + "." + std::to_string(minor) +
              " is not supported");
  }
  std::uint32_t length = 0;
  const std::uint64_t length_bytes = major == 1 ? 2 : 4;
  if (size < 8 + length_bytes) file.fail("the file ends in its header");
  file.read(&length, length_bytes);
  if (length > size - 8 - length_bytes || length > kLargestHeader) {
    file.fail("header: its length says " + std::to_string(length) + " bytes");
  }
  std::string text(length, '\0');
  file.read(text.data(), text.size());
  Header header = HeaderParser(file, text).parse();
  header.bytes = 8 + length_bytes + length;
  return header;
}

// `size` bytes in all.
Tensor read_array(Source& file, std::uint64_t size) {
  const Header header = read_header(file, size);
  // In memory an element may take 8 bytes for 1 in the file; nothing near overflow may pass.
  std::uint64_t bytes = header.stored->size;
  const bool nothing = std::count(header.shape.begin(), header.shape.end(), 0) > 0;
  for (const std::int64_t n : header.shape) {
    const auto factor = static_cast<std::uint64_t>(nothing ? 0 : n);
    if (factor != 0 && bytes > (std::uint64_t{1} << 59) / factor) {
      file.fail("shape " + to_string(header.shape) + " is too large");
    }
    bytes *= factor;
  }
  if (bytes != size - header.bytes) {
    file.fail("expected " + std::to_string(bytes) + " bytes for " +
              std::string(header.stored->name) + " " + to_string(header.shape) + ", found " +
              std::to_string(size - header.bytes));
  }
  Shape shape = header.shape, dims;
  if (header.fortran_order) {
    std::reverse(shape.begin(), shape.end());
    for (int i = shape.rank() - 1; i >= 0; --i) dims.push_back(i);
  }
  Tensor x =
      detail::read_elements(file, shape, header.stored->dtype, header.stored->element, "array");
  return header.fortran_order && shape.rank() > 1 ? x.permute(dims) : x;
}

// Padded so that the data begins at a multiple of 64.
std::string header_of(const Tensor& x) {
  std::string shape = "(";
  for (const std::int64_t n : x.sizes()) shape += std::to_string(n) + ", ";
  if (x.dim() > 1) shape.resize(shape.size() - 2);
  if (x.dim() == 1) shape.resize(shape.size() - 1);
  std::string text = "{'descr': '" + std::string(kStored[static_cast<int>(x.dtype())].name) +
                     "', 'fortran_order': False, 'shape': " + shape + "), }";
  constexpr std::size_t kStart = 10;
  text.resize((kStart + text.size() + 1 + 63) / 64 * 64 - kStart - 1, ' ');
  text += '\n';
  const auto length = static_cast<std::uint16_t>(text.size());
  std::string header(kMagic);
  header += {'\1', '\0', static_cast<char>(length & 0xff), static_cast<char>(length >> 8)};
  return header + text;
}

std::size_t bytes_of(const Tensor& x) {
  return static_cast<std::size_t>(x.numel()) * item_size(x.dtype());
}

}  // namespace

Tensor read_npy(const std::string& path) {
  detail::InputFile file("read_npy", path);
  return read_array(file, file.size());
}

void write_npy(const std::string& path, const Tensor& x) {
  xtape::detail::check_defined("write_npy", x);
  const std::string header = header_of(x);
  const Tensor dense = x.detach().contiguous();
  detail::OutputFile file("write_npy", path);
  file.write(header.data(), header.size());
  file.write(dense.value()->data, bytes_of(dense));
  file.commit();
}

NamedTensors read_npz(const std::string& path) {
  detail::InputFile file("read_npz", path);
  NamedTensors arrays;
  for (const detail::ZipMember& member : detail::read_zip_directory(file)) {
    if (!member.name.ends_with(kSuffix) || member.name.size() == kSuffix.size()) {
      file.fail("member '" + member.name + "': expected a name that ends with .npy");
    }
    detail::ZipReader reader(file, member);
    Tensor x = read_array(reader, member.size);
    reader.finish();
    arrays.emplace_back(member.name.substr(0, member.name.size() - kSuffix.size()), std::move(x));
  }
  return arrays;
}

void write_npz(const std::string& path, const NamedTensors& arrays, const NpzOptions& options) {
  std::set<std::string_view> names;
  for (const auto& [name, x] : arrays) {
    if (name.empty() || name.size() > 65000 || name.find('\0') != std::string::npos) {
      throw ValueError("write_npz: a name is empty, too long or holds a zero byte");
    }
    if (!names.insert(name).second) throw ValueError("write_npz: name '" + name + "' comes twice");
    if (!x.defined()) throw ValueError("write_npz: array '" + name + "' is undefined");
  }
  detail::OutputFile file("write_npz", path);
  detail::ZipWriter zip(file);
  for (const auto& [name, x] : arrays) {
    const Tensor dense = x.detach().contiguous();
    zip.add(name + std::string(kSuffix), header_of(x), dense.value()->data, bytes_of(dense),
            options.compressed);
  }
  zip.finish();
  file.commit();
}

}  // namespace xtape::data
