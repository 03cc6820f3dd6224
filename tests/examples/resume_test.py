# SPDX-License-Identifier: BSD-3-Clause
"""usage: resume_test.py PROGRAM: a run that was interrupted or killed, and resumed, ends as one that
was not."""

import csv
import signal
import subprocess
import sys
import time
import unittest

from program import ProgramTest

# (--limit, --batch-size, --epochs) at which a few dozen checkpoints are written.
SIZES = {
    "char_gpt": (10, 2, 3),
    "char_lstm": (1, 4, 12),
    "churn_ann": (200, 40, 10),
    "custom_op": (200, 20, 5),
    "fraud_som": (60, 10, 20),
    "gradient_flow": (10, 4, 40),
    "gradient_penalty": (5, 16, 60),
    "hessian_spectrum": (20, 4, 4),
    "image_cnn": (40, 5, 3),
    "mackey_glass_esn": (5, 1, 40),
    "maml_sine": (10, 4, 40),
    "mnist_cnn": (200, 20, 4),
    "mnist_mlp": (200, 20, 4),
    "neural_ode": (3, 8, 30),
    "pinn_burgers": (20, 100, 20),
    "regression": (60, 10, 10),
    "stock_lstm": (100, 20, 10),
    "threshold_unit": (60, 10, 40),
    "vae": (200, 20, 4),
}


class ResumeTest(ProgramTest):
    def setUp(self):
        super().setUp()
        limit, batch_size, epochs = SIZES[self.name]
        self.sizes = ["--limit", limit, "--batch-size", batch_size, "--epochs", epochs]
        self.flags = ["--threads", "1", "--checkpoint-every", "0", "--out-dir", "b"]
        self.checkpoint = self.work / "b" / "checkpoint.safetensors"

    def state(self):
        """What tells one checkpoint from the next."""
        return self.checkpoint.stat().st_mtime_ns if self.checkpoint.exists() else None

    def stop_by(self, number, *arguments):
        """Stops the program some checkpoints after its start. False where it ended before."""
        program = subprocess.Popen([self.program, *map(str, self.sizes), *self.flags, *arguments],
                                   cwd=self.work, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   text=True)
        self.addCleanup(program.kill)
        seen, changes = self.state(), 0
        while changes < 3 and program.poll() is None:
            now = self.state()
            changes += now != seen
            seen = now
            time.sleep(0.0005)
        program.send_signal(number)
        out = program.communicate()[0]
        if program.returncode == 0:
            return False
        self.assertEqual(program.returncode, 130 if number == signal.SIGINT else -number, out)
        if number == signal.SIGINT:
            self.assertIn("--resume goes on from b/checkpoint.safetensors\n", out)
        return True

    def results(self, folder):
        """Everything but the times."""
        metrics = self.metrics(folder)
        with open(self.work / folder / "metrics.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        for row in [metrics, *rows]:
            for key in [key for key in row if key.endswith("seconds")]:
                del row[key]
        return metrics, rows, (self.work / folder / "loss.svg").read_text()

    def check(self, *signals):
        self.run_ok(*self.sizes, "--threads", "1", "--out-dir", "a", "--quiet")
        self.assertTrue(self.stop_by(signals[0]))
        for number in signals[1:]:
            self.assertTrue(self.stop_by(number, "--resume"))
        out = self.run_ok(*self.sizes, *self.flags, "--resume")
        self.assertIn("going on after epoch", out)
        self.assertEqual((self.work / "a" / "model.safetensors").read_bytes(),
                         (self.work / "b" / "model.safetensors").read_bytes())
        self.assertEqual(self.results("a"), self.results("b"))
        self.assertFalse(self.checkpoint.exists())  # nothing to go on with

    def test_killed(self):
        self.check(signal.SIGKILL, signal.SIGKILL, signal.SIGKILL)

    def test_interrupted(self):
        self.check(signal.SIGINT, signal.SIGINT, signal.SIGKILL)

    def test_without_a_checkpoint(self):
        out = self.run_ok("--epochs", "0", *self.sizes[:4], *self.flags, "--resume")
        self.assertIn("no checkpoint in b yet: from the start\n", out)

    def test_other_flags(self):
        self.assertTrue(self.stop_by(signal.SIGKILL))
        for at, flag in enumerate(["--limit", "--batch-size", "--epochs"]):
            sizes = list(self.sizes)
            sizes[2 * at + 1] += 1
            self.run_bad(1, f"begun with {flag} .*, not {sizes[2 * at + 1]}", *sizes, *self.flags,
                         "--resume")
        for flag, value in [("--lr", "0.5"), ("--seed", "8")]:
            self.run_bad(1, f"begun with {flag} .*, not {value}", *self.sizes, *self.flags,
                         flag, value, "--resume")
        self.checkpoint.write_bytes(b"no checkpoint")
        self.run_bad(1, "expected a header", *self.sizes, *self.flags, "--resume")


if __name__ == "__main__":
    ProgramTest.program = sys.argv.pop(1)
    unittest.main(verbosity=2)
