// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/matmul.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/random.hpp>
#include <xtape/data/loader.hpp>
#include <xtape/nn/containers.hpp>
#include <xtape/nn/linear.hpp>
#include <xtape/nn/losses_regression.hpp>
#include <xtape/nn/normalization.hpp>
#include <xtape/nn/penalties.hpp>
#include <xtape/optim/sgd.hpp>
#include <xtape/optim/trainer.hpp>

#include "nn_test.hpp"

namespace {

using namespace xtape;
using nn_test::check_values;
using nn_test::says;

// The weights of a linear unit after twenty epochs on y = 2 x0 - x1, with a loss of one's own.
template <class Loss>
Tensor fitted(nn::Linear& unit, Loss loss, double weight_decay = 0) {
  manual_seed(2);
  unit.weight.set_data(tensor({{0.5, 0.5, 0.5, 0.5}}));
  const Tensor x = randn({64, 4});
  const Tensor y = matmul(x, tensor({2, -1, 0, 0}).unsqueeze(1));
  optim::SGD optimizer(unit.parameters(), {.lr = 0.05, .weight_decay = weight_decay});
  data::DataLoader loader(data::TensorDataset(x, y), {.batch_size = 16});
  optim::Trainer(unit, loss, optimizer).fit(loader, {.epochs = 20});
  return unit.weight.detach();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_penalties)

BOOST_AUTO_TEST_CASE(sums_over_weights) {
  nn::Sequential net(nn::Linear(2, 1), nn::LayerNorm({1}), nn::Linear(1, 2));
  const std::vector<Tensor> p = net.parameters();  // weight, bias, scale, bias, weight, bias
  net.named_parameters()[0].second.set_data(tensor({{3, -4}}));
  net.named_parameters()[4].second.set_data(tensor({0, -2}).unsqueeze(1));
  const Tensor l1 = nn::l1_penalty(net);
  check_values(l1, {9});
  l1.backward();
  check_values(p[0].grad(), {1, -1});
  check_values(p[4].grad(), {0, -1});
  for (const std::size_t i : {1u, 2u, 3u, 5u}) BOOST_TEST(!p[i].grad().defined());

  const Tensor l2 = nn::l2_penalty(net);
  check_values(l2, {29});
  net.zero_grad();
  l2.backward();
  check_values(p[0].grad(), {6, -8});
  check_values(nn::l2_penalty({p[2]}), {1});  // a list is taken as it is
  check_values(nn::l1_penalty({p[4], p[4]}), {4});
}

BOOST_AUTO_TEST_CASE(where_there_is_nothing) {
  BOOST_CHECK_EXCEPTION(nn::l1_penalty(std::vector<Tensor>{}), ValueError,
                        says("l1_penalty: there are no weights"));
  BOOST_CHECK_EXCEPTION(nn::l2_penalty(nn::LayerNorm({4})), ValueError,
                        says("l2_penalty: there are no weights"));
}

BOOST_AUTO_TEST_CASE(in_a_fit) {
  nn::Linear unit(4, 1, {.bias = false});
  const auto mse = [](const Tensor& p, const Tensor& y) { return nn::mse_loss(p, y); };
  const Tensor decayed = fitted(unit, mse, 0.2);
  const Tensor squares = fitted(unit, [&](const Tensor& p, const Tensor& y) {
    return mse(p, y) + 0.1 * nn::l2_penalty(unit);
  });
  check_values(squares, nn_test::values(decayed), 1e-6);
  const std::vector<double> sparse =
      nn_test::values(fitted(unit, [&](const Tensor& p, const Tensor& y) {
        return mse(p, y) + 0.4 * nn::l1_penalty(unit);
      }));
  BOOST_TEST(sparse[0] > 1.5);
  BOOST_TEST(sparse[1] < -0.5);
  BOOST_TEST(std::abs(sparse[2]) < 0.03);  // steps of lr * 0.4 about 0
  BOOST_TEST(std::abs(sparse[3]) < 0.03);
}

BOOST_AUTO_TEST_SUITE_END()
