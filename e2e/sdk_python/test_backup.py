"""Data out and in again: backup, restore, verify, export, import, reindex, with another database as the reader."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from pathlib import Path
from typing import Any

import duckdb
import httpx

from harness import BINARY, KEY, Signalbox, wait_until


def run(*arguments: str, cwd: Path, key: str = KEY) -> tuple[int, str, str]:
    env = {**os.environ, "SIGNALBOX_KEY": key}
    env.pop("SIGNALBOX_URL", None)
    done = subprocess.run([str(BINARY), *arguments], cwd=cwd, env=env, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def done(*arguments: str, cwd: Path) -> dict[str, Any]:
    status, out, said = run(*arguments, "--json", cwd=cwd)
    assert status == 0, said
    return json.loads(out)


def chat(box: Signalbox, text: str) -> None:
    body = {"model": "sim/small", "messages": [{"role": "user", "content": text}]}
    answer = httpx.post(f"{box.url}/v1/chat/completions", headers=box.headers, json=body, timeout=30)
    assert answer.status_code == 200, answer.text


def count(box: Signalbox) -> int:
    return box.query(measures=[{"fn": "count"}], time={"from": "now-1d"})[0]["count"]


def filled(box: Signalbox, calls: int) -> None:
    for number in range(calls):
        chat(box, f'question {number}, with "quotes",\nlines and é')
    wait_until(f"{calls} spans", lambda: count(box) >= calls or None)


def test_backup_of_a_busy_server_restores_and_starts(tmp_path: Path) -> None:
    box = Signalbox(tmp_path / "box")
    filled(box, 30)
    stop = threading.Event()
    meanwhile: list[None] = []

    def traffic() -> None:
        while not stop.is_set():
            chat(box, "meanwhile")
            meanwhile.append(None)

    busy = threading.Thread(target=traffic)
    busy.start()
    to = tmp_path / "backup"
    arguments = ("backup", "--to", str(to), "--url", box.url)
    first = done(*arguments, cwd=tmp_path)
    assert first["files"] > 0
    assert done("verify", "--data", str(box.data), cwd=tmp_path)["damages"] == []
    stop.set()
    busy.join()
    before = 30 + len(meanwhile)
    wait_until("all spans", lambda: count(box) == before or None)
    second = done(*arguments, cwd=tmp_path)
    assert second["kept"] > 0
    assert done("verify", "--backup", str(to), cwd=tmp_path)["damages"] == []

    other = box.api("POST", "/api/v1/keys", json={"name": "another"}).json()["key"]
    status, _, said = run(*arguments, cwd=tmp_path, key=other)
    assert status == 1
    assert "first key" in said

    status, _, said = run("restore", "--from", str(to), "--data", str(box.data), cwd=tmp_path)
    assert status == 1
    assert "in use" in said
    copy = tmp_path / "copy"
    restored = done("restore", "--from", str(to), "--data", str(copy / "data"), cwd=tmp_path)
    assert restored["rows"] >= before
    again = Signalbox(copy)
    assert count(again) == before
    chat(again, "after the restore")
    wait_until("the new span", lambda: count(again) == before + 1 or None)
    assert again.stop() == 0
    assert box.stop() == 0

    # No server any more: the folder is opened instead.
    assert done("backup", "--to", str(to), "--data", str(box.data), cwd=tmp_path)["kept"] > 0
    status, _, said = run("restore", "--from", str(to), "--data", str(copy / "data"), cwd=tmp_path)
    assert status == 1
    assert "--force" in said


def test_damage_is_found(tmp_path: Path) -> None:
    box = Signalbox(tmp_path)
    filled(box, 3)
    assert box.stop() == 0
    assert run("verify", "--data", str(box.data), cwd=tmp_path)[0] == 0
    file = next(box.data.glob("files/spans/*.parquet"))
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    status, out, said = run("verify", "--data", str(box.data), cwd=tmp_path)
    assert status == 1
    assert str(file) in out
    assert "what to do" in out
    assert "1 file is damaged" in said
    status, _, said = run("backup", "--to", str(tmp_path / "to"), "--data", str(box.data), cwd=tmp_path)
    assert status == 1
    assert "is damaged" in said


def test_other_programs_read_exports_and_imports_bring_them_back(tmp_path: Path) -> None:
    box = Signalbox(tmp_path / "box")
    filled(box, 40)
    spans = count(box)
    total = box.query(measures=[{"fn": "sum", "column": "cost"}], time={"from": "now-1d"})[0]["sum_cost"]
    readers = {"parquet": "read_parquet", "jsonl": "read_json_auto", "csv": "read_csv_auto"}
    for form, reader in readers.items():
        file = tmp_path / f"spans.{form}"
        assert done("export", "--out", str(file), "--url", box.url, cwd=tmp_path)["bytes"] == file.stat().st_size
        sql = "SELECT count(*), sum(cost), count(DISTINCT trace_id), max(end_time) > min(start_time)"
        sql = f"{sql} FROM {reader}('{file}')"
        rows, cost, traces, later = duckdb.sql(sql).fetchall()[0]
        assert (rows, traces, later) == (spans, spans, True), form
        assert abs(float(cost) - total) < 1e-9, form
        said = f"SELECT count(*) FROM {reader}('{file}') WHERE input_preview LIKE '%\"quotes\",%é'"
        assert duckdb.sql(said).fetchall()[0] == (spans,), form

    few = tmp_path / "few"
    done("export", "--out", f"{few}/", "--select", "model,cost", "--from", "now-1h", "--url", box.url, cwd=tmp_path)
    assert [column[0] for column in duckdb.sql(f"FROM '{few}/spans.parquet'").description] == ["model", "cost"]

    copy = Signalbox(tmp_path / "copy")
    for form in readers:
        file = str(tmp_path / f"spans.{form}")
        assert done("import", file, "--url", copy.url, cwd=tmp_path)["rows"] == spans
        assert count(copy) == spans, f"{form}: importing again changes nothing"
        assert done("export", "--out", "back.parquet", "--url", copy.url, cwd=tmp_path)["bytes"] > 0
        differ = f"SELECT * FROM '{tmp_path}/spans.parquet' EXCEPT SELECT * FROM '{tmp_path}/back.parquet'"
        assert duckdb.sql(differ).fetchall() == [], form
    # What another program wrote, with its own types.
    other = tmp_path / "other.parquet"
    duckdb.sql(f"COPY (SELECT * REPLACE ('someone' AS user_id) FROM '{tmp_path}/spans.parquet') TO '{other}'")
    assert done("import", str(other), "--url", copy.url, cwd=tmp_path)["rows"] == spans
    users = copy.query(measures=[{"fn": "count"}], group_by=["user_id"], time={"from": "now-1d"})
    assert users == [{"user_id": "someone", "count": spans}]

    wrong = tmp_path / "wrong.csv"
    wrong.write_text((tmp_path / "spans.csv").read_text().replace(",llm,", ",llama,", 1))
    status, _, said = run("import", str(wrong), "--url", copy.url, cwd=tmp_path)
    assert status == 1
    assert "line 2, column kind" in said
    assert copy.stop() == 0
    assert box.stop() == 0


def test_spans_that_an_earlier_version_misread_are_read_again(tmp_path: Path) -> None:
    box = Signalbox(tmp_path / "box")
    text = "What is the weather like in Paris today, and should I take an umbrella with me?"
    messages = [{"role": "user", "parts": [{"type": "text", "content": text}]}]
    sent = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.input.messages": json.dumps(messages),
    }
    span = {
        "traceId": "0af7651916cd43dd8448eb211c80319c",
        "spanId": "b7ad6b7169203331",
        "name": "chat",
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in sent.items()],
    }
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    assert httpx.post(f"{box.url}/v1/traces", headers=box.headers, json=body, timeout=30).status_code == 200
    columns = ["kind", "model", "input_messages", "attributes", "normaliser_version"]
    right = box.query(select=columns)
    assert (right[0]["kind"], right[0]["model"], right[0]["input_messages"]) == ("llm", "gpt-4o-mini", messages)
    # What a column says is not kept twice.
    assert "gen_ai.input.messages" not in right[0]["attributes"]
    assert json.loads(right[0]["attributes"]["signalbox.moved"]) == {"gen_ai.input.messages": "/input_messages"}

    file = tmp_path / "spans.jsonl"
    done("export", "--out", str(file), "--url", box.url, cwd=tmp_path)
    row = json.loads(file.read_text())
    row |= {"normaliser_version": 1, "kind": "span", "model": None, "model_requested": None}
    file.write_text(json.dumps(row) + "\n")
    done("import", str(file), "--url", box.url, cwd=tmp_path)
    assert box.query(select=["kind"]) == [{"kind": "span"}]

    report = done("reindex", "--url", box.url, cwd=tmp_path)
    assert (report["spans"], report["changed"], report["failed"]) == (1, 1, 0)
    assert box.query(select=columns) == right
    assert done("reindex", "--from", "now-1d", "--url", box.url, cwd=tmp_path)["spans"] == 0
    assert box.stop() == 0
