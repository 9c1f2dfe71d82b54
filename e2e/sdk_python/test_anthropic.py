"""The official Anthropic SDK, unchanged but for base URL and key, to upstreams of every dialect."""

from __future__ import annotations

import anthropic
import pytest

from harness import Signalbox

MODELS = ["sim/large", "up-openai/large", "up-anthropic/large", "up-gemini/large"]
ASK = [{"role": "user", "content": "Why is the sky blue?"}]
TOOLS = [
    {
        "name": "get_weather",
        "description": "The weather in a city.",
        "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    }
]


def client(box: Signalbox, key: str | None = None) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=box.url, api_key=key or box.key, max_retries=0)


@pytest.mark.parametrize("model", MODELS)
def test_message(box: Signalbox, model: str) -> None:
    raw = client(box).messages.with_raw_response.create(model=model, max_tokens=300, system="Be brief.", messages=ASK)
    answer = raw.parse()
    text = "".join(block.text for block in answer.content if block.type == "text")
    assert text
    assert answer.stop_reason == "end_turn"
    assert answer.usage.input_tokens > 0
    span = box.spans(raw.headers["x-signalbox-trace-id"])[0]
    assert span["kind"] == "llm"
    assert span["output_tokens"] == answer.usage.output_tokens
    assert span["input_messages"][0]["role"] == "system"
    assert any(part.get("content") == text for part in span["output_messages"][0]["parts"])


@pytest.mark.parametrize("model", MODELS)
def test_stream(box: Signalbox, model: str) -> None:
    with client(box).messages.stream(model=model, max_tokens=300, messages=ASK) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
        trace_id = stream.response.headers["x-signalbox-trace-id"]
    assert text
    assert final.stop_reason == "end_turn"
    assert final.usage.output_tokens > 0
    span = box.spans(trace_id)[0]
    assert span["streaming"] is True
    assert span["output_tokens"] == final.usage.output_tokens


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("streamed", [False, True])
def test_tools(box: Signalbox, model: str, streamed: bool) -> None:
    sdk = client(box)
    messages: list = [{"role": "user", "content": "What is the weather in Oslo?"}]
    call = {"model": model, "max_tokens": 300, "tools": TOOLS}
    if streamed:
        with sdk.messages.stream(messages=messages, **call) as stream:
            first = stream.get_final_message()
    else:
        first = sdk.messages.create(messages=messages, **call)
    assert first.stop_reason == "tool_use"
    use = next(block for block in first.content if block.type == "tool_use")
    assert use.name == "get_weather"
    assert isinstance(use.input["city"], str)
    result = {"type": "tool_result", "tool_use_id": use.id, "content": "4 °C, snow"}
    messages += [{"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
    second = sdk.messages.create(messages=messages, **call)
    assert second.stop_reason == "end_turn"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("429", anthropic.RateLimitError),
        ("500", anthropic.InternalServerError),
        ("400", anthropic.BadRequestError),
        ("401", anthropic.InternalServerError),
    ],
)
@pytest.mark.parametrize("model", MODELS)
def test_errors_of_the_provider(box: Signalbox, model: str, status: str, error: type) -> None:
    with pytest.raises(error) as caught:
        client(box).messages.create(model=model, max_tokens=50, messages=ASK, extra_headers={"x-sim-status": status})
    assert caught.value.body["type"] == "error"  # type: ignore[index]


@pytest.mark.parametrize("model", MODELS)
def test_a_stream_that_breaks_tells_the_caller(box: Signalbox, model: str) -> None:
    with (
        pytest.raises(anthropic.APIError),
        client(box).messages.stream(
            model=model, max_tokens=200, messages=ASK, extra_headers={"x-sim-cut-after": "3"}
        ) as stream,
    ):
        stream.get_final_message()


def test_errors_of_the_caller(box: Signalbox) -> None:
    with pytest.raises(anthropic.AuthenticationError):
        client(box, "sb-wrong-key").messages.create(model="sim/small", max_tokens=5, messages=ASK)
    with pytest.raises(anthropic.NotFoundError):
        client(box).messages.create(model="no-such-model", max_tokens=5, messages=ASK)
    with pytest.raises(anthropic.BadRequestError, match="messages"):
        client(box).messages.create(model="sim/small", max_tokens=5, messages="hello")  # type: ignore[arg-type]


def test_models(box: Signalbox) -> None:
    assert "sim/small" in [model.id for model in client(box).models.list()]
