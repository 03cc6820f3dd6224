# SPDX-License-Identifier: BSD-3-Clause
"""usage: data_dir_test.py PROGRAM WRITER: --data-dir with files packed or not, in the folder itself
or in mnist/, missing, cut, mixed up."""

import shutil
import subprocess
import sys
import unittest

from program import ProgramTest


class DataDirTest(ProgramTest):
    writer = None  # path of write_digits
    small = ["--epochs", "1", "--threads", "2", "--quiet"]

    def write(self, folder, count, ending=""):
        path = self.work / folder
        path.mkdir(parents=True)
        subprocess.run([self.writer, path, str(count), ending], check=True)
        return path

    def test_reads(self):
        self.write("plain", 256)
        self.write("packed/mnist", 256, ".gz")
        self.run_ok(*self.small, "--out-dir", "a", "--data-dir", "plain")
        self.run_ok(*self.small, "--out-dir", "b", "--data-dir", "packed")
        self.run_ok(*self.small, "--out-dir", "c", "--data-dir", "plain", "--limit", "100")
        a, b, c = (self.metrics(folder)["test_loss"] for folder in "abc")
        self.assertEqual(a, b)
        self.assertNotEqual(a, c)

    def test_refuses(self):
        bad = self.write("bad", 256)
        flags = [*self.small, "--data-dir", "bad"]
        good = self.write("good", 256)
        more = self.write("more", 300)
        images, labels = bad / "train-images-idx3-ubyte", bad / "train-labels-idx1-ubyte"

        self.run_bad(1, "--data-dir: no folder nowhere", *self.small, "--data-dir", "nowhere")
        images.unlink()
        self.run_bad(1, "--data-dir: no train-images-idx3-ubyte", *flags)
        images.write_bytes((good / images.name).read_bytes()[:-1])
        self.run_bad(1, images.name, *flags)
        shutil.copy(labels, images)
        self.run_bad(1, r"expected \[n, 28, 28\], got uint8 \[256\]", *flags)
        shutil.copy(good / images.name, images)
        shutil.copy(more / labels.name, labels)
        self.run_bad(1, "expected one label for each of 256 images, got uint8 \\[300\\]", *flags)
        damaged = bytearray((good / labels.name).read_bytes())
        damaged[100] = 10  # no such digit
        labels.write_bytes(damaged)
        self.run_bad(1, "10", *flags)
        shutil.copy(good / labels.name, labels)
        self.run_ok(*flags)


if __name__ == "__main__":
    DataDirTest.writer = sys.argv.pop(2)
    ProgramTest.program = sys.argv.pop(1)
    unittest.main(verbosity=2)
