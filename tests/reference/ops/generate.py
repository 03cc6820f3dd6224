#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes what PyTorch gives for operations, float64, one safetensors file a family.

Made with PyTorch 1.13; run it in this folder. The tests read the files, never this script.
A case is one line here, `case("sum.dims", lambda a: a.sum((0, -1)), of(real(2, 3, 4)))`, and one in
the table of tests/autograd/ops/stored_*_test.cpp under the same name: the operation, a dot, what is
special. Each `of(...)` is a sample of its own, each `values_of(...)` one without gradients.
Sample s of a case holds `name#s.in.k`, `name#s.out.k`, and where there are gradients
`name#s.seed.k` (the loss sums out times seed over the floating outputs) and `name#s.grad.k`
of the floating inputs. Inputs are numbers of float32, so that both dtypes get the same ones.
"""
import math
import pathlib
import sys
import zlib

import torch
import torch.nn.functional as F

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import safetensors_writer

torch.set_default_dtype(torch.float64)
tensors = {}


def put(name, x):
    tensors[name] = x.detach().contiguous().clone()


def write(path):
    safetensors_writer.write(path, tensors)
    tensors.clear()


def real(*shape, low=-2, high=2):
    return lambda: (low + (high - low) * torch.rand(shape)).float().double()


def distinct(*shape):
    n = math.prod(shape)
    return lambda: (torch.randperm(n) * 0.25 - n * 0.125 + 0.0625).reshape(shape)


def integers(*shape, low=0, high=3):
    return lambda: torch.randint(low, high, shape)


def flags(*shape):
    return lambda: torch.rand(shape) < 0.5


def given(*values, dtype=None):
    return lambda: torch.tensor(values, dtype=dtype or torch.get_default_dtype())


def regular(*shape):
    """Matrices far from singular, their triangles too."""
    return lambda: (torch.rand(shape) - 0.5 + 2 * torch.eye(*shape[-2:])).float().double()


def of(*inputs):
    return inputs, True


def values_of(*inputs):
    return inputs, False


def flat(y):
    return [y] if isinstance(y, torch.Tensor) else [t for part in y for t in flat(part)]


def case(name, f, *samples):
    for s, (inputs, with_gradient) in enumerate(samples):
        key = f"{name}#{s}"
        torch.manual_seed(zlib.crc32(key.encode()))
        inputs = [make() for make in inputs]
        for k, x in enumerate(inputs):
            put(f"{key}.in.{k}", x)
            x.requires_grad_(with_gradient and x.is_floating_point())
        loss = 0
        for k, y in enumerate(flat(f(*inputs))):
            put(f"{key}.out.{k}", y)
            if y.requires_grad:
                seed = torch.randn(y.shape).float().double()
                put(f"{key}.seed.{k}", seed)
                loss = loss + (y * seed).sum()
        if isinstance(loss, torch.Tensor):
            loss.backward()
            for k, x in enumerate(inputs):
                if x.requires_grad:
                    put(f"{key}.grad.{k}", torch.zeros_like(x) if x.grad is None else x.grad)


class Trigamma(torch.autograd.Function):
    """PyTorch's own is good to 1e-9 only."""

    @staticmethod
    def forward(context, x):
        context.save_for_backward(x)
        return torch.special.zeta(torch.tensor(2.0), x)

    @staticmethod
    def backward(context, g):
        return g * torch.polygamma(2, context.saved_tensors[0])


class Digamma(torch.autograd.Function):
    @staticmethod
    def forward(context, x):
        context.save_for_backward(x)
        return torch.special.digamma(x)

    @staticmethod
    def backward(context, g):
        return g * torch.special.zeta(torch.tensor(2.0), context.saved_tensors[0])


def celu(x, alpha=1.0):
    """PyTorch's own has constants of float32 in its gradient; and so has its hardsigmoid."""
    return torch.where(x > 0, x, alpha * torch.expm1(x / alpha))


inf, nan = math.inf, math.nan
SPECIAL = values_of(given(nan, inf, -inf, 0.0, -0.0, 0.5, 1.0, -1.0, 2.0, 30.0, -30.0, 400.0,
                          -400.0))
PAIRS = (of(real(3, 4), real(3, 4)), of(real(2, 1, 4), real(3, 1)), of(real(2, 3), real()),
         of(real(0, 3), real(3)))
DIVISORS = (of(real(3, 4), real(3, 4, low=0.5)), of(real(2, 1, 4), real(3, 1, high=-0.5)),
            of(real(0, 3), real(3, low=0.5)))
SPECIAL_PAIRS = values_of(given(*[x for x in (nan, inf, -inf, 0.0, 1.0, -2.0) for _ in range(6)]),
                          given(*[nan, inf, -inf, 0.0, 1.0, -2.0] * 6))
CUBE = of(real(2, 3, 4)), of(real(0, 3, 4)), of(real(4, 2, 3))


def arithmetic():
    case("add", lambda a, b: a + b, *PAIRS, SPECIAL_PAIRS)
    case("add.number", lambda a: a + 2.5, of(real(3, 4)), SPECIAL)
    case("add.integer", lambda a, b: a + b, of(real(3, 4), integers(4)))
    case("add.alpha", lambda a, b: torch.add(a, b, alpha=-2.5), *PAIRS)
    case("sub", lambda a, b: a - b, *PAIRS, SPECIAL_PAIRS)
    case("sub.from_number", lambda a: 1 - a, of(real(3, 4)))
    case("sub.alpha", lambda a, b: torch.sub(a, b, alpha=3), *PAIRS)
    case("mul", lambda a, b: a * b, *PAIRS, SPECIAL_PAIRS)
    case("mul.number", lambda a: a * -3, of(real(3, 4)))
    case("mul.integers", lambda a, b: a * b, of(integers(3, 4, low=-9, high=9), integers(4)))
    case("div", lambda a, b: a / b, *DIVISORS, SPECIAL_PAIRS)
    case("div.number", lambda a: a / 3, of(real(3, 4)))
    case("div.of_number", lambda a: 3 / a, of(real(3, 4, low=0.5)))
    case("div.floor", lambda a, b: torch.div(a, b, rounding_mode="floor"), *DIVISORS)
    case("div.trunc", lambda a, b: torch.div(a, b, rounding_mode="trunc"), *DIVISORS)
    case("div.floor_integers", lambda a, b: torch.div(a, b, rounding_mode="floor"),
         of(integers(20, low=-9, high=9), integers(20, low=1, high=5)))
    case("div.trunc_integers", lambda a, b: torch.div(a, b, rounding_mode="trunc"),
         of(integers(20, low=-9, high=9), integers(20, low=-5, high=-1)))
    case("remainder", torch.remainder, *DIVISORS)
    case("remainder.number", lambda a: torch.remainder(a, -0.75), of(real(3, 4)))
    case("remainder.of_number", lambda a: torch.remainder(-7, a), values_of(real(3, 4, low=2.5)))
    case("remainder.integers", torch.remainder,
         of(integers(20, low=-9, high=9), integers(20, low=-5, high=-1)))
    case("fmod", torch.fmod, *DIVISORS)
    case("fmod.number", lambda a: torch.fmod(a, -0.75), of(real(3, 4)))
    case("neg", torch.neg, of(real(3, 4)), SPECIAL)
    case("maximum", torch.maximum, *PAIRS, of(given(1.0, 2.0, 3.0), given(1.0, 2.5, 2.0)),
         SPECIAL_PAIRS)
    case("minimum", torch.minimum, *PAIRS, of(given(1.0, 2.0, 3.0), given(1.0, 2.5, 2.0)),
         SPECIAL_PAIRS)
    case("clamp", lambda a: a.clamp(-0.75, 1), of(real(3, 4)), of(given(-0.75, 1.0, 0.0)), SPECIAL)
    case("clamp.tensors", torch.clamp, of(real(3, 4), real(4, high=0), real(3, 1, low=0)))
    case("clamp.crossed", torch.clamp, values_of(real(3, 4), given(1.0), given(-1.0)))
    case("clamp_min", lambda a: a.clamp_min(0.25), of(real(3, 4)), SPECIAL)
    case("clamp_max", lambda a: a.clamp_max(0.25), of(real(3, 4)), SPECIAL)
    case("lerp", torch.lerp, of(real(3, 4), real(3, 4), real(3, 4)),
         of(real(2, 1, 4), real(3, 1), real(4)))
    case("lerp.number", lambda a, b: torch.lerp(a, b, 0.3), of(real(3, 4), real(4)))
    case("addcmul", lambda a, b, c: torch.addcmul(a, b, c, value=-0.5),
         of(real(3, 4), real(4), real(3, 1)))
    case("addcdiv", lambda a, b, c: torch.addcdiv(a, b, c, value=2),
         of(real(3, 4), real(4), real(3, 1, low=0.5)))
    case("where", torch.where, of(flags(3, 4), real(3, 4), real(4)),
         of(flags(3, 1), real(4), real(2, 3, 4)))
    case("where.number", lambda c, a: torch.where(c, a, 2.5), of(flags(3, 4), real(3, 4)))
    case("where.of_number", lambda c, a: torch.where(c, -1.0, a), of(flags(3, 1), real(4)))
    for name in ("eq", "ne", "lt", "le", "gt", "ge"):
        compare = getattr(torch, name)
        case(name, compare, values_of(given(1.0, 2.0, 3.0, nan), given(2.0, 2.0, 2.0, 2.0)),
             SPECIAL_PAIRS)
        case(name + ".number", lambda a, compare=compare: compare(a, 1), SPECIAL)
    for name in ("logical_and", "logical_or", "logical_xor"):
        case(name, getattr(torch, name), values_of(flags(3, 4), flags(4)), SPECIAL_PAIRS)
    for name in ("logical_not", "isnan", "isinf", "isfinite"):
        case(name, getattr(torch, name), SPECIAL)
    case("isclose", torch.isclose, SPECIAL_PAIRS,
         values_of(given(1.0, 1.0, 0.0), given(1 + 1e-6, 1 + 1e-4, 1e-9)))
    case("isclose.equal_nan", lambda a, b: torch.isclose(a, b, 0.5, 0.25, equal_nan=True),
         SPECIAL_PAIRS, values_of(real(3, 4), real(3, 4)))
    write("arithmetic.safetensors")


