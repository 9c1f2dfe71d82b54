"""The configuration file is changed while Signalbox serves: nothing is cut, and what is wrong changes nothing."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import httpx
import pytest

from harness import Provider, Signalbox, upstreams, wait_until

ASK = [{"role": "user", "content": "Why is the sky blue?"}]


def route(target: str, strategy: str = "priority") -> str:
    provider, model = target.split("/")
    return f"""
routes:
  - name: chat
    strategy: {strategy}
    targets: [{{provider: {provider}, model: {model}}}]
"""


class Configured(Signalbox):
    """One whose file is written again."""

    def __init__(self, folder: Path, provider: Provider):
        self.base = upstreams(provider).rstrip() + "\n"
        super().__init__(folder, self.base + route("up-openai/large"))
        self.file = folder / "signalbox.yaml"
        self.server = self.file.read_text().removesuffix(self.base + route("up-openai/large"))

    def write(self, more: str, server: str | None = None) -> None:
        """As editors do: another file in its place."""
        other = self.file.with_suffix(".new")
        other.write_text((server or self.server) + self.base + more)
        other.replace(self.file)

    def config(self) -> dict:
        return self.api("GET", "/api/v1/config").json()

    def ask(self) -> httpx.Response:
        return self.api("POST", "/v1/chat/completions", json={"model": "chat", "messages": ASK})


@pytest.fixture()
def configured(tmp_path: Path, provider: Provider):
    box = Configured(tmp_path, provider)
    yield box
    assert box.stop() == 0, box.text()
    assert "panicked" not in box.text(), box.text()


def test_a_stream_goes_on_while_the_next_call_goes_elsewhere(configured: Configured) -> None:
    assert configured.ask().headers["x-signalbox-provider"] == "up-openai"
    headers = {**configured.headers, "x-sim-tokens": "150", "x-sim-chunk-delay-ms": "20"}
    body = {"model": "chat", "messages": ASK, "stream": True}
    with httpx.stream(
        "POST", f"{configured.url}/v1/chat/completions", json=body, headers=headers, timeout=30
    ) as running:
        lines = running.iter_lines()
        assert next(lines).startswith("data: ")
        configured.write(route("up-anthropic/large"))
        wait_until("the new configuration", lambda: configured.config()["reloads"] == 1)
        assert configured.ask().headers["x-signalbox-provider"] == "up-anthropic"
        rest = [line for line in lines if line]
    assert rest[-1] == "data: [DONE]"
    assert running.headers["x-signalbox-provider"] == "up-openai"


def test_what_is_wrong_is_refused_as_a_whole_and_told_once(configured: Configured) -> None:
    before = configured.config()
    assert before["reloads"] == 0 and before["file"].endswith("signalbox.yaml") and "refused" not in before
    configured.write(route("up-anthropic/large", strategy="priorty"))
    refused = wait_until("the refusal", lambda: configured.config().get("refused"))
    assert "signalbox.yaml:" in refused["problems"][0] and "priority" in refused["problems"][0], refused
    assert "signalbox_config_refused 1\n" in configured.api("GET", "/metrics").text
    # The one before stays in force, all of it.
    assert configured.ask().headers["x-signalbox-provider"] == "up-openai"
    assert configured.config()["since"] == before["since"]
    configured.write(route("up-anthropic/large"))
    wait_until("the mended configuration", lambda: configured.config()["reloads"] == 1)
    assert "refused" not in configured.config()
    assert "signalbox_config_refused 0\n" in configured.api("GET", "/metrics").text
    assert configured.text().count("is refused, the one before stays in force") == 1
    # A file that is being written, or gone, takes nothing away.
    configured.file.write_text("")
    refused = wait_until("the refusal", lambda: configured.config().get("refused"))
    assert "is empty" in refused["problems"][0]
    configured.file.unlink()
    wait_until("the refusal", lambda: configured.config().get("refused"))
    assert configured.ask().headers["x-signalbox-provider"] == "up-anthropic"


def test_sighup_reads_at_once_and_a_restart_is_asked_for_where_it_is_needed(configured: Configured) -> None:
    server = configured.server + "  max_connections: 123\n"
    configured.write("gateway: {max_in_flight: 77, settle_queue: 99}\n" + route("up-openai/large"), server)
    os.kill(configured.child.pid, signal.SIGHUP)
    wait_until("the new configuration", lambda: configured.config()["reloads"] >= 1)
    assert configured.config()["needs_restart"] == ["server.max_connections", "gateway.settle_queue"]
    assert configured.child.poll() is None


def test_no_call_fails_while_it_changes_again_and_again(configured: Configured) -> None:
    statuses: list[int] = []
    over = threading.Event()

    def call() -> None:
        with httpx.Client(base_url=configured.url, headers=configured.headers, timeout=30) as client:
            while not over.is_set():
                body = {"model": "chat", "messages": ASK}
                statuses.append(client.post("/v1/chat/completions", json=body).status_code)

    callers = [threading.Thread(target=call) for _ in range(4)]
    for caller in callers:
        caller.start()
    for turn in range(6):
        configured.write(route(["up-anthropic/large", "up-openai/large"][turn % 2]))
        os.kill(configured.child.pid, signal.SIGHUP)
        wait_until("the new configuration", lambda turn=turn: configured.config()["reloads"] > turn)
    over.set()
    for caller in callers:
        caller.join()
    assert len(statuses) > 20 and set(statuses) == {200}
