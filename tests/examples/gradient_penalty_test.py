# SPDX-License-Identifier: BSD-3-Clause
"""usage: gradient_penalty_test.py PROGRAM: generated points come nearer to the ring."""

import csv
import math
import sys
import unittest

from program import ProgramTest


class GradientPenaltyTest(ProgramTest):
    def rows(self, folder):
        with open(self.work / folder / "points.csv", newline="") as file:
            return [(row["series"], float(row["x"]), float(row["y"])) for row in csv.DictReader(file)]

    def far(self, rows, name):
        """The share of points away from all eight middles, counted anew."""
        middles = [(2 * math.cos(k * math.pi / 4), 2 * math.sin(k * math.pi / 4)) for k in range(8)]
        points = [point for series, *point in rows if series == name]
        self.assertEqual(len(points), 1000)
        return sum(min(math.dist(p, m) for m in middles) > 0.4 for p in points) / 1000

    def test_learns(self):
        for folder, epochs in [("a", 0), ("b", 3)]:
            self.run_ok("--epochs", epochs, "--limit", "200", "--batch-size", "128", "--threads", "1",
                        "--out-dir", folder, "--quiet")
        before, after = self.rows("a"), self.rows("b")
        self.assertLess(self.far(after, "drawn"), 0.01)
        self.assertGreater(self.far(before, "generated"), 0.9)
        self.assertLess(self.far(after, "generated"), 0.6)
        self.assertAlmostEqual(self.far(after, "generated"), float(self.metrics("b")["far"]),
                               delta=0.08)  # of 4000 points
        self.assertIn("generated", self.svg_texts("b", "points"))

    def test_same_seed_same_bits(self):
        self.check_seeds(self.rows, "--limit", "5", "--threads", "1")

    def test_bad_input(self):
        self.check_refuses_data()


if __name__ == "__main__":
    ProgramTest.program = sys.argv.pop(1)
    unittest.main(verbosity=2)
