# SPDX-License-Identifier: BSD-3-Clause
"""usage: mackey_glass_test.py PROGRAM: the free run keeps to the series, and a miss is a failure."""

import random
import sys
import unittest
import xml.etree.ElementTree

from program import ProgramTest


class MackeyGlassTest(ProgramTest):
    def rows(self, folder):
        return self.curves(folder, "free_run")

    def write_series(self, values):
        (self.work / "MackeyGlass_t17.txt").write_text("".join(f"{x}\n" for x in values))

    def test_default_size(self):
        self.run_ok("--epochs", "0", "--out-dir", "a")  # of the LSTM
        rows = self.rows("a")
        self.assertEqual(len(rows), 1000)
        error = sum((r["series"] - r["echo state"]) ** 2 for r in rows[:500]) / 500
        self.assertLess(error, 1e-5)
        self.assertAlmostEqual(float(self.metrics("a")["mse_500"]) / error, 1, places=6)
        error = sum((r["series"] - r["LSTM"]) ** 2 for r in rows[:500]) / 500
        self.assertAlmostEqual(float(self.metrics("a")["lstm_mse_500"]) / error, 1, places=6)
        spread = [r["series"] for r in rows]
        self.assertGreater(max(spread) - min(spread), 0.5)
        svg = xml.etree.ElementTree.parse(self.work / "a" / "free_run.svg").getroot()
        self.assertIn("echo state", [t.strip() for t in svg.itertext()])

    def test_lstm_learns(self):
        self.run_ok("--epochs", "0", "--limit", "400", "--out-dir", "a", "--quiet")
        self.run_ok("--epochs", "1", "--limit", "400", "--out-dir", "b", "--quiet")
        before, after = (float(self.metrics(f)["lstm_mse_100"]) for f in "ab")
        self.assertLess(after, before)
        self.assertLess(float(self.metrics("b")["train_loss"]), 0.01)

    def test_same_seed_same_bits(self):
        for folder, seed in [("a", 3), ("b", 3), ("c", 4)]:
            self.run_ok("--epochs", "0", "--limit", "300", "--seed", seed, "--out-dir", folder, "--quiet")
        self.assertEqual(self.rows("a"), self.rows("b"))
        self.assertNotEqual(self.rows("a"), self.rows("c"))

    def test_data_dir(self):
        numbers = random.Random(1)
        self.write_series(numbers.uniform(-0.5, 0.5) for _ in range(3001))
        self.run_bad(1, "steps is .*, more than 1e-05", "--data-dir", ".", "--epochs", "0",
                     "--quiet")
        self.run_ok("--data-dir", ".", "--limit", "500", "--epochs", "0", "--quiet")  # does not judge
        self.write_series([0.1] * 20 + ["word"] + [0.1] * 3000)
        self.run_bad(1, "MackeyGlass_t17.txt:21: expected a number", "--data-dir", ".")
        self.write_series([0.1] * 100)
        self.run_bad(1, "MackeyGlass_t17.txt:101: expected a number, and 3001", "--data-dir", ".")


if __name__ == "__main__":
    ProgramTest.program = sys.argv.pop(1)
    unittest.main(verbosity=2)
