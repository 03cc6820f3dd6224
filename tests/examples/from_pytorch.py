# SPDX-License-Identifier: BSD-3-Clause
"""usage: from_pytorch.py SOURCE_DIR [--pytorch]

Fails unless the xtape column of docs/from-pytorch.md stands in tests/examples/from_pytorch.cpp: each
expression as a row, in the same order, none left out; each line of a program as a line. With --pytorch
(and PyTorch installed) computes the PyTorch column and compares it with the rows' shapes and values.
"""

import pathlib
import re
import sys

top = pathlib.Path(sys.argv[1])
document = (top / "docs/from-pytorch.md").read_text()
source = (top / "tests/examples/from_pytorch.cpp").read_text()

table_rows = [re.findall(r"\| (?:`([^`]*)`)? ?(?=\|)", line)
              for line in document.splitlines() if line.startswith("|") and line.count("`") >= 2]
expressions = [cells for cells in table_rows if len(cells) == 3]
programs = [cells for cells in table_rows if len(cells) == 2]
compiled = re.findall(r"^  row\((\{[^}]*\}), (\{[^}]*\}), (.*)\);$", source, re.MULTILINE)

wrong = []
if [cells[2] for cells in expressions] != [text for _, _, text in compiled]:
    wrong += [f"no row: {cells[2]}" for cells in expressions
              if cells[2] not in [text for _, _, text in compiled]]
    wrong += [f"not in the document: {text}" for _, _, text in compiled
              if text not in [cells[2] for cells in expressions]]
    wrong = wrong or ["the rows stand in another order"]
lines = [line.strip() for line in source.splitlines()]
wrong += [f"no line of a program: {cells[1]}" for cells in programs if cells[1] not in lines]
if len(expressions) < 100 or len(programs) < 20:
    wrong.append("tables not found")


def check_values():
    import torch
    torch.set_default_dtype(torch.float64)
    names = {"torch": torch, "F": torch.nn.functional,
             "a": torch.tensor([[1.0, -2.0, 3.0], [-4.0, 5.0, -6.0]]),
             "b": torch.tensor([[2.0, 2.0, 1.0], [0.5, 4.0, 3.0]]),
             "c": torch.arange(1.0, 13.0).reshape(2, 2, 3),
             "v": torch.tensor([3.0, 1.0, 2.0]), "w": torch.tensor([10.0, 20.0]),
             "w2": torch.tensor([[10.0], [20.0]]), "s": torch.tensor([1.0, 2.0, 4.0]),
             "i": torch.tensor([2, 0]), "j": torch.tensor([2, 0, 2]),
             "k": torch.tensor([[2], [0]]), "r": torch.tensor([[0], [1]])}
    for (_, code, _), (shape, values, text) in zip(expressions, compiled):
        names["x"] = names["a"].clone()
        try:
            result = eval(code, names)
        except SyntaxError:  # a statement, which writes x
            exec(code, names)
            result = names["x"]
        result = torch.as_tensor(result).double()
        expected = torch.tensor([float(x) for x in values[1:-1].split(", ")])
        if shape != "{" + ", ".join(map(str, result.shape)) + "}" or not torch.allclose(
                result.flatten(), expected, rtol=1e-7, atol=1e-7):
            wrong.append(f"{code} is {result.tolist()}, not as in the row of {text}")


if "--pytorch" in sys.argv and not wrong:
    check_values()
if wrong:
    sys.exit("docs/from-pytorch.md: " + "\n".join(wrong))
print(f"{len(expressions)} expressions and {len(programs)} lines of programs are compiled and run")
