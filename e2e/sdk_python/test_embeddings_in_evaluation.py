"""Embedding models in evaluation: texts compared by vectors, corrections found by meaning, through the gateway."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from harness import BINARY, Provider, Signalbox, wait_until

ORDER = "Where is the refund of my order?"
ALIKE = "Where is the refund for my order?"
OTHER = "weather tomorrow in Oslo"
SAID = json.dumps({"reasoning": "As people said.", "evidence": [], "verdict": "no"})
SIMILARITY = {"name": "embedding_similarity", "options": {"embedding_model": "sim/embed"}, "threshold": 0.5}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> Iterator[Signalbox]:
    config = f"""
providers:
  - name: judge
    kind: sim
    dialect: openai_chat
    base_url: {provider.url}/v1
    headers:
      x-sim-echo: "{quote(SAID)}"
"""
    box = Signalbox(tmp_path_factory.mktemp("embeddings"), config)
    yield box
    assert box.stop() == 0, box.text()


def evaluated(box: Signalbox, **body: object) -> list[dict[str, object]]:
    answer = box.api("POST", "/api/v1/evaluate", json=body)
    assert answer.status_code == 200, answer.text
    return [score for result in answer.json()["results"] for score in result["scores"]]


def own_embeddings(box: Signalbox) -> list[dict[str, object]]:
    own = {"field": "attributes.signalbox.own", "op": "=", "value": "true"}
    wanted = {"all": [own, {"field": "kind", "op": "=", "value": "embedding"}]}
    return box.query(table="spans", time={"from": "now-1d"}, filter=wanted, select=["span_id"], limit=1000)


def test_texts_are_compared_by_vectors_of_a_model(house: Signalbox) -> None:
    before = len(own_embeddings(house))
    cases = [{"output": ORDER, "reference": text} for text in (ALIKE, OTHER, [OTHER, ALIKE])]
    near, far, best = evaluated(house, metrics=[SIMILARITY], cases=cases)
    assert (near["passed"], far["passed"], best["passed"]) == (True, False, True), (near, far, best)
    assert near["value"] == pytest.approx(best["value"])
    assert "vectors by" in str(near["reason"])
    wait_until("spans of the calls", lambda: len(own_embeddings(house)) == before + 3 or None)

    pair = {"name": "semantic_list_match", "options": {"embedding_model": "sim/embed"}}
    case = {"output": f"- {OTHER}\n- {ORDER}", "reference": [ALIKE, OTHER]}
    (items,) = evaluated(house, metrics=[pair], cases=[case])
    assert float(str(items["value"])) > 0.7, items


def test_what_is_missing_says_what_to_do(house: Signalbox) -> None:
    case = {"output": ORDER, "reference": ALIKE}
    (score,) = evaluated(house, metrics=["embedding_similarity"], cases=[case])
    assert "the option `embedding_model` with a model that makes vectors of texts" in str(score["error"])
    unknown = {"name": "embedding_similarity", "options": {"embedding_model": "nobody/embed"}}
    (score,) = evaluated(house, metrics=[unknown], cases=[case])
    assert "value" not in score
    assert str(score["error"]).startswith("`nobody/embed` gave no embeddings: ")
    assert "names a model that makes embeddings" in str(score["error"])


def test_corrections_are_found_by_meaning_and_by_letters_if_that_fails(house: Signalbox) -> None:
    examples = [{"output": text, "label": "no"} for text in (ALIKE, OTHER)]

    def judgement(model: str) -> dict[str, object]:
        judge = {"judge": "toxicity", "model": "judge/small", "examples": examples, "embedding_model": model}
        (score,) = evaluated(house, metrics=[judge], cases=[{"output": ORDER}])
        assert score["value"] == 0, score
        return dict(score["judgement"])  # type: ignore[call-overload]

    good = judgement("sim/embed")
    assert (good["flags"], good["calls"]) == ([], 3)
    failed = judgement("nobody/embed")
    assert [flag["kind"] for flag in failed["flags"]] == ["examples_by_letters"]  # type: ignore[attr-defined]


def run(folder: Path, box: Signalbox, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "SIGNALBOX_URL": box.url, "SIGNALBOX_KEY": box.key}
    command = [str(BINARY), "eval", *arguments]
    return subprocess.run(
        command, cwd=folder, input=text, capture_output=True, text=True, timeout=120, check=False, env=env
    )


def test_suites_and_the_command_line_ask_the_model_too(house: Signalbox, tmp_path: Path) -> None:
    lines = [{"id": str(at), "output": ORDER, "reference": text} for at, text in enumerate((ALIKE, OTHER))]
    (tmp_path / "gold.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "corrected.jsonl").write_text(json.dumps({"output": ALIKE, "label": "no"}) + "\n")
    (tmp_path / "suite.yaml").write_text(
        "name: near\ndatasets: [gold.jsonl]\ntargets: [{name: kept, recorded: output}]\nmetrics:\n"
        "  - {metric: embedding_similarity, as: alike, threshold: 0.5, options: {embedding_model: sim/embed}}\n"
        "  - {judge: toxicity, model: judge/small, examples: corrected.jsonl, embedding_model: sim/embed}\n"
    )
    done = run(tmp_path, house, "run", "suite.yaml", "--cache", str(tmp_path / "cache"), "--json", "r.json")
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "r.json").read_text())
    assert (told["answers"], told["failed"]) == (2, 0)
    figures = {one["metric"]: one for one in told["targets"][0]["metrics"]}
    assert (figures["alike"]["measured"], figures["toxicity"]["measured"]) == (2, 2), figures
    assert (figures["alike"]["pass_rate"], figures["toxicity"]["mean"]) == (0.5, 0), figures

    at = ["--model", "judge/small", "--base-url", f"{house.url}/v1", "--key-env", "SIGNALBOX_KEY"]
    by = ["--examples", "corrected.jsonl", "--embedding-model", "sim/embed"]
    judged = run(tmp_path, house, "judge", "toxicity", *at, *by, "--jsonl", text=json.dumps({"id": 1, "output": ORDER}))
    assert judged.returncode == 0, judged.stderr
    assert "3 calls" in judged.stderr
    refused = run(tmp_path, house, "metric", "list_match", "--option", "embedding_model=m", "--jsonl")
    assert refused.returncode == 1
    assert "no model is asked here" in refused.stderr
