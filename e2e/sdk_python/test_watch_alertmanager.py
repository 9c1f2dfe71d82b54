"""Debian's Alertmanager takes incidents as alerts, and their ends."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness import Process, Signalbox, free_port, wait_until

CONFIG = """
route: {receiver: nobody, group_wait: 1s, group_interval: 1s}
receivers: [{name: nobody}]
"""


class Alertmanager(Process):
    def __init__(self, folder: Path) -> None:
        binary = shutil.which("prometheus-alertmanager")
        assert binary, "apt-get install prometheus-alertmanager"
        config = folder / "alertmanager.yml"
        config.write_text(CONFIG)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        arguments = [f"--config.file={config}", f"--storage.path={folder / 'alertmanager'}"]
        # Alone: it looks for no others of its kind.
        arguments += [f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="]
        super().__init__([binary, *arguments], folder / "alertmanager.log")
        wait_until("Alertmanager", self.ready, 30)

    def ready(self) -> bool | None:
        assert self.child.poll() is None, self.text()
        try:
            return httpx.get(f"{self.url}/-/ready", timeout=2).status_code == 200 or None
        except httpx.TransportError:
            return None

    def alerts(self) -> list[dict[str, Any]]:
        answer = httpx.get(f"{self.url}/api/v2/alerts", timeout=5)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[Alertmanager]:
    process = Alertmanager(tmp_path)
    yield process
    process.stop()


def config(alertmanager: Alertmanager) -> str:
    monitor = {
        "name": "calls",
        "query": {"measures": [{"fn": "count"}], "group_by": ["model"]},
        "window": "5s",
        "every": "1s",
        "delay": "0s",
        "no_data": "ok",
        "condition": {"threshold": {"above": 3}},
        "severity": "critical",
        "owner": "platform",
        "labels": {"team.name": "core"},
        "runbook": "There were {{value}} calls.",
        "notify": ["alerts"],
    }
    channels = [{"name": "alerts", "via": {"alertmanager": {"url": alertmanager.url}}}]
    watch = {"starter": False, "public_url": "https://box.example", "channels": channels, "monitors": [monitor]}
    return "watch: " + json.dumps(watch) + "\n"


def test_an_incident_is_an_alert_until_it_is_over(tmp_path: Path, alertmanager: Alertmanager) -> None:
    box = Signalbox(tmp_path / "box", config(alertmanager))
    body = {"model": "sim/small", "messages": [{"role": "user", "content": "Hello"}]}
    for _ in range(6):
        assert box.api("POST", "/v1/chat/completions", json=body).status_code == 200
    alert = wait_until("the alert", alertmanager.alerts, 30)[0]
    incident = box.api("GET", "/api/v1/incidents").json()["incidents"][0]
    assert alert["labels"] == {"alertname": "calls", "incident": incident["id"], "owner": "platform"}
    assert alert["status"]["state"] == "active"
    assert alert["generatorURL"] == f"https://box.example/incidents?id={incident['id']}"
    annotations = alert["annotations"]
    assert annotations["summary"] == incident["title"] and annotations["severity"] == "critical"
    assert annotations["team_name"] == "core" and annotations["runbook"].startswith("There were ")
    # It lists what fires only.
    wait_until("the alert to end", lambda: not alertmanager.alerts(), 40)
    wait_until("nothing to wait", lambda: box.api("GET", "/api/v1/messages").json()["messages"] == [])
    assert box.api("GET", f"/api/v1/incidents/{incident['id']}").json()["status"] == "resolved"
    assert box.stop() == 0


def test_an_alertmanager_that_was_away_is_told_when_it_is_back(tmp_path: Path, alertmanager: Alertmanager) -> None:
    box = Signalbox(tmp_path / "box", config(alertmanager))
    tried = box.api("POST", "/api/v1/channels/alerts/test")
    assert tried.status_code == 204, tried.text
    assert [one["labels"]["alertname"] for one in alertmanager.alerts()] == ["test"]
    alertmanager.stop()
    tried = box.api("POST", "/api/v1/channels/alerts/test")
    assert tried.status_code == 502 and "alerts" in tried.json()["error"]["message"], tried.text
    assert box.stop() == 0
