# SPDX-License-Identifier: BSD-3-Clause
"""usage: image_cnn_test.py PROGRAM: pictures of filters and maps, gains with standard errors."""

import csv
import math
import random
import statistics
import struct
import sys
import unittest

from program import ProgramTest


class ImageTest(ProgramTest):
    small = ["--limit", "30", "--epochs", "1", "--threads", "2", "--quiet"]

    def gains(self, folder):
        with open(self.work / folder / "gains.csv", newline="") as file:
            return list(csv.DictReader(file))

    def write_digits(self):
        numbers = random.Random(1)
        for part, count in [("train", 40), ("t10k", 20)]:
            pixels = numbers.randbytes(count * 28 * 28)
            head = struct.pack(">4I", 0x803, count, 28, 28)
            (self.work / f"{part}-images-idx3-ubyte").write_bytes(head + pixels)
            labels = bytes(i % 10 for i in range(count))
            head = struct.pack(">2I", 0x801, count)
            (self.work / f"{part}-labels-idx1-ubyte").write_bytes(head + labels)

    def write_cifar(self, name, labels):
        numbers = random.Random(2)
        records = b"".join(bytes([label]) + numbers.randbytes(3072) for label in labels)
        (self.work / name).write_bytes(records)

    def test_files(self):
        out = self.run_ok(*self.small[:-1], "--out-dir", "a")
        self.assertRegex(out, r"\nall three gains \S+ \+- \S+\n")
        wide = 2 + 8 * (112 + 2)  # of eight pictures in a row
        for name, width in [("image", 2 + 112 + 2), ("filters", 2 + 8 * (111 + 2)),
                            ("convolution", wide), ("relu", wide), ("pooling", wide),
                            ("second_convolution", wide), ("second_relu", wide),
                            ("second_pooling", wide)]:
            data = (self.work / "a" / f"{name}.png").read_bytes()
            self.assertEqual(data[:8], b"\x89PNG\r\n\x1a\n")
            self.assertEqual(struct.unpack(">I", data[16:20])[0], width, name)
        rows, metrics = self.gains("a"), self.metrics("a")
        self.assertEqual([row["label"] for row in rows],
                         ["convolution", "dense layer", "augmentation", "all three"])
        self.assertEqual(float(rows[3]["y"]), float(metrics["gain"]))
        self.assertEqual(float(rows[3]["error"]), float(metrics["gain_standard_error"]))
        self.assertGreater(float(rows[3]["error"]), 0)
        with open(self.work / "a" / "study.csv", newline="") as file:
            study = {row["added"]: row for row in csv.DictReader(file)}
        seeds = [f"accuracy_fold_{i}" for i in range(5)]
        for row in rows:  # differences seed by seed
            d = [float(study[row["label"]][s]) - float(study["nothing"][s]) for s in seeds]
            self.assertAlmostEqual(float(row["y"]), statistics.mean(d), places=12)
            self.assertAlmostEqual(float(row["error"]), statistics.stdev(d) / math.sqrt(5), 12)

    def test_a_study_that_was_left_goes_on(self):
        self.run_ok(*self.small, "--out-dir", "a")
        log, gains = self.work / "a" / "study.tsv", self.gains("a")
        whole = log.read_text().splitlines(keepends=True)
        self.assertEqual(len(whole), 1 + 5)
        log.write_text("".join(whole[:3]))  # as after a kill
        self.run_ok(*self.small, "--out-dir", "a", "--resume")
        self.assertEqual(log.read_text(), "".join(whole))
        self.assertEqual(self.gains("a"), gains)

    def test_one_digit(self):
        self.run_ok("--limit", "1", "--epochs", "0", "--quiet", "--out-dir", "a")
        self.assertEqual(len(self.gains("a")), 4)

    def test_same_seed_same_bits(self):
        for folder, seed in [("a", 3), ("b", 3), ("c", 4)]:
            self.run_ok(*self.small, "--seed", seed, "--out-dir", folder)
        study = [(self.work / folder / "study.tsv").read_text() for folder in "abc"]
        self.assertEqual(study[0], study[1])
        self.assertNotEqual(study[0], study[2])

    def test_data_dir(self):
        self.write_digits()
        self.run_bad(1, "no data_batch_1.first3000.bin", "--data-dir", ".", *self.small)
        (self.work / "cifar10").mkdir()
        self.write_cifar("cifar10/data_batch_1.bin", [i % 10 for i in range(30)])
        self.run_ok("--data-dir", ".", *self.small, "--out-dir", "a")
        self.assertEqual(len(self.gains("a")), 4)
        self.write_cifar("cifar10/data_batch_1.bin", [0, 12])
        self.run_bad(1, "record 1: expected a label below 10, found 12", "--data-dir", ".",
                     *self.small)


if __name__ == "__main__":
    ProgramTest.program = sys.argv.pop(1)
    unittest.main(verbosity=2)
