#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""usage: generate_som.py iris.csv: writes what MiniSom gives, float64, to self_organizing_map.safetensors.

Made with MiniSom 2.3.6 and NumPy 2.4.6; run it in this folder. The tests read the file, never this
script. A case `name` holds `name.weight` after training, `name.winners`, `name.distance_map` (means,
over the largest) and `name.errors` (quantization, topographic), all from `samples` and `start`.
`iris.errors` are those of a 7 x 7 map.
"""
import csv
import sys

import numpy
from minisom import MiniSom
from safetensors.numpy import save_file

COLUMNS, ROWS, EPOCHS, RADIUS = 4, 5, 3, 2.4  # MiniSom moves the last row of hexagons, xtape the second
numbers = numpy.random.default_rng(1)
samples = numbers.normal(size=(60, 3)) * [2, 1, 0.3] + [0, 0, 5]
start = numbers.normal(size=(ROWS, COLUMNS, 3)) + [0, 0, 5]
out = {"samples": samples, "start": start}


def errors(som, x):
    return numpy.array([som.quantization_error(x), som.topographic_error(x)])


def case(name, train, **options):
    som = MiniSom(COLUMNS, ROWS, 3, sigma=RADIUS, **options)
    som._weights = start.transpose(1, 0, 2).copy()
    train(som)
    out[name + ".weight"] = numpy.ascontiguousarray(som.get_weights().transpose(1, 0, 2))
    winners = [som.winner(x) for x in samples]
    out[name + ".winners"] = numpy.array([row * COLUMNS + column for column, row in winners])
    out[name + ".distance_map"] = numpy.ascontiguousarray(som.distance_map(scaling="mean").T)
    out[name + ".errors"] = errors(som, samples)


for topology in ["rectangular", "hexagonal"]:
    case(topology + ".online", lambda som: som.train(samples, EPOCHS * len(samples)),
         topology=topology)
    case(topology + ".batch", lambda som: som.train_batch_offline(samples, EPOCHS),
         topology=topology, decay_function=lambda rate, t, steps: 1)

with open(sys.argv[1], newline="") as file:
    iris = numpy.array([row[:4] for row in csv.reader(file) if row], dtype=float)
som = MiniSom(7, 7, 4, sigma=3, random_seed=1)
som.pca_weights_init(iris)
som.train(iris, 100 * len(iris))
out["iris.errors"] = errors(som, iris)
save_file(out, "self_organizing_map.safetensors")
print("\n".join(f"{name} {value}" for name, value in out.items() if name.endswith("errors")))
