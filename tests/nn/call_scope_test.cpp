// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <string>
#include <thread>

#include "modules.hpp"

namespace {

using namespace nn_test;

struct HeldApart : nn::Module {
  Scale* other;
  XTAPE_PARTS()
  explicit HeldApart(Scale* s) : other(s) {}
  Tensor forward(const Tensor& x) override { return (*other)(x); }
};

// Fails after calls that went well.
struct Late : nn::Module {
  Block block;
  Scale last;
  bool fails_itself = false;
  XTAPE_PARTS(block, last)
  Tensor forward(const Tensor& x) override {
    const Tensor y = block(x);
    if (fails_itself) throw ValueError("no");
    return last(y.reshape({1, 2}));
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_call_scope)

BOOST_AUTO_TEST_CASE(errors_name_the_path) {
  Net net;
  const Tensor wrong = ones({1, 2});
  BOOST_CHECK_EXCEPTION(net(wrong), ShapeError,
                        says("Net.block.first (Scale): expected 1 dimension, got [1, 2]"));
  BOOST_CHECK_EXCEPTION(net.last(wrong), ShapeError, says("Scale: expected 1 dimension"));
  BOOST_CHECK_EXCEPTION(net.last.forward(wrong), ShapeError, says("expected 1 dimension"));
  BOOST_CHECK_EXCEPTION(net(ones({3})), ShapeError, says("Net.block.first (Scale): mul: "));
  try {
    net(wrong);
  } catch (const Error&) {
    const ShapeError after("plain");
    BOOST_TEST(after.what() == std::string("plain"));
  }
}

BOOST_AUTO_TEST_CASE(errors_after_calls_that_went_well) {
  Late late;
  BOOST_CHECK_EXCEPTION(late(ones({2})), ShapeError,
                        says("Late.last (Scale): expected 1 dimension, got [1, 2]"));
  late.fails_itself = true;
  BOOST_CHECK_EXCEPTION(late(ones({2})), ValueError, says("Late: no"));
}

BOOST_AUTO_TEST_CASE(a_call_of_a_module_that_is_no_part) {
  Scale scale;
  HeldApart apart(&scale);
  BOOST_CHECK_EXCEPTION(apart(ones({1, 2})), ShapeError, says("Scale: expected 1 dimension"));
}

BOOST_AUTO_TEST_CASE(errors_of_the_reverse_sweep_name_the_module_that_recorded) {
  Net net;
  Tensor x = ones({2});
  const Tensor y = net(x).sum();
  x.fill_(3);  // saved by net.block.first
  BOOST_CHECK_EXCEPTION(y.backward(), GradError,
                        says("Net.block.first (Scale): backward of mul: a value of shape [2]"));
  const Tensor z = net.last(ones({2})).sum();
  z.backward();
  BOOST_CHECK_EXCEPTION(z.backward(), GradError, says("backward: the graph at sum was released"));
  BOOST_TEST(Error("after").what() == std::string("after"));
}

// A path is remembered for an object, not for its address.
BOOST_AUTO_TEST_CASE(another_module_at_the_same_address_has_its_own_path) {
  const Tensor wrong = ones({1, 2});
  alignas(Late) alignas(Scale) std::byte place[std::max(sizeof(Late), sizeof(Scale))];
  auto* scale = new (place) Scale;
  BOOST_CHECK_EXCEPTION((*scale)(wrong), ShapeError, says("Scale: expected 1 dimension"));
  scale->~Scale();
  auto* late = new (place) Late;
  late->fails_itself = true;
  BOOST_CHECK_EXCEPTION((*late)(ones({2})), ValueError, says("Late: no"));
  late->~Late();
}

BOOST_AUTO_TEST_CASE(paths_of_one_thread_do_not_reach_another) {
  struct Asks : nn::Module {
    std::string* text;
    ::xtape::nn::detail::EndOfParts end{this, sizeof(*this)};
    explicit Asks(std::string* t) : text(t) {}
    Tensor forward(const Tensor& x) override {
      std::thread([this] { *text = Error("x").what(); }).join();
      return x;
    }
    void visit_parts(nn::detail::PartVisitor&) override {}
    nn::detail::ModuleClass module_class() const noexcept override {
      return {&typeid(Asks), sizeof(Asks), &end};
    }
    xtape::Owned<nn::Module> clone() const override { return nullptr; }
  };
  std::string text;
  Asks asks(&text);
  static_cast<nn::Module&>(asks)(ones({1}));
  BOOST_TEST(text == "x");
}

BOOST_AUTO_TEST_SUITE_END()
