// SPDX-License-Identifier: BSD-3-Clause
#include <memory>
#include <optional>

#include "modules.hpp"

namespace {

using namespace nn_test;

struct ForgetsScale : nn::Module {
  Scale a, b;
  Parameter c{ones({1})};
  XTAPE_PARTS(a, c)
};

struct ForgetsParameter : nn::Module {
  Scale a;
  Parameter c;
  XTAPE_PARTS(a)
};

struct ForgetsBuffer : nn::Module {
  Buffer c;
  XTAPE_PARTS()
};

struct ForgetsInside : nn::Module {
  ForgetsBuffer inner;
  XTAPE_PARTS(inner)
};

struct ForgetsOptional : nn::Module {
  std::optional<Scale> a{Scale()};
  XTAPE_PARTS()
};

struct ForgetsBase : Block {
  Scale extra;
  XTAPE_PARTS(extra)
};

struct ListsTwice : nn::Module {
  Scale a;
  XTAPE_PARTS(a, a)
};

struct ListsEarly : nn::Module {
  XTAPE_PARTS(a)
  Scale a;
};

struct NoList : Block {
  Scale extra;
};

struct HeldApart : nn::Module {
  Scale* other;
  XTAPE_PARTS()
  explicit HeldApart(Scale* s) : other(s) {}
  Tensor forward(const Tensor& x) override { return (*other)(x); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_part_check)

BOOST_AUTO_TEST_CASE(missing_parts) {
  ForgetsScale a;
  BOOST_CHECK_EXCEPTION(
      a.parameters(), ModuleError,
      says("ForgetsScale: a Scale, declared after 'a', is missing from XTAPE_PARTS"));
  ForgetsParameter b;
  BOOST_CHECK_EXCEPTION(
      b(ones({1})), ModuleError,
      says("ForgetsParameter: a Parameter, declared after 'a', is missing from XTAPE_PARTS"));
  ForgetsBuffer c;
  BOOST_CHECK_EXCEPTION(c.train(), ModuleError,
                        says("ForgetsBuffer: a Buffer is missing from XTAPE_PARTS"));
  ForgetsInside d;
  BOOST_CHECK_EXCEPTION(
      d.parameters(), ModuleError,
      says("ForgetsInside.inner (ForgetsBuffer): a Buffer is missing from XTAPE_PARTS"));
  ForgetsOptional e;
  BOOST_CHECK_EXCEPTION(e.parameters(), ModuleError,
                        says("ForgetsOptional: a Scale is missing from XTAPE_PARTS"));
  ForgetsBase f;
  BOOST_CHECK_EXCEPTION(f.parameters(), ModuleError,
                        says("ForgetsBase: a Scale is missing from XTAPE_PARTS"));
  const auto copy = std::make_unique<ForgetsBuffer>(c);
  BOOST_CHECK_THROW(copy->parameters(), ModuleError);
}

BOOST_AUTO_TEST_CASE(lists_that_are_wrong) {
  ListsTwice a;
  BOOST_CHECK_EXCEPTION(a.parameters(), ModuleError,
                        says("ListsTwice: 'a' is listed twice in XTAPE_PARTS"));
  ListsEarly b;
  BOOST_CHECK_EXCEPTION(
      b.parameters(), ModuleError,
      says("ListsEarly: 'a' is declared after XTAPE_PARTS; move the macro below"));
  NoList c;
  BOOST_CHECK_EXCEPTION(
      c.parameters(), ModuleError,
      says("NoList: the class has no list of its own; add XTAPE_PARTS_OF(Block, ...)"));
}

BOOST_AUTO_TEST_CASE(a_module_may_point_to_another) {
  Scale scale;
  HeldApart apart(&scale);
  BOOST_TEST(apart.parameters().empty());
}

BOOST_AUTO_TEST_SUITE_END()
