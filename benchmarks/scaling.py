# SPDX-License-Identifier: BSD-3-Clause
"""How time and memory of a training step grow with one size at a time, in xtape and in libtorch."""

import csv
import json
import math
import os
import subprocess
import sys
import tempfile
from typing import NamedTuple

import programs

SECONDS = 1  # of repetitions beyond the second of a case
MIB = 1024  # KiB


def powers(first, last, factor=2):
    return [first * factor**i for i in range(round(math.log(last / first, factor)) + 1)]


class Series(NamedTuple):
    workload: str
    parameter: str
    values: list
    fixed: dict = {}

    def flags(self, value):
        sizes = {**self.fixed, self.parameter: value}
        return [word for name, size in sizes.items() for word in (f"--{name}", str(size))]

    def about(self):
        return ", ".join([self.workload] + [f"{name} {size}" for name, size in self.fixed.items()])


SERIES = {
    "depth": Series("deep_mlp", "depth", powers(2, 64), {"width": 256, "batch": 128}),
    "width": Series("deep_mlp", "width", powers(32, 2048), {"depth": 4, "batch": 128}),
    "lstm": Series("lstm", "length", powers(64, 4096), {"batch": 8}),
    "gpt": Series("gpt", "length", powers(64, 4096), {"batch": 1}),
    "mlp": Series("mlp", "batch", powers(1, 1024, 4)),
    "cnn": Series("cnn", "batch", powers(1, 1024, 4)),
}
# Drawn against the number of threads.
OVER_THREADS = {"width": 1024, "lstm": 1024, "gpt": 1024, "cnn": 64}


class Row(NamedTuple):
    """A line of the file: one case of one program. What is in doubt counts against xtape: of several
    processes its own memory is the most, libtorch's the least."""
    series: str
    workload: str
    parameter: str
    value: int
    threads: int
    program: str
    variant: str
    milliseconds: float
    mib: float  # the most that its process has held
    libraries_mib: float  # of that, before its first tensor


class Measured:
    def __init__(self):
        self.ns, self.kib, self.start_kib = [], [], []

    def add(self, line):
        self.ns += line["ns"]
        self.add_memory(line)

    def add_memory(self, line):
        self.kib.append(line["peak_kib"])
        self.start_kib.append(line["start_kib"])


class Measurements:
    def __init__(self, args, names):
        self.args = args
        self.series = {name: SERIES[name] for name in names}
        self.openblas = programs.openblas_folder(args.openblas_dir)
        self.found = {}  # (series, value, threads, program, variant) -> Measured
        self.blas, self.busiest = "", 0.0

    def values(self, name):
        largest = self.args.largest
        return [v for v in self.series[name].values if not largest or v <= largest]

    def cases(self):
        return [(name, value, threads) for name in self.series for value in self.values(name)
                for threads in self.args.threads]

    def round(self, number):
        self.busiest = max(self.busiest, programs.busy_share())
        for name, value, threads in self.cases():
            pair = [(program, variant) for program in ("xtape", "libtorch")
                    for variant in programs.variants(program, self.series[name].workload)]
            for program, variant in pair if number % 2 == 0 else reversed(pair):
                measured = self.found.setdefault((name, value, threads, program, variant),
                                                 Measured())
                measured.add(self.run(name, value, threads, program, variant))
                # A glibc that gives memory back is slower, but may hold less: granted too.
                if program == "libtorch" and number == 0 and threads == self.args.threads[0]:
                    measured.add_memory(self.run(name, value, threads, program, variant, False))

    def run(self, name, value, threads, program, variant, timed=True):
        libtorch = program == "libtorch"
        env = programs.environment(threads, self.openblas if libtorch else None,
                                   keep_memory=libtorch and timed)
        line, libraries = programs.run(
            getattr(self.args, program), variant, threads, env, *self.series[name].flags(value),
            "--repetitions", str(self.args.repetitions if timed else 1), "--seconds", str(SECONDS))
        if libtorch and not self.blas:
            self.blas = programs.describe_blas(libraries)
        return line

    def row(self, name, value, threads, program):
        series = self.series[name]
        all_variants = {v: self.found[name, value, threads, program, v]
                        for v in programs.variants(program, series.workload)}
        variant = min(all_variants, key=lambda v: min(all_variants[v].ns))
        best = all_variants[variant]
        held = max(best.kib) if program == "xtape" else min(best.kib)
        return Row(name, series.workload, series.parameter, value, threads, program, variant,
                   min(best.ns) / 1e6, held / MIB, min(best.start_kib) / MIB)

    def rows(self):
        rows = [self.row(*case, program) for case in self.cases()
                for program in ("xtape", "libtorch")]
        if len(self.args.threads) < 2:
            return rows
        return rows + [row._replace(series="threads", parameter="threads", value=row.threads)
                       for row in rows if OVER_THREADS.get(row.series) == row.value]


def find(rows, series, value, threads, program):
    (row,) = [row for row in rows if row[:1] + row[3:6] == (series, value, threads, program)]
    return row


def beyond_libraries(row):
    return row.mib - row.libraries_mib


def times(factor):
    return f"x {factor:.2f}" if factor < 10 else f"x {factor:.0f}"


