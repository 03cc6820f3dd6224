// SPDX-License-Identifier: BSD-3-Clause
#include <boost/test/unit_test.hpp>
#include <memory>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>
#include <xtape/autograd/owned.hpp>

BOOST_AUTO_TEST_SUITE(owned)

namespace {

using xtape::Owned;
using xtape::Shared;

struct Base {
  virtual ~Base() = default;
  virtual int value() const { return 0; }
};

struct Counted final : Base {
  explicit Counted(int n) : n(n) { ++alive; }
  Counted(const Counted&) = delete;
  ~Counted() override { --alive; }
  int value() const override { return n; }
  int n;
  static inline int alive = 0;
};

static_assert(!std::is_copy_constructible_v<Owned<Base>>);
static_assert(!std::is_convertible_v<Owned<Base>, Owned<Counted>>);
static_assert(!std::is_constructible_v<Owned<Base>, Owned<Counted>&>);
static_assert(sizeof(Owned<Base>) == sizeof(Base*));

}  // namespace

BOOST_AUTO_TEST_CASE(one_owner_deletes_once) {
  {
    Owned<Base> a = Owned<Counted>::make(7);
    BOOST_TEST(a->value() == 7);
    Owned<Base> b = std::move(a);
    BOOST_TEST(!a);
    BOOST_TEST((*b).value() == 7);
    b = Owned<Counted>::make(8);
    BOOST_TEST(Counted::alive == 1);
    Base* const raw = b.release();
    BOOST_TEST(Counted::alive == 1);
    a = Owned<Base>(raw);
    a.reset();
    BOOST_TEST(Counted::alive == 0);
    BOOST_TEST((a == nullptr));
  }
  BOOST_TEST(Counted::alive == 0);
}

BOOST_AUTO_TEST_CASE(pointers_of_the_standard_library_come_and_go) {
  Owned<Base> a = std::make_unique<Counted>(3);
  std::unique_ptr<Base> back = std::move(a);
  BOOST_TEST(!a);
  BOOST_TEST(back->value() == 3);
  back.reset();
  BOOST_TEST(Counted::alive == 0);

  Shared<const Base> shared;
  {
    const auto owner = std::make_shared<Counted>(4);
    shared = Shared<const Base>(owner);
    BOOST_TEST(owner.use_count() == 2);
  }
  BOOST_TEST(shared->value() == 4);
  shared = {};
  BOOST_TEST(Counted::alive == 0);
}

BOOST_AUTO_TEST_CASE(the_last_of_many_owners_deletes) {
  {
    Shared<Counted> first = Shared<Counted>::make(5);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([copy = first] {
        for (int k = 0; k < 1000; ++k) Shared<const Base> other = copy;
      });
    }
    for (std::thread& t : threads) t.join();
    threads.clear();
    BOOST_TEST(first.use_count() == 1U);
    const Shared<const void> erased = first;
    BOOST_TEST(erased.get() == first.get());
    first = Shared<Counted>();
    BOOST_TEST(Counted::alive == 1);
  }
  BOOST_TEST(Counted::alive == 0);
}

BOOST_AUTO_TEST_SUITE_END()
