"""`signalbox eval run` with what a running Signalbox has: datasets, spans, judges; and what it is sent."""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from pathlib import Path
from typing import Any

from harness import BINARY, Signalbox, wait_until

# (module (memory (export "memory") 1) (data (i32.const 0) "0.5")
#   (func (export "alloc") (param i32) (result i32) (i32.const 1024))
#   (func (export "score") (param i32 i32) (result i64) (i64.const 3)))
HALF = bytes.fromhex(
    "0061736d01000000"
    "010c02" "60017f017f" "60027f7f017e"
    "0303020001"
    "0503010001"
    "071a03" "066d656d6f72790200" "05616c6c6f630000" "0573636f72650001"
    "0a0c02" "05004180080b" "040042030b"
    "0b09010041000b03302e35"
)  # fmt: skip


def run(box: Signalbox, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(BINARY), "eval", "run", "suite.yaml", "--no-cache", "--url", box.url, "--key", box.key, *arguments]
    env = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "CI_"))}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False, env=env)


def rows(folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    head, *lines = (folder / "suite.results.jsonl").read_text().splitlines()
    return json.loads(head), [json.loads(line) for line in lines]


def stored(box: Signalbox, count: int) -> tuple[str, str]:
    """A dataset with items in two splits, and its version."""
    name = f"gold-{uuid.uuid4().hex[:8]}"
    assert box.api("POST", "/api/v1/datasets", json={"name": name}).status_code == 201
    items = [
        {
            "id": f"q{at}",
            "input": f"Question {at}?",
            "output": "yes" if at % 4 else "no",
            "reference": "yes",
            "split": "test" if at % 2 else "train",
            "metadata": {"lang": "de" if at < count / 2 else "en"},
        }
        for at in range(count)
    ]
    answer = box.api("POST", f"/api/v1/datasets/{name}/versions", json={"add": items})
    assert answer.status_code == 200, answer.text
    return name, answer.json()["id"]


SUITE = """
name: {suite}
datasets: [{{dataset: {dataset}}}]
targets: [{{name: kept, recorded: output}}]
segments: [lang]
metrics:
  - exact_match
  - {{as: half, wasm: half.wasm, threshold: 0.4}}
  - {{as: language, expression: "size(item.lang)"}}
  - {{judge: helpfulness, model: sim/small, as: judged}}
gates: [{{metric: exact_match, mean: ">= {least}"}}]
"""


def test_a_stored_version_is_asked_and_the_run_names_it(box: Signalbox, tmp_path: Path) -> None:
    name, version = stored(box, 12)
    suite = f"suite-{uuid.uuid4().hex[:8]}"
    (tmp_path / "half.wasm").write_bytes(HALF)
    (tmp_path / "suite.yaml").write_text(SUITE.format(suite=suite, dataset=name, least=0.5))
    done = run(box, tmp_path, "--push", "--tag", "ci")
    assert done.returncode == 0, done.stdout + done.stderr
    head, found = rows(tmp_path)
    assert (head["dataset"], len(found)) == (f"{name}@{version}", 12)
    for row in found:
        scores = row["scores"]
        assert (scores["half"]["value"], scores["half"]["passed"], scores["language"]["value"]) == (0.5, True, 2)
        assert 0 <= scores["judged"]["value"] <= 4, scores["judged"]

    pushed = box.api("GET", "/api/v1/runs", params={"dataset": name, "version": version}).json()["runs"]
    assert [(one["experiment"], one["dataset_version"], one["items"]) for one in pushed] == [(suite, version, 12)]
    assert (pushed[0]["tags"], pushed[0]["summary"]["segments"]) == (["ci"], {"lang": 2})
    assert pushed[0]["summary"]["metrics"][0]["values"]["mean"] == 0.75

    # A gate that fails is told, and the results are sent all the same; what isn't reached is told, too.
    (tmp_path / "suite.yaml").write_text(SUITE.format(suite=suite, dataset=f"{name}@main, split: test", least=1.01))
    failed = run(box, tmp_path, "--push", "--experiment", f"{suite}-test")
    assert failed.returncode == 1, failed.stdout + failed.stderr
    told = box.api("GET", "/api/v1/runs", params={"experiment": f"{suite}-test"}).json()["runs"]
    assert [one["items"] for one in told] == [6]
    (tmp_path / "suite.yaml").write_text(SUITE.format(suite=suite, dataset=f"{name}@none", least=0))
    unknown = run(box, tmp_path)
    assert unknown.returncode == 2
    assert "has no version, branch or tag `none`" in unknown.stderr


def test_recorded_spans_are_measured(box: Signalbox, tmp_path: Path) -> None:
    word = f"railway{uuid.uuid4().hex[:8]}"
    for at in range(3):
        body = {"model": "sim/small", "messages": [{"role": "user", "content": f"Tell me of {word} {at}"}]}
        assert box.api("POST", "/v1/chat/completions", json=body).status_code == 200
    (tmp_path / "suite.yaml").write_text(
        f"name: seen\ndatasets: [{{traces: {{time: {{from: now-1h}}, search: {word}}}}}]\n"
        "targets: [{name: recorded, recorded: output}]\nmetrics: [{as: said, expression: 'size(output) > 0'}]\n"
    )

    def measured() -> list[dict[str, Any]] | None:
        done = run(box, tmp_path)
        return rows(tmp_path)[1] if done.returncode == 0 and len(rows(tmp_path)[1]) == 3 else None

    found = wait_until("three spans that are measured", measured, 30)
    assert sorted(row["item"]["input"] for row in found) == [f"Tell me of {word} {at}" for at in range(3)]
    assert all(row["scores"]["said"]["passed"] for row in found)
