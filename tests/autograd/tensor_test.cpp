// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <xtape/autograd/memory.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/ops/shape.hpp>
#include <xtape/autograd/sweep.hpp>
#include <xtape/autograd/tape.hpp>

#include "expect.hpp"

BOOST_AUTO_TEST_SUITE(tensors)

using namespace xtape;
using namespace xtape::test;

BOOST_AUTO_TEST_CASE(handles) {
  const auto before = memory::stats();
  {
    Tensor a = tensor({1, 2, 3});
    BOOST_TEST(memory::stats().live_tensors == before.live_tensors + 1);
    Tensor b = a, c = std::move(a);
    BOOST_TEST(!a.defined());
    BOOST_TEST(b.value() == c.value());
    b = b;
    b.swap(a);
    BOOST_TEST((a.defined() && !b.defined()));
    b = std::move(a);
    XTAPE_SAME(b, {1, 2, 3});
    BOOST_TEST(memory::stats().live_tensors == before.live_tensors + 1);
  }
  BOOST_TEST(memory::stats().live_tensors == before.live_tensors);
  BOOST_TEST(memory::stats().live_bytes == before.live_bytes);
}

BOOST_AUTO_TEST_CASE(what_it_is) {
  const Tensor x = zeros({2, 3, 4}, int64);
  BOOST_TEST((x.dtype() == int64));
  BOOST_TEST(x.dim() == 3);
  BOOST_TEST(x.numel() == 24);
  BOOST_TEST((x.shape() == Shape{2, 3, 4}));
  BOOST_TEST(x.size(0) == 2);
  BOOST_TEST(x.size(-1) == 4);
  BOOST_TEST(x.strides()[0] == 12);
  BOOST_TEST(x.is_contiguous());
  BOOST_TEST(x.description() == "int64 [2, 3, 4]");
  BOOST_TEST(Tensor().description() == "undefined");
  BOOST_TEST(reinterpret_cast<std::uintptr_t>(x.data<std::int64_t>()) % 64 == 0U);
  BOOST_CHECK_EXCEPTION(x.size(3), IndexError, says("expected dim in [-3, 2]"));
  BOOST_CHECK_EXCEPTION(x.data<float>(), DTypeError,
                        says("data: expected dtype float32, got int64 [2, 3, 4]"));
  BOOST_TEST(zeros({0, 3}).numel() == 0);
  BOOST_TEST(zeros({0, 3}).is_contiguous());
  BOOST_CHECK_EXCEPTION(zeros({2, -1}), ShapeError, says("negative size in shape [2, -1]"));
  BOOST_CHECK_EXCEPTION(zeros({1 << 30, 1 << 30, 1 << 30}), ShapeError, says("too many elements"));
}

BOOST_AUTO_TEST_CASE(items) {
  BOOST_TEST(full({1, 1}, 2.5).item<double>() == 2.5);
  BOOST_TEST(full({}, -7, int64).item<int>() == -7);
  BOOST_TEST(full({}, (std::int64_t{1} << 53) + 1, int64).item<std::int64_t>() ==
             (std::int64_t{1} << 53) + 1);
  BOOST_TEST(full({}, true, boolean).item<bool>());
  BOOST_TEST(full({}, 200, uint8).item<int>() == 200);
  // What whole numbers cannot hold: defined, as in conversions of tensors.
  constexpr auto most = std::int64_t{9223372036854774784};
  BOOST_TEST(full({}, NAN).item<int>() == 0);
  BOOST_TEST(full({}, 1e30).item<std::int64_t>() == most);
  BOOST_TEST(full({}, INFINITY, int64).item<std::int64_t>() == most);
  BOOST_TEST(full({}, -1e30, int64).item<std::int64_t>() == -most - 1024);
  BOOST_TEST(full({}, NAN, boolean).item<bool>());
  BOOST_CHECK_EXCEPTION(zeros({2}).item<float>(), ShapeError,
                        says("expected a single element, got shape [2]"));
}

BOOST_AUTO_TEST_CASE(conversions) {
  const Tensor x = tensor({-1.7, 0, 2.9, 1e10});
  XTAPE_SAME(x.to(int64), {-1, 0, 2, 1e10});
  XTAPE_SAME(x.to(boolean), {1, 0, 1, 1});
  BOOST_TEST(x.to(float32).value() == x.value());
  BOOST_TEST((x.t().to(float64).dtype() == float64));
  const Tensor m = tensor({{1, 2, 3}, {4, 5, 6}});
  BOOST_TEST(!m.t().to(float64).is_contiguous());  // the memory order stays
  XTAPE_SAME(m.t().to(float64), {1, 4, 2, 5, 3, 6});
  XTAPE_SAME(m.t().contiguous(), {1, 4, 2, 5, 3, 6});
  BOOST_TEST(m.contiguous().value() == m.value());
  BOOST_TEST(m.clone().value() != m.value());
  const Tensor leaf32 = tensor({1, 2}).requires_grad_();
  sum(leaf32.to(float64) * tensor({3, 4}, float64)).backward();
  BOOST_TEST((leaf32.grad().dtype() == float32));
  XTAPE_SAME(leaf32.grad(), {3, 4});
}

