"""Whatever a caller or a provider does wrong has a status, a message and a class, and harms nobody else."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import yaml

from harness import KEY, ROOT, Provider, Signalbox, free_port, upstreams, wait_until

SCENARIOS = yaml.safe_load((ROOT / "e2e/scenarios/bad_input.yaml").read_text())


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> Iterator[Signalbox]:
    config = f"""{upstreams(provider)}
  - name: nowhere
    dialect: openai_chat
    base_url: http://127.0.0.1:{free_port()}/v1
    auth: none
  - name: impatient
    kind: sim
    dialect: openai_chat
    base_url: {provider.url}/v1
    timeouts:
      first_byte: 200ms
gateway:
  max_body_bytes: 1000000
  body_timeout_ms: 500
"""
    box = Signalbox(tmp_path_factory.mktemp("strict"), config)
    yield box
    assert box.stop() == 0, box.text()
    assert "panicked" not in box.text(), box.text()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario["name"] for scenario in SCENARIOS])
def test_bad_input(strict: Signalbox, scenario: dict[str, Any]) -> None:
    headers = dict(scenario.get("headers", {}))
    key = scenario.get("key", KEY)
    if key is not None:
        headers["x-api-key" if scenario.get("anthropic") else "authorization"] = (
            key if scenario.get("anthropic") else f"Bearer {key}"
        )
    content: dict[str, Any] = {"json": scenario["json"]} if "json" in scenario else {}
    if "body" in scenario:
        content = {"content": scenario["body"]}
    if "fill" in scenario:
        content = {
            "content": '{"model":"sim/small","messages":[{"role":"user","content":"' + "x" * scenario["fill"] + '"}]}'
        }
    url = f"{strict.url}{scenario['path']}"
    answer = httpx.request(scenario.get("method", "POST"), url, headers=headers, timeout=20, **content)
    if "status" in scenario:
        assert answer.status_code == scenario["status"], answer.text
    for text in scenario.get("says", []):
        assert text in answer.text
    assert KEY not in answer.text
    if answer.status_code >= 400:
        error = answer.json()["error"]
        assert error["message"]
        assert (answer.json().get("type") == "error") == bool(scenario.get("anthropic"))
    if "class" in scenario and key == KEY:
        span = strict.spans(answer.headers["x-signalbox-trace-id"])[0]
        assert span["error_type"] == scenario["class"]
        assert span["http_status"] == answer.status_code
    well = {"model": "sim/small", "messages": [{"role": "user", "content": "Still there?"}]}
    assert httpx.post(f"{strict.url}/v1/chat/completions", headers=strict.headers, json=well).status_code == 200


def test_a_slow_caller_is_told_to_hurry(strict: Signalbox) -> None:
    with socket.create_connection(("127.0.0.1", strict.port), timeout=10) as connection:
        head = ["POST /v1/chat/completions HTTP/1.1", "Host: x", f"Authorization: Bearer {KEY}", "Content-Length: 100"]
        connection.sendall("\r\n".join([*head, "", "{"]).encode())
        assert b" 408 " in connection.recv(4096).split(b"\r\n", 1)[0]


@pytest.mark.parametrize("model", ["up-openai/small", "up-anthropic/small"])
def test_a_caller_that_hangs_up_cancels_the_provider(strict: Signalbox, model: str) -> None:
    call = {"model": model, "stream": True, "messages": [{"role": "user", "content": "Tell me a long story"}]}
    headers = {**strict.headers, "x-sim-tokens": "2000", "x-sim-chunk-delay-ms": "20"}
    with httpx.stream("POST", f"{strict.url}/v1/chat/completions", headers=headers, json=call) as answer:
        trace_id = answer.headers["x-signalbox-trace-id"]
        next(answer.iter_bytes())
    span = strict.spans(trace_id)[0]
    assert span["error_type"] == "cancelled"
    assert span["output_messages"], "what came until then is recorded"
    assert span["duration_ms"] < 10_000


def test_metrics_count_what_went_wrong(strict: Signalbox) -> None:
    httpx.post(f"{strict.url}/v1/chat/completions", headers=strict.headers, content="{")

    def counted() -> bool | None:
        names = [name for name in strict.metrics() if name.startswith("signalbox_gateway_requests_total")]
        return any('error_type="invalid_request"' in name for name in names) or None

    wait_until("the error in /metrics", counted)
