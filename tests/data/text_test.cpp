// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/data/text.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

#include "files.hpp"

using test::says;
using xtape::Shape;
using xtape::Tensor;
using xtape::ValueError;
using xtape::data::Batch;
using xtape::data::ChunkDataset;
using xtape::data::TextUnit;
using xtape::data::Vocabulary;

namespace {

using Numbers = std::vector<std::int64_t>;

Numbers numbers(const Tensor& x) {
  BOOST_REQUIRE(x.dtype() == xtape::int64 && x.is_contiguous());
  return {x.data<std::int64_t>(), x.data<std::int64_t>() + x.numel()};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(data_text)

BOOST_AUTO_TEST_CASE(characters_there_and_back) {
  const Vocabulary letters("banana\xff");
  BOOST_CHECK_EQUAL(letters.size(), 4);
  BOOST_CHECK(numbers(letters.encode("nab\xff")) == (Numbers{2, 0, 1, 3}));
  BOOST_CHECK_EQUAL(letters.decode(letters.encode("nab\xff")), "nab\xff");
  BOOST_CHECK(letters.encode("").shape() == Shape{0});
  BOOST_CHECK_EXCEPTION(letters.encode("band"), ValueError, says("unknown character 'd'"));
  BOOST_CHECK_EXCEPTION(letters.encode("\n"), ValueError, says("unknown character byte 10"));
  BOOST_CHECK_THROW(letters.decode(xtape::full({1}, 4, xtape::int64)), xtape::IndexError);
}

BOOST_AUTO_TEST_CASE(words_keep_all_that_stands_between_them) {
  const std::string text = "Die K\xc3\xb6nigin, die\n2 K\xc3\xb6nige.";
  const Vocabulary words(text, TextUnit::words);
  BOOST_CHECK_EQUAL(words.size(), 9);
  BOOST_CHECK_EQUAL(words.encode(text).numel(), 11);
  BOOST_CHECK_EQUAL(words.decode(words.encode(text)), text);
  BOOST_CHECK_EXCEPTION(words.encode("Die Katze"), ValueError, says("unknown word 'Katze'"));
}

BOOST_AUTO_TEST_CASE(words_need_utf8) {
  for (const char* good : {"\xc2\x80", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"}) {
    BOOST_CHECK_EQUAL(Vocabulary(good, TextUnit::words).size(), 1);
  }
  for (const char* bad : {"\x80", "\xc1\xbf", "\xc3", "\xc3(", "\xe0\x9f\xbf", "\xed\xa0\x80",
                          "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80"}) {
    BOOST_CHECK_EXCEPTION(Vocabulary(std::string("ab") + bad, TextUnit::words), ValueError,
                          says("byte 2 is not"));
    BOOST_CHECK_NO_THROW(Vocabulary{bad});
  }
  BOOST_CHECK_THROW(Vocabulary(""), ValueError);
}

BOOST_AUTO_TEST_CASE(a_vocabulary_is_saved) {
  const Vocabulary first("to be or not", TextUnit::words);
  Vocabulary second(TextUnit::words);
  BOOST_CHECK_THROW(second.load_state({}), ValueError);
  second.load_state(first.state());
  BOOST_CHECK(second.tokens() == first.tokens());
  BOOST_CHECK(numbers(second.encode("be not")) == numbers(first.encode("be not")));
}

BOOST_AUTO_TEST_CASE(chunks_and_what_follows) {
  const Tensor tokens = xtape::arange(10, 20, 1, xtape::int64);
  const ChunkDataset chunks(tokens, 3);
  BOOST_CHECK_EQUAL(chunks.size(), 3);
  const Numbers both = {2, 0};
  const Batch batch = chunks.get_batch(both);
  BOOST_CHECK(batch.x.shape() == (Shape{2, 3}));
  BOOST_CHECK(numbers(batch.x) == (Numbers{16, 17, 18, 10, 11, 12}));
  BOOST_CHECK(numbers(batch.y) == (Numbers{17, 18, 19, 11, 12, 13}));
  BOOST_CHECK(chunks.get(1).y.shape() == Shape{3});
  BOOST_CHECK_EQUAL(ChunkDataset(tokens, 9).size(), 1);
  BOOST_CHECK_EQUAL(ChunkDataset(tokens, 3, 1).size(), 7);
  BOOST_CHECK_THROW(ChunkDataset(tokens, 10), xtape::ShapeError);
  BOOST_CHECK_THROW(ChunkDataset(tokens, 0), ValueError);
  BOOST_CHECK_THROW(ChunkDataset(tokens, 1, -1), ValueError);
  BOOST_CHECK_THROW(ChunkDataset(tokens.to(xtape::float32), 3), xtape::DTypeError);
  BOOST_CHECK_THROW(ChunkDataset(tokens.reshape({2, 5}), 3), xtape::ShapeError);
  BOOST_CHECK_THROW(chunks.get(3), xtape::IndexError);
}

BOOST_AUTO_TEST_CASE(streams_side_by_side) {
  const auto [x, y] = xtape::data::token_streams(xtape::arange(0, 9, 1, xtape::int64), 3);
  BOOST_CHECK(x.shape() == (Shape{2, 3}));
  BOOST_CHECK(numbers(x) == (Numbers{0, 2, 4, 1, 3, 5}));
  BOOST_CHECK(numbers(y) == (Numbers{1, 3, 5, 2, 4, 6}));
  const Tensor few = xtape::arange(0, 3, 1, xtape::int64);
  BOOST_CHECK_THROW(xtape::data::token_streams(few, 3), xtape::ShapeError);
  BOOST_CHECK_THROW(xtape::data::token_streams(few, 0), ValueError);
}

BOOST_AUTO_TEST_CASE(a_grammar_speaks) {
  const std::string text = xtape::data::generate_text(5000, 7);
  BOOST_CHECK_EQUAL(text.size(), 5000);
  BOOST_CHECK_EQUAL(text.substr(0, 4), "the ");
  BOOST_CHECK_EQUAL(xtape::data::generate_text(100, 7), text.substr(0, 100));
  BOOST_CHECK_NE(xtape::data::generate_text(100, 8), text.substr(0, 100));
  BOOST_CHECK_EQUAL(xtape::data::generate_text(0), "");
  BOOST_CHECK_THROW(xtape::data::generate_text(-1), ValueError);
}

BOOST_AUTO_TEST_CASE(files_of_text) {
  const test::Folder folder;
  test::write_bytes(folder / "a", {'h', 'i', 0, 255});
  BOOST_CHECK_EQUAL(xtape::data::read_text(folder / "a"), std::string("hi\0\xff", 4));
  test::write_bytes(folder / "b", {});
  BOOST_CHECK_EXCEPTION(xtape::data::read_text(folder / "b"), xtape::FileError, says("is empty"));
  BOOST_CHECK_THROW(xtape::data::read_text(folder / "c"), xtape::FileError);
}

BOOST_AUTO_TEST_SUITE_END()
