"""Signalbox against plain nginx, the same provider behind both, in the same run.

Every round loads direct, nginx and Signalbox one after the other with `wrk`; what is printed is the
median over the rounds and its ratio to nginx. CPU is read from /proc, so it holds at any load.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = ROOT / "target" / "release" / "signalbox"
# Below saturation, callers come when they like: without this, the connections of a closed loop fall into
# step, and each sees a queue of 63 others that real callers would not.
DELAY = "math.randomseed({seed}) delay = function() return math.random(0, {most}) end"
KEY = "sb-bench-bootstrap-key"
# As fast as models of today write.
PACE_MS = 10
TICKS = os.sysconf("SC_CLK_TCK")

NGINX = """
worker_processes 2;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  client_max_body_size 32m;
  client_body_buffer_size 256k;
  keepalive_requests 1000000;
  upstream provider {{ server 127.0.0.1:{provider}; keepalive 256; keepalive_requests 1000000; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://provider;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
    }}
  }}
}}
"""

SIGNALBOX = """
server:
  otlp_http: null
  otlp_grpc: null
providers:
  - name: up
    kind: sim
    dialect: openai_chat
    base_url: http://127.0.0.1:{provider}/v1
"""

WRK = """
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
wrk.headers["authorization"] = "Bearer {key}"
wrk.headers["x-sim-chunk-delay-ms"] = "{pace}"
local file = io.open("{body}", "r")
wrk.body = file:read("*a")
{delay}
done = function(summary, latency, requests)
  io.write(string.format('RESULT {{"requests": %d, "us": %d, "p50": %d, "p99": %d, "errors": %d}}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write
      + summary.errors.timeout))