def growth(pairs, threads):
    """What the last step of a series does to both programs; `pairs` as (smaller, larger)."""
    (ours, ours_later), (theirs, theirs_later) = pairs

    def factors(of):
        return f"{times(of(ours_later) / of(ours))} (libtorch {times(of(theirs_later) / of(theirs))})"
    return (f"From {ours.value} to {ours_later.value}, threads {threads}: time "
            f"{factors(lambda row: row.milliseconds)}, memory beyond the libraries "
            f"{factors(lambda row: max(beyond_libraries(row), 1e-3))}.")


def series_table(rows, name, series, values, threads):
    """Markdown: a row for each size, then what the last step costs."""
    counts = " / ".join(f"{t}t" for t in threads)
    lines = [f"### {series.parameter}: {series.about()}", "",
             f"| {series.parameter} | xtape {counts} | libtorch {counts} | ratio {counts} | "
             "MiB | libtorch's |", "|---|---|---|---|---|---|"]
    for value in values:
        pairs = [[find(rows, name, value, t, program) for program in ("xtape", "libtorch")]
                 for t in threads]
        cells = [" / ".join(programs.human(pair[i].milliseconds * 1e6) for pair in pairs)
                 for i in range(2)]
        ratios = " / ".join(f"{b.milliseconds / a.milliseconds:.2f}" for a, b in pairs)
        ours, theirs = pairs[0]
        lines.append(f"| {value} | {cells[0]} | {cells[1]} | {ratios} | {ours.mib:.0f} | "
                     f"{theirs.mib:.0f} |")
    if len(values) > 1:
        pairs = [[find(rows, name, value, threads[0], program) for value in values[-2:]]
                 for program in ("xtape", "libtorch")]
        lines += ["", growth(pairs, threads[0])]
    return lines + [""]


def libraries(rows, threads):
    own = {program: max(row.libraries_mib for row in rows if row.program == program)
           for program in ("xtape", "libtorch")}
    return (f"MiB: the most that a process of its own has held, threads {threads[0]}, libraries "
            f"included: before its first tensor xtape's holds {own['xtape']:.0f}, libtorch's "
            f"{own['libtorch']:.0f}.")


def case_name(row):
    return f"{row.workload}, {row.parameter} {row.value}, threads {row.threads}"


def losses(rows):
    """Lines on what xtape loses, and how many of them are about the memory of a whole process."""
    slower, larger, larger_alone = [], [], []
    pairs = zip([row for row in rows if row.program == "xtape"],
                [row for row in rows if row.program == "libtorch"])
    for ours, theirs in pairs:
        if ours.series == "threads":
            continue  # said once
        if ours.milliseconds > theirs.milliseconds:
            slower.append(f"slower than libtorch: {case_name(ours)}, "
                          f"{ours.milliseconds:.3g} ms against {theirs.milliseconds:.3g}")
        if ours.mib > theirs.mib:
            larger.append(f"holds more than libtorch: {case_name(ours)}, {ours.mib:.0f} MiB "
                          f"against {theirs.mib:.0f}")
        elif beyond_libraries(ours) > beyond_libraries(theirs):
            larger_alone.append(
                f"holds more beyond the libraries: {case_name(ours)}, "
                f"{beyond_libraries(ours):.1f} MiB against {beyond_libraries(theirs):.1f}")
    return slower + larger_alone + larger, len(larger)


def write_csv(path, rows):
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Row._fields)
        writer.writerows([f"{cell:.6g}" if isinstance(cell, float) else cell for cell in row]
                         for row in rows)


def write_json(path, rows):
    with open(path, "w", encoding="utf-8") as file:
        json.dump([row._asdict() for row in rows], file, indent=1)
        file.write("\n")


def make_folder(path):
    """Says at once what cannot be written, not after minutes of measuring."""
    try:
        os.makedirs(path, exist_ok=True)
        tempfile.TemporaryFile(dir=path).close()
    except OSError as error:
        sys.exit(f"compare: cannot write in {path}: {error.strerror}")


def compare(args):
    """The exit code: 1 where a process of xtape holds more than libtorch's."""
    names = args.scaling or list(SERIES)
    make_folder(args.out)
    measurements = Measurements(args, names)
    if not measurements.cases():
        sys.exit(f"compare: no series has a size up to {args.largest}")
    for number in range(args.rounds):
        print(f"round {number + 1} of {args.rounds}", file=sys.stderr)
        measurements.round(number)
    programs.warn_if_busy(measurements.busiest)
    rows = measurements.rows()
    lines = [f"{programs.processor()}; {measurements.blas}. Minima of {args.rounds} rounds.",
             libraries(rows, args.threads), ""]
    for name in names:
        values = measurements.values(name)
        if values:
            lines += series_table(rows, name, SERIES[name], values, args.threads)
    lost, too_large = losses(rows)
    text = "\n".join(lines + (lost or ["xtape is faster and smaller in every row."])) + "\n"
    print(text, end="")
    path = os.path.join(args.out, "scaling")
    with open(path + ".md", "w", encoding="utf-8") as file:
        file.write(text)
    write_csv(path + ".csv", rows)
    if args.json:
        write_json(args.json, rows)
    if args.draw:
        subprocess.run([args.draw, path + ".csv", path + ".svg"], check=True)
    print(f"wrote {path}.md, .csv" + (" and .svg" if args.draw else ""))
    return 1 if too_large else 0