def math_functions():
    anywhere = of(real(3, 4)), of(real()), of(real(0, 3)), SPECIAL
    positive = of(real(3, 4, low=0.1, high=4)), SPECIAL
    inside = of(real(3, 4, low=-0.9, high=0.9)), SPECIAL
    for name in ("exp", "exp2", "expm1", "square", "sin", "cos", "atan", "sinh", "cosh", "tanh",
                 "asinh", "erf", "erfc", "sinc", "abs", "floor", "ceil", "round", "trunc"):
        case(name, getattr(torch, name), *anywhere)
    for name in ("abs", "sign", "square"):
        case(name + ".integers", getattr(torch, name), values_of(integers(20, low=-9, high=9)))
    case("sign", torch.sign, *anywhere[:3], values_of(given(inf, -inf, 0.0, -0.0)))
    for name in ("log", "log2", "log10", "sqrt", "rsqrt", "reciprocal"):
        case(name, getattr(torch, name), *positive)
    for name in ("asin", "acos", "atanh", "erfinv", "log1p"):
        case(name, getattr(torch, name), *inside)
    case("tan", torch.tan, of(real(3, 4, low=-1.3, high=1.3)))
    case("acosh", torch.acosh, of(real(3, 4, low=1.2, high=4)), SPECIAL)
    case("round.halves", torch.round, values_of(given(-2.5, -1.5, -0.5, 0.5, 1.5, 2.5)))
    case("ndtr", torch.special.ndtr, *anywhere)
    case("lgamma", torch.lgamma, of(real(3, 4, low=0.2, high=8)),
         of(real(3, 4, low=-3.9, high=-3.1)), SPECIAL)
    case("digamma", Digamma.apply, of(real(3, 4, low=0.5, high=8)))
    case("digamma.negative", torch.digamma, values_of(real(3, 4, low=-3.8, high=-3.2)), SPECIAL)
    case("polygamma", Trigamma.apply, of(real(3, 4, low=0.5, high=8)))
    case("polygamma.third", lambda a: torch.polygamma(3, a), of(real(3, 4, low=0.5, high=8)))
    case("pow", torch.pow, of(real(3, 4, low=0.2), real(3, 4)),
         of(real(2, 1, 4, low=0.2), real(3, 1)), SPECIAL_PAIRS)
    case("pow.integers", torch.pow, values_of(integers(20, low=-9, high=9), integers(20, high=8)))
    case("pow.zero_base", torch.pow, of(given(0.0, 0.0, 0.0, 0.0), given(1.0, 2.0, 3.0, 2.5)))
    for name, power in (("zero", 0), ("one", 1), ("two", 2), ("three", 3), ("minus_one", -1),
                        ("minus_two", -2)):
        case("pow." + name, lambda a, power=power: a ** power, of(real(3, 4, low=0.3)),
             of(real(4, high=-0.3)), SPECIAL)
    case("pow.half", lambda a: a ** 0.5, of(real(3, 4, low=0.1)), SPECIAL)
    case("pow.real", lambda a: a ** 2.3, of(real(3, 4, low=0.1)), SPECIAL)
    case("pow.of_number", lambda a: 2.5 ** a, of(real(3, 4)), SPECIAL)
    case("logit", torch.logit, of(real(3, 4, low=0.1, high=0.9)), SPECIAL)
    case("logit.eps", lambda a: torch.logit(a, 0.125), of(real(3, 4, low=0.15, high=0.85)),
         of(given(-1.0, 0.0, 0.05, 0.95, 2.0)))
    case("xlogy", torch.xlogy, of(real(3, 4), real(4, low=0.3)), SPECIAL_PAIRS)
    case("xlogy.number", lambda a: torch.xlogy(a, 3), of(real(3, 4)))
    case("xlogy.of_number", lambda a: torch.xlogy(3, a), of(real(3, 4, low=0.3)))
    case("logaddexp", torch.logaddexp, *PAIRS, of(given(1e4, -1e4, 3.0), given(1e4, -1e4, -1e4)))
    case("hypot", torch.hypot, *DIVISORS, SPECIAL_PAIRS)
    case("atan2", torch.atan2, *DIVISORS, SPECIAL_PAIRS)
    case("nan_to_num", torch.nan_to_num, of(given(nan, inf, -inf, 1.5)))
    case("nan_to_num.given", lambda a: torch.nan_to_num(a, 0.5, 3, -4),
         of(given(nan, inf, -inf, 1.5)))
    write("math.safetensors")


