# SPDX-License-Identifier: BSD-3-Clause
"""usage: stock_lstm_test.py PROGRAM: predictions and persistence are what the files say."""

import math
import random
import sys
import unittest
import xml.etree.ElementTree

from program import ProgramTest


class StockTest(ProgramTest):
    small = ["--limit", "100", "--epochs", "2", "--threads", "2", "--quiet"]

    def rows(self, folder):
        return self.curves(folder, "prediction")

    def write_prices(self, name, prices):
        rows = (f'1/{i}/2016,{p},0,0,"1,663.5","7,380,500"\r\n' for i, p in enumerate(prices))
        text = "Date,Open,High,Low,Close,Volume\r\n" + "".join(rows)
        (self.work / f"Google_Stock_Price_{name}.csv").write_text(text, newline="")

    def percent(self, rows, column):
        error = math.sqrt(sum((r["real"] - r[column]) ** 2 for r in rows) / len(rows))
        return 100 * error / (sum(r["real"] for r in rows) / len(rows))

    def test_figures(self):
        self.run_ok(*self.small, "--out-dir", "a")
        rows, metrics = self.rows("a"), self.metrics("a")
        self.assertEqual(len(rows), 20)
        for figure, column in [("rmse_percent", "LSTM"), ("persistence_percent", "the day before")]:
            self.assertAlmostEqual(float(metrics[figure]), self.percent(rows, column), places=9)
        for row, before in zip(rows[1:], rows):
            self.assertEqual(row["the day before"], before["real"])
        svg = xml.etree.ElementTree.parse(self.work / "a" / "prediction.svg").getroot()
        self.assertIn("the day before", [t.strip() for t in svg.itertext()])

    def test_same_seed_same_bits(self):
        for folder, seed in [("a", 3), ("b", 3), ("c", 4)]:
            self.run_ok(*self.small, "--seed", seed, "--out-dir", folder)
        self.assertEqual(self.rows("a"), self.rows("b"))
        self.assertNotEqual(self.rows("a"), self.rows("c"))

    def test_data_dir(self):
        numbers = random.Random(1)
        self.write_prices("Train", [300 + i for i in range(100)])
        self.run_bad(1, "no Google_Stock_Price_Test.csv", "--data-dir", ".", *self.small)
        test = [400 + 2 * i for i in range(20)]
        self.write_prices("Test", test)
        self.run_ok("--data-dir", ".", *self.small, "--out-dir", "a")
        self.assertEqual([r["real"] for r in self.rows("a")], test)
        self.assertEqual(self.rows("a")[0]["the day before"], 399)
        # What cannot be foretold misses the mark, and a run with default settings says so.
        self.write_prices("Train", [numbers.uniform(100, 200) for _ in range(100)])
        self.write_prices("Test", [numbers.uniform(100, 200) for _ in range(20)])
        self.run_bad(1, "expected rmse_percent of at most 3, got", "--data-dir", ".", "--quiet")
        self.write_prices("Test", [100] * 10 + ["word"] + [100] * 9)
        self.run_bad(1, "line 12, column 2 .'Open'.", "--data-dir", ".", *self.small)


if __name__ == "__main__":
    ProgramTest.program = sys.argv.pop(1)
    unittest.main(verbosity=2)
