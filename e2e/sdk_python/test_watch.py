"""From calls to a message at somebody's webhook: the whole way, over a real socket, and through `kill -9`."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from harness import BINARY, Signalbox, wait_until

SECRET = base64.b64encode(b"a-secret-of-more-than-24-bytes").decode()


class Receiver:
    """The other side of a webhook: checks signatures, and keeps what it took."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.keys: list[str] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                key, sent = self.headers["webhook-id"], self.headers["webhook-timestamp"]
                signed = f"{key}.{sent}.".encode() + body
                digest = hmac.new(base64.b64decode(SECRET), signed, hashlib.sha256).digest()
                good = self.headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()
                if good and key not in receiver.keys:
                    receiver.taken.append(json.loads(body))
                    receiver.keys.append(key)
                self.send_response(200 if good else 401)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def events(self) -> list[str]:
        return [one["type"] for one in self.taken]


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.server.shutdown()


def monitor(**more: Any) -> dict[str, Any]:
    return {
        "name": "calls",
        "query": {"measures": [{"fn": "count"}]},
        "window": "5s",
        "every": "1s",
        "delay": "0s",
        "condition": {"threshold": {"above": 3}},
        "severity": "critical",
        "runbook": "There were {{value}} calls, more than {{limit}}.",
        "notify": ["hook"],
        **more,
    }


def config(receiver: Receiver) -> str:
    channel = {"name": "hook", "via": {"webhook": {"url": receiver.url, "secret": f"whsec_{SECRET}"}}}
    return "watch: " + json.dumps({"starter": False, "channels": [channel], "monitors": [monitor()]}) + "\n"


def call(box: Signalbox, times: int) -> None:
    body = {"model": "sim/small", "messages": [{"role": "user", "content": "Hello"}]}
    for _ in range(times):
        assert box.api("POST", "/v1/chat/completions", json=body).status_code == 200


def test_calls_become_a_message_and_a_crash_repeats_none(tmp_path: Path, receiver: Receiver):
    box = Signalbox(tmp_path, config(receiver))
    call(box, 6)
    wait_until("the message that it fires", lambda: "incident.opened" in receiver.events())
    notice = receiver.taken[0]["data"]
    assert notice["severity"] == "critical" and notice["runbook"].startswith("There were "), notice
    incidents = box.api("GET", "/api/v1/incidents?status=active").json()["incidents"]
    assert [one["monitor"] for one in incidents] == ["calls"]
    box.kill()

    again = Signalbox(tmp_path, config(receiver))
    wait_until("the message that it is over", lambda: "incident.resolved" in receiver.events(), 40)
    assert receiver.events() == ["incident.opened", "incident.resolved"]
    over = again.api("GET", f"/api/v1/incidents/{incidents[0]['id']}").json()
    assert over["status"] == "resolved", over
    assert again.api("GET", "/api/v1/messages").json()["messages"] == []
    assert again.stop() == 0


def test_a_monitor_by_the_api_and_over_what_was_recorded(tmp_path: Path, receiver: Receiver):
    box = Signalbox(tmp_path, config(receiver))
    own = monitor(notify=[], window="10s", condition={"absence": {"fewer_than": 1}})
    saved = box.api("PUT", "/api/v1/monitors/gone", json={**own, "name": "gone"})
    assert saved.status_code == 200, saved.text
    wait_until("it to fire", lambda: box.api("GET", "/api/v1/monitors/gone").json()["phase"] == "firing")
    assert box.api("POST", "/api/v1/channels/hook/test").status_code == 204
    wait_until("the test", lambda: "incident.test" in receiver.events())
    refused = box.api("PUT", "/api/v1/monitors/gone", json={**own, "name": "gone", "windw": "5m"})
    assert refused.status_code == 400 and "windw" in refused.json()["error"]["message"]

    call(box, 12)
    file = tmp_path / "monitors.json"
    file.write_text(json.dumps([monitor(window="2s")]))

    def tested() -> str | None:
        arguments = [str(BINARY), "monitors", "test", str(file), "--last", "10m", "--url", box.url, "--key", box.key]
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        return done.stdout if re.search("would have fired [1-9]", done.stdout) else None

    # The window of the calls counts once it has passed.
    assert " > 3" in wait_until("the window to pass", tested)
    assert box.stop() == 0
