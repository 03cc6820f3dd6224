# SPDX-License-Identifier: BSD-3-Clause
"""usage: churn_ann_test.py PROGRAM: figures agree with the tables; a search that was left goes on."""

import csv
import sys
import unittest

from program import ProgramTest


class ChurnTest(ProgramTest):
    small = ["--limit", "200", "--epochs", "1", "--quiet"]

    def rows(self, folder, name):
        with open(self.work / folder / f"{name}.csv", newline="") as file:
            return list(csv.DictReader(file))

    def test_figures(self):
        self.run_ok(*self.small, "--threads", "2", "--out-dir", "a")
        metrics, table = self.metrics("a"), self.rows("a", "search_accuracy")
        self.assertEqual(len(table), 16)
        self.assertEqual(max(float(row["accuracy_mean"]) for row in table),
                         float(metrics["search_accuracy_mean"]))
        counts = [float(metrics[k]) for k in ["stayed_right", "stayed_wrong", "left_wrong",
                                              "left_right"]]
        self.assertEqual(sum(counts), 40)
        self.assertAlmostEqual((counts[0] + counts[3]) / 40, float(metrics["accuracy"]))
        self.assertTrue(0 < float(metrics["new_customer"]) < 1)

    def test_same_for_any_number_of_threads_and_resumed(self):
        self.run_ok(*self.small, "--threads", "1", "--out-dir", "a")
        self.run_ok(*self.small, "--threads", "3", "--out-dir", "b")
        self.assertEqual(self.rows("a", "search_accuracy"), self.rows("b", "search_accuracy"))
        log = self.work / "b" / "search_accuracy.tsv"
        whole = log.read_text()
        log.write_text("".join(whole.splitlines(keepends=True)[:7]))  # as after a kill
        self.run_ok(*self.small, "--out-dir", "b", "--resume")
        self.assertEqual(log.read_text(), whole)
        log.write_text(whole[:-5])
        self.run_bad(1, "line 17 is damaged", *self.small, "--out-dir", "b", "--resume")

    def test_bad_data(self):
        (self.work / "Churn_Modelling.csv").write_text("Age,Exited\n40,1\nold,0\n")
        self.run_bad(1, "Churn_Modelling.csv", "--data-dir", ".")


if __name__ == "__main__":
    ProgramTest.program = sys.argv.pop(1)
    unittest.main(verbosity=2)
