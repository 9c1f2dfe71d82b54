"""What evaluating 1,000 monitors costs: by itself, and in a running Signalbox that takes spans."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import pathlib
import random
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = ROOT / "target" / "release" / "signalbox"
KEY = "sb-bench-bootstrap-key"
TICKS = os.sysconf("SC_CLK_TCK")
GOAL = 0.2
# Each monitor sees ten models; services tell their questions apart.
MODELS, SERVICES = 10, 100
SPANS_A_SECOND = 40
KINDS = [
    ({"fn": "count"}, "span_minutes"),
    ({"fn": "sum", "column": "cost"}, "span_minutes"),
    ({"fn": "sum", "column": "total_tokens"}, "span_minutes"),
    ({"fn": "p95", "column": "duration_ms"}, "span_minutes"),
    ({"fn": "p50", "column": "duration_ms"}, "span_minutes"),
    ({"fn": "avg", "column": "duration_ms"}, "spans"),
    ({"fn": "count", "filter": {"field": "status", "op": "=", "value": "error"}, "as": "failed"}, "span_minutes"),
    ({"fn": "count", "filter": {"field": "status", "op": "=", "value": "error"}, "as": "failed"}, "spans"),
    ({"fn": "max", "column": "duration_ms"}, "spans"),
    ({"fn": "count"}, "spans"),
]


def cost(examples: pathlib.Path, monitors: int, minutes: int, data: pathlib.Path | None) -> dict:
    own = json.loads(subprocess.check_output([examples / "evaluate", str(monitors), str(MODELS), "60"]))
    print(f"evaluation by itself (a store that costs nothing): {own['share_of_core']:.2%} of a core")
    if not BINARY.is_file():
        sys.exit(f"error: there is no {BINARY}; `cargo build --release` makes it")
    result = {"own": own, "minutes": minutes, "monitors": monitors}
    with tempfile.TemporaryDirectory(prefix="bench-watch-") as folder:
        folder = pathlib.Path(folder)
        data = data or folder / "data"
        for name, many in [("without", 0), ("with", monitors)]:
            result[name] = running(folder, data, many, minutes)
            print(f"{name} {many} monitors: {result[name]['share_of_core']:.2%} of a core")
    share = result["with"]["share_of_core"] - result["without"]["share_of_core"]
    result["share_of_core"] = share
    said, spans = "met" if share <= GOAL else "NOT MET", result["with"]["spans"]
    print(
        f"{monitors} monitors × {MODELS} series a minute, at {spans:,} spans: {share:.2%} (goal ≤ {GOAL:.0%}: {said})"
    )
    return result


def running(folder: pathlib.Path, data: pathlib.Path, monitors: int, minutes: int) -> dict:
    config = folder / "signalbox.yaml"
    watch = {"starter": False, "monitors": [monitor(number) for number in range(monitors)]}
    config.write_text("server: {otlp_http: null, otlp_grpc: null}\nwatch: " + json.dumps(watch) + "\n")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = [str(BINARY), "up", "--listen", f"127.0.0.1:{port}", "--data", str(data), "--config", str(config)]
    with (folder / "signalbox.log").open("ab") as log:
        env = {**os.environ, "SIGNALBOX_BOOTSTRAP_KEY": KEY}
        child = subprocess.Popen(arguments, env=env, stdout=log, stderr=log)
    try:
        ready(port, child, folder / "signalbox.log")
        # Windows fill, and what starting leaves to do is done.
        send(port, 6 * 60)
        before, began = cpu_s(child.pid), time.monotonic()
        send(port, minutes * 60)
        used, passed = cpu_s(child.pid) - before, time.monotonic() - began
        failing = evaluated(port, monitors)
        return {"share_of_core": used / passed, "spans": count(port), "failing": failing}
    finally:
        child.terminate()
        child.wait()


def monitor(number: int) -> dict:
    """A question that no other monitor has, of ten series."""
    measure, table = KINDS[number // SERVICES % len(KINDS)]
    return {
        "name": f"bench-{number}",
        "query": {
            "table": table,
            "filter": {"field": "service_name", "op": "=", "value": f"service-{number % SERVICES}"},
            "measures": [measure],
            "group_by": ["model"],
        },
        # More than KINDS × SERVICES of them differ by their windows.
        "window": f"{5 + number // (SERVICES * len(KINDS))}m",
        "condition": {"threshold": {"above": 1e12}},
    }


def ready(port: int, child: subprocess.Popen, log: pathlib.Path) -> None:
    for _ in range(1_200):
        if child.poll() is not None:
            break
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
            return
        time.sleep(0.1)
    sys.exit(f"error: Signalbox did not get ready:\n{log.read_text(errors='replace')[-2000:]}")


def post(connection: http.client.HTTPConnection, path: str, body: dict) -> dict:
    headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
    connection.request("POST", path, json.dumps(body), headers)
    answer = connection.getresponse()
    said = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path}: status {answer.status}: {said[:300]!r}")
    return json.loads(said or b"{}")


def send(port: int, seconds: int) -> None:
    """Spans of all services and models, once a second."""
    # No seed: a span with the id of one that is there would be taken for the same.
    dice, connection = random.Random(), http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        tick = time.monotonic()
        resources = []
        for _ in range(SPANS_A_SECOND):
            service, model = dice.randrange(SERVICES), dice.randrange(MODELS)
            resources.append(
                {
                    "resource": {"attributes": [text("service.name", f"service-{service}")]},
                    "scopeSpans": [{"spans": [span(dice, f"model-{model}")]}],
                }
            )
        post(connection, "/v1/traces", {"resourceSpans": resources})
        time.sleep(max(0.0, 1.0 - (time.monotonic() - tick)))
    connection.close()


def text(key: str, value: str) -> dict:
    return {"key": key, "value": {"stringValue": value}}


def span(dice: random.Random, model: str) -> dict:
    now = time.time_ns()
    whole = [("gen_ai.usage.input_tokens", 900), ("gen_ai.usage.output_tokens", 200)]
    numbers = [{"key": key, "value": {"intValue": str(value)}} for key, value in whole]
    attributes = [
        text("gen_ai.operation.name", "chat"),
        text("gen_ai.provider.name", "openai"),
        text("gen_ai.request.model", model),
        *numbers,
    ]
    return {
        "traceId": f"{dice.getrandbits(128):032x}",
        "spanId": f"{dice.getrandbits(64):016x}",
        "name": f"chat {model}",
        "startTimeUnixNano": str(now - dice.randrange(200, 4_000) * 1_000_000),
        "endTimeUnixNano": str(now),
        "status": {"code": 2 if dice.random() < 0.02 else 1},
        "attributes": attributes,
    }


def evaluated(port: int, monitors: int) -> int:
    """How many monitors could not be evaluated; all must have been, and have seen ten series."""
    if not monitors:
        return 0
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v1/monitors", headers={"authorization": f"Bearer {KEY}"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        found = json.load(answer)["monitors"]
    failing = [one for one in found if one.get("problem") or not one.get("evaluated_at")]
    if failing:
        print(f"warning: {len(failing)} monitors were not evaluated, e.g. {failing[0]}")
    return len(failing)


def count(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    everything = {"from": "1970-01-01T00:00:00Z", "to": "2200-01-01T00:00:00Z"}
    rows = post(connection, "/api/v1/query", {"time": everything, "measures": [{"fn": "count"}]})["rows"]
    return rows[0][0] if rows else 0


def cpu_s(pid: int) -> float:
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
