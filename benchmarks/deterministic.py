# SPDX-License-Identifier: BSD-3-Clause
"""What deterministic mode costs: training steps of xtape with and without it, interleaved."""

import json

import programs


def measure(args, names):
    """{(workload, threads): [ns without, ns with]}, minima."""
    least = {}
    for number in range(args.rounds):
        for name in names:
            for threads in args.threads:
                both = least.setdefault((name, threads), [float("inf")] * 2)
                for on in (0, 1) if number % 2 == 0 else (1, 0):
                    line, _ = programs.run(
                        args.xtape, name, threads, programs.environment(threads),
                        "--repetitions", str(args.repetitions),
                        *(["--deterministic"] if on else []))
                    both[on] = min(both[on], *line["ns"])
    return least


def table(least, threads):
    """Markdown: a row for each workload, its cost for each number of threads."""
    counts = " / ".join(f"{t}t" for t in threads)
    lines = [f"| workload | usual {counts} | deterministic {counts} | cost {counts} |",
             "|---|---|---|---|"]
    for name in dict.fromkeys(name for name, _ in least):
        pairs = [least[name, t] for t in threads]
        usual, fixed = (" / ".join(programs.human(pair[i]) for pair in pairs) for i in range(2))
        costs = " / ".join(f"{after / before - 1:+.0%}" for before, after in pairs)
        lines.append(f"| {name} | {usual} | {fixed} | {costs} |")
    return "\n".join(lines)


def compare(args, names):
    busy = programs.busy_share()
    least = measure(args, names)
    programs.warn_if_busy(max(busy, programs.busy_share()))
    print(table(least, args.threads))
    if args.json:
        rows = [{"workload": name, "threads": threads, "ns": usual, "deterministic_ns": fixed,
                 "cost": fixed / usual - 1} for (name, threads), (usual, fixed) in least.items()]
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)
            file.write("\n")
        print(f"wrote {args.json}")
    return 0