def activations():
    anywhere = of(real(3, 4, low=-4, high=4)), of(real()), of(real(0, 3)), SPECIAL
    case("relu", F.relu, *anywhere)
    case("relu.zero", F.relu, of(given(0.0, -0.0, 1.0, -1.0)))
    case("relu6", F.relu6, of(real(3, 4, low=-2, high=9)), of(given(0.0, 6.0)), SPECIAL)
    case("sigmoid", torch.sigmoid, *anywhere)
    case("logsigmoid", F.logsigmoid, *anywhere)
    case("softplus", F.softplus, of(real(3, 4, low=-4, high=4)), SPECIAL)
    case("softplus.beta", lambda a: F.softplus(a, 2.5), of(real(3, 4)))
    for name in ("softsign", "silu", "mish", "hardswish", "tanhshrink", "selu"):
        case(name, getattr(F, name), *anywhere[:3])
    case("hardsigmoid", lambda a: F.relu6(a + 3) / 6, *anywhere[:3])
    case("leaky_relu", F.leaky_relu, *anywhere)
    case("leaky_relu.slope", lambda a: F.leaky_relu(a, 0.3), of(real(3, 4)), of(given(0.0)))
    case("elu", F.elu, *anywhere)
    case("elu.alpha", lambda a: F.elu(a, 0.3), of(real(3, 4)))
    case("celu", F.celu, *anywhere)
    case("celu.alpha", lambda a: celu(a, 0.3), of(real(3, 4)))
    case("hardtanh", F.hardtanh, *anywhere, of(given(-1.0, 1.0)))
    case("hardtanh.limits", lambda a: F.hardtanh(a, -0.5, 1.5), of(real(3, 4)))
    case("prelu", F.prelu, of(real(2, 3, 4), real(3)), of(real(2, 3), real(1)))
    case("threshold", lambda a: F.threshold(a, 0.25, -3), of(real(3, 4)), of(given(0.25)))
    case("heaviside", torch.heaviside,
         values_of(given(-1.0, 0.0, -0.0, 2.0), given(0.5, 0.25, 0.75, 4.0)))
    case("softshrink", F.softshrink, *anywhere[:3], of(given(0.5, -0.5)))
    case("softshrink.lambd", lambda a: F.softshrink(a, 1.25), of(real(3, 4)))
    case("hardshrink", F.hardshrink, *anywhere[:3], of(given(0.5, -0.5)))
    case("hardshrink.lambd", lambda a: F.hardshrink(a, 1.25), of(real(3, 4)))
    case("glu", F.glu, of(real(3, 4)), of(real(2, 0, 6)))
    case("glu.dim", lambda a: F.glu(a, 0), of(real(4, 3)))
    case("gelu", F.gelu, *anywhere[:3])
    case("gelu_tanh", lambda a: F.gelu(a, approximate="tanh"), *anywhere[:3])
    case("softmax", lambda a: a.softmax(-1), of(real(3, 4)), of(real(2, 0, 3)), of(real()),
         of(given(1e4, 1e4 - 1, -1e4)), values_of(given(-inf, 0.0, 1.0)),
              values_of(given(-inf, -inf)))
    case("softmax.first", lambda a: a.softmax(0), of(real(3, 4)), of(real(3, 0)))
    case("softmax.middle", lambda a: a.softmax(-2), of(real(2, 5, 3)))
    case("log_softmax", lambda a: a.log_softmax(-1), of(real(3, 4)), of(real(2, 0, 3)), of(real()),
         of(given(1e4, 1e4 - 1, -1e4)), values_of(given(-inf, 0.0, 1.0)),
              values_of(given(-inf, -inf)))
    case("log_softmax.first", lambda a: a.log_softmax(0), of(real(3, 4)))
    case("softmin", lambda a: F.softmin(a, -1), of(real(3, 4)))
    write("activations.safetensors")


def reductions():
    full = values_of(real(2, 3, 4)), of(real(3)), of(real())
    empties = of(real(0)), of(real(2, 0))
    case("sum", lambda a: a.sum(), *full, *empties, values_of(integers(3, 4)),
         values_of(flags(3, 4)))
    case("sum.dim", lambda a: a.sum(-2), *CUBE)
    case("sum.dims", lambda a: a.sum((0, -1)), *CUBE)
    case("sum.keepdim", lambda a: a.sum((-1, 0), keepdim=True), *CUBE)
    case("sum.empty_axis", lambda a: a.sum(1), of(real(2, 0, 3)))
    case("mean", lambda a: a.mean(), *full, values_of(real(0)))
    case("mean.dims", lambda a: a.mean((0, -1)), of(real(2, 3, 4)))
    case("mean.keepdim", lambda a: a.mean(-2, keepdim=True), *CUBE)
    case("mean.empty_axis", lambda a: a.mean(1), values_of(real(2, 0, 3)))
    case("prod", lambda a: a.prod(), *full, *empties, of(given(2.0, 0.0, 3.0)),
         of(given(0.0, 0.0, 3.0)))
    case("prod.dim", lambda a: a.prod(-2), *CUBE)
    case("prod.keepdim", lambda a: a.prod(1, keepdim=True), *CUBE, of(real(2, 0, 3)))
    for name in ("amax", "amin"):
        extreme = getattr(torch, name)
        case(name, lambda a, f=extreme: f(a), *full, of(given(1.0, 3.0, 3.0, 1.0)),
             values_of(given(1.0, nan)))
        case(name + ".dims", lambda a, f=extreme: f(a, (0, -1)), of(real(2, 3, 4)))
        case(name + ".keepdim", lambda a, f=extreme: f(a, (-2,), keepdim=True), *CUBE)
    for name in ("max", "min"):
        extreme = getattr(torch, name)
        case(name, extreme, *full, of(given(1.0, 3.0, 3.0, 1.0)), values_of(given(1.0, nan)))
        case(name + ".dim", lambda a, f=extreme: f(a, -2), *CUBE)
        case(name + ".keepdim", lambda a, f=extreme: f(a, 1, keepdim=True), *CUBE)
    for name in ("argmax", "argmin"):
        where = getattr(torch, name)
        case(name, where, values_of(distinct(2, 3, 4)), values_of(given(1.0, nan, 2.0)))
        case(name + ".dim", lambda a, f=where: f(a, -2), values_of(distinct(2, 3, 4)),
             values_of(real(0, 3, 4)))
        case(name + ".keepdim", lambda a, f=where: f(a, 0, keepdim=True),
             values_of(distinct(2, 3, 4)))
    case("var", lambda a: a.var(), of(real(2, 3, 4)), of(real(5)), values_of(real(1)),
         of(given(7e7, 7e7, 7e7)))
    case("var.dims", lambda a: a.var((0, -1)), of(real(2, 3, 4)))
    case("var.biased", lambda a: a.var(-2, unbiased=False), *CUBE)
    for name in ("var", "std", "var_mean", "std_mean"):
        case(name + ".empty_axis", lambda a, f=getattr(torch, name): f(a, 1),
             values_of(real(2, 0, 3)))
        case(name + ".negative_dims", lambda a, f=getattr(torch, name): f(a, (-1, -3)), *CUBE)
    case("var.keepdim", lambda a: a.var((1,), correction=2, keepdim=True), of(real(2, 4, 3)))
    case("std", lambda a: a.std(), of(real(2, 3, 4)), of(real(5)), values_of(real(1)))
    case("std.dims", lambda a: a.std((-1, 0), unbiased=False), of(real(2, 3, 4)))
    case("std.keepdim", lambda a: a.std((1,), correction=1, keepdim=True), of(real(2, 4, 3)))
    case("var_mean", lambda a: torch.var_mean(a, -1), of(real(2, 3, 4)))
    case("var_mean.keepdim", lambda a: torch.var_mean(a, (0, 2), correction=0, keepdim=True),
         of(real(2, 3, 4)))
    case("std_mean", lambda a: torch.std_mean(a, (0, 2)), of(real(2, 3, 4)))
    case("logsumexp", lambda a: a.logsumexp(-1), *CUBE, of(given(1e4, 1e4, -1e4)),
         values_of(given(-inf, -inf)),
         values_of(given(inf, 1.0)))
    case("logsumexp.empty_axis", lambda a: a.logsumexp(1, keepdim=True), of(real(2, 0, 3)))
    case("logsumexp.dims", lambda a: a.logsumexp((0, -1), keepdim=True), *CUBE)
    case("norm", lambda a: a.norm(), of(real(2, 3, 4)), of(real()), of(real(0)),
         of(given(0.0, 0.0)))
    case("norm.dims", lambda a: a.norm(2, (0, -1), keepdim=True), *CUBE)
    case("norm.one", lambda a: a.norm(1, -2), *CUBE, of(given([0.0, 2.0])))
    case("norm.three", lambda a: a.norm(3, (-1,)), of(real(2, 3, 4)), of(given([0.0, 2.0])))
    case("norm.half", lambda a: a.norm(0.5, 1), of(real(3, 4, low=0.3)))
    case("norm.zero", lambda a: a.norm(0, 1), values_of(given([0.0, 2.0, 3.0])))
    for name, p in (("zero", 0), ("one", 1), ("two", 2), ("three", 3)):
        case(f"norm.{name}_empty_axis", lambda a, p=p: a.norm(p, (1, -1)), of(real(2, 0, 3)))
    case("norm.infinite", lambda a: a.norm(inf, 1), of(real(3, 4)))
    case("norm.minus_infinite", lambda a: a.norm(-inf, 1), of(real(3, 4)))
    for name in ("all", "any"):
        ask = getattr(torch, name)
        case(name, ask, values_of(flags(3, 4)), values_of(flags(0)),
             values_of(given(1.0, 0.0, nan)))
        case(name + ".dim", lambda a, f=ask: f(a, -2), values_of(flags(3, 4)),
             values_of(flags(0, 2)))
        case(name + ".keepdim", lambda a, f=ask: f(a, 1, keepdim=True), values_of(flags(3, 2)),
             values_of(flags(3, 0)))
    case("count_nonzero", torch.count_nonzero, values_of(given(0.0, 1.0, nan, -0.0)),
         values_of(flags(0)))
    case("count_nonzero.dims", lambda a: torch.count_nonzero(a, (0, -1)),
         values_of(integers(2, 3, 4, high=2)), values_of(flags(2, 3, 0)))
    write("reductions.safetensors")


