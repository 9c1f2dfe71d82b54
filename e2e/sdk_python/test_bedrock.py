"""The official Amazon SDK, unchanged but for endpoint and key, to upstreams of every dialect; and others to Bedrock."""

from __future__ import annotations

from typing import Any

import boto3
import openai
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError

from harness import Signalbox

MODELS = ["sim/large", "up-openai/large", "up-anthropic/large", "up-gemini/large", "up-bedrock/large"]
ASK = [{"role": "user", "content": [{"text": "Why is the sky blue?"}]}]
WEATHER = {
    "tools": [
        {
            "toolSpec": {
                "name": "get_weather",
                "description": "The weather in a city.",
                "inputSchema": {
                    "json": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
                },
            }
        }
    ]
}


# Over plain HTTP the SDK sends no bearer token, so the key is the access key id.
def client(box: Signalbox, **headers: str) -> Any:
    sdk = boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=box.url,
        aws_access_key_id=box.key,
        aws_secret_access_key="unused",
        config=Config(retries={"total_max_attempts": 1}),
    )

    def add(request: Any, **_: Any) -> None:
        for name, value in headers.items():
            request.headers[name] = value

    sdk.meta.events.register("before-sign.bedrock-runtime.*", add)
    return sdk


def headers_of(answer: dict[str, Any]) -> dict[str, str]:
    return answer["ResponseMetadata"]["HTTPHeaders"]


@pytest.mark.parametrize("model", MODELS)
def test_converse(box: Signalbox, model: str) -> None:
    sdk = client(box)
    answer = sdk.converse(
        modelId=model, messages=ASK, system=[{"text": "Be brief."}], inferenceConfig={"maxTokens": 300}
    )
    text = "".join(block.get("text", "") for block in answer["output"]["message"]["content"])
    assert text and answer["stopReason"] == "end_turn"
    usage = answer["usage"]
    assert usage["inputTokens"] > 0 and usage["totalTokens"] >= usage["inputTokens"] + usage["outputTokens"]
    span = box.spans(headers_of(answer)["x-signalbox-trace-id"])[0]
    assert (span["dialect"], span["model_requested"]) == ("bedrock_converse", model)
    assert span["output_tokens"] == usage["outputTokens"]
    assert [message["role"] for message in span["input_messages"]] == ["system", "user"]


@pytest.mark.parametrize("model", MODELS)
def test_stream(box: Signalbox, model: str) -> None:
    sdk = client(box)
    events = list(sdk.converse_stream(modelId=model, messages=ASK)["stream"])
    assert "messageStart" in events[0] and "metadata" in events[-1]
    deltas = [event["contentBlockDelta"]["delta"] for event in events if "contentBlockDelta" in event]
    assert "".join(delta.get("text", "") for delta in deltas)
    assert events[-1]["metadata"]["usage"]["outputTokens"] > 0
    assert [event["messageStop"]["stopReason"] for event in events if "messageStop" in event] == ["end_turn"]


@pytest.mark.parametrize("model", MODELS)
def test_tools_there_and_back(box: Signalbox, model: str) -> None:
    sdk = client(box)
    messages: list[dict[str, Any]] = [{"role": "user", "content": [{"text": "The weather in Bern?"}]}]
    first = client(box, **{"x-sim-tool-calls": "1"}).converse(modelId=model, messages=messages, toolConfig=WEATHER)
    assert first["stopReason"] == "tool_use"
    message = first["output"]["message"]
    call = next(block["toolUse"] for block in message["content"] if "toolUse" in block)
    assert call["name"] == "get_weather" and "city" in call["input"]
    result = {"toolUseId": call["toolUseId"], "content": [{"json": {"sky": "clear"}}]}
    messages += [message, {"role": "user", "content": [{"toolResult": result}]}]
    second = sdk.converse(modelId=model, messages=messages, toolConfig=WEATHER)
    assert second["output"]["message"]["content"]


@pytest.mark.parametrize("model", ["up-openai/small", "up-bedrock/small"])
def test_errors_are_the_exceptions_of_the_sdk(box: Signalbox, model: str) -> None:
    for status, name in [("429", "ThrottlingException"), ("400", "ValidationException")]:
        with pytest.raises(ClientError) as raised:
            client(box, **{"x-sim-status": status}).converse(modelId=model, messages=ASK)
        assert raised.value.response["Error"]["Code"] == name
    broken = client(box, **{"x-sim-cut-after": "2"}).converse_stream(modelId=model, messages=ASK)
    with pytest.raises(EventStreamError):
        list(broken["stream"])


@pytest.mark.parametrize("stream", [False, True])
def test_openais_sdk_reaches_bedrock(box: Signalbox, stream: bool) -> None:
    sdk = openai.OpenAI(base_url=f"{box.url}/v1", api_key=box.key, max_retries=0)
    ask: Any = [{"role": "user", "content": "Why is the sky blue?"}]
    if not stream:
        answer = sdk.chat.completions.create(model="up-bedrock/small", messages=ask)
        assert answer.choices[0].message.content and answer.usage and answer.usage.prompt_tokens
        return
    chunks = list(sdk.chat.completions.create(model="up-bedrock/small", messages=ask, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
