// SPDX-License-Identifier: BSD-3-Clause
#include "text.hpp"

#include <algorithm>
#include <array>

#include "../autograd/error.hpp"
#include "../autograd/ops/indexing.hpp"
#include "../autograd/ops/random.hpp"
#include "../autograd/random.hpp"
#include "file.hpp"
#include "utf8.hpp"

namespace xtape::data {
namespace {

// Clear of the streams of loaders, splits, tasks and other generated sets.
constexpr std::uint64_t kStream = (std::uint64_t{3} << 61) + 16;

bool in_word(char c) {
  const auto u = static_cast<unsigned char>(c);
  return u >= 0x80 || (u >= '0' && u <= '9') || (u >= 'A' && u <= 'Z') || (u >= 'a' && u <= 'z');
}

std::vector<std::string> split(std::string_view text, TextUnit unit) {
  std::vector<std::string> tokens;
  for (std::size_t begin = 0, end = 0; begin < text.size(); begin = end) {
    end = begin + 1;
    if (unit == TextUnit::words && in_word(text[begin])) {
      while (end < text.size() && in_word(text[end])) ++end;
    }
    tokens.emplace_back(text.substr(begin, end - begin));
  }
  return tokens;
}

void check_words(const char* who, std::string_view text, TextUnit unit) {
  if (unit != TextUnit::words) return;
  if (const std::size_t at = detail::first_not_utf8(text); at < text.size()) {
    throw ValueError(std::string(who) + ": words need UTF-8, byte " + std::to_string(at) +
                     " is not");
  }
}

// As an error shows it: quoted, or its code where it is no printable ASCII.
std::string shown(const std::string& token) {
  if (token.size() != 1 || (token[0] >= ' ' && token[0] <= '~')) return "'" + token + "'";
  return "byte " + std::to_string(static_cast<unsigned char>(token[0]));
}

Tensor check_tokens(const char* who, const Tensor& tokens) {
  if (!tokens.defined()) throw ValueError(std::string(who) + ": no tokens");
  if (tokens.dim() != 1) {
    throw ShapeError(std::string(who) + ": expected tokens [n], got " + tokens.description());
  }
  if (tokens.dtype() != int64) {
    throw DTypeError(std::string(who) + ": expected int64, got " + tokens.description());
  }
  return tokens.detach().contiguous();
}

}  // namespace

std::string read_text(const std::string& path) {
  detail::InputFile file("read_text", path);
  if (file.size() == 0) file.fail("the file is empty");
  std::string text(static_cast<std::size_t>(file.size()), '\0');
  file.read(text.data(), text.size());
  return text;
}

std::string generate_text(std::int64_t length, std::uint64_t seed) {
  if (length < 0) throw ValueError("generate_text: length " + std::to_string(length));
  static constexpr std::array<const char*, 8> kNouns = {"king",  "queen", "fool",  "river",
                                                        "night", "lover", "sword", "ghost"};
  static constexpr std::array<const char*, 8> kQualities = {"old", "gentle", "silver", "cold",
                                                            "mad", "true",   "silent", "proud"};
  static constexpr std::array<const char*, 8> kActs = {"loves", "fears",   "follows", "sees",
                                                       "mocks", "forgets", "hears",   "wakes"};
  const GeneratorScope scope({.seed = seed, .stream = kStream});
  constexpr std::int64_t kDraws = 1024;
  Tensor draws;
  std::int64_t used = kDraws;
  const auto draw = [&] {
    if (used == kDraws) {
      draws = rand({kDraws}, float64);
      used = 0;
    }
    return static_cast<std::size_t>(draws.data<double>()[used++] * 8);
  };
  std::string text;
  const auto thing = [&] {
    text += "the ";
    if (draw() < 4) text.append(kQualities[draw()]) += ' ';
    text += kNouns[draw()];
  };
  while (text.size() < static_cast<std::size_t>(length)) {
    thing();
    text.append(" ").append(kActs[draw()]) += ' ';
    thing();
    if (draw() < 2) {
      text.append(" and ").append(kActs[draw()]) += ' ';
      thing();
    }
    text += draw() < 6 ? ".\n" : "!\n";
  }
  text.resize(static_cast<std::size_t>(length));
  return text;
}

Vocabulary::Vocabulary(std::string_view text, TextUnit unit) : unit_(unit) {
  if (text.empty()) throw ValueError("Vocabulary: the text is empty");
  check_words("Vocabulary", text, unit);
  labels_.fit(split(text, unit));
}

Tensor Vocabulary::encode(std::string_view text) const {
  check_words("Vocabulary: encode", text, unit_);
  const std::vector<std::string> tokens = split(text, unit_);
  Tensor result = xtape::detail::empty(int64, Shape{static_cast<std::int64_t>(tokens.size())});
  auto* to = xtape::detail::fresh_data<std::int64_t>(result);
  for (const std::string& token : tokens) {
    if ((*to++ = labels_.find(token)) < 0) {
      throw ValueError("Vocabulary: encode: unknown " +
                       std::string(unit_ == TextUnit::words ? "word " : "character ") +
                       shown(token));
    }
  }
  return result;
}

std::string Vocabulary::decode(const Tensor& tokens) const {
  std::string text;
  for (const std::string& token : labels_.inverse_transform(tokens)) text += token;
  return text;
}

ChunkDataset::ChunkDataset(const Tensor& tokens, std::int64_t length, std::int64_t stride)
    : tokens_(check_tokens("ChunkDataset", tokens)),
      length_(length),
      stride_(stride == 0 ? length : stride) {
  if (length < 1 || stride < 0) {
    throw ValueError("ChunkDataset: length " + std::to_string(length) + ", stride " +
                     std::to_string(stride));
  }
  if (tokens_.size(0) <= length) {
    throw ShapeError("ChunkDataset: " + tokens_.description() + " is shorter than a chunk of " +
                     std::to_string(length) + " and the token after it");
  }
  size_ = (tokens_.size(0) - 1 - length) / stride_ + 1;
}

Batch ChunkDataset::get(std::int64_t index) const {
  const Batch one = get_batch({&index, 1});
  return {select(one.x, 0, 0), select(one.y, 0, 0)};
}

Batch ChunkDataset::get_batch(std::span<const std::int64_t> indices) const {
  const Shape shape{static_cast<std::int64_t>(indices.size()), length_};
  Batch batch{xtape::detail::empty(int64, shape), xtape::detail::empty(int64, shape)};
  auto* x = xtape::detail::fresh_data<std::int64_t>(batch.x);
  auto* y = xtape::detail::fresh_data<std::int64_t>(batch.y);
  for (const std::int64_t i : indices) {
    if (i < 0 || i >= size_) {
      throw IndexError("ChunkDataset: chunk " + std::to_string(i) + " of " + std::to_string(size_));
    }
    const std::int64_t* from = tokens_.data<std::int64_t>() + i * stride_;
    x = std::copy_n(from, length_, x);
    y = std::copy_n(from + 1, length_, y);
  }
  return batch;
}

Batch token_streams(const Tensor& tokens, std::int64_t count) {
  const Tensor all = check_tokens("token_streams", tokens);
  if (count < 1) throw ValueError("token_streams: " + std::to_string(count) + " streams");
  const std::int64_t steps = (all.size(0) - 1) / count;
  if (all.size(0) == 0 || steps < 1) {
    throw ShapeError("token_streams: " + all.description() + " is too short for " +
                     std::to_string(count) + " streams");
  }
  const auto streams = [&](std::int64_t begin) {
    return narrow(all, 0, begin, steps * count).reshape({count, steps}).t().contiguous();
  };
  return {streams(0), streams(1)};
}

}  // namespace xtape::data
