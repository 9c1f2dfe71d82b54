#!/usr/bin/env python3
"""Measures the metrics beside the reference implementations, in the same run.

    python3 bench/metrics/run.py parity [--cases N] [--data DIR]    are values equal to 1e-9?
    python3 bench/metrics/run.py speed [--pairs N] [--data DIR]     how much faster, on one thread?
    python3 bench/metrics/run.py accuracy --data DIR                faithfulness by source, function calls by defect
    python3 bench/metrics/run.py suite [--pairs N]                  seconds for a suite of N items and ten metrics

The reference implementations are installed from PyPI once, into ~/.cache/signalbox/bench-metrics; `suite` needs none
of them, but the release binary.
DIR holds <task>/dev.jsonl. `--json FILE` writes the figures for programs. Ends with 1 if something isn't equal.
"""

import argparse
import collections
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from random import Random

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path.home() / ".cache" / "signalbox" / "bench-metrics"
PACKAGES = [
    "evidently==0.7.23",
    "jsonschema",
    "nltk==3.10.4",
    "pandas<3",
    "pytrec-eval-terrier",
    "rapidfuzz",
    "river",
    "rouge-score==0.1.2",
    "sacrebleu==2.6.0",
    "scikit-learn",
    "scipy",
]
TOLERANCE = 1e-9


