"""What is measured: the simulated provider itself, and what stands before it. Each is a process of its own."""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import venv
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = ROOT / "target" / "release" / "signalbox"
CACHE = Path.home() / ".cache" / "signalbox" / "bench-gateway"
# The newest ones that could be installed whole when this was written.
LITELLM = "1.106.0"
PORTKEY = "1.15.2"
KEY = "sb-bench-bootstrap-key"
TICKS = os.sysconf("SC_CLK_TCK")
# Python and Node take their time to start.
PATIENCE_S = 120

NGINX = """
worker_processes 2;
worker_rlimit_nofile {files};
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
events {{ worker_connections 16384; }}
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
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://provider;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_read_timeout 1h;
    }}
  }}
}}
"""

# The limits are raised for thousands of streams; all that looks and records is on, as it is without a word.
SIGNALBOX = """
server:
  otlp_http: null
  otlp_grpc: null
  max_connections: 20000
gateway:
  max_in_flight: 20000
providers:
  - name: up
    kind: sim
    dialect: openai_chat
    base_url: http://127.0.0.1:{provider}/v1
    timeouts:
      idle: 1h
"""

# Without a database: it checks the one key, knows the model, and writes nothing down.
LITELLM_CONFIG = """
model_list:
  - model_name: small
    litellm_params:
      model: openai/small
      api_base: http://127.0.0.1:{provider}/v1
      api_key: none
general_settings:
  master_key: {key}
litellm_settings:
  telemetry: false
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
    model: str = "small"
    headers: dict[str, str] = field(default_factory=dict)

    def pids(self) -> list[int]:
        found, new = [], [self.child.pid]
        while new:
            pid = new.pop()
            found.append(pid)
            try:
                children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            except OSError:
                continue
            new.extend(int(child) for child in children)
        return found

    def cpu_seconds(self) -> float:
        used = 0
        for pid in self.pids():
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            used += int(fields[11]) + int(fields[12])
        return used / TICKS

    def memory_mb(self, what: str = "VmRSS") -> float:
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


def wait_for(url: str, child: subprocess.Popen | None = None, patience: float = 20) -> float:
    began = time.monotonic()
    while time.monotonic() - began < patience:
        try:
            urllib.request.urlopen(url, timeout=5)
            return time.monotonic() - began
        except urllib.error.HTTPError:
            return time.monotonic() - began
        except OSError:
            if child and child.poll() is not None:
                break
            time.sleep(0.002)
    sys.exit(f"{url} never answered")


def start(arguments: list[str], env: dict[str, str] | None = None) -> subprocess.Popen:
    return subprocess.Popen(
        arguments, env={**os.environ, **(env or {})}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def raise_limits() -> int:
    """As many files as may be open; what is started from here gets the same."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class Rig:
    """Starts servers, and ends all of them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.started = folder, []

    def __enter__(self) -> Rig:
        return self

    def __exit__(self, *_: object) -> None:
        for server in reversed(self.started):
            server.stop()

    def add(self, name: str, port: int, child: subprocess.Popen, patience: float = 20, **more: object) -> Server:
        server = Server(name, f"http://127.0.0.1:{port}", child, **more)
        self.started.append(server)
        wait_for(server.url, child, patience)
        return server

    def place(self, kind: str) -> Path:
        place = self.folder / f"{kind}-{len(self.started)}"
        place.mkdir()
        return place

    def provider(self, latency_ms: int, env: dict[str, str] | None = None) -> tuple[Server, int]:
        port = free_port()
        child = start([str(BINARY), "simulate", "--listen", f"127.0.0.1:{port}", "--latency-ms", str(latency_ms)], env)
        return self.add("direct", port, child), port

    def nginx(self, provider: int) -> Server:
        port, place = free_port(), self.place("nginx")
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        (place / "nginx.conf").write_text(NGINX.format(folder=place, provider=provider, port=port, files=files))
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        return self.add("nginx", port, start([program, "-c", str(place / "nginx.conf"), "-p", str(place)]))

    def signalbox(self, provider: int) -> Server:
        port, place = free_port(), self.place("signalbox")
        (place / "signalbox.yaml").write_text(SIGNALBOX.format(provider=provider))
        arguments = ["up", "--listen", f"127.0.0.1:{port}", "--data", str(place / "data")]
        child = start(
            [str(BINARY), *arguments, "--config", str(place / "signalbox.yaml")], {"SIGNALBOX_BOOTSTRAP_KEY": KEY}
        )
        wait_for(f"http://127.0.0.1:{port}/readyz", child)
        return self.add("signalbox", port, child, model="up/small")

    def litellm(self, provider: int) -> Server | None:
        program = installed("LiteLLM", LITELLM, install_litellm)
        if program is None:
            return None
        port, place = free_port(), self.place("litellm")
        (place / "config.yaml").write_text(LITELLM_CONFIG.format(provider=provider, key=KEY))
        arguments = ["--config", str(place / "config.yaml"), "--host", "127.0.0.1", "--port", str(port)]
        env = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR", "DISABLE_ADMIN_UI": "True"}
        return self.add("litellm", port, start([str(program), *arguments], env), PATIENCE_S)

    def portkey(self, provider: int) -> Server | None:
        program = installed("Portkey", PORTKEY, install_portkey)
        if program is None:
            return None
        port = free_port()
        # It refuses hosts of the own machine otherwise.
        env = {"TRUSTED_CUSTOM_HOSTS": "127.0.0.1,localhost", "NODE_ENV": "production"}
        child = start(["node", str(program), f"--port={port}", "--headless"], env)
        headers = {"x-portkey-provider": "openai", "x-portkey-custom-host": f"http://127.0.0.1:{provider}/v1"}
        return self.add("portkey", port, child, PATIENCE_S, headers=headers)


def installed(name: str, version: str, install: Callable[[Path], Path]) -> Path | None:
    """Its program; installed once. What can't be had is said and left out."""
    folder = CACHE / f"{name.lower()}-{version}"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return install(folder)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"{name} {version} can't be installed ({error}); the comparison goes without it", file=sys.stderr)
        return None


def install_litellm(folder: Path) -> Path:
    program = folder / "bin" / "litellm"
    if not program.exists():
        venv.create(folder, with_pip=True)
        pip = [str(folder / "bin" / "pip"), "install", "--quiet"]
        subprocess.run([*pip, f"litellm[proxy]=={LITELLM}"], check=True)
    return program


def install_portkey(folder: Path) -> Path:
    program = folder / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js"
    if not program.exists():
        npm = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder)]
        subprocess.run([*npm, f"@portkey-ai/gateway@{PORTKEY}"], check=True)
    return program
