# SPDX-License-Identifier: BSD-3-Clause
"""usage: maml_sine_test.py PROGRAM: one step is worth more after some meta-training."""

import sys
import unittest
import xml.etree.ElementTree

from program import ProgramTest


class MamlSineTest(ProgramTest):
    def rows(self, folder):
        return self.curves(folder, "maml_sine")

    def figure(self, folder, name):
        return float(self.metrics(folder)[name])

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
        svg = xml.etree.ElementTree.parse(self.work / "b" / "maml_sine.svg").getroot()
        self.assertIn("after it", [t.strip() for t in svg.itertext()])

    def test_same_seed_same_bits(self):
        for folder, seed in [("a", 3), ("b", 3), ("c", 4)]:
            self.run_ok("--epochs", "1", "--limit", "20", "--seed", seed, "--out-dir", folder, "--quiet")
        self.assertEqual(self.rows("a"), self.rows("b"))
        self.assertNotEqual(self.rows("a"), self.rows("c"))

    def test_bad_input(self):
        self.run_bad(1, "--data-dir: nothing to read here", "--data-dir", ".")


if __name__ == "__main__":
    ProgramTest.program = sys.argv.pop(1)
    unittest.main(verbosity=2)
