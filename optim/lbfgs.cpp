// SPDX-License-Identifier: BSD-3-Clause
#include "lbfgs.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <string>

#include "../autograd/error.hpp"
#include "../autograd/ops/arithmetic.hpp"
#include "../autograd/ops/creation.hpp"
#include "../autograd/ops/indexing.hpp"
#include "../autograd/ops/joining.hpp"
#include "../autograd/tape.hpp"
#include "line_search.hpp"
#include "state_reader.hpp"

namespace xtape::optim {
namespace {

constexpr std::int64_t kParts = 8;  // independent sums, so that they become vector code

// Sum of f(a, b), in double: directions are differences of nearly equal numbers.
template <class F>
double sum_of(const Tensor& a, const Tensor& b, F f) {
  return xtape::detail::dispatch_floating(a.dtype(), [&]<class T>(xtape::detail::Type<T>) {
    const T* x = a.data<T>();
    const T* y = b.data<T>();
    double sums[kParts] = {};
    const std::int64_t n = a.numel();
    std::int64_t i = 0;
    for (; i + kParts <= n; i += kParts) {
      for (std::int64_t j = 0; j < kParts; ++j) {
        sums[j] += f(static_cast<double>(x[i + j]), static_cast<double>(y[i + j]));
      }
    }
    for (; i < n; ++i) sums[0] += f(static_cast<double>(x[i]), static_cast<double>(y[i]));
    double sum = 0;
    for (const double s : sums) sum += s;
    return sum;
  });
}

double dot(const Tensor& a, const Tensor& b) {
  return sum_of(a, b, [](double x, double y) { return x * y; });
}

double sum_of_absolutes(const Tensor& a) {
  return sum_of(a, a, [](double x, double) { return std::abs(x); });
}

// NaN where one is among them.
double largest_absolute(const Tensor& a) {
  return xtape::detail::dispatch_floating(a.dtype(), [&]<class T>(xtape::detail::Type<T>) {
    T largest = 0;
    for (const T x : std::span(a.data<T>(), static_cast<std::size_t>(a.numel()))) {
      const T size = std::abs(x);
      if (std::isnan(size)) return static_cast<double>(size);
      largest = std::max(largest, size);
    }
    return static_cast<double>(largest);
  });
}

std::vector<Tensor> copies(const std::vector<Tensor>& of) {
  std::vector<Tensor> found;
  for (const Tensor& x : of) found.push_back(x.detach().clone());
  return found;
}

void put_back(std::vector<Tensor> to, const std::vector<Tensor>& from) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i].copy_(from[i]);
}

// y += a x
void add_scaled(const Tensor& y, double a, const Tensor& x) {
  xtape::detail::dispatch_floating(y.dtype(), [&]<class T>(xtape::detail::Type<T>) {
    T* to = xtape::detail::fresh_data<T>(y);
    const T* from = x.data<T>();
    const auto factor = static_cast<T>(a);
    for (std::int64_t i = 0; i < y.numel(); ++i) to[i] += factor * from[i];
  });
}

}  // namespace

LBFGS::LBFGS(const std::vector<Tensor>& parameters, const LBFGSOptions& options)
    : OptimizerWith("LBFGS", {{nullptr}}) {
  add({{parameters, options}});
}

void LBFGS::check(const LBFGSOptions& o) const {
  OptimizerWith::check(o);
  require(o.max_iter >= 1, "max_iter >= 1", static_cast<double>(o.max_iter));
  require(o.max_eval >= 0, "max_eval >= 0", static_cast<double>(o.max_eval));
  require(o.tolerance_grad >= 0, "tolerance_grad >= 0", o.tolerance_grad);
  require(o.tolerance_change >= 0, "tolerance_change >= 0", o.tolerance_change);
  require(o.history_size >= 1, "history_size >= 1", static_cast<double>(o.history_size));
}

void LBFGS::check_parameters(const std::vector<Tensor>& parameters) const {
  if (group_count() > 0) throw ValueError("LBFGS: takes one group of parameters alone");
  for (const Tensor& p : parameters) {
    if (!p.defined() || p.dtype() == parameters[0].dtype()) continue;
    throw DTypeError("LBFGS: expected parameters of one dtype, got " + parameters[0].description() +
                     " and " + p.description());
  }
}