def order():
    case("diff", torch.diff, *CUBE, of(real(3, 1)))
    case("diff.twice", lambda a: torch.diff(a, 2, 0), of(real(4, 3)), of(real(1, 3)),
         values_of(integers(5)))
    case("cumsum", lambda a: a.cumsum(-1), *CUBE, of(real()), values_of(integers(3, 4)),
         values_of(flags(5)))
    case("cumsum.first", lambda a: a.cumsum(0), *CUBE)
    case("cumprod", lambda a: a.cumprod(-2), *CUBE, of(given([2.0], [0.0], [3.0], [0.0], [1.5])))
    case("cummax", lambda a: a.cummax(-1), *CUBE, of(given(1.0, 3.0, 3.0, 2.0)),
         values_of(given(1.0, nan, 2.0)))
    case("cummin", lambda a: a.cummin(0), *CUBE, of(given(3.0, 1.0, 1.0, 2.0)),
         values_of(given(1.0, nan, 2.0)))
    case("sort", lambda a: a.sort(stable=True), of(distinct(2, 3, 4)), of(real(0, 3)),
         values_of(given(2.0, nan, -inf, 1.0, 2.0, inf)))
    case("sort.descending", lambda a: a.sort(dim=-2, descending=True), of(distinct(2, 3, 4)))
    case("argsort", lambda a: a.argsort(0), values_of(distinct(3, 4)), values_of(distinct(2, 3, 4)))
    case("argsort.descending", lambda a: a.argsort(descending=True), values_of(distinct(3, 4)))
    case("topk", lambda a: a.topk(2), of(distinct(3, 4)), of(distinct(2, 3)))
    case("topk.smallest", lambda a: a.topk(2, dim=-2, largest=False), of(distinct(2, 3, 4)))
    case("kthvalue", lambda a: a.kthvalue(2), of(distinct(3, 4)), of(distinct(2, 3)),
         values_of(given(1.0, nan, 0.0)))
    case("kthvalue.keepdim", lambda a: a.kthvalue(3, dim=-2, keepdim=True), of(distinct(2, 3, 4)))
    case("median", lambda a: a.median(), of(distinct(3, 4)), of(distinct(3, 3)),
         values_of(given(1.0, nan)))
    case("median.dim", lambda a: a.median(-2), of(distinct(2, 3, 4)), of(distinct(2, 4, 3)))
    case("median.keepdim", lambda a: a.median(0, keepdim=True), of(distinct(2, 3, 4)))
    case("quantile", lambda a: a.quantile(0.3), of(distinct(3, 4)), values_of(given(1.0, nan)))
    for name in ("lower", "higher", "midpoint", "nearest"):
        case("quantile." + name, lambda a, name=name: a.quantile(0.4, interpolation=name),
             of(distinct(3, 4)))
    case("quantile.keepdim", lambda a: a.quantile(0.6, dim=-2, keepdim=True), of(distinct(2, 3, 4)))
    case("quantile.several",
         lambda a, q: torch.quantile(a, q.detach(), dim=1),
         values_of(distinct(3, 4), given(0.0, 0.25, 0.9, 1.0)))
    case("unique", lambda a: torch.unique(a, return_inverse=True, return_counts=True),
         values_of(integers(3, 4, high=5)),
         values_of(given(2.0, -1.0, 2.0, 0.5)))
    for name, dim, shape in (("dim", 0, (12, 2)), ("last", -1, (2, 2, 9))):
        case("unique." + name, lambda a, dim=dim: torch.unique(
            a, return_inverse=True, return_counts=True, dim=dim), values_of(integers(*shape, high=2)))
    case("unique_consecutive", lambda a: torch.unique_consecutive(
        a, return_inverse=True, return_counts=True), values_of(integers(4, 5, high=2)))
    case("unique_consecutive.dim", lambda a: torch.unique_consecutive(
        a, return_inverse=True, return_counts=True, dim=1), values_of(integers(1, 9, high=2)))
    ascending = given(-1.0, 0.0, 0.0, 2.0, 5.0)
    case("searchsorted", torch.searchsorted, values_of(ascending, real(2, 3)),
         values_of(ascending, given(0.0, 5.0, 9.0, -1.0)))
    case("searchsorted.right", lambda a, b: torch.searchsorted(a, b, right=True),
         values_of(ascending, given(0.0, 5.0, 9.0, -1.0)))
    case("searchsorted.sorter", lambda a, b, c: torch.searchsorted(a, b, sorter=c),
         values_of(given(2.0, -1.0, 5.0), given(2.0, 9.0, 0.0, -3.0),
                   given(1, 0, 2, dtype=torch.int64)))
    case("bucketize", lambda a, b: torch.bucketize(b, a, right=True),
         values_of(ascending, real(2, 3)), values_of(ascending, given(0.0, 5.0)))
    case("bincount", lambda a: torch.bincount(a, minlength=6), values_of(integers(9, high=4)),
         values_of(integers(0)))
    case("bincount.weights", torch.bincount, values_of(integers(9, high=4), real(9)))
    write("order.safetensors")


