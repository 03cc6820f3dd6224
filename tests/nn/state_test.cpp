// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/tape.hpp>
#include <xtape/nn/linear.hpp>
#include <xtape/nn/state.hpp>

#include "nn_test.hpp"

namespace {

using namespace xtape;
using nn::load_state;
using nn::state_dict;
using nn_test::check_values;
using nn_test::says;

struct Net : nn::Module {
  nn::Linear encoder{2, 2, {.bias = false}}, decoder{2, 2};
  nn::Buffer mean{zeros({1})};
  XTAPE_PARTS(encoder, decoder, mean)
  Net() { decoder.weight.tie(encoder.weight); }
};

nn::NamedTensors state(double weight, const std::string& weight_name = "encoder.weight") {
  return {{"mean", full({1}, 7)},
          {weight_name, full({2, 2}, weight, float64)},
          {"decoder.bias", full({2}, weight)}};
}

void drop(nn::NamedTensors& tensors, const std::string& name) {
  std::erase_if(tensors, [&](const auto& t) { return t.first == name; });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_state)

BOOST_AUTO_TEST_CASE(state_holds_each_value_once) {
  Net net;
  const nn::NamedTensors all = state_dict(net);
  BOOST_REQUIRE(all.size() == 3u);
  BOOST_TEST(all[0].first == "mean");
  BOOST_TEST(all[1].first == "encoder.weight");
  BOOST_TEST(all[2].first == "decoder.bias");
  BOOST_TEST(all[1].second.value() == net.encoder.weight.value());
}

BOOST_AUTO_TEST_CASE(loading_writes_behind_the_handles) {
  Net net;
  const Tensor handle = net.decoder.weight;
  const nn::LoadReport report = load_state(net, state(3));
  BOOST_TEST(report.missing.empty());
  BOOST_TEST(report.unexpected.empty());
  check_values(handle, {3, 3, 3, 3});
  BOOST_TEST((handle.dtype() == float32));
  check_values(net.mean, {7});
  BOOST_TEST(handle.requires_grad());

  Net other;
  load_state(other, state_dict(net));
  check_values(other.encoder.weight, {3, 3, 3, 3});
  BOOST_TEST(other.encoder.weight.value() != net.encoder.weight.value());
}

BOOST_AUTO_TEST_CASE(a_tied_parameter_comes_under_any_name) {
  Net net;
  load_state(net, state(4, "decoder.weight"));
  check_values(net.encoder.weight, {4, 4, 4, 4});
  nn::NamedTensors both = state(5);
  both.emplace_back("decoder.weight", full({2, 2}, 5));
  load_state(net, both);
  check_values(net.encoder.weight, {5, 5, 5, 5});
}

BOOST_AUTO_TEST_CASE(names_that_do_not_agree) {
  Net net;
  nn::NamedTensors s = state(3);
  drop(s, "mean");
  s.emplace_back("other", ones({1}));
  s.emplace_back("more", ones({1}));
  const auto before = nn_test::values(net.encoder.weight);
  BOOST_CHECK_EXCEPTION(load_state(net, s), ModuleError,
                        says("load_state: Net: names do not agree; missing: mean; unexpected: "
                             "other, more"));
  check_values(net.encoder.weight, before);
  const nn::LoadReport report = load_state(net, s, {.strict = false});
  BOOST_TEST(report.missing == std::vector<std::string>{"mean"});
  BOOST_TEST((report.unexpected == std::vector<std::string>{"other", "more"}));
  check_values(net.encoder.weight, {3, 3, 3, 3});
  check_values(net.mean, {0});
}

BOOST_AUTO_TEST_CASE(shapes_that_do_not_agree) {
  Net net;
  nn::NamedTensors s = state(3);
  s[2].second = ones({3});
  const auto before = nn_test::values(net.encoder.weight);
  for (const bool strict : {true, false}) {
    BOOST_CHECK_EXCEPTION(
        load_state(net, s, {.strict = strict}), ShapeError,
        says("load_state: Net: decoder.bias: expected shape [2], got float32 [3]"));
  }
  check_values(net.encoder.weight, before);
}

BOOST_AUTO_TEST_CASE(a_value_that_is_still_needed) {
  nn::Linear layer(2, 2);
  Tensor x = ones({1, 2});
  x.requires_grad_();
  const Tensor y = layer(x).sum();
  load_state(layer, {{"weight", zeros({2, 2})}, {"bias", zeros({2})}});
  BOOST_CHECK_THROW(y.backward(), GradError);
}

BOOST_AUTO_TEST_SUITE_END()
