"""An incident switches a route by itself. It stays so over `kill -9` and a restart, by which the node has its lease
again at once, until somebody switches it back."""

from __future__ import annotations

import json
from pathlib import Path

import httpx

from harness import Signalbox, wait_until

CONFIG = "\n".join(
    f"{section}: {json.dumps(content)}"
    for section, content in {
        "routes": [
            {"name": "chat", "targets": [{"provider": "sim", "model": "small"}]},
            {"name": "backup", "targets": [{"provider": "sim", "model": "large"}]},
        ],
        "watch": {
            "starter": False,
            "monitors": [
                {
                    "name": "crowd",
                    "query": {"measures": [{"fn": "count"}]},
                    "window": "10s",
                    "every": "1s",
                    "delay": "0s",
                    "auto_resolve": False,
                    "condition": {"threshold": {"above": 2}},
                    "actions": [{"name": "Away", "switch_route": {"route": "chat", "to": "backup"}, "automatic": True}],
                }
            ],
        },
    }.items()
)


def route(box: Signalbox) -> str:
    """The route that answers a call for `chat`."""
    body = {"model": "chat", "messages": [{"role": "user", "content": "Hello"}]}
    answer = httpx.post(f"{box.url}/v1/chat/completions", headers=box.headers, json=body, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.headers["x-signalbox-route"]


def test_a_route_that_an_incident_switched_stays_so_until_somebody_switches_it_back(tmp_path: Path) -> None:
    box = Signalbox(tmp_path, CONFIG + "\n")
    assert [route(box) for _ in range(3)] == ["chat"] * 3
    wait_until("the route to be switched", lambda: route(box) == "backup" or None, 60)
    box.kill()

    box = Signalbox(tmp_path, CONFIG + "\n")
    assert route(box) == "backup"
    shown = box.api("GET", "/api/v1/routes").json()["routes"][0]["detour"]
    assert shown["to"] == "backup"
    leads = box.api("GET", "/api/v1/status").json()["watch"]
    assert leads["leads"] and leads["leader"] == leads["node"], leads
    assert box.metrics()["signalbox_watch_leader"] == 1

    back = box.api("DELETE", "/api/v1/routes/chat/detour")
    assert back.status_code == 200, back.text
    assert route(box) == "chat"
    incident = box.api("GET", f"/api/v1/incidents/{shown['incident']}").json()
    texts = [entry["text"] for entry in incident["timeline"] if entry["what"] == "action"]
    assert len(texts) == 2 and texts[0].endswith("until the incident is over, by itself"), texts

    def drawn() -> bool | None:
        history = box.api("GET", f"/api/v1/incidents/{shown['incident']}/history").json()
        return any(point["firing"] for point in history["series"][0]["points"]) or None

    # Windows are drawn when they are over.
    wait_until("the window that fired to be drawn", drawn, 30)
    assert box.stop() == 0
