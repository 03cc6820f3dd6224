# SPDX-License-Identifier: BSD-3-Clause
"""usage: maml_sine_test.py PROGRAM: one step is worth more after some meta-training."""

import sys
import unittest

from program import ProgramTest


class MamlSineTest(ProgramTest):
    def rows(self, folder):
        return self.curves(folder, "maml_sine")

    def test_learns(self):
        for folder, epochs in [("a", 0), ("b", 2)]:
            self.run_ok("--epochs", epochs, "--limit", "300", "--threads", "1", "--out-dir", folder,
                        "--quiet")
        self.assertGreater(self.figure("a", "times_better"), 0.5)
        self.assertLess(self.figure("a", "times_better"), 1.5)  # untrained either way
        self.assertGreater(self.figure("b", "times_better"), 2)
        self.assertGreater(self.figure("b", "mse_before_step"),
                           1.5 * self.figure("b", "mse_after_step"))
        rows = self.rows("b")
        self.assertEqual([len(rows), rows[0]["x"], rows[-1]["x"]], [101, -5, 5])
        self.assertLessEqual(max(abs(r["wave"]) for r in rows), 5)
        self.assertIn("after it", self.svg_texts("b", "maml_sine"))

    def test_same_seed_same_bits(self):
        self.check_seeds(self.rows, "--limit", "20")

    def test_bad_input(self):
        self.check_refuses_data()


if __name__ == "__main__":
    ProgramTest.program = sys.argv.pop(1)
    unittest.main(verbosity=2)
