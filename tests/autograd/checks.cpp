// SPDX-License-Identifier: BSD-3-Clause
#include "checks.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <xtape/autograd/memory.hpp>
#include <xtape/autograd/random.hpp>

namespace xtape::test {
namespace {

constexpr std::uint64_t kSeed = 11;
constexpr double kLeastGradient = 1e-3;  // rms, for output gradients about 1
constexpr double kSmallestNormal[] = {std::numeric_limits<float>::min(),
                                      std::numeric_limits<double>::min()};

Arrays to_arrays(const Tensors& x) {
  Arrays a;
  for (const Tensor& t : x) a.push_back(to_array(t));
  return a;
}

Tensors laid_out(const Tensors& x, Layout layout, std::size_t which) {
  Tensors y;
  for (std::size_t i = 0; i < x.size(); ++i) {
    y.push_back(which == i || which == x.size() ? with_layout(x[i], layout) : x[i]);
  }
  return y;
}

}  // namespace

std::string describe(const Tensors& x) {
  std::string text;
  for (const Tensor& t : x) text += (text.empty() ? "" : ", ") + t.description();
  return text.empty() ? "no inputs" : text;
}

Arrays Reference::operator()(const Tensors& x) const {
  if (of_tensors_) return to_arrays(of_tensors_(object_.get(), x));
  const Arrays arrays = to_arrays(x);
  if (of_arrays_) return of_arrays_(object_.get(), arrays);
  std::vector<Shape> shapes;
  for (const Array& a : arrays) shapes.push_back(a.shape);
  Array y = Array::filled(common_shape(shapes), 0);
  Arrays wide;
  for (const Array& a : arrays) wide.push_back(broadcast_to(a, y.shape));
  std::vector<long double> point(arrays.size());
  for (std::size_t i = 0; i < y.values.size(); ++i) {
    for (std::size_t k = 0; k < wide.size(); ++k) point[k] = wide[k].values[i];
    y.values[i] = at(point.data());
  }
  return {y};
}

Checks::Checks(const Row& row) : row_(row) {
  if (!row.inputs.empty()) gradient_size_.resize(row.inputs[0].size());
}

bool Checks::runs(Check c) const noexcept {
  return std::find(row_.without.begin(), row_.without.end(), c) == row_.without.end();
}

Tensors Checks::call(const Tensors& x) const {
  if (row_.kind == Kind::random) manual_seed(kSeed);
  Tensors y = row_.f(x);
  return row_.invariant ? row_.invariant(y) : y;
}

// At leaves that share the memory, and so the layout, of x.
Checks::Result Checks::differentiate(const Tensors& x) const {
  Tensors leaves, wanted, outputs, seeds;
  for (const Tensor& t : x) {
    leaves.push_back(xtape::detail::make_view(t, t.value()->data, t.sizes(), t.strides()));
    if (is_floating(t.dtype())) wanted.push_back(leaves.back().requires_grad_());
  }
  Result r{call(leaves), {}};
  Random random(5);
  for (const Tensor& y : r.values) {
    if (!y.defined() || !is_floating(y.dtype())) continue;
    Tensor seed = random_gradient(y, random);
    if (!y.requires_grad()) continue;
    outputs.push_back(y);
    seeds.push_back(std::move(seed));
  }
  if (!outputs.empty() && !wanted.empty()) {
    r.gradients = grad(outputs, wanted, {.grad_outputs = seeds, .allow_unused = true});
  } else {
    r.gradients.resize(wanted.size());
  }
  return r;
}

void Checks::compare(const std::string& what, const Tensors& got, const Arrays& expected,
                     double tolerance) {
  if (got.size() != expected.size()) {
    return fail(what + ": " + std::to_string(got.size()) + " results, expected " +
                std::to_string(expected.size()));
  }
  for (std::size_t k = 0; k < got.size(); ++k) {
    const std::string found = difference(got[k], expected[k], tolerance);
    if (!found.empty()) fail(what + ", result " + std::to_string(k) + ": " + found);
  }
}

void Checks::run() {
  if (!row_.f) return fail("the row has no callable");
  if (!row_.reference && row_.stored.empty() && !row_.statistics) {
    return fail("the row has no reference, no stored results and no statistics");
  }
  if (row_.inputs.empty()) return fail("the row has no inputs");
  const auto numbers = static_cast<std::size_t>(row_.reference.pointwise());
  for (const Sample& s : row_.inputs) {
    if (numbers == 0 || s.size() == numbers) continue;
    return fail("the reference takes " + std::to_string(numbers) + " numbers, a sample has " +
                std::to_string(s.size()));
  }
  const std::int64_t nodes = memory::stats().live_nodes;
  errors();
  undefined_inputs();
  points();
  stored();
  for (const Sample& s : row_.inputs) sample(s);
  if (row_.any_shape) any_shape();
  if (row_.reference.pointwise() > 0) pointwise();
  nonzero_gradients();
  if (const std::int64_t left = memory::stats().live_nodes - nodes; left != 0) {
    fail(std::to_string(left) + " nodes of the tape are left behind");
  }
}

void Checks::errors() {
  for (const Throws& t : row_.errors) {
    try {
      t.call();
      fail("errors: nothing was thrown, expected \"" + t.text + "\"");
    } catch (const std::exception& e) {
      const std::string what = e.what();
      if (!t.is_expected(e)) fail("errors: \"" + what + "\" is no " + t.expected);
      if (what.find(t.text) == std::string::npos) {
        fail("errors: \"" + what + "\" does not say \"" + t.text + "\"");
      }
    }
  }
}

void Checks::undefined_inputs() {
  if (!runs(Check::undefined)) return;
  const Tensors x = make(row_.inputs[0], random_, row_.kinks);
  for (std::size_t i = 0; i < x.size(); ++i) {
    Tensors holed = x;
    holed[i] = Tensor();
    checkpoint("f with input " + std::to_string(i) + " undefined (see Check::undefined)");
    try {
      row_.f(holed);
      fail("undefined: input " + std::to_string(i) + " may be undefined without an error");
    } catch (const Error&) {
    } catch (const std::exception& e) {
      fail("undefined: input " + std::to_string(i) + " raises no xtape error: " + e.what());
    }
  }
}

// Each point twice: alone, and in a row long enough for vector code and a remainder.
void Checks::points() {
  for (const Point& p : row_.points) {
    for (const DType dtype : {float64, float32}) {
      for (const std::int64_t n : {1, 37}) {
        Tensors x;
        std::string where = std::string("point (") + name(dtype) + ", " + std::to_string(n) + ")";
        for (std::size_t k = 0; k < p.arguments.size(); ++k) {
          const DType own = row_.inputs[0][k].dtype;
          x.push_back(
              to_tensor(Array::filled({n}, p.arguments[k]), is_floating(own) ? dtype : own));
          where += listed(p.arguments[k]);
        }
        Result r = differentiate(x);
        const double least = kSmallestNormal[dtype == float64];
        const auto close = [&](long double a, double b) {
          if (std::isnan(b)) return std::isnan(a);
          const long double expected = dtype == float32 ? static_cast<float>(b) : b;
          return a == expected || std::abs(a - b) <= tolerance(dtype) * std::abs(b) +
                                                         static_cast<long double>(least);
        };
        for (const long double v : to_array(r.values[0]).values) {
          if (close(v, p.value)) continue;
          fail(where + ": value" + listed(v) + ", expected" + listed(p.value));
          break;
        }
        if (p.derivatives.empty()) continue;
        Random random(5);
        const Array seed = to_array(random_gradient(r.values[0], random));
        for (std::size_t k = 0; k < r.gradients.size() && k < p.derivatives.size(); ++k) {
          if (!r.gradients[k].defined()) {
            fail(where + ": no gradient of argument " + std::to_string(k));
            continue;
          }
          const long double g = to_array(r.gradients[k]).values[0] / seed.values[0];
          if (!close(g, p.derivatives[k])) {
            fail(where + ": derivative " + std::to_string(k) + " is" + listed(g) + ", expected" +
                 listed(p.derivatives[k]));
          }
        }
      }
    }
  }
}

void Checks::stored() {
  for (const Stored& s : row_.stored) {
    const Tensors x = make(s.inputs, random_, {});
    Arrays expected;
    for (const Argument& a : s.outputs) expected.push_back({a.shape, a.values});
    compare("stored", call(x), expected, row_.tolerance);
  }
}

void Checks::sample(const Sample& s) {
  const Tensors x = make(s, random_, row_.kinks);
  const std::string what = describe(x);
  checkpoint(what);
  values(what, x);
  if (row_.kind == Kind::random) {
    random_numbers(x);
  } else {
    float32_like_float64(what, x);
    if (runs(Check::layouts)) layouts(x);
  }
  gradient_kind(what, x);
  if (row_.kind == Kind::no_gradient) return;
  gradients(what, x, 48);
  each_output_alone(what, x);
}

void Checks::values(const std::string& what, const Tensors& x) {
  const Tensors y = call(x);
  if (row_.reference) compare(what + ": values", y, row_.reference(x), row_.tolerance);
  const bool floating =
      std::any_of(x.begin(), x.end(), [](const Tensor& t) { return is_floating(t.dtype()); });
  for (const Tensor& t : y) {
    if (floating && t.defined() && t.dtype() == float32) {
      fail(what + ": a result of float64 inputs is float32");
    }
  }
}

void Checks::float32_like_float64(const std::string& what, const Tensors& x) {
  const Tensors single = converted(x, float32), same = converted(single, float64);
  const Result a = differentiate(single), b = differentiate(same);
  compare(what + ": float32", a.values, to_arrays(b.values), row_.tolerance32);
  for (const Tensor& t : a.values) {
    if (t.dtype() == float64 && runs(Check::float32_results))
      fail(what + ": a result of float32 inputs is float64");
  }
  if (!runs(Check::float32_grads)) return;
  for (std::size_t i = 0; i < a.gradients.size(); ++i) {
    if (a.gradients[i].defined() != b.gradients[i].defined()) {
      fail(what + ": float32 and float64 have different gradients");
    }
    if (!a.gradients[i].defined() || !b.gradients[i].defined()) continue;
    const std::string found =
        difference(a.gradients[i], to_array(b.gradients[i]), 4 * row_.tolerance32);
    if (!found.empty()) fail(what + ": float32 gradient " + std::to_string(i) + ": " + found);
  }
}

void Checks::gradient_kind(const std::string& what, const Tensors& x) {
  const Result r = differentiate(x);
  if (row_.kind == Kind::no_gradient) {
    for (const Tensor& y : r.values) {
      if (y.requires_grad()) fail(what + ": a result requires grad");
    }
    return;
  }
  std::size_t floating = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!is_floating(x[i].dtype())) continue;
    const Tensor& g = r.gradients[floating++];
    if (!g.defined()) continue;
    long double squares = 0;
    for (const long double v : to_array(g).values) squares += v * v;
    const auto rms = static_cast<double>(std::sqrt(squares / std::max<std::int64_t>(1, g.numel())));
    if (row_.kind == Kind::zero_gradient && rms != 0) {
      fail(what + ": the gradient of input " + std::to_string(i) + " is not zero");
    }
    if (i < gradient_size_.size()) gradient_size_[i] = std::max(gradient_size_[i], rms);
  }
}