def shapes():
    cube = of(real(2, 3, 4))
    case("reshape", lambda a: a.reshape(4, -1), cube, of(real(4, 0, 1)))
    case("reshape.transposed", lambda a: a.transpose(0, 2).reshape(6, 4), cube)
    case("view", lambda a: a.view(6, 4), cube)
    case("flatten", lambda a: a.flatten(), cube, of(real()), of(real(0, 3)))
    case("flatten.dims", lambda a: a.flatten(-2), cube)
    case("unflatten", lambda a: a.unflatten(-1, (2, -1)), cube)
    case("squeeze", lambda a: a.squeeze(), of(real(1, 3, 1, 2)), of(real(1, 1)))
    case("squeeze.dim", lambda a: a.squeeze(-2), of(real(1, 3, 1, 2)), of(real(2, 3)))
    case("unsqueeze", lambda a: a.unsqueeze(-2), cube, of(real(3)))
    case("transpose", lambda a: a.transpose(0, -1), cube)
    case("t", lambda a: a.t(), of(real(2, 3)), of(real(3)))
    case("permute", lambda a: a.permute(2, 0, -2), cube)
    case("movedim", lambda a: a.movedim(0, -1), cube)
    case("movedim.several", lambda a: a.movedim((0, 2), (-1, 0)), cube)
    case("expand", lambda a: a.expand(2, -1, 4), of(real(3, 1)), of(real(1, 3, 1)))
    case("expand.broadcast_to", lambda a: torch.broadcast_to(a, (2, 3, 4)), of(real(4)), of(real()))
    case("flip", lambda a: a.flip((0, -1)), cube, of(real(0, 3)))
    case("rot90", lambda a: torch.rot90(a), of(real(2, 3)))
    case("rot90.dims", lambda a: torch.rot90(a, -3, (2, 0)), cube)
    case("rot90.half", lambda a: torch.rot90(a, 2, (0, 1)), cube)
    case("repeat", lambda a: a.repeat(2, 1, 3), of(real(2, 3)), of(real(1, 2, 0)))
    case("tile", lambda a: torch.tile(a, (3, 2)), cube, of(real(2)))
    case("cat", lambda a, b: torch.cat([a, b]), of(real(2, 3), real(1, 3)), of(real(0), real(2, 3)))
    case("cat.dim", lambda a, b, c: torch.cat([a, b, c], -2),
         of(real(2, 1, 3), real(2, 0, 3), real(2, 2, 3)))
    case("stack", lambda a, b: torch.stack([a, b], -1), of(real(2, 3), real(2, 3)),
         of(real(), real()))
    case("split", lambda a: a.split(2, -2), cube)
    case("split.sizes", lambda a: a.split([1, 0, 3], 2), cube)
    case("chunk", lambda a: a.chunk(3, -1), cube)
    case("unbind", lambda a: a.unbind(1), cube)
    case("pad", lambda a: F.pad(a, (1, 2, 0, 1), value=0.5), cube, of(real(2, 0)))
    case("pad.negative", lambda a: F.pad(a, (-1, 2)), cube)
    for mode in ("reflect", "replicate", "circular"):
        case("pad." + mode, lambda a, mode=mode: F.pad(a, (1, 2, 2, 0), mode=mode),
             of(real(1, 2, 3, 4)))
    case("roll", lambda a: a.roll(2), cube)
    case("roll.dims", lambda a: a.roll((-1, 5), (0, -1)), cube)
    case("repeat_interleave", lambda a: a.repeat_interleave(2), of(real(2, 3)))
    case("repeat_interleave.dim", lambda a: a.repeat_interleave(3, -2), cube)
    case("repeat_interleave.each", lambda a, b: a.repeat_interleave(b, 1),
         of(real(2, 3), given(2, 0, 3, dtype=torch.int64)))
    case("meshgrid", lambda a, b: torch.meshgrid(a, b, indexing="ij"), of(real(2), real(3)))
    case("meshgrid.xy", lambda a, b: torch.meshgrid(a, b, indexing="xy"), of(real(2), real(3)))
    case("diagonal", lambda a: a.diagonal(), of(real(3, 4)), of(real(3, 3, 2)))
    case("diagonal.offset", lambda a: a.diagonal(-1, 0, -1), cube)
    case("diag_embed", lambda a: torch.diag_embed(a), of(real(2, 3)))
    case("diag_embed.offset", lambda a: torch.diag_embed(a, -1, 0, -1), of(real(2, 3)))
    for name in ("tril", "triu"):
        case(name, getattr(torch, name), of(real(2, 3, 4)), of(real(4, 3)))
        case(name + ".diagonal", lambda a, f=getattr(torch, name): f(a, -1), of(real(4, 4)))
        case(name + ".above", lambda a, f=getattr(torch, name): f(a, 1), of(real(4, 4)))
    case("unfold", lambda a: a.unfold(-1, 3, 2), of(real(2, 7)))
    case("unfold.columns", lambda a: F.unfold(a, (2, 3)), of(real(2, 2, 4, 5)))
    case("unfold.options", lambda a: F.unfold(a, 2, dilation=(2, 1), padding=(1, 0), stride=(1, 2)),
         of(real(2, 2, 4, 5)))
    case("fold", lambda a: F.fold(a, (4, 5), (2, 3)), of(real(2, 12, 9)))
    case("fold.options",
         lambda a: F.fold(a, (4, 5), 2, dilation=(2, 1), padding=(1, 0), stride=(1, 2)),
         of(real(2, 8, 8)))
    case("clone", lambda a: a.clone(), cube)
    case("contiguous", lambda a: a.t().contiguous(), of(real(2, 3)))
    case("to", lambda a: a.long(), values_of(real(3, 4)))
    write("shapes.safetensors")


def indexing():
    cube = of(real(2, 3, 4))
    case("index.number", lambda a: a[-1], cube)
    case("index.slices", lambda a: a[:, 1:, ::2], cube)
    case("index.new_dim", lambda a: a[None, ..., -1], cube)
    case("index.positions", lambda a, b: a[:, b], of(real(2, 3, 4), integers(2, 2, low=-3)))
    case("index.two_positions", lambda a, b, c: a[b, :, c],
         of(real(2, 3, 4), integers(2, 1, high=2), integers(3, high=4)))
    case("index.mask", lambda a, b: a[b], of(real(3, 4), flags(3, 4)), of(real(3, 4), flags(3)))
    case("select", lambda a: a.select(-2, -1), cube)
    case("narrow", lambda a: a.narrow(-1, 1, 2), cube)
    case("index_select", lambda a, b: a.index_select(-2, b), of(real(2, 3, 4), integers(5)),
         of(real(2, 3, 4), integers(0)))
    case("index_add", lambda a, b, c: a.index_add(1, b, c), of(real(2, 3), integers(4), real(2, 4)))
    case("index_add.alpha", lambda a, b, c: a.index_add(1, b, c, alpha=-0.5),
         of(real(2, 3), integers(4), real(2, 4)))
    case("index_copy", lambda a, b, c: a.index_copy(-2, b, c),
         of(real(3, 4), given(2, 0, dtype=torch.int64), real(2, 4)))
    case("index_fill", lambda a, b: a.index_fill(1, b, 7.5), of(real(2, 3, 2), integers(2)))
    case("gather", lambda a, b: a.gather(-1, b), of(real(2, 3), integers(2, 5)),
         of(real(2, 3), integers(1, 2)))
    case("scatter", lambda a, b, c: a.scatter(0, b, c),
         of(real(4, 3), given([3, 0, 1], [1, 2, 0], dtype=torch.int64), real(2, 3)))
    case("scatter.number", lambda a, b: a.scatter(1, b, 7.5), of(real(3, 4), integers(3, 2)))
    case("scatter_add", lambda a, b, c: a.scatter_add(-1, b, c),
         of(real(2, 3), integers(2, 5), real(2, 5)))
    case("take", torch.take, of(real(3, 4), integers(2, 3, low=-12, high=12)))
    case("put", lambda a, b, c: a.put(b, c),
         of(real(3, 4), given(5, -1, 0, dtype=torch.int64), real(3)))
    case("put.accumulate", lambda a, b, c: a.put(b, c, accumulate=True),
         of(real(3, 4), integers(6), real(6)))
    case("index_put", lambda a, b, c: a.index_put((b,), c),
         of(real(3, 4), given(2, 0, dtype=torch.int64), real(2, 4)))
    case("index_put.accumulate", lambda a, b, c: a.index_put((b,), c, accumulate=True),
         of(real(3, 4), integers(5), real(4)))
    case("take_along_dim", lambda a, b: torch.take_along_dim(a, b, 1),
         of(real(2, 3), integers(1, 2)))
    case("masked_fill", lambda a, b: a.masked_fill(b, -2.5), of(real(3, 4), flags(3, 4)),
         of(real(3, 4), flags(3, 1)))
    case("masked_select", torch.masked_select, of(real(3, 4), flags(3, 4)),
         of(real(3, 4), flags(4)))
    case("nonzero", torch.nonzero, values_of(integers(3, 4, high=2)), values_of(flags(0, 2)))
    case("one_hot", F.one_hot, values_of(integers(2, 3)))
    case("one_hot.classes", lambda a: F.one_hot(a, 5), values_of(integers(4)))
    case("embedding", lambda a, b: F.embedding(a, b), of(integers(2, 3, high=5), real(5, 2)))
    case("embedding.padding", lambda a, b: F.embedding(a, b, padding_idx=-4),
         of(integers(2, 3), real(5, 2)))
    case("embedding.frequency", lambda a, b: F.embedding(a, b, scale_grad_by_freq=True),
         of(integers(2, 5), real(5, 2)))
    for mode in ("sum", "mean", "max"):
        case("embedding_bag." + mode, lambda a, b, mode=mode: F.embedding_bag(a, b, mode=mode),
             of(integers(2, 4, high=5), real(5, 2)))
    case("embedding_bag.offsets", lambda a, b, c: F.embedding_bag(a, b, c),
         of(integers(7, high=5), real(5, 2), given(0, 3, 3, dtype=torch.int64)))
    case("embedding_bag.weighted",
         lambda a, b, c: F.embedding_bag(a, b, mode="sum", per_sample_weights=c),
         of(integers(2, 4, high=5), real(5, 2), real(2, 4)))
    write("indexing.safetensors")


