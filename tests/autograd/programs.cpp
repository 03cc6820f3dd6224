// SPDX-License-Identifier: BSD-3-Clause
#include "programs.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <exception>
#include <optional>

#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/math.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/ops/shape.hpp>
#include <xtape/autograd/sweep.hpp>
#include <xtape/autograd/tape.hpp>

#include "expect.hpp"

namespace xtape::test {

namespace {

constexpr std::int64_t kMostElements = 48;
constexpr double kLargest = 30;

Call call_of(const Step& step, const Tensors& values) {
  const auto argument = [&](std::size_t k) {
    return k < step.arguments.size() ? values[static_cast<std::size_t>(step.arguments[k])]
                                     : Tensor();
  };
  return {argument(0), argument(1), argument(2), step.i, step.j};
}

// Which values no step uses.
std::vector<bool> ends_of(const Program& program) {
  std::vector<bool> ends(program.inputs.size() + program.steps.size(), true);
  for (const Step& step : program.steps) {
    for (const int k : step.arguments) ends[static_cast<std::size_t>(k)] = false;
  }
  return ends;
}

Tensor random_tensor(Random& random, const Shape& shape, double low, double high) {
  std::vector<double> v(static_cast<std::size_t>(shape.numel()));
  for (double& x : v) x = random.real(low, high);
  return from_values<double>(v, shape);
}

// Small enough, and finite.
bool is_tame(const Tensor& x) {
  return x.numel() >= 1 && x.numel() <= kMostElements && x.dim() <= 4 &&
         std::ranges::all_of(elements(x), [](double v) { return std::abs(v) <= kLargest; });
}

// Often one that is not used yet, so that programs grow deep; else any, so that they share.
int random_value(Random& random, const std::vector<bool>& used) {
  const auto count = static_cast<std::int64_t>(used.size());
  for (int attempt = 0; attempt < 4 && random.below(2) == 0; ++attempt) {
    const std::int64_t k = random.below(count);
    if (!used[static_cast<std::size_t>(k)]) return static_cast<int>(k);
  }
  return static_cast<int>(random.below(count));
}

std::optional<Step> random_step(Random& random, const Operations& operations, Tensors& values,
                                const std::vector<bool>& used) {
  const Operation& operation = operations[static_cast<std::size_t>(
      random.below(static_cast<std::int64_t>(operations.size())))];
  for (int attempt = 0; attempt < 8; ++attempt) {
    Step step{&operation, {}};
    for (int k = 0; k < operation.arguments; ++k) {
      step.arguments.push_back(random_value(random, used));
    }
    Call call = call_of(step, values);
    if (!operation.choose(random, call)) continue;
    step.i = call.i;
    step.j = call.j;
    Tensor y = operation.run(call);
    if (!is_tame(y)) continue;
    values.push_back(std::move(y));
    return step;
  }
  return std::nullopt;
}

// `text` with its identifiers a, b, c, i, j replaced.
std::string substituted(const char* text, const Step& step, const std::vector<std::string>& names) {
  const auto replacement = [&](const std::string& word) -> std::string {
    if (word == "i") return std::to_string(step.i);
    if (word == "j") return std::to_string(step.j);
    const std::size_t k = word.size() == 1 ? static_cast<std::size_t>(word[0] - 'a') : 3;
    return k < step.arguments.size() ? names[static_cast<std::size_t>(step.arguments[k])] : word;
  };
  std::string result, word;
  for (const char* at = text;; ++at) {
    if (std::isalnum(static_cast<unsigned char>(*at)) || *at == '_') {
      word += *at;
      continue;
    }
    result += word.empty() ? word : replacement(word);
    word.clear();
    if (*at == '\0') return result;
    result += *at;
  }
}

std::string number(double x) {
  char text[40];
  std::snprintf(text, sizeof text, "%.17g", x);
  return text;
}

std::string braced(const Shape& shape) {
  const std::string text = to_string(shape);
  return "{" + text.substr(1, text.size() - 2) + "}";
}

// --- comparing -----------------------------------------------------------------------------------

Tensors leaves_of(const Tensors& x) {
  Tensors leaves;
  for (const Tensor& t : x) leaves.push_back(t.detach().clone().requires_grad_());
  return leaves;
}

double dot(const Tensors& a, const Tensors& b) {
  double total = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    if (a[k].defined()) total += sum(a[k].detach() * b[k]).item<double>();
  }
  return total;
}

double norm_of(const Tensors& a) {
  double total = 0;
  for (const Tensor& t : a) {
    for (const double x : elements(t)) total += x * x;
  }
  return std::sqrt(total);
}

// A scalar function of the inputs, and its gradient by the tape: both ways to ask for one.
using Function = std::function<Tensor(const Tensors&)>;

Tensors gradient_of(const Function& f, const Tensors& x, bool create_graph = false) {
  const Tensor y = f(x);
  if (!y.requires_grad()) return Tensors(x.size());
  if (create_graph) return grad({y}, x, {.create_graph = true, .allow_unused = true});
  y.backward();
  Tensors g;
  for (const Tensor& t : x) g.push_back(t.grad());
  return g;
}

double difference(const Function& f, const Tensors& x, const Tensors& along, double h) {
  const auto at = [&](double step) {
    Tensors moved;
    for (std::size_t k = 0; k < x.size(); ++k) moved.push_back(x[k].detach() + step * along[k]);
    return f(leaves_of(moved)).item<double>();
  };
  return (at(h) - at(-h)) / (2 * h);
}

std::string disagreement(const char* what, double analytic, double numeric) {
  return std::string(what) + ": the tape says " + number(analytic) + ", differences " +
         number(numeric);
}

// The derivative of f along a direction, from the tape and from differences.
Verdict compare(const char* what, const Function& f, const Tensors& x, const Tensors& along) {
  const Tensors g = gradient_of(f, leaves_of(x));
  const double analytic = dot(g, along);
  std::int64_t count = 0;
  for (const Tensor& t : x) count += t.numel();
  const double typical = norm_of(g) * norm_of(along) / std::sqrt(static_cast<double>(count));
  if (!std::isfinite(typical)) return {Outcome::wrong, std::string(what) + ": not finite"};
  double numeric[4];
  const auto tolerance = [&](double value) {
    return 1e-7 + 1e-5 * std::max(std::abs(value), typical);
  };
  for (int k = 0; k < 4; ++k) {
    const double h = 1e-3 * std::pow(10, k == 0 ? -2 : 1 - k);  // 1e-5, 1e-3, 1e-4, 1e-5
    numeric[k] = difference(f, x, along, h);
    if (k > 0) numeric[k] = (4 * difference(f, x, along, h / 2) - numeric[k]) / 3;
    if (std::abs(analytic - numeric[k]) <= tolerance(numeric[k])) return {};
  }
  for (int k = 1; k < 3; ++k) {
    if (std::abs(numeric[k] - numeric[k + 1]) <= tolerance(numeric[k])) {
      return {Outcome::wrong, disagreement(what, analytic, numeric[k])};
    }
  }
  return {Outcome::sharp, disagreement(what, analytic, numeric[3])};
}

// --- shrinking -----------------------------------------------------------------------------------

// Value `removed` gone; what used it uses `instead`. Steps keep their order.
Program without_step(const Program& program, int removed, int instead) {
  Program p = program;
  p.steps.erase(p.steps.begin() + (removed - static_cast<int>(p.inputs.size())));
  for (Step& step : p.steps) {
    for (int& k : step.arguments) {
      if (k == removed) k = instead;
      if (k > removed) --k;
    }
  }
  return p;
}

// The value of a step, given as a further input.
Program with_input(const Program& program, int removed, const Tensor& value) {
  Program p = without_step(program, removed, -1);
  const int at = static_cast<int>(p.inputs.size());
  p.inputs.push_back(value.detach().clone());
  for (Step& step : p.steps) {
    for (int& k : step.arguments) k = k == -1 ? at : k >= at ? k + 1 : k;
  }
  return p;
}

// Without the inputs that no step uses, as long as one is left.
Program without_idle_inputs(Program p) {
  for (int k = static_cast<int>(p.inputs.size()) - 1; k >= 0 && p.inputs.size() > 1; --k) {
    if (!ends_of(p)[static_cast<std::size_t>(k)]) continue;
    p.inputs.erase(p.inputs.begin() + k);
    for (Step& step : p.steps) {
      for (int& argument : step.arguments) argument -= argument > k;
    }
  }
  return p;
}

Tensors values_of(const Program& program) {
  Tensors values = program.inputs;
  for (const Step& step : program.steps) {
    values.push_back(step.operation->run(call_of(step, values)));
  }
  return values;
}

// All programs with one step less.
std::vector<Program> smaller(const Program& program) {
  std::vector<Program> result;
  const Tensors values = values_of(program);
  const std::vector<bool> ends = ends_of(program);
  const auto inputs = static_cast<int>(program.inputs.size());
  for (int k = static_cast<int>(values.size()) - 1; k >= inputs; --k) {
    const Step& step = program.steps[static_cast<std::size_t>(k - inputs)];
    if (ends[static_cast<std::size_t>(k)]) {
      result.push_back(without_step(program, k, -1));
      continue;
    }
    for (const int instead : step.arguments) {
      result.push_back(without_step(program, k, instead));
    }
    result.push_back(with_input(program, k, values[static_cast<std::size_t>(k)]));
  }
  return result;
}

}  // namespace