void Checks::gradients(const std::string& what, const Tensors& x, std::int64_t max_elements) {
  const auto f = [this](const Tensors& t) { return call(t); };
  const GradcheckOptions options{.max_elements = max_elements};
  if (const GradcheckReport r = gradcheck(f, x, options); !r) {
    fail(what + ": gradcheck: " + r.text());
  }
  if (!differentiable() || !runs(Check::second_order)) return;
  if (const GradcheckReport r = gradgradcheck(f, x, options); !r) {
    fail(what + ": gradgradcheck: " + r.text());
  }
}

// Gradients that never come count as zero: those of the outputs one by one add up to that of all.
void Checks::each_output_alone(const std::string& what, const Tensors& x) {
  Tensors leaves, wanted, outputs, seeds;
  for (const Tensor& t : x) {
    leaves.push_back(xtape::detail::copy_contiguous(t));
    if (is_floating(t.dtype())) wanted.push_back(leaves.back().requires_grad_());
  }
  Random random(5);
  for (const Tensor& y : call(leaves)) {
    if (!y.requires_grad()) continue;
    outputs.push_back(y);
    seeds.push_back(random_gradient(y, random));
  }
  if (outputs.size() < 2) return;
  const auto gradients_of = [&](const Tensors& ys, const Tensors& gs) {
    return grad(ys, wanted, {.grad_outputs = gs, .retain_graph = true, .allow_unused = true});
  };
  const Tensors together = gradients_of(outputs, seeds);
  std::vector<Array> sums;
  for (const Tensor& w : wanted) sums.push_back(Array::filled(w.shape(), 0));
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    const Tensors alone = gradients_of({outputs[k]}, {seeds[k]});
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (!alone[i].defined()) continue;
      const Array a = to_array(alone[i]);
      for (std::size_t e = 0; e < a.values.size(); ++e) sums[i].values[e] += a.values[e];
    }
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (!together[i].defined()) continue;
    const std::string found = difference(together[i], sums[i], 4 * row_.tolerance);
    if (!found.empty())
      fail(what + ": outputs one by one, input " + std::to_string(i) + ": " + found);
  }
}

