# SPDX-License-Identifier: BSD-3-Clause
"""usage: draw_tape_test.py PROGRAM: both tapes of an LSTM as pictures, tables and for Graphviz."""

import csv
import shutil
import subprocess
import sys
import unittest
import xml.etree.ElementTree

from program import ProgramTest

SVG = "{http://www.w3.org/2000/svg}"


class DrawTapeTest(ProgramTest):
    def test_draws(self):
        out = self.run_ok("--out-dir", "a", "--threads", "1")
        self.assertIn("saved for backward: ", out)
        self.assertIn("Net.cell (LSTMCell)", out)
        metrics = self.metrics("a")
        self.assertLess(float(metrics["difference"]), 1e-5)
        for name in ["fused", "written_out"]:
            with open(self.work / "a" / f"{name}.csv", newline="") as file:
                rows = list(csv.DictReader(file))
            self.assertEqual(len(rows), int(metrics[f"{name}_operations"]))
            self.assertEqual(sum(int(row["saved_bytes"]) for row in rows),
                             int(metrics[f"{name}_bytes"]))
            operations = [row["operation"] for row in rows if row["operation"] != "leaf"]
            svg = xml.etree.ElementTree.parse(self.work / "a" / f"{name}.svg").getroot()
            drawn = [e for e in svg.iter(f"{SVG}rect") if e.get("class") == "operation"]
            self.assertEqual(len(drawn), len(operations))
            texts = [t.strip() for t in svg.itertext()]
            for operation in operations:
                self.assertIn(operation, texts)
            if shutil.which("dot"):
                subprocess.run(["dot", "-Tsvg", "-o", "drawn.svg", f"a/{name}.dot"], cwd=self.work,
                               check=True)
        self.assertEqual(sum(row["operation"] == "tanh" for row in rows), 2 * 3)

    def test_bad_input(self):
        self.check_refuses_data()


if __name__ == "__main__":
    ProgramTest.program = sys.argv.pop(1)
    unittest.main(verbosity=2)