def products():
    case("matmul", torch.matmul, of(real(3, 4), real(4, 2)), of(real(4), real(4)),
         of(real(4), real(4, 2)), of(real(3, 4), real(4)),
         of(real(2, 1, 3, 4), real(5, 4, 2)), of(real(2, 3, 4), real(4)),
              of(real(4), real(2, 4, 3)), of(real(3, 0), real(0, 2)))
    case("mm", torch.mm, of(real(3, 4), real(4, 2)), of(real(0, 4), real(4, 2)))
    case("mv", torch.mv, of(real(3, 4), real(4)))
    case("dot", torch.dot, of(real(4), real(4)), of(real(0), real(0)))
    case("bmm", torch.bmm, of(real(2, 3, 4), real(2, 4, 5)), of(real(0, 3, 4), real(0, 4, 5)))
    case("outer", torch.outer, of(real(3), real(4)))
    case("addmm", torch.addmm, of(real(3, 2), real(3, 4), real(4, 2)),
         of(real(2), real(3, 4), real(4, 2)))
    case("addmm.factors", lambda a, b, c: torch.addmm(a, b, c, beta=0.5, alpha=-2),
         of(real(3, 2), real(3, 4), real(4, 2)))
    batches = of(real(2, 3, 2), real(2, 3, 4), real(2, 4, 2)), of(
        real(2), real(2, 3, 4), real(2, 4, 2))
    case("baddbmm", torch.baddbmm, *batches)
    case("baddbmm.factors", lambda a, b, c: torch.baddbmm(a, b, c, beta=0.5, alpha=-2), *batches)
    case("vecdot", torch.linalg.vecdot, of(real(3, 4), real(3, 4)), of(real(2, 3), real(3)))
    case("vecdot.dim", lambda a, b: torch.linalg.vecdot(a, b, dim=0), of(real(3, 4), real(3, 4)))
    case("linear", F.linear, of(real(3, 4), real(2, 4), real(2)),
         of(real(2, 3, 4), real(2, 4), real(2)), of(real(4), real(2, 4), real(2)))
    case("linear.no_bias", lambda a, b: F.linear(a, b), of(real(3, 4), real(2, 4)))
    case("trace", torch.trace, of(real(3, 4)), of(real(4, 3)))
    case("kron", torch.kron, of(real(2, 3), real(3, 2)), of(real(3), real(2, 2)))
    case("cross", torch.linalg.cross, of(real(2, 3), real(2, 3)), of(real(2, 1, 3), real(1, 4, 3)))
    case("cross.dim", lambda a, b: torch.linalg.cross(a, b, dim=0), of(real(3, 2), real(3, 2)))
    case("tensordot", torch.tensordot, of(real(2, 3, 4), real(3, 4, 2)))
    case("tensordot.dims", lambda a, b: torch.tensordot(a, b, ([-1, 0], [0, 2])),
         of(real(2, 3, 4), real(4, 5, 2)))
    case("max_pool2d", lambda a: F.max_pool2d(a, 2), of(distinct(1, 2, 4, 6)))
    case("max_pool2d.options",
         lambda a: F.max_pool2d(a, (2, 3), stride=2, padding=1, dilation=(2, 1), ceil_mode=True),
         of(distinct(1, 2, 5, 6)))
    case("avg_pool2d", lambda a: F.avg_pool2d(a, 2), of(real(1, 2, 4, 6)))
    case("avg_pool2d.options",
         lambda a: F.avg_pool2d(a, (2, 3), stride=2, padding=1, ceil_mode=True,
                                count_include_pad=False), of(real(1, 2, 5, 6)))
    for name, equation, *samples in (
            ("batched", "bij,bjk->ikb", of(real(2, 3, 4), real(2, 4, 5)),
             of(real(1, 3, 4), real(2, 4, 5))),
            ("implicit", "kj,ji", of(real(3, 4), real(4, 2))),
            ("capitals", "bA,bC", of(real(3, 4), real(3, 2))),
            ("ellipsis", "...ij,...jk", of(real(2, 3, 4), real(3, 2, 4, 2))),
            ("ellipsis_between", "a...b,b...->...a", of(real(2, 3, 4), real(4, 3))),
            ("diagonal", "iij,i->ji", of(real(3, 3, 2), real(3))),
            ("trace", "ii", of(real(3, 3))),
            ("transpose", "ji", of(real(3, 4))),
            ("summed", "ij,kl->l", of(real(2, 3), real(4, 2))),
            ("three", "ai,bi,ci->abc", of(real(2, 4), real(3, 4), real(2, 4)))):
        case("einsum." + name, lambda *x, equation=equation: torch.einsum(equation, *x), *samples)
    write("products.safetensors")


def linear_algebra():
    def definite(a):
        return a @ a.mT + torch.eye(a.shape[-2])

    solve, triangular = torch.linalg.solve, torch.linalg.solve_triangular
    square = of(regular(3, 3)), of(regular(2, 1, 4, 4)), of(real(0, 3, 3))
    systems = (of(regular(3, 3), real(3, 2)), of(regular(2, 1, 3, 3), real(4, 3, 2)),
               of(regular(3, 3), real(2, 3, 1)))
    case("cholesky", lambda a: torch.linalg.cholesky(definite(a)), of(real(3, 4)),
         of(real(2, 4, 4)), of(real(0, 3, 3)))
    case("cholesky.upper", lambda a: torch.linalg.cholesky(definite(a), upper=True),
         of(real(2, 3, 4)))
    case("cholesky_solve", lambda l, b: torch.cholesky_solve(b, l.tril()), *systems)
    case("cholesky_solve.upper", lambda u, b: torch.cholesky_solve(b, u.triu(), upper=True),
         *systems)
    factors = of(regular(3, 3)), of(regular(2, 4, 4))
    case("cholesky_inverse", lambda l: torch.cholesky_inverse(l.tril()), *factors)
    case("cholesky_inverse.upper", lambda u: torch.cholesky_inverse(u.triu(), upper=True), *factors)
    case("solve_triangular", lambda a, b: triangular(a.tril(), b, upper=False), *systems)
    case("solve_triangular.upper", lambda a, b: triangular(a.triu(), b, upper=True), *systems)
    case("solve_triangular.right",
         lambda a, b: triangular(a.triu(), b, upper=True, left=False),
         of(regular(3, 3), real(2, 3)), of(regular(2, 1, 3, 3), real(4, 2, 3)))
    case("solve_triangular.unit",
         lambda a, b: triangular(a.tril(-1) + torch.eye(3), b, upper=False, unitriangular=True),
         *systems)
    case("solve", solve, *systems)
    case("solve.vector", solve, of(regular(3, 3), real(3)), of(regular(2, 3, 3), real(3)),
         of(regular(2, 3, 3), real(2, 3)))
    case("solve.right", lambda a, b: solve(a, b, left=False), of(regular(3, 3), real(2, 3)),
         of(regular(2, 1, 3, 3), real(4, 2, 3)))
    case("inv", torch.linalg.inv, *square)
    case("det", torch.linalg.det, *square, values_of(lambda: torch.ones(2, 2)))
    case("slogdet", torch.linalg.slogdet, *square, values_of(lambda: torch.ones(2, 2)))
    case("logdet", torch.logdet, of(regular(3, 3)), of(regular(2, 4, 4)),
         values_of(lambda: torch.ones(2, 2)))
    linear_algebra_by_rotations()
    write("linalg.safetensors")


