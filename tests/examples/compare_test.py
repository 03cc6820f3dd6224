# SPDX-License-Identifier: BSD-3-Clause
"""usage: compare_test.py PROGRAM: one page with what the examples print and draw."""

import html.parser
import os
import signal
import subprocess
import sys
import time
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

    def test_resumes(self):
        flags = ["--only", "threshold_unit", "--only", "regression", "--out-dir", "b"]
        self.run_ok(*flags[:-1], "a")
        for number in [signal.SIGINT, signal.SIGKILL]:
            program = subprocess.Popen([self.program, *flags, "--resume"], cwd=self.work,
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                       start_new_session=True)
            self.addCleanup(program.kill)
            rows = self.work / "b" / "regression" / "metrics.csv"
            before = rows.stat().st_mtime_ns if rows.exists() else 0
            while not (rows.exists() and rows.stat().st_size and
                       rows.stat().st_mtime_ns > before):
                self.assertIsNone(program.poll())
                time.sleep(0.001)
            os.killpg(program.pid, number)
            out = program.communicate()[0]
            if number == signal.SIGINT:
                self.assertEqual(program.returncode, 1)
                self.assertIn("compare: interrupted, --resume goes on\n", out)
        done = (self.work / "b" / "threshold_unit" / "done.txt").stat().st_mtime_ns
        out = self.run_ok(*flags, "--resume")
        self.assertIn("threshold_unit --out-dir 'b/threshold_unit'  (done)\n", out)
        self.assertEqual((self.work / "b" / "threshold_unit" / "done.txt").stat().st_mtime_ns, done)
        for name in ["threshold_unit", "regression"]:
            models = [(self.work / f / name / "model.safetensors").read_bytes() for f in "ab"]
            self.assertEqual(models[0], models[1])
        text = (self.work / "b" / "regression" / "output.txt").read_text()
        self.assertIn("going on after epoch", text)

    def test_flags(self):
        self.run_bad(1, "no example 'nothing'", "--only", "nothing")


if __name__ == "__main__":
    ProgramTest.program = sys.argv.pop(1)
    unittest.main(verbosity=2)
