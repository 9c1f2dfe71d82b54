"""Arize Phoenix on its SQLite, from PyPI, in an environment of its own that is kept.

Phoenix answers a request before it has stored it, and stores without waiting for the disk: what is
measured is what it has stored, not what it has taken. It gets the next request when most of those before
are stored, because it reads what it is flooded with and meanwhile stores nothing.
"""

from __future__ import annotations

import http.client
import itertools
import json
import sqlite3
import subprocess
import sys
import time
import venv
from pathlib import Path

import otlp
import sender
from processes import Server, free_port, size_of

PACKAGE = "arize-phoenix"
# Spans that it may have taken and not stored yet.
AHEAD = 250
# How long it may take to store them.
PATIENCE = 60


class Phoenix:
    """A server with its own folder."""

    def __init__(self, cache: Path, folder: Path) -> None:
        self.program = installed(cache)
        self.folder, self.log = folder / "data", folder / "phoenix.log"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.server: Server | None = None

    def start(self) -> Server:
        port = free_port()
        env = {
            "PHOENIX_WORKING_DIR": str(self.folder),
            "PHOENIX_HOST": "127.0.0.1",
            "PHOENIX_PORT": str(port),
            "PHOENIX_GRPC_PORT": str(free_port()),
            "PHOENIX_TELEMETRY_ENABLED": "false",
            "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false",
        }
        self.server = Server.start([str(self.program), "serve"], port, "/healthz", env, self.log)
        return self.server

    def count(self) -> int:
        with sqlite3.connect(f"file:{self.folder / 'phoenix.db'}?mode=ro", uri=True) as database:
            return database.execute("SELECT count(*) FROM spans").fetchone()[0]

    def ingest(self, pool: list[otlp.Body], first: int, seconds: float) -> tuple[int, float, float]:
        """Feeds it for so long and waits until all is stored; answers spans, seconds and CPU seconds."""
        began, cpu, before = time.monotonic(), self.server.cpu_s(), self.count()
        sent, connection = sender.Sent(), sender.Connection(self.server.port, {})
        for body in itertools.cycle(pool):
            if time.monotonic() - began >= seconds:
                break
            first += 1
            body.stamp(first)
            connection.send(body, sent)
            while sent.spans - (self.count() - before) > AHEAD:
                self._wait(began + seconds)
        while (stored := self.count() - before) < sent.spans:
            self._wait(began + seconds)
        return stored, time.monotonic() - began, self.server.cpu_s() - cpu

    def _wait(self, until: float) -> None:
        if time.monotonic() > until + PATIENCE:
            sys.exit(f"Phoenix has not stored all that it took {PATIENCE} s ago; its output: {self.log}")
        time.sleep(0.05)

    def size(self) -> int:
        """After it was stopped: its log is in its file then."""
        with sqlite3.connect(self.folder / "phoenix.db") as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return size_of(self.folder)

    def ask(self, path: str, times: int) -> list[float]:
        """How long each answer took to arrive, in milliseconds."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=120)
        waits, said = [], b""
        for _ in range(times):
            began = time.perf_counter()
            connection.request("GET", path)
            answer = connection.getresponse()
            said = answer.read()
            waits.append((time.perf_counter() - began) * 1_000)
            if answer.status != 200:
                raise RuntimeError(f"status {answer.status} for {path}: {said[:500]!r}")
        if not json.loads(said)["data"]:
            raise RuntimeError(f"nothing was found for {path}")
        return waits

    def a_trace(self) -> str:
        with sqlite3.connect(f"file:{self.folder / 'phoenix.db'}?mode=ro", uri=True) as database:
            return database.execute("SELECT trace_id FROM traces ORDER BY id LIMIT 1 OFFSET 100").fetchone()[0]


def installed(cache: Path) -> Path:
    """The program, installed when it is not."""
    folder = cache / "venv"
    program = folder / "bin" / "phoenix"
    if not program.exists():
        print(f"installing {PACKAGE}, once (about a minute and 900 MB)", flush=True)
        venv.create(folder, with_pip=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", PACKAGE]
        if subprocess.run(pip, check=False).returncode != 0:
            sys.exit(f"{PACKAGE} can't be installed; `--no-phoenix` measures without it")
    return program
