// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/indexing.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/ops/shape.hpp>
#include <xtape/data/image_transforms.hpp>
#include <xtape/data/loader.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "files.hpp"

using test::says;
using xtape::Shape;
using xtape::Tensor;
using xtape::ValueError;
using namespace xtape::data;

namespace {

using Floats = std::vector<float>;

Floats values(const Tensor& x) {
  const Tensor dense = x.contiguous();
  return Floats(dense.data<float>(), dense.data<float>() + dense.numel());
}

Tensor image(const Floats& x, const Shape& shape) {
  return xtape::from_values(std::span<const float>(x), shape);
}

void close(const Tensor& x, const Floats& expected, float tolerance = 1e-6F) {
  const Floats found = values(x);
  BOOST_REQUIRE_EQUAL(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    BOOST_CHECK_SMALL(found[i] - expected[i], tolerance);
  }
}

// What comes out in many draws.
std::set<Floats> outcomes(const ImageTransform& transform, const Tensor& x, int draws = 200) {
  xtape::manual_seed(1);
  std::set<Floats> found;
  for (int i = 0; i < draws; ++i) found.insert(values(transform(x)));
  return found;
}

Tensor three_by_two() { return image({1, 2, 3, 4, 5, 6}, {1, 2, 3}); }

}  // namespace

BOOST_AUTO_TEST_SUITE(data_image_transforms)

BOOST_AUTO_TEST_CASE(flips) {
  const Tensor x = three_by_two();
  BOOST_CHECK(outcomes(RandomHorizontalFlip(1), x) == (std::set<Floats>{{3, 2, 1, 6, 5, 4}}));
  BOOST_CHECK(outcomes(RandomVerticalFlip(1), x) == (std::set<Floats>{{4, 5, 6, 1, 2, 3}}));
  BOOST_CHECK(outcomes(RandomHorizontalFlip(0), x) == std::set<Floats>{values(x)});
  BOOST_CHECK_EQUAL(outcomes(RandomHorizontalFlip(), x).size(), 2u);
  int flipped = 0;
  for (int i = 0; i < 1000; ++i) flipped += values(RandomHorizontalFlip(0.2)(x))[0] == 3;
  BOOST_CHECK(flipped > 135 && flipped < 265);  // 200, give or take 5 sigma
  BOOST_CHECK_THROW(RandomHorizontalFlip(1.1), ValueError);
  BOOST_CHECK_THROW(RandomVerticalFlip(std::nan("")), ValueError);
}

BOOST_AUTO_TEST_CASE(crops) {
  const Tensor x = three_by_two();
  const std::set<Floats> squares = {{1, 2, 4, 5}, {2, 3, 5, 6}};
  BOOST_CHECK(outcomes(RandomCrop(2, 2), x) == squares);
  // With one pixel around it, each of the 4 x 5 pixels.
  const auto single = outcomes(RandomCrop(1, 1, {.padding = 1, .fill = 9}), x);
  BOOST_CHECK(single == (std::set<Floats>{{1}, {2}, {3}, {4}, {5}, {6}, {9}}));
  BOOST_CHECK_EQUAL(outcomes(RandomCrop(2, 3, {.padding = 1}), x).size(), 9u);
  BOOST_CHECK(values(CenterCrop(2, 1)(x)) == (Floats{2, 5}));
  BOOST_CHECK_EXCEPTION(RandomCrop(3, 3)(x), xtape::ShapeError,
                        says("RandomCrop: no 3 x 3 pixels in"));
  BOOST_CHECK_THROW(CenterCrop(1, 4)(x), xtape::ShapeError);
  BOOST_CHECK_THROW(RandomCrop(0, 3), ValueError);
  BOOST_CHECK_THROW(RandomCrop(3, 3, {.padding = -1}), ValueError);
}

BOOST_AUTO_TEST_CASE(resize) {
  BOOST_CHECK(Resize(4, 6)(three_by_two()).shape() == (Shape{1, 4, 6}));
  close(Resize(1, 1)(image({1, 2, 3, 6}, {1, 2, 2})), {3});
  BOOST_CHECK_THROW(Resize(1, 0), ValueError);
}

