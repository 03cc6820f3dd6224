# SPDX-License-Identifier: BSD-3-Clause
"""usage: vae_test.py PROGRAM: it learns digits, and leaves its pictures."""

import csv
import struct
import sys
import unittest

from program import ProgramTest


class VaeTest(ProgramTest):
    small = ["--limit", "300", "--batch-size", "20", "--threads", "1", "--quiet", "--epochs"]

    def size(self, file):
        """Width and height of a PNG."""
        head = (self.work / file).read_bytes()[:24]
        self.assertEqual(head[:8], b"\x89PNG\r\n\x1a\n")
        return struct.unpack(">II", head[16:])

    def test_learns_and_draws(self):
        self.run_ok(*self.small, "0", "--out-dir", "a")
        self.run_ok(*self.small, "2", "--out-dir", "b")
        before, after = (self.metrics(folder) for folder in "ab")
        self.assertAlmostEqual(float(before["test_loss"]) / 784, 0.693, delta=0.02)  # log 2
        self.assertLess(float(after["test_loss"]), 0.6 * float(before["test_loss"]))
        self.assertAlmostEqual(float(after["test_loss"]),
                               float(after["reconstruction"]) + float(after["divergence"]), 3)
        self.assertGreater(float(after["divergence"]), 0.1)  # the code says something
        self.assertEqual(self.size("b/samples.png"), (8 * 58 + 2, 8 * 58 + 2))
        self.assertEqual(self.size("b/plane.png"), (15 * 58 + 2, 15 * 58 + 2))
        with open(self.work / "b" / "codes.csv", newline="") as file:
            self.assertEqual(len(list(csv.DictReader(file))), 300)

    def test_same_seed_same_bits(self):
        for folder, seed in [("a", 3), ("b", 3), ("c", 4)]:
            self.run_ok(*self.small, "1", "--seed", seed, "--out-dir", folder)
        for file in ["model.safetensors", "samples.png", "codes.csv"]:
            a, b, c = ((self.work / folder / file).read_bytes() for folder in "abc")
            self.assertEqual(a, b)
            self.assertNotEqual(a, c)


if __name__ == "__main__":
    ProgramTest.program = sys.argv.pop(1)
    unittest.main(verbosity=2)
