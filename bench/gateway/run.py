"""Signalbox against nginx, LiteLLM and Portkey, the same provider behind all of them, in the same run.

Every round loads direct calls and each server one after the other; what is printed is the median over the rounds and
its ratio to a base. CPU is read from /proc, so it holds at any load.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
import urllib.request
from pathlib import Path

from load import HEAD, Case, Figures, added, compare, ratio
from servers import Rig, Server, raise_limits
from streams import delays, idle_streams, soak

# As fast as models of today write.
PACE_MS = 10
GOALS = {
    "CPU of nginx's, 100 ms provider": 2.5,
    "CPU of LiteLLM's": 1 / 20,
    "added p50, µs": 150,
    "added p99, µs": 1_000,
    "a piece later, p99, µs": 200,
    "10,000 quiet streams, MB": 500,
    "growth in the soak, MB/min": 0.5,
}


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=2, help="of one round")
    parser.add_argument("--connections", type=int, nargs="*", default=[1, 16, 64, 256, 1_000])
    parser.add_argument("--kilobytes", type=int, nargs="*", default=[1, 16, 128], help="of a prompt")
    parser.add_argument("--latency-ms", type=int, default=100, help="of the provider, in the cases below saturation")
    parser.add_argument("--base", choices=["direct", "nginx", "signalbox", "litellm", "portkey"], default="nginx")
    parser.add_argument("--without", nargs="*", default=[], choices=["litellm", "portkey"])
    parser.add_argument("--pieces", type=int, default=16, help="streams whose pieces are timed; 0 leaves that out")
    parser.add_argument("--idle-streams", type=int, default=0, metavar="N", help="quiet streams, for their memory")
    parser.add_argument("--soak", type=float, default=0, metavar="MINUTES", help="of load, for growth of memory")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the figures against the goals")
    return parser.parse_args()


def main() -> None:
    chosen = options()
    raise_limits()
    with tempfile.TemporaryDirectory(prefix="signalbox-gateway-") as temporary, Rig(Path(temporary)) as rig:
        got = measure(chosen, rig)
    print(f"\n{'goal':<36}{'at most':>10}{'measured':>10}")
    for name, value in got.items():
        print(f"{name:<36}{GOALS[name]:>10.3g}{value:>10.3g}  {'yes' if value <= GOALS[name] else 'NO'}")
    if chosen.json:
        chosen.json.write_text(json.dumps({name: {"goal": GOALS[name], "is": value} for name, value in got.items()}))


def peers(rig: Rig, provider: int, without: list[str]) -> list[Server]:
    made = [rig.nginx(provider), rig.signalbox(provider)]
    made += [
        make(provider) for name, make in (("litellm", rig.litellm), ("portkey", rig.portkey)) if name not in without
    ]
    return [server for server in made if server]


def measure(chosen: argparse.Namespace, rig: Rig) -> dict[str, float]:
    got: dict[str, float] = {}
    fast_direct, fast = rig.provider(0)
    servers = [fast_direct, *peers(rig, fast, chosen.without)]
    box = next(server for server in servers if server.name == "signalbox")
    # Where memory at rest is looked at, nothing was called yet.
    time.sleep(1)
    print("at rest: " + ", ".join(f"{server.name} {server.memory_mb():.0f} MB" for server in servers[1:]))
    print(f"\n{HEAD}\n{'-' * len(HEAD)}")
    for stream in (False, True):
        for kilobytes in chosen.kilobytes:
            for connections in chosen.connections:
                what = "stream" if stream else "whole"
                case = Case(
                    f"as fast as it goes, {what}, {kilobytes} KB, {connections}", kilobytes, connections, stream
                )
                compare(case, servers, chosen.base, chosen.rounds, chosen.seconds, rig.folder)
    below(chosen, rig, got)
    print("\nmost memory: " + ", ".join(f"{server.name} {server.memory_mb('VmHWM'):.0f} MB" for server in servers[1:]))
    shed(box)
    if chosen.pieces:
        makers = [rig.nginx, rig.signalbox]
        makers += [
            make for name, make in (("litellm", rig.litellm), ("portkey", rig.portkey)) if name not in chosen.without
        ]
        late = delays(makers, chosen.rounds, chosen.seconds, chosen.pieces, 20)
        if "signalbox" in late:
            got["a piece later, p99, µs"] = late["signalbox"][1]
    if chosen.idle_streams:
        print()
        for server in (rig.nginx(fast), rig.signalbox(fast)):
            megabytes = idle_streams(server, chosen.idle_streams)[1]
        got["10,000 quiet streams, MB"] = megabytes
    if chosen.soak:
        print()
        got["growth in the soak, MB/min"] = soak(rig.signalbox(fast), chosen.soak, rig.folder)[0]
    return got


def below(chosen: argparse.Namespace, rig: Rig, got: dict[str, float]) -> None:
    """Calls that take their time, from callers that come when they like: what is added to them."""
    direct, slow = rig.provider(chosen.latency_ms)
    servers = [direct, *peers(rig, slow, chosen.without)]
    kinds = (("whole", False, 0), ("fresh", False, 0), ("stream, paced", True, PACE_MS), ("stream, burst", True, 0))
    for what, stream, pace_ms in kinds:
        name, fresh = f"{chosen.latency_ms} ms, 1 KB, 64, {what}", what == "fresh"
        case = Case(name, 1, 64, stream, chosen.latency_ms, pace_ms, fresh)
        figures = compare(case, servers, chosen.base, chosen.rounds, max(chosen.seconds, 3), rig.folder)
        if what == "whole":
            against_goals(figures, got)


def against_goals(figures: dict[str, Figures], got: dict[str, float]) -> None:
    mine = figures["signalbox"]
    got["CPU of nginx's, 100 ms provider"] = ratio(mine, figures["nginx"], "cpu")
    if "litellm" in figures:
        got["CPU of LiteLLM's"] = ratio(mine, figures["litellm"], "cpu")
    got["added p50, µs"] = added(mine, figures["direct"], "p50")
    got["added p99, µs"] = added(mine, figures["direct"], "p99")


def shed(box: Server) -> None:
    """Whether every call was recorded."""
    text = urllib.request.urlopen(f"{box.url}/metrics", timeout=10).read().decode()
    for line in text.splitlines():
        if "shed" in line and not line.startswith("#"):
            print(line)


if __name__ == "__main__":
    main()
