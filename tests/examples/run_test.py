# SPDX-License-Identifier: BSD-3-Clause
"""usage: run_test.py PROGRAM: what an example writes, the same bits twice, flags, errors, Ctrl-C."""

import csv
import os
import pty
import re
import signal
import subprocess
import sys
import time
import unittest
import xml.etree.ElementTree

from program import ProgramTest

FILES = ["metrics.json", "metrics.csv", "loss.svg", "model.safetensors"]
FLAGS = ["data-dir", "out-dir", "epochs", "batch-size", "lr", "seed", "threads", "limit",
         "save-model", "weights", "resume", "checkpoint-every", "quiet", "help"]


class RunTest(ProgramTest):
    def test_writes_and_says_where(self):
        out = self.run_ok(*self.small, "--seed", "5", "--out-dir", "a")
        self.assertRegex(out, r"\nepoch 1/1 .*train_loss 0*[0-9.]+")
        self.assertNotRegex(out, "[\r\x1b]")  # plain lines in a pipe
        for file in FILES:
            self.assertIn(f"a/{file}\n", out)
            self.assertGreater((self.work / "a" / file).stat().st_size, 0)
        self.assertGreater(len(self.curves("a", "loss")), 1)
        metrics = self.metrics("a")
        for key in ["train_loss", "test_loss", "seconds"]:
            self.assertGreater(float(metrics[key]), 0, key)
        self.assertEqual((metrics["example"], metrics["seed"], metrics["epochs_done"]),
                         (self.name, 5, 1))
        self.assertIs(metrics["interrupted"], False)
        for key in ["xtape_version", "compiler_version"]:
            self.assertRegex(metrics[key], r"^\d+\.\d+")
        for value in metrics.values():
            self.assertNotIsInstance(value, (dict, list))  # flat
        with open(self.work / "a" / "metrics.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(len(rows), 1)
        self.assertEqual(rows[0]["epoch"], "1")
        for key in ["train_loss", "test_loss"]:
            self.assertEqual(rows[0][key], metrics[key])
        svg = xml.etree.ElementTree.parse(self.work / "a" / "loss.svg").getroot()
        self.assertEqual(svg.tag, "{http://www.w3.org/2000/svg}svg")
        text = [t.strip() for t in svg.itertext()]
        self.assertIn("train", text)
        self.assertIn("test", text)

    def test_without_out_dir(self):
        self.run_ok(*self.small)
        for file in FILES:
            self.assertTrue((self.work / "out" / self.name / file).is_file(), file)

    def test_same_seed_same_bits(self):
        self.run_ok(*self.small, "--seed", "5", "--out-dir", "a")
        out = self.run_ok(*self.small, "--seed", "5", "--out-dir", "b", "--quiet",
                          "--save-model", "models/b")
        self.assertIn("models/b\n", out)
        self.assertNotIn("epoch", out)
        self.assertFalse((self.work / "b" / "model.safetensors").exists())
        self.assertEqual((self.work / "a" / "model.safetensors").read_bytes(),
                         (self.work / "models" / "b").read_bytes())
        self.run_ok(*self.small, "--seed", "6", "--out-dir", "c")
        a, b, c = map(self.metrics, "abc")
        for key in ["train_loss", "test_loss"]:
            self.assertEqual(a[key], b[key])
            self.assertNotEqual(a[key], c[key])

    def test_weights(self):
        self.run_ok(*self.small, "--out-dir", "a")
        model = self.work / "a" / "model.safetensors"
        self.run_ok("--limit", "300", "--epochs", "0", "--seed", "9", "--threads", "2",
                    "--out-dir", "b", "--weights", model)
        a, b = self.metrics("a"), self.metrics("b")
        self.assertEqual(a["test_loss"], b["test_loss"])
        self.assertNotIn("train_loss", b)
        self.assertEqual((self.work / "b" / "model.safetensors").read_bytes(), model.read_bytes())
        out = self.run_ok(*self.small, "--out-dir", "c", "--weights", model)
        self.assertIn("start afresh", out)
        self.assertLess(float(self.metrics("c")["train_loss"]), float(a["train_loss"]))

    def test_flags(self):
        out = self.run_ok("--help")
        for flag in FLAGS:
            self.assertIn(f"--{flag}", out)
        for wrong in ["--epochs -1", "--epochs two", "--batch-size 0", "--lr 0", "--lr nan",
                      "--lr inf", "--seed -1", "--seed 99999999999999999999",
                      "--threads 0", "--limit 0", "--checkpoint-every -1", "--out-dir",
                      "--unknown", "word"]:
            with self.subTest(wrong):
                self.run_bad(2, "--help", *wrong.split())
        self.assertEqual(list(self.work.iterdir()), [])

    def test_bad_input(self):
        (self.work / "file").write_text("no model, no folder\n")
        self.run_bad(1, "--data-dir: no", *self.small, "--data-dir", "nowhere")
        self.run_bad(1, "nowhere", *self.small, "--weights", "nowhere")
        self.run_bad(1, "file", *self.small, "--weights", "file")
        self.run_bad(1, "cannot make the folder", *self.small, "--out-dir", "file/x")
        self.run_bad(1, "cannot make the folder", *self.small, "--save-model", "file/model")
        self.run_bad(1, "the loss is not finite at epoch 1, step", *self.small, "--lr", "1e200")

    def test_control_c_on_a_terminal(self):
        try:
            parent, child = pty.openpty()
        except OSError as error:
            self.skipTest(f"no pseudo-terminals here: {error}")
        program = subprocess.Popen(
            [self.program, "--limit", "300", "--batch-size", "8", "--epochs", "100000",
             "--threads", "2", "--out-dir", "a"],
            cwd=self.work, stdin=child, stdout=child, stderr=child, start_new_session=True,
            preexec_fn=lambda: os.environ.pop("COLUMNS", None))
        self.addCleanup(program.kill)
        os.close(child)
        seen = b""
        while re.search(rb"epoch [2-9]/100000 \[#*-*\] .*samples/s .* left  loss ", seen) is None:
            seen += os.read(parent, 4096)
        program.send_signal(signal.SIGINT)
        while True:
            try:
                seen += os.read(parent, 4096)
            except OSError:  # the other end is closed
                break
        os.close(parent)
        self.assertEqual(program.wait(), 130)
        self.assertRegex(seen, rb"interrupted, saved what there is.*\r\nmodel +a/model")
        self.assertNotIn(b"\n\r", seen.replace(b"\r\n", b""))
        self.assertIs(self.metrics("a")["interrupted"], True)
        self.assertGreater(float(self.metrics("a")["train_loss"]), 0)
        self.run_ok(*self.small, "--out-dir", "b", "--weights", "a/model.safetensors")

    def test_control_c_again_and_again(self):
        # A handler's frame must not land where the library's kernels keep their data.
        for run in range(8):
            with self.subTest(run):
                program = subprocess.Popen(
                    [self.program, "--limit", "500", "--epochs", "100000", "--threads", "1"],
                    cwd=self.work, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
                self.addCleanup(program.kill)
                time.sleep(0.3 + 0.1 * run)
                program.send_signal(signal.SIGINT)
                out = program.communicate()[0]
                self.assertEqual(program.returncode, 130, out)
                self.assertIn("interrupted, saved", out)


if __name__ == "__main__":
    ProgramTest.program = sys.argv.pop(1)
    unittest.main(verbosity=2)