BOOST_AUTO_TEST_CASE(requiring_grad) {
  Tensor x = tensor({1, 2});
  BOOST_TEST((!x.requires_grad() && x.is_leaf()));
  BOOST_TEST((x.requires_grad_().requires_grad() && x.is_leaf()));
  const Tensor y = x * 2;
  BOOST_TEST((y.requires_grad() && !y.is_leaf()));
  BOOST_CHECK_EXCEPTION(Tensor(y).requires_grad_(false), GradError, says("stays recorded"));
  x.requires_grad_(false);
  BOOST_TEST(!x.requires_grad());
  sum(y).backward();  // the graph of before goes on
  BOOST_TEST(!x.grad().defined());
  BOOST_CHECK_EXCEPTION(tensor({1}, int64).requires_grad_(), DTypeError,
                        says("expected a floating dtype, got int64"));
}

// The error names what was asked of the undefined tensor, and is worded in one way.
BOOST_AUTO_TEST_CASE(undefined_tensors) {
  const auto refuses = [](const char* operation, auto f) {
    Tensor none;
    BOOST_CHECK_EXCEPTION(f(none), ValueError, [&](const Error& e) {
      return says(std::string(operation) + ": got an undefined tensor")(e);
    });
  };
  refuses("dtype", [](Tensor& x) { (void)x.dtype(); });
  refuses("dim", [](Tensor& x) { (void)x.dim(); });
  refuses("numel", [](Tensor& x) { (void)x.numel(); });
  refuses("size", [](Tensor& x) { (void)x.size(0); });
  refuses("sizes", [](Tensor& x) { (void)x.sizes(); });
  refuses("sizes", [](Tensor& x) { (void)x.shape(); });
  refuses("strides", [](Tensor& x) { (void)x.strides(); });
  refuses("is_contiguous", [](Tensor& x) { (void)x.is_contiguous(); });
  refuses("data", [](Tensor& x) { (void)x.data<float>(); });
  refuses("item", [](Tensor& x) { (void)x.item<float>(); });
  refuses("requires_grad_", [](Tensor& x) { x.requires_grad_(); });
  refuses("clone", [](Tensor& x) { (void)x.clone(); });
  refuses("contiguous", [](Tensor& x) { (void)x.contiguous(); });
  refuses("to", [](Tensor& x) { (void)x.to(float64); });
  refuses("sum", [](Tensor& x) { (void)x.sum(); });
  refuses("fill_", [](Tensor& x) { x.fill_(1); });
  refuses("copy_", [](Tensor& x) { x.copy_(ones({2})); });
  refuses("copy_", [](Tensor& x) { ones({2}).copy_(x); });
  refuses("set_data", [](Tensor& x) { x.set_data(ones({2})); });

  // What concerns gradients takes it for a leaf that requires none.
  Tensor none;
  BOOST_TEST(none.is_leaf());
  BOOST_TEST(!none.requires_grad());
  BOOST_TEST(!none.grad().defined());
  BOOST_TEST(!none.detach().defined());
  none.zero_grad();
  none.set_grad({});
  BOOST_CHECK_THROW(none.set_grad(ones({2})), GradError);
  BOOST_CHECK_THROW(none.retain_grad(), GradError);
  BOOST_CHECK_THROW(none.register_hook([](const Tensor&) {}), GradError);
  BOOST_CHECK_THROW(none.register_post_accumulate_grad_hook([](const Tensor&) {}), GradError);
  BOOST_CHECK_THROW(none.backward(), GradError);
}

BOOST_AUTO_TEST_CASE(detached_values) {
  const Tensor x = leaf({1, 2});
  Tensor d = (x * 2).detach();
  BOOST_TEST(!d.requires_grad());
  XTAPE_SAME(d, {2, 4});
  // A detached handle is a value of its own: the original does not start to collect gradients.
  const Tensor plain = tensor({1, 2});
  plain.detach().requires_grad_();
  BOOST_TEST(!plain.requires_grad());
  Tensor shared = x.detach();
  shared.fill_(5);  // the same memory
  XTAPE_SAME(x, {5, 5});
}

