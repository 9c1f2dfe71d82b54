"""From calls to a spent budget, a freeze that CI reads, and back: over real sockets, and through a restart."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from harness import BINARY, Signalbox, wait_until

# The simulated provider takes longer than this for any answer.
COUNTS = {"measures": [{"fn": "count", "as": "bad"}, {"fn": "count", "as": "all"}]}
# Whatever is counted is bad.
IMPOSSIBLE: dict[str, Any] = {
    "good": {"ratio": {"query": COUNTS, "bad": "bad", "over": "all"}},
    "objective": 0.9,
    "period": "1d",
    "freeze_below": 0.2,
}
EASY: dict[str, Any] = {"name": "easy", "good": {"availability": {}}, "objective": 0.9, "period": "7d"}
CONFIG = "watch: " + json.dumps({"starter": False, "objectives": [EASY]}) + "\n"


def call(box: Signalbox, times: int) -> None:
    body = {"model": "sim/small", "messages": [{"role": "user", "content": "Hello"}]}
    for _ in range(times):
        assert box.api("POST", "/v1/chat/completions", json=body).status_code == 200


def check(box: Signalbox) -> subprocess.CompletedProcess[str]:
    arguments = [str(BINARY), "objectives", "check", "--url", box.url, "--key", box.key]
    return subprocess.run(arguments, capture_output=True, text=True, timeout=30)


def spans(box: Signalbox) -> int:
    kind = {"field": "kind", "op": "=", "value": "llm"}
    return sum(row["spans"] for row in box.query(measures=[{"fn": "count", "as": "spans"}], filter=kind))


def test_a_spent_budget_freezes_releases(tmp_path: Path):
    box = Signalbox(tmp_path, CONFIG)
    call(box, 6)
    wait_until("the calls to be stored", lambda: spans(box) == 6)
    assert check(box).returncode == 0

    tried = box.api("POST", "/api/v1/objectives/test", json={"objective": {"name": "quick", **IMPOSSIBLE}})
    assert tried.status_code == 200, tried.text
    assert tried.json()["standing"]["bad"] == 6 and tried.json()["standing"]["frozen"], tried.text
    assert box.api("GET", "/api/v1/objectives/quick").status_code == 404

    saved = box.api("PUT", "/api/v1/objectives/quick", json=IMPOSSIBLE)
    assert saved.status_code == 200, saved.text
    standing = saved.json()["standing"]
    assert (standing["bad"], standing["total"]) == (6, 6), standing
    assert standing["budget_left"] < 0 and standing["burn_down"][-1]["left"] == standing["budget_left"], standing
    easy = box.api("GET", "/api/v1/objectives/easy").json()
    assert easy["source"] == "config" and not easy["standing"]["frozen"], easy

    frozen = box.api("GET", "/api/v1/release_freeze").json()
    assert frozen["frozen"] and [one["objective"] for one in frozen["reasons"]] == ["quick"], frozen
    done = check(box)
    assert done.returncode == 1 and "quick: the error budget is spent" in done.stderr, (done.stdout, done.stderr)
    arguments = [str(BINARY), "objectives", "list", "--url", box.url, "--key", box.key]
    listed = subprocess.run(arguments, capture_output=True, text=True, timeout=30)
    assert listed.returncode == 0 and "quick" in listed.stdout and "wait" in listed.stdout, listed

    # Its monitor is there, and its budget in the metrics, by the loop that counts.
    assert box.api("GET", "/api/v1/monitors/objective.quick").json()["source"] == "objective"
    label = 'signalbox_objective_frozen{project="default",objective="quick"} 1'
    wait_until("the metrics", lambda: label in box.api("GET", "/metrics").text)
    assert box.stop() == 0

    again = Signalbox(tmp_path, CONFIG)
    assert again.api("GET", "/api/v1/release_freeze").json()["frozen"]
    assert again.api("DELETE", "/api/v1/objectives/quick").status_code == 204
    assert not again.api("GET", "/api/v1/release_freeze").json()["frozen"]
    refused = again.api("PUT", "/api/v1/objectives/quick", json={**IMPOSSIBLE, "objective": 99.9})
    assert refused.status_code == 400 and refused.json()["error"]["field"] == "objective", refused.text
    assert again.stop() == 0


def test_people_freeze_releases_and_a_crash_forgets_it_not(tmp_path: Path):
    box = Signalbox(tmp_path, CONFIG)
    wanted = {"frozen": True, "reason": "the provider moves", "by": "ann"}
    assert box.api("PUT", "/api/v1/release_freeze", json=wanted).json()["frozen"]
    box.kill()
    again = Signalbox(tmp_path, CONFIG)
    done = check(again)
    assert done.returncode == 1 and "ann has frozen releases: the provider moves" in done.stderr, done.stderr
    assert not again.api("PUT", "/api/v1/release_freeze", json={"frozen": False}).json()["frozen"]
    assert check(again).returncode == 0
    assert again.stop() == 0
    # Who can't be asked is no reason to release.
    assert check(again).returncode == 2
