# SPDX-License-Identifier: BSD-3-Clause
"""Whether ratios stay where they were: intervals recorded once, and what falls below them twice."""

import json

SLACK = 0.05  # of an interval's ends, beyond what the rounds showed
DISTURBED = 0.1  # how far a round may stand from the ratio of the minima over all rounds


def key(workload, threads):
    return f"{workload}/{threads}"


def record(rounds, whole):
    """Intervals of ratios, given those of each round, [{key: ratio}, ...], and those of the minima
    over all rounds. A round that other programs disturbed widens an interval by DISTURBED at most.
    """
    intervals = {}
    for name, ratio in whole.items():
        ratios = [of_round[name] for of_round in rounds]
        low = max(min(ratios), ratio * (1 - DISTURBED))
        high = min(max(ratios), ratio * (1 + DISTURBED))
        intervals[name] = [round(low * (1 - SLACK), 3), round(high * (1 + SLACK), 3)]
    return intervals


def missing(names, intervals):
    return [name for name in names if name not in intervals]


def below(ratios, intervals):
    """The rows whose ratio is below its interval."""
    return [name for name, ratio in ratios.items() if not ratio >= intervals[name][0]]


def above(ratios, intervals):
    return [name for name, ratio in ratios.items() if ratio > intervals[name][1]]


def twice_below(ratios, intervals, measure_again):
    """Rows that fall below their intervals twice in a row, with both ratios. `measure_again(rows)`
    is called at most once, for the rows that fell below."""
    first = below(ratios, intervals)
    if not first:
        return {}
    again = measure_again(first)
    return {name: (ratios[name], again[name]) for name in below(again, intervals)}


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def save(path, intervals, machine):
    """Rows that were not measured now stay as they are."""
    try:
        kept = load(path)["intervals"]
    except FileNotFoundError:
        kept = {}
    result = {"machine": machine, "intervals": dict(sorted((kept | intervals).items()))}
    with open(path, "w", encoding="utf-8") as file:
        lines = [f"  {json.dumps(name)}: {json.dumps(ends)}"
                 for name, ends in result["intervals"].items()]
        file.write(f'{{\n "machine": {json.dumps(machine)},\n "intervals": {{\n')
        file.write(",\n".join(lines) + "\n }\n}\n")
