// SPDX-License-Identifier: BSD-3-Clause
#include <array>
#include <map>
#include <memory>
#include <optional>

#include "modules.hpp"

namespace {

using namespace nn_test;

struct Containers : nn::Module {
  std::vector<Scale> blocks = std::vector<Scale>(2);
  std::array<Parameter, 2> gates{Parameter(ones({1})), Parameter(ones({1}))};
  std::optional<Scale> maybe, none;
  std::map<std::string, Scale> heads{{"left", Scale()}, {"right", Scale()}};
  std::map<int, Scale> levels{{7, Scale()}};
  std::unique_ptr<nn::Module> any = std::make_unique<Scale>();
  std::unique_ptr<nn::Module> nobody;
  std::vector<std::unique_ptr<nn::Module>> list;
  XTAPE_PARTS(blocks, gates, maybe, none, heads, levels, any, nobody, list)
  Containers() : maybe(Scale()) { list.push_back(std::make_unique<Scale>()); }
};

struct Nothing : nn::Module {
  XTAPE_PARTS()
};

struct Pair {
  Tensor sum, difference;
};

struct Several : nn::Module {
  XTAPE_PARTS()
  Pair forward(const Tensor& a, const Tensor& b) { return {a + b, a - b}; }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_module)

BOOST_AUTO_TEST_CASE(names_follow_the_list_own_tensors_first) {
  Net net;
  check_names(net.named_parameters(),
              {"bias", "block.first.weight", "block.second.weight", "last.weight"});
  check_names(net.named_buffers(), {"block.mean"});
  BOOST_TEST(net.parameters().size() == 4u);
  BOOST_TEST(net.buffers().size() == 1u);
  BOOST_TEST(net.parameters()[1].value() == net.block.first.weight.value());

  std::vector<std::string> modules;
  for (const auto& [name, m] : net.named_modules()) modules.push_back(name + ":" + m->type_name());
  const std::vector<std::string> expected{":Net", "block:Block", "block.first:Scale",
                                          "block.second:Scale", "last:Scale"};
  BOOST_TEST(modules == expected, boost::test_tools::per_element());
  BOOST_TEST(net.modules().size() == 5u);
  BOOST_TEST(net.children().size() == 2u);
  BOOST_TEST(net.named_children()[1].first == "last");
}

BOOST_AUTO_TEST_CASE(containers_of_parts) {
  Containers c;
  check_names(c.named_parameters(), {"gates.0", "gates.1", "blocks.0.weight", "blocks.1.weight",
                                     "maybe.weight", "heads.left.weight", "heads.right.weight",
                                     "levels.7.weight", "any.weight", "list.0.weight"});
}

BOOST_AUTO_TEST_CASE(no_parts) {
  Nothing nothing;
  BOOST_TEST(nothing.parameters().empty());
  BOOST_TEST(nothing.modules().size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_base_and_its_list) {
  Extended net;
  check_names(net.named_parameters(), {"first.weight", "second.weight", "extra.weight"});
  BOOST_TEST(net.type_name() == "Extended");
  Extended copy = net;
  BOOST_TEST(copy.parameters().size() == 3u);
}

BOOST_AUTO_TEST_CASE(calls_reach_forward) {
  Net net;
  check_values(net(ones({2})), {35, 35});
  nn::Module& any = net;
  check_values(any(ones({2})), {35, 35});
  Several several;
  const auto [sum, difference] = several(ones({2}), full({2}, 3));
  check_values(sum, {4, 4});
  check_values(difference, {-2, -2});
  net(ones({2})).sum().backward();
  BOOST_TEST(net.bias.grad().defined());
  net.zero_grad();
  BOOST_TEST(!net.bias.grad().defined());
}

BOOST_AUTO_TEST_CASE(forward_that_is_not_there) {
  Nothing nothing;
  BOOST_CHECK_EXCEPTION(nothing(ones({1})), ModuleError,
                        says("Nothing: class Nothing does not define forward(const Tensor&)"));
}

BOOST_AUTO_TEST_CASE(modes) {
  Net net;
  BOOST_TEST(net.is_training());
  net.eval();
  BOOST_TEST(!net.block.second.is_training());
  const Net copy = net;
  BOOST_TEST(!copy.last.is_training());
  net.train();
  BOOST_TEST(net.block.second.is_training());
  BOOST_TEST(net.is_training());
}

BOOST_AUTO_TEST_CASE(freezing) {
  Net net;
  net.block.requires_grad_(false);
  BOOST_TEST(!net.block.first.weight.requires_grad());
  BOOST_TEST(net.bias.requires_grad());
  const Net copy = net;
  BOOST_TEST(!copy.block.first.weight.requires_grad());
  BOOST_TEST(copy.bias.requires_grad());
}

BOOST_AUTO_TEST_CASE(apply_goes_children_first) {
  Net net;
  std::vector<std::string> order;
  net.apply([&](nn::Module& m) { order.push_back(m.type_name()); });
  const std::vector<std::string> expected{"Scale", "Scale", "Block", "Scale", "Net"};
  BOOST_TEST(order == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(dtype_changes_behind_the_handle) {
  Net net;
  const std::vector<Tensor> handles = net.parameters();
  net(ones({2})).sum().backward();
  net.to(float64);
  for (const Tensor& h : handles) BOOST_TEST((h.dtype() == float64));
  BOOST_TEST((net.block.mean.dtype() == float64));
  BOOST_TEST(!net.bias.grad().defined());
  const Tensor y = net(ones({2}, float64));
  y.sum().backward();
  BOOST_TEST((handles[0].grad().dtype() == float64));
  check_values(y, {35, 35});
  BOOST_CHECK_EXCEPTION(net.to(int64), DTypeError,
                        says("to: a module takes floating dtypes only, got int64"));
}

BOOST_AUTO_TEST_CASE(copies_have_values_of_their_own) {
  Net net;
  Net copy = net;
  {
    const NoGrad guard;
    copy.bias.fill_(9);
    copy.block.mean.fill_(9);
  }
  check_values(net.bias, {1, 1});
  check_values(net.block.mean, {0, 0});
  check_values(copy(ones({2})), {75, 75});
  BOOST_TEST(copy.bias.is_leaf());
  BOOST_TEST(copy.bias.requires_grad());
  BOOST_TEST(!copy.block.mean.requires_grad());

  const std::unique_ptr<nn::Module> clone = copy.clone();
  check_values((*clone)(ones({2})), {75, 75});
  BOOST_TEST(clone->type_name() == "Net");
  BOOST_TEST(clone->parameters()[0].value() != copy.bias.value());
}

BOOST_AUTO_TEST_CASE(a_copy_has_no_gradient) {
  Net net;
  net(ones({2})).sum().backward();
  const Net copy = net;
  BOOST_TEST(net.bias.grad().defined());
  BOOST_TEST(!copy.bias.grad().defined());
}

BOOST_AUTO_TEST_CASE(assignment_keeps_the_handles) {
  Net net, best;
  {
    const NoGrad guard;
    best.bias.fill_(4);
  }
  const Tensor handle = net.bias;
  net = best;
  check_values(handle, {4, 4});
  {
    const NoGrad guard;
    best.bias.fill_(5);
  }
  check_values(handle, {4, 4});
  BOOST_TEST(net.bias.requires_grad());
  best.requires_grad_(false);
  net = best;
  BOOST_TEST(!handle.requires_grad());
  BOOST_TEST(net.parameters().size() == 4u);
}

BOOST_AUTO_TEST_CASE(moves_keep_the_handles) {
  Net net;
  const Tensor handle = net.bias;
  Net moved = std::move(net);
  BOOST_TEST(moved.bias.value() == handle.value());
  BOOST_TEST(moved.parameters().size() == 4u);
  Net target;
  target = std::move(moved);
  BOOST_TEST(target.bias.value() == handle.value());
  std::vector<Scale> many(1);
  const Tensor first = many[0].weight;
  for (int i = 0; i < 20; ++i) many.emplace_back();
  BOOST_TEST(many[0].weight.value() == first.value());
}

BOOST_AUTO_TEST_CASE(classes_that_cannot_be_copied) {
  Containers c;
  BOOST_CHECK_EXCEPTION(c.clone(), ModuleError,
                        says("Containers: clone: the class cannot be copied"));
}

BOOST_AUTO_TEST_SUITE_END()
