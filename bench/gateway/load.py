"""Closed loops of calls by `wrk`, every server in turn in every round, and the table of what came of it."""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from servers import KEY, Server

# Below saturation, callers come when they like: without this, the connections of a closed loop fall into
# step, and each sees a queue of 63 others that real callers would not.
DELAY = "math.randomseed({seed}) delay = function() return math.random(0, {most}) end"

# The words in whose place a fresh prompt has a number that no call before has had.
NUMBER = "signal box"
FRESH = """
local mine, number = os.time() .. string.sub(tostring({{}}), 8), 0
local at = string.find(wrk.body, "{number}", 1, true)
local before, after = string.sub(wrk.body, 1, at - 1), string.sub(wrk.body, at + {length})
request = function()
  number = number + 1
  return wrk.format(nil, nil, nil, before .. mine .. number .. after)
end
"""

WRK = """
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
wrk.headers["authorization"] = "Bearer {key}"
{headers}
local file = io.open("{body}", "r")
wrk.body = file:read("*a")
{delay}
{fresh}
done = function(summary, latency, requests)
  io.write(string.format('RESULT {{"requests": %d, "us": %d, "p50": %d, "p99": %d, "errors": %d}}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write
      + summary.errors.timeout))
end
"""
HEAD = (
    f"{'case':<36}{'server':<11}{'calls/s':>9}{'p50 µs':>9}{'p99 µs':>9}{'+p50':>8}{'+p99':>9}"
    f"{'CPU µs':>9}{'of base':>9}{'calls of base':>15}"
)


@dataclass
class Case:
    """One kind of load."""

    name: str
    kilobytes: int
    connections: int
    stream: bool = False
    """Up to so many milliseconds between an answer and the next call of its connection."""
    pause_ms: int = 0
    """Milliseconds between two pieces of a stream."""
    pace_ms: int = 0
    """Whether each prompt is one that was never sent before, so that nothing is known of it."""
    fresh: bool = False


@dataclass
class Figures:
    """What one server did in the rounds of one case."""

    throughput: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    errors: int = 0

    def median(self, what: str) -> float:
        return statistics.median(getattr(self, what))


def body_for(model: str, kilobytes: int, stream: bool) -> dict:
    text = (f"The {NUMBER} routes trains and keeps the register. " * 25)[:1024]
    messages = [{"role": "user" if i % 2 == 0 else "assistant", "content": text} for i in range(kilobytes - 1 | 1)]
    return {"model": model, "messages": messages, **({"stream": True} if stream else {})}


def load(server: Server, case: Case, seconds: float, folder: Path) -> tuple[dict, float]:
    """One round: what wrk saw, and the CPU seconds that the server used meanwhile."""
    (folder / "body.json").write_text(json.dumps(body_for(server.model, case.kilobytes, case.stream)))
    delay = DELAY.format(seed=case.connections, most=case.pause_ms) if case.pause_ms else ""
    headers = {**server.headers, **({"x-sim-chunk-delay-ms": case.pace_ms} if case.pace_ms else {})}
    fresh = FRESH.format(number=NUMBER, length=len(NUMBER)) if case.fresh else ""
    lines = "\n".join(f'wrk.headers["{name}"] = "{value}"' for name, value in headers.items())
    script = folder / "wrk.lua"
    script.write_text(WRK.format(key=KEY, body=folder / "body.json", delay=delay, fresh=fresh, headers=lines))
    before = server.cpu_seconds()
    threads = min(2, case.connections)
    command = ["wrk", f"-t{threads}", f"-c{case.connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(script)]
    done = subprocess.run([*command, f"{server.url}/v1/chat/completions"], capture_output=True, text=True, check=True)
    used = server.cpu_seconds() - before
    found = re.search(r"RESULT (.*)", done.stdout)
    if not found:
        sys.exit(f"wrk said something else:\n{done.stdout}\n{done.stderr}")
    return json.loads(found[1]), used


def call(server: Server, body: dict, path: str = "/v1/chat/completions") -> bytes:
    """One whole answer.

    Raises:
        OSError: the server can't be reached, or refuses.
    """
    headers = {"content-type": "application/json", "authorization": f"Bearer {KEY}", **server.headers}
    request = urllib.request.Request(f"{server.url}{path}", json.dumps(body).encode(), headers)
    return urllib.request.urlopen(request, timeout=30).read()


def answers(server: Server, case: Case) -> bool:
    """Whether it answers such a call at all; if not, that is said, and it is left out."""
    try:
        call(server, body_for(server.model, case.kilobytes, case.stream))
    except OSError as error:
        print(f"{case.name:<36}{server.name:<11}is left out: it answers such a call with {error}", flush=True)
        return False
    return True


def compare(
    case: Case, servers: list[Server], base: str, rounds: int, seconds: float, folder: Path
) -> dict[str, Figures]:
    """Every server in every round, so that a machine that gets slower meanwhile does so for all of them."""
    servers = [server for server in servers if answers(server, case)]
    figures = {server.name: Figures() for server in servers}
    for number in range(rounds + 1):
        for server in servers:
            seen, cpu = load(server, case, seconds, folder)
            # The first round warms connections and caches up.
            if number == 0:
                continue
            mine, calls = figures[server.name], max(seen["requests"], 1)
            mine.throughput.append(seen["requests"] / (seen["us"] / 1e6))
            mine.p50.append(seen["p50"])
            mine.p99.append(seen["p99"])
            mine.cpu.append(cpu / calls * 1e6)
            mine.errors += seen["errors"]
    show(case, figures, base)
    return figures


def added(mine: Figures, direct: Figures, what: str) -> float:
    """Round by round against the direct calls of the same round."""
    pairs = zip(getattr(mine, what), getattr(direct, what), strict=True)
    return statistics.median(a - b for a, b in pairs)


def ratio(mine: Figures, other: Figures, what: str) -> float:
    pairs = zip(getattr(mine, what), getattr(other, what), strict=True)
    return statistics.median(a / b if b else float("inf") for a, b in pairs)


def show(case: Case, figures: dict[str, Figures], base: str) -> None:
    for server, mine in figures.items():
        plus = [added(mine, figures["direct"], what) for what in ("p50", "p99")]
        of_base = [ratio(mine, figures[base], what) for what in ("cpu", "throughput")]
        print(
            f"{case.name:<36}{server:<11}{mine.median('throughput'):>9.0f}{mine.median('p50'):>9.0f}"
            f"{mine.median('p99'):>9.0f}{plus[0]:>8.0f}{plus[1]:>9.0f}{mine.median('cpu'):>9.0f}"
            f"{of_base[0]:>8.2f}×{of_base[1]:>14.2f}×" + (f"  {mine.errors} ERRORS" if mine.errors else ""),
            flush=True,
        )
