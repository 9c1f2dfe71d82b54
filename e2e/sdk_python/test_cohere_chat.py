"""The official Cohere SDK, unchanged but for base URL and key, to upstreams of every dialect."""

from __future__ import annotations

from typing import Any

import cohere
import pytest

from harness import Signalbox

MODELS = [
    "sim/large",
    "up-cohere/large",
    "up-openai/large",
    "up-anthropic/large",
    "up-gemini/large",
    "up-bedrock/large",
]
ASK: Any = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why is the sky blue?"}]
TOOL: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def client(box: Signalbox) -> cohere.ClientV2:
    return cohere.ClientV2(api_key=box.key, base_url=box.url)


def headers(**named: str) -> Any:
    return {"additional_headers": named, "max_retries": 0}


@pytest.mark.parametrize("model", MODELS)
def test_chat(box: Signalbox, model: str) -> None:
    answer = client(box).chat(model=model, messages=ASK, max_tokens=300)
    assert answer.finish_reason == "COMPLETE"
    assert answer.message.content and answer.message.content[-1].text  # type: ignore[union-attr]
    assert answer.usage and answer.usage.billed_units and answer.usage.billed_units.output_tokens


@pytest.mark.parametrize("model", MODELS)
def test_stream(box: Signalbox, model: str) -> None:
    events = list(client(box).chat_stream(model=model, messages=ASK))
    assert (events[0].type, events[-1].type) == ("message-start", "message-end")
    deltas: list[Any] = [event for event in events if event.type == "content-delta"]
    assert "".join(event.delta.message.content.text or "" for event in deltas)


@pytest.mark.parametrize("model", MODELS)
def test_tools_there_and_back(box: Signalbox, model: str) -> None:
    sdk = client(box)
    asked: Any = [{"role": "user", "content": "The weather in Bern?"}]
    options = headers(**{"x-sim-tool-calls": "1"})
    first = sdk.chat(model=model, messages=asked, tools=[TOOL], request_options=options)
    assert first.finish_reason == "TOOL_CALL" and first.message.tool_calls
    call = first.message.tool_calls[0]
    assert call.function and call.function.name == "get_weather"
    result = {"role": "tool", "tool_call_id": call.id, "content": "clear"}
    second = sdk.chat(model=model, messages=[*asked, first.message, result], tools=[TOOL])
    assert second.message.content


@pytest.mark.parametrize("model", ["up-cohere/small", "up-openai/small"])
def test_errors_are_the_exceptions_of_the_sdk(box: Signalbox, model: str) -> None:
    for status, expected in [("429", cohere.TooManyRequestsError), ("400", cohere.BadRequestError)]:
        with pytest.raises(expected):
            client(box).chat(model=model, messages=ASK, request_options=headers(**{"x-sim-status": status}))
