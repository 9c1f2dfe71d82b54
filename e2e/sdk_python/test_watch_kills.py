"""The process is killed at random moments, again and again, while incidents open and end. PagerDuty, which tells
repetitions by their key, has each incident triggered once and resolved once; none is lost."""

from __future__ import annotations

import json
import os
import random
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness import Signalbox, wait_until

KILLS = int(os.environ.get("SIGNALBOX_KILLS", "12"))
ROUTING_KEY = "0123456789abcdef0123456789abcdef"


class PagerDuty:
    """Events API v2, as its documentation has it: a trigger with the key of an open alert adds to that alert, a
    resolve ends it; what comes with a key whose alert was resolved opens another one."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.open: set[str] = set()
        self.triggered: Counter[str] = Counter()
        self.resolved: Counter[str] = Counter()
        self.repeated = 0
        self.dice = random.Random(5)
        pagerduty = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                status = pagerduty.take(self.path, body)
                answer = json.dumps({"status": "success", "dedup_key": body.get("dedup_key")}).encode()
                try:
                    self.send_response(status)
                    self.send_header("content-length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)
                except OSError:
                    # Who asked was killed: the event was taken all the same.
                    pass

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, path: str, event: dict[str, Any]) -> int:
        key, action = event.get("dedup_key"), event.get("event_action")
        if path != "/v2/enqueue" or event.get("routing_key") != ROUTING_KEY or not key:
            return 400
        with self.lock:
            # Now and then it has too much to do, before or after it took the event.
            luck = self.dice.random()
            if luck < 0.1:
                return 429
            match action:
                case "trigger" if key not in self.open:
                    self.open.add(key)
                    self.triggered[key] += 1
                case "resolve" if key in self.open:
                    self.open.discard(key)
                    self.resolved[key] += 1
                case "trigger" | "resolve":
                    self.repeated += 1
                case _:
                    return 400
            return 500 if luck > 0.95 else 202


@pytest.fixture
def pagerduty():
    made = PagerDuty()
    yield made
    made.server.shutdown()


def config(pagerduty: PagerDuty) -> str:
    """Two monitors that come and go with the traffic; one of them makes an incident of each model."""
    monitor = {
        "query": {"measures": [{"fn": "count"}]},
        "window": "2s",
        "every": "1s",
        "delay": "0s",
        "no_data": "ok",
        "condition": {"threshold": {"above": 2}},
        "recover_for": 1,
        "flapping": {"fires": 0},
        "severity": "critical",
        "notify": ["pager"],
    }
    grouped = {"measures": [{"fn": "count"}], "group_by": ["model"]}
    monitors = [{**monitor, "name": "calls"}, {**monitor, "name": "models", "query": grouped, "group": "series"}]
    via = {"pagerduty": {"routing_key": ROUTING_KEY, "base_url": pagerduty.url}}
    return "watch: " + json.dumps(
        {"starter": False, "channels": [{"name": "pager", "via": via}], "monitors": monitors}
    ) + "\n"  # fmt: skip


def call_in_bursts(box: Signalbox, stop: threading.Event, dice: random.Random) -> None:
    with httpx.Client(headers=box.headers, timeout=10) as client:
        while not stop.is_set():
            for _ in range(dice.randrange(3, 9)):
                model = dice.choice(["sim/small", "sim/large"])
                body = {"model": model, "messages": [{"role": "user", "content": "Hello"}]}
                try:
                    client.post(f"{box.url}/v1/chat/completions", json=body)
                except httpx.TransportError:
                    return
            stop.wait(dice.uniform(0.5, 4.0))


def incidents(box: Signalbox, status: str) -> list[dict[str, Any]]:
    answer = box.api("GET", f"/api/v1/incidents?status={status}&limit=500")
    assert answer.status_code == 200, answer.text
    return answer.json()["incidents"]


def test_each_incident_is_told_once_whenever_the_process_is_killed(tmp_path: Path, pagerduty: PagerDuty) -> None:
    dice = random.Random(20_261_129)
    for kill in range(KILLS):
        box = Signalbox(tmp_path, config(pagerduty))
        stop = threading.Event()
        traffic = threading.Thread(target=call_in_bursts, args=(box, stop, random.Random(kill)))
        traffic.start()
        # The moment is what is random here; nothing waits for a condition.
        time.sleep(dice.uniform(0.05, 5.0))
        box.kill()
        stop.set()
        traffic.join()

    box = Signalbox(tmp_path, config(pagerduty))
    wait_until("all incidents to be over", lambda: not incidents(box, "active"), 60)
    wait_until("all messages to be delivered", lambda: delivered(box), 120)
    kept = {one["id"] for one in incidents(box, "resolved")}
    assert len(kept) >= min(KILLS, 3) // 2, "too few incidents to say anything"
    assert set(pagerduty.triggered) == kept, "each incident is known there, and nothing else is"
    assert set(pagerduty.triggered.values()) == {1}, pagerduty.triggered.most_common(3)
    assert pagerduty.resolved == pagerduty.triggered, "each that began there has ended there, once"
    assert not pagerduty.open
    assert box.stop() == 0
    print(f"{KILLS} kills, {len(kept)} incidents, {pagerduty.repeated} repetitions that PagerDuty knew by their key")


def delivered(box: Signalbox) -> bool:
    """Whether nothing waits any more. Pauses between tries grow; a person who looks need not wait for them."""
    waiting = box.api("GET", "/api/v1/messages").json()["messages"]
    for one in waiting:
        box.api("POST", f"/api/v1/messages/{one['id']}/retry")
    if waiting:
        time.sleep(0.5)
    return not waiting
