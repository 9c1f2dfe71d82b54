"""`signalbox eval metric`: metrics on lines, without a server."""

from __future__ import annotations

import json
import subprocess

from harness import BINARY

LINES = [
    {"id": "near", "output": "The dog bit the man.", "reference": ["The dog had bit the man."]},
    {"id": "far", "output": "It was not unexpected.", "reference": "No one was surprised."},
    {"id": "bad", "output": 3, "reference": "x"},
]


def metric(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    command = [str(BINARY), "eval", "metric", *arguments]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=False)


def test_lines_in_and_lines_out() -> None:
    done = metric("bleu", "--jsonl", text="".join(json.dumps(line) + "\n" for line in LINES))
    assert done.returncode == 0, done.stderr
    near, far, bad = [json.loads(line) for line in done.stdout.splitlines()]
    # What sacrebleu.sentence_bleu says.
    assert abs(near["score"] - 51.15078115793242) < 1e-9
    assert abs(far["score"] - 12.703318703865365) < 1e-9
    assert (near["id"], near["passed"], far["passed"]) == ("near", True, False)
    assert "tok:13a" in near["reason"]
    assert isinstance(near["us"], (int, float))
    assert bad == {"id": "bad", "line": 3, "error": "`output`: expected a text, found a number"}
    assert "2 lines measured, 1 couldn't be" in done.stderr


def test_options_thresholds_and_the_exit_status() -> None:
    line = json.dumps({"id": 1, "output": "A b", "reference": "a b"})
    assert json.loads(metric("exact_match", "--jsonl", text=line).stdout)["passed"] is False
    lower = metric("exact_match", "--jsonl", "--option", "lowercase=true", "--fail", text=line)
    assert (lower.returncode, json.loads(lower.stdout)["passed"]) == (0, True)
    assert metric("exact_match", "--jsonl", "--fail", text=line).returncode == 1
    wrong = metric("exact_match", "--jsonl", "--option", "lower=true", text=line)
    assert wrong.returncode == 1
    assert "lowercase" in wrong.stderr


def test_function_calls_are_compared() -> None:
    line = {
        "id": 1,
        "output": '[book(city="Paris", nights=2)]',
        "reference": [{"book": {"city": ["Paris", "Paris, France"], "nights": [2], "price": ["", 99.5]}}],
        "tools": [{"name": "book", "parameters": {"properties": {"nights": {"type": "integer"}}}}],
    }
    assert json.loads(metric("function_call", "--jsonl", text=json.dumps(line)).stdout)["score"] == 1
    line["output"] = [{"name": "book", "arguments": {"city": "Paris", "nights": "2"}}]
    told = json.loads(metric("function_call", "--jsonl", text=json.dumps(line)).stdout)
    assert (told["score"], told["reason"]) == (0, "`book`: `nights` has the wrong type")


def test_metrics_are_listed_and_explained() -> None:
    listed = json.loads(metric("--list", "--json").stdout)
    names = {one["name"] for one in listed}
    assert {"bleu", "rougeL", "faithfulness", "function_call", "ndcg", "json_schema", "ks"} <= names
    for name in names:
        assert name in metric(name).stdout
    unknown = metric("rogue1", "--jsonl")
    assert unknown.returncode == 1
    assert "rouge1" in unknown.stderr