BOOST_AUTO_TEST_CASE(rotations_keep_lengths) {
  BOOST_CHECK(outcomes(RandomRotation(0), three_by_two(), 3) ==
              std::set<Floats>{values(three_by_two())});
  // A spot five pixels to the right of the middle of a wide image.
  Floats spot(static_cast<std::size_t>(15 * 31), 0.0F);
  spot[7 * 31 + 20] = 1;
  const Tensor x = image(spot, {1, 15, 31});
  xtape::manual_seed(3);
  int above = 0, below = 0;
  for (int i = 0; i < 50; ++i) {
    const Floats turned = values(RandomRotation(60)(x));
    double mass = 0, across = 0, down = 0;
    for (int p = 0; p < 15 * 31; ++p) {
      mass += static_cast<double>(turned[static_cast<std::size_t>(p)]);
      across += static_cast<double>(turned[static_cast<std::size_t>(p)]) * (p % 31 - 15);
      down += static_cast<double>(turned[static_cast<std::size_t>(p)]) * (p / 31 - 7);
    }
    BOOST_CHECK_SMALL(std::hypot(across, down) / mass - 5, 0.3);
    BOOST_CHECK_GT(across / mass, 5 * 0.5 - 0.3);  // cos 60
    (down > 0 ? below : above)++;
  }
  BOOST_CHECK(above > 8 && below > 8);
  close(RandomRotation(0, 0.5)(x), spot, 1e-5F);
  BOOST_CHECK_THROW(RandomRotation(-1), ValueError);
  BOOST_CHECK_THROW(RandomRotation(181), ValueError);
}

BOOST_AUTO_TEST_CASE(colours) {
  const Tensor x = image({0.2F, 0.4F, 0.6F}, {3, 1, 1});
  const float grey = 0.299F * 0.2F + 0.587F * 0.4F + 0.114F * 0.6F;
  BOOST_CHECK(values(ColorJitter({})(x)) == values(x));
  xtape::manual_seed(2);
  for (int i = 0; i < 50; ++i) {
    const Floats bright = values(ColorJitter({.brightness = 0.5})(x));
    BOOST_CHECK(bright[0] >= 0.1F && bright[0] < 0.3F);
    BOOST_CHECK_CLOSE(bright[2] / bright[0], 3.0F, 1e-3);
    const Floats vivid = values(ColorJitter({.saturation = 0.5})(x));
    BOOST_CHECK_CLOSE((vivid[2] - grey) / (vivid[0] - grey), (0.6F - grey) / (0.2F - grey), 1e-2);
    // One pixel alone: its grey is the mean.
    const Floats strong = values(ColorJitter({.contrast = 0.5})(x));
    BOOST_CHECK_CLOSE((strong[2] - grey) / (strong[0] - grey), (0.6F - grey) / (0.2F - grey), 1e-2);
    Floats hue = values(ColorJitter({.hue = 0.5})(x));
    BOOST_CHECK_CLOSE(*std::max_element(hue.begin(), hue.end()), 0.6F, 1e-3);
    BOOST_CHECK_CLOSE(*std::min_element(hue.begin(), hue.end()), 0.2F, 1e-3);
  }
  const Floats most = values(ColorJitter({.brightness = 100})(x));
  BOOST_CHECK(*std::max_element(most.begin(), most.end()) <= 1);
  // Grey stays grey.
  close(ColorJitter({.saturation = 1, .hue = 0.5})(xtape::full({3, 2, 2}, 0.25)),
        Floats(12, 0.25F));
  BOOST_CHECK_EQUAL(values(ColorJitter({.saturation = 1, .hue = 0.5})(narrow(x, 0, 0, 1)))[0],
                    0.2F);
  BOOST_CHECK_THROW(ColorJitter({.brightness = -1}), ValueError);
  BOOST_CHECK_THROW(ColorJitter({.hue = 0.6}), ValueError);
}

