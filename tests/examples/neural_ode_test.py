# SPDX-License-Identifier: BSD-3-Clause
"""usage: neural_ode_test.py PROGRAM: the adjoint is the gradient, and the network learns by it."""

import csv
import math
import sys
import unittest

from program import ProgramTest


class NeuralOdeTest(ProgramTest):
    def rows(self, folder):
        return self.curves(folder, "spiral")

    def test_learns(self):
        for folder, epochs in [("a", 0), ("b", 2)]:
            self.run_ok("--epochs", epochs, "--limit", "50", "--batch-size", "16", "--threads", "1",
                        "--out-dir", folder, "--quiet")
        for folder in "ab":
            self.assertLess(self.figure(folder, "difference"), 1e-5)
            self.assertGreater(self.figure(folder, "bytes_plain"),
                               100 * self.figure(folder, "bytes_adjoint"))
        with open(self.work / "b" / "metrics.csv", newline="") as file:
            losses = [float(row["train_loss"]) for row in csv.DictReader(file)]
        self.assertLess(losses[1], losses[0] / 2)
        rows = self.rows("b")
        self.assertEqual([len(rows), rows[0]["y1"], rows[0]["y2"]], [101, 0.2, 0])
        for row in rows:
            radius = (1 + 24 * math.exp(-2 * row["x"])) ** -0.5
            self.assertAlmostEqual(row["y1"], radius * math.cos(2 * row["x"]), 12)
            self.assertAlmostEqual(row["y2"], radius * math.sin(2 * row["x"]), 12)
        self.assertIn("y1, network", self.svg_texts("b", "spiral"))

    def test_same_seed_same_bits(self):
        self.check_seeds(self.rows, "--limit", "3", "--threads", "1")

    def test_bad_input(self):
        self.check_refuses_data()


if __name__ == "__main__":
    ProgramTest.program = sys.argv.pop(1)
    unittest.main(verbosity=2)
