# SPDX-License-Identifier: BSD-3-Clause
"""usage: gradient_flow_test.py PROGRAM: gradients vanish, explode and are held as they should."""

import sys
import unittest
import xml.etree.ElementTree

from program import ProgramTest


class GradientFlowTest(ProgramTest):
    def test_flows(self):
        for seed in ["1", "2", "3"]:
            self.run_ok("--seed", seed, "--out-dir", seed, "--quiet")
            rows = self.curves(seed, "gradient_flow")
            self.assertEqual([row["x"] for row in rows], list(range(1, 101)))
            for name, share in rows[-1].items():
                if name != "x":
                    self.assertEqual(share, 1, name)
            first = rows[0]
            self.assertLess(first["small weights"], 1e-10)
            self.assertGreater(first["small weights"], 0)
            self.assertGreater(first["large weights"], 1e3)
            self.assertTrue(all(row["large clipped"] < 1 + 1e-6 for row in rows))
            for row in rows:  # the same as without the cut, then nothing
                expected = row["large weights"] if row["x"] > 75 else 0
                self.assertEqual(row["large truncated"] > 0, expected > 0)
            self.assertTrue(all(0.01 < row[k] < 100 for row in rows for k in ["orthogonal", "LSTM"]))
        svg = xml.etree.ElementTree.parse(self.work / "1" / "gradient_flow.svg").getroot()
        self.assertIn("orthogonal", [t.strip() for t in svg.itertext()])

    def test_bad_input(self):
        self.run_bad(1, "--data-dir: nothing to read here", "--data-dir", ".")


if __name__ == "__main__":
    ProgramTest.program = sys.argv.pop(1)
    unittest.main(verbosity=2)
