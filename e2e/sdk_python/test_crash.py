"""The process is killed at random moments, again and again, while it takes spans and later versions of
them, answers queries, writes and merges files, and erases. What it acknowledged is there, once."""

from __future__ import annotations

import os
import random
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from harness import Signalbox, wait_until

KILLS = int(os.environ.get("SIGNALBOX_KILLS", "200"))
# A tiny memtable has files written, and merged, within the life of each process.
CONFIG = "store:\n  memtable_mb: 1\n  flush_after_s: 1\n"
USERS = 40
BEGAN = time.time_ns() - 3_600_000_000_000


@dataclass
class Noted:
    """What the clients know."""

    acknowledged: dict[str, int] = field(default_factory=dict)
    """Trace id → the last version that was acknowledged."""
    users: dict[str, str] = field(default_factory=dict)
    """Trace id → its user, of all that were ever sent."""
    erasing: set[str] = field(default_factory=set)
    """Users whose erasure was asked for, acknowledged or not: nothing more is sent of them."""
    erased: set[str] = field(default_factory=set)
    """… and acknowledged."""


def span(trace: str, user: str, version: int, text: str) -> dict:
    attributes = {"version": str(version), "user.id": user, "text": text}
    start = BEGAN + int(trace[:8], 16) * 1_000_000
    return {
        "traceId": trace,
        "spanId": trace[:16],
        "name": "step",
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + 1_000_000),
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()],
    }


def send(box: Signalbox, noted: Noted, stop: threading.Event, dice: random.Random) -> None:
    with httpx.Client(headers=box.headers, timeout=10) as client:
        while not stop.is_set():
            batch: dict[str, int] = {}
            for trace in dice.sample(sorted(noted.acknowledged), min(3, len(noted.acknowledged))):
                if noted.users[trace] not in noted.erasing:
                    batch[trace] = noted.acknowledged[trace] + 1
            for _ in range(12):
                user = f"user-{dice.randrange(USERS)}"
                if user not in noted.erasing:
                    trace = f"{len(noted.users) + 1:08x}{dice.getrandbits(96):024x}"
                    noted.users[trace] = user
                    batch[trace] = 1
            spans = [span(trace, noted.users[trace], batch[trace], dice.randbytes(4_000).hex()) for trace in batch]
            body = {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}
            try:
                status = client.post(f"{box.url}/v1/traces", json=body).status_code
            except httpx.TransportError:
                return
            if status == 200:
                noted.acknowledged.update(batch)


def ask(box: Signalbox, stop: threading.Event) -> None:
    query = {"time": {"from": "now-3650d"}, "measures": [{"fn": "count"}], "group_by": ["user_id"]}
    with httpx.Client(headers=box.headers, timeout=10) as client:
        while not stop.is_set():
            try:
                assert client.post(f"{box.url}/api/v1/query", json=query).status_code == 200
            except httpx.TransportError:
                return


def erase(box: Signalbox, noted: Noted, user: str) -> None:
    """Nothing of this user is sent any more; what is under way is waited for by its sender."""
    noted.erasing.add(user)
    try:
        answer = httpx.post(f"{box.url}/api/v1/erasures", json={"user_id": user}, headers=box.headers, timeout=60)
    except httpx.TransportError:
        return
    if answer.status_code == 200:
        noted.erased.add(user)


def test_acknowledged_spans_survive_kill_9(tmp_path: Path) -> None:
    dice = random.Random(20_261_124)
    noted = Noted()
    for kill in range(KILLS):
        box = Signalbox(tmp_path, CONFIG)
        stop = threading.Event()
        before = len(noted.acknowledged)
        workers = [
            threading.Thread(target=send, args=(box, noted, stop, random.Random(kill))),
            threading.Thread(target=ask, args=(box, stop)),
        ]
        for worker in workers:
            worker.start()
        wait_until("an acknowledged span", lambda b=before: len(noted.acknowledged) > b or None)
        erasing = kill % 8 == 3 and len(noted.erasing) < USERS // 2
        if erasing:
            workers.append(threading.Thread(target=erase, args=(box, noted, f"user-{len(noted.erasing)}")))
            workers[-1].start()
        # The moment is what is random here; nothing waits for a condition.
        time.sleep(dice.random() * (2.0 if erasing else 0.35))
        box.kill()
        stop.set()
        for worker in workers:
            worker.join()
    box = Signalbox(tmp_path, CONFIG)
    check(found(box), noted)
    assert counted(box, "span_minutes") == counted(box, "spans"), "what spans sum up to"
    assert box.stop() == 0
    box = Signalbox(tmp_path, CONFIG)
    check(found(box), noted)
    assert counted(box, "span_minutes") == counted(box, "spans"), "what spans sum up to"
    assert box.stop() == 0


def found(box: Signalbox) -> list[tuple[str, int]]:
    """Every stored trace id with its version."""
    rows: list[tuple[str, int]] = []
    cursor = None
    while True:
        page = {"time": {"from": "now-3650d"}, "select": ["trace_id", "attributes.version"], "limit": 5000}
        answer = box.api("POST", "/api/v1/query", json={**page, **({"cursor": cursor} if cursor else {})}).json()
        rows += [(row[0], int(row[1])) for row in answer["rows"]]
        cursor = answer.get("next_cursor")
        if not cursor:
            return rows


def counted(box: Signalbox, table: str) -> list[list]:
    measures = [{"fn": "count"}]
    query = {"table": table, "time": {"from": "now-3650d"}, "measures": measures, "bucket": "1m", "limit": 5000}
    return box.api("POST", "/api/v1/query", json=query).json()["rows"]


def check(rows: list[tuple[str, int]], noted: Noted) -> None:
    versions = dict(rows)
    assert len(rows) == len(versions), f"{len(rows) - len(versions)} doubled"
    kept = {trace: version for trace, version in noted.acknowledged.items() if noted.users[trace] not in noted.erasing}
    lost = [trace for trace in kept if trace not in versions]
    assert not lost, f"{len(lost)} of {len(kept)} lost"
    stale = [trace for trace, version in kept.items() if versions[trace] < version]
    assert not stale, f"{len(stale)} of {len(kept)} are an older version"
    forgotten = [trace for trace in versions if noted.users[trace] in noted.erased]
    # A request that was under way when its user's erasure was asked for may be stored after it.
    assert len(forgotten) <= 12 * len(noted.erased), f"{len(forgotten)} of erased users are there"
