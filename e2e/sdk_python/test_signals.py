"""Logs, metrics and scores: a real OpenTelemetry logger and meter, over OTLP/HTTP and gRPC, and scores by HTTP."""

from __future__ import annotations

import logging
import uuid

import httpx
import pytest
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogExporter
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcMetricExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from harness import Signalbox

WAYS = ["http", "http-gzip", "grpc"]


def options(box: Signalbox, way: str, signal: str) -> dict:
    headers = {"authorization": f"Bearer {box.key}"}
    if way == "grpc":
        return {"endpoint": f"http://127.0.0.1:{box.otlp_grpc}", "headers": headers, "insecure": True}
    packing = Compression.Gzip if way == "http-gzip" else Compression.NoCompression
    return {"endpoint": f"{box.url}/v1/{signal}", "headers": headers, "compression": packing}


def resource(service: str) -> Resource:
    return Resource.create({"service.name": service, "deployment.environment.name": "e2e"})


def of(service: str) -> dict:
    return {"field": "service_name", "op": "=", "value": service}


@pytest.mark.parametrize("way", WAYS)
def test_logs_of_the_opentelemetry_sdk(box: Signalbox, way: str) -> None:
    service = f"logger-{uuid.uuid4().hex}"
    exporter = (GrpcLogExporter if way == "grpc" else HttpLogExporter)(**options(box, way, "logs"))
    provider = LoggerProvider(resource=resource(service))
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    tracer = TracerProvider().get_tracer("shop")
    handler = LoggingHandler(logger_provider=provider)
    logger = logging.getLogger(service)
    logger.propagate = False
    logger.addHandler(handler)
    with tracer.start_as_current_span("work") as span:
        logger.error("no %s left over %s", "crêpes", way, extra={"order": 42})
        message = {"role": "user", "content": "Grüße"}
        provider.get_logger("genai").emit(
            LogRecord(
                event_name="gen_ai.user.message",
                severity_number=SeverityNumber.INFO,
                body=message,
                attributes={"k": "v"},
            )
        )
    provider.shutdown()
    columns = ["body", "severity_number", "severity_text", "trace_id", "span_id", "event_name", "environment"]
    order = [{"by": "severity_number", "desc": True}]
    rows = box.query(table="logs", filter=of(service), select=[*columns, "attributes.order"], order=order)
    trace_id = format(span.get_span_context().trace_id, "032x")
    assert [row["body"] for row in rows] == [f"no crêpes left over {way}", message]
    assert (rows[0]["severity_number"], rows[0]["severity_text"], rows[0]["environment"]) == (17, "ERROR", "e2e")
    assert (rows[0]["trace_id"], rows[0]["attributes.order"]) == (trace_id, "42")
    assert rows[1]["event_name"] == "gen_ai.user.message"
    found = box.query(table="logs", filter=of(service), search="CRÊPES", select=["body_preview"])
    assert found == [{"body_preview": f"no crêpes left over {way}"}]


