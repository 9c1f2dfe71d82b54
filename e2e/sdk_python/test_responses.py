"""OpenAI's Responses API through the official SDK, to providers of every dialect."""

from __future__ import annotations

import json

import openai
import pytest
from pydantic import BaseModel
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


class Person(BaseModel):
    name: str
    age: int


@pytest.mark.parametrize("model", ["sim/small", "up-openai/small", "up-gemini/small"])
def test_an_answer_in_a_shape(box: Signalbox, model: str) -> None:
    answer = client(box).responses.parse(model=model, input="Jane, 54", text_format=Person)
    assert isinstance(answer.output_parsed, Person)
    assert answer.output_parsed.model_dump_json() == Person.model_validate_json(answer.output_text).model_dump_json()


@pytest.mark.parametrize("model", MODELS)
def test_several_tools_in_a_stream(box: Signalbox, model: str) -> None:
    with client(box).responses.stream(
        model=model,
        input="The weather in Oslo and Rome?",
        tools=[TOOL],
        extra_headers={"x-sim-tool-calls": "2", "x-sim-split": "7"},
    ) as stream:
        done = [event for event in stream if event.type == "response.function_call_arguments.done"]
        final = stream.get_final_response()
    calls = [item for item in final.output if item.type == "function_call"]
    assert len(calls) == len(done) == 2
    assert len({call.call_id for call in calls}) == 2
    assert all(json.loads(call.arguments)["city"] for call in calls)
    assert [event.arguments for event in done] == [call.arguments for call in calls]


def test_reasoning_goes_back_to_who_thought_it(box: Signalbox) -> None:
    """Anthropic's signature comes as encrypted content, and must come back to it unchanged."""
    sdk = client(box)
    question = {"role": "user", "content": "27 * 453?"}
    first = sdk.responses.create(model="up-anthropic/large", input=[question], reasoning={"effort": "low"})
    item = first.output[0]
    assert (item.type, bool(item.summary[0].text), bool(item.encrypted_content)) == ("reasoning", True, True)
    said = [item.model_dump(exclude_none=True) for item in first.output]
    again = {"role": "user", "content": "Sure?"}
    raw = sdk.responses.with_raw_response.create(
        model="up-anthropic/large", input=[question, *said, again], reasoning={"effort": "low"}
    )
    assert raw.parse().output_text
    span = box.spans(raw.headers["x-signalbox-trace-id"])[0]
    kept = next(part for message in span["input_messages"] for part in message["parts"] if part["type"] == "reasoning")
    assert kept["signature"].startswith("sim-signature-")


@pytest.mark.parametrize("model", MODELS)
def test_a_stream_that_breaks_tells_the_caller(box: Signalbox, model: str) -> None:
    stream = client(box).responses.create(model=model, input="Hi", stream=True, extra_headers={"x-sim-cut-after": "3"})
    with pytest.raises(openai.APIError, match="cut its answer short"):
        list(stream)


def test_what_another_provider_keeps_is_refused(box: Signalbox) -> None:
    with pytest.raises(openai.BadRequestError, match="send the whole conversation") as caught:
        client(box).responses.create(model="up-anthropic/small", input="And then?", previous_response_id="resp_1")
    assert caught.value.param == "previous_response_id"


def test_errors_are_the_right_exceptions(box: Signalbox) -> None:
    sdk = client(box)
    with pytest.raises(openai.NotFoundError, match="nope"):
        sdk.responses.create(model="nope/x", input="Hi")
    with pytest.raises(openai.AuthenticationError):
        openai.OpenAI(base_url=f"{box.url}/v1", api_key="wrong", max_retries=0).responses.create(
            model="sim/small", input="Hi"
        )
