// SPDX-License-Identifier: BSD-3-Clause
#include <array>
#include <memory>
#include <thread>

#include "modules.hpp"

namespace {

using namespace nn_test;

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_parameter)

BOOST_AUTO_TEST_CASE(a_parameter_owns_its_value) {
  Tensor x = ones({2});
  Parameter p(x);
  x.fill_(3);
  check_values(p, {1, 1});
  BOOST_TEST(!x.requires_grad());
  Tensor y = Parameter(x) * 2;
  Buffer b(y);
  BOOST_TEST(!b.requires_grad());
  check_values(b, {6, 6});
  BOOST_TEST(!Parameter(ones({1}), false).requires_grad());
  BOOST_CHECK_EXCEPTION(Parameter{Tensor()}, ValueError, says("Parameter: the value is undefined"));
  BOOST_CHECK_EXCEPTION(Buffer{Tensor()}, ValueError, says("Buffer: the value is undefined"));
  BOOST_CHECK_THROW(Parameter(ones({1}, int64)), DTypeError);
}

BOOST_AUTO_TEST_CASE(a_parameter_takes_over_a_fresh_value) {
  Tensor x = ones({2});
  const void* data = x.data<float>();
  const Parameter p(std::move(x));
  BOOST_TEST(p.data<float>() == data);
}

BOOST_AUTO_TEST_CASE(tied_parameters_are_one) {
  Tied net;
  check_names(net.named_parameters(), {"encoder.weight"});
  net(full({2}, 3)).sum().backward();
  check_values(net.encoder.weight.grad(), {6, 6});
  BOOST_TEST(net.decoder.weight.grad().value() == net.encoder.weight.grad().value());
}

BOOST_AUTO_TEST_CASE(ties_are_kept_by_copies) {
  Tied net;
  for (int i = 0; i < 2; ++i) {
    Tied copy = net;
    BOOST_TEST(is_tied(copy));
    BOOST_TEST(copy.encoder.weight.value() != net.encoder.weight.value());
    Tied again = copy;
    BOOST_TEST(is_tied(again));
    BOOST_TEST(again.encoder.weight.value() != copy.encoder.weight.value());
  }
  Tied moved = std::move(net);
  BOOST_TEST(is_tied(moved));
  BOOST_TEST(moved.parameters().size() == 1u);

  const auto clone = moved.clone();
  BOOST_TEST(clone->parameters().size() == 1u);
  BOOST_TEST(clone->parameters()[0].value() != moved.encoder.weight.value());

  TiedBlocks blocks;
  const TiedBlocks copy = blocks;
  check_names(copy.named_parameters(), {"blocks.0.weight", "blocks.1.weight"});
  BOOST_TEST(copy.blocks[0].weight.value() != blocks.blocks[0].weight.value());
}

BOOST_AUTO_TEST_CASE(ties_between_a_base_and_its_class_are_kept) {
  TiedExtended net;
  TiedExtended copy = net;
  BOOST_TEST(copy.last.weight.value() == copy.first.weight.value());
  BOOST_TEST(copy.last.weight.value() != net.last.weight.value());
}

BOOST_AUTO_TEST_CASE(parts_copied_alone_are_not_tied) {
  Tied net;
  const auto whole = std::make_unique<Tied>(net);  // a copy that is over
  BOOST_TEST(is_tied(*whole));
  Scale encoder = net.encoder;
  Scale decoder = net.decoder;
  BOOST_TEST(encoder.weight.value() != decoder.weight.value());
  BOOST_TEST(encoder.weight.value() != net.encoder.weight.value());
  Parameter p = net.encoder.weight, q = net.decoder.weight;
  BOOST_TEST(p.value() != q.value());
  BOOST_TEST(p.value() != decoder.weight.value());
  BOOST_TEST(p.value() != encoder.weight.value());
}

BOOST_AUTO_TEST_CASE(ties_are_kept_by_assignment) {
  Tied net, best;
  const Tensor handle = net.encoder.weight;
  {
    const NoGrad guard;
    best.encoder.weight.fill_(4);
  }
  net = best;
  BOOST_TEST(is_tied(net));
  BOOST_TEST(net.encoder.weight.value() == handle.value());
  check_values(handle, {4, 4});

  TiedBlocks a, b;
  a = b;
  BOOST_TEST(a.parameters().size() == 2u);
  BOOST_TEST(a.parameters()[0].value() != b.parameters()[0].value());
}

BOOST_AUTO_TEST_CASE(assignment_of_other_ties) {
  Tied tied, loose;
  loose.decoder = Scale(8);
  loose.decoder.weight = Parameter(full({2}, 8));
  BOOST_TEST(!is_tied(loose));
  tied = loose;
  check_values(tied.encoder.weight, {1, 1});
  check_values(tied.decoder.weight, {8, 8});
  BOOST_TEST(!is_tied(tied));
  Tied source;
  tied = source;
  BOOST_TEST(is_tied(tied));
}

BOOST_AUTO_TEST_CASE(ties_that_do_not_fit) {
  Parameter a(ones({2, 3})), b(ones({3, 2})), c(ones({2, 3}, float64)), none;
  BOOST_CHECK_EXCEPTION(a.tie(b), ShapeError, says("tie: shapes differ, [2, 3] and [3, 2]"));
  BOOST_CHECK_EXCEPTION(a.tie(c), DTypeError, says("tie: dtypes differ, float32 and float64"));
  BOOST_CHECK_EXCEPTION(a.tie(none), ValueError, says("tie: the other parameter is undefined"));
}

BOOST_AUTO_TEST_CASE(copies_in_threads_at_once) {
  Tied net;
  std::vector<std::thread> threads;
  std::array<bool, 4> good{};
  for (bool& ok : good) {
    threads.emplace_back([&net, &ok] {
      ok = true;
      for (int i = 0; i < 200; ++i) {
        Tied copy = net;
        ok = ok && is_tied(copy) && copy.parameters().size() == 1 &&
             copy.encoder.weight.value() != net.encoder.weight.value();
      }
    });
  }
  for (std::thread& t : threads) t.join();
  for (const bool ok : good) BOOST_TEST(ok);
}

BOOST_AUTO_TEST_SUITE_END()
