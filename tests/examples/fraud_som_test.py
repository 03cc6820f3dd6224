# SPDX-License-Identifier: BSD-3-Clause
"""usage: fraud_som_test.py PROGRAM: outlying customers are found, the same for the same seed."""

import csv
import random
import sys
import unittest
import xml.etree.ElementTree

from program import ProgramTest


class FraudTest(ProgramTest):
    def rows(self, folder, name):
        with open(self.work / folder / f"{name}.csv", newline="") as file:
            return list(csv.DictReader(file))

    def write_customers(self, count, spoil=None):
        numbers = random.Random(1)
        lines = ["CustomerID," + ",".join(f"A{i}" for i in range(1, 15)) + ",Class"]
        for i in range(count):
            odd = i == 7
            values = [numbers.gauss(50 if odd else i % 3, 0.1) for _ in range(14)]
            lines.append(f"{1000 + i}," + ",".join(f"{v:.3f}" for v in values) + f",{int(i < 20)}")
        if spoil:
            lines[5] = lines[5].replace(",", spoil, 1)
        (self.work / "Credit_Card_Applications.csv").write_text("\r\n".join(lines))

    def test_default_size(self):
        self.run_ok("--out-dir", "a")
        metrics, ranking = self.metrics("a"), self.rows("a", "ranking")
        self.assertEqual(len({row["CustomerID"] for row in ranking}), 690)
        probabilities = [float(row["probability"]) for row in ranking]
        self.assertEqual(probabilities, sorted(probabilities, reverse=True))
        outlying = [row for row in ranking if row["outlying"] == "1"]
        self.assertEqual(len(outlying), float(metrics["outlying"]))
        accepted = [row["CustomerID"] for row in outlying if row["Class"] == "1"]
        self.assertEqual([row["CustomerID"] for row in self.rows("a", "outliers")], accepted)
        self.assertGreater(float(metrics["irregular_found"]), 0.8)
        units = self.rows("a", "distance_map")
        self.assertEqual(len(units), 100)
        found = {k: sum(float(row[k]) for row in units) for k in units[0] if k not in ("row", "column")}
        self.assertEqual(found["refused"] + found["accepted"], 690)
        self.assertEqual(found["outlying"], len(outlying))
        svg = xml.etree.ElementTree.parse(self.work / "a" / "distance_map.svg").getroot()
        self.assertIn("accepted", [t.strip() for t in svg.itertext()])

    def test_same_seed_same_outliers(self):
        for folder, seed in [("a", 3), ("b", 3), ("c", 4)]:
            self.run_ok("--limit", "300", "--seed", seed, "--out-dir", folder, "--quiet")
        self.assertEqual(self.rows("a", "ranking"), self.rows("b", "ranking"))
        self.assertEqual(self.rows("a", "outliers"), self.rows("b", "outliers"))
        self.assertNotEqual(self.rows("a", "ranking"), self.rows("c", "ranking"))

    def test_data_dir(self):
        self.write_customers(60)
        self.run_ok("--data-dir", ".", "--limit", "60", "--out-dir", "a", "--quiet")
        self.assertEqual([row["CustomerID"] for row in self.rows("a", "outliers")], ["1007"])
        self.run_ok("--data-dir", ".", "--limit", "6", "--quiet")
        self.run_ok("--epochs", "0", "--limit", "60", "--quiet")
        self.write_customers(60, spoil=",word,")
        self.run_bad(1, "Credit_Card_Applications.csv: line 6", "--data-dir", ".")


if __name__ == "__main__":
    ProgramTest.program = sys.argv.pop(1)
    unittest.main(verbosity=2)
