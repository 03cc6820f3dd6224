// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/random.hpp>
#include <xtape/nn/containers.hpp>
#include <xtape/nn/linear.hpp>
#include <xtape/nn/losses_regression.hpp>
#include <xtape/nn/shape.hpp>
#include <xtape/optim/adam.hpp>
#include <xtape/optim/augmentation.hpp>
#include <xtape/optim/cross_validate.hpp>

#include <boost/test/unit_test.hpp>

#include "../nn/nn_test.hpp"

namespace {

using namespace xtape;
using nn_test::says;
using nn_test::values;

optim::Augmentation flip(double p) { return optim::Augmentation(data::RandomHorizontalFlip(p)); }

}  // namespace

BOOST_AUTO_TEST_SUITE(optim_augmentation)

BOOST_AUTO_TEST_CASE(each_image_is_changed_by_itself) {
  manual_seed(3);
  optim::Augmentation layer = flip(0.5);
  const Tensor x = tensor({{1, 2}}).reshape({1, 1, 1, 2}).expand({64, 1, 1, 2});
  const Tensor y = layer(x);
  BOOST_TEST((y.shape() == Shape{64, 1, 1, 2}));
  int turned = 0;
  for (std::int64_t i = 0; i < 64; ++i) {
    const std::vector<double> image = values(y[i]);
    BOOST_TEST(image[0] + image[1] == 3);
    turned += image[0] == 2;
  }
  BOOST_TEST(turned > 16);
  BOOST_TEST(turned < 48);
  BOOST_TEST(values(layer(x)) != values(y));
}

BOOST_AUTO_TEST_CASE(evaluation_leaves_images_and_random_numbers_alone) {
  optim::Augmentation layer = flip(1);
  layer.eval();
  const Tensor x = rand({3, 1, 2, 4});
  const auto position = default_generator().position;
  BOOST_TEST(values(layer(x)) == values(x));
  BOOST_TEST(default_generator().position == position);
  layer.train();
  BOOST_TEST(values(layer(x)) != values(x));
}

BOOST_AUTO_TEST_CASE(a_gradient_goes_back_to_where_pixels_came_from) {
  optim::Augmentation layer = flip(1);
  Tensor x = tensor({{1, 2, 4}}).reshape({1, 1, 1, 3});
  x.requires_grad_();
  sum(layer(x) * tensor({{1, 10, 100}})).backward();
  BOOST_TEST(values(x.grad()) == (std::vector<double>{100, 10, 1}));
}

BOOST_AUTO_TEST_CASE(copies_change_images_too) {
  const nn::Sequential one(flip(1));
  nn::Sequential two = one;
  BOOST_TEST(values(two(tensor({{1, 2}}).reshape({1, 1, 1, 2}))) == (std::vector<double>{2, 1}));
}

BOOST_AUTO_TEST_CASE(a_cross_validation_trains_with_it_and_tests_without) {
  const auto losses = [](double p) {
    const auto make = [=](const data::Dataset&) {
      optim::Learner made{.epochs = 0};
      made.model = std::make_unique<nn::Sequential>(flip(p), nn::Flatten(), nn::Linear(4, 1));
      made.optimizer = std::make_unique<optim::Adam>(made.model->parameters());
      made.trainer = std::make_unique<optim::Trainer>(*made.model, nn::MSELoss(), *made.optimizer);
      return made;
    };
    const GeneratorScope scope({.seed = 4});
    const data::TensorDataset images(randn({6, 1, 2, 2}), randn({6, 1}));
    const std::vector<optim::Fold> folds{{{0, 1, 2}, {3, 4, 5}}};
    return optim::cross_validate(make, images, folds).folds;
  };
  BOOST_TEST((losses(1) == losses(0)));
}

BOOST_AUTO_TEST_CASE(images_that_are_none) {
  optim::Augmentation layer = flip(1);
  for (const Shape& shape : {Shape{1, 2, 2}, Shape{0, 1, 2, 2}}) {
    BOOST_CHECK_EXCEPTION(layer(ones(shape)), ShapeError,
                          says("expected images [n, channels, height, width]"));
  }
  BOOST_CHECK_EXCEPTION(layer(Tensor()), Error, says("undefined"));
  BOOST_CHECK_THROW(layer(ones({1, 1, 2, 2}, float64)), DTypeError);
}

BOOST_AUTO_TEST_SUITE_END()
