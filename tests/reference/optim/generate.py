#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the reference numbers of this folder: optimizers, schedules and losses by PyTorch 1.13
(Debian: python3-torch), Lion, Muon and NAdam by their papers' formulas in NumPy.

usage: generate.py [FOLDER]
"""
import math
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F
from torch.optim import lr_scheduler

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import safetensors_writer

STEPS = 50
STORED_STEPS = [1, 2, 5, 10, 25, 50]
DTYPES = {"float64": torch.float64, "float32": torch.float32}


# --- optimizers ---


def inputs_of_optimizers():
    random = np.random.default_rng(1)
    shapes = [(4, 3), (5,), (2, 5)]
    starts = [random.normal(size=shape) for shape in shapes]
    # Large at first, so that amsgrad's maximum matters.
    scale = np.where(np.arange(STEPS) < 5, 3.0, 0.5)
    gradients = [random.normal(size=(STEPS, *shape)) * scale.reshape(-1, *[1] * len(shape))
                 for shape in shapes]
    return starts, gradients


def run_torch(make, starts, gradients, dtype, maximize=False, decoupled=0.0):
    parameters = [torch.tensor(s, dtype=dtype, requires_grad=True) for s in starts]
    optimizer = make(parameters)
    rows = []
    for t in range(STEPS):
        for p, g in zip(parameters, gradients):
            p.grad = torch.tensor(g[t], dtype=dtype) * (-1 if maximize else 1)
            if decoupled:
                p.data.mul_(1 - optimizer.param_groups[0]["lr"] * decoupled)
        optimizer.step()
        if t + 1 in STORED_STEPS:
            rows.append(torch.cat([p.detach().flatten() for p in parameters]).numpy())
    return np.stack(rows)


def run_formula(step, starts, gradients):
    parameters = [s.copy() for s in starts]
    states = [{} for _ in starts]
    rows = []
    for t in range(STEPS):
        for p, g, state in zip(parameters, gradients, states):
            p[...] = step(p, g[t], state, t + 1)
        if t + 1 in STORED_STEPS:
            rows.append(np.concatenate([p.ravel() for p in parameters]))
    return np.stack(rows)


def lion(lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
    """Chen et al., Symbolic Discovery of Optimization Algorithms, algorithm 2."""
    def step(p, g, state, _):
        m = state.get("m", np.zeros_like(p))
        c = betas[0] * m + (1 - betas[0]) * g
        state["m"] = betas[1] * m + (1 - betas[1]) * g
        return p - lr * (np.sign(c) + weight_decay * p)
    return step


def muon(lr=1e-3, weight_decay=0.1, momentum=0.95, nesterov=True, steps=5, rms=False, eps=1e-7):
    """Jordan et al., Muon; the quintic iteration with coefficients 3.4445, -4.7750, 2.0315."""
    def orthogonal(m):
        x = m.T if m.shape[0] > m.shape[1] else m
        x = x / max(np.linalg.norm(x), eps)
        for _ in range(steps):
            a = x @ x.T
            x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
        return x.T if m.shape[0] > m.shape[1] else x

    def step(p, g, state, _):
        m = state["m"] = momentum * state.get("m", np.zeros_like(p)) + (1 - momentum) * g
        update = momentum * m + (1 - momentum) * g if nesterov else m
        rows, columns = p.shape
        factor = 0.2 * math.sqrt(max(p.shape)) if rms else math.sqrt(max(1, rows / columns))
        return p * (1 - lr * weight_decay) - lr * factor * orthogonal(update)
    return step


def nadam(lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, momentum_decay=4e-3,
          decoupled=False):
    """Dozat, Incorporating Nesterov Momentum into Adam. PyTorch 1.13 multiplies mu_t in twice and
    keeps the product in float32; later releases do neither."""
    def step(p, g, state, t):
        if decoupled:
            p = p * (1 - lr * weight_decay)
        else:
            g = g + weight_decay * p
        mu, following = [betas[0] * (1 - 0.5 * 0.96 ** (i * momentum_decay)) for i in (t, t + 1)]
        product = state["product"] = state.get("product", 1.0) * mu
        m = state["m"] = betas[0] * state.get("m", np.zeros_like(p)) + (1 - betas[0]) * g
        v = state["v"] = betas[1] * state.get("v", np.zeros_like(p)) + (1 - betas[1]) * g * g
        root = np.sqrt(v / (1 - betas[1] ** t)) + eps
        return (p - lr * (1 - mu) / (1 - product) * g / root
                - lr * following / (1 - product * following) * m / root)
    return step


def rosenbrock(parameters):
    x = torch.cat([p.flatten() for p in parameters])
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def bowl(parameters):
    x = torch.cat([p.flatten() for p in parameters])
    weights = torch.arange(1, 9, dtype=x.dtype)
    return (weights * (x - 1) ** 2 + 0.5 * x ** 4).sum() + 0.3 * (x[1:] * x[:-1]).sum()


def run_lbfgs(dtype, loss_of=rosenbrock, **options):
    parameters = [torch.tensor(s, dtype=dtype, requires_grad=True)
                  for s in ([-1.2, 1.0, -0.5, 0.8], [[0.3, 1.4], [-0.7, 0.2]])]
    optimizer = torch.optim.LBFGS(parameters, **options)

    def closure():
        optimizer.zero_grad()
        loss = loss_of(parameters)
        loss.backward()
        return loss

    rows = []
    for t in range(STEPS):
        optimizer.step(closure)
        if t + 1 in STORED_STEPS:
            rows.append(torch.cat([p.detach().flatten() for p in parameters]).numpy())
    return np.stack(rows)


def optimizers():
    O = torch.optim
    starts, gradients = inputs_of_optimizers()
    result = {}
    for i, (s, g) in enumerate(zip(starts, gradients)):
        result[f"start.{i}"], result[f"gradients.{i}"] = s, g
    all_betas = dict(lr=0.1, betas=(0.8, 0.95))
    by_torch = {
        "sgd": lambda p: O.SGD(p, lr=0.1),
        "sgd.nesterov": lambda p: O.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.1, nesterov=True),
        "sgd.dampening": lambda p: O.SGD(p, lr=0.1, momentum=0.9, dampening=0.3),
        "adam": lambda p: O.Adam(p),
        "adam.amsgrad": lambda p: O.Adam(p, **all_betas, weight_decay=0.1, amsgrad=True),
        "adamw": lambda p: O.AdamW(p),
        "adamw.amsgrad": lambda p: O.AdamW(p, **all_betas, weight_decay=0.1, amsgrad=True),
        "adamw.maximize": lambda p: O.AdamW(p, lr=0.1, eps=0.1, maximize=True),
        "adamax": lambda p: O.Adamax(p),
        "adamax.decay": lambda p: O.Adamax(p, **all_betas, eps=0.01, weight_decay=0.1),
        "adamax.maximize": lambda p: O.Adamax(p, lr=0.1, maximize=True),
        "radam": lambda p: O.RAdam(p),
        "radam.decay": lambda p: O.RAdam(p, **all_betas, eps=0.01, weight_decay=0.1),
        "rmsprop": lambda p: O.RMSprop(p),
        "rmsprop.centered": lambda p: O.RMSprop(p, lr=0.1, alpha=0.9, eps=0.01, weight_decay=0.1,
                                                centered=True),
        "rmsprop.momentum": lambda p: O.RMSprop(p, lr=0.01, momentum=0.9),
        "rmsprop.all": lambda p: O.RMSprop(p, lr=0.01, momentum=0.9, centered=True, maximize=True),
        "adagrad": lambda p: O.Adagrad(p),
        "adagrad.decay": lambda p: O.Adagrad(p, lr=0.1, lr_decay=0.05, weight_decay=0.1,
                                             initial_accumulator_value=0.5, eps=0.01),
        "adagrad.maximize": lambda p: O.Adagrad(p, lr=0.1, maximize=True),
        "adadelta": lambda p: O.Adadelta(p),
        "adadelta.decay": lambda p: O.Adadelta(p, lr=0.5, rho=0.8, eps=0.01, weight_decay=0.1),
        "adadelta.maximize": lambda p: O.Adadelta(p, maximize=True),
        "rprop": lambda p: O.Rprop(p),
        "rprop.limits": lambda p: O.Rprop(p, lr=0.1, etas=(0.4, 1.5), step_sizes=(0.03, 0.2)),
        "rprop.maximize": lambda p: O.Rprop(p, maximize=True),
    }
    for dtype_name, dtype in DTYPES.items():
        for name, make in by_torch.items():
            result[f"{name}.{dtype_name}"] = run_torch(make, starts, gradients, dtype)
        # Not in this release: the sign of the gradient, and the decay apart from it.
        result[f"radam.decoupled.{dtype_name}"] = run_torch(
            lambda p: O.RAdam(p, **all_betas), starts, gradients, dtype, maximize=True,
            decoupled=0.1)
        for name, options in {
                "lbfgs": dict(lr=0.1, max_iter=3, history_size=4),
                "lbfgs.wolfe": dict(max_iter=1, history_size=5, line_search_fn="strong_wolfe"),
                "lbfgs.wolfe.long": dict(line_search_fn="strong_wolfe"),
                "lbfgs.bowl": dict(loss_of=bowl, max_iter=1, history_size=5,
                                   line_search_fn="strong_wolfe")}.items():
            result[f"{name}.{dtype_name}"] = run_lbfgs(dtype, **options)
    matrices = [starts[0], starts[2]], [gradients[0], gradients[2]]
    both = starts, gradients
    for name, step, (s, g) in [
            ("lion", lion(), both),
            ("lion.decay", lion(lr=0.01, betas=(0.8, 0.95), weight_decay=0.1), both),
            ("nadam", nadam(), both),
            ("nadam.decay", nadam(lr=0.1, betas=(0.8, 0.95), weight_decay=0.1,
                                  momentum_decay=0.01), both),
            ("nadam.decoupled", nadam(lr=0.1, weight_decay=0.1, decoupled=True), both),
            ("muon", muon(), matrices),
            ("muon.rms", muon(lr=0.1, weight_decay=0.05, momentum=0.9, nesterov=False, steps=3,
                              rms=True), matrices)]:
        result[f"{name}.float64"] = run_formula(step, s, g)
        result[f"{name}.float32"] = result[f"{name}.float64"].astype(np.float32)
    return result


# --- schedules ---


def run_schedule(make, optimizer=None, metrics=None):
    parameters = [[torch.zeros(1, requires_grad=True)], [torch.zeros(1, requires_grad=True)]]
    optimizer = (optimizer or torch.optim.SGD)(
        [{"params": parameters[0]}, {"params": parameters[1], "lr": 0.3}], lr=0.5, **(
            {"momentum": 0.9} if optimizer is None else {}))
    schedule = make(optimizer)
    rows = []
    for t in range(101):
        groups = optimizer.param_groups
        rows.append([g["lr"] for g in groups] +
                    [g["momentum"] if "momentum" in g else g["betas"][0] for g in groups])
        optimizer.step()
        if t < 100:
            schedule.step(*([] if metrics is None else [metrics[t]]))
    return np.array(rows)


def schedules():
    L = lr_scheduler
    random = np.random.default_rng(2)
    metrics = np.concatenate([np.linspace(1, 0.2, 30), 0.2 + 0.1 * random.random(40),
                              np.linspace(0.2, 0.1, 15), 0.1 + 0.05 * random.random(15)])

    def sequential(o):
        return L.SequentialLR(o, [L.LinearLR(o, start_factor=0.1, total_iters=10),
                                  L.CosineAnnealingLR(o, T_max=40), L.ExponentialLR(o, 0.9)],
                              milestones=[10, 60])

    def sequential_of_absolutes(o):
        return L.SequentialLR(o, [L.ConstantLR(o, factor=0.5, total_iters=3),
                                  L.CosineAnnealingWarmRestarts(o, T_0=7, T_mult=2),
                                  L.StepLR(o, 10), L.LambdaLR(o, lambda t: 1 / (1 + t))],
                              milestones=[5, 40, 70])

    def chained(o):
        return L.ChainedScheduler([L.ConstantLR(o, factor=0.1, total_iters=20),
                                   L.ExponentialLR(o, gamma=0.97), L.MultiStepLR(o, [30, 60])])

    makers = {
        "step": lambda o: L.StepLR(o, step_size=15, gamma=0.5),
        "multi_step": lambda o: L.MultiStepLR(o, [10, 40, 40, 75], gamma=0.3),
        "exponential": lambda o: L.ExponentialLR(o, 0.95),
        "cosine": lambda o: L.CosineAnnealingLR(o, T_max=30, eta_min=0.01),
        "cosine_restarts": lambda o: L.CosineAnnealingWarmRestarts(o, T_0=10, T_mult=2,
                                                                   eta_min=0.01),
        "cosine_restarts.even": lambda o: L.CosineAnnealingWarmRestarts(o, T_0=12),
        "linear": lambda o: L.LinearLR(o, start_factor=0.2, end_factor=0.8, total_iters=40),
        "linear.default": lambda o: L.LinearLR(o),
        "constant": lambda o: L.ConstantLR(o, factor=0.25, total_iters=20),
        "one_cycle": lambda o: L.OneCycleLR(o, max_lr=0.8, total_steps=101),
        "one_cycle.three": lambda o: L.OneCycleLR(
            o, max_lr=[0.8, 0.4], epochs=10, steps_per_epoch=11, pct_start=0.25,
            anneal_strategy="linear", base_momentum=0.7, max_momentum=0.99, div_factor=10.0,
            final_div_factor=100.0, three_phase=True),
        "one_cycle.still": lambda o: L.OneCycleLR(o, max_lr=0.8, total_steps=101,
                                                  cycle_momentum=False),
        "cyclic": lambda o: L.CyclicLR(o, base_lr=0.01, max_lr=0.5, step_size_up=10),
        "cyclic.two": lambda o: L.CyclicLR(o, base_lr=[0.01, 0.02], max_lr=[0.5, 0.4],
                                           step_size_up=8, step_size_down=13, mode="triangular2",
                                           base_momentum=0.6, max_momentum=0.95),
        "cyclic.range": lambda o: L.CyclicLR(o, base_lr=0.01, max_lr=0.5, step_size_up=10,
                                             mode="exp_range", gamma=0.98, cycle_momentum=False),
        "polynomial": lambda o: L.PolynomialLR(o, total_iters=80, power=2.0),
        "polynomial.default": lambda o: L.PolynomialLR(o),
        "lambda": lambda o: L.LambdaLR(o, lambda t: 0.9 ** t),
        "lambda.two": lambda o: L.LambdaLR(o, [lambda t: 1 / (1 + t), lambda t: 2 + t % 3]),
        "sequential": sequential,
        "sequential.absolute": sequential_of_absolutes,
        "chained": chained,
    }
    result = {name: run_schedule(make) for name, make in makers.items()}
    result["one_cycle.adam"] = run_schedule(
        lambda o: L.OneCycleLR(o, max_lr=0.8, total_steps=101), torch.optim.Adam)
    result["plateau"] = run_schedule(
        lambda o: L.ReduceLROnPlateau(o, factor=0.5, patience=3), metrics=metrics)
    result["plateau.max"] = run_schedule(
        lambda o: L.ReduceLROnPlateau(o, mode="max", factor=0.2, patience=5, threshold=0.01,
                                      threshold_mode="abs", cooldown=4, min_lr=[0.05, 0.001]),
        metrics=metrics)
    result["metrics"] = metrics
    return result


# --- losses ---


def inputs_of_losses():
    random = np.random.default_rng(3)
    signs = np.array([1.0, -1, -1, 1, 1, -1])
    return {
        "x": random.normal(size=(6, 4)), "y": random.normal(size=(6, 4)) * 2,
        "z": random.normal(size=(6, 4)), "v": random.uniform(0.1, 2, size=(6, 4)),
        "v1": random.uniform(0.1, 2, size=(6, 1)), "small": np.array([[1e-8, 0.5, 2, 1]] * 6),
        "p": random.uniform(0.05, 0.95, size=(6, 4)), "b": random.integers(0, 2, (6, 4)) * 1.0,
        "counts": random.integers(0, 6, (6, 4)) * 1.0,
        "soft": random.dirichlet([1] * 4, size=6),
        "signs": signs, "sign_rows": np.stack([signs] * 4, 1),
        "labels": np.array([0, 3, 1, 1, 2, 0]), "weight": np.array([0.5, 1.5, 1.0, 0.25]),
        "image": random.normal(size=(2, 4, 3)), "image_labels": np.array([[0, 3, 1], [1, 2, 2]]),
        "image_soft": np.moveaxis(random.dirichlet([1] * 4, size=(2, 3)), -1, 1).copy(),
        "speech": random.normal(size=(9, 3, 5)),
        "spelling": np.array([[1, 2, 2, 4], [3, 1, 0, 0], [4, 4, 4, 0]]),
        "spelled": np.array([1, 2, 2, 4, 3, 1, 4, 4, 4]),
        "heard": np.array([9, 6, 5]), "hard": np.array([9, 6, 4]), "spelt": np.array([4, 2, 3]),
    }


def torch_losses():
    C = F.cross_entropy

    def ctc(x, labels, heard, lengths, **options):
        return F.ctc_loss(F.log_softmax(x, 2), labels, heard, lengths, **options)

    def focal(x, t, alpha=0.25, gamma=2.0):
        """torchvision's, which is not in this release."""
        p = torch.sigmoid(x)
        right = p * t + (1 - p) * (1 - t)
        loss = F.binary_cross_entropy_with_logits(x, t, reduction="none") * (1 - right) ** gamma
        return loss if alpha < 0 else loss * (alpha * t + (1 - alpha) * (1 - t))

    def dice(x, t, smooth=1.0):
        x, t = x.flatten(1), t.flatten(1)
        return (1 - (2 * (x * t).sum(1) + smooth) / (x.sum(1) + t.sum(1) + smooth)).mean()

    # name: loss, its inputs; those in upper case want gradients
    return {
        "mse": (F.mse_loss, "X Y"),
        "l1": (F.l1_loss, "X Y"),
        "l1.sum": (lambda x, y: F.l1_loss(x, y, reduction="sum"), "X Y"),
        "smooth_l1": (F.smooth_l1_loss, "X Y"),
        "smooth_l1.beta": (lambda x, y: F.smooth_l1_loss(x, y, beta=0.5, reduction="none"), "X Y"),
        "smooth_l1.zero": (lambda x, y: F.smooth_l1_loss(x, y, beta=0.0), "X Y"),
        "huber": (F.huber_loss, "X Y"),
        "huber.delta": (lambda x, y: F.huber_loss(x, y, delta=2.0, reduction="none"), "X Y"),
        "log_cosh": (lambda x, y: torch.log(torch.cosh(x - y)).mean(), "X Y"),
        "bce": (F.binary_cross_entropy, "P b"),
        "bce.logits": (F.binary_cross_entropy_with_logits, "X b"),
        "focal": (focal, "X b"),
        "focal.plain": (lambda x, t: focal(x, t, -1.0, 3.0), "X b"),
        "dice": (dice, "P b"),
        "dice.smooth": (lambda x, t: dice(x, t, 0.5), "P b"),
        "cross_entropy": (C, "X labels"),
        "cross_entropy.ignored": (lambda x, t: C(x, t, ignore_index=1, label_smoothing=0.2),
                                  "X labels"),
        "cross_entropy.weight": (lambda x, t, w: C(x, t, w), "X labels weight"),
        "cross_entropy.all": (lambda x, t, w: C(x, t, w, ignore_index=1, label_smoothing=0.2),
                              "X labels weight"),
        "cross_entropy.none": (lambda x, t, w: C(x, t, w, ignore_index=1, label_smoothing=0.2,
                                                 reduction="none"), "X labels weight"),
        "cross_entropy.sum": (lambda x, t, w: C(x, t, w, reduction="sum"), "X labels weight"),
        "cross_entropy.image": (lambda x, t, w: C(x, t, w, label_smoothing=0.1),
                                "IMAGE image_labels weight"),
        "cross_entropy.soft": (C, "X SOFT"),
        "cross_entropy.soft.all": (lambda x, t, w: C(x, t, w, label_smoothing=0.2),
                                   "X soft weight"),
        "cross_entropy.soft.image": (lambda x, t, w: C(x, t, w, reduction="none"),
                                     "IMAGE image_soft weight"),
        "nll": (lambda x, t: F.nll_loss(F.log_softmax(x, 1), t), "X labels"),
        "nll.all": (lambda x, t, w: F.nll_loss(F.log_softmax(x, 1), t, w, ignore_index=3),
                    "X labels weight"),
        "nll.image": (lambda x, t, w: F.nll_loss(F.log_softmax(x, 1), t, w, reduction="none"),
                      "IMAGE image_labels weight"),
        "kl_div": (lambda x, t: F.kl_div(F.log_softmax(x, 1), t), "X SOFT"),
        "kl_div.batchmean": (lambda x, t: F.kl_div(F.log_softmax(x, 1), t, reduction="batchmean"),
                             "X soft"),
        "kl_div.log": (lambda x, t: F.kl_div(F.log_softmax(x, 1), F.log_softmax(t, 1),
                                             reduction="sum", log_target=True), "X Y"),
        "gaussian": (F.gaussian_nll_loss, "X Y V"),
        "gaussian.full": (lambda x, t, v: F.gaussian_nll_loss(x, t, v, full=True,
                                                              reduction="sum"), "X y V1"),
        "gaussian.small": (lambda x, t, v: F.gaussian_nll_loss(x, t, v, eps=0.01,
                                                               reduction="none"), "X y SMALL"),
        "poisson": (F.poisson_nll_loss, "X counts"),
        "poisson.full": (lambda x, t: F.poisson_nll_loss(x, t, full=True), "X counts"),
        "poisson.rate": (lambda x, t: F.poisson_nll_loss(x, t, log_input=False, eps=1e-4,
                                                         reduction="none"), "P counts"),
        "cosine": (F.cosine_embedding_loss, "X Y signs"),
        "cosine.margin": (lambda x, y, t: F.cosine_embedding_loss(x, y, t, margin=0.3,
                                                                  reduction="none"), "X Y signs"),
        "ranking": (F.margin_ranking_loss, "X Y sign_rows"),
        "ranking.margin": (lambda x, y, t: F.margin_ranking_loss(x, y, t, margin=0.5,
                                                                 reduction="sum"), "X Y sign_rows"),
        "hinge": (F.hinge_embedding_loss, "X sign_rows"),
        "hinge.margin": (lambda x, t: F.hinge_embedding_loss(x, t, margin=0.5, reduction="none"),
                         "X sign_rows"),
        "triplet": (F.triplet_margin_loss, "X Y Z"),
        "triplet.swap": (lambda x, y, z: F.triplet_margin_loss(x, y, z, margin=2.0, p=3,
                                                               swap=True, reduction="none"),
                         "X Y Z"),
        "ctc": (ctc, "SPEECH spelling heard spelt"),
        "ctc.none": (lambda *a: ctc(*a, reduction="none"), "SPEECH spelled heard spelt"),
        "ctc.zero": (lambda *a: ctc(*a, reduction="sum", zero_infinity=True),
                     "SPEECH spelling hard spelt"),
    }


def losses():
    arrays = inputs_of_losses()
    result = {f"inputs.{name}": array for name, array in arrays.items()}
    for dtype_name, dtype in DTYPES.items():
        for name, (f, wanted) in torch_losses().items():
            inputs = []
            for which in wanted.split():
                array = torch.tensor(arrays[which.lower()])
                x = array.to(dtype) if array.is_floating_point() else array
                inputs.append(x.requires_grad_() if which.isupper() else x)
            loss = f(*inputs)
            seed = torch.cos(torch.arange(loss.numel(), dtype=torch.float64))
            loss.backward(seed.to(dtype).reshape(loss.shape))
            result[f"{name}.{dtype_name}"] = loss.detach().numpy()
            for i, x in enumerate(inputs):
                if x.requires_grad:
                    result[f"{name}.grad{i}.{dtype_name}"] = x.grad.numpy()
    return result


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent
    torch.set_num_threads(1)
    safetensors_writer.write(folder / "optimizers.safetensors", optimizers())
    safetensors_writer.write(folder / "schedules.safetensors", schedules())
    safetensors_writer.write(folder / "losses.safetensors", losses())


if __name__ == "__main__":
    main()
