"""Datasets: versions that stay, files in and out, items from traces, and what is forgotten of them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from openai import OpenAI

from harness import BINARY, Signalbox, wait_until

CSV = 'question,expected,topic\n"Where, and when?",Here,places\nWhy?,Because,reasons\n'


def command(box: Signalbox, *arguments: str, cwd: Path) -> tuple[int, str, str]:
    done = subprocess.run(
        [str(BINARY), "dataset", *arguments, "--url", box.url, "--key", box.key],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def gold(box: Signalbox, request: pytest.FixtureRequest) -> str:
    name = request.node.name.removeprefix("test_").replace("_", "-")[:60]
    assert box.api("POST", "/api/v1/datasets", json={"name": name}).status_code == 201
    return f"/api/v1/datasets/{name}"


def commit(box: Signalbox, path: str, **change: object) -> dict:
    answer = box.api("POST", f"{path}/versions", json=change)
    assert answer.status_code == 200, answer.text
    return answer.json()


def items(box: Signalbox, path: str, **params: str) -> list[dict]:
    answer = box.api("GET", f"{path}/items", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def test_versions_stay_and_the_slower_one_is_told(box: Signalbox, gold: str) -> None:
    first = commit(box, gold, add=[{"id": "a", "input": "1"}, {"id": "b", "input": "2"}])
    box.api("PUT", f"{gold}/tags/v1", json={"version": "main"})
    second = commit(box, gold, base=first["id"], replace=[{"id": "a", "input": "one"}], remove=["b"])
    late = box.api("POST", f"{gold}/versions", json={"base": first["id"], "remove": ["a"]})
    assert late.status_code == 409
    assert second["id"] in late.json()["error"]["hint"]
    assert [item["id"] for item in items(box, gold, version="v1")] == ["a", "b"]
    assert [item["fields"] for item in items(box, gold)] == [{"input": "one"}]
    diff = box.api("GET", f"{gold}/diff", params={"from": "v1", "to": "main"}).json()
    assert (diff["added"], diff["changed"], diff["removed"]) == (0, 1, 1)
    assert diff["items"][0]["fields"] == [{"path": "input", "before": "1", "after": "one"}]


def test_the_command_line_pushes_pulls_and_compares(box: Signalbox, tmp_path: Path) -> None:
    (tmp_path / "gold.csv").write_text(CSV)
    push = ("push", "by-hand", "gold.csv", "--rename", "question:input,expected:reference", "-m", "From the sheet")
    status, out, err = command(box, *push, cwd=tmp_path)
    assert (status, "2 items, 2 added" in out) == (0, True), out + err
    assert "everything was there already" in command(box, *push, cwd=tmp_path)[1]
    box.api("PUT", "/api/v1/datasets/by-hand/tags/v1", json={"version": "main"})
    assert command(box, "pull", "by-hand", cwd=tmp_path)[0] == 0
    lines = [json.loads(line) for line in (tmp_path / "by-hand.jsonl").read_text().splitlines()]
    assert [line["reference"] for line in lines] == ["Here", "Because"]
    lines[1]["reference"] = "Because of the rain"
    (tmp_path / "by-hand.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    assert command(box, "push", "by-hand", "by-hand.jsonl", cwd=tmp_path)[0] == 0
    status, out, _ = command(box, "diff", "by-hand@v1", "by-hand", cwd=tmp_path)
    assert (status, "+ Because of the rain" in out, "1 changed" in out) == (1, True, True), out
    assert command(box, "diff", "by-hand@v1", "by-hand@v1", cwd=tmp_path)[0] == 0
    assert "From the sheet" in command(box, "list", "by-hand", cwd=tmp_path)[1]
    assert "by-hand" in command(box, "list", cwd=tmp_path)[1]

    (tmp_path / "bad.jsonl").write_text('{"input": "ok"}\n{"input": \n')
    status, _, err = command(box, "push", "by-hand", "bad.jsonl", cwd=tmp_path)
    assert (status, "line 2" in err) == (1, True), err
    status, _, err = command(box, "pull", "by-hand@v9", cwd=tmp_path)
    assert (status, "no version, branch or tag `v9`" in err) == (1, True), err


def test_a_call_becomes_an_item_and_is_forgotten(box: Signalbox, gold: str) -> None:
    client = OpenAI(base_url=f"{box.url}/v1", api_key=box.key, max_retries=0)
    trace = "0af7651916cd43dd8448eb211c8031aa"
    client.chat.completions.create(
        model="sim/small",
        messages=[{"role": "user", "content": "Where does my parcel wait?"}],
        extra_headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"},
        user="ann-of-the-dataset",
    )
    wait_until("the trace", lambda: box.spans(trace))
    wanted = {"spans": [{"trace_id": trace}], "output_is_reference": True, "split": "test"}
    added = box.api("POST", f"{gold}/from-traces", json=wanted).json()
    assert (added["added"], added["items"][0]["input"]) == (1, "Where does my parcel wait?")
    assert added["items"][0]["reference"] == added["items"][0]["output"]
    assert box.api("POST", f"{gold}/from-traces", json=wanted).json()["known"] == 1

    erased = box.api("POST", "/api/v1/erasures", json={"trace_id": trace}).json()
    assert erased["other_rows"] >= 1
    assert "fields" not in items(box, gold)[0]
    assert box.api("GET", f"{gold}/export", params={"format": "jsonl"}).text == ""


def test_many_items_come_in_as_a_stream(box: Signalbox, gold: str) -> None:
    count = 20_000
    lines = (json.dumps({"id": f"i{n}", "input": f"Question {n}", "reference": str(n)}) + "\n" for n in range(count))
    body = "".join(lines).encode()
    answer = box.api("POST", f"{gold}/import", params={"format": "jsonl"}, content=body)
    assert answer.json()["version"]["items"] == count, answer.text
    head = answer.json()["version"]["id"]
    commit(box, gold, base=head, replace=[{"id": "i7", "input": "Other"}])
    found = items(box, gold, text="question 19999")
    assert [item["position"] for item in found] == [count - 1]
    assert len(box.api("GET", f"{gold}/export", params={"format": "csv"}).text.splitlines()) == count + 1
    assert box.api("DELETE", gold).status_code == 204
    assert box.api("GET", gold).status_code == 404
