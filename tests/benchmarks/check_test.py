# SPDX-License-Identifier: BSD-3-Clause
"""The logic of `./dev bench --check`, with made-up figures in the place of programs."""

import argparse
import contextlib
import io
import json
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../benchmarks"))
import check
import compare
from floors import RATES, WORK, floor


class Fake(compare.Measurements):
    """Programs whose times are given: {(program, workload): [ns of each round]}."""

    def __init__(self, times, only=("mlp", "gpt"), rounds=2):
        super().__init__(argparse.Namespace(openblas_dir=None, threads=[1], only=list(only)))
        self.given = times
        self.blas = ""
        for number in range(rounds):
            self.round(number)

    def round(self, number):
        for name in RATES + self.args.only:
            self.pair(name, 1, number)

    def measure(self, program, name, threads):
        done = len(self.times.get((program, name, threads), []))
        ns = self.given.get((program, name), [1e-3] * 9)[done]
        self.times.setdefault((program, name, threads), []).append([ns, 2 * ns])
        self.peaks[program, name, threads] = 1024


def judged(first, second, intervals):
    """Exit code and text of a check that sees `first`, then `second`: ratios of mlp and gpt."""
    def fake(ratios):
        times = {}
        for name, ratio in ratios.items():
            times["xtape", name] = [1e6] * 2
            times["libtorch", name] = [ratio * 1e6] * 2
        return Fake(times, ratios)
    asked = []

    def measure(args):
        asked.append(list(args.only))
        return fake({name: second[name] for name in args.only})
    measure_before, compare.measure = compare.measure, measure
    args = argparse.Namespace(threads=[1], only=list(first))
    text = io.StringIO()
    try:
        with contextlib.redirect_stdout(text):
            code = compare.judge(args, fake(first), intervals)
    finally:
        compare.measure = measure_before
    return code, asked, text.getvalue()


class Check(unittest.TestCase):
    intervals = {"mlp/1": [1.3, 1.5], "gpt/1": [1.4, 1.8]}

    def test_within(self):
        code, asked, _ = judged({"mlp": 1.4, "gpt": 1.41}, {}, self.intervals)
        self.assertEqual((code, asked), (0, []))

    def test_once_below_is_forgiven(self):
        code, asked, text = judged({"mlp": 1.4, "gpt": 1.2}, {"gpt": 1.5}, self.intervals)
        self.assertEqual((code, asked), (0, [["gpt"]]))
        self.assertIn("0 of 2 rows", text)

    def test_twice_below_fails(self):
        code, asked, text = judged({"mlp": 1.2, "gpt": 1.2}, {"mlp": 1.35, "gpt": 1.39},
                                   self.intervals)
        self.assertEqual((code, asked), (1, [["mlp", "gpt"]]))
        self.assertIn("gpt/1: 1.20, then 1.39, below its interval [1.4, 1.8]", text)
        self.assertNotIn("mlp/1: 1.20, then", text)

    def test_faster_than_recorded_is_told(self):
        code, asked, text = judged({"mlp": 1.6, "gpt": 1.5}, {}, self.intervals)
        self.assertEqual((code, asked), (0, []))
        self.assertIn("mlp/1: 1.60, above", text)

    def test_no_number_is_below(self):
        self.assertEqual(check.below({"mlp/1": float("nan")}, self.intervals), ["mlp/1"])

    def test_rows_without_interval(self):
        self.assertEqual(check.missing(["mlp/1", "mlp/2"], self.intervals), ["mlp/2"])


class Record(unittest.TestCase):
    def test_ends_of_all_rounds(self):
        fake = Fake({("xtape", "mlp"): [100, 100], ("libtorch", "mlp"): [200, 300],
                     ("xtape", "gpt"): [50, 100], ("libtorch", "gpt"): [100, 100]})
        rounds = [fake.ratios(0), fake.ratios(1)]
        self.assertEqual(rounds, [{"mlp/1": 2, "gpt/1": 2}, {"mlp/1": 3, "gpt/1": 1}])
        whole = {"mlp/1": 2.0, "gpt/1": 2.0}
        self.assertEqual(check.record(rounds, whole), {"mlp/1": [1.9, 2.31], "gpt/1": [1.71, 2.1]})

    def test_other_rows_are_kept(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "intervals.json")
            check.save(path, {"mlp/1": [1, 2]}, "a machine")
            check.save(path, {"gpt/1": [3, 4]}, "a machine")
            self.assertEqual(check.load(path), {"machine": "a machine", "intervals": {
                "gpt/1": [3, 4], "mlp/1": [1, 2]}})

    def test_recorded_for_every_workload(self):
        recorded = check.load(compare.INTERVALS)["intervals"]
        wanted = [check.key(name, threads) for name in compare.WORKLOADS for threads in (1, 2)]
        self.assertEqual(sorted(recorded), sorted(wanted))
        for low, high in recorded.values():
            self.assertLess(low, high)


class Rows(unittest.TestCase):
    def test_libtorch_is_granted_its_best_variant(self):
        fake = Fake({("xtape", "cnn"): [100] * 2, ("libtorch", "cnn"): [300] * 2,
                     ("libtorch", "cnn_channels_last"): [200] * 2}, ["cnn"])
        self.assertEqual(fake.row("cnn", 1)["variant"], "cnn_channels_last")
        self.assertEqual(compare.minimum_ratios(fake), {"cnn/1": 2})

    def test_floors(self):
        rates = dict(zip(RATES, (1.0, 10.0, 100.0, 1000.0)))
        self.assertEqual(floor("matmul_512", rates), 6 * 512**3)
        self.assertEqual(floor("adam_step", rates), 28e7 * 1000)
        self.assertIsNone(floor("op_chain", rates))
        self.assertLessEqual(set(WORK), set(compare.WORKLOADS))

    def test_cores_that_share_no_cache_are_told(self):
        def told(round_trips):
            out, err = io.StringIO(), io.StringIO()
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                compare.print_round_trips(round_trips)
            return out.getvalue(), err.getvalue()

        out, err = told([100.4, 110, 350, 130])
        self.assertIn("100 to 350 ns; 1 of 4 programs", out)
        self.assertIn("share no cache", err)
        out, err = told([100, 240])
        self.assertIn("0 of 2 programs", out)
        self.assertEqual(err, "")

    def test_rows_as_json(self):
        fake = Fake({("xtape", "mlp"): [100] * 2, ("libtorch", "mlp"): [300] * 2}, ["mlp"])
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "rows.json")
            with contextlib.redirect_stdout(io.StringIO()):
                compare.write_json(path, fake)
            with open(path, encoding="utf-8") as file:
                (row,) = json.load(file)
        self.assertEqual((row["workload"], row["ratio_min"], row["xtape_kib"]), ("mlp", 3, 1024))


if __name__ == "__main__":
    unittest.main()
