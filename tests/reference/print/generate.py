# SPDX-License-Identifier: BSD-3-Clause
"""usage: generate.py FOLDER

Writes FOLDER/tensors.txt: how PyTorch prints the tensors of tests/autograd/print_test.cpp. A case is
a line `== name` and the text; "torch." stands before no dtype, and an operation has xtape's name.
"""

import pathlib
import sys

import torch

inf, nan = float("inf"), float("nan")
f64, i64 = torch.float64, torch.int64
leaf = torch.tensor([1.0, 2.5], requires_grad=True)
cases = {
    "whole": torch.tensor([[1.0, -2.0], [30.0, 0.0]]),
    "real": torch.tensor([[0.5, -2.0], [30.0, 0.0]]),
    "float64": torch.tensor([0.1, 1 / 3], dtype=f64),
    "wide": torch.tensor([0.001, 5.0]),
    "wide_whole": torch.tensor([1.0, 5000.0, -3.0]),
    "large_whole": torch.tensor([2e8, 3e8]),
    "small": torch.tensor([1e-5, -2e-5]),
    "not_finite": torch.tensor([inf, -inf, nan, 1.0]),
    "not_finite_real": torch.tensor([inf, -inf, nan, 1.5, -100.25]),
    "nan_alone": torch.tensor([nan, nan]),
    "zeros": torch.zeros(2, 2),
    "integers": torch.tensor([[1, -200], [3, 4]]),
    "uint8": torch.tensor([1, 200], dtype=torch.uint8),
    "booleans": torch.tensor([True, False]),
    "number": torch.tensor(2.5),
    "number_whole": torch.tensor(2.0, dtype=f64),
    "number_integer": torch.tensor(-7),
    "cube": torch.arange(12.0).reshape(2, 3, 2),
    "hyper": torch.arange(8).reshape(2, 1, 2, 2),
    "long_line": torch.arange(40),
    "long_line_real": torch.arange(30) / 4,
    "summary": torch.arange(1001.0),
    "summary_matrix": torch.arange(2400).reshape(40, 60),
    "summary_small_dim": torch.arange(3000.0).reshape(1000, 3) / 8,
    "empty": torch.zeros(0),
    "empty_matrix": torch.zeros(2, 0),
    "empty_integers": torch.zeros(0, dtype=i64),
    "leaf": leaf,
    "recorded": leaf * 2,
    "recorded_float64": torch.tensor([[1.5]], dtype=f64, requires_grad=True).exp(),
    "transposed": torch.arange(6).reshape(2, 3).t(),
}
names = {"MulBackward0": "mul", "ExpBackward0": "exp"}
with open(pathlib.Path(sys.argv[1]) / "tensors.txt", "w") as file:
    for name, x in cases.items():
        text = repr(x).replace("torch.", "")
        for theirs, ours in names.items():
            text = text.replace(theirs, ours)
        file.write(f"== {name}\n{text}\n")