def linear_algebra_by_rotations():
    """Signs are free: what no common sign of a column and a row changes is compared."""
    linalg = torch.linalg

    def outer(a, b):
        return a.unsqueeze(-1) * b.unsqueeze(-3)

    def symmetric(a):
        return a + a.mT

    def least_squares(a, b):
        return linalg.lstsq(a, b, rcond=1e-4, driver="gelsd")

    def positive(q, r):
        signs = r.diagonal(0, -2, -1).sign()
        return q * signs.unsqueeze(-2), r * signs.unsqueeze(-1)

    def eigh(a):
        w, v = linalg.eigh(symmetric(a))
        return w, outer(v, v.mT)

    def svd(a):
        u, s, vh = linalg.svd(a, full_matrices=False)
        return s, outer(u, vh)

    square = of(regular(3, 3)), of(regular(2, 4, 4)), of(real(0, 3, 3))
    tall, wide, batch = of(regular(4, 3)), of(regular(3, 4)), of(regular(2, 1, 4, 2))
    case("qr", lambda a: positive(*linalg.qr(a)), tall, wide, batch, *square)
    case("qr.complete", lambda a: positive(*linalg.qr(a, mode="complete")), wide, *square)
    case("lstsq", lambda a, b: linalg.lstsq(a, b).solution, of(regular(4, 3), real(4, 2)),
         of(regular(3, 4), real(3, 2)), of(regular(2, 4, 3), real(2, 4, 2)))
    case("lstsq.residuals", lambda a, b: linalg.lstsq(a, b, driver="gels").residuals,
         values_of(regular(4, 3), real(4, 2)), values_of(regular(2, 4, 3), real(2, 4, 2)))
    case("lstsq.of_lower_rank", lambda a, b, c: least_squares(a @ b, c)[::2],
         of(regular(4, 2), regular(2, 3), real(4, 2)), of(regular(3, 1), regular(1, 5), real(3, 2)),
         of(regular(2, 4, 2), regular(2, 2, 3), real(2, 4, 1)))
    case("lstsq.singular_values", lambda a, b: least_squares(a, b)[3],
         values_of(regular(4, 3), real(4, 2)), values_of(regular(2, 3, 4), real(2, 3, 2)))
    case("eigh", eigh, *square)
    case("eigh.upper", lambda a: linalg.eigh(symmetric(a), UPLO="U").eigenvectors ** 2, *square)
    case("eigvalsh", lambda a: linalg.eigvalsh(symmetric(a)), *square)
    case("svd", svd, tall, wide, batch, *square)
    case("svdvals", linalg.svdvals, tall, wide, batch, *square)
    case("pinv", linalg.pinv, tall, wide, batch, *square)
    case("pinv.rtol", lambda a, b: linalg.pinv(a @ b, rtol=1e-4),
         of(regular(4, 2), regular(2, 3)), of(regular(2, 3, 2), regular(2, 2, 5)))
    case("pinv.hermitian", lambda a: linalg.pinv(symmetric(a), hermitian=True), *square)
    case("matrix_rank", linalg.matrix_rank, values_of(regular(4, 3)), values_of(real(0, 3, 3)),
         values_of(lambda: torch.ones(2, 3, 4)))
    case("matrix_rank.hermitian",
         lambda a: linalg.matrix_rank(symmetric(a), rtol=0.3, hermitian=True),
         values_of(real(3, 3)), values_of(real(2, 4, 4)), values_of(real(0, 2, 2)))
    case("matrix_power", lambda a: linalg.matrix_power(a, 5), *square)
    case("matrix_power.negative", lambda a: linalg.matrix_power(a, -3), *square)
    case("multi_dot", lambda a, b, c: linalg.multi_dot([a, b, c]),
         of(real(3, 4), real(4, 2), real(2, 5)), of(real(4), real(4, 2), real(2)))
    case("vector_norm", linalg.vector_norm, of(real(3, 4)), of(real(3)), of(given(0.0, 0.0)))
    case("vector_norm.options", lambda a: linalg.vector_norm(a, 3, (0, -1), keepdim=True),
         of(real(2, 3, 4)))
    case("vector_norm.inf", lambda a: linalg.vector_norm(a, inf, -1), of(real(2, 3, 4)))
    case("matrix_norm", linalg.matrix_norm, tall, batch, of(lambda: torch.zeros(2, 2)))
    for name, order in (("nuc", "nuc"), ("1", 1), ("minus_1", -1), ("2", 2), ("minus_2", -2),
                        ("inf", inf), ("minus_inf", -inf)):
        case("matrix_norm." + name, lambda a, order=order: linalg.matrix_norm(a, order), tall, wide,
             batch)
    case("matrix_norm.dims", lambda a: linalg.matrix_norm(a, 1, (-1, 0), keepdim=True),
         of(real(2, 3, 4)))
    case("matrix_norm.ties", lambda a: linalg.matrix_norm(a, inf),
         of(given([1.0, -2.0], [2.0, 1.0])))
    case("cond", linalg.cond, tall, wide, square[0])
    for order in (1, "fro"):  # its own gradient raises an error
        case(f"cond.{order}", lambda a, order=order: linalg.matrix_norm(a, order) *
             linalg.matrix_norm(linalg.inv(a), order), *square[:2])


def pictures():
    case("conv1d", F.conv1d, of(real(2, 3, 8), real(4, 3, 3), real(4)))
    case("conv1d.same", lambda a, b, c: F.conv1d(a, b, c, padding="same", dilation=2),
         of(real(2, 3, 8), real(4, 3, 3), real(4)), of(real(3, 8), real(2, 3, 5), real(2)))
    picture = real(2, 4, 5, 6)
    case("conv2d", F.conv2d, of(picture, real(3, 4, 2, 3), real(3)),
         of(picture, real(2, 4, 1, 1), real(2)))
    case("conv2d.options",
         lambda a, b, c: F.conv2d(a, b, c, stride=(2, 1), padding=(1, 2), dilation=(1, 2)),
         of(picture, real(3, 4, 2, 3), real(3)))
    case("conv2d.groups", lambda a, b, c: F.conv2d(a, b, c, padding=1, groups=2),
         of(picture, real(6, 2, 3, 3), real(6)))
    case("conv2d.depthwise", lambda a, b, c: F.conv2d(a, b, c, stride=2, groups=4),
         of(picture, real(8, 1, 3, 2), real(8)))
    case("conv3d", F.conv3d, of(real(1, 2, 4, 3, 5), real(3, 2, 2, 3, 2), real(3)))
    case("conv3d.options", lambda a, b, c: F.conv3d(a, b, c, stride=2, padding=1, groups=2),
         of(real(2, 2, 4, 3, 5), real(4, 1, 3, 2, 2), real(4)))
    case("conv_transpose1d",
         lambda a, b, c: F.conv_transpose1d(a, b, c, stride=3, padding=1, output_padding=2,
                                            dilation=2), of(real(2, 3, 4), real(3, 2, 3), real(2)))
    case("conv_transpose2d", F.conv_transpose2d, of(picture, real(4, 3, 2, 3), real(3)))
    case("conv_transpose2d.options",
         lambda a, b, c: F.conv_transpose2d(a, b, c, stride=2, padding=1, output_padding=(1, 0),
                                            groups=2), of(picture, real(4, 3, 3, 2), real(6)))
    case("max_pool1d", lambda a: F.max_pool1d(a, 3, 2, 1, 2, ceil_mode=True, return_indices=True),
         of(distinct(2, 3, 8)), of(distinct(3, 7)))
    case("max_pool2d", lambda a: F.max_pool2d(a, 3, 2, 1, return_indices=True),
         of(distinct(1, 2, 6, 5)))
    case("max_unpool1d", lambda a, b: F.max_unpool1d(a, b, 2, 3),
         of(real(1, 2, 3), given([[0, 4, 7], [1, 3, 6]], dtype=torch.int64)))
    case("max_unpool2d", lambda a, b: F.max_unpool2d(a, b, (2, 3), padding=(0, 1),
                                                     output_size=(5, 4)),
         of(real(1, 1, 2, 2), given([[[0, 7], [17, 10]]], dtype=torch.int64)))
    case("avg_pool1d", lambda a: F.avg_pool1d(a, 3, 2, 1, ceil_mode=True), of(real(2, 3, 8)))
    case("avg_pool2d", lambda a: F.avg_pool2d(a, 2, divisor_override=3), of(picture))
    case("lp_pool1d", lambda a: F.lp_pool1d(a, 3, 2, ceil_mode=True), of(real(2, 3, 7, low=0.1)))
    case("lp_pool2d", lambda a: F.lp_pool2d(a, 2, (2, 3), 2), of(picture))
    case("adaptive_avg_pool1d", lambda a: F.adaptive_avg_pool1d(a, 3), of(real(2, 3, 8)))
    case("adaptive_avg_pool2d", lambda a: F.adaptive_avg_pool2d(a, (3, 2)), of(picture))
    case("adaptive_max_pool1d", lambda a: F.adaptive_max_pool1d(a, 3, return_indices=True),
         of(distinct(2, 3, 8)))
    case("adaptive_max_pool2d", lambda a: F.adaptive_max_pool2d(a, (3, 2), return_indices=True),
         of(distinct(1, 2, 5, 6)))
    small = of(real(2, 2, 4, 4))
    case("interpolate", lambda a: F.interpolate(a, (5, 3)), small)
    case("interpolate.linear", lambda a: F.interpolate(a, 7, mode="linear"), of(real(2, 2, 4)))
    case("interpolate.bilinear",
         lambda a: F.interpolate(a, scale_factor=(1.5, 0.75), mode="bilinear"), small)
    case("interpolate.align_corners",
         lambda a: F.interpolate(a, (5, 7), mode="bilinear", align_corners=True), small)
    case("interpolate.bicubic", lambda a: F.interpolate(a, (6, 3), mode="bicubic"), small)
    for name, options in (("", {"size": (3, 5), "mode": "bilinear"}),
                          ("_bicubic", {"scale_factor": (0.6, 0.35), "mode": "bicubic"}),
                          ("_aligned", {"size": (3, 5), "mode": "bicubic", "align_corners": True})):
        case("interpolate.antialias" + name, lambda a, options=options: F.interpolate(
            a, antialias=True, **options), of(real(2, 2, 7, 8)), of(real(1, 1, 2, 9)))
    case("interpolate.area", lambda a: F.interpolate(a, (2, 3), mode="area"), small)
    case("pixel_shuffle", lambda a: F.pixel_shuffle(a, 2), of(real(2, 8, 2, 3)))
    case("pixel_unshuffle", lambda a: F.pixel_unshuffle(a, 3), of(real(2, 2, 3, 6)))
    for name, padding, align in (("", "zeros", False), (".border", "border", True),
                                 (".reflection", "reflection", False)):
        case("grid_sample" + name, lambda a, b, padding=padding, align=align: F.grid_sample(
            a, b, padding_mode=padding, align_corners=align),
            of(real(2, 3, 4, 5), real(2, 3, 2, 2, low=-1.4, high=1.4)))
    for name, padding, align in (("", "zeros", True), ("_border", "border", False),
                                 ("_reflection", "reflection", True)):
        case("grid_sample.bicubic" + name, lambda a, b, padding=padding, align=align: F.grid_sample(
            a, b, "bicubic", padding, align),
            of(real(2, 3, 4, 5), real(2, 3, 2, 2, low=-1.4, high=1.4)))
    for name, align in (("", False), (".align_corners", True)):
        case("affine_grid" + name, lambda a, align=align: F.affine_grid(a, (2, 1, 3, 4), align),
             of(real(2, 2, 3)))
    case("layer_norm", lambda a, b, c: F.layer_norm(a, (3, 4), b, c),
         of(real(2, 3, 4), real(3, 4), real(3, 4)))
    case("layer_norm.plain", lambda a: F.layer_norm(a, (4,), eps=0.1), of(real(2, 3, 4)))
    case("rms_norm", lambda a, b: a * (a.square().mean(-1, keepdim=True) + 0.1).rsqrt() * b,
         of(real(2, 3, 4), real(4)))  # of PyTorch 2.4
    case("group_norm", lambda a, b, c: F.group_norm(a, 2, b, c), of(picture, real(4), real(4)))
    case("instance_norm", lambda a, b, c: F.instance_norm(a, weight=b, bias=c),
         of(picture, real(4), real(4)))
    case("batch_norm", lambda a, b, c: F.batch_norm(a, None, None, b, c, True, eps=0.1),
         of(picture, real(4), real(4)), of(real(6, 3), real(3), real(3)))
    case("batch_norm.running", lambda a, b, c: F.batch_norm(a, b.detach(), c.detach()),
         of(picture, real(4), real(4, low=0.5)))
    case("local_response_norm", lambda a: F.local_response_norm(a, 3, 0.5, 0.6, 2), of(picture))

    def attention(a, b, c, causal=False):
        scores = a @ b.mT / math.sqrt(a.shape[-1])
        if causal:
            scores = scores + torch.full(scores.shape[-2:], -inf).triu(1)
        return scores.softmax(-1) @ c

    sequences = of(real(2, 3, 4), real(2, 5, 4), real(2, 5, 2))
    case("scaled_dot_product_attention", attention, sequences)
    case("scaled_dot_product_attention.causal", lambda a, b, c: attention(a, b, c, True), sequences)
    write("pictures.safetensors")


