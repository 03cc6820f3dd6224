// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/data/digits.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstring>
#include <vector>

using xtape::Shape;
using xtape::data::Digits;
using xtape::data::generate_digits;

namespace {

constexpr std::int64_t kPixels = 28 * 28;

bool same_bits(const float* a, const float* b, std::int64_t count) {
  return std::memcmp(a, b, static_cast<std::size_t>(count) * sizeof(float)) == 0;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(data_digits)

BOOST_AUTO_TEST_CASE(shapes_and_ranges) {
  const Digits d = generate_digits(1000, 5);
  BOOST_CHECK(d.images.dtype() == xtape::float32 && d.labels.dtype() == xtape::int64);
  BOOST_CHECK(d.images.shape() == (Shape{1000, 1, 28, 28}));
  BOOST_CHECK(d.labels.shape() == (Shape{1000}));
  const float* pixels = d.images.data<float>();
  const auto [low, high] = std::minmax_element(pixels, pixels + d.images.numel());
  BOOST_CHECK_GE(*low, 0);
  BOOST_CHECK_LE(*high, 1);
  std::vector<int> count(10);
  for (std::int64_t i = 0; i < 1000; ++i) {
    const std::int64_t label = d.labels.data<std::int64_t>()[i];
    BOOST_REQUIRE(label >= 0 && label < 10);
    ++count[static_cast<std::size_t>(label)];
    // A figure in each: some ink, most of it paper.
    const auto ink = std::count_if(pixels + i * kPixels, pixels + (i + 1) * kPixels,
                                   [](float p) { return p > 0.5f; });
    BOOST_CHECK(ink > 10 && ink < 300);
  }
  for (const int c : count) BOOST_CHECK(c > 60 && c < 140);
}

BOOST_AUTO_TEST_CASE(a_sample_depends_on_seed_and_number_alone) {
  const Digits few = generate_digits(70, 9), many = generate_digits(500, 9),
               other = generate_digits(70, 10);
  BOOST_CHECK(same_bits(few.images.data<float>(), many.images.data<float>(), 70 * kPixels));
  BOOST_CHECK(!same_bits(few.images.data<float>(), other.images.data<float>(), kPixels));
  BOOST_CHECK(!same_bits(few.images.data<float>(), few.images.data<float>() + kPixels, kPixels));
}

BOOST_AUTO_TEST_CASE(the_same_bits_everywhere) {
  // Not computed elsewhere: it holds every build on every machine to one and the same result, and
  // changes when the drawing does. FNV-1a over the pixels' bytes.
  const Digits d = generate_digits(200, 1);
  const auto* bytes = reinterpret_cast<const unsigned char*>(d.images.data<float>());
  std::uint64_t hash = 14695981039346656037u;
  for (std::int64_t i = 0; i < 4 * d.images.numel(); ++i) hash = (hash ^ bytes[i]) * 1099511628211u;
  BOOST_CHECK_EQUAL(hash, 13151016962689140098u);
}

BOOST_AUTO_TEST_CASE(the_pictures_show_their_labels) {
  // The nearest mean picture of another set is already right far more often than one in ten.
  const Digits train = generate_digits(3000, 1), test = generate_digits(1000, 2);
  std::vector<std::vector<double>> mean(10, std::vector<double>(kPixels));
  std::vector<int> count(10);
  for (std::int64_t i = 0; i < 3000; ++i) {
    const auto label = static_cast<std::size_t>(train.labels.data<std::int64_t>()[i]);
    ++count[label];
    for (std::int64_t k = 0; k < kPixels; ++k) {
      mean[label][k] += train.images.data<float>()[i * kPixels + k];
    }
  }
  int right = 0;
  for (std::int64_t i = 0; i < 1000; ++i) {
    std::vector<double> distance(10);
    for (std::size_t c = 0; c < 10; ++c) {
      for (std::int64_t k = 0; k < kPixels; ++k) {
        const double d = mean[c][k] / count[c] - test.images.data<float>()[i * kPixels + k];
        distance[c] += d * d;
      }
    }
    const auto best = std::min_element(distance.begin(), distance.end()) - distance.begin();
    right += best == test.labels.data<std::int64_t>()[i];
  }
  BOOST_CHECK_GT(right, 600);
}

BOOST_AUTO_TEST_CASE(counts) {
  BOOST_CHECK(generate_digits(0).images.shape() == (Shape{0, 1, 28, 28}));
  BOOST_CHECK_THROW(generate_digits(-1), xtape::ValueError);
}

BOOST_AUTO_TEST_SUITE_END()