def enter() -> None:
    """Goes on in an environment that has the reference implementations."""
    python = CACHE / "bin" / "python"
    if pathlib.Path(sys.prefix) == CACHE:
        return
    # What is there may be from before a package was added.
    installed, wanted = CACHE / "installed", "\n".join(PACKAGES)
    if not installed.is_file() or installed.read_text(encoding="utf-8") != wanted:
        subprocess.run([sys.executable, "-m", "venv", CACHE], check=True)
        pip = [python, "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, "--only-binary", ":all:", "numpy", "lxml"], check=True)
        subprocess.run([*pip, *PACKAGES], check=True)
        installed.write_text(wanted, encoding="utf-8")
    os.execv(python, [str(python), *sys.argv])


def built() -> pathlib.Path:
    """Where releases are."""
    metadata = ["cargo", "metadata", "--no-deps", "--format-version", "1"]
    return pathlib.Path(json.loads(subprocess.check_output(metadata, cwd=ROOT))["target_directory"]) / "release"


def build(package: str, example: str) -> pathlib.Path:
    command = ["cargo", "build", "--release", "--quiet", "--package", package, "--example", example]
    subprocess.run(command, cwd=ROOT, check=True)
    return built() / "examples" / example


def command(measure: pathlib.Path, name: str) -> list[str]:
    """What measures lines by a metric: the example, or the whole binary."""
    metric, *options = name.split(" (")[0].split(" ")
    if measure.name != "signalbox":
        return [str(measure), metric, *options]
    return [str(measure), "eval", "metric", metric, "--jsonl", *(f"--option={option}" for option in options)]


def ours(measure: pathlib.Path, name: str, cases: list[dict]) -> list[dict]:
    """Our scores. What stands in brackets after the name tells references apart."""
    lines = "".join(json.dumps(case) + "\n" for case in cases)
    done = subprocess.run(command(measure, name), input=lines, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.split("\n") if line]


def apart(own: float | None, other: float) -> float:
    """How far two figures differ; one that isn't there is far from any."""
    distance = math.inf if own is None else abs(own - other)
    return math.inf if math.isnan(distance) else distance


def parity(measure: pathlib.Path, options: argparse.Namespace) -> list[dict]:
    import cases
    import references

    figures = options.figures or build("signalbox-evals", "figures")
    metrics = (
        (references.TEXT, cases.texts(options.cases, options.data)),
        (references.RANKING, cases.rankings(options.cases)),
        (references.NUMBERS, cases.samples(options.cases)),
        (references.SERIES, cases.series(options.cases // 4)),
        (references.CATEGORIES, cases.categories(options.cases)),
        (references.VECTORS, cases.vectors(options.cases)),
        (references.POINTS, cases.points(options.cases // 4)),
        (references.RELATIONS, cases.relations(options.cases)),
        (references.SEGMENTS, cases.segments(options.cases // 4)),
        (references.SCHEMAS, cases.schemas(options.cases)),
        (references.BINNED, cases.binned(options.cases // 4)),
        (references.KINDS, cases.categories(options.cases // 4)),
    )
    agreement = (
        (references.KAPPAS, cases.pairs(options.cases)),
        # Its reference looks for every pair of raters through all that was said.
        (references.RATERS, cases.raters(options.cases // 40)),
        (references.RATINGS, cases.ratings(options.cases // 4)),
        (references.COUNTS, cases.counts(options.cases)),
        (references.VALUES, cases.values(options.cases)),
        (references.FLIPS, cases.values(options.cases // 20, most=11)),
    )
    tables = [(measure, *table) for table in metrics] + [(figures, *table) for table in agreement]
    found = []
    for program, table, rows in tables:
        for name, reference in table.items():
            scores = ours(program, name, rows)
            far = [(apart(score.get("score"), reference(case)), case) for case, score in zip(rows, scores, strict=True)]
            worst = max(far, key=lambda pair: pair[0])
            wrong = sum(distance > TOLERANCE for distance, _ in far)
            found.append({"metric": name, "cases": len(rows), "different": wrong, "largest_difference": worst[0]})
            print(f"{name:32} {len(rows):6} cases  {wrong:5} different  largest {worst[0]:.1e}")
            if wrong and options.show:
                print(f"    {json.dumps(worst[1], ensure_ascii=False)}")
    return found


def speed(measure: pathlib.Path, options: argparse.Namespace) -> list[dict]:
    import cases
    import references

    rows = [case for case in cases.texts(options.pairs * 2, options.data) if case["id"] % 2]
    rankings = cases.rankings(options.pairs)
    few = max(1, options.pairs // 10)
    wanted = [name for name in references.TEXT if " " not in name]
    found = []
    for table, lines, names in (
        (references.TEXT, rows, wanted),
        (references.RANKING, rankings, list(references.RANKING)),
        (references.NUMBERS, cases.samples(few), ["ks", "wasserstein"]),
        (references.SERIES, cases.series(few), ["adwin", "page_hinkley"]),
        (references.CATEGORIES, cases.categories(few), list(references.CATEGORIES)),
        (references.SCHEMAS, cases.schemas(options.pairs), list(references.SCHEMAS)),
        (references.VECTORS, cases.vectors(options.pairs), ["embedding_similarity"]),
        (references.POINTS, cases.points(few), list(references.POINTS)),
        (references.RELATIONS, cases.relations(few), list(references.RELATIONS)),
        (references.KINDS, cases.categories(few), list(references.KINDS)),
    ):
        for name in names:
            if options.only and name not in options.only:
                continue
            theirs, own = [], []
            for _ in range(options.rounds):
                # Nobody measures the same texts again and again: what they keep of texts that they saw is forgotten.
                references.forget()
                began = time.perf_counter()
                for case in lines:
                    table[name](case)
                theirs.append(time.perf_counter() - began)
                own.append(sum(score["us"] for score in ours(measure, name, lines)) / 1e6)
            slow, fast = statistics.median(theirs), statistics.median(own)
            line = {"metric": name, "pairs": len(lines), "theirs_s": slow, "ours_s": fast, "ratio": slow / fast}
            found.append(line)
            times = f"theirs {slow:8.3f} s  ours {fast:7.3f} s  {slow / fast:7.1f} times as fast"
            print(f"{name:20} {len(lines):6} pairs  {times}")
    return found


def rows_of(data: pathlib.Path, task: str) -> list[dict]:
    text = (data / task / "dev.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.split("\n") if line]


def auroc(positive: list[float], negative: list[float]) -> float:
    pairs = sum((p > n) + (p == n) / 2 for p in positive for n in negative)
    return pairs / max(1, len(positive) * len(negative))


def accuracy(measure: pathlib.Path, options: argparse.Namespace) -> list[dict]:
    found = []
    for task, metric in (("faithfulness", "faithfulness"), ("function_calling", "function_call")):
        rows = rows_of(options.data, task)
        groups = collections.defaultdict(list)
        for row, score in zip(rows, ours(measure, metric, rows), strict=True):
            kind = row["category"].split("/")[0]
            groups[kind].append((bool(row["label"]), score["score"], score["passed"]))
        for kind, scores in sorted(groups.items()):
            sides = [[passed is label for label, _, passed in scores if label is side] for side in (True, False)]
            balanced = statistics.mean(statistics.mean(side) for side in sides if side)
            area = auroc(*([score for label, score, _ in scores if label is side] for side in (True, False)))
            line = {"metric": metric, "group": kind, "rows": len(scores), "balanced_accuracy": balanced, "auroc": area}
            found.append(line)
            told = f"  AUROC {area:.3f}" if all(sides) else ""
            print(f"{metric:16} {kind:24} {len(scores):5} rows  balanced accuracy {balanced:.4f}{told}")
    return found


SUITE_METRICS = [
    "bleu",
    "chrf",
    "ter",
    "rouge1",
    "rougeL",
    "meteor",
    "levenshtein",
    "token_f1",
    "faithfulness",
    "numeric_consistency",
]


def suite(options: argparse.Namespace) -> list[dict]:
    """Answers of some forty words beside their sources, all metrics, with the reports that a pipeline wants."""
    random = Random(7)
    words = ["".join(random.choices("abcdefghijklmnoprstuvwy", k=random.randint(2, 9))) for _ in range(4_000)]

    def sentence() -> str:
        said = random.choices(words, k=random.randint(8, 16))
        if random.random() < 0.5:
            said[random.randrange(len(said))] = str(random.randint(1, 2_000))
        return " ".join(said).capitalize() + "."

    items = []
    for at in range(options.pairs):
        source = [sentence() for _ in range(9)]
        reference = " ".join(random.sample(source, 3))
        changed = [random.choice(words) if random.random() < 0.15 else word for word in reference.split()]
        item = {"id": str(at), "input": sentence(), "context": " ".join(source), "reference": reference}
        items.append({**item, "output": " ".join(changed)})
    binary = (options.binary or built() / "signalbox").resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "items.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items), encoding="utf-8")
        text = {
            "name": "bench",
            "datasets": ["items.jsonl"],
            "targets": [{"name": "recorded", "recorded": "output"}],
            "metrics": SUITE_METRICS,
        }
        # JSON is YAML.
        (folder / "suite.yaml").write_text(json.dumps(text), encoding="utf-8")
        seconds = []
        for _ in range(options.rounds):
            began = time.perf_counter()
            command = [binary, "eval", "run", "suite.yaml", "--quiet", "--no-cache", "--json", "report.json"]
            subprocess.run(command, cwd=folder, check=True)
            seconds.append(time.perf_counter() - began)
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert (report["answers"], report["failed"]) == (options.pairs, 0), report
    middle = statistics.median(seconds)
    told = f"median of {options.rounds} rounds, {os.cpu_count()} cores"
    print(f"{options.pairs} items × {len(SUITE_METRICS)} metrics: {middle:.2f} s ({told})")
    return [{"suite": "recorded", "items": options.pairs, "metrics": len(SUITE_METRICS), "seconds": middle}]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["parity", "speed", "accuracy", "suite"], nargs="?", default="parity")
    parser.add_argument("--cases", type=int, default=4_000)
    parser.add_argument("--pairs", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data", type=pathlib.Path)
    parser.add_argument("--binary", type=pathlib.Path, help="measure by this `signalbox`, not by an example")
    parser.add_argument("--figures", type=pathlib.Path, help="this build of the example `figures`, not a new one")
    parser.add_argument("--only", nargs="+", metavar="METRIC", help="of speed: these metrics")
    parser.add_argument("--show", action="store_true", help="print the case that differs most")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    if options.what == "accuracy" and not options.data:
        parser.error("accuracy needs --data DIR, a folder with labelled lines")
    if options.what == "suite":
        found = suite(options)
        if options.json:
            options.json.write_text(json.dumps(found, indent=2), encoding="utf-8")
        return 0
    enter()
    found = {"parity": parity, "speed": speed, "accuracy": accuracy}[options.what](
        options.binary or build("signalbox-metrics", "measure"), options
    )
    if options.json:
        options.json.write_text(json.dumps(found, indent=2), encoding="utf-8")
    return int(any(line.get("different") for line in found))


if __name__ == "__main__":
    sys.exit(main())