Tensor Program::loss(const Tensors& x) const {
  Tensors values = x;
  for (const Step& step : steps) values.push_back(step.operation->run(call_of(step, values)));
  const std::vector<bool> ends = ends_of(*this);
  Tensor total;
  for (std::size_t k = 0; k < values.size(); ++k) {
    if (!ends[k]) continue;
    const Tensor part = sum(flatten(values[k]) * cos(arange(1, values[k].numel() + 1, 1, float64)));
    total = total.defined() ? total + part : part;
  }
  return total;
}

std::string Program::code() const {
  std::string text;
  std::vector<std::string> names;
  for (const Tensor& x : inputs) {
    names.push_back("x" + std::to_string(names.size()));
    std::string list;
    for (const double v : elements(x)) list += (list.empty() ? "" : ", ") + number(v);
    text += "const Tensor " + names.back() + " = tensor({" + list + "}, float64).reshape(" +
            braced(x.shape()) + ");\n";
  }
  for (const Step& step : steps) {
    const std::string name = "y" + std::to_string(names.size() - inputs.size());
    text += "const Tensor " + name + " = " + substituted(step.operation->code, step, names) + ";\n";
    names.push_back(name);
  }
  return text;
}

Program random_program(std::uint64_t seed, const Operations& operations) {
  Random random(seed);
  Program program;
  for (auto k = 1 + random.below(3); k > 0; --k) {
    Shape shape;
    for (auto rank = random.below(4); rank > 0; --rank) shape.push_back(1 + random.below(4));
    program.inputs.push_back(random_tensor(random, shape, -2, 2));
  }
  const auto length = static_cast<std::size_t>(2 + random.below(19));
  Tensors values = program.inputs;
  std::vector<bool> used(values.size(), false);
  while (program.steps.size() < length) {
    std::optional<Step> step = random_step(random, operations, values, used);
    if (!step) continue;
    for (const int k : step->arguments) used[static_cast<std::size_t>(k)] = true;
    used.push_back(false);
    program.steps.push_back(*std::move(step));
  }
  return program;
}

