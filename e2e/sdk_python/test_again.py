"""Calls that are sent again, by the official SDKs: one call to the provider, one answer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import anthropic
import openai
import pytest

from harness import Signalbox

ASK = [{"role": "user", "content": "Why is the sky blue?"}]
WORDS = "x-signalbox-idempotency"


def test_openai_gets_the_kept_answer(box: Signalbox) -> None:
    client = openai.OpenAI(base_url=f"{box.url}/v1", api_key=box.key, max_retries=0)
    create = client.chat.completions.with_raw_response.create
    once = {"Idempotency-Key": "openai-order-1"}
    first = create(model="up-openai/large", messages=ASK, extra_headers=once)
    second = create(model="up-openai/large", messages=ASK, extra_headers=once)
    assert second.parse().model_dump() == first.parse().model_dump()
    assert WORDS not in first.headers and second.headers[WORDS] == "kept"
    span = box.spans(second.headers["x-signalbox-trace-id"])[0]
    assert span["attributes"]["signalbox.idempotency.trace_id"] == first.headers["x-signalbox-trace-id"]
    assert span.get("output_tokens") is None and span.get("cost") is None
    # For another request it is refused, and the SDK doesn't try that again.
    with pytest.raises(openai.UnprocessableEntityError) as refused:
        create(model="up-openai/large", messages=ASK, temperature=0, extra_headers=once)
    assert refused.value.code == "idempotency_key_reused"


def test_anthropic_calls_at_once_are_one(box: Signalbox) -> None:
    client = anthropic.Anthropic(base_url=box.url, api_key=box.key, max_retries=0)
    headers = {"Idempotency-Key": "anthropic-order-1", "x-sim-latency-ms": "300"}

    def ask(_: int) -> tuple[str, str | None]:
        raw = client.messages.with_raw_response.create(
            model="up-anthropic/large", messages=ASK, max_tokens=500, extra_headers=headers
        )
        return raw.parse().id, raw.headers.get(WORDS)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, range(4)))
    assert len({answer for answer, _ in answers}) == 1
    assert sum(word is None for _, word in answers) == 1
