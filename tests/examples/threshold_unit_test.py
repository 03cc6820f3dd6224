# SPDX-License-Identifier: BSD-3-Clause
"""usage: threshold_unit_test.py PROGRAM: the unit parts the clouds, descents end at the least cost."""

import csv
import math
import sys
import unittest
import xml.etree.ElementTree

from program import ProgramTest


class ThresholdUnitTest(ProgramTest):
    def test_figures(self):
        for seed in ["1", "2", "3"]:
            self.run_ok("--seed", seed, "--out-dir", seed, "--quiet")
            metrics = self.metrics(seed)
            least = float(metrics["least_cost"])
            self.assertEqual(float(metrics["wrong"]), 0)
            self.assertLess(least, float(metrics["all_last_cost"]))
            self.assertLess(float(metrics["one_first_cost"]), float(metrics["all_first_cost"]))
        for name in ["activations", "unit", "descent"]:
            xml.etree.ElementTree.parse(self.work / "1" / f"{name}.svg")
        for row in self.curves("1", "activations"):
            z = row["x"]
            self.assertEqual((row["threshold"], row["rectifier"]), (float(z >= 0), max(z, 0)))
            self.assertAlmostEqual(row["tanh"], math.tanh(z), places=12)
            self.assertAlmostEqual(row["sigmoid"], 1 / (1 + math.exp(-z)), places=12)
        with open(self.work / "1" / "descent.csv", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["series"] == "all samples a step"]
        self.assertEqual((float(rows[0]["x"]), float(rows[0]["y"])), (-2.5, 2.5))
        self.assertLess(math.dist((float(rows[-1]["x"]), float(rows[-1]["y"])), (1.5, -1)), 0.3)

    def test_flags(self):
        self.run_ok("--epochs", "0", "--quiet")
        self.run_ok("--limit", "20", "--quiet")
        self.run_bad(1, "--data-dir: nothing to read here", "--data-dir", ".")


if __name__ == "__main__":
    ProgramTest.program = sys.argv.pop(1)
    unittest.main(verbosity=2)
