# SPDX-License-Identifier: BSD-3-Clause
"""usage: pinn_burgers_test.py PROGRAM: the exact solution is exact, and the network gets nearer."""

import csv
import math
import sys
import unittest

from program import ProgramTest


class PinnBurgersTest(ProgramTest):
    def rows(self, folder):
        with open(self.work / folder / "burgers.csv", newline="") as file:
            return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]

    def error(self, folder):
        return float(self.metrics(folder)["relative_error"])

    def test_learns(self):
        self.run_ok("--epochs", "0", "--out-dir", "a", "--quiet")
        self.run_ok("--epochs", "3", "--limit", "200", "--threads", "1", "--out-dir", "b", "--quiet")
        self.assertLess(self.error("b"), self.error("a") / 4)
        rows = self.rows("b")
        self.assertEqual(len(rows), 201)
        for time in ["0.25", "0.5", "1"]:
            for k, row in enumerate(rows):  # both are odd, 0 at the ends
                for name in ["exact", "network"]:
                    u, mirrored = (r[f"{name}, t = {time}"] for r in [row, rows[-1 - k]])
                    self.assertAlmostEqual(u, -mirrored, delta=1e-9)
                    if k in (0, 200):
                        self.assertAlmostEqual(u, 0, delta=1e-9)
        self.assertIn("network, t = 0.25", self.svg_texts("b", "burgers"))

    def test_exact(self):
        """Before the front forms, u is constant along x = y - sin(pi y) t but for little viscosity."""
        self.run_ok("--epochs", "0", "--out-dir", "a", "--quiet")
        rows = self.rows("a")
        for k, name, u in [(101, "0.5", -0.8980496422528292), (110, "0.25", -0.7949743591331252),
                           (150, "1", -0.3761813957481209)]:  # by 20,001 points over [-3, 3]
            self.assertAlmostEqual(rows[k][f"exact, t = {name}"], u, delta=1e-10)
        for row in rows:
            low, high = -1.0, 1.0
            for _ in range(60):
                y = (low + high) / 2
                low, high = (y, high) if y - math.sin(math.pi * y) * 0.25 < row["x"] else (low, y)
            self.assertAlmostEqual(row["exact, t = 0.25"], -math.sin(math.pi * y), delta=0.05)

    def test_same_seed_same_bits(self):
        self.check_seeds(self.rows, "--limit", "50", "--threads", "1")

    def test_bad_input(self):
        self.check_refuses_data()


if __name__ == "__main__":
    ProgramTest.program = sys.argv.pop(1)
    unittest.main(verbosity=2)
