#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs the same workloads in xtape and libtorch, interleaved, and prints how they compare.

Both programs bring their own threads, so they are separate and run one after the other, each
workload of each round in both orders alternately: drift of the machine hits both alike.
workloads.md says what each workload does and what its floor counts.
"""

import argparse
import json
import os
import statistics
import sys

import check
import deterministic
import scaling
from floors import RATES, floor
from programs import (busy_share, describe_blas, environment, human, openblas_folder, processor, run,
                      variants, warn_if_busy)

WORKLOADS = ["op_chain", "composed_1m", "gelu_1m", "layer_norm", "matmul_512", "matmul_1024", "mlp",
             "tiny_mlp", "cnn", "resnet20", "lstm", "lstm_cell", "gpt", "pinn", "adam_step",
             "embedding", "infer_mlp", "infer_cnn"]
TRAINING = ["mlp", "tiny_mlp", "cnn", "resnet20", "lstm", "lstm_cell", "gpt", "pinn", "adam_step",
            "embedding"]
# glibc takes 132 KiB at a time; tests/optim/training_memory_test.cpp counts single bytes.
MOST_GROWTH_KIB = 192
FAR = 2.5  # times the shortest way between two cores: another cache
INTERVALS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "intervals.json")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--xtape", required=True, help="the program xtape_workloads")
    parser.add_argument("--libtorch", required=True, help="the program libtorch_workloads")
    parser.add_argument("--openblas-dir", help="folder of OpenBLAS's OpenMP build for libtorch")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--only", nargs="+", choices=WORKLOADS)
    parser.add_argument("--rounds", type=int, help="default: 5; of --scaling 2, --deterministic 3")
    parser.add_argument("--repetitions", type=int, default=5, help="of each workload in a round")
    parser.add_argument("--json", help="file to write the rows to")
    parser.add_argument("--intervals", default=INTERVALS, help="file of recorded ratios")
    parser.add_argument("--record", action="store_true", help="record the intervals of the ratios")
    parser.add_argument("--check", action="store_true",
                        help="fail where a ratio falls below its interval twice in a row")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--memory", action="store_true",
                         help="instead: what xtape's process holds after 10 steps of training and "
                              "after 1,000; fail where that grows")
    instead.add_argument("--deterministic", action="store_true",
                         help="instead: training steps of xtape with and without its deterministic "
                              "mode")
    instead.add_argument("--scaling", nargs="*", choices=list(scaling.SERIES), metavar="SERIES",
                         help="instead: how time and memory grow with one size at a time, in all "
                              f"series or in some of {', '.join(scaling.SERIES)}; fail where xtape "
                              "holds more memory than libtorch")
    parser.add_argument("--largest", type=int, metavar="N",
                        help="with --scaling: leave out sizes above N")
    parser.add_argument("--out", metavar="DIR", default="out/scaling",
                        help="with --scaling: folder of scaling.md, .csv and .svg; default: "
                             "%(default)s")
    parser.add_argument("--draw", metavar="PROGRAM",
                        help="with --scaling: the program xtape_draw_scaling, for the picture")
    args = parser.parse_args()
    refuse(parser, args)
    if args.rounds is None:
        args.rounds = 2 if args.scaling is not None else 3 if args.deterministic else 5
    args.only = args.only or WORKLOADS
    return args


def refuse(parser, args):
    is_scaling = args.scaling is not None
    if args.rounds is not None and args.rounds < 1 or min(args.repetitions, *args.threads) < 1:
        parser.error("rounds, repetitions and threads are at least 1")
    if (is_scaling or args.deterministic or args.memory) and (args.check or args.record):
        parser.error("--check and --record are of the comparison itself")
    if is_scaling and args.only:
        parser.error("--scaling takes names of series, not --only")
    if (args.deterministic or args.memory) and args.only and not set(args.only) & set(TRAINING):
        parser.error("no workload of --only trains")
    if not is_scaling and args.largest is not None:
        parser.error("--largest goes with --scaling")
    if len(set(args.threads)) < len(args.threads):
        parser.error("a number of threads comes twice")


class Measurements:
    def __init__(self, args):
        self.args = args
        self.openblas = openblas_folder(args.openblas_dir)
        self.times = {}  # (program, workload, threads) -> [nanoseconds, ...] of each round
        self.peaks = {}  # likewise -> most KiB held
        self.blas = None
        self.busiest = 0.0
        self.round_trips = []  # of a cache line between two cores, ns

    def measure(self, program, name, threads):
        libtorch = program == "libtorch"
        env = environment(threads, self.openblas if libtorch else None, keep_memory=libtorch)
        line, libraries = run(getattr(self.args, program), name, threads, env, "--repetitions",
                              str(self.args.repetitions))
        if libtorch:
            self.blas = describe_blas(libraries)
        key = (program, name, threads)
        self.times.setdefault(key, []).append(line["ns"])
        self.peaks[key] = max(self.peaks.get(key, 0), line["peak_kib"])
        if threads > 1:
            self.round_trips.append(line["round_trip_ns"])

    def round(self, number):
        self.busiest = max(self.busiest, busy_share())
        for threads in self.args.threads:
            for name in RATES + self.args.only:
                self.pair(name, threads, number)

    def pair(self, name, threads, number):
        pair = [(program, v) for program in ("xtape", "libtorch") for v in variants(program, name)]
        for program, variant in (pair if number % 2 == 0 else reversed(pair)):
            self.measure(program, variant, threads)

    def all_times(self, program, name, threads):
        return [ns for times in self.times[program, name, threads] for ns in times]

    def best_variant(self, name, threads):
        return min(variants("libtorch", name),
                   key=lambda v: statistics.median(self.all_times("libtorch", v, threads)))

    def rates(self, threads):
        """Nanoseconds of a flop or a byte, the better of the two programs."""
        return {rate: min(self.all_times("xtape", rate, threads) +
                          self.all_times("libtorch", rate, threads)) for rate in RATES}

    def ratios(self, number):
        """Ratios of minima in one round."""
        result = {}
        for name in self.args.only:
            for threads in self.args.threads:
                theirs = self.times["libtorch", self.best_variant(name, threads), threads][number]
                ours = self.times["xtape", name, threads][number]
                result[check.key(name, threads)] = min(theirs) / min(ours)
        return result

    def row(self, name, threads):
        best = self.best_variant(name, threads)
        return {
            "workload": name,
            "threads": threads,
            "variant": best,
            "xtape": self.all_times("xtape", name, threads),
            "libtorch": self.all_times("libtorch", best, threads),
            "floor": floor(name, self.rates(threads)),
            "xtape_kib": self.peaks["xtape", name, threads],
            "libtorch_kib": self.peaks["libtorch", best, threads],
        }

    def rows(self):
        return [self.row(name, threads) for name in self.args.only for threads in self.args.threads]


def minimum_ratio(row):
    return min(row["libtorch"]) / min(row["xtape"])


def minimum_ratios(measurements):
    return {check.key(row["workload"], row["threads"]): minimum_ratio(row)
            for row in measurements.rows()}


def print_rates(measurements):
    for threads in measurements.args.threads:
        gemm, conv, cached, memory = (1 / rate for rate in measurements.rates(threads).values())
        print(f"this machine, threads {threads}: products {gemm:.0f} GFLOP/s, convolutions "
              f"{conv:.0f} GFLOP/s, caches {cached:.0f} GB/s, memory {memory:.0f} GB/s")
    if measurements.round_trips:
        print_round_trips(measurements.round_trips)


def print_round_trips(round_trips):
    least, most = min(round_trips), max(round_trips)
    far = sum(ns > FAR * least for ns in round_trips)
    print(f"a cache line between two cores and back: {least:.0f} to {most:.0f} ns; {far} of "
          f"{len(round_trips)} programs found it more than {FAR} times the least")
    if far:
        print("warning: at times the cores of this machine share no cache, or are not its own; "
              "figures for several threads suffer", file=sys.stderr)


def print_table(measurements):
    head = ("workload", "threads", "xtape min", "median", "libtorch min", "median", "ratio min",
            "median", "floor", "x floor", "MiB", "libtorch's")
    form = "{:<12}{:>8}{:>11}{:>10}{:>14}{:>10}{:>11}{:>8}{:>10}{:>9}{:>6}{:>12}"
    print(form.format(*head))
    for row in measurements.rows():
        ours, theirs = row["xtape"], row["libtorch"]
        print(form.format(
            row["workload"], row["threads"], human(min(ours)), human(statistics.median(ours)),
            human(min(theirs)), human(statistics.median(theirs)), f"{minimum_ratio(row):.2f}",
            f"{statistics.median(theirs) / statistics.median(ours):.2f}", human(row["floor"]),
            f"{min(ours) / row['floor']:.2f}" if row["floor"] else "-", row["xtape_kib"] // 1024,
            row["libtorch_kib"] // 1024))


def write_json(path, measurements):
    result = []
    for row in measurements.rows():
        ours, theirs = statistics.median(row["xtape"]), statistics.median(row["libtorch"])
        result.append({"workload": row["workload"], "threads": row["threads"],
                       "libtorch_variant": row["variant"], "xtape_ns": ours, "libtorch_ns": theirs,
                       "ratio": theirs / ours, "xtape_min_ns": min(row["xtape"]),
                       "libtorch_min_ns": min(row["libtorch"]), "ratio_min": minimum_ratio(row),
                       "floor_ns": row["floor"], "xtape_kib": row["xtape_kib"],
                       "libtorch_kib": row["libtorch_kib"]})
    with open(path, "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
        file.write("\n")
    print(f"wrote {path}")


def measure(args):
    measurements = Measurements(args)
    for number in range(args.rounds):
        print(f"round {number + 1} of {args.rounds}", file=sys.stderr)
        measurements.round(number)
    warn_if_busy(measurements.busiest)
    return measurements


def compare_memory(args):
    """The exit code: 1 where a workload holds more after 1,000 steps than after 10."""
    print(f"{'workload':<12}{'threads':>8}{'KiB after 10':>14}{'after 1000':>12}{'peak':>10}")
    grown = []
    for name in [name for name in TRAINING if name in args.only]:
        for threads in args.threads:
            line, _ = run(args.xtape, name, threads, environment(threads), "--memory")
            early, late = line["kib_10"], line["kib_1000"]
            print(f"{name:<12}{threads:>8}{early:>14}{late:>12}{line['peak_kib']:>10}", flush=True)
            if late - early > MOST_GROWTH_KIB:
                grown.append(check.key(name, threads))
    for name in grown:
        print(f"{name}: holds more after 1,000 steps than after 10")
    return 1 if grown else 0


def load_intervals(args):
    recorded = check.load(args.intervals)
    names = [check.key(name, threads) for name in args.only for threads in args.threads]
    unknown = check.missing(names, recorded["intervals"])
    if unknown:
        sys.exit(f"compare: no interval recorded for {', '.join(unknown)} (--record)")
    if recorded["machine"] != processor():
        print(f"warning: the intervals were recorded on {recorded['machine']}", file=sys.stderr)
    return recorded["intervals"]


def judge(args, measurements, intervals):
    """The exit code: 1 where a ratio fell below its interval twice in a row."""
    def again(names):
        print(f"below their intervals, measured again: {', '.join(names)}")
        workloads = [w for w in args.only
                     if any(check.key(w, threads) in names for threads in args.threads)]
        second = measure(argparse.Namespace(**{**vars(args), "only": workloads}))
        print_table(second)
        return {name: ratio for name, ratio in minimum_ratios(second).items() if name in names}

    ratios = minimum_ratios(measurements)
    fallen = check.twice_below(ratios, intervals, again)
    for name in check.above(ratios, intervals):
        print(f"{name}: {ratios[name]:.2f}, above its interval {intervals[name]}")
    for name, (first, second) in fallen.items():
        print(f"{name}: {first:.2f}, then {second:.2f}, below its interval {intervals[name]}")
    print(f"check: {len(fallen)} of {len(ratios)} rows fell below their intervals twice in a row")
    return 1 if fallen else 0


def main():
    args = arguments()
    if args.scaling is not None:
        return scaling.compare(args)
    if args.deterministic:
        return deterministic.compare(args, [name for name in TRAINING if name in args.only])
    if args.memory:
        return compare_memory(args)
    intervals = load_intervals(args) if args.check else None
    measurements = measure(args)
    print(measurements.blas)
    print_rates(measurements)
    print_table(measurements)
    if args.json:
        write_json(args.json, measurements)
    if args.record:
        rounds = [measurements.ratios(number) for number in range(args.rounds)]
        check.save(args.intervals, check.record(rounds, minimum_ratios(measurements)), processor())
        print(f"recorded in {args.intervals}")
    return judge(args, measurements, intervals) if intervals else 0


if __name__ == "__main__":
    sys.exit(main())
