"""The official OpenAI SDK, unchanged but for base URL and key, to upstreams of every dialect."""

from __future__ import annotations

import json

import openai
import pytest

from harness import Signalbox

MODELS = ["sim/small", "up-openai/large", "up-anthropic/large", "up-gemini/large"]
ASK = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why is the sky blue?"}]
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "The weather in a city.",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
]


def client(box: Signalbox, key: str | None = None) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{box.url}/v1", api_key=key or box.key, max_retries=0)


@pytest.mark.parametrize("model", MODELS)
def test_chat(box: Signalbox, model: str) -> None:
    raw = client(box).chat.completions.with_raw_response.create(model=model, messages=ASK, max_tokens=1000)
    answer = raw.parse()
    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.prompt_tokens > 0
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    span = box.spans(raw.headers["x-signalbox-trace-id"])[0]
    assert span["kind"] == "llm"
    assert span["operation"] == "chat"
    assert span["model_requested"] == model
    assert span["input_tokens"] == answer.usage.prompt_tokens
    assert span["output_tokens"] == answer.usage.completion_tokens
    assert span["output_messages"][0]["parts"][0]["content"] == answer.choices[0].message.content
    assert [message["role"] for message in span["input_messages"]] == ["system", "user"]
    assert span["cost"] > 0
    assert float(raw.headers["x-signalbox-cost-usd"]) == pytest.approx(span["cost"])
    assert float(raw.headers["x-signalbox-latency-ms"]) >= 0


@pytest.mark.parametrize("model", MODELS)
def test_stream(box: Signalbox, model: str) -> None:
    with client(box).chat.completions.with_streaming_response.create(
        model=model, messages=ASK, stream=True, stream_options={"include_usage": True}
    ) as response:
        trace_id = response.headers["x-signalbox-trace-id"]
        chunks = list(response.parse())
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text
    assert chunks[-1].usage.completion_tokens > 0, "the usage chunk comes last"
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    span = box.spans(trace_id)[0]
    assert span["streaming"] is True
    assert span["ttft_ms"] > 0
    assert span["output_tokens"] == chunks[-1].usage.completion_tokens
    assert span["output_messages"][0]["parts"][-1]["content"] == text


@pytest.mark.parametrize("model", MODELS)
def test_stream_usage_is_recorded_but_not_sent_unasked(box: Signalbox, model: str) -> None:
    with client(box).chat.completions.with_streaming_response.create(
        model=model, messages=ASK, stream=True
    ) as response:
        trace_id = response.headers["x-signalbox-trace-id"]
        chunks = list(response.parse())
    assert all(chunk.usage is None for chunk in chunks)
    assert all(chunk.choices for chunk in chunks), "no chunk that the caller did not ask for"
    assert box.spans(trace_id)[0]["output_tokens"] > 0


@pytest.mark.parametrize("model", MODELS)
def test_tools(box: Signalbox, model: str) -> None:
    sdk = client(box)
    messages: list = [{"role": "user", "content": "What is the weather in Oslo?"}]
    first = sdk.chat.completions.create(model=model, messages=messages, tools=TOOLS)
    assert first.choices[0].finish_reason == "tool_calls"
    call = first.choices[0].message.tool_calls[0]
    assert call.function.name == "get_weather"
    assert isinstance(json.loads(call.function.arguments)["city"], str)
    messages += [first.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "4 °C, snow"}]
    raw = sdk.chat.completions.with_raw_response.create(model=model, messages=messages, tools=TOOLS)
    second = raw.parse()
    assert second.choices[0].finish_reason == "stop"
    assert second.choices[0].message.content
    span = box.spans(raw.headers["x-signalbox-trace-id"])[0]
    kinds = [part["type"] for message in span["input_messages"] for part in message["parts"]]
    # Gemini signs a call by a thought in front of it.
    kinds = [kind for kind in kinds if kind != "reasoning"]
    assert kinds == ["text", "tool_call", "tool_call_response"]
    assert span["tools"][0]["name"] == "get_weather"


