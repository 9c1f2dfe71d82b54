#!/usr/bin/env python3
"""Measures the guard: accuracy by scanner and source on labelled data, and time by length of text.

    python3 bench/guard/run.py --data DIR [--peers] [--json FILE]

DIR holds <task>/dev.jsonl with {"id", "text", "label", "category", "source"}. Without it only the time is measured.
--peers measures PyPI's scanners on the same texts in the same run; they are installed into
~/.cache/signalbox/bench-guard.
"""

import argparse
import bisect
import collections
import json
import pathlib
import subprocess
import sys

import peers

ROOT = pathlib.Path(__file__).resolve().parents[2]
# The folder of the data, and the scanner that it is for where its name is another.
TASKS = {
    "code_injection": "code_injection",
    "harmful_request": "harmful_request",
    "jailbreak": "jailbreak",
    "pii": "pii",
    "prompt_injection": "prompt_injection",
    "secrets": "secrets",
    "toxicity": "toxicity",
    "unicode_smuggling": "invisible_chars",
}


def build() -> pathlib.Path:
    command = ["cargo", "build", "--release", "--quiet", "--package", "signalbox-guard", "--examples"]
    subprocess.run(command, cwd=ROOT, check=True)
    metadata = ["cargo", "metadata", "--no-deps", "--format-version", "1"]
    target = json.loads(subprocess.check_output(metadata, cwd=ROOT))["target_directory"]
    return pathlib.Path(target) / "release" / "examples"


def auroc(positive: list[float], negative: list[float]) -> float:
    """How often a positive scores higher than a negative; a tie is half."""
    ordered = sorted(negative)
    pairs = sum(bisect.bisect_left(ordered, s) + bisect.bisect_right(ordered, s) for s in positive)
    return pairs / 2 / max(1, len(positive) * len(negative))


def accuracy(examples: pathlib.Path, data: pathlib.Path) -> list[dict]:
    found = []
    for task, scanner in TASKS.items():
        path = data / task / "dev.jsonl"
        if not path.is_file():
            print(f"{task}: no labelled data at {path}")
            continue
        with path.open(encoding="utf-8") as lines:
            scan = subprocess.run([examples / "scan_jsonl", scanner], stdin=lines, capture_output=True, text=True)
        if scan.returncode:
            print(f"{task}: {scan.stderr.strip()} (`{scanner}`)")
            continue
        scored = {row["id"]: row for row in map(json.loads, scan.stdout.split("\n")[:-1])}
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
        # Of PII, a row is positive that has a span of any kind.
        rows = [(row, bool(row.get("label", row.get("spans"))), scored[row["id"]]) for row in rows]
        found += [{"task": task, "scanner": scanner, **line} for line in summed(rows)]
    return found


def compare(data: pathlib.Path | None, result: dict) -> None:
    """Runs the peers on the same rows and texts, and prints both side by side."""
    files = {task: data / task / "dev.jsonl" for task in TASKS} if data else {}
    times, scores = peers.measure({task: path for task, path in files.items() if path.is_file()})
    ours = {row["bytes"]: row["p50_us"] for row in result["time"] if row["scanner"] == "all"}
    for row in times:
        row["times_ours"] = row["p50_us"] / ours[row["bytes"]] if row["bytes"] in ours else None
    result["time"] += times
    overall = [line for line in result["accuracy"] if line["source"] == "all"]
    beside = [{**line, "scanner": f"signalbox {line['scanner']}"} for line in overall]
    for (name, task), scored in scores.items():
        rows = [json.loads(line) for line in files[task].read_text(encoding="utf-8").split("\n") if line]
        rows = [(row, bool(row.get("label", row.get("spans"))), scored[row["id"]]) for row in rows]
        rows = [(row, label, {"score": score, "flagged": score >= 0.5}) for row, label, score in rows]
        beside.append({"task": task, **summed(rows)[0], "scanner": name})
    tasks = {task for _, task in scores}
    result["beside"] = sorted((line for line in beside if line["task"] in tasks), key=lambda line: line["task"])
    if result["beside"]:
        table(result["beside"], ["task", "scanner", "rows", "recall", "precision", "f1", "false_positives", "auroc"])
        print()


def summed(rows: list[tuple]) -> list[dict]:
    positive = [p for _, label, p in rows if label]
    negative = [p for _, label, p in rows if not label]
    hits, wrong = sum(p["flagged"] for p in positive), sum(p["flagged"] for p in negative)
    recall, precision = hits / max(1, len(positive)), hits / max(1, hits + wrong)
    scores = [p["score"] for p in negative]
    lines = [
        {
            "source": "all",
            "rows": len(rows),
            "recall": recall,
            "precision": precision,
            "f1": 2 * precision * recall / max(1e-9, precision + recall),
            "false_positives": wrong / max(1, len(negative)),
            "auroc": auroc([p["score"] for p in positive], scores),
        }
    ]
    kinds = collections.defaultdict(set)
    for row, label, _ in rows:
        kinds[row["source"]].add(row["category"] if label else "")
    groups = collections.defaultdict(list)
    for row, label, p in rows:
        # Kinds of attack are told apart, unless a source has a great many.
        category = row["category"] if label and len(kinds[row["source"]]) <= 8 else ""
        groups[(not label, row["source"], category)].append(p)
    for (benign, source, category), group in sorted(groups.items(), key=str):
        share = sum(p["flagged"] for p in group) / len(group)
        line = {"source": f"{source} {category}".strip(), "rows": len(group)}
        line |= (
            {"false_positives": share}
            if benign
            else {"recall": share, "auroc": auroc([p["score"] for p in group], scores)}
        )
        lines.append(line)
    return lines


def table(rows: list[dict], columns: list[str]) -> None:
    shown = [columns] + [[cell(row.get(column)) for column in columns] for row in rows]
    widths = [max(len(row[i]) for row in shown) for i in range(len(columns))]
    for row in shown:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


def cell(value) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, help="folder of the labelled data")
    parser.add_argument("--peers", action="store_true", help="measure PyPI's scanners too")
    parser.add_argument("--json", type=pathlib.Path, help="write the figures to a file")
    options = parser.parse_args()
    if options.data and not options.data.is_dir():
        sys.exit(f"error: --data: `{options.data}` is no folder")
    examples = build()
    result = {"accuracy": [], "time": json.loads(subprocess.check_output([examples / "latency"]))}
    if options.data:
        result["accuracy"] = accuracy(examples, options.data)
        columns = ["task", "source", "rows", "recall", "precision", "f1", "false_positives", "auroc"]
        table(result["accuracy"], columns)
        print()
    else:
        print("The labelled data is absent: name its folder with --data. Only the time is measured.")
    if options.peers:
        compare(options.data, result)
    table(result["time"], ["scanner", "bytes", "p50_us", "p99_us", "allocations", "times_ours"])
    if options.json:
        options.json.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
