"""What `wrk` does not see: how late each piece of a stream is, memory of thousands of quiet streams, and its growth."""

from __future__ import annotations

import asyncio
import json
import re
import resource
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from load import Case, answers, body_for, load
from servers import KEY, Server, free_port, start, wait_for

STAMPS = Path(__file__).with_name("stamps.py")
# Besides the streams, a server has files of its own open.
OTHER_FILES = 300


def request_headers(server: Server, **more: str) -> dict[str, str]:
    return {"content-type": "application/json", "authorization": f"Bearer {KEY}", **server.headers, **more}


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def delays(make: list, rounds: int, seconds: float, streams: int, pace_ms: int) -> dict[str, tuple[float, float]]:
    """Microseconds that a piece takes longer than from provider to caller directly: median and 99th percentile."""
    port = free_port()
    provider = start([sys.executable, str(STAMPS), "serve", str(port), "50", str(pace_ms)])
    try:
        # Before those that stand before it: they answer 502 until it listens.
        wait_for(f"http://127.0.0.1:{port}", provider)
        servers = [one for one in (maker(port) for maker in make) if one]
        servers = [one for one in servers if answers(one, Case("every piece", 1, 1, stream=True))]
        ports = {"direct": port, **{one.name: int(one.url.rsplit(":", 1)[1]) for one in servers}}
        by_name = {one.name: one for one in servers}
        seen: dict[str, list[tuple[float, float]]] = {name: [] for name in ports}
        print(f"\nevery piece of {streams} streams, one in {pace_ms} ms each: from sent to seen, µs")
        for number in range(rounds + 1):
            for name, its_port in ports.items():
                server = by_name.get(name)
                body = body_for(server.model if server else "small", 1, True)
                asked = {
                    "streams": streams,
                    "seconds": seconds,
                    "body": json.dumps(body),
                    "headers": request_headers(server) if server else {},
                }
                arguments = [sys.executable, str(STAMPS), "read", str(its_port)]
                read = subprocess.run(arguments, input=json.dumps(asked), capture_output=True, text=True, check=True)
                found = json.loads(read.stdout)
                if number:
                    seen[name].append((statistics.median(found), percentile(found, 0.99)))
        added = {}
        for name, mine in seen.items():
            middle = [statistics.median(one[place] for one in mine) for place in (0, 1)]
            pairs = list(zip(mine, seen["direct"], strict=True))
            more = [statistics.median(a[place] - b[place] for a, b in pairs) for place in (0, 1)]
            added[name] = (more[0], more[1])
            print(f"{name:<12}p50 {middle[0]:>7.0f}  p99 {middle[1]:>7.0f}  added {more[0]:>7.0f} {more[1]:>7.0f}")
        return added
    finally:
        provider.terminate()
        provider.wait()


def most_streams(wanted: int) -> int:
    """Each takes two files of a gateway."""
    return min(wanted, (resource.getrlimit(resource.RLIMIT_NOFILE)[0] - OTHER_FILES) // 2)


def idle_streams(server: Server, wanted: int) -> tuple[int, float]:
    """Opens streams that send one piece and then nothing; how many there are, and megabytes that they take."""
    count = most_streams(wanted)
    if count < wanted:
        print(f"only {count} of {wanted} streams: a process may have no more files open here (ulimit -Hn)")
    body = json.dumps(body_for(server.model, 1, True)).encode()
    headers = request_headers(server, **{"x-sim-stall-after": "1", "content-length": str(len(body))})
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    request = f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\n{lines}\r\n".encode() + body
    port = int(server.url.rsplit(":", 1)[1])

    async def opened(room: asyncio.Semaphore) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        async with room:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=4_096)
            writer.write(request)
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
            if b" 200 " not in head.split(b"\r\n", 1)[0]:
                sys.exit(f"{server.name} refused a stream: {head[:200]!r}")
            await asyncio.wait_for(reader.readuntil(b"data:"), 60)
            return reader, writer

    async def used_by(count: int) -> float:
        room = asyncio.Semaphore(64)
        streams = await asyncio.gather(*(opened(room) for _ in range(count)))
        await asyncio.sleep(3)
        if any(reader.at_eof() for reader, _ in streams):
            sys.exit(f"{server.name} has ended quiet streams")
        used = server.memory_mb()
        for _, writer in streams:
            writer.transport.abort()
        return used

    # What the first streams bring into memory once, code above all, is none of the others'.
    asyncio.run(used_by(64))
    time.sleep(5)
    before = server.memory_mb()
    used = asyncio.run(used_by(count))
    time.sleep(5)
    after = server.memory_mb()
    took = used - before
    of_ten_thousand = before + took / count * 10_000
    print(
        f"{server.name:<12}{count} quiet streams: {before:.0f} MB before, {used:.0f} MB with them "
        f"({took * 1024 / count:.1f} KB a stream, {of_ten_thousand:.0f} MB with 10,000), {after:.0f} MB after"
    )
    return count, of_ten_thousand


# When a server has used no more than this of a processor for so many seconds, files are written, merged and indexed:
# rows that are worth a file wait for half a minute.
CALM_S = 40
CALM_SHARE = 0.05
MOST_CALM_S = 600


def waiting_mb(server: Server) -> float:
    """Megabytes of rows that are not in files yet: some wait there for minutes."""
    text = urllib.request.urlopen(f"{server.url}/metrics", timeout=10).read().decode()
    return float(re.search(r"^signalbox_store_memtable_bytes\S* (\S+)", text, re.MULTILINE)[1]) / 2**20


def calm(server: Server) -> float:
    """Megabytes that a server takes once it has come to rest, without rows that wait for a file."""
    quiet, used, until = 0, server.cpu_seconds(), time.monotonic() + MOST_CALM_S
    while quiet < CALM_S:
        if time.monotonic() > until:
            print(f"{server.name} still has work {MOST_CALM_S} s after the last call", file=sys.stderr)
            break
        time.sleep(1)
        before, used = used, server.cpu_seconds()
        quiet = quiet + 1 if used - before <= CALM_SHARE else 0
    return server.memory_mb() - waiting_mb(server)


# What a server remembers on purpose has a bound, which the first minutes reach.
WARM_S = 300


def soak(server: Server, minutes: float, folder: Path) -> tuple[float, float]:
    """Loads a server with whole, streamed and long calls by turns; by how much a minute what it keeps has grown, from
    the end of the first minutes to that of the last, and the most that it took. What rows and their index take until
    they are written comes and goes: at full load some of it is always waiting, so that both ends wait for it."""
    cases = [Case("whole", 1, 64, pause_ms=20), Case("streams", 1, 64, stream=True, pause_ms=20), Case("long", 16, 16)]
    calls = 0

    def turns(seconds: float) -> None:
        nonlocal calls
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 1:
            for case in cases:
                calls += load(server, case, max(1, min(10, int(left / 3))), folder)[0]["requests"]

    turns(WARM_S)
    first, warm = calm(server), calls
    turns(minutes * 60)
    last, most = calm(server), server.memory_mb("VmHWM")
    slope = (last - first) / minutes
    a_call = (last - first) * 2**20 / max(calls - warm, 1)
    print(
        f"{server.name:<12}{minutes:g} min, {calls - warm} calls: {first:.0f} MB after {WARM_S / 60:g} minutes before, "
        f"{most:.0f} MB at most, {last:.0f} MB after the last ({slope:+.2f} MB a minute, {a_call:+.1f} bytes a call)"
    )
    return slope, most
