# SPDX-License-Identifier: BSD-3-Clause
"""A program in the place of xtape_workloads or libtorch_workloads: figures are formulas of what it
is asked for, and each call is a line in a file."""

import json
import os
import stat

TEXT = """#!/usr/bin/env -S python3 -IS
import json, os, sys
words = sys.argv[1:]
asked = {w[2:]: v for w, v in zip(words, words[1:]) if w.startswith("--")}
kept = "MALLOC_TOP_PAD_" in os.environ
fixed = "--deterministic" in words
with open(LOG, "a") as file:
    file.write(json.dumps({"program": NAME, "asked": asked, "kept": kept, "fixed": fixed}) + "\\n")
name, threads = asked["only"], int(asked["threads"])
size = int(asked.get(PARAMETER, 1))
ns, mib = FORMULA
print(json.dumps({"workload": name, "threads": threads, "ns": [ns * 1.5, ns, ns * 2],
                  "start_kib": 1024 * LIBRARIES, "peak_kib": 1024 * (LIBRARIES + mib)}))
print(json.dumps({"libraries": []}))
"""


def write(folder, name, formula, parameter="depth", libraries=10):
    """`formula` gives ns and MiB beyond the libraries, an expression in `size` (that of
    `parameter`), `name` of the workload, `threads`, `kept` (glibc keeps memory) and `fixed`
    (deterministic). Returns the program's path."""
    path = os.path.join(folder, name)
    values = {"LOG": repr(os.path.join(folder, "calls")), "NAME": repr(name),
              "PARAMETER": repr(parameter), "FORMULA": formula, "LIBRARIES": str(libraries)}
    text = TEXT
    for word, value in values.items():
        text = text.replace(word, value)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, stat.S_IRWXU)
    return path


def calls(folder):
    with open(os.path.join(folder, "calls"), encoding="utf-8") as file:
        return [json.loads(line) for line in file]
