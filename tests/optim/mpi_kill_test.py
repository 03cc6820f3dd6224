#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""usage: mpi_kill_test.py MPIRUN PROGRAM

A rank that is killed, or leaves by an exception, ends the whole job within ten seconds and with an
error; the checkpoint written last is whole."""
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MOST_SECONDS = 10


def wait_for(what, condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"mpi_kill_test: no {what} after {seconds} s")
        time.sleep(0.02)


def killed(mpirun, program, folder):
    job = subprocess.Popen([*mpirun, program, "endless", folder], stderr=subprocess.PIPE, text=True)
    pid, checkpoint = Path(folder, "pid.1"), Path(folder, "checkpoint")
    wait_for("checkpoint", lambda: checkpoint.exists() and pid.exists() and pid.read_text())
    time.sleep(0.3)
    os.kill(int(pid.read_text()), signal.SIGKILL)
    start = time.monotonic()
    try:
        _, errors = job.communicate(timeout=MOST_SECONDS)
    except subprocess.TimeoutExpired:
        job.kill()
        sys.exit(f"mpi_kill_test: the job goes on {MOST_SECONDS} s after a rank was killed")
    print(f"ended {time.monotonic() - start:.1f} s after rank 1 was killed")
    if job.returncode == 0 or not errors.strip():
        sys.exit("mpi_kill_test: the job ended without an error")
    loaded = subprocess.run([program, "load", folder], capture_output=True, text=True)
    print(loaded.stdout, end="")
    if loaded.returncode != 0:
        sys.exit(f"mpi_kill_test: the checkpoint does not load: {loaded.stderr}")


def thrown(mpirun, program):
    try:
        job = subprocess.run([*mpirun, program, "throw"], capture_output=True, text=True,
                             timeout=60 + MOST_SECONDS)
    except subprocess.TimeoutExpired:
        sys.exit("mpi_kill_test: the job goes on after a rank left by an exception")
    if job.returncode == 0 or "rank 1 has enough" not in job.stderr:
        sys.exit(f"mpi_kill_test: expected the error of rank 1, got {job.returncode}: {job.stderr}")


def main():
    mpirun, program = [sys.argv[1], "-np", "2"], sys.argv[2]
    with tempfile.TemporaryDirectory() as folder:
        killed(mpirun, program, folder)
    thrown(mpirun, program)


main()
