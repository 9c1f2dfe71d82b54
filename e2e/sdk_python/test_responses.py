"""OpenAI's Responses API through the official SDK, to providers of every dialect."""

from __future__ import annotations

import json

import openai
import pytest
from test_openai import MODELS

from harness import KEY, Signalbox

TOOL = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def client(box: Signalbox) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{box.url}/v1", api_key=KEY, max_retries=0)


@pytest.mark.parametrize("model", MODELS)
def test_a_whole_answer(box: Signalbox, model: str) -> None:
    raw = client(box).responses.with_raw_response.create(model=model, instructions="Be brief.", input="Hello there")
    answer = raw.parse()
    assert (answer.status, answer.output[-1].type) == ("completed", "message")
    assert answer.output_text
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens > 0
    span = box.spans(raw.headers["x-signalbox-trace-id"])[0]
    assert (span["kind"], span["status"], span["input_tokens"]) == ("llm", "ok", answer.usage.input_tokens)
    said = [part["content"] for part in span["output_messages"][-1]["parts"] if part["type"] == "text"]
    assert said == [answer.output_text]


@pytest.mark.parametrize("model", MODELS)
def test_a_stream(box: Signalbox, model: str) -> None:
    with client(box).responses.stream(model=model, input="Hello again") as stream:
        pieces = [event.delta for event in stream if event.type == "response.output_text.delta"]
        final = stream.get_final_response()
    assert len(pieces) > 1
    assert "".join(pieces) == final.output_text
    assert final.usage.output_tokens > 0


@pytest.mark.parametrize("model", MODELS)
def test_a_tool_and_its_result(box: Signalbox, model: str) -> None:
    sdk = client(box)
    question = {"role": "user", "content": "What is the weather in Oslo?"}
    first = sdk.responses.create(model=model, input=[question], tools=[TOOL])
    call = next(item for item in first.output if item.type == "function_call")
    assert call.name == "get_weather"
    assert isinstance(json.loads(call.arguments)["city"], str)
    said = [item.model_dump(exclude_none=True) for item in first.output]
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "4 °C, snow"}
    second = sdk.responses.create(model=model, input=[question, *said, result], tools=[TOOL])
    assert second.status == "completed"
    assert second.output_text


def test_errors_are_the_right_exceptions(box: Signalbox) -> None:
    sdk = client(box)
    with pytest.raises(openai.NotFoundError, match="nope"):
        sdk.responses.create(model="nope/x", input="Hi")
    with pytest.raises(openai.AuthenticationError):
        openai.OpenAI(base_url=f"{box.url}/v1", api_key="wrong", max_retries=0).responses.create(
            model="sim/small", input="Hi"
        )