@pytest.mark.parametrize("model", MODELS)
def test_streamed_tools(box: Signalbox, model: str) -> None:
    stream = client(box).chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": "The weather in Oslo and Rome?"}],
        tools=TOOLS,
        stream=True,
        extra_headers={"x-sim-tool-calls": "2"},
    )
    calls: dict[int, dict[str, str]] = {}
    for chunk in stream:
        for delta in chunk.choices[0].delta.tool_calls or []:
            call = calls.setdefault(delta.index, {"id": "", "name": "", "arguments": ""})
            call["id"] += delta.id or ""
            call["name"] += delta.function.name or ""
            call["arguments"] += delta.function.arguments or ""
    assert len(calls) == 2
    assert len({call["id"] for call in calls.values()}) == 2
    for call in calls.values():
        assert call["name"] == "get_weather"
        assert json.loads(call["arguments"])["city"]


def test_embeddings(box: Signalbox) -> None:
    raw = client(box).embeddings.with_raw_response.create(model="sim/embed", input=["one", "two"])
    answer = raw.parse()
    assert len(answer.data) == 2
    assert len(answer.data[0].embedding) == len(answer.data[1].embedding) > 8
    assert box.spans(raw.headers["x-signalbox-trace-id"])[0]["kind"] == "embedding"


def test_models(box: Signalbox) -> None:
    names = [model.id for model in client(box).models.list()]
    assert {"sim/small", "sim/large", "sim/embed"} <= set(names)
    assert client(box).models.retrieve("sim/small").id == "sim/small"
    with pytest.raises(openai.NotFoundError):
        client(box).models.retrieve("sim/none")


@pytest.mark.parametrize(
    ("status", "error", "recorded"),
    [
        ("429", openai.RateLimitError, "rate_limited"),
        ("500", openai.InternalServerError, "upstream_error"),
        ("503", openai.InternalServerError, "upstream_overloaded"),
        ("400", openai.BadRequestError, "invalid_request"),
        # Our credential was refused, not the caller's: its SDK must not say so.
        ("401", openai.InternalServerError, "upstream_auth"),
    ],
)
@pytest.mark.parametrize("model", MODELS)
def test_errors_of_the_provider(box: Signalbox, model: str, status: str, error: type, recorded: str) -> None:
    with pytest.raises(error) as caught:
        client(box).chat.completions.create(model=model, messages=ASK, extra_headers={"x-sim-status": status})
    assert caught.value.message
    span = box.spans(caught.value.response.headers["x-signalbox-trace-id"])[0]
    assert (span["status"], span["error_type"]) == ("error", recorded)


@pytest.mark.parametrize("model", MODELS)
def test_a_stream_that_breaks_tells_the_caller(box: Signalbox, model: str) -> None:
    stream = client(box).chat.completions.create(
        model=model, messages=ASK, stream=True, extra_headers={"x-sim-cut-after": "3"}
    )
    with pytest.raises(openai.APIError):
        list(stream)


def test_errors_of_the_caller(box: Signalbox) -> None:
    with pytest.raises(openai.AuthenticationError, match="key"):
        client(box, "sb-wrong-key").chat.completions.create(model="sim/small", messages=ASK)
    with pytest.raises(openai.NotFoundError, match="sim/"):
        client(box).chat.completions.create(model="no-such-model", messages=ASK)
    with pytest.raises(openai.BadRequestError, match="messages"):
        client(box).chat.completions.create(model="sim/small", messages="hello")  # type: ignore[arg-type]
    with pytest.raises(openai.BadRequestError, match="model"):
        client(box).chat.completions.create(model=7, messages=ASK)  # type: ignore[arg-type]


def test_split_anywhere(box: Signalbox) -> None:
    """Chunks of one byte cut events and characters; the text must come out whole."""
    for model in MODELS:
        stream = client(box).chat.completions.create(
            model=model,
            messages=ASK,
            stream=True,
            extra_headers={"x-sim-split": "1", "x-sim-echo": "na%C3%AFve %F0%9F%A6%8A text"},
        )
        assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == "naïve 🦊 text"
