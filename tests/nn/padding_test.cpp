// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/nn/containers.hpp>
#include <xtape/nn/padding.hpp>

#include "nn_test.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using nn_test::says;

template <class M>
void agrees(const std::string& name, const M& module) {
  nn_test::check_reference("resampling.safetensors", name, module);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_padding)

BOOST_AUTO_TEST_CASE(agrees_with_pytorch) {
  const Shape sides1{1, 0}, sides2{1, 0, 2, 1}, sides3{1, 0, 2, 1, 1, 1};
  agrees("zero_pad_1d", nn::ZeroPad1d(sides1));
  agrees("zero_pad_2d", nn::ZeroPad2d(sides2));
  agrees("zero_pad_3d", nn::ZeroPad3d(sides3));
  agrees("constant_pad_1d", nn::ConstantPad1d(2, 1.5));
  agrees("constant_pad_2d", nn::ConstantPad2d(2, 1.5));
  agrees("constant_pad_3d", nn::ConstantPad3d(2, 1.5));
  agrees("reflection_pad_1d", nn::ReflectionPad1d(sides1));
  agrees("reflection_pad_2d", nn::ReflectionPad2d(sides2));
  agrees("reflection_pad_3d", nn::ReflectionPad3d(sides3));
  agrees("replication_pad_1d", nn::ReplicationPad1d(sides1));
  agrees("replication_pad_2d", nn::ReplicationPad2d(sides2));
  agrees("replication_pad_3d", nn::ReplicationPad3d(sides3));
  agrees("circular_pad_1d", nn::CircularPad1d(sides1));
  agrees("circular_pad_2d", nn::CircularPad2d(sides2));
  agrees("circular_pad_3d", nn::CircularPad3d(sides3));
}

BOOST_AUTO_TEST_CASE(parts_of_a_network) {
  nn::Sequential net{nn::ReflectionPad2d({1, 2, 0, 1}), nn::ZeroPad2d(1)};
  const nn::Sequential copy = net;
  BOOST_TEST((net(zeros({2, 3, 4, 5})).shape() == Shape{2, 3, 7, 10}));
  BOOST_TEST((net(zeros({3, 4, 5})).shape() == Shape{3, 7, 10}));
  BOOST_TEST(net[0].type_name() == "ReflectionPad2d");
}

BOOST_AUTO_TEST_CASE(wrong_arguments) {
  BOOST_CHECK_EXCEPTION(nn::ReflectionPad2d({1, 2}), ValueError,
                        says("padding: expected 4 numbers, got [1, 2]"));
  nn::ReplicationPad3d layer(1);
  BOOST_CHECK_EXCEPTION(layer(zeros({2, 3, 4})), ShapeError,
                        says("ReplicationPad3d: expected 4 or 5 dimensions, got input of shape"));
  BOOST_CHECK_EXCEPTION(nn::ReflectionPad1d(4)(zeros({2, 3, 4})), ShapeError,
                        says("is too much for dimension 2 of shape [2, 3, 4]"));
}

BOOST_AUTO_TEST_SUITE_END()