BOOST_AUTO_TEST_CASE(a_full_turn_of_the_hue_changes_nothing_a_third_permutes) {
  // Drawn turns are in [-0.5, 0.5): of red, all three of its turned forms are on the hexagon.
  xtape::manual_seed(5);
  for (int i = 0; i < 50; ++i) {
    const Floats turned = values(ColorJitter({.hue = 0.5})(image({1, 0, 0}, {3, 1, 1})));
    Floats sorted = turned;
    std::sort(sorted.begin(), sorted.end());
    BOOST_CHECK_SMALL(sorted[0], 1e-6F);
    BOOST_CHECK_CLOSE(sorted[2], 1.0F, 1e-4);
  }
}

BOOST_AUTO_TEST_CASE(normalize) {
  const Tensor x = image({1, 2, 3, 4}, {2, 1, 2});
  close(Normalize({1, 2}, {2, 4})(x), {0, 0.5F, 0.25F, 0.5F});
  close(Normalize({1}, {2})(x), {0, 0.5F, 1, 1.5F});
  BOOST_CHECK_THROW(Normalize({1, 2, 3}, {1, 1, 1})(x), xtape::ShapeError);
  BOOST_CHECK_THROW(Normalize({1, 2}, {1}), ValueError);
  BOOST_CHECK_THROW(Normalize({}, {}), ValueError);
  BOOST_CHECK_THROW(Normalize({0}, {0}), ValueError);
}

BOOST_AUTO_TEST_CASE(several_one_after_the_other) {
  const ImageTransforms both(Normalize({1}, {2}), Normalize({0}, {4}));
  close(both(image({9}, {1, 1, 1})), {1});
  close(ImageTransforms()(image({9}, {1, 1, 1})), {9});
}

BOOST_AUTO_TEST_CASE(images_that_are_none) {
  BOOST_CHECK_EXCEPTION(RandomHorizontalFlip()(xtape::ones({2, 2})), xtape::ShapeError,
                        says("expected an image [channels, height, width]"));
  BOOST_CHECK_THROW(RandomRotation(5)(xtape::ones({1, 2, 2}, xtape::float64)), xtape::DTypeError);
  BOOST_CHECK_THROW(Resize(1, 1)(xtape::ones({3, 0, 2})), xtape::ShapeError);
  BOOST_CHECK_THROW(TransformedImages(TensorDataset(xtape::arange(3)), {}).get(0),
                    xtape::DTypeError);
}

BOOST_AUTO_TEST_CASE(the_same_for_any_number_of_workers) {
  const Tensor pixels = xtape::randint(0, 256, {12, 3, 8, 9}, xtape::uint8);
  const TransformedImages augmented(
      TensorDataset(pixels, xtape::arange(12)),
      {RandomCrop(8, 9, {.padding = 2}), RandomHorizontalFlip(), RandomRotation(20),
       ColorJitter({.brightness = 0.2, .contrast = 0.2, .saturation = 0.2, .hue = 0.1}),
       Normalize({0.5}, {0.25})});
  const auto all = [&](std::int64_t batch_size, int workers, std::int64_t epoch) {
    DataLoader loader(augmented,
                      {.batch_size = batch_size, .shuffle = true, .seed = 4, .workers = workers});
    loader.set_epoch(epoch);
    Floats result;
    for (const auto& [x, y] : loader) {
      BOOST_CHECK(x.shape() == (Shape{y.size(0), 3, 8, 9}));
      const Floats part = values(x);
      result.insert(result.end(), part.begin(), part.end());
    }
    return result;
  };
  const Floats alone = all(4, 0, 0);
  for (const int workers : {1, 3}) BOOST_CHECK(all(4, workers, 0) == alone);
  BOOST_CHECK(all(5, 2, 0) == alone);
  BOOST_CHECK(all(4, 2, 1) != alone);
}

BOOST_AUTO_TEST_CASE(without_transforms_bytes_become_shares) {
  const Tensor pixels = xtape::tensor({{0, 255}}, xtape::uint8).reshape({1, 1, 1, 2});
  const Batch sample = TransformedImages(TensorDataset(pixels, xtape::ones({1})), {}).get(0);
  BOOST_CHECK(values(sample.x) == (Floats{0, 1}));
  BOOST_CHECK_EQUAL(sample.y.item<float>(), 1);
}

BOOST_AUTO_TEST_SUITE_END()
