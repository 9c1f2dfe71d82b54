"""Runs of experiments: pushed from a file, sent by HTTP, compared, and there after a restart."""

from __future__ import annotations

import json
import subprocess
import uuid
from pathlib import Path
from typing import Any

from harness import BINARY, Signalbox


def push(box: Signalbox, file: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [str(BINARY), "eval", "push", str(file), "--url", box.url, "--key", box.key, *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def lines(shift: float, count: int = 60) -> list[dict[str, Any]]:
    """Items whose quality is higher by `shift`, except the third, which is much lower."""

    def quality(at: int) -> float:
        return 0.05 if at == 3 and shift else 0.4 + shift + at % 9 * 0.01

    return [
        {
            "id": f"q-{at:02}",
            "input": f"Question {at}",
            "output": f"Answer {at} of {shift}",
            "latency_ms": 100 + at,
            "cost": 0.001,
            "metadata": {"language": "de" if at % 2 else "en"},
            "scores": {
                "quality": {"value": quality(at), "passed": quality(at) > 0.3, "reason": "so"},
                "ter": 50 - quality(at),
            },
        }
        for at in range(count)
    ]


def written(folder: Path, name: str, rows: list[dict[str, Any]]) -> Path:
    file = folder / name
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def test_files_are_pushed_once_and_compared(box: Signalbox, tmp_path: Path) -> None:
    experiment = f"answers {uuid.uuid4().hex[:8]}"
    options = ["--experiment", experiment, "--dataset", "gold@2", "--segment", "language"]
    before = written(tmp_path, "before.jsonl", lines(0))
    after = written(tmp_path, "after.jsonl", [{"run": {"name": "after", "tags": ["ci"]}}, *lines(0.1)])
    done = push(box, before, *options, "--baseline")
    assert done.returncode == 0, done.stderr
    assert f"60 items of `{experiment}`" in done.stdout
    assert "quality" in done.stdout
    assert push(box, after, *options).returncode == 0
    again = push(box, after, *options)
    assert (again.returncode, "was there already" in again.stdout) == (0, True), again.stdout + again.stderr

    shown = box.api("GET", f"/api/v1/experiments/{experiment}").json()
    new, old = shown["latest_runs"]
    assert (shown["runs"], shown["baseline"], new["name"], old["name"]) == (2, old["id"], "after", "before")
    assert (new["items"], new["failed_items"], new["tags"], new["dataset"]) == (60, 1, ["ci"], "gold@2")
    assert new["items_hash"] == old["items_hash"]
    ter = next(metric for metric in new["metrics"] if metric["name"] == "ter")
    assert (ter["direction"], ter["threshold"]) == ("lower", 50)

    ids = {"ids": f"{old['id']},{new['id']}"}
    told = box.api("GET", "/api/v1/runs/compare", params=ids).json()
    quality = told["metrics"][0]
    difference = quality["runs"][1]["difference"]
    assert (quality["metric"], difference["n"], difference["verdict"]) == ("quality", 60, "better")
    assert (difference["wins"], difference["losses"]) == (59, 1)
    assert difference["low"] < difference["mean"] < difference["high"]
    assert [field["field"] for field in told["segments"]] == ["language"]
    items = box.api("GET", "/api/v1/runs/compare/items", params=ids | {"show": "worse"}).json()
    assert [item["item_id"] for item in items["items"]] == ["q-03"]
    worst = items["items"][0]["runs"][1]
    assert worst["gain"] < 0
    assert worst["item"]["output"] == "Answer 3 of 0.1"


def test_what_metrics_write_can_be_pushed(box: Signalbox, tmp_path: Path) -> None:
    experiment = f"lines {uuid.uuid4().hex[:8]}"
    rows = [{"id": at, "score": 0.5, "passed": True, "reason": "near", "us": 1.0} for at in range(3)]
    file = written(tmp_path, "scores.jsonl", rows)
    without = push(box, file, "--experiment", experiment)
    assert (without.returncode, "--metric" in without.stderr) == (1, True), without.stderr
    assert push(box, file, "--experiment", experiment, "--metric", "rouge1").returncode == 0
    run = box.api("GET", "/api/v1/runs", params={"experiment": experiment}).json()["runs"][0]
    assert run["summary"]["metrics"][0]["values"]["mean"] == 0.5
    assert push(box, file).returncode == 1


def test_lines_of_several_targets_make_a_run_for_each(box: Signalbox, tmp_path: Path) -> None:
    experiment = f"targets {uuid.uuid4().hex[:8]}"
    rows = [
        {"target": target, "id": at, "output": "a", "scores": {"rouge1": 0.5}}
        for at in range(3)
        for target in ("small", "large")
    ]
    file = written(tmp_path, "targets.jsonl", rows)
    assert push(box, file, "--experiment", experiment, "--name", "v7").returncode == 0
    runs = box.api("GET", "/api/v1/runs", params={"experiment": experiment}).json()["runs"]
    assert {(run["name"], run["target"], run["items"]) for run in runs} == {
        ("v7, small", "small", 3),
        ("v7, large", "large", 3),
    }


def test_large_runs_take_many_requests_and_survive_a_restart(tmp_path: Path) -> None:
    box = Signalbox(tmp_path / "box", "")
    try:
        rows = [{**row, "output": "word " * 900} for row in lines(0, 1_500)]
        assert push(box, written(tmp_path, "large.jsonl", rows), "--experiment", "large").returncode == 0
        run = box.api("GET", "/api/v1/runs").json()["runs"][0]
        assert (run["items"], run["status"]) == (1_500, "finished")
        begun = box.api("POST", "/api/v1/runs", json={"experiment": "large", "id": "still-running"}).json()
        assert begun["status"] == "running"
        box.api("POST", "/api/v1/runs/still-running/items", json={"items": [{"item_id": "a"}]})
        box.kill()
        box = Signalbox(tmp_path / "box", "")
        kept = box.api("GET", f"/api/v1/runs/{run['id']}").json()
        assert kept == run
        page = box.api("GET", "/api/v1/runs/still-running/items").json()
        assert (page["total"], page["items"][0]["item_id"]) == (1, "a")
    finally:
        box.kill()
