#!/usr/bin/env python3
"""Measures what watching finds and what it costs.

    python3 bench/watch/run.py [--seeds N…] [--no-prometheus] [--json FILE]
    python3 bench/watch/run.py --cost [--minutes N] [--data DIR]

Ninety days of seasonal traffic with 200 planted faults, and once more without any, minute by minute through the
real `Watch`: the starter set, fixed limits chosen from the first two weeks, and rules for Prometheus on the same
series. A page that tells of no fault is false.

--cost puts 1,000 monitors of ten series each into a running Signalbox (`target/release/signalbox`) that takes spans,
and prints what they add to its CPU time. --data names the data folder that it runs on; without it, an empty one.
"""

import argparse
import json
import pathlib
import subprocess
import sys

import box
import prometheus
import scoring

ROOT = pathlib.Path(__file__).resolve().parents[2]
# What the issue asks of the starter set: field, limit, at least or at most.
GOALS = [
    ("recall", "faults found", 0.9, True),
    ("false_week", "false pages a week beside faults", 1.0, False),
    ("control_week", "pages a week without faults", 1.0, False),
    ("outage_min", "minutes to an outage's page, median", 3.0, False),
]


def build() -> pathlib.Path:
    command = ["cargo", "build", "--release", "--quiet", "--package", "signalbox-watch", "--examples"]
    subprocess.run(command, cwd=ROOT, check=True)
    metadata = ["cargo", "metadata", "--no-deps", "--format-version", "1"]
    target = json.loads(subprocess.check_output(metadata, cwd=ROOT))["target_directory"]
    return pathlib.Path(target) / "release" / "examples"


def simulate(examples: pathlib.Path, options: argparse.Namespace, seed: int, faults: int, name: str) -> list[str]:
    numbers = ["--seed", str(seed), "--faults", str(faults), "--days", str(options.days)]
    return [str(examples / "simulate"), "--set", name, *numbers]


def measure(examples: pathlib.Path, options: argparse.Namespace, seed: int) -> list[dict]:
    """All sets of monitors on the history of a seed, with faults and without."""
    scored = []
    for name in ["starter", "fixed"]:
        with_faults, control = (
            json.loads(subprocess.check_output(simulate(examples, options, seed, faults, name)))
            for faults in (options.faults, 0)
        )
        problems = [f"{one['name']}: {one['problem']}" for one in with_faults["monitors"] if one["problem"]]
        if problems:
            sys.exit("error: a monitor could not be evaluated: " + "; ".join(problems))
        pages, quiet = (scoring.opened(run["pages"]) for run in (with_faults, control))
        scored.append(scored_set(name, pages, quiet, with_faults) | {"seconds": with_faults["seconds"]})
        run = with_faults
    if options.prometheus:
        if prometheus.tools():
            arms = [simulate(examples, options, seed, faults, "none") for faults in (options.faults, 0)]
            pages, quiet = (prometheus.pages(arm, run) for arm in arms)
            scored.append(scored_set("prometheus", pages, quiet, run))
        else:
            print("Prometheus is left out: `apt-get install prometheus` brings it and promtool.")
    return scored


def scored_set(name: str, pages: list, quiet: list, run: dict) -> dict:
    scoring.attribute(pages, run["faults"], run["models"], run["routes"])
    return {"set": name, "seed": run["seed"]} | scoring.score(name, pages, quiet, run)


def show(scored: list[dict], explain: bool) -> None:
    for kind in ["all", *scoring.SHAPES]:
        rows = [row for one in scored for row in one["kinds"] if row["faults"] == kind]
        columns = ["faults", "set", "planted", "found", "recall", "median_min", "p90_min"]
        columns += ["precision", "pages_week", "false_week", "control_week"] if kind == "all" else []
        # How much sooner or more often than the starter set of the same run.
        if not rows[0]["planted"]:
            continue
        first = rows[0]["recall"] or 1
        rows = [row | {"of_starter": row["recall"] / first} for row in rows]
        table(rows, [*columns[:5], "of_starter", *columns[5:]])
        print()
    for one in scored:
        print(f"{one['set']}: {one['warm_up_pages']} pages in the first two weeks without faults")
        if explain:
            for fault in one["missed"]:
                print("  missed", json.dumps(fault))
            for page in one["false"]:
                print("  false ", json.dumps(page))


def goals(scored: dict) -> list[dict]:
    whole, outages = (next(row for row in scored["kinds"] if row["faults"] == kind) for kind in ("all", "outage"))
    values = whole | {"outage_min": outages["median_min"]}
    found = []
    for field, name, limit, at_least in GOALS:
        value = values[field]
        met = value is not None and (value >= limit if at_least else value <= limit)
        found.append({"goal": name, "value": value, "limit": limit, "met": met})
        sign, said = "≥" if at_least else "≤", "met" if met else "NOT MET"
        print(f"{name}: {cell(value)} (goal {sign} {limit:g}: {said})")
    return found


def table(rows: list[dict], columns: list[str]) -> None:
    shown = [columns] + [[cell(row.get(column)) for column in columns] for row in rows]
    widths = [max(len(row[i]) for row in shown) for i in range(len(columns))]
    for row in shown:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


def cell(value) -> str:
    if value is None:
        return ""
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1], help="one simulated installation for each")
    parser.add_argument("--days", type=int, default=90, help="how long, the first two weeks without faults")
    parser.add_argument("--faults", type=int, default=200, help="how many are planted")
    parser.add_argument("--no-prometheus", dest="prometheus", action="store_false", help="without Prometheus' rules")
    parser.add_argument("--explain", action="store_true", help="print each fault that was missed, each false page")
    parser.add_argument("--cost", action="store_true", help="measure what 1,000 monitors cost instead")
    parser.add_argument("--minutes", type=int, default=5, help="of --cost: with and without them, each so long")
    parser.add_argument("--monitors", type=int, default=1_000, help="of --cost")
    parser.add_argument("--data", type=pathlib.Path, help="of --cost: the data folder to run on")
    parser.add_argument("--json", type=pathlib.Path, help="write the figures to a file")
    options = parser.parse_args()
    if options.days < 28:
        sys.exit("error: --days: expected at least 28, of which the first 14 have no faults")
    examples = build()
    if options.cost:
        result = {"cost": box.cost(examples, options.monitors, options.minutes, options.data)}
    else:
        result = {"sets": [], "goals": []}
        for seed in options.seeds:
            print(f"seed {seed}")
            scored = measure(examples, options, seed)
            show(scored, options.explain)
            result["goals"].append({"seed": seed, "goals": goals(scored[0])})
            result["sets"] += scored
            print()
    if options.json:
        options.json.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
