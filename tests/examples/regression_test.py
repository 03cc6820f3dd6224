# SPDX-License-Identifier: BSD-3-Clause
"""usage: regression_test.py PROGRAM: both predictions are as good as stated, and as the files say."""

import csv
import sys
import unittest
import xml.etree.ElementTree

from program import ProgramTest


class RegressionTest(ProgramTest):
    def write_flowers(self, rows):
        (self.work / "iris.csv").write_text("".join(",".join(map(str, row)) + "\n" for row in rows))

    def test_default_size(self):
        self.run_ok("--out-dir", "a")
        metrics = self.metrics("a")
        self.assertGreater(float(metrics["test_r2"]), 0.9)
        with open(self.work / "a" / "residuals.csv", newline="") as file:
            points = [row for row in csv.DictReader(file) if row["series"]]
        predicted = [float(p["x"]) for p in points]
        left = [float(p["y"]) for p in points]
        real = [a + b for a, b in zip(predicted, left)]
        mean = sum(real) / len(real)
        r2 = 1 - sum(e * e for e in left) / sum((y - mean) ** 2 for y in real)
        self.assertAlmostEqual(r2, float(metrics["test_r2"]), places=5)
        with open(self.work / "a" / "confusion.csv", newline="") as file:
            cells = list(csv.DictReader(file))
        right = sum(float(c["value"]) for c in cells if c["row"] == c["column"])
        self.assertAlmostEqual(right / len(points), float(metrics["test_accuracy"]), places=6)
        for name in ["residuals", "confusion", "species"]:
            svg = xml.etree.ElementTree.parse(self.work / "a" / f"{name}.svg").getroot()
            self.assertIn("middle", [t.strip() for t in svg.itertext()])

    def test_same_seed_same_bits(self):
        for folder, seed in [("a", 3), ("b", 3), ("c", 4)]:
            self.run_ok("--epochs", "3", "--seed", seed, "--out-dir", folder, "--quiet")
        models = [(self.work / f / "model.safetensors").read_bytes() for f in "abc"]
        self.assertEqual(models[0], models[1])
        self.assertNotEqual(models[0], models[2])

    def test_data_dir(self):
        flower = [(5, 3.4, 1.5, 0.2, "a"), (6, 2.8, 4.3, 1.3, "b")]
        self.write_flowers(flower[i // 20] for i in range(40))
        self.run_ok("--data-dir", ".", "--limit", "20", "--out-dir", "a", "--quiet")
        self.run_ok("--data-dir", ".", "--epochs", "0", "--quiet")
        self.write_flowers([*flower, (5, 3.4, "wide", 0.2, "a")])
        self.run_bad(1, "iris.csv: line 3, column 3", "--data-dir", ".")
        self.run_bad(1, "no iris.csv", "--data-dir", "a")


if __name__ == "__main__":
    ProgramTest.program = sys.argv.pop(1)
    unittest.main(verbosity=2)
