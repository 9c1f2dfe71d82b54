"""The process as an operator meets it: command line, first start, ports, folders, signals, crashes."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import threading
from pathlib import Path

import httpx
import openai

from harness import BINARY, KEY, Provider, Signalbox, upstreams, wait_until


def run(*arguments: str, cwd: Path, env: dict[str, str] | None = None, text: str | None = None) -> tuple[int, str, str]:
    done = subprocess.run(
        [str(BINARY), *arguments],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        input=text,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout, done.stderr


def test_help_teaches(tmp_path: Path) -> None:
    status, out, _ = run("--help", cwd=tmp_path)
    assert status == 0
    for verb in ("up", "demo", "init", "check", "query", "export", "import", "backup", "restore", "verify", "simulate"):
        assert re.search(rf"^  {verb} ", out, re.MULTILINE), verb
    assert "OPENAI_API_KEY" in run("up", "--help", cwd=tmp_path)[1]


def test_init_and_check(tmp_path: Path) -> None:
    assert run("init", cwd=tmp_path)[0] == 0
    assert run("check", cwd=tmp_path)[:2] == (0, "signalbox.yaml is valid.\n")
    status, _, said = run("init", cwd=tmp_path)
    assert status == 1
    assert "--force" in said
    file = tmp_path / "signalbox.yaml"
    file.write_text(
        "server:\n  listne: 1.2.3.4:5\nproviders:\n  - name: x\n    dialct: openai_chat\n    api_key: sk-secret\n"
    )
    status, _, said = run("check", cwd=tmp_path)
    assert status == 1
    assert "signalbox.yaml:2:3: unknown field `listne` in `server`" in said
    assert "did you mean `listen`?" in said
    assert "signalbox.yaml:5:5: unknown field `dialct` in `providers[0]`" in said
    assert "sk-secret" not in said
    assert json.loads(run("check", "--schema", cwd=tmp_path)[1])["properties"]["server"]


def test_first_start_prints_a_key_that_works_and_only_once(tmp_path: Path) -> None:
    box = Signalbox(tmp_path, key=None)
    first = box.text()
    key = re.search(r"Key +(sb-\w{43})", first)
    assert key, first
    assert f"curl {box.url}/v1/chat/completions" in first
    assert "OpenAI(base_url=" in first
    sdk = openai.OpenAI(base_url=f"{box.url}/v1", api_key=key[1])
    assert sdk.chat.completions.create(model="sim/small", messages=[{"role": "user", "content": "Hi"}])
    assert box.stop() == 0
    for file in box.data.rglob("*"):
        assert not file.is_file() or key[1].encode() not in file.read_bytes(), f"the key stands in {file}"
    again = Signalbox(tmp_path, key=None)
    assert not re.search(r"sb-\w{43}", again.text())
    assert again.stop() == 0


def test_ready_within_a_second(tmp_path: Path) -> None:
    box = Signalbox(tmp_path)
    took = re.search(r"ready after (\d+\.\d+) s", box.text())
    assert took
    assert box.stop() == 0


def test_taken_port_locked_and_unwritable_folder(tmp_path: Path) -> None:
    box = Signalbox(tmp_path / "first")
    listen = f"127.0.0.1:{box.port}"
    status, _, said = run("up", "--data", str(tmp_path / "other"), "--listen", listen, cwd=tmp_path)
    assert status == 1
    assert listen in said
    assert "--listen" in said
    status, _, said = run("up", "--data", str(box.data), "--listen", "127.0.0.1:0", cwd=tmp_path)
    assert status == 1
    assert str(box.data) in said
    assert "another" in said
    assert box.stop() == 0
    occupied = tmp_path / "a-file"
    occupied.write_text("")
    status, _, said = run("up", "--data", str(occupied / "data"), "--listen", "127.0.0.1:0", cwd=tmp_path)
    assert status == 1
    assert "a-file" in said


def test_sigterm_finishes_streams_in_flight(tmp_path: Path, provider: Provider) -> None:
    box = Signalbox(tmp_path, upstreams(provider))
    call = {"model": "up-openai/small", "stream": True, "messages": [{"role": "user", "content": "A story, please"}]}
    headers = {**box.headers, "x-sim-tokens": "40", "x-sim-chunk-delay-ms": "20"}
    status: list[int] = []
    with httpx.stream("POST", f"{box.url}/v1/chat/completions", headers=headers, json=call, timeout=30) as answer:
        lines = answer.iter_lines()
        next(lines)
        stopper = threading.Thread(target=lambda: status.append(box.stop()))
        stopper.start()
        rest = list(lines)
    stopper.join()
    assert "data: [DONE]" in rest
    assert status == [0]
    assert "cut" not in box.text()
    again = Signalbox(tmp_path, upstreams(provider))
    assert again.query(measures=[{"fn": "count"}], filter={"field": "status", "op": "=", "value": "ok"}) == [
        {"count": 1}
    ]
    assert again.stop() == 0


def test_query_from_the_terminal(box: Signalbox, tmp_path: Path) -> None:
    httpx.post(
        f"{box.url}/v1/chat/completions",
        headers=box.headers,
        json={"model": "sim/small", "messages": [{"role": "user", "content": "count me"}]},
    )
    wait_until("the span", lambda: box.query(search="count me") or None)
    env = {"SIGNALBOX_URL": box.url, "SIGNALBOX_KEY": KEY}
    sql = "SELECT model, count(*) AS calls FROM spans WHERE model = 'small' GROUP BY model"
    status, out, said = run("query", sql, "--format", "jsonl", cwd=tmp_path, env=env)
    assert status == 0, said
    assert json.loads(out)["calls"] >= 1
    assert "small" in run("query", sql, cwd=tmp_path, env=env)[1]
    assert run("query", "-", "--format", "csv", cwd=tmp_path, env=env, text=sql)[1].startswith("model,calls\n")
    for wrong in ("DROP TABLE spans", "SELECT nope FROM spans", "SELECT * FROM '/etc/passwd'", "SELECT 1; SELECT 2"):
        status, _, said = run("query", wrong, cwd=tmp_path, env=env)
        assert status == 1, wrong
        assert said.startswith("error: ")
    status, _, said = run(
        "query", "SELECT 1", cwd=tmp_path, env={"SIGNALBOX_URL": box.url, "SIGNALBOX_KEY": "sb-wrong-key"}
    )
    assert status == 1
    assert "key" in said


def test_a_caller_may_send_its_request_in_pieces(tmp_path: Path) -> None:
    box = Signalbox(tmp_path)
    for pieces in (
        [b"G", b"ET /healthz HTTP/1.1\r\n", b"host: x\r\n\r\n"],
        [b"PR", b"OPFIND /healthz HTTP/1.1\r\nhost: x\r\n\r\n"],
    ):
        with connected(box) as caller:
            for piece in pieces:
                caller.sendall(piece)
            assert caller.recv(12).startswith(b"HTTP/1.1 ")
    assert box.stop() == 0


def test_http2_without_asking_first_even_in_pieces(tmp_path: Path) -> None:
    box = Signalbox(tmp_path)
    with connected(box) as caller:
        for piece in (b"PRI * HTT", b"P/2.0\r\n\r\nSM\r\n\r\n", b"\0\0\0\4\0\0\0\0\0"):
            caller.sendall(piece)
        frame = caller.recv(9)
    assert frame[3] == 4, f"settings are what a server of HTTP/2 says first, and not {frame!r}"
    assert box.stop() == 0


def test_a_caller_that_says_nothing_keeps_nobody_from_stopping(tmp_path: Path) -> None:
    box = Signalbox(tmp_path)
    with connected(box) as silent:
        # It has been accepted when one that came after it is answered.
        assert httpx.get(f"{box.url}/healthz").status_code == 200
        assert box.stop(10) == 0
        assert silent.recv(1) == b""


def connected(box: Signalbox) -> socket.socket:
    host, port = box.url.removeprefix("http://").split(":")
    caller = socket.create_connection((host, int(port)), timeout=20)
    caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return caller
