# SPDX-License-Identifier: BSD-3-Clause
"""`./dev bench --scaling` and `--deterministic`, with small programs in the place of the real ones."""

import csv
import os
import subprocess
import sys
import tempfile
import unittest

import fake_program

HERE = os.path.dirname(os.path.abspath(__file__))
COMPARE = os.path.join(HERE, "../../benchmarks/compare.py")


class CompareTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.work = folder.name
        self.out = os.path.join(self.work, "out")

    def programs(self, ours, theirs, parameter="depth"):
        fake_program.write(self.work, "xtape", ours, parameter)
        fake_program.write(self.work, "libtorch", theirs, parameter, libraries=100)

    def compare(self, *arguments):
        done = subprocess.run(
            [sys.executable, COMPARE, "--xtape", os.path.join(self.work, "xtape"), "--libtorch",
             os.path.join(self.work, "libtorch"), "--out", self.out, *arguments],
            cwd=self.work, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def rows(self):
        with open(os.path.join(self.out, "scaling.csv"), newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))


class Scaling(CompareTest):
    def test_table_and_file(self):
        self.programs("size * 1e6 / threads, size", "size * 3e6, (8 if kept else 7) * size")
        code, text, _ = self.compare("--scaling", "depth", "--largest", "4", "--rounds", "1")
        self.assertEqual(code, 0)
        self.assertIn("### depth: deep_mlp, width 256, batch 128", text)
        self.assertIn("| 2 | 2.00 ms / 1.00 ms | 6.00 ms / 6.00 ms | 3.00 / 6.00 | 12 | 114 |", text)
        self.assertIn("From 2 to 4, threads 1: time x 2.00 (libtorch x 2.00), memory beyond the "
                      "libraries x 2.00 (libtorch x 2.00).", text)
        self.assertIn("xtape's holds 10, libtorch's 100", text)
        self.assertIn("faster and smaller in every row", text)
        rows = self.rows()
        self.assertEqual([(r["value"], r["threads"], r["program"]) for r in rows],
                         [(v, t, p) for v in "24" for t in "12" for p in ("xtape", "libtorch")])
        self.assertEqual(list(rows[1].values()), ["depth", "deep_mlp", "depth", "2", "1", "libtorch",
                                                  "deep_mlp", "6", "114", "100"])
        with open(os.path.join(self.out, "scaling.md"), encoding="utf-8") as file:
            self.assertIn(file.read(), text)

    def test_programs_are_asked_alternately_for_each_size(self):
        self.programs("1, 1", "1, 1")
        self.compare("--scaling", "gpt", "--largest", "64", "--threads", "1", "--rounds", "2")
        calls = fake_program.calls(self.work)
        self.assertEqual([(c["program"], c["kept"]) for c in calls],
                         [("xtape", False), ("libtorch", True), ("libtorch", False),
                          ("libtorch", True), ("xtape", False)])
        for call in calls:
            self.assertEqual({name: call["asked"][name] for name in ("only", "length", "batch")},
                             {"only": "gpt", "length": "64", "batch": "1"})

    def test_libtorch_is_granted_its_faster_variant(self):
        self.programs("1e6, 1", "1e6 if name == 'cnn_channels_last' else 2e6, 1", "batch")
        self.compare("--scaling", "cnn", "--largest", "1", "--threads", "1", "--rounds", "1")
        self.assertEqual([(r["workload"], r["variant"], r["milliseconds"]) for r in self.rows()],
                         [("cnn", "cnn", "1"), ("cnn", "cnn_channels_last", "1")])

    def test_over_threads(self):
        self.programs("size * 1e6 / threads, 1", "size * 1e6, 1", "batch")
        self.compare("--scaling", "cnn", "--largest", "64", "--rounds", "1")
        over = [r for r in self.rows() if r["series"] == "threads"]
        self.assertEqual([(r["workload"], r["parameter"], r["value"], r["program"],
                           r["milliseconds"]) for r in over],
                         [("cnn", "threads", "1", "xtape", "64"),
                          ("cnn", "threads", "1", "libtorch", "64"),
                          ("cnn", "threads", "2", "xtape", "32"),
                          ("cnn", "threads", "2", "libtorch", "64")])

    def test_more_memory_than_libtorch_fails(self):
        self.programs("1e6, 200 if size == 4 else 5", "2e6, 1")
        code, text, _ = self.compare("--scaling", "depth", "--largest", "4", "--threads", "1",
                                     "--rounds", "1")
        self.assertEqual(code, 1)
        self.assertIn("holds more than libtorch: deep_mlp, depth 4, threads 1, 210 MiB against 101",
                      text)
        self.assertIn("holds more beyond the libraries: deep_mlp, depth 2, threads 1, 5.0 MiB "
                      "against 1.0", text)

    def test_slower_than_libtorch_is_told(self):
        self.programs("3e6, 1", "2e6, 1")
        code, text, _ = self.compare("--scaling", "depth", "--largest", "2", "--threads", "1",
                                     "--rounds", "1")
        self.assertEqual(code, 0)
        self.assertIn("slower than libtorch: deep_mlp, depth 2, threads 1, 3 ms against 2", text)


class Deterministic(CompareTest):
    def test_cost(self):
        self.programs("(3e6 if fixed else 2e6) / threads, 1", "1, 1")
        code, text, _ = self.compare("--deterministic", "--only", "op_chain", "mlp", "--rounds", "2")
        self.assertEqual(code, 0)
        self.assertIn("| mlp | 2.00 ms / 1.00 ms | 3.00 ms / 1.50 ms | +50% / +50% |", text)
        self.assertNotIn("op_chain", text)
        calls = fake_program.calls(self.work)
        self.assertEqual([(c["asked"]["threads"], c["fixed"]) for c in calls],
                         [("1", False), ("1", True), ("2", False), ("2", True),
                          ("1", True), ("1", False), ("2", True), ("2", False)])


class BadArguments(CompareTest):
    def check(self, pattern, *arguments):
        code, _, errors = self.compare(*arguments)
        self.assertNotEqual(code, 0, arguments)
        self.assertRegex(errors, pattern)
        self.assertNotIn("Traceback", errors)
        self.assertFalse(os.path.exists(os.path.join(self.work, "calls")))

    def test_refused_before_anything_runs(self):
        self.programs("1, 1", "1, 1")
        self.check("invalid choice: 'height'", "--scaling", "height")
        self.check("not --only", "--scaling", "--only", "mlp")
        self.check("of the comparison itself", "--scaling", "--check")
        self.check("of the comparison itself", "--deterministic", "--record")
        self.check("not allowed with", "--scaling", "--memory")
        self.check("at least 1", "--scaling", "--rounds", "0")
        self.check("at least 1", "--threads", "0")
        self.check("comes twice", "--threads", "2", "2")
        self.check("no series has a size up to 1", "--scaling", "depth", "--largest", "1")
        self.check("--largest goes with --scaling", "--largest", "8")
        self.check("no workload of --only trains", "--deterministic", "--only", "op_chain")
        self.check("cannot write in", "--scaling", "--out", os.path.join(self.work, "xtape"))

    def test_a_program_that_fails(self):
        self.programs("1, 1", "sys.exit(3)")
        code, _, errors = self.compare("--scaling", "depth", "--largest", "2")
        self.assertEqual(code, 1)
        self.assertRegex(errors, "libtorch --threads 1 --only deep_mlp .* ended with code 3")


if __name__ == "__main__":
    unittest.main()