end
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Server:
    """A process under test, and what it has used."""

    name: str
    url: str
    child: subprocess.Popen

    def pids(self) -> list[int]:
        children = Path(f"/proc/{self.child.pid}/task/{self.child.pid}/children").read_text().split()
        return [self.child.pid, *(int(child) for child in children)]

    def cpu_seconds(self) -> float:
        used = 0
        for pid in self.pids():
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            used += int(fields[11]) + int(fields[12])
        return used / TICKS

    def memory_mb(self, what: str) -> float:
        total = 0
        for pid in self.pids():
            found = re.search(rf"{what}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
            total += int(found[1]) if found else 0
        return total / 1024

    def stop(self) -> None:
        self.child.send_signal(signal.SIGTERM)
        try:
            self.child.wait(30)
        except subprocess.TimeoutExpired:
            self.child.kill()


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


@dataclass
class Figures:
    """What one server did in the rounds of one case."""

    throughput: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    errors: int = 0


def wait_for(url: str) -> float:
    began = time.monotonic()
    while time.monotonic() - began < 20:
        try:
            urllib.request.urlopen(url, timeout=1)
            return time.monotonic() - began
        except urllib.error.HTTPError:
            return time.monotonic() - began
        except OSError:
            time.sleep(0.002)
    sys.exit(f"{url} never answered")


def start(arguments: list[str], env: dict[str, str] | None = None) -> subprocess.Popen:
    return subprocess.Popen(
        arguments, env={**os.environ, **(env or {})}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def load(server: Server, body: dict, case: Case, seconds: int, folder: Path) -> tuple[dict, float]:
    """One round: what wrk saw, and the CPU seconds that the server used meanwhile."""
    (folder / "body.json").write_text(json.dumps(body))
    script = folder / "wrk.lua"
    delay = DELAY.format(seed=case.connections, most=case.pause_ms) if case.pause_ms else ""
    script.write_text(WRK.format(key=KEY, body=folder / "body.json", delay=delay, pace=case.pace_ms))
    threads = min(2, case.connections)
    before = server.cpu_seconds()
    command = ["wrk", f"-t{threads}", f"-c{case.connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(script)]
    done = subprocess.run([*command, f"{server.url}/v1/chat/completions"], capture_output=True, text=True, check=True)
    used = server.cpu_seconds() - before
    found = re.search(r"RESULT (.*)", done.stdout)
    if not found:
        sys.exit(f"wrk said something else:\n{done.stdout}\n{done.stderr}")
    return json.loads(found[1]), used


def body_for(model: str, kilobytes: int, stream: bool) -> dict:
    text = ("The signal box routes trains and keeps the register. " * 25)[:1024]
    messages = [{"role": "user" if i % 2 == 0 else "assistant", "content": text} for i in range(kilobytes - 1 | 1)]
    return {"model": model, "messages": messages, **({"stream": True} if stream else {})}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--connections", type=int, nargs="*", default=[1, 16, 64])
    parser.add_argument("--kilobytes", type=int, nargs="*", default=[1, 16, 128])
    parser.add_argument("--latency-ms", type=int, default=100, help="of the provider, in the case below saturation")
    options = parser.parse_args()
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    with tempfile.TemporaryDirectory(prefix="signalbox-bench-") as temporary:
        run(options, Path(temporary), nginx)


def run(options: argparse.Namespace, folder: Path, nginx: str) -> None:
    fast, slow = free_port(), free_port()
    ports = {name: free_port() for name in ("nginx-fast", "nginx-slow", "box-fast", "box-slow")}
    started: list[Server] = []
    try:
        simulate = [str(BINARY), "simulate", "--listen"]
        for port, latency in ((fast, 0), (slow, options.latency_ms)):
            child = start([*simulate, f"127.0.0.1:{port}", "--latency-ms", str(latency)])
            started.append(Server("direct", f"http://127.0.0.1:{port}", child))
        for kind, provider in (("fast", fast), ("slow", slow)):
            place = folder / kind
            place.mkdir()
            (place / "nginx.conf").write_text(
                NGINX.format(folder=place, provider=provider, port=ports[f"nginx-{kind}"])
            )
            child = start([nginx, "-c", str(place / "nginx.conf"), "-p", str(place)])
            started.append(Server("nginx", f"http://127.0.0.1:{ports[f'nginx-{kind}']}", child))
        ready = []
        for kind, provider in (("fast", fast), ("slow", slow)):
            place = folder / kind
            (place / "signalbox.yaml").write_text(SIGNALBOX.format(provider=provider))
            listen = f"127.0.0.1:{ports[f'box-{kind}']}"
            arguments = [str(BINARY), "up", "--listen", listen, "--data", str(place / "data")]
            child = start([*arguments, "--config", str(place / "signalbox.yaml")], {"SIGNALBOX_BOOTSTRAP_KEY": KEY})
            started.append(Server("signalbox", f"http://{listen}", child))
            ready.append(wait_for(f"http://{listen}/readyz"))
        for server in started:
            wait_for(server.url)
        box = started[4]
        time.sleep(1)
        print(f"start to ready {statistics.median(ready):.2f} s, idle memory {box.memory_mb('VmRSS'):.0f} MB")
        measure(options, started, folder)
        print(f"\npeak memory: signalbox {box.memory_mb('VmHWM'):.0f} MB, nginx {started[2].memory_mb('VmHWM'):.0f} MB")
        shed(box)
    finally:
        for server in reversed(started):
            server.stop()


def measure(options: argparse.Namespace, started: list[Server], folder: Path) -> None:
    fast, slow = (started[0], started[2], started[4]), (started[1], started[3], started[5])
    head = f"{'case':<34}{'server':<11}{'req/s':>9}{'p50 µs':>9}{'p99 µs':>9}{'+p50':>8}{'+p99':>9}{'CPU µs':>8}  ratio"
    print(f"\n{head}\n{'-' * len(head)}")
    for kilobytes in options.kilobytes:
        for connections in options.connections:
            case = Case(f"saturated, {kilobytes} KB, {connections} conn", kilobytes, connections)
            compare(case, fast, options, folder)
    for what, stream, pace_ms in (("whole", False, 0), ("stream, paced", True, PACE_MS), ("stream, burst", True, 0)):
        name = f"{options.latency_ms} ms, 1 KB, 64 conn, {what}"
        compare(Case(name, 1, 64, stream, options.latency_ms, pace_ms), slow, options, folder)


def compare(case: Case, servers: tuple[Server, ...], options: argparse.Namespace, folder: Path) -> None:
    figures = {server.name: Figures() for server in servers}
    for round_number in range(options.rounds + 1):
        for server in servers:
            model = "up/small" if server.name == "signalbox" else "small"
            body = body_for(model, case.kilobytes, case.stream)
            seen, cpu = load(server, body, case, options.seconds, folder)
            # The first round warms connections and caches up.
            if round_number == 0 or seen["requests"] == 0:
                continue
            mine = figures[server.name]
            mine.throughput.append(seen["requests"] / (seen["us"] / 1e6))
            mine.p50.append(seen["p50"])
            mine.p99.append(seen["p99"])
            mine.cpu.append(cpu / seen["requests"] * 1e6)
            mine.errors += seen["errors"]
    report(case.name, figures)


def report(name: str, figures: dict[str, Figures]) -> None:
    middle = statistics.median
    direct, base = figures["direct"], figures["nginx"]
    for server, mine in figures.items():
        # Round by round, so that a machine that gets slower meanwhile doesn't count.
        added = [
            middle([a - b for a, b in zip(x, y, strict=True)])
            for x, y in ((mine.p50, direct.p50), (mine.p99, direct.p99))
        ]
        ratio = ""
        if server == "signalbox":
            cpu = middle([a / b for a, b in zip(mine.cpu, base.cpu, strict=True)])
            throughput = middle([a / b for a, b in zip(mine.throughput, base.throughput, strict=True)])
            ratio = f"CPU {cpu:.2f}× nginx, throughput {throughput:.2f}× nginx"
        errors = f"  {mine.errors} ERRORS" if mine.errors else ""
        print(
            f"{name:<34}{server:<11}{middle(mine.throughput):>9.0f}{middle(mine.p50):>9.0f}{middle(mine.p99):>9.0f}"
            f"{added[0]:>8.0f}{added[1]:>9.0f}{middle(mine.cpu):>8.0f}  {ratio}{errors}",
            flush=True,
        )


def shed(box: Server) -> None:
    """Whether every call was recorded."""
    text = urllib.request.urlopen(f"{box.url}/metrics", timeout=10).read().decode()
    for line in text.splitlines():
        if "shed" in line and not line.startswith("#"):
            print(line)


if __name__ == "__main__":
    main()
