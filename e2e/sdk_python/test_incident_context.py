"""Beside an incident, over a real socket: what was changed, what differs, what comes back from elsewhere."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from harness import Signalbox, wait_until

PAGERDUTY = "a-secret-of-pagerduty"
SLACK = "8f742231b10e8888abcd99yyyzzz85a5"
TOKEN = "a-token-of-alertmanager"


class Everybody:
    """The other side of all channels: takes everything."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, dict[str, Any]]] = []
        everybody = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                everybody.taken.append((self.path, json.loads(body)))
                answer = b'{"ok": true, "ts": "1.2"}'
                self.send_response(200)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def at(self, path: str) -> list[dict[str, Any]]:
        return [body for taken, body in self.taken if taken == path]


@pytest.fixture
def everybody():
    made = Everybody()
    yield made
    made.server.shutdown()


def config(everybody: Everybody) -> str:
    url = everybody.url
    slack = {"bot_token": "xoxb-1", "channel": "#ops", "signing_secret": SLACK, "base_url": url}
    channels = [
        {"name": "hook", "via": {"webhook": {"url": f"{url}/hook"}}},
        {"name": "pager", "via": {"pagerduty": {"routing_key": "R", "webhook_secret": PAGERDUTY, "base_url": url}}},
        {"name": "chat", "via": {"slack": slack}},
        {"name": "prom", "via": {"alertmanager": {"webhook_token": TOKEN, "notify": ["hook"]}}},
    ]
    monitor = {
        "name": "calls",
        "query": {"measures": [{"fn": "count"}]},
        "window": "60s",
        "every": "1s",
        "delay": "0s",
        "condition": {"threshold": {"above": 3}},
        "notify": ["hook", "pager", "chat"],
        "actions": [{"name": "Tell the switch", "webhook": {"channel": "hook", "parameters": {"calls": "{{value}}"}}}],
    }
    return "watch: " + json.dumps({"starter": False, "channels": channels, "monitors": [monitor]}) + "\n"


def signed(secret: str, message: str) -> str:
    return hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()


def post(box: Signalbox, path: str, body: str, headers: dict[str, str]) -> int:
    """As another service sends it: without a virtual key."""
    import urllib.error
    import urllib.request

    request = urllib.request.Request(box.url + path, body.encode(), headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_changes_hints_actions_and_answers_from_elsewhere(tmp_path: Path, everybody: Everybody):
    box = Signalbox(tmp_path, config(everybody))
    marker = box.api("POST", "/api/v1/markers", json={"title": "shop 2.3.0", "kind": "deploy"})
    assert marker.status_code == 201, marker.text
    body = {"model": "sim/small", "messages": [{"role": "user", "content": "Hello"}]}
    for _ in range(6):
        assert box.api("POST", "/v1/chat/completions", json=body).status_code == 200
    wait_until("the message", lambda: everybody.at("/hook"))
    hints = everybody.at("/hook")[0]["data"]["hints"]
    assert any("shop 2.3.0" in hint for hint in hints), hints

    incident = box.api("GET", "/api/v1/incidents?monitor=calls").json()["incidents"][0]
    context = incident["context"]
    assert next(one["title"] for one in context["changes"]) == "shop 2.3.0", context
    assert context["examples"], context
    trace = context["examples"][0]["trace_id"]
    assert box.api("GET", f"/api/v1/traces/{trace}").status_code == 200
    again = box.api("POST", f"/api/v1/incidents/{incident['id']}/look", json={})
    assert again.status_code == 200 and again.json()["context"]["at"] >= context["at"], again.text

    asked = box.api("POST", f"/api/v1/incidents/{incident['id']}/actions/0", json={})
    assert asked.status_code == 200, asked.text
    wait_until("the action", lambda: [one for one in everybody.at("/hook") if one["type"] == "incident.action"])

    wait_until("Slack", lambda: everybody.at("/chat.postMessage"))
    blocks = everybody.at("/chat.postMessage")[0]["blocks"]
    button = next(block for block in blocks if block["type"] == "actions")["elements"][0]
    pressed = {"type": "block_actions", "user": {"id": "U1", "username": "ann"}, "actions": [button]}
    form = "payload=" + urllib.parse.quote_plus(json.dumps(pressed))
    now = str(int(time.time()))
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "x-slack-request-timestamp": now,
        "x-slack-signature": "v0=" + signed(SLACK, f"v0:{now}:{form}"),
    }
    assert post(box, "/api/v1/hooks/slack/chat", form, {**headers, "x-slack-signature": "v0=00"}) == 401
    assert post(box, "/api/v1/hooks/slack/chat", form, headers) == 200
    taken = box.api("GET", f"/api/v1/incidents/{incident['id']}").json()
    assert taken["acknowledged_by"] == "ann (Slack)", taken

    event = json.dumps(
        {
            "event": {
                "event_type": "incident.resolved",
                "agent": {"summary": "Bob"},
                "data": {"incident_key": incident["id"]},
            }
        }
    )
    assert post(box, "/api/v1/hooks/pagerduty/pager", event, {}) == 401
    signature = {"x-pagerduty-signature": "v1=" + signed(PAGERDUTY, event)}
    assert post(box, "/api/v1/hooks/pagerduty/pager", event, signature) == 200
    over = box.api("GET", f"/api/v1/incidents/{incident['id']}").json()
    assert (over["status"], over["resolved_by"]) == ("resolved", "Bob (PagerDuty)"), over
    assert box.stop() == 0


def test_alerts_of_an_alertmanager_are_incidents(tmp_path: Path, everybody: Everybody):
    box = Signalbox(tmp_path, config(everybody))

    def send(status: str, token: str = TOKEN) -> int:
        alert = {
            "status": status,
            "labels": {"alertname": "Down", "severity": "page"},
            "annotations": {"summary": "It is down"},
            "startsAt": "2026-11-24T08:00:00.5Z",
            "endsAt": "0001-01-01T00:00:00Z",
        }
        body = json.dumps({"version": "4", "status": status, "alerts": [alert]})
        return post(box, "/api/v1/hooks/alertmanager/prom", body, {"authorization": f"Bearer {token}"})

    assert send("firing", "another token") == 401
    assert send("firing") == 200
    wait_until("the message", lambda: everybody.at("/hook"))
    assert send("resolved") == 200 and send("firing") == 200
    incidents = box.api("GET", "/api/v1/incidents?monitor=alertmanager.Down").json()["incidents"]
    assert [one["status"] for one in incidents] == ["resolved"], incidents
    wait_until("the end", lambda: [one for one in everybody.at("/hook") if one["type"] == "incident.resolved"])
    assert box.stop() == 0
