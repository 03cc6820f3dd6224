// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "../autograd/export.hpp"
#include "dataset.hpp"
#include "encoding.hpp"

// Text for language models.
namespace xtape::data {

/// The bytes of a file. Throws FileError, for an empty one too.
XTAPE_API std::string read_text(const std::string& path);

/// Sentences of a small grammar, a line each, cut at `length` characters. They depend on the seed
/// alone. Throws ValueError for a negative length.
XTAPE_API std::string generate_text(std::int64_t length, std::uint64_t seed = 0);

/// What counts as one token: a byte; or a run of letters, digits and what is not ASCII, every other
/// byte (spaces too) alone. Either way the tokens of a text, joined, are the text.
enum class TextUnit : std::uint8_t { characters, words };

/// Numbers the tokens of a text by their place among the different ones in sorted order (by bytes).
class XTAPE_API Vocabulary {
 public:
  explicit Vocabulary(TextUnit unit = TextUnit::characters) : unit_(unit) {}
  /// Throws ValueError for an empty text, and for words in one that is not UTF-8.
  explicit Vocabulary(std::string_view text, TextUnit unit = TextUnit::characters);

  std::int64_t size() const noexcept { return static_cast<std::int64_t>(labels_.classes().size()); }
  const std::vector<std::string>& tokens() const noexcept { return labels_.classes(); }

  /// int64 [tokens]. Throws ValueError on a token that the vocabulary does not have.
  Tensor encode(std::string_view text) const;
  /// The text of int64 [n]. Throws ShapeError, DTypeError, IndexError.
  std::string decode(const Tensor& tokens) const;

  /// "classes.bytes" and "classes.ends", for safetensors files; the unit is the maker's to know.
  NamedTensors state() const { return labels_.state(); }
  void load_state(const NamedTensors& state) { labels_.load_state(state); }

 private:
  TextUnit unit_;
  LabelEncoder labels_;
};

/// Chunks of a text side by side: sample i is x = tokens[i stride : i stride + length], and y the
/// same one token later.
class XTAPE_API ChunkDataset : public Dataset {
 public:
  /// A stride of 0 is `length`. Throws ShapeError unless tokens [n] hold a chunk and one more,
  /// DTypeError unless they are int64, ValueError for sizes out of range.
  ChunkDataset(const Tensor& tokens, std::int64_t length, std::int64_t stride = 0);

  std::int64_t size() const override { return size_; }
  Batch get(std::int64_t index) const override;
  /// Both int64 [batch, length]. Throws IndexError.
  Batch get_batch(std::span<const std::int64_t> indices) const override;

 private:
  Tensor tokens_;
  std::int64_t length_, stride_, size_ = 0;
};

/// A text cut into `count` streams of equal length that are read side by side, so that the state
/// after one batch is the state before the next: what truncated backpropagation carries on. What
/// does not fill the streams is left out at the end. Returns x and y, y a token later, both int64
/// [steps, count]. Throws ShapeError, DTypeError, ValueError.
XTAPE_API Batch token_streams(const Tensor& tokens, std::int64_t count);

}  // namespace xtape::data
