# SPDX-License-Identifier: BSD-3-Clause
"""Running the two programs of the comparison, and what else of the machine it needs to know."""

import ctypes
import glob
import json
import os
import subprocess
import sys
import time

# libtorch is granted the fastest of these.
LIBTORCH_VARIANTS = {name: [name, name + "_channels_last"]
                     for name in ("cnn", "resnet20", "infer_cnn")}
LIBTORCH_VARIANTS["embedding"] = ["embedding", "embedding_sparse"]


def variants(program, name):
    return LIBTORCH_VARIANTS.get(name, [name]) if program == "libtorch" else [name]


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


def run(program, name, threads, env, *flags):
    """The line of the measurement, and the numeric libraries of the process."""
    command = [program, "--threads", str(threads), "--only", name, *flags]
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"compare: {' '.join(command)} ended with code {done.returncode}")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    measured = [line for line in lines if line.get("workload") == name]
    libraries = [line["libraries"] for line in lines if "libraries" in line]
    if len(measured) != 1 or len(libraries) != 1:
        sys.exit(f"compare: {' '.join(command)} printed no measurement of {name}")
    return measured[0], libraries[0]


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


def warn_if_busy(share):
    if share > 0.1:
        print(f"warning: other programs used up to {share:.0%} of the processors; figures for "
              "several threads suffer most", file=sys.stderr)


def processor():
    try:
        with open("/proc/cpuinfo", encoding="ascii") as info:
            for line in info:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return "unknown"


def human(ns):
    if ns is None:
        return "-"
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if ns >= size:
            return f"{ns / size:.2f} {unit}"
    return f"{ns:.0f} ns"
