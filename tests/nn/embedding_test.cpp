// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/nn/bilinear.hpp>
#include <xtape/nn/embedding.hpp>

#include <cmath>

#include "modules.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using namespace nn_test;

const std::string kFile = "layers.safetensors";

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_embedding)

BOOST_AUTO_TEST_CASE(embedding_is_pytorchs) {
  check_reference(kFile, "embedding", nn::Embedding(7, 5));
  check_reference(kFile, "embedding_padding", nn::Embedding(7, 5, {.padding_idx = 2}));
  check_reference(kFile, "embedding_frequency", nn::Embedding(7, 5, {.scale_grad_by_freq = true}));
  check_reference(kFile, "embedding_max_norm", nn::Embedding(7, 5, {.max_norm = 1.5}));
}

BOOST_AUTO_TEST_CASE(embedding_bag_is_pytorchs) {
  const auto run = [](nn::EmbeddingBag& m, const Tensors& x) {
    return Tensors{m(x[0], x.size() > 1 ? x[1] : Tensor(), x.size() > 2 ? x[2] : Tensor())};
  };
  const std::pair<const char*, BagMode> modes[] = {
      {"sum", BagMode::sum}, {"mean", BagMode::mean}, {"max", BagMode::max}};
  for (const auto& [name, mode] : modes) {
    const std::string base = std::string("embedding_bag_") + name;
    check_reference(kFile, base, nn::EmbeddingBag(7, 5, {.mode = mode}), run);
    check_reference(kFile, base + "_offsets", nn::EmbeddingBag(7, 5, {.mode = mode}), run);
  }
  check_reference(kFile, "embedding_bag_padding", nn::EmbeddingBag(7, 5, {.padding_idx = 2}), run);
  check_reference(kFile, "embedding_bag_weights", nn::EmbeddingBag(7, 5, {.mode = BagMode::sum}),
                  run);
}

BOOST_AUTO_TEST_CASE(bilinear_is_pytorchs) {
  const auto run = [](nn::Bilinear& m, const Tensors& x) { return Tensors{m(x[0], x[1])}; };
  check_reference(kFile, "bilinear", nn::Bilinear(3, 4, 2), run);
  check_reference(kFile, "bilinear_plain", nn::Bilinear(3, 4, 2, {.bias = false}), run);
}

BOOST_AUTO_TEST_CASE(tables_start_normal) {
  manual_seed(1);
  const nn::Embedding table(1000, 20, {.padding_idx = -1});
  double sum = 0, squares = 0;
  const std::vector<double> w = values(table.weight);
  for (const double v : w) sum += v, squares += v * v;
  BOOST_TEST(std::abs(sum / 20000) < 0.04);
  BOOST_TEST(std::abs(squares / 20000 - 1) < 0.05);
  BOOST_TEST(w.back() == 0);
  BOOST_TEST(w[w.size() - 21] != 0);
}

BOOST_AUTO_TEST_CASE(embedding_errors) {
  nn::Embedding table(3, 2);
  BOOST_CHECK_EXCEPTION(table(tensor({3}, int64)), IndexError,
                        says("Embedding: embedding: index 3 is out of range for 3 rows"));
  BOOST_CHECK_THROW(table(zeros({2})), DTypeError);
  BOOST_CHECK_THROW(nn::Embedding(0, 2), ValueError);
  BOOST_CHECK_THROW(nn::Embedding(3, 2, {.padding_idx = 3}), IndexError);
  nn::Bilinear bilinear(3, 4, 2);
  BOOST_CHECK_EXCEPTION(bilinear(zeros({5, 3}), zeros({6, 4})), ShapeError,
                        says("equal leading sizes, got [5, 3] and [6, 4]"));
  BOOST_CHECK_THROW(nn::Bilinear(3, 0, 2), ValueError);
}

BOOST_AUTO_TEST_SUITE_END()