// Every layout for all inputs at once and for each alone.
void Checks::layouts(const Tensors& x) {
  for (const DType dtype : {float64, float32}) {
    const Tensors plain = converted(x, dtype);
    const Result expected = differentiate(plain);
    for (const Layout layout : kLayouts) {
      for (std::size_t which = x.size() == 1 ? 1 : 0; which <= x.size(); ++which) {
        const std::string what = describe(plain) + ": " + name(layout) + " input " +
                                 (which == x.size() ? "everywhere" : std::to_string(which));
        const Result r = differentiate(laid_out(plain, layout, which));
        compare(what, r.values, to_arrays(expected.values), tolerance(dtype));
        for (std::size_t i = 0; i < r.gradients.size(); ++i) {
          if (!r.gradients[i].defined() || !expected.gradients[i].defined()) {
            if (r.gradients[i].defined() != expected.gradients[i].defined()) {
              fail(what + ": has other gradients");
            }
            continue;
          }
          const std::string found =
              difference(r.gradients[i], to_array(expected.gradients[i]), 4 * tolerance(dtype));
          if (!found.empty()) fail(what + ": gradient " + std::to_string(i) + ": " + found);
        }
      }
    }
  }
}

void Checks::random_numbers(const Tensors& x) {
  for (const DType dtype : {float64, float32}) {
    const Tensors inputs = converted(x, dtype);
    const Tensors first = call(inputs), again = call(inputs);
    manual_seed(kSeed + 1);
    const Tensors other = row_.f(inputs);
    bool differs = false;
    for (std::size_t k = 0; k < first.size(); ++k) {
      if (!same_bits(first[k], again[k])) fail("random: one seed gives two results");
      differs = differs || !same_bits(first[k], other[k]);
    }
    if (!differs && !first.empty() && first[0].numel() > 0) {
      fail("random: another seed gives the same result");
    }
    if (!row_.statistics) continue;
    if (const std::string wrong = row_.statistics(first); !wrong.empty()) {
      fail(std::string("statistics, ") + name(dtype) + ": " + wrong);
    }
  }
}

