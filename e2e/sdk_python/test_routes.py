"""Routes: the official SDKs, unchanged, when the first target is down, slow or asks to wait; and what is told of it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import anthropic
import openai
import pytest

from harness import Provider, Signalbox, free_port, upstreams

ASK = [{"role": "user", "content": "Why is the sky blue?"}]


@pytest.fixture(scope="module")
def routed(tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> Iterator[Signalbox]:
    down = f"  - {{name: down, dialect: openai_chat, base_url: 'http://127.0.0.1:{free_port()}/v1', auth: none}}\n"
    routes = """
routes:
  - name: chat
    retry: {attempts: 0}
    breaker: {failures: 1000, failure_rate: 1}
    targets:
      - {provider: down, model: any}
      - {provider: up-anthropic, model: large}
  - name: drained
    on_disconnect: drain
    targets: [{provider: up-openai, model: large}]
  - name: mirrored
    mirror: {provider: up-anthropic, model: small}
    targets: [{provider: up-openai, model: large}]
"""
    signalbox = Signalbox(tmp_path_factory.mktemp("routed"), upstreams(provider).rstrip() + "\n" + down + routes)
    yield signalbox
    assert signalbox.stop() == 0, signalbox.text()


def client(box: Signalbox) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{box.url}/v1", api_key=box.key, max_retries=0)


def outcomes(span: dict) -> list[tuple[str, str]]:
    return [(one["target"], one["outcome"]) for one in json.loads(span["attributes"]["signalbox.route.tries"])]


FAILED_OVER = [("down/any", "upstream_unreachable"), ("up-anthropic/large", "answered")]


def test_openai_fails_over(routed: Signalbox) -> None:
    raw = client(routed).chat.completions.with_raw_response.create(model="chat", messages=ASK)
    answer = raw.parse()
    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    assert raw.headers["x-signalbox-route"] == "chat"
    assert raw.headers["x-signalbox-provider"] == "up-anthropic"
    assert raw.headers["x-signalbox-attempts"] == "2"
    span = routed.spans(raw.headers["x-signalbox-trace-id"])[0]
    assert span["status"] == "ok"
    assert outcomes(span) == FAILED_OVER


def test_openai_stream_fails_over(routed: Signalbox) -> None:
    with client(routed).chat.completions.with_streaming_response.create(
        model="chat", messages=ASK, stream=True
    ) as response:
        trace_id = response.headers["x-signalbox-trace-id"]
        chunks = list(response.parse())
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert outcomes(routed.spans(trace_id)[0]) == FAILED_OVER


def test_anthropic_fails_over(routed: Signalbox) -> None:
    box = anthropic.Anthropic(base_url=routed.url, api_key=routed.key, max_retries=0)
    answer = box.messages.create(model="chat", messages=ASK, max_tokens=500)
    assert answer.content[-1].type == "text" and answer.content[-1].text
    assert answer.stop_reason == "end_turn"


def test_routes_are_models(routed: Signalbox) -> None:
    models = {model.id: model.owned_by for model in client(routed).models.list()}
    assert models["chat"] == "signalbox"


def test_live_state(routed: Signalbox) -> None:
    client(routed).chat.completions.create(model="chat", messages=ASK)
    routes = {route["name"]: route for route in routed.api("GET", "/api/v1/routes").json()["routes"]}
    down, up = routes["chat"]["targets"]
    assert down["failed"] > 0 and down["last_error"] == "upstream_unreachable"
    assert up["answered"] > 0 and up["latency_ms"] > 0 and up["in_flight"] == 0
    assert routes["drained"]["on_disconnect"] == "drain"
    providers = {one["name"]: one for one in routed.api("GET", "/api/v1/providers").json()["providers"]}
    assert providers["down"]["routed"][0]["route"] == "chat"
    name = 'signalbox_gateway_tries_total{route="chat",provider="down",outcome="upstream_unreachable",mirror="0"}'
    assert routed.metrics()[name] >= down["failed"]


def test_drained_after_the_caller_left(routed: Signalbox) -> None:
    headers = {"x-sim-chunk-delay-ms": "2"}
    with client(routed).chat.completions.with_streaming_response.create(
        model="drained", messages=ASK, stream=True, extra_headers=headers
    ) as response:
        trace_id = response.headers["x-signalbox-trace-id"]
        next(iter(response.parse()))
    span = routed.spans(trace_id)[0]
    assert span["status"] == "ok"
    assert span["attributes"]["signalbox.route.drained"] == "true"
    assert span["output_tokens"] > 0 and span["finish_reasons"] == ["stop"]


def test_mirrored_calls_count_once(routed: Signalbox) -> None:
    raw = client(routed).chat.completions.with_raw_response.create(model="mirrored", messages=ASK)
    spans = routed.spans(raw.headers["x-signalbox-trace-id"], at_least=2)
    copies = [span for span in spans if "signalbox.route.mirror_of" in span["attributes"]]
    (call,) = [span for span in spans if span not in copies]
    (copy,) = copies
    assert (copy["parent_span_id"], copy["model_used"]) == (call["span_id"], "small")
    assert call["counted"] is True
    assert copy["counted"] is False