BOOST_AUTO_TEST_CASE(setting_gradients) {
  Tensor x = leaf({1, 2});
  x.set_grad(tensor({3, 4}, float64));
  XTAPE_SAME(x.grad(), {3, 4});
  sum(x * 10).backward();
  XTAPE_SAME(x.grad(), {13, 14});
  x.zero_grad();
  BOOST_TEST(!x.grad().defined());
  BOOST_CHECK_EXCEPTION(x.set_grad(tensor({1, 2, 3}, float64)), ShapeError,
                        says("set_grad: expected float64 [2], got float64 [3]"));
  BOOST_CHECK_EXCEPTION(x.set_grad(tensor({1, 2})), DTypeError, says("got float32 [2]"));
  Tensor y = x * 2, plain = tensor({1});
  BOOST_CHECK_EXCEPTION(y.set_grad(tensor({1, 2}, float64)), GradError, says("only a leaf's"));
  BOOST_CHECK_EXCEPTION(plain.set_grad(plain), GradError, says("does not require grad"));
  plain.zero_grad();  // nothing to drop
}

BOOST_AUTO_TEST_CASE(writing_is_for_leaves) {
  Tensor x = tensor({{1, 2, 3}, {4, 5, 6}});
  x.copy_(tensor({7, 8, 9}));  // broadcast
  XTAPE_SAME(x, {7, 8, 9, 7, 8, 9});
  x.t().copy_(tensor({{1, 2}, {3, 4}, {5, 6}}, int64));  // through a view, converted
  XTAPE_SAME(x, {1, 3, 5, 2, 4, 6});
  x.fill_(2.5);
  XTAPE_SAME(x, {2.5, 2.5, 2.5, 2.5, 2.5, 2.5});
  x.zero_();
  XTAPE_SAME(sum(x), {0});
  Tensor flags = zeros({2}, boolean);
  flags.fill_(3);
  XTAPE_SAME(flags, {1, 1});
  Tensor square = tensor({{1, 2}, {3, 4}});
  square.copy_(square.t());  // overlapping
  XTAPE_SAME(square, {1, 3, 2, 4});

  BOOST_CHECK_EXCEPTION(x.copy_(zeros({3, 3})), ShapeError, says("copy_"));
  BOOST_CHECK_EXCEPTION(x.copy_(zeros({4, 2, 3})), ShapeError,
                        says("copy_: cannot broadcast [4, 2, 3] to [2, 3]"));
  Tensor w = leaf({1, 2}), y = w * 2;
  BOOST_CHECK_EXCEPTION(y.fill_(0), GradError, says("fill_: a recorded value is never written"));
  BOOST_CHECK_EXCEPTION(w.fill_(0), GradError, says("only inside a NoGrad scope"));
  XTAPE_SAME(w, {1, 2});
  const NoGrad no_grad;
  BOOST_CHECK_EXCEPTION(y.copy_(w), GradError, says("copy_: a recorded value"));
  w.copy_(tensor({5, 6}));
  XTAPE_SAME(w, {5, 6});
  BOOST_TEST(w.requires_grad());
}

BOOST_AUTO_TEST_CASE(taking_over_data) {
  Tensor w = leaf({1, 2});
  const Tensor other_handle = w;
  const Tensor y = sum(w * w);
  w.set_data(tensor({3, 4}, float64));
  XTAPE_SAME(other_handle, {3, 4});
  BOOST_CHECK_EXCEPTION(y.backward(), GradError, says("overwritten"));
  sum(w * w).backward();
  XTAPE_SAME(w.grad(), {6, 8});
  w.set_data(tensor({5, 6}));  // another dtype: the gradient of the old one goes
  BOOST_TEST((other_handle.dtype() == float32));
  BOOST_TEST(!w.grad().defined());
  sum(w * w).backward();
  BOOST_TEST((w.grad().dtype() == float32));
  XTAPE_SAME(w.grad(), {10, 12});
  BOOST_CHECK_EXCEPTION(w.set_data(zeros({3})), ShapeError,
                        says("set_data: expected shape [2], got float32 [3]"));
  BOOST_CHECK_EXCEPTION(w.set_data(zeros({2}, int64)), DTypeError, says("floating"));
  BOOST_CHECK_EXCEPTION((w * 2).set_data(zeros({2})), GradError, says("recorded value"));
  BOOST_CHECK_EXCEPTION(w.set_data(Tensor()), ShapeError, says("got undefined"));
}