void LBFGS::step() {
  throw ValueError("LBFGS: step needs a closure that computes the loss: step([&] { ... })");
}

// --- all parameters as one vector ----------------------------------------------------------------

std::int64_t LBFGS::numel() const {
  std::int64_t n = 0;
  for (const Tensor& p : parameters()) n += p.numel();
  return n;
}

Tensor LBFGS::flat_gradient() const {
  std::vector<Tensor> parts;
  for (const Tensor& p : parameters()) {
    const Tensor g = p.grad();
    parts.push_back(g.defined() ? g.detach().reshape({p.numel()}) : zeros({p.numel()}, p.dtype()));
  }
  return cat(parts);
}

void LBFGS::move(double t, const Tensor& direction) {
  std::int64_t offset = 0;
  for (Tensor p : parameters()) {
    p.copy_(p + narrow(direction, 0, offset, p.numel()).view(p.shape()) * t);
    offset += p.numel();
  }
}

Tensor LBFGS::evaluate(const detail::LossClosure& closure) {
  const EnableGrad guard;
  ++memory_.func_evals;
  Tensor loss = closure();
  if (!loss.defined()) throw ValueError("LBFGS: the closure returned no loss");
  return loss;
}

// The loss along a direction from where the parameters are; they are back there after each look.
class LBFGS::SearchLine final : public detail::Line {
 public:
  SearchLine(LBFGS& optimizer, const detail::LossClosure& closure, const Tensor& direction)
      : optimizer_(optimizer),
        closure_(closure),
        direction_(direction),
        start_(copies(optimizer.parameters())) {
    length = largest_absolute(direction);
  }

  detail::LinePoint at(double t) override {
    optimizer_.move(t, direction_);
    const double loss = optimizer_.evaluate(closure_).item<double>();
    ++evaluations;
    Tensor gradient = optimizer_.flat_gradient();
    put_back(optimizer_.parameters(), start_);
    return {t, loss, dot(gradient, direction_), gradient};
  }

 private:
  LBFGS& optimizer_;
  const detail::LossClosure& closure_;
  const Tensor& direction_;
  std::vector<Tensor> start_;
};

// --- the method ----------------------------------------------------------------------------------

void LBFGS::remember(const Tensor& gradient) {
  Memory& m = memory_;
  const Tensor change = gradient - m.prev_flat_grad, step = m.d * m.t;
  const double curvature = dot(change, step);
  if (!(curvature > 1e-10)) return;
  if (m.old_dirs.size() >= static_cast<std::size_t>(options_[0].history_size)) {
    m.old_dirs.erase(m.old_dirs.begin());
    m.old_stps.erase(m.old_stps.begin());
    m.ro.erase(m.ro.begin());
  }
  m.old_dirs.push_back(change);
  m.old_stps.push_back(step);
  m.ro.push_back(1 / curvature);
  m.h_diag = curvature / dot(change, change);
}

// Minus the inverse Hessian's estimate times the gradient, by two loops over the history.
Tensor LBFGS::newton_direction(const Tensor& gradient) const {
  const Memory& m = memory_;
  std::vector<double> weights(m.ro.size());
  Tensor q = -gradient;
  for (std::size_t i = m.ro.size(); i-- > 0;) {
    weights[i] = dot(m.old_stps[i], q) * m.ro[i];
    add_scaled(q, -weights[i], m.old_dirs[i]);
  }
  const Tensor r = q * m.h_diag;
  for (std::size_t i = 0; i < m.ro.size(); ++i) {
    const double back = dot(m.old_dirs[i], r) * m.ro[i];
    add_scaled(r, weights[i] - back, m.old_stps[i]);
  }
  return r;
}

Tensor LBFGS::step_with(const detail::LossClosure& closure) {
  const NoGrad no_grad;
  const Tensor loss = evaluate(closure);
  const Tensor gradient = flat_gradient();
  if (largest_absolute(gradient) <= options_[0].tolerance_grad) return loss;
  const std::vector<Tensor> start = copies(parameters());
  const Memory memory = memory_;
  try {
    iterate(closure, loss.item<double>(), gradient);
  } catch (...) {  // as if the step had not begun, but for the count of evaluations
    put_back(parameters(), start);
    const std::int64_t evaluations = memory_.func_evals;
    memory_ = memory;
    memory_.func_evals = evaluations;
    throw;
  }
  return loss;
}