@pytest.mark.parametrize("way", WAYS)
def test_metrics_of_the_opentelemetry_sdk(box: Signalbox, way: str) -> None:
    service = f"meter-{uuid.uuid4().hex}"
    exporter = (GrpcMetricExporter if way == "grpc" else HttpMetricExporter)(**options(box, way, "metrics"))
    # Exports when it is told to, and at the end.
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
    provider = MeterProvider(resource=resource(service), metric_readers=[reader])
    meter = provider.get_meter("shop")
    orders = meter.create_counter("shop.orders", unit="{order}", description="Orders taken")
    stock = meter.create_gauge("shop.stock")
    duration = meter.create_histogram("gen_ai.client.operation.duration", unit="s")
    orders.add(2, {"kind": "crêpe"})
    stock.set(7.5)
    for seconds in (0.25, 0.5, 3.0):
        duration.record(seconds, {"gen_ai.request.model": "sim/small"})
    provider.force_flush()
    orders.add(3, {"kind": "crêpe"})
    provider.shutdown()
    points = box.query(table="metric_points", filter=of(service), select=["name", "kind", "value", "time"], limit=1000)
    assert {(point["name"], point["kind"]) for point in points} >= {
        ("shop.orders", "sum"),
        ("shop.stock", "gauge"),
        ("gen_ai.client.operation.duration", "histogram"),
    }
    named = {"all": [of(service), {"field": "name", "op": "=", "value": "shop.orders"}]}
    columns = ["value", "unit", "temporality", "monotonic", "series", "attributes.kind"]
    sums = box.query(table="metric_points", filter=named, select=columns, order=[{"by": "time"}])
    assert [point["value"] for point in sums] == [2, 5]
    assert sums[0]["series"] == sums[1]["series"]
    assert (sums[0]["unit"], sums[0]["temporality"], sums[0]["monotonic"]) == ("{order}", "cumulative", True)
    assert sums[0]["attributes.kind"] == "crêpe"
    named["all"][1]["value"] = "gen_ai.client.operation.duration"
    columns = ["count", "sum", "min", "max", "buckets"]
    newest = box.query(table="metric_points", filter=named, select=columns, limit=1)[0]
    assert (newest["count"], newest["sum"], newest["min"], newest["max"]) == (3, 3.75, 0.25, 3.0)
    assert sum(newest["buckets"]["counts"]) == 3
    assert len(newest["buckets"]["counts"]) == len(newest["buckets"]["bounds"]) + 1


def test_scores_by_http(box: Signalbox) -> None:
    provider = TracerProvider(resource=resource("scored"))
    headers = {"authorization": f"Bearer {box.key}"}
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(f"{box.url}/v1/traces", headers=headers)))
    with provider.get_tracer("shop").start_as_current_span("answer") as span:
        pass
    provider.shutdown()
    trace_id = format(span.get_span_context().trace_id, "032x")
    span_id = format(span.get_span_context().span_id, "016x")
    thumb = {"trace_id": trace_id, "span_id": span_id, "name": "helpfulness", "value": 0.25, "source": "user_feedback"}
    resolved = {"id": f"mine-{trace_id}", "trace_id": trace_id, "name": "resolved", "passed": True, "reason": "paid"}
    sent = box.api("POST", "/api/v1/scores", json=[thumb, resolved])
    assert sent.status_code == 201, sent.text
    ids = sent.json()["ids"]
    assert ids[1] == resolved["id"]
    of_trace = {"field": "trace_id", "op": "=", "value": trace_id}
    rows = box.query(table="scores", filter=of_trace, select=["id", "name", "value", "passed"], order=[{"by": "name"}])
    assert rows == [
        {"id": ids[0], "name": "helpfulness", "value": 0.25, "passed": None},
        {"id": ids[1], "name": "resolved", "value": None, "passed": True},
    ]
    sql = "SELECT spans.name, scores.value FROM spans JOIN scores USING (trace_id, span_id)"
    answer = box.api("POST", "/api/v1/sql", json={"sql": f"{sql} WHERE spans.trace_id = '{trace_id}'"})
    assert answer.json()["rows"] == [["answer", 0.25]], answer.text
    shown = box.api("GET", f"/api/v1/traces/{trace_id}").json()["scores"]
    assert {score["name"] for score in shown} == {"helpfulness", "resolved"}

    wrong = box.api("POST", "/api/v1/scores", json=[thumb, {**thumb, "span_id": "nothing"}])
    assert (wrong.status_code, wrong.json()["error"]["field"]) == (400, "[1].span_id"), wrong.text
    assert httpx.post(f"{box.url}/api/v1/scores", json=thumb).status_code == 401
    tables = {table["name"] for table in box.api("GET", "/api/v1/tables").json()["tables"]}
    assert tables == {"findings", "logs", "metric_points", "scores", "span_minutes", "spans"}
