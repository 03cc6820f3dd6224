# SPDX-License-Identifier: BSD-3-Clause
"""What the tests of the examples share: running a program and reading what it wrote."""

import csv
import json
import pathlib
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree


class ProgramTest(unittest.TestCase):
    program = None  # path of the example
    small = ["--epochs", "1", "--limit", "300", "--batch-size", "32", "--threads", "2"]

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.work = pathlib.Path(folder.name)
        self.name = pathlib.Path(self.program).name

    def run_ok(self, *arguments, cwd=None):
        """Runs it; it must succeed without a word on stderr. Returns its stdout."""
        done = subprocess.run([self.program, *map(str, arguments)], cwd=cwd or self.work,
                              capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def run_bad(self, code, pattern, *arguments):
        """Runs it; it must end with this code and one line on stderr, "name: pattern"."""
        done = subprocess.run([self.program, *map(str, arguments)], cwd=self.work,
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertRegex(done.stderr, rf"\A{self.name}: .*{pattern}.*\n\Z")

    def metrics(self, folder):
        """metrics.json with its numbers as they are written."""
        return json.loads((self.work / folder / "metrics.json").read_text(), parse_float=str)

    def curves(self, folder, name):
        """The data of a plot, a row {"x": x, series: y, ...} for each x at which any is drawn."""
        rows = {}
        with open(self.work / folder / f"{name}.csv", newline="") as file:
            for row in csv.DictReader(file):
                if row["y"]:
                    rows.setdefault(float(row["x"]), {})[row["series"]] = float(row["y"])
        return [{"x": x, **values} for x, values in rows.items()]

    def figure(self, folder, name):
        return float(self.metrics(folder)[name])

    def svg_texts(self, folder, name):
        svg = xml.etree.ElementTree.parse(self.work / folder / f"{name}.svg").getroot()
        return [text.strip() for text in svg.itertext()]

    def check_seeds(self, rows, *arguments):
        """One epoch: the same seed leaves the same rows(folder), another seed others."""
        for folder, seed in [("a", 3), ("b", 3), ("c", 4)]:
            self.run_ok("--epochs", "1", "--seed", seed, "--out-dir", folder, "--quiet", *arguments)
        self.assertEqual(rows("a"), rows("b"))
        self.assertNotEqual(rows("a"), rows("c"))

    def check_refuses_data(self):
        self.run_bad(1, "--data-dir: nothing to read here", "--data-dir", ".")
