"""Requests as OTLP protobuf (`ExportTraceServiceRequest`), written by hand: it must cost the sender little.

Field numbers are those of opentelemetry-proto's `trace.proto` and `common.proto`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache

from spans import Request, Span

SCOPE = ("opentelemetry.instrumentation.genai.openai", "1.2b0")
CLIENT = 3
OK, ERROR = 1, 2
# Of each id, so many bytes are those of the repetition.
STAMP = struct.Struct(">I")


@dataclass(slots=True)
class Body:
    """A request's bytes, and where ids stand in it."""

    bytes: bytearray
    ids: list[int]
    spans: int

    def stamp(self, number: int) -> None:
        """Makes other spans of it: whatever is sent again has ids of its own, spans of a trace still share theirs."""
        stamped, body = STAMP.pack(number), self.bytes
        for at in self.ids:
            body[at : at + 4] = stamped


def encode(request: Request) -> Body:
    """The request, with places to stamp."""
    parts: list[bytes] = []
    places: list[int] = []
    length = 0
    for span in request.spans:
        message, shift = _span(span)
        head = b"\x12" + _varint(len(message))
        parts += (head, message)
        start = length + len(head) + shift
        places += (start, start + 18, start + 28) if span.parent_id else (start, start + 18)
        length += len(head) + len(message)
    scope = _field(1, _field(1, SCOPE[0].encode()) + _field(2, SCOPE[1].encode()))
    schema = _field(3, b"https://opentelemetry.io/schemas/1.37.0")
    scope_spans = b"\x12" + _varint(len(scope) + length + len(schema)) + scope
    resource = _field(1, _resource(request))
    resource_spans = b"\x0a" + _varint(len(resource) + len(scope_spans) + length + len(schema)) + resource
    before = len(resource_spans) + len(scope_spans)
    body = bytearray(b"".join((resource_spans, scope_spans, *parts, schema)))
    return Body(body, [before + at for at in places], len(request.spans))


def _span(span: Span) -> tuple[bytes, int]:
    """The message, and where in it the trace id stands (span id and parent id follow at fixed distances)."""
    times = struct.pack("<Q", span.start_us * 1_000), struct.pack("<Q", (span.start_us + span.duration_us) * 1_000)
    name = f"chat {span.model.requested}".encode()
    parts = [
        b"\x0a\x10",
        span.trace_id,
        b"\x12\x08",
        span.span_id,
        b"\x22\x08" + span.parent_id if span.parent_id else b"",
        _field(5, name),
        bytes((0x30, CLIENT)),
        b"\x39" + times[0] + b"\x41" + times[1],
        _model(span.model),
        _text("gen_ai.conversation.id", span.session),
        _text("user.id", span.user),
        _text("gen_ai.prompt.name", span.prompt_name),
        _text("gen_ai.prompt.version", span.prompt_version),
        _text("gen_ai.response.id", span.response_id),
        _whole("gen_ai.usage.input_tokens", span.input_tokens),
        _whole("gen_ai.request.max_tokens", span.max_tokens),
        _number("gen_ai.request.temperature", span.temperature),
        _number("gen_ai.response.time_to_first_chunk", span.ttft_s),
        _yes("gen_ai.request.stream"),
        _text("gen_ai.system_instructions", span.system),
        _text("gen_ai.input.messages", span.input),
    ]
    if span.agent:
        parts.append(_text("gen_ai.agent.name", span.agent))
    if span.cached_tokens:
        parts.append(_whole("gen_ai.usage.cache_read.input_tokens", span.cached_tokens))
    if span.error:
        parts += (_text("error.type", span.error[0]), _field(15, _field(2, span.error[1].encode()) + b"\x18\x02"))
    else:
        parts += (
            _whole("gen_ai.usage.output_tokens", span.output_tokens),
            _texts("gen_ai.response.finish_reasons", span.finish_reason),
            _text("gen_ai.output.messages", span.output),
            b"\x7a\x02\x18\x01",
        )
    return b"".join(parts), 2


@lru_cache
def _model(model: object) -> bytes:
    return b"".join(
        (
            _text("gen_ai.operation.name", "chat"),
            _text("gen_ai.provider.name", model.provider),
            _text("gen_ai.request.model", model.requested),
            _text("gen_ai.response.model", model.used),
            _text("server.address", f"api.{model.provider}.example"),
            _whole("server.port", 443),
        )
    )


def _resource(request: Request) -> bytes:
    said = {
        "service.name": request.service,
        "service.version": request.release,
        "deployment.environment.name": request.environment,
        "service.instance.id": request.instance,
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.version": "1.38.0",
        "process.runtime.version": "3.12.7",
        "host.arch": "amd64",
    }
    # Attributes are field 1 here and field 9 of a span.
    return b"".join(b"\x0a" + _text(key, value)[1:] for key, value in said.items())


def _field(number: int, payload: bytes) -> bytes:
    return bytes((number << 3 | 2,)) + _varint(len(payload)) + payload


def _attribute(key: str, value: bytes) -> bytes:
    head = _key(key)
    wrapped = b"\x12" + _varint(len(value))
    return b"".join((b"\x4a", _varint(len(head) + len(wrapped) + len(value)), head, wrapped, value))


@lru_cache
def _key(key: str) -> bytes:
    return _field(1, key.encode())


def _text(key: str, value: str) -> bytes:
    encoded = value.encode()
    return _attribute(key, b"\x0a" + _varint(len(encoded)) + encoded)


def _texts(key: str, value: str) -> bytes:
    return _attribute(key, _field(5, _field(1, _field(1, value.encode()))))


def _whole(key: str, value: int) -> bytes:
    return _attribute(key, b"\x18" + _varint(value))


def _number(key: str, value: float) -> bytes:
    return _attribute(key, b"\x21" + struct.pack("<d", value))


def _yes(key: str) -> bytes:
    return _attribute(key, b"\x10\x01")


def _varint(value: int) -> bytes:
    if value < 0x80:
        return _SMALL[value]
    if value < 0x4000:
        return bytes((value & 0x7F | 0x80, value >> 7))
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


_SMALL = [bytes((value,)) for value in range(0x80)]
