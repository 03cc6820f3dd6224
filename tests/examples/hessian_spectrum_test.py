# SPDX-License-Identifier: BSD-3-Clause
"""usage: hessian_spectrum_test.py PROGRAM: Lanczos finds the eigenvalues, from products alone."""

import sys
import unittest

from program import ProgramTest


class HessianSpectrumTest(ProgramTest):
    small = ["--limit", "150", "--threads", "1", "--quiet", "--epochs"]

    def test_spectrum(self):
        for folder, epochs in [("a", 0), ("b", 3)]:
            self.run_ok(*self.small, epochs, "--out-dir", folder)
            figures = {key: float(value) for key, value in self.metrics(folder).items()
                       if isinstance(value, str) and key not in ("example", "compiler_version",
                                                                 "xtape_version")}
            self.assertLess(figures["product_error"], 1e-10)
            self.assertLess(figures["largest_error"], 1e-10)
            self.assertLess(figures["distance"], 0.2)
            self.assertLess(figures["least"], 0)  # not convex
            self.assertGreater(figures["largest"], -figures["least"])
            # Both densities, where they are drawn, make up nearly all of 1.
            rows = sorted(self.curves(folder, "spectrum"), key=lambda row: row["x"])
            width = min(b["x"] - a["x"] for a, b in zip(rows, rows[1:]))
            self.assertGreater(rows[-1]["x"], figures["largest"])
            for name in ["all", "by Lanczos"]:
                self.assertAlmostEqual(width * sum(row.get(name, 0) for row in rows), 1, delta=0.02)
        self.assertIn("by Lanczos", self.svg_texts("b", "spectrum"))

    def test_same_seed_same_bits(self):
        self.check_seeds(lambda folder: self.curves(folder, "spectrum"), "--limit", "150",
                         "--threads", "1")

    def test_bad_input(self):
        self.check_refuses_data()


if __name__ == "__main__":
    ProgramTest.program = sys.argv.pop(1)
    unittest.main(verbosity=2)
