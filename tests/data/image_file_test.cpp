// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/memory.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/data/image_file.hpp>
#include <xtape/data/image_grid.hpp>
#include <xtape/data/image_transforms.hpp>
#include <xtape/data/loader.hpp>

#include <zlib.h>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "files.hpp"

// Where this build reads no PNG or JPEG, the cases that need it say so and end.
using test::Bytes;
using test::says;
using xtape::FileError;
using xtape::Shape;
using xtape::Tensor;
using namespace xtape::data;

namespace {

// 8 x 8 pixels, left and right halves of grey 230 and 30.
const char* kGreyJpeg =
    "ffd8ffdb00430001010101010101010101010101010101010101010101010101010101010101010101010101"
    "010101010101010101010101010101010101010101010101010101ffc0000b080008000801011100ffc40014"
    "000100000000000000000000000000000005ffc400181000020300000000000000000000000000000a4888c8"
    "ffda0008010100003f0041b56005aacde7ffd9";
// Red 250 in the left half, 10 in the right; green 200 in the upper one, 20 in the lower; blue 60.
const char* kColourJpeg =
    "ffd8ffdb00430001010101010101010101010101010101010101010101010101010101010101010101010101"
    "010101010101010101010101010101010101010101010101010101ffdb004301010101010101010101010101"
    "0101010101010101010101010101010101010101010101010101010101010101010101010101010101010101"
    "0101010101010101ffc00011080008000803011100021101031101ffc4001400010000000000000000000000"
    "0000000008ffc4001d100001020700000000000000000000000009001112161728476776ffc4001501010100"
    "000000000000000000000000000708ffc4002211000004040700000000000000000000000008091112162766"
    "15384647515777ffda000c03010002110311003f00389032fd1524b79669f72d717acd43a5b093c53a54c669"
    "7346738edd61c16cd3af2cd587b9b6fbca2f71ffd9";
// The same, progressive.
const char* kProgressiveJpeg =
    "ffd8ffdb00430001010101010101010101010101010101010101010101010101010101010101010101010101"
    "010101010101010101010101010101010101010101010101010101ffdb004301010101010101010101010101"
    "0101010101010101010101010101010101010101010101010101010101010101010101010101010101010101"
    "0101010101010101ffc20011080008000803011100021101031101ffc4001400010000000000000000000000"
    "0000000007ffc4001501010100000000000000000000000000000607ffda000c030100021003100000013887"
    "38ffc4001510010100000000000000000000000000000700ffda0008010100010502405fbfffc4001b110001"
    "04030000000000000000000000000800263746566576ffda0008010301013f01364758cde199d7f94ddaffc4"
    "001c1100010305000000000000000000000000070011152645556574ffda0008010201013f011b04de6aa6c7"
    "59bbb6abffc4001a100000070000000000000000000000000000052645546574ffda0008010100063f02294f"
    "4f76c5583fffc4001510010100000000000000000000000000000011ffda0008010100013f21bb4fffda000c"
    "030100020003000000101fffc40014110100000000000000000000000000000000ffda0008010301013f105b"
    "ff00ffc400171100030100000000000000000000000000001151a1ffda0008010201013f10905b9fffc40016"
    "1000030000000000000000000000000000001151ffda0008010100013f1092447fffd9";

Bytes from_hex(const std::string& text) {
  Bytes bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(text.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

void put(Bytes& bytes, std::uint32_t x) {
  for (int shift = 24; shift >= 0; shift -= 8)
    bytes.push_back(static_cast<std::uint8_t>(x >> shift));
}

void put_chunk(Bytes& bytes, const std::string& type, const Bytes& content) {
  put(bytes, static_cast<std::uint32_t>(content.size()));
  const std::size_t begin = bytes.size();
  bytes.insert(bytes.end(), type.begin(), type.end());
  bytes.insert(bytes.end(), content.begin(), content.end());
  put(bytes, static_cast<std::uint32_t>(
                 crc32(0, bytes.data() + begin, static_cast<uInt>(bytes.size() - begin))));
}

// Kinds of colour: 0 grey, 2 colour, 3 palette, 4 grey with transparency, 6 colour with it. Rows
// come with the number of their filter, 0, before each.
Bytes png(std::uint32_t width, std::uint32_t height, std::uint8_t bits, std::uint8_t kind,
          const Bytes& rows, const Bytes& palette = {}) {
  Bytes bytes{0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'}, header;
  put(header, width);
  put(header, height);
  for (const std::uint8_t b : {bits, kind, std::uint8_t{0}, std::uint8_t{0}, std::uint8_t{0}}) {
    header.push_back(b);
  }
  put_chunk(bytes, "IHDR", header);
  if (!palette.empty()) put_chunk(bytes, "PLTE", palette);
  uLongf size = compressBound(rows.size());
  Bytes packed(size);
  compress(packed.data(), &size, rows.data(), rows.size());
  packed.resize(size);
  put_chunk(bytes, "IDAT", packed);
  put_chunk(bytes, "IEND", {});
  return bytes;
}

Bytes values(const Tensor& x) {
  return Bytes(x.data<std::uint8_t>(), x.data<std::uint8_t>() + x.numel());
}

struct Fixture {
  test::Folder folder;
  std::string path = folder / "picture";

  Tensor read(const Bytes& bytes, const ReadImageOptions& options = {}) {
    test::write_bytes(path, bytes);
    return read_image(path, options);
  }
  void refuses(const Bytes& bytes, const std::string& text, const ReadImageOptions& options = {}) {
    BOOST_CHECK_EXCEPTION(read(bytes, options), FileError, says("read_image: " + path + ": "));
    BOOST_CHECK_EXCEPTION(read_image(path, options), FileError, says(text));
  }
  // False, said aloud, where this build does not read it.
  bool reads(const Bytes& bytes) {
    try {
      read(bytes);
      return true;
    } catch (const FileError& error) {
      BOOST_CHECK_EXCEPTION(read_image(path), FileError, says("was not found (Debian: lib"));
      BOOST_TEST_MESSAGE("skipped: " << error.what());
      return false;
    }
  }
  bool reads_png() { return reads(png(1, 1, 8, 0, {0, 7})); }
  bool reads_jpeg() { return reads(from_hex(kGreyJpeg)); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(data_image_file, Fixture)

BOOST_AUTO_TEST_CASE(pngs_of_all_kinds) {
  if (!reads_png()) return;
  const Tensor grey = read(png(3, 2, 8, 0, {0, 1, 2, 3, 0, 4, 5, 255}));
  BOOST_CHECK(grey.shape() == (Shape{1, 2, 3}));
  BOOST_CHECK(values(grey) == (Bytes{1, 2, 3, 4, 5, 255}));
  const Tensor colour = read(png(2, 1, 8, 2, {0, 10, 20, 30, 40, 50, 60}));
  BOOST_CHECK(colour.shape() == (Shape{3, 1, 2}));
  BOOST_CHECK(values(colour) == (Bytes{10, 40, 20, 50, 30, 60}));
  // Bits, palettes, 16 bits, transparency.
  BOOST_CHECK(values(read(png(4, 1, 1, 0, {0, 0b10100000}))) == (Bytes{255, 0, 255, 0}));
  BOOST_CHECK(values(read(png(2, 1, 8, 3, {0, 1, 0}, {1, 2, 3, 9, 8, 7}))) ==
              (Bytes{9, 1, 8, 2, 7, 3}));
  BOOST_CHECK(values(read(png(2, 1, 16, 0, {0, 0, 0, 0x80, 0x80}))) == (Bytes{0, 128}));
  BOOST_CHECK(values(read(png(2, 1, 8, 4, {0, 77, 128, 78, 0}))).front() == 77);
  BOOST_CHECK(values(read(png(1, 1, 8, 6, {0, 10, 20, 30, 128}))) == (Bytes{10, 20, 30}));
}

BOOST_AUTO_TEST_CASE(pngs_in_other_modes) {
  if (!reads_png()) return;
  const Bytes grey = png(1, 1, 8, 0, {0, 9}), colour = png(1, 1, 8, 2, {0, 100, 150, 200});
  BOOST_CHECK(values(read(grey, {.mode = ImageMode::rgb})) == (Bytes{9, 9, 9}));
  BOOST_CHECK(values(read(grey, {.mode = ImageMode::grey})) == (Bytes{9}));
  BOOST_CHECK(values(read(colour, {.mode = ImageMode::grey})) == (Bytes{141}));  // 140.75
  BOOST_CHECK(values(read(colour, {.mode = ImageMode::rgb})) == (Bytes{100, 150, 200}));
}

BOOST_AUTO_TEST_CASE(what_save_image_writes) {
  if (!reads_png()) return;
  const Tensor x = xtape::randint(0, 256, {3, 5, 7}, xtape::uint8);
  save_image(folder / "x.png", x, {.padding = 0});
  const Tensor found = read_image(folder / "x.png");
  BOOST_CHECK(found.shape() == x.shape());
  BOOST_CHECK(values(found) == values(x));
}

BOOST_AUTO_TEST_CASE(jpegs) {
  if (!reads_jpeg()) return;
  const Tensor grey = read(from_hex(kGreyJpeg));
  BOOST_CHECK(grey.shape() == (Shape{1, 8, 8}));
  for (std::size_t i = 0; i < 64; ++i) {
    BOOST_CHECK_SMALL(values(grey)[i] - (i % 8 < 4 ? 230.0 : 30.0), 3.0);
  }
  for (const char* text : {kColourJpeg, kProgressiveJpeg}) {
    const Tensor colour = read(from_hex(text));
    BOOST_CHECK(colour.shape() == (Shape{3, 8, 8}));
    const Bytes found = values(colour);
    for (std::size_t i = 0; i < 64; ++i) {
      BOOST_CHECK_SMALL(found[i] - (i % 8 < 4 ? 250.0 : 10.0), 4.0);
      BOOST_CHECK_SMALL(found[64 + i] - (i / 8 < 4 ? 200.0 : 20.0), 4.0);
      BOOST_CHECK_SMALL(found[128 + i] - 60.0, 5.0);
    }
    const Bytes luma = values(read(from_hex(text), {.mode = ImageMode::grey}));
    BOOST_CHECK_SMALL(luma.at(0) - (0.299 * 250 + 0.587 * 200 + 0.114 * 60), 3.0);
  }
  BOOST_CHECK(read(from_hex(kGreyJpeg), {.mode = ImageMode::rgb}).shape() == (Shape{3, 8, 8}));
}

BOOST_AUTO_TEST_CASE(names_that_lie) {
  const std::string png_name = folder / "cat.png", jpeg_name = folder / "cat.JPG";
  test::write_bytes(png_name, from_hex(kGreyJpeg));
  BOOST_CHECK_EXCEPTION(
      read_image(png_name), FileError,
      says("read_image: " + png_name + ": its name says PNG, its content is JPEG"));
  test::write_bytes(jpeg_name, png(1, 1, 8, 0, {0, 7}));
  BOOST_CHECK_EXCEPTION(read_image(jpeg_name), FileError,
                        says(jpeg_name + ": its name says JPEG, its content is PNG"));
}

BOOST_AUTO_TEST_CASE(files_that_are_none) {
  BOOST_CHECK_EXCEPTION(read_image(path), FileError, says("read_image: " + path + ": cannot open"));
  refuses({}, "neither a PNG nor a JPEG file");
  refuses({'G', 'I', 'F', '8'}, "neither a PNG nor a JPEG file");
  BOOST_CHECK_THROW(read_image(path, {.max_pixels = 0}), xtape::ValueError);
}

BOOST_AUTO_TEST_CASE(cut_files) {
  for (const Bytes& whole :
       {png(9, 9, 8, 0, Bytes(90, 0)), from_hex(kColourJpeg), from_hex(kProgressiveJpeg)}) {
    if (!reads(whole)) continue;
    // libjpeg itself puts up with a missing end-of-image marker, the last two bytes.
    for (std::size_t size = 0; size + 2 < whole.size(); ++size) {
      BOOST_CHECK_THROW(read(Bytes(whole.begin(), whole.begin() + static_cast<long>(size))),
                        FileError);
    }
  }
  if (reads_png()) {
    const Bytes whole = png(9, 9, 8, 0, Bytes(90, 0));
    refuses(Bytes(whole.begin(), whole.end() - 1), "it ends before its last chunk, IEND");
    refuses(Bytes(whole.begin(), whole.begin() + 45), "it ends within a chunk of");
  }
}

BOOST_AUTO_TEST_CASE(damaged_files) {
  if (reads_png()) {
    Bytes damaged = png(9, 9, 8, 0, Bytes(90, 0));
    damaged[damaged.size() - 20] ^= 1;  // in the pixels' checksum or before it
    refuses(damaged, "damaged PNG: ");
    refuses(png(9, 9, 8, 0, Bytes(50, 0)), "damaged PNG: ");  // too few rows
    refuses(png(9, 9, 8, 9, Bytes(90, 0)), "damaged PNG: ");  // no such kind
  }
  if (reads_jpeg()) refuses(Bytes{0xff, 0xd8, 0xff, 0xd9}, "damaged JPEG: ");
}

BOOST_AUTO_TEST_CASE(any_changed_byte_gives_a_picture_or_an_error) {
  for (const Bytes& whole :
       {png(4, 4, 8, 2, Bytes(52, 0)), from_hex(kColourJpeg), from_hex(kProgressiveJpeg)}) {
    if (!reads(whole)) continue;
    for (std::size_t i = 0; i < whole.size(); ++i) {
      Bytes changed = whole;
      changed[i] ^= static_cast<std::uint8_t>(1 + i % 255);
      try {
        read(changed, {.max_pixels = 1 << 16});
      } catch (const FileError&) {}
    }
  }
}

BOOST_AUTO_TEST_CASE(bombs_are_refused_before_memory_is_taken) {
  if (reads_png()) {
    const Bytes bomb = png(60000, 60000, 8, 2, {0, 1, 2});
    xtape::memory::reset_peak();
    refuses(bomb, "its size is 60000 x 60000 pixels; expected at least 1 and at most 67108864");
    BOOST_CHECK_LT(xtape::memory::stats().peak_bytes, 1 << 26);
    refuses(png(3, 2, 8, 0, {0, 1, 2, 3, 0, 4, 5, 6}), "at most 5", {.max_pixels = 5});
    BOOST_CHECK_EQUAL(read(png(3, 2, 8, 0, {0, 1, 2, 3, 0, 4, 5, 6}), {.max_pixels = 6}).numel(),
                      6);
  }
  if (reads_jpeg()) {
    Bytes bomb = from_hex(kGreyJpeg);
    const Bytes start_of_frame{0xff, 0xc0};
    const auto frame =
        std::search(bomb.begin(), bomb.end(), start_of_frame.begin(), start_of_frame.end());
    BOOST_REQUIRE(frame != bomb.end());
    std::fill(frame + 5, frame + 9, std::uint8_t{0xf0});  // height and width
    refuses(bomb, "its size is 61680 x 61680 pixels");
  }
}

BOOST_AUTO_TEST_CASE(folders_by_class) {
  for (const char* name : {"dog", "cat"}) std::filesystem::create_directory(folder / name);
  const auto write = [&](const std::string& name, std::uint8_t pixel) {
    test::write_bytes(folder / name, png(1, 1, 8, 0, {0, pixel}));
  };
  write("dog/b.png", 3);
  write("dog/a.PNG", 2);
  write("cat/z.png", 1);
  test::write_bytes(folder / "cat/notes.txt", {1});
  test::write_bytes(folder / "cat/.hidden.png", {1});
  test::write_bytes(folder / "readme.png", {1});
  const ImageFolder images(folder.path().string());
  BOOST_CHECK(images.classes() == (std::vector<std::string>{"cat", "dog"}));
  BOOST_REQUIRE_EQUAL(images.size(), 3);
  BOOST_CHECK_EQUAL(images.path(1), folder / "dog/a.PNG");
  BOOST_CHECK_THROW(images.path(3), xtape::IndexError);
  BOOST_CHECK_THROW(images.get(-1), xtape::IndexError);
  if (!reads_png()) return;
  for (std::int64_t i = 0; i < 3; ++i) {
    const auto [x, y] = images.get(i);
    BOOST_CHECK(x.shape() == (Shape{3, 1, 1}));
    BOOST_CHECK_EQUAL(x.data<std::uint8_t>()[0], i + 1);
    BOOST_CHECK_EQUAL(y.item<std::int64_t>(), i > 0);
  }
  DataLoader loader(TransformedImages(images, {Resize(2, 2)}), {.batch_size = 3, .workers = 2});
  BOOST_CHECK(loader.begin()->x.shape() == (Shape{3, 3, 2, 2}));
  write("dog/c.png", 3);
  const std::string bad = folder / "dog/c.png";
  test::write_bytes(bad, from_hex(kGreyJpeg));
  DataLoader failing(ImageFolder(folder.path().string()), {.batch_size = 4, .workers = 2});
  BOOST_CHECK_EXCEPTION(failing.begin(), FileError, says(bad + ": its name says PNG"));
}

BOOST_AUTO_TEST_CASE(folders_that_are_none) {
  const std::string root = folder.path().string();
  BOOST_CHECK_EXCEPTION(ImageFolder(folder / "none"), FileError, says("none: No such file"));
  BOOST_CHECK_EXCEPTION(ImageFolder{root}, FileError, says(root + ": no folder of a class"));
  std::filesystem::create_directory(folder / "cat");
  BOOST_CHECK_EXCEPTION(ImageFolder{root}, FileError, says("cat: no .png, .jpg or .jpeg in it"));
}

BOOST_AUTO_TEST_SUITE_END()
