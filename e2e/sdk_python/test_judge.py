"""Judges: through the gateway, by the API and from the command line, with a provider that says what it was told to."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from harness import BINARY, Provider, Signalbox, wait_until

SAID = {
    "reasoning": "It says when, and what it says is in the context.",
    "evidence": [
        {"part": "output", "quote": "opened  IN 1937", "note": "as the context says"},
        {"part": "context", "quote": "opened in 1938", "note": "made up"},
    ],
    "verdict": "yes",
}
CASE = {"context": "The bridge was opened in 1937.", "output": "It was opened in 1937."}
TRACE = "0af7651916cd43dd8448eb211c80319c"


def provider_that_says(name: str, url: str, text: str) -> str:
    return f"""
  - name: {name}
    kind: sim
    dialect: openai_chat
    base_url: {url}/v1
    headers:
      x-sim-echo: "{quote(text)}"
"""


@pytest.fixture(scope="module")
def judges(tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> Iterator[Signalbox]:
    answers = {
        "judge": json.dumps(SAID),
        "fenced": f"Here it is:\n```json\n{json.dumps(SAID)}\n```",
        "mute": "I like it.",
    }
    config = "providers:" + "".join(provider_that_says(name, provider.url, text) for name, text in answers.items())
    box = Signalbox(tmp_path_factory.mktemp("judges"), config)
    yield box
    assert box.stop() == 0, box.text()


def test_a_judge_is_asked_through_the_gateway_and_its_score_is_stored(judges: Signalbox) -> None:
    body = {
        "store": True,
        "metrics": ["length", {"judge": "faithfulness", "model": "judge/small"}],
        "cases": [{"id": "a", **CASE, "trace_id": TRACE}, {"id": "b", "output": "no context", "session_id": "s"}],
    }
    answer = judges.api("POST", "/api/v1/evaluate", json=body)
    assert answer.status_code == 200, answer.text
    first, second = [result["scores"][1] for result in answer.json()["results"]]
    assert (first["value"], first["passed"], first["reason"]) == (1, True, SAID["reasoning"])
    assert first["evidence"] == [{"input": "output", "start": 7, "end": 21, "note": "as the context says"}]
    assert [flag["kind"] for flag in first["judgement"]["flags"]] == ["unverified_quotes"]
    assert first["judgement"]["calls"] == 1
    assert "value" not in second
    assert second["error"].startswith("`context`: ")

    trace = first["judgement"]["opinions"][0]["trace_ids"][0]
    span = judges.spans(trace)[0]
    assert (span["attributes"]["signalbox.own"], span["attributes"]["signalbox.judge"]) == ("true", "faithfulness")
    assert (span["provider"], span["key_id"]) != (None, None)

    def stored() -> list[dict[str, object]] | None:
        rows = judges.api("POST", "/api/v1/sql", json={"sql": "SELECT id, name, source, value FROM scores"}).json()
        found = [dict(zip([column["name"] for column in rows["columns"]], row, strict=True)) for row in rows["rows"]]
        return found if len(found) == 3 else None

    rows = wait_until("three scores", stored)
    assert {(row["name"], row["source"]) for row in rows} == {("faithfulness", "judge"), ("length", "code")}
    assert first["score_id"] in {row["id"] for row in rows}


def test_answers_in_any_wrapping_are_read_and_others_are_errors(judges: Signalbox) -> None:
    def judged(model: str) -> dict[str, object]:
        body = {"metrics": [{"judge": "faithfulness", "model": model}], "cases": [CASE]}
        return judges.api("POST", "/api/v1/evaluate", json=body).json()["results"][0]["scores"][0]

    assert judged("fenced/small")["value"] == 1
    mute = judged("mute/small")
    assert "value" not in mute
    assert "gave no answer that can be read, asked twice" in str(mute["error"])
    assert "nobody" in str(judged("nobody/small")["error"])
    # The simulated provider answers by the schema, whatever the scale.
    rubrics = judges.api("GET", "/api/v1/rubrics").json()["rubrics"]
    assert len(rubrics) >= 20
    case = {"input": "q", "context": "c", "output": ["one answer", "another answer"], "reference": "r", "tools": [{}]}
    body = {"metrics": [{"judge": one["name"], "model": "sim/small"} for one in rubrics], "cases": [case]}
    scores = judges.api("POST", "/api/v1/evaluate", json=body).json()["results"][0]["scores"]
    for rubric, score in zip(rubrics, scores, strict=True):
        assert "error" not in score, score
        if "low" in rubric:
            assert rubric["low"] <= score["value"] <= rubric["high"]
        else:
            assert score["label"] in {label["label"] for label in rubric["scale"]["labels"]}


def run(*arguments: str, text: str = "", key: str = "") -> subprocess.CompletedProcess[str]:
    command = [str(BINARY), "eval", *arguments]
    env = {**os.environ, "JUDGE_KEY": key}
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=120, check=False, env=env)


def test_lines_are_judged_and_compared_with_people(judges: Signalbox, tmp_path: Path) -> None:
    lines = [
        {"id": 1, **CASE, "label": "yes", "segment": "a"},
        {"id": 2, **CASE, "label": False, "segment": "b"},
        {"id": 3, "output": "no context", "label": 1},
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    at = ["--model", "judge/small", "--base-url", f"{judges.url}/v1", "--key-env", "JUDGE_KEY"]
    done = run("judge", "faithfulness", *at, "--jsonl", "--evidence", text=text, key=judges.key)
    assert done.returncode == 0, done.stderr
    first, second, third = [json.loads(line) for line in done.stdout.splitlines()]
    assert (first["id"], first["score"], first["passed"], first["label"]) == (1, 1, True, "yes")
    assert first["evidence"][0]["start"] == 7
    assert second["segment"] == "b"
    assert (third["id"], third["line"]) == (3, 3)
    assert "2 lines judged, 2 passed, 1 couldn't be" in done.stderr

    told = run("calibrate", "--json", text=done.stdout)
    assert told.returncode == 0, told.stderr
    agreement = json.loads(told.stdout)
    assert (agreement["compared"], agreement["accuracy"], agreement["kappa"]) == (2, 0.5, 0)
    assert [segment["accuracy"] for segment in agreement["segments"]] == [1, 0]
    gold, judged = tmp_path / "gold.jsonl", tmp_path / "judged.jsonl"
    gold.write_text(text)
    judged.write_text(done.stdout)
    low = run("calibrate", str(gold), "--judged", str(judged), "--min-kappa", "0.6")
    assert low.returncode == 1
    assert "people: 0" in low.stdout
    assert "kappa is 0.000, less than 0.6" in low.stderr

    refused = run("judge", "faithfulness", *at, "--jsonl", text=text, key="wrong")
    assert refused.returncode == 1
    assert "wrong" not in refused.stdout + refused.stderr


def test_rubrics_are_listed_and_explained() -> None:
    listed = json.loads(run("judge", "--list", "--json").stdout)
    assert len(listed) >= 20
    for rubric in listed:
        assert rubric["source"] in run("judge", rubric["name"]).stdout
    unknown = run("judge", "helpfulnes")
    assert unknown.returncode == 1
    assert "did you mean `helpfulness`?" in unknown.stderr
