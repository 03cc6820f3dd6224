#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs the same workloads in xtape and libtorch, interleaved, and prints how they compare.

Both programs bring their own threads, so they are separate and run one after the other, each
workload of each round in both orders alternately: drift of the machine hits both alike.
workloads.md says what each workload does and what its floor counts.
"""

import argparse
import ctypes
import glob
import json
import os
import statistics
import subprocess
import sys
import time

WORKLOADS = ["op_chain", "composed_1m", "gelu_1m", "matmul_512", "matmul_1024", "mlp", "tiny_mlp",
             "cnn"]
# libtorch is granted the faster of these.
LIBTORCH_VARIANTS = {"cnn": ["cnn", "cnn_channels_last"]}
RATES = ["rate_gemm", "rate_conv", "rate_bytes"]

# What no implementation can avoid: flops of matrix products, flops of convolutions, bytes moved
# outside of them.
MLP_PRODUCTS = 2 * 128 * (2 * 784 * 512 + 3 * 512 * 256 + 3 * 256 * 10)
MLP_PARAMETERS = 784 * 512 + 512 + 512 * 256 + 256 + 256 * 10 + 10
CNN_CONVOLUTIONS = 2 * 64 * (2 * 32 * 9 * 26 * 26 + 3 * 64 * 32 * 9 * 24 * 24)
CNN_PRODUCTS = 3 * 2 * 64 * (9216 * 128 + 128 * 10)
CNN_PARAMETERS = 32 * 9 + 32 + 64 * 32 * 9 + 64 + 9216 * 128 + 128 + 128 * 10 + 10
CNN_POOLED = 4 * 64 * 64 * 24 * 24  # bytes of the pooling's input
WORK = {
    "composed_1m": (0, 0, 5 * 4 * 2**20),  # x in, y out; x and g in, dx out
    "gelu_1m": (0, 0, 5 * 4 * 2**20),
    "matmul_512": (6 * 512**3, 0, 0),
    "matmul_1024": (6 * 1024**3, 0, 0),
    "mlp": (MLP_PRODUCTS, 0, 7 * 4 * MLP_PARAMETERS),  # Adam: 4 arrays in, 3 out
    "cnn": (CNN_PRODUCTS, CNN_CONVOLUTIONS, 5 * 4 * CNN_PARAMETERS + 5 * CNN_POOLED // 2),
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--xtape", required=True, help="the program xtape_workloads")
    parser.add_argument("--libtorch", required=True, help="the program libtorch_workloads")
    parser.add_argument("--openblas-dir", help="folder of OpenBLAS's OpenMP build for libtorch")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--only", nargs="+", choices=WORKLOADS, default=WORKLOADS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repetitions", type=int, default=5, help="of each workload in a round")
    parser.add_argument("--json", help="file to write the rows to")
    return parser.parse_args()


def openblas_folder(given):
    """Debian keeps OpenBLAS's builds in folders of their own, under one SONAME."""
    folders = [given] if given else sorted(glob.glob("/usr/lib/*/openblas-openmp"))
    for folder in folders:
        if os.path.exists(os.path.join(folder, "libopenblas.so.0")):
            return folder
    if given:
        sys.exit(f"compare: no libopenblas.so.0 in {given}")
    return None


def environment(threads, openblas=None, keep_memory=False):
    result = dict(os.environ, OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS=str(threads))
    if openblas:
        rest = os.environ.get("LD_LIBRARY_PATH")
        result["LD_LIBRARY_PATH"] = openblas + (":" + rest if rest else "")
    if keep_memory:
        # Otherwise glibc gives large blocks back on every step and pays for their pages again.
        result.update(MALLOC_TRIM_THRESHOLD_=str(2**32), MALLOC_MMAP_THRESHOLD_=str(2**32),
                      MALLOC_MMAP_MAX_="0", MALLOC_TOP_PAD_=str(2**28))
    return result


def run(program, name, threads, repetitions, env):
    """Nanoseconds of each repetition, and the numeric libraries of the process."""
    command = [program, "--threads", str(threads), "--only", name, "--repetitions",
               str(repetitions)]
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"compare: {' '.join(command)} ended with code {done.returncode}")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    times = [line["ns"] for line in lines if line.get("workload") == name]
    libraries = [line["libraries"] for line in lines if "libraries" in line]
    if len(times) != 1 or len(libraries) != 1:
        sys.exit(f"compare: {' '.join(command)} printed no measurement of {name}")
    return times[0], libraries[0]