void Checks::any_shape() {
  Argument a = row_.inputs[0][0];
  a.values.clear();
  for (const Shape& shape : {Shape{}, Shape{0}, Shape{1}, Shape{3, 0}, Shape{0, 2}, Shape{37},
                             Shape{1000}, Shape{33, 31}, Shape{3, 1, 5, 2}}) {
    a.shape = shape;
    const Tensors x = make(Sample{a}, random_, row_.kinks);
    const std::string what = "any shape, " + describe(x);
    values(what, x);
    float32_like_float64(what, x);
    if (row_.kind != Kind::no_gradient) gradients(what, x, 6);
    if (runs(Check::layouts)) layouts(x);
  }
  if (!runs(Check::nonfinite) || !row_.reference || !is_floating(a.dtype)) return;
  const double infinity = std::numeric_limits<double>::infinity();
  for (const std::int64_t n : {37, 1000}) {
    for (const double special : {std::nan(""), infinity, -infinity}) {
      for (const std::int64_t at : {std::int64_t{0}, n / 2, n - 1}) {
        a.shape = {n};
        Array values = to_array(make(a, random_, row_.kinks));
        values.values[static_cast<std::size_t>(at)] = special;
        const Tensors x{to_tensor(values, float32)};
        const std::string what = listed(special) + " at " + std::to_string(at) + " of " +
                                 std::to_string(n) + ", float32";
        compare(what, call(x), row_.reference(converted(x, float64)), row_.tolerance32);
      }
    }
  }
}

void Checks::nonzero_gradients() {
  if (!differentiable() || !runs(Check::nonzero)) return;
  for (std::size_t i = 0; i < gradient_size_.size(); ++i) {
    if (!is_floating(row_.inputs[0][i].dtype) || gradient_size_[i] > kLeastGradient) continue;
    fail("the gradient of input " + std::to_string(i) +
         " is about zero in the whole domain: nothing was tested");
  }
}

}  // namespace xtape::test
