# SPDX-License-Identifier: BSD-3-Clause
"""usage: gradient_penalty_test.py PROGRAM: generated points come nearer to the ring."""

import csv
import math
import sys
import unittest
import xml.etree.ElementTree

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
        svg = xml.etree.ElementTree.parse(self.work / "b" / "points.svg").getroot()
        self.assertIn("generated", [t.strip() for t in svg.itertext()])

    def test_same_seed_same_bits(self):
        for folder, seed in [("a", 3), ("b", 3), ("c", 4)]:
            self.run_ok("--epochs", "1", "--limit", "5", "--seed", seed, "--threads", "1", "--out-dir",
                        folder, "--quiet")
        self.assertEqual(self.rows("a"), self.rows("b"))
        self.assertNotEqual(self.rows("a"), self.rows("c"))

    def test_bad_input(self):
        self.run_bad(1, "--data-dir: nothing to read here", "--data-dir", ".")


if __name__ == "__main__":
    ProgramTest.program = sys.argv.pop(1)
    unittest.main(verbosity=2)
