# SPDX-License-Identifier: BSD-3-Clause
"""usage: mnist_distributed_test.py PROGRAM [MPIRUN ...]

Two processes with batches of B learn what one learns with 2 B. Without MPIRUN the program was built
without MPI, and says so."""

import subprocess
import sys
import unittest

from program import ProgramTest

SMALL = ["--epochs", "2", "--limit", "200", "--threads", "1"]


class WithMpi(ProgramTest):
    mpirun = None

    def run_two(self, *arguments):
        done = subprocess.run([*self.mpirun, self.program, "--distributed", *arguments],
                              cwd=self.work, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_losses_are_those_of_one_process_with_both_batches(self):
        out = self.run_two(*SMALL, "--no-dropout", "--batch-size", "16", "--out-dir", "two")
        self.run_ok(*SMALL, "--no-dropout", "--batch-size", "32", "--out-dir", "one")
        self.assertEqual(out.count("done, "), 1)  # rank 0 alone reports
        one, two = self.curves("one", "loss"), self.curves("two", "loss")
        self.assertEqual(len(one), len(two))
        for a, b in zip(one, two):
            for key in a:
                self.assertAlmostEqual(a[key], b[key], delta=1e-5)
        for key in ["test_loss", "test_accuracy"]:
            self.assertAlmostEqual(float(self.metrics("one")[key]),
                                   float(self.metrics("two")[key]), delta=1e-5)

    def test_with_dropout(self):
        self.run_two(*SMALL, "--batch-size", "16")
        two = self.metrics(f"out/{self.name}")
        self.assertEqual((two["epochs_done"], two["interrupted"]), (2, False))
        self.assertGreater(float(two["test_accuracy"]), 0.3)

    def test_the_number_of_processes_is_kept(self):
        program = subprocess.Popen(
            [*self.mpirun, self.program, "--distributed", "--limit", "300", "--epochs", "100000",
             "--threads", "1", "--checkpoint-every", "0", "--out-dir", "a"], cwd=self.work,
            stdout=subprocess.DEVNULL)
        self.addCleanup(program.kill)
        checkpoint = self.work / "a" / "checkpoint.safetensors"
        while not checkpoint.exists():
            self.assertIsNone(program.poll())
        program.terminate()
        program.wait()
        self.run_bad(1, "begun with processes 2, not 1", "--limit", "300", "--epochs", "100000",
                     "--out-dir", "a", "--resume")


class WithoutMpi(ProgramTest):
    def test_says_so(self):
        self.run_bad(1, "built without MPI", *SMALL, "--distributed")
        self.assertEqual(list(self.work.iterdir()), [])


if __name__ == "__main__":
    ProgramTest.program = sys.argv[1]
    WithMpi.mpirun = sys.argv[2:]
    case = WithMpi if WithMpi.mpirun else WithoutMpi
    unittest.main(argv=[sys.argv[0], case.__name__], verbosity=2)