BOOST_AUTO_TEST_CASE(a_value_saved_before_its_leaf_took_over_other_data) {
  // The saved handle is the leaf itself: what it holds now is not what was used.
  Tensor w = leaf({2}), fresh = tensor({7}, float64);
  fresh.fill_(7);
  fresh.fill_(7);
  const Tensor y = sum(w * w);
  w.set_data(fresh);
  BOOST_CHECK_THROW(y.backward(), GradError);
}

// A small tensor's value lies in one block with its data; either may be wanted longer.
BOOST_AUTO_TEST_CASE(values_and_data_of_small_tensors) {
  const auto before = memory::stats();
  for (const std::int64_t n : {3, 3000}) {
    Tensor x = full({n}, 1), y = full({n}, 2), other_handle = y;
    const Tensor view_of_x = x.view({n, 1}), view_of_y = y.view({n, 1});
    y.set_data(x);
    x = Tensor();
    other_handle.fill_(3);
    XTAPE_SAME(view_of_x[0], {3});
    XTAPE_SAME(view_of_y[0], {2});
    y.set_data(view_of_y.view({n}));  // back to the memory it was made for
    XTAPE_SAME(other_handle[n - 1], {2});
    y.set_data(y);
    y.set_data(full({n}, 4));
    y = Tensor();
    XTAPE_SAME(other_handle[n - 1], {4});
  }
  BOOST_TEST(memory::stats().live_tensors == before.live_tensors);
  BOOST_TEST(memory::stats().live_bytes == before.live_bytes);
}

BOOST_AUTO_TEST_CASE(adopted_memory) {
  static int released;
  released = 0;
  static float numbers[] = {1, 2, 3, 4, 5, 6};
  {
    const Shape sizes{2, 2}, strides{3, 1};
    const Tensor x = xtape::detail::adopt_memory(float32, numbers, sizes, strides, &released,
                                                 [](void* count) { ++*static_cast<int*>(count); });
    XTAPE_SAME(x, {1, 2, 4, 5});
    BOOST_TEST(!x.is_contiguous());
    const Tensor view = x.t();
    BOOST_TEST(released == 0);
    XTAPE_SAME(view + 0, {1, 4, 2, 5});
  }
  BOOST_TEST(released == 1);
}

BOOST_AUTO_TEST_CASE(density) {
  using xtape::detail::is_dense;
  const Tensor x = zeros({2, 3, 4});
  BOOST_TEST(is_dense(x));
  BOOST_TEST(is_dense(x.transpose(0, 2)));
  BOOST_TEST(is_dense(x.permute({1, 2, 0})));
  BOOST_TEST(!is_dense(zeros({2, 1}).expand({2, 3})));
  const Shape reversed{-3, -1}, sizes{2, 3};
  const Tensor base = zeros({2, 3});
  const Tensor backwards =
      xtape::detail::make_view(base, base.value()->data + 5 * 4, sizes, reversed);
  BOOST_TEST(!is_dense(backwards));
  XTAPE_SAME(sum(backwards), {0});
}

BOOST_AUTO_TEST_CASE(creation) {
  XTAPE_SAME(arange(5), {0, 1, 2, 3, 4});
  BOOST_TEST((arange(5).dtype() == int64));
  XTAPE_SAME(arange(1, 2, 0.25), {1, 1.25, 1.5, 1.75});
  BOOST_TEST((arange(1, 2, 0.25).dtype() == float32));
  XTAPE_SAME(arange(3, 0, -1), {3, 2, 1});
  BOOST_TEST(arange(3, 0).numel() == 0);
  BOOST_CHECK_EXCEPTION(arange(0, 1, 0), ValueError, says("step must not be 0"));
  XTAPE_SAME(linspace(0, 1, 5, float64), {0, 0.25, 0.5, 0.75, 1});
  XTAPE_SAME(linspace(3, 9, 1), {3});
  BOOST_CHECK_EXCEPTION(linspace(0, 1, -1), ValueError, says("steps >= 0"));
  XTAPE_SAME(eye(2, 3), {1, 0, 0, 0, 1, 0});
  XTAPE_SAME(full_like(tensor({1, 2}, int64), 3), {3, 3});
  BOOST_CHECK_EXCEPTION(tensor({{1, 2}, {3}}), ShapeError, says("rows of 2 and of 1"));
  const float three[] = {1, 2, 3};
  BOOST_CHECK_EXCEPTION(from_values(std::span<const float>(three), {2}), ShapeError,
                        says("3 values do not fill shape [2]"));
}

BOOST_AUTO_TEST_SUITE_END()