Verdict check(const Program& program) {
  const Function loss = [&](const Tensors& x) { return program.loss(x); };
  try {
    if (!std::isfinite(loss(program.inputs).item<double>())) return {Outcome::undefined};
  } catch (const std::exception& e) {
    return {Outcome::undefined, e.what()};
  }
  Random random(1);
  Tensors along, first;
  for (const Tensor& x : program.inputs) {
    along.push_back(random_tensor(random, x.shape(), -1, 1));
    first.push_back(random_tensor(random, x.shape(), -1, 1));
  }
  try {
    const Verdict verdict = compare("gradient", loss, program.inputs, along);
    if (verdict.outcome != Outcome::right) return verdict;
    const Function slope = [&](const Tensors& x) {
      const Tensors g = gradient_of(loss, x, true);
      Tensor total = zeros({}, float64);
      for (std::size_t k = 0; k < g.size(); ++k) {
        if (g[k].defined()) total = total + sum(g[k] * first[k]);
      }
      return total;
    };
    return compare("gradient of the gradient", slope, program.inputs, along);
  } catch (const std::exception& e) {
    return {Outcome::wrong, e.what()};
  }
}

Program shrunk(Program program, const std::function<bool(const Program&)>& fails) {
  for (bool found = true; found;) {
    found = false;
    for (Program& candidate : smaller(program)) {
      candidate = without_idle_inputs(std::move(candidate));
      if (!fails(candidate)) continue;
      program = std::move(candidate);
      found = true;
      break;
    }
  }
  return program;
}

}  // namespace xtape::test
