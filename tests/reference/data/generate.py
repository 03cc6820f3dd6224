#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the .npy and .npz files of this folder by NumPy.

usage: generate.py [FOLDER]
"""
import pathlib
import sys

import numpy as np


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent
    matrix = np.arange(6, dtype=np.float64).reshape(2, 3) / 4
    arrays = {
        "f8": matrix, "f4": matrix.astype(np.float32), "f2": matrix.astype(np.float16),
        "i8": np.array([-1, 2**62]), "i4": np.array([-1, 2**31 - 1], dtype=np.int32),
        "i2": np.array([-1, 32767], dtype=np.int16), "i1": np.array([-128, 127], dtype=np.int8),
        "u4": np.array([2**32 - 1], dtype=np.uint32), "u2": np.array([65535], dtype=np.uint16),
        "u1": np.array([0, 255], dtype=np.uint8), "b1": np.array([True, False]),
        "fortran": np.asfortranarray(matrix), "scalar": np.array(2.5), "empty": np.zeros((2, 0, 3)),
        "repeated": np.zeros(500),
    }
    np.save(folder / "matrix.npy", matrix)
    with open(folder / "version2.npy", "wb") as file:
        np.lib.format.write_array(file, matrix, version=(2, 0))
    np.savez(folder / "stored.npz", **arrays)
    np.savez_compressed(folder / "compressed.npz", **arrays)


if __name__ == "__main__":
    main()
