"""A real OpenTelemetry program and a real instrumented OpenAI client, over OTLP/HTTP and gRPC."""

from __future__ import annotations

import gzip
import json

import httpx
import openai
import pytest
from openinference.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from harness import Signalbox


def exporters(box: Signalbox) -> dict:
    headers = {"authorization": f"Bearer {box.key}"}
    return {
        "http": HttpExporter(f"{box.url}/v1/traces", headers=headers),
        "http-gzip": HttpExporter(f"{box.url}/v1/traces", headers=headers, compression=Compression.Gzip),
        "http-4318": HttpExporter(f"http://127.0.0.1:{box.otlp_http}/v1/traces", headers=headers),
        "grpc": GrpcExporter(f"http://127.0.0.1:{box.otlp_grpc}", headers=headers, insecure=True),
        "grpc-main-port": GrpcExporter(f"http://127.0.0.1:{box.port}", headers=headers, insecure=True),
    }


def tracer_of(exporter: object) -> TracerProvider:
    resource = Resource.create(
        {"service.name": "shop", "service.version": "1.2.3", "deployment.environment.name": "e2e"}
    )
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(SimpleSpanProcessor(exporter))  # type: ignore[arg-type]
    return provider


@pytest.mark.parametrize("way", ["http", "http-gzip", "http-4318", "grpc", "grpc-main-port"])
def test_genai_spans_of_the_opentelemetry_sdk(box: Signalbox, way: str) -> None:
    provider = tracer_of(exporters(box)[way])
    tracer = provider.get_tracer("shop.assistant", "0.9")
    ask = [{"role": "user", "parts": [{"type": "text", "content": f"ping over {way}"}]}]
    with tracer.start_as_current_span("invoke_agent clerk") as agent:
        agent.set_attributes({"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "clerk"})
        with tracer.start_as_current_span("chat gpt-4o-mini") as span:
            span.set_attributes(
                {
                    "gen_ai.operation.name": "chat",
                    "gen_ai.provider.name": "openai",
                    "gen_ai.request.model": "gpt-4o-mini",
                    "gen_ai.response.finish_reasons": ["stop"],
                    "gen_ai.usage.input_tokens": 1000,
                    "gen_ai.usage.output_tokens": 100,
                    "gen_ai.input.messages": json.dumps(ask),
                    "session.id": "s-42",
                }
            )
    provider.shutdown()
    trace_id = format(span.get_span_context().trace_id, "032x")
    spans = {found["kind"]: found for found in box.spans(trace_id, at_least=2)}
    call = spans["llm"]
    assert call["parent_span_id"] == spans["agent"]["span_id"]
    assert (call["provider"], call["model"], call["input_tokens"]) == ("openai", "gpt-4o-mini", 1000)
    assert call["cost"] > 0
    assert call["cost_source"] == "priced"
    assert call["input_messages"] == ask
    assert (call["service_name"], call["release"], call["environment"]) == ("shop", "1.2.3", "e2e")
    assert call["session_id"] == "s-42"
    assert spans["agent"]["agent_name"] == "clerk"


def test_an_instrumented_client_and_the_gateway_make_one_tree(box: Signalbox) -> None:
    provider = tracer_of(exporters(box)["http"])
    instrumentor = OpenAIInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    try:
        carrier: dict[str, str] = {}

        def inject(request: httpx.Request) -> None:
            carrier.clear()
            TraceContextTextMapPropagator().inject(carrier)
            request.headers.update(carrier)

        sdk = openai.OpenAI(
            base_url=f"{box.url}/v1",
            api_key=box.key,
            http_client=httpx.Client(event_hooks={"request": [inject]}),
        )
        with provider.get_tracer("shop").start_as_current_span("answer") as root:
            sdk.chat.completions.create(model="sim/small", messages=[{"role": "user", "content": "Hello there"}])
        trace_id = format(root.get_span_context().trace_id, "032x")
    finally:
        instrumentor.uninstrument()
        provider.shutdown()
    spans = box.spans(trace_id, at_least=3)
    by_id = {span["span_id"]: span for span in spans}
    gateway = next(span for span in spans if span["source"] == "gateway")
    client = by_id[gateway["parent_span_id"]]
    assert client["source"] == "otlp"
    assert client["kind"] == "llm"
    assert client["dialect"] == "openinference"
    assert client["input_messages"][0]["parts"][0]["content"] == "Hello there"
    assert client["input_tokens"] == gateway["input_tokens"]
    assert by_id[client["parent_span_id"]]["name"] == "answer"
    # One call, two views of it: it must not be counted twice.
    listed = box.api(
        "GET", "/api/v1/traces", params={"filter": json.dumps({"field": "trace_id", "op": "=", "value": trace_id})}
    )
    summary = listed.json()["traces"][0]
    assert summary["input_tokens"] == gateway["input_tokens"]
    assert summary["span_count"] == 3


def body(span_id: str) -> dict:
    span = {
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": span_id,
        "name": "by hand",
        "startTimeUnixNano": "1795507200000000000",
        "endTimeUnixNano": "1795507200100000000",
    }
    return {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}


def test_otlp_json_by_hand(box: Signalbox) -> None:
    url = f"{box.url}/v1/traces"
    sent = httpx.post(url, json=body("eee19b7ec3c1b174"), headers=box.headers)
    assert sent.status_code == 200, sent.text
    packed = gzip.compress(json.dumps(body("eee19b7ec3c1b175")).encode())
    headers = {**box.headers, "content-type": "application/json", "content-encoding": "gzip"}
    assert httpx.post(url, content=packed, headers=headers).status_code == 200
    partly = httpx.post(url, json=body("not-hex"), headers=box.headers)
    assert partly.status_code == 200
    assert int(partly.json()["partialSuccess"]["rejectedSpans"]) == 1
    for wrong, status in [({"content": b"{"}, 400), ({"content": b"\xff\xff"}, 400)]:
        kind = {"content-type": "application/json"}
        assert httpx.post(url, headers={**box.headers, **kind}, **wrong).status_code == status
    nobody = httpx.post(url, json=body("eee19b7ec3c1b174"))
    assert nobody.status_code == 401
    assert "OTEL_EXPORTER_OTLP_HEADERS" in nobody.text
