# SPDX-License-Identifier: BSD-3-Clause
"""usage: compare_test.py PROGRAM: one page with what the examples print and draw."""

import html.parser
import subprocess
import sys
import unittest

from program import ProgramTest


class Page(html.parser.HTMLParser):
    """Parts and their pictures; every element must be closed."""

    def __init__(self, text):
        super().__init__()
        self.parts, self.open = {}, []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        if tag not in ("meta", "img"):
            self.open.append(tag)
        if tag in ("svg", "img"):
            list(self.parts.values())[-1].append(tag)

    def handle_endtag(self, tag):
        if self.open.pop() != tag:
            raise ValueError(f"</{tag}>")

    def handle_data(self, data):
        if self.open and self.open[-1] == "h2":
            self.parts[data] = []


class CompareTest(ProgramTest):
    def test_page(self):
        out = self.run_ok("--only", "threshold_unit", "--only", "fraud_som", "--out-dir", "a 'b'")
        self.assertTrue(out.endswith("done, a 'b'/index.html\n"))
        text = (self.work / "a 'b'" / "index.html").read_text()
        page = Page(text)
        self.assertEqual(page.open, [])
        self.assertEqual(page.parts, {"threshold_unit": ["svg"] * 4, "fraud_som": ["svg"] * 2})
        self.assertIn("ranking_auc", text)
        self.assertTrue((self.work / "a 'b'" / "fraud_som" / "distance_map.csv").exists())

    def test_a_failure_is_shown(self):
        (self.work / "iris.csv").write_text("1,2,3,4,<b>\n")
        done = subprocess.run([self.program, "--only", "regression", "--data-dir", "."],
                              cwd=self.work, capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("failed: see out/gallery/regression/output.txt", done.stdout)
        text = (self.work / "out/gallery/index.html").read_text()
        self.assertIn('class="failed"', text)
        self.assertEqual(Page(text).open, [])

    def test_flags(self):
        self.run_bad(1, "no example 'nothing'", "--only", "nothing")


if __name__ == "__main__":
    ProgramTest.program = sys.argv.pop(1)
    unittest.main(verbosity=2)
