// SPDX-License-Identifier: BSD-3-Clause
#include "ctc.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "../autograd/error.hpp"
#include "../autograd/kernels/ctc.hpp"
#include "../autograd/ops/alias.hpp"
#include "../autograd/ops/arithmetic.hpp"
#include "../autograd/ops/creation.hpp"
#include "../autograd/ops/indexing.hpp"
#include "../autograd/ops/joining.hpp"
#include "../autograd/ops/logic.hpp"
#include "../autograd/ops/math.hpp"
#include "../autograd/ops/reductions.hpp"
#include "../autograd/ops/shape.hpp"
#include "../autograd/sweep.hpp"
#include "../autograd/tape.hpp"
#include "loss_checks.hpp"

namespace xtape::nn {

XTAPE_DEFINE_PARTS(CTCLoss)

namespace {

constexpr const char* kName = "ctc_loss";

[[noreturn]] void bad_shape(const std::string& what) {
  throw ShapeError(std::string(kName) + ": " + what);
}

void check_integers(const char* what, const Tensor& x) {
  if (!x.defined()) throw ValueError(std::string(kName) + ": " + what + " is undefined");
  if (x.dtype() == int64) return;
  throw DTypeError(std::string(kName) + ": expected int64 " + what + ", got " + x.description());
}

void check_lengths(const char* what, const Tensor& lengths, std::int64_t samples,
                   std::int64_t smallest, std::int64_t largest) {
  check_integers(what, lengths);
  if (lengths.shape() != Shape{samples}) {
    bad_shape(std::string("expected ") + what + " [" + std::to_string(samples) + "], got " +
              to_string(lengths.sizes()));
  }
  for (const std::int64_t n : std::span(lengths.data<std::int64_t>(), lengths.numel())) {
    if (n >= smallest && n <= largest) continue;
    throw ValueError(std::string(kName) + ": " + what + ": " + std::to_string(n) + " is not in [" +
                     std::to_string(smallest) + ", " + std::to_string(largest) + "]");
  }
}

// Rows of one label each, whatever stands after their ends.
Tensor as_rows(const Tensor& targets, const Tensor& target_lengths) {
  if (targets.dim() == 2) return targets.contiguous();
  const std::int64_t* lengths = target_lengths.data<std::int64_t>();
  const std::int64_t samples = target_lengths.numel();
  const std::int64_t longest = samples == 0 ? 0 : *std::max_element(lengths, lengths + samples);
  Tensor rows = zeros({samples, longest}, int64);
  const Tensor all = targets.contiguous();
  const std::int64_t* next = all.data<std::int64_t>();
  for (std::int64_t n = 0; n < samples; ++n) {
    std::copy_n(next, lengths[n], xtape::detail::fresh_data<std::int64_t>(rows) + n * longest);
    next += lengths[n];
  }
  return rows;
}

void check_classes(const Tensor& rows, const Tensor& lengths, std::int64_t classes,
                   std::int64_t blank) {
  if (blank < 0 || blank >= classes) {
    throw IndexError(std::string(kName) + ": blank " + std::to_string(blank) +
                     " is out of range for " + std::to_string(classes) + " classes");
  }
  for (std::int64_t n = 0; n < rows.sizes()[0]; ++n) {
    const std::int64_t* row = rows.data<std::int64_t>() + n * rows.sizes()[1];
    for (std::int64_t i = 0; i < lengths.data<std::int64_t>()[n]; ++i) {
      if (row[i] >= 0 && row[i] < classes && row[i] != blank) continue;
      throw IndexError(std::string(kName) + ": class " + std::to_string(row[i]) +
                       " is blank or out of range for " + std::to_string(classes) + " classes");
    }
  }
}

void check_targets(const Tensor& targets, const Tensor& lengths, std::int64_t samples) {
  const std::int64_t* length = lengths.data<std::int64_t>();
  if (targets.dim() == 2 && targets.sizes()[0] == samples) {
    check_lengths("target_lengths", lengths, samples, 0, targets.sizes()[1]);
    return;
  }
  std::int64_t total = 0;
  for (std::int64_t n = 0; n < samples; ++n) total += length[n];
  if (targets.dim() == 1 && targets.numel() == total) return;
  bad_shape("expected targets [" + std::to_string(samples) + ", S] or [" + std::to_string(total) +
            "], the sum of target_lengths, got " + to_string(targets.sizes()));
}

// f(kernels::Ctc) of log_probs [T, N, C] and targets [N, S].
template <class F>
void with_problem(const Tensor& x, const Tensor& targets, const Tensor& input_lengths,
                  const Tensor& target_lengths, std::int64_t blank, F f) {
  std::vector<std::int64_t> offsets;
  for (std::int64_t n = 0; n < x.sizes()[1]; ++n) offsets.push_back(n * targets.sizes()[1]);
  f(kernels::Ctc{x.sizes()[0], x.sizes()[1], x.sizes()[2], input_lengths.data<std::int64_t>(),
                 target_lengths.data<std::int64_t>(), offsets.data(), targets.data<std::int64_t>(),
                 blank});
}

Tensor fused_gradient(const Tensor& g, const Tensor& log_probs, const Tensor& targets,
                      const Tensor& input_lengths, const Tensor& target_lengths, std::int64_t blank,
                      bool zero_infinity) {
  const Tensor x = log_probs.detach().contiguous(), from = g.detach().contiguous();
  const Tensor gradient = xtape::detail::empty(x.dtype(), x.sizes());
  with_problem(x, targets, input_lengths, target_lengths, blank, [&](const kernels::Ctc& c) {
    kernels::ctc_backward(c, x.dtype(), zero_infinity, gradient.value()->data, from.value()->data,
                          x.value()->data);
  });
  return gradient;
}

// [N, 2 S + 1]: a blank before, between and after the classes.
Tensor states_of(const Tensor& targets, std::int64_t blank) {
  const std::int64_t samples = targets.sizes()[0], length = targets.sizes()[1];
  const Tensor blanks = full({samples, length, 1}, blank, int64);
  const Tensor pairs = cat({blanks, unsqueeze(targets, 2)}, 2).reshape({samples, 2 * length});
  return cat({pairs, full({samples, 1}, blank, int64)}, 1);
}

}  // namespace

namespace detail {

Tensor composed_ctc(const Tensor& log_probs, const Tensor& targets, const Tensor& input_lengths,
                    const Tensor& target_lengths, std::int64_t blank) {
  constexpr double kNever = -1e30;  // finite, so that no gradient is 0 / 0
  const std::int64_t steps = log_probs.sizes()[0], samples = log_probs.sizes()[1];
  const Tensor states = states_of(targets, blank);
  const std::int64_t count = states.sizes()[1];
  const DType dtype = log_probs.dtype();
  // The blank before a state may be left out where its class is another one than that before.
  const Tensor two_before = pad(narrow(states, 1, 0, std::max<std::int64_t>(count - 2, 0)),
                                {std::min<std::int64_t>(count, 2), 0}, blank);
  const Tensor skips = logical_and(ne(states, blank), ne(states, two_before));
  const Tensor never = full({samples, count}, kNever, dtype);
  const auto shifted = [&](const Tensor& alpha, std::int64_t by) {
    if (count <= by) return never;
    return pad(narrow(alpha, 1, 0, count - by), {by, 0}, kNever);
  };
  const Tensor positions = arange(count).view({1, count});
  Tensor alpha;
  for (std::int64_t t = 0; t < steps; ++t) {
    const Tensor emitted = gather(select(log_probs, 0, t), 1, states);
    if (t == 0) {
      alpha = where(lt(positions, 2), emitted, never);
      continue;
    }
    const Tensor ways = stack({alpha, shifted(alpha, 1), where(skips, shifted(alpha, 2), never)});
    const Tensor next = logsumexp(ways, {0}) + emitted;
    alpha = where(gt(input_lengths, t).view({samples, 1}), next, alpha);
  }
  const Tensor last = (2 * target_lengths).view({samples, 1});
  const Tensor ends = logical_and(le(positions, last), ge(positions, last - 1));
  return -logsumexp(where(ends, alpha, never), {1});
}

}  // namespace detail

namespace {

Tensor losses_of(const Tensor& log_probs, const Tensor& rows, const Tensor& input_lengths,
                 const Tensor& target_lengths, const CTCOptions& o) {
  const Tensor x = log_probs.contiguous();
  Tensor y = xtape::detail::empty(x.dtype(), Shape{x.sizes()[1]});
  with_problem(x, rows, input_lengths, target_lengths, o.blank, [&](const kernels::Ctc& c) {
    kernels::ctc(c, x.dtype(), y.value()->data, x.value()->data);
  });
  if (o.zero_infinity) {
    y = where(eq(y, std::numeric_limits<double>::infinity()), zeros_like(y), y);
  }
  record("ctc_loss", y, {log_probs}, saves(log_probs, rows, input_lengths, target_lengths),
         [blank = o.blank, zero_infinity = o.zero_infinity](Backward& t) {
           const Tensor in = t.saved(0), labels = t.saved(1);
           const Tensor steps = t.saved(2), lengths = t.saved(3);
           if (!t.create_graph()) {
             return t.add(0,
                          fused_gradient(t.g(), in, labels, steps, lengths, blank, zero_infinity));
           }
           // What stands beyond a target's length may be any number; and the hooks of the input
           // are of the sweep that called.
           const Tensor places = arange(labels.sizes()[1]);
           const Tensor own = where(lt(places, unsqueeze(lengths, 1)), labels, blank);
           const Tensor x = xtape::detail::alias(in);
           Tensor losses = detail::composed_ctc(x, own, steps, lengths, blank);
           if (zero_infinity) losses = where(gt(losses, 1e29), zeros_like(losses), losses);
           t.add(0, grad({losses}, {x}, {.grad_outputs = {t.g()}, .create_graph = true})[0]);
         });
  return y;
}

}  // namespace

Tensor ctc_loss(const Tensor& log_probs, const Tensor& targets, const Tensor& input_lengths,
                const Tensor& target_lengths, const CTCOptions& options) {
  detail::check_input(kName, log_probs);
  check_integers("targets", targets);
  check_integers("input_lengths", input_lengths);
  check_integers("target_lengths", target_lengths);
  if (log_probs.dim() == 2 && targets.dim() == 1) {
    CTCOptions each = options;
    const Tensor loss = ctc_loss(unsqueeze(log_probs, 1), unsqueeze(targets, 0),
                                 input_lengths.reshape({1}), target_lengths.reshape({1}), each);
    return options.reduction == Reduction::none ? loss.squeeze(0) : loss;
  }
  if (log_probs.dim() != 3) {
    bad_shape("expected log_probs [T, N, C] or [T, C], got " + to_string(log_probs.sizes()));
  }
  const std::int64_t samples = log_probs.sizes()[1];
  const Tensor steps = input_lengths.contiguous(), lengths = target_lengths.contiguous();
  check_lengths("input_lengths", steps, samples, 1, log_probs.sizes()[0]);
  check_lengths("target_lengths", lengths, samples, 0, targets.numel());
  check_targets(targets, lengths, samples);
  const Tensor rows = as_rows(targets, lengths);
  check_classes(rows, lengths, log_probs.sizes()[2], options.blank);

  const Tensor losses = losses_of(log_probs, rows, steps, lengths, options);
  if (options.reduction != Reduction::mean) {
    return detail::reduce(kName, losses, options.reduction);
  }
  const Tensor divisors = maximum(lengths, ones_like(lengths)).to(losses.dtype());
  return detail::reduce(kName, losses / divisors, options.reduction);
}

}  // namespace xtape::nn