def describe_blas(libraries):
    """What libtorch computed with; refuses an OpenBLAS that is not the OpenMP build."""
    blas = [path for path in libraries if "libopenblas" in path]
    if not blas:
        return "libtorch: no OpenBLAS loaded (it brings another BLAS)"
    for path in blas:
        kind = ctypes.CDLL(path).openblas_get_parallel()
        if kind != 2:
            sys.exit(f"compare: libtorch loaded {path}, which is "
                     f"{'single-threaded' if kind == 0 else 'the pthread build'}; with the OpenMP "
                     "build it is up to 3 times as fast (--openblas-dir)")
    return f"libtorch: runs with OpenBLAS's OpenMP build, {', '.join(blas)}"


def busy_share(seconds=0.5):
    """Share of the machine's processors that is at work, this script being idle."""
    def read():
        with open("/proc/stat", encoding="ascii") as stat:
            ticks = [int(word) for word in stat.readline().split()[1:9]]
        return sum(ticks), ticks[3] + ticks[4]
    try:
        total, idle = read()
        time.sleep(seconds)
        later_total, later_idle = read()
    except OSError:
        return 0.0
    return 1 - (later_idle - idle) / max(later_total - total, 1)


class Measurements:
    def __init__(self, args):
        self.args = args
        self.openblas = openblas_folder(args.openblas_dir)
        self.times = {}  # (program, workload, threads) -> nanoseconds of all repetitions
        self.blas = None
        self.busiest = 0.0

    def measure(self, program, name, threads):
        libtorch = program == "libtorch"
        env = environment(threads, self.openblas if libtorch else None, keep_memory=libtorch)
        times, libraries = run(getattr(self.args, program), name, threads, self.args.repetitions,
                               env)
        if libtorch:
            self.blas = describe_blas(libraries)
        self.times.setdefault((program, name, threads), []).extend(times)

    def round(self, number):
        self.busiest = max(self.busiest, busy_share())
        for threads in self.args.threads:
            for name in RATES + self.args.only:
                pair = [("xtape", name)]
                pair += [("libtorch", v) for v in LIBTORCH_VARIANTS.get(name, [name])]
                for program, variant in (pair if number % 2 == 0 else reversed(pair)):
                    self.measure(program, variant, threads)

    def libtorch(self, name, threads):
        variants = LIBTORCH_VARIANTS.get(name, [name])
        return min((self.times["libtorch", v, threads] for v in variants), key=statistics.median)

    def floor(self, name, threads):
        """Nanoseconds of the unavoidable work at the best rates that either program reached."""
        if name not in WORK:
            return None
        best = [min(self.times["xtape", rate, threads] + self.times["libtorch", rate, threads])
                for rate in RATES]
        return sum(amount * rate for amount, rate in zip(WORK[name], best))


def rows(measurements):
    for name in measurements.args.only:
        for threads in measurements.args.threads:
            yield (name, threads, measurements.times["xtape", name, threads],
                   measurements.libtorch(name, threads), measurements.floor(name, threads))


def human(ns):
    if ns is None:
        return "-"
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if ns >= size:
            return f"{ns / size:.2f} {unit}"
    return f"{ns:.0f} ns"


def print_table(measurements):
    head = ("workload", "threads", "xtape min", "median", "libtorch min", "median", "ratio min",
            "median", "floor", "x floor")
    form = "{:<12}{:>8}{:>12}{:>11}{:>14}{:>11}{:>11}{:>8}{:>11}{:>9}"
    print(form.format(*head))
    for name, threads, ours, theirs, floor in rows(measurements):
        print(form.format(
            name, threads, human(min(ours)), human(statistics.median(ours)), human(min(theirs)),
            human(statistics.median(theirs)), f"{min(theirs) / min(ours):.2f}",
            f"{statistics.median(theirs) / statistics.median(ours):.2f}", human(floor),
            f"{min(ours) / floor:.2f}" if floor else "-"))


def write_json(path, measurements):
    result = []
    for name, threads, ours, theirs, floor in rows(measurements):
        ours, theirs = statistics.median(ours), statistics.median(theirs)
        result.append({"workload": name, "threads": threads, "xtape_ns": ours,
                       "libtorch_ns": theirs, "ratio": theirs / ours, "floor_ns": floor})
    with open(path, "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
        file.write("\n")


def main():
    args = arguments()
    if args.rounds < 1 or args.repetitions < 1 or min(args.threads) < 1:
        sys.exit("compare: rounds, repetitions and threads are at least 1")
    measurements = Measurements(args)
    for number in range(args.rounds):
        print(f"round {number + 1} of {args.rounds}", file=sys.stderr)
        measurements.round(number)
    print(measurements.blas)
    if measurements.busiest > 0.1:
        print(f"warning: other programs used up to {measurements.busiest:.0%} of the processors; "
              "figures for several threads suffer most", file=sys.stderr)
    print_table(measurements)
    if args.json:
        write_json(args.json, measurements)
        print(f"wrote {args.json}")


if __name__ == "__main__":
    main()