void LBFGS::iterate(const detail::LossClosure& closure, double loss, Tensor gradient) {
  const LBFGSOptions& o = options_[0];
  Memory& m = memory_;
  const std::int64_t max_eval = o.max_eval > 0 ? o.max_eval : o.max_iter * 5 / 4;
  std::int64_t evaluations = 1;
  for (std::int64_t i = 1; i <= o.max_iter; ++i) {
    const bool first = ++m.n_iter == 1;
    if (!first) remember(gradient);
    m.d = first ? -gradient : newton_direction(gradient);
    m.t = first ? std::min(1.0, 1 / sum_of_absolutes(gradient)) * o.lr : o.lr;
    m.prev_flat_grad = gradient;
    m.prev_loss = loss;
    const double slope = dot(gradient, m.d);
    if (slope > -o.tolerance_change) break;

    if (o.line_search_fn == LineSearch::strong_wolfe) {
      SearchLine line(*this, closure, m.d);
      const detail::LinePoint found =
          detail::strong_wolfe(line, {0, loss, slope, gradient}, m.t, o.tolerance_change);
      loss = found.loss;
      gradient = found.gradient;
      m.t = found.t;
      evaluations += line.evaluations;
      move(m.t, m.d);
    } else {
      move(m.t, m.d);
      if (i == o.max_iter) break;
      loss = evaluate(closure).item<double>();
      gradient = flat_gradient();
      ++evaluations;
    }
    if (evaluations >= max_eval) break;
    if (largest_absolute(gradient) <= o.tolerance_grad) break;
    if (largest_absolute(m.d) * std::abs(m.t) <= o.tolerance_change) break;
    if (std::abs(loss - m.prev_loss) < o.tolerance_change) break;
  }
}

// --- checkpoints ---------------------------------------------------------------------------------

void LBFGS::append_state(NamedTensors& state) const {
  const Memory& m = memory_;
  if (m.func_evals == 0) return;
  const auto append = [&](const char* name, const Tensor& x) {
    state.emplace_back(std::string("state.0.") + name, x);
  };
  append("func_evals", scalar_tensor(m.func_evals, int64));
  append("n_iter", scalar_tensor(m.n_iter, int64));
  if (m.n_iter == 0) return;
  append("t", scalar_tensor(m.t, float64));
  append("H_diag", scalar_tensor(m.h_diag, float64));
  append("prev_loss", scalar_tensor(m.prev_loss, float64));
  append("d", m.d);
  append("prev_flat_grad", m.prev_flat_grad);
  const auto count = static_cast<std::int64_t>(m.ro.size());
  append("ro", from_values<double>(m.ro, {count}));
  if (count == 0) return;
  append("old_dirs", stack(m.old_dirs));
  append("old_stps", stack(m.old_stps));
}

void LBFGS::read_state(detail::StateReader& reader, bool take_over) {
  const auto name = [](const char* what) { return std::string("state.0.") + what; };
  const DType dtype = parameters()[0].dtype();
  Memory m;
  if (const Tensor* evaluations = reader.find(name("func_evals"), int64, {})) {
    m.func_evals = evaluations->item<std::int64_t>();
    m.n_iter = reader.integer(name("n_iter"));
  }
  if (m.n_iter > 0) {
    m.t = reader.number(name("t"));
    m.h_diag = reader.number(name("H_diag"));
    m.prev_loss = reader.number(name("prev_loss"));
    m.d = reader.get(name("d"), dtype, {numel()}).clone();
    m.prev_flat_grad = reader.get(name("prev_flat_grad"), dtype, {numel()}).clone();
    // The history's own length is read off its numbers.
    const std::int64_t count = reader.length(name("ro"));
    if (count > options_[0].history_size) reader.fail(name("ro"), " is longer than history_size");
    m.ro = reader.numbers(name("ro"), static_cast<std::size_t>(count));
    if (count > 0) {
      m.old_dirs = unbind(reader.get(name("old_dirs"), dtype, {count, numel()}).clone());
      m.old_stps = unbind(reader.get(name("old_stps"), dtype, {count, numel()}).clone());
    }
  }
  if (take_over) memory_ = std::move(m);
}

}  // namespace xtape::optim