def distributions():
    d = torch.distributions
    kl = d.kl_divergence
    torch.digamma = Digamma.apply
    for name, make, value in [
            ("normal", d.Normal, real(4, 2, 3)), ("laplace", d.Laplace, real(4, 2, 3)),
            ("gamma", lambda a, b: d.Gamma(a.abs() + 0.25, b), real(4, 2, 3, low=0.1))]:
        parameters = real(2, 3), real(3, low=0.5)
        case(f"{name}.log_prob", lambda a, b, c, make=make: make(a, b).log_prob(c),
             of(*parameters, value), of(real(3), real(low=0.5), real(3, low=0.1)))
        case(f"{name}.entropy", lambda a, b, make=make: make(a, b).entropy(), of(*parameters))
        case(f"{name}.moments", lambda a, b, make=make: [
            make(a, b).mean, make(a, b).variance, make(a, b).stddev], of(*parameters))
        case(f"{name}.kl", lambda a, b, c, make=make: kl(make(a, b), make(c, 2 * b + 0.25)),
             of(*parameters, real(2, 3)))
    uniform = real(2, 3, low=-2, high=-1), real(3, low=1)
    case("uniform.log_prob", lambda a, b, c: d.Uniform(a, b).log_prob(c),
         of(*uniform, real(4, 2, 3, low=-1, high=1)), values_of(
             lambda: torch.zeros(2), lambda: torch.ones(2), given(0.0, 1.0)))
    case("uniform.entropy", lambda a, b: d.Uniform(a, b).entropy(), of(*uniform))
    case("uniform.moments", lambda a, b: [
        d.Uniform(a, b).mean, d.Uniform(a, b).variance, d.Uniform(a, b).stddev], of(*uniform))
    case("uniform.kl", lambda a, b, c: kl(d.Uniform(a, b), d.Uniform(a - c, b + c)),
         of(*uniform, real(3, low=0.1)), values_of(*uniform, real(2, 3, low=-0.4)))
    rate = real(2, 3, low=0.25)
    case("exponential.log_prob", lambda a, b: d.Exponential(a).log_prob(b),
         of(rate, real(4, 2, 3, low=0)))
    case("exponential.entropy", lambda a: d.Exponential(a).entropy(), of(rate))
    case("exponential.moments", lambda a: [d.Exponential(a).mean, d.Exponential(a).variance,
                                           d.Exponential(a).stddev], of(rate))
    case("exponential.kl", lambda a, b: kl(d.Exponential(a), d.Exponential(b)), of(rate, rate))
    p, bits = real(2, 3, low=0.1, high=0.9), integers(4, 2, 3, high=2)
    case("bernoulli.log_prob", lambda a, b: d.Bernoulli(a).log_prob(b.double()), of(p, bits))
    case("bernoulli.logits", lambda a, b: d.Bernoulli(logits=a).log_prob(b.double()),
         of(real(2, 3, low=-40, high=40), bits))
    case("bernoulli.entropy", lambda a: d.Bernoulli(a).entropy(), of(p), values_of(given(0.0, 1.0, 0.5)))
    case("bernoulli.moments", lambda a: [d.Bernoulli(logits=a).mean,
                                         d.Bernoulli(logits=a).variance], of(real(2, 3)))
    case("bernoulli.kl", lambda a, b: kl(d.Bernoulli(a), d.Bernoulli(b)), of(p, p))
    p, classes = real(2, 3, 4, low=0.1), integers(5, 2, 3, high=4)
    case("categorical.log_prob", lambda a, b: d.Categorical(a).log_prob(b), of(p, classes),
         of(real(4, low=0.1), integers(5, high=4)))
    case("categorical.logits", lambda a, b: d.Categorical(logits=a).log_prob(b),
         of(real(2, 3, 4, low=-40, high=40), classes), of(real(2, 3, 4), integers(3, high=4)))
    case("categorical.entropy", lambda a: d.Categorical(a).entropy(), of(p),
         values_of(given(0.0, 1.0, 3.0)))
    case("categorical.entropy_of_logits", lambda a: d.Categorical(logits=a).entropy(),
         of(real(2, 4)), values_of(given(0.0, -inf, 1.0)))
    case("categorical.kl", lambda a, b: kl(d.Categorical(a), d.Categorical(logits=b)),
         of(p, real(2, 3, 4)), values_of(given(1.0, 1.0), given(-inf, 0.0)))
    write("distributions.safetensors")


if __name__ == "__main__":
    for family in (arithmetic, math_functions, activations, reductions, order, shapes, indexing,
                   products, linear_algebra, pictures, distributions):
        family()
