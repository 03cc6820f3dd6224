// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/nn/activations.hpp>
#include <xtape/nn/containers.hpp>
#include <xtape/nn/linear.hpp>

#include "nn_test.hpp"

namespace {

using namespace xtape;
using nn_test::says;

nn::Sequential example() { return nn::Sequential(nn::Linear(2, 3), nn::ReLU(), nn::Linear(3, 1)); }

struct Model : nn::Module {
  nn::Sequential body = example();
  std::vector<nn::AnyModule> heads{nn::Linear(1, 1), nn::ReLU()};
  XTAPE_PARTS(body, heads)
  Tensor forward(const Tensor& x) override { return heads[1](heads[0](body(x))); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_containers)

BOOST_AUTO_TEST_CASE(sequential_calls_one_after_the_other) {
  nn::Sequential net = example();
  const Tensor x = tensor({{1, -2}, {3, 4}});
  Tensor y = net[0](x);
  y = net[1](y);
  y = net[2](y);
  nn_test::check_values(net(x), nn_test::values(y));
  BOOST_TEST(net.size() == 3);
  BOOST_TEST(nn::Sequential().empty());
  nn_test::check_values(nn::Sequential()(x), {1, -2, 3, 4});
}

BOOST_AUTO_TEST_CASE(sequential_names_its_parts_by_number) {
  nn::Sequential net = example();
  const auto named = net.named_parameters();
  BOOST_REQUIRE(named.size() == 4u);
  BOOST_TEST(named[0].first == "0.weight");
  BOOST_TEST(named[3].first == "2.bias");
  Model model;
  BOOST_TEST(model.named_parameters()[0].first == "body.0.weight");
  BOOST_TEST(model.named_parameters()[4].first == "heads.0.weight");
}

BOOST_AUTO_TEST_CASE(sequential_gives_its_modules) {
  nn::Sequential net = example();
  BOOST_TEST(net.at<nn::Linear>(0).weight.value() == net.parameters()[0].value());
  BOOST_TEST(net[-1].type_name() == "Linear");
  BOOST_TEST(net[-2].type_name() == "ReLU");
  BOOST_CHECK_EXCEPTION(net[3], IndexError,
                        says("Sequential: index 3 is out of range for 3 modules"));
  BOOST_CHECK_EXCEPTION(net.at<nn::Linear>(1), ModuleError,
                        says("at: expected a Linear, got a ReLU"));
  BOOST_CHECK_EXCEPTION(net.push_back(nn::AnyModule()), ModuleError,
                        says("Sequential: push_back of an empty module"));
}

BOOST_AUTO_TEST_CASE(sequential_copies_are_deep) {
  nn::Sequential net = example();
  nn::Sequential copy = net;
  BOOST_TEST(copy.parameters()[0].value() != net.parameters()[0].value());
  nn_test::check_values(copy.parameters()[0], nn_test::values(net.parameters()[0]));
  const auto clone = copy.clone();
  BOOST_TEST(clone->parameters().size() == 4u);
  const Tensor handle = copy.parameters()[0];
  const nn::Sequential moved = std::move(copy);
  BOOST_TEST(moved.parameters()[0].value() == handle.value());

  Model model;
  const Model other = model;
  BOOST_TEST(other.parameters().size() == 6u);
  BOOST_TEST(other.parameters()[4].value() != model.parameters()[4].value());
}

BOOST_AUTO_TEST_CASE(sequential_in_sequential) {
  nn::Sequential net(example(), nn::ReLU());
  net.push_back(nn::Linear(1, 1));
  BOOST_TEST(net.size() == 3);
  BOOST_TEST(net.named_parameters()[0].first == "0.0.weight");
  nn::Linear kept(1, 1);
  net.push_back(kept);
  net.push_back(static_cast<nn::Module&>(kept));
  BOOST_TEST(net[4].type_name() == "Linear");
  BOOST_TEST(net.at<nn::Linear>(3).weight.value() != kept.weight.value());
}

BOOST_AUTO_TEST_CASE(ties_inside_a_sequential_are_kept_by_copies) {
  nn::Sequential net(nn::Linear(2, 2), nn::Linear(2, 2));
  net.at<nn::Linear>(1).weight.tie(net.at<nn::Linear>(0).weight);
  nn::Sequential copy = net;
  BOOST_TEST(copy.parameters().size() == 3u);
  BOOST_TEST(copy.parameters()[0].value() != net.parameters()[0].value());
  copy = net;
  BOOST_TEST(copy.parameters().size() == 3u);
}

BOOST_AUTO_TEST_CASE(errors_name_the_path) {
  Model model;
  BOOST_CHECK_EXCEPTION(
      model(ones({1, 3})), ShapeError,
      says("Model.body.0 (Linear): expected 2 input features, got input of shape [1, 3]"));
}

BOOST_AUTO_TEST_SUITE_END()
