# SPDX-License-Identifier: BSD-3-Clause
"""usage: char_test.py PROGRAM: char_gpt or char_lstm learns, writes letters of its text, and says
what is wrong."""

import sys
import unittest

from program import ProgramTest


# --limit counts chunks of one program, stretches of all streams of the other.
PROGRAMS = {
    "char_gpt": {"small": 20, "learns": 40, "epochs": 4, "short": "fewer than 258 letters"},
    "char_lstm": {"small": 3, "learns": 10, "epochs": 5, "short": "too short for 16 streams"},
}


class CharTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.sizes = PROGRAMS[self.name]
        self.small = ["--limit", self.sizes["small"], "--epochs", "2", "--threads", "2"]

    def test_learns_and_writes(self):
        epochs = self.sizes["epochs"]
        out = self.run_ok("--limit", self.sizes["learns"], "--epochs", epochs, "--threads", "2",
                          "--out-dir", "a")
        metrics = self.metrics("a")
        self.assertLess(float(metrics["val_nats"]), 2.5)  # log 25 = 3.2 knows nothing
        self.assertGreater(float(metrics["val_nats"]), 0.3)  # nor may it see what comes
        sample = out.split(f"epoch {epochs}/{epochs}", 1)[1].split("\n", 1)[1].rsplit("\ndone", 1)[0]
        self.assertEqual(len(sample), 200)
        self.assertLessEqual(set(sample), set("abcdefghijklmnopqrstuvwxyz .!\n"))

    def test_same_seed_same_bits(self):
        for folder, seed in [("a", 3), ("b", 3), ("c", 4)]:
            self.run_ok(*self.small, "--quiet", "--seed", seed, "--out-dir", folder)
        model = [(self.work / f / "model.safetensors").read_bytes() for f in "abc"]
        self.assertEqual(model[0], model[1])
        self.assertNotEqual(model[0], model[2])

    def test_a_saved_model_is_tested(self):
        self.run_ok(*self.small, "--quiet", "--out-dir", "a")
        self.run_ok("--limit", self.sizes["small"], "--epochs", "0", "--threads", "2", "--quiet",
                    "--weights", "a/model.safetensors", "--out-dir", "b")
        self.assertEqual(self.metrics("a")["val_nats"], self.metrics("b")["val_nats"])

    def test_data_dir(self):
        self.run_bad(1, "no tinyshakespeare_input.txt", "--data-dir", ".", *self.small)
        text = self.work / "tinyshakespeare_input.txt"
        text.write_text("")
        self.run_bad(1, "the file is empty", "--data-dir", ".", *self.small)
        text.write_text("too short\n")
        self.run_bad(1, self.sizes["short"], "--data-dir", ".", *self.small)
        text.write_text("To be, or not to be?\n" * 100)
        self.run_ok("--data-dir", ".", *self.small)
        self.run_ok("--data-dir", ".", "--limit", "1", "--threads", "1")


if __name__ == "__main__":
    ProgramTest.program = sys.argv.pop(1)
    unittest.main(verbosity=2)
