"""What scoring of arriving spans costs those who send them.

    python3 bench/store/online.py [--rounds N] [--seconds S] [--minutes M]

Three Signalboxes take the same spans in turn, as fast as they go: one without a rule, one that scores as many calls as
are 100,000 a minute with four fast metrics, one that scores every call. Then the last one gets 100,000 spans a minute;
all of them have their scores when it ends, each once. The goals: the second takes at least 90 % of what the first
takes, and nothing is left behind. Ends with 1 if one isn't met.
"""

from __future__ import annotations

import argparse
import http.client
import json
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import otlp
import sender
from box import EVERYTHING, HEADERS, Box
from spans import Workload
from words import Sentences

POOL = 100
A_MINUTE = 100_000
RULE = {
    "name": "fast",
    "scorers": [
        {"metric": "repetition"},
        {"metric": "one_line"},
        {"metric": "reading_ease"},
        {"metric": "length", "options": {"unit": "words"}},
    ],
}


def post(box: Box, path: str, body: dict) -> dict:
    connection = http.client.HTTPConnection("127.0.0.1", box.server.port, timeout=60)
    connection.request("POST", path, json.dumps(body), {**HEADERS, "content-type": "application/json"})
    answer = connection.getresponse()
    said = answer.read()
    if answer.status >= 300:
        raise RuntimeError(f"status {answer.status}: {said[:500]!r}")
    return json.loads(said)


def state(box: Box) -> dict:
    connection = http.client.HTTPConnection("127.0.0.1", box.server.port, timeout=60)
    connection.request("GET", f"/api/v1/online-rules/{RULE['name']}", headers=HEADERS)
    return json.loads(connection.getresponse().read())["state"]


def scores(box: Box) -> int:
    answer = box.ask({"table": "scores", "time": EVERYTHING, "measures": [{"fn": "count"}]})[1]
    return answer["rows"][0][0] if answer["rows"] else 0


def until_scored(box: Box, seconds: float) -> float:
    """Until nothing waits, and how long that took."""
    began = time.monotonic()
    while True:
        now = state(box)
        if now["waiting"] == 0 and not now["catching_up"]:
            return time.monotonic() - began
        if time.monotonic() - began > seconds:
            raise RuntimeError(f"still behind after {seconds} s: {now}")
        time.sleep(0.2)


def paced(box: Box, pool: list[otlp.Body], stamp: int, minutes: float) -> tuple[int, float, float]:
    """Sends so many spans a minute: how many were taken, in how many seconds, how far scores were behind at worst."""
    connection, sent, behind = sender.Connection(box.server.port, HEADERS), sender.Sent(), 0.0
    began, number = time.monotonic(), 0
    while time.monotonic() - began < minutes * 60:
        body = pool[number % len(pool)]
        body.stamp(stamp + number)
        connection.send(body, sent)
        number += 1
        if number % 20 == 0:
            behind = max(behind, state(box)["waiting"])
        wait = began + sent.spans / (A_MINUTE / 60) - time.monotonic()
        if wait > 0:
            time.sleep(wait)
    return sent.spans, time.monotonic() - began, behind


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    cache = Path.home() / ".cache" / "signalbox" / "bench-store"
    folder = Path(tempfile.mkdtemp(prefix="signalbox-online-"))
    # Calls of the last half hour: those that started more than an hour ago are late, and not what is measured here.
    end_us = int(time.time() * 1e6)
    load = Workload(Sentences(cache), POOL, end_us, days=0.02, seed=2)
    pool = [otlp.encode(load.request(number)) for number in range(POOL)]
    boxes = {name: Box(folder / name) for name in ("plain", "sampled", "scoring")}
    scoring = boxes["scoring"]
    try:
        for box in boxes.values():
            box.start()
        # How fast it goes at all says which share of the calls 100,000 a minute are.
        one, stamp = sender.for_seconds(boxes["plain"].server.port, HEADERS, pool, 1, options.connections, 3)
        share = min(1.0, A_MINUTE / 60 / (one.spans / one.seconds))
        post(boxes["sampled"], "/api/v1/online-rules", {**RULE, "sample_rate": share})
        post(scoring, "/api/v1/online-rules", RULE)
        rates = {name: [] for name in boxes}
        sent, spent = 0, 0.0
        for number in range(options.rounds):
            order = list(boxes.items())
            for name, box in order if number % 2 == 0 else reversed(order):
                one, stamp = sender.for_seconds(
                    box.server.port, HEADERS, pool, stamp, options.connections, options.seconds
                )
                rates[name].append(one.spans / one.seconds)
                if name == "sampled":
                    sent, spent = sent + one.spans, spent + one.seconds
                # What was too fast for the scorers is caught up with before the next one's turn.
                if name != "plain":
                    until_scored(box, 600)
                box.server.quiet(20)
        ratios = {
            name: statistics.median(mine / plain for mine, plain in zip(values, rates["plain"], strict=True))
            for name, values in rates.items()
        }
        for name, values in rates.items():
            said = f"as fast as it goes, {name:8} {statistics.median(values):10,.0f} spans/s"
            print(said if name == "plain" else f"{said}, {ratios[name]:.3f} of plain")
        looked = state(boxes["sampled"])["since_start"]
        calls = sum(looked[name] for name in ("scored", "no_input")) / len(RULE["scorers"])
        ratio = ratios["sampled"]
        print(f"  scored of {sent:,} spans in {spent:.0f} s: {calls:,.0f} calls, {calls / spent * 60:,.0f} a minute")
        print(f"  with these scores: {ratio:.3f} of the rate without   goal ≥ 0.9: {'yes' if ratio >= 0.9 else 'no'}")
        before, counted = scores(scoring), state(scoring)["since_start"]
        spans, seconds, behind = paced(scoring, pool, stamp, options.minutes)
        caught_up = until_scored(scoring, 600)
        made = scores(scoring) - before
        counts = {name: count - counted[name] for name, count in state(scoring)["since_start"].items()}
        print(f"{spans:,} spans in {seconds:.0f} s ({spans / seconds * 60:,.0f} a minute): {made:,} scores")
        print(f"  at most {behind:,.0f} waited; {caught_up:.1f} s after the last span none did; {counts}")
        # Every call was looked at by every scorer, once: calls that failed have no answer to score.
        looked = counts["scored"] + counts["failed"] + counts["no_input"]
        once = looked == spans * len(RULE["scorers"]) and made == counts["scored"] and counts["failed"] == 0
        print(f"  each call by each scorer, once: {'yes' if once else 'no'}")
        if options.json:
            figures = {
                "ratio": ratio,
                "of_all": ratios["scoring"],
                "spans": spans,
                "seconds": seconds,
                "scores": made,
                "waited": behind,
            }
            options.json.write_text(json.dumps({**figures, "once": once}, indent=2), encoding="utf-8")
        return int(ratio < 0.9 or not once)
    finally:
        for box in boxes.values():
            box.kill()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
