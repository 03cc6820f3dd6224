# SPDX-License-Identifier: BSD-3-Clause
"""usage: readme_snippets.py SOURCE_DIR

Fails unless the C++ snippets of README.md and of docs/adding-an-operation.md are, word for word, the
regions between "// README: x" and "// README: end" of compiled files, all of them, and the CMake
lines those of the install consumers.
"""

import pathlib
import re
import sys

top = pathlib.Path(sys.argv[1])
readme = "".join((top / name).read_text() for name in ["README.md", "docs/adding-an-operation.md"])


def snippets(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)


def text_of(*patterns):
    files = sorted(file for pattern in patterns for file in top.glob(pattern))
    return "".join(file.read_text() for file in files)


sources = text_of("examples/*.cpp", "tests/examples/*.cpp")
regions = re.findall(r"^// README: (?!end$)[^\n]*\n(.*?)^// README: end$", sources,
                     re.MULTILINE | re.DOTALL)
wrong = [f"not part of a compiled file:\n{s}" for s in snippets("cpp") if s not in regions]
wrong += [f"not in a document:\n{r}" for r in regions if r not in snippets("cpp")]

consumers = text_of("tests/install/*/CMakeLists.txt").splitlines()
lines = [line for s in snippets("cmake") for line in s.splitlines()
         if line and not line.startswith("add_executable")]  # programs lie elsewhere there
wrong += [f"in no CMakeLists.txt of tests/install: {line}" for line in lines
          if line not in consumers]
if not regions or not lines:
    wrong.append("no snippets found")
if wrong:
    sys.exit("README.md, docs: " + "\n".join(wrong))
print(f"{len(regions)} C++ snippets and {len(lines)} CMake lines are parts of tested files")
