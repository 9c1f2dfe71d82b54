"""Starts what the black-box tests run against: the release binary, nothing mocked inside it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx

ROOT = Path(__file__).resolve().parent.parent
BINARY = ROOT / "target" / "release" / "signalbox"
OUT = ROOT / "e2e" / "out"
KEY = "sb-e2e-bootstrap-key"

T = TypeVar("T")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(what: str, check: Callable[[], T | None], seconds: float = 20) -> T:
    """Polls until `check` gives something, and says what never came."""
    deadline = time.monotonic() + seconds
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.02)


class Process:
    """A child process that is always ended, by its id."""

    def __init__(self, arguments: list[str], log: Path, env: dict[str, str] | None = None, cwd: Path | None = None):
        log.parent.mkdir(parents=True, exist_ok=True)
        self.log = log
        with log.open("wb") as out:
            clean = {name: value for name, value in os.environ.items() if not name.endswith(("_API_KEY", "_BASE_URL"))}
            self.child = subprocess.Popen(
                arguments, stdout=out, stderr=subprocess.STDOUT, env={**clean, **(env or {})}, cwd=cwd
            )

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def kill(self) -> None:
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGKILL)
        self.child.wait()

    def stop(self, seconds: float = 40) -> int:
        """SIGTERM, then its exit status."""
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"did not stop in {seconds} s:\n{self.text()}") from None


class Provider(Process):
    """The simulated provider, behind a real socket."""

    def __init__(self, folder: Path, *options: str):
        self.port = free_port()
        arguments = [str(BINARY), "simulate", "--listen", f"127.0.0.1:{self.port}", *options]
        super().__init__(arguments, folder / "provider.log")
        self.url = f"http://127.0.0.1:{self.port}"
        wait_until("the simulated provider", lambda: "listens on" in self.text() or None)


class Signalbox(Process):
    """`signalbox up` on a free port with a data folder of its own."""

    def __init__(
        self,
        folder: Path,
        config: str = "",
        env: dict[str, str] | None = None,
        key: str | None = KEY,
        wait: bool = True,
    ):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.data = folder / "data"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.otlp_http, self.otlp_grpc = free_port(), free_port()
        file = folder / "signalbox.yaml"
        server = f"server:\n  otlp_http: 127.0.0.1:{self.otlp_http}\n  otlp_grpc: 127.0.0.1:{self.otlp_grpc}\n"
        file.write_text(server + config)
        arguments = [str(BINARY), "up", "--data", str(self.data), "--listen", f"127.0.0.1:{self.port}"]
        bootstrap = {"SIGNALBOX_BOOTSTRAP_KEY": key} if key else {}
        super().__init__([*arguments, "--config", str(file)], folder / "signalbox.log", {**bootstrap, **(env or {})})
        self.key = key or ""
        if wait:
            self.wait_ready()

    def wait_ready(self) -> None:
        def ready() -> bool | None:
            if self.child.poll() is not None:
                raise AssertionError(f"Signalbox ended with {self.child.returncode}:\n{self.text()}")
            try:
                return httpx.get(f"{self.url}/readyz", timeout=1).status_code == 200 or None
            except httpx.TransportError:
                return None

        wait_until("Signalbox to be ready", ready)

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.key}"}

    def api(self, method: str, path: str, **options: Any) -> httpx.Response:
        return httpx.request(method, f"{self.url}{path}", headers=self.headers, timeout=30, **options)

    def query(self, **query: Any) -> list[dict[str, Any]]:
        response = self.api("POST", "/api/v1/query", json=query)
        assert response.status_code == 200, response.text
        answer = response.json()
        names = [column["name"] for column in answer["columns"]]
        return [dict(zip(names, row, strict=True)) for row in answer["rows"]]

    def spans(self, trace_id: str, at_least: int = 1) -> list[dict[str, Any]]:
        """The spans of a trace, once so many have arrived: each with all of its columns."""

        def arrived() -> list[dict[str, Any]] | None:
            response = self.api("GET", f"/api/v1/traces/{trace_id}")
            if response.status_code != 200:
                return None
            spans = response.json()["spans"]
            return spans if len(spans) >= at_least else None

        found = wait_until(f"{at_least} spans of trace {trace_id}", arrived)
        paths = [f"/api/v1/traces/{trace_id}/spans/{span['span_id']}" for span in found]
        return [self.api("GET", path).json() for path in paths]

    def metrics(self) -> dict[str, float]:
        text = httpx.get(f"{self.url}/metrics", timeout=10).text
        lines = [line for line in text.splitlines() if line and not line.startswith("#")]
        return {name: float(value) for name, value in (re.split(r"\s+", line)[:2] for line in lines)}


def upstreams(provider: Provider) -> str:
    """Every dialect of the simulated provider as providers of their own, over HTTP."""
    return f"""
providers:
  - name: up-openai
    kind: sim
    dialect: openai_chat
    base_url: {provider.url}/v1
  - name: up-anthropic
    kind: sim
    dialect: anthropic_messages
    base_url: {provider.url}
  - name: up-gemini
    kind: sim
    dialect: gemini
    base_url: {provider.url}
  - name: up-cohere
    kind: sim
    dialect: cohere_v2
    base_url: {provider.url}
  - name: up-bedrock
    kind: sim
    dialect: bedrock_converse
    base_url: {provider.url}
"""
