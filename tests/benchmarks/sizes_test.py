# SPDX-License-Identifier: BSD-3-Clause
"""The sizes that xtape_workloads takes, and the picture of how costs grow with them."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

import fake_program

COMPARE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../benchmarks/compare.py")
WORKLOADS, DRAW = sys.argv[1:3]


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


class Sizes(unittest.TestCase):
    def measure(self, name, *sizes):
        code, text, errors = run(WORKLOADS, "--only", name, *sizes, "--repetitions", "2",
                                 "--seconds", "1")
        self.assertEqual((code, errors), (0, ""))
        line = json.loads(text.splitlines()[0])
        self.assertEqual((line["workload"], len(line["ns"])), (name, 2))
        return min(line["ns"]), line["peak_kib"] - line["start_kib"]

    def check_grows(self, name, small, large):
        (quick, less), (slow, more) = self.measure(name, *small), self.measure(name, *large)
        self.assertGreater(slow, 2 * quick)
        self.assertGreater(more, less + 512)

    def test_each_size_counts(self):
        self.check_grows("deep_mlp", ["--depth", "2", "--width", "8", "--batch", "2"],
                         ["--depth", "64", "--width", "32", "--batch", "32"])
        self.check_grows("mlp", ["--batch", "1"], ["--batch", "256"])
        self.check_grows("cnn", ["--batch", "1"], ["--batch", "16"])
        self.check_grows("lstm", ["--length", "4", "--batch", "1"],
                         ["--length", "64", "--batch", "2"])
        self.check_grows("gpt", ["--length", "8", "--batch", "1"],
                         ["--length", "64", "--batch", "2"])

    def test_bad_sizes(self):
        for arguments, pattern in [(["--only", "mlp", "--depth", "3"], r"\Amlp has no --depth\n\Z"),
                                   (["--batch", "3"], "has no --batch"),
                                   (["--only", "mlp", "--batch", "0"], "usage"),
                                   (["--only", "mlp", "--batch", "two"], "usage"),
                                   (["--only", "mlp", "--batch"], "usage"),
                                   (["--only", "mlp", "--seconds", "-1"], "usage"),
                                   (["--only", "nothing", "--batch", "3"], "no workload is called")]:
            code, text, errors = run(WORKLOADS, *arguments)
            self.assertEqual((code, text), (2, ""), arguments)
            self.assertRegex(errors, pattern)


class Picture(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.work = folder.name

    def test_of_a_small_run(self):
        libtorch = fake_program.write(self.work, "libtorch", "size * 1e9, 100 * size")
        code, text, _ = run(sys.executable, COMPARE, "--xtape", WORKLOADS, "--libtorch", libtorch,
                            "--draw", DRAW, "--scaling", "depth", "--largest", "4", "--rounds", "1",
                            "--repetitions", "1", "--out", self.work)
        self.assertIn("### depth", text)
        self.assertEqual(code, 0)
        svg = xml.etree.ElementTree.parse(os.path.join(self.work, "scaling.svg")).getroot()
        texts = [text.strip() for text in svg.itertext()]
        self.assertEqual(texts.count("deep_mlp, depth"), 2)  # time and memory
        for words in ["milliseconds per step", "MiB at most", "depth", "xtape, 1 thread",
                      "libtorch, 2 threads"]:
            self.assertIn(words, texts)
        curves = [e for e in svg.iter() if e.tag.endswith("polyline")]
        self.assertEqual(len(curves), 8)

    def test_bad_arguments(self):
        missing, csv = os.path.join(self.work, "missing.csv"), os.path.join(self.work, "a.csv")
        svg = os.path.join(self.work, "a.svg")
        with open(csv, "w", encoding="utf-8") as file:
            file.write("series,value\ndepth,2\n")
        self.assertEqual(run(DRAW, csv)[0], 2)
        for path, pattern in [(missing, "missing.csv"), (csv, "workload")]:
            code, _, errors = run(DRAW, path, svg)
            self.assertEqual(code, 1)
            self.assertRegex(errors, pattern)
            self.assertFalse(os.path.exists(svg))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
