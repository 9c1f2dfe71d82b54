"""The official Google SDK, unchanged but for base URL and key, to upstreams of every dialect."""

from __future__ import annotations

from typing import Any

import pytest
from google import genai
from google.genai import errors, types
from pydantic import BaseModel

from harness import Signalbox

MODELS = ["sim/large", "up-openai/large", "up-anthropic/large", "up-gemini/large"]
ASK = "Why is the sky blue?"
WEATHER = types.Tool(
    function_declarations=[
        types.FunctionDeclaration(
            name="get_weather",
            description="The weather in a city.",
            parameters=types.Schema(
                type=types.Type.OBJECT,
                properties={"city": types.Schema(type=types.Type.STRING)},
                required=["city"],
            ),
        )
    ]
)


# The SDK closes its connections when the client is gone, so each is kept in a name while it is used.
def client(box: Signalbox, key: str | None = None, **headers: str) -> genai.Client:
    options = types.HttpOptions(base_url=box.url, headers=headers, retry_options=types.HttpRetryOptions(attempts=1))
    return genai.Client(api_key=key or box.key, http_options=options)


def config(**settings: Any) -> types.GenerateContentConfig:
    automatic = types.AutomaticFunctionCallingConfig(disable=True)
    return types.GenerateContentConfig(automatic_function_calling=automatic, **settings)


def spans_of(box: Signalbox, headers: dict[str, str] | None) -> list[dict[str, Any]]:
    assert headers is not None
    return box.spans({name.lower(): value for name, value in headers.items()}["x-signalbox-trace-id"])


@pytest.mark.parametrize("model", MODELS)
def test_generate(box: Signalbox, model: str) -> None:
    sdk = client(box)
    settings = config(system_instruction="Be brief.", max_output_tokens=300, temperature=0.5)
    answer = sdk.models.generate_content(model=model, contents=ASK, config=settings)
    assert answer.text
    assert answer.candidates and answer.candidates[0].finish_reason == types.FinishReason.STOP
    usage = answer.usage_metadata
    assert usage is not None and usage.prompt_token_count and usage.candidates_token_count
    assert answer.model_version == "large"
    span = spans_of(box, answer.sdk_http_response.headers)[0]  # type: ignore[union-attr]
    assert span["kind"] == "llm"
    assert span["dialect"] == "gemini"
    assert span["model_requested"] == model
    assert span["input_tokens"] == usage.prompt_token_count
    assert span["output_tokens"] == usage.candidates_token_count + (usage.thoughts_token_count or 0)
    assert [message["role"] for message in span["input_messages"]] == ["system", "user"]
    assert any(part.get("content") == answer.text for part in span["output_messages"][0]["parts"])


@pytest.mark.parametrize("model", MODELS)
def test_stream(box: Signalbox, model: str) -> None:
    sdk = client(box)
    chunks = list(sdk.models.generate_content_stream(model=model, contents=ASK, config=config()))
    assert len(chunks) > 2
    assert "".join(chunk.text or "" for chunk in chunks)
    last = chunks[-1]
    assert last.candidates and last.candidates[0].finish_reason == types.FinishReason.STOP
    assert last.usage_metadata is not None and last.usage_metadata.candidates_token_count
    span = spans_of(box, chunks[0].sdk_http_response.headers)[0]  # type: ignore[union-attr]
    assert span["streaming"] is True
    assert span["ttft_ms"] is not None


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("streamed", [False, True])
def test_tools(box: Signalbox, model: str, streamed: bool) -> None:
    sdk = client(box)
    contents: list[Any] = [types.Content(role="user", parts=[types.Part(text="What is the weather in Oslo?")])]
    settings = config(tools=[WEATHER])
    if streamed:
        chunks = list(sdk.models.generate_content_stream(model=model, contents=contents, config=settings))
        said = [chunk.candidates[0].content for chunk in chunks]  # type: ignore[index]
        calls = [call for chunk in chunks for call in chunk.function_calls or []]
    else:
        first = sdk.models.generate_content(model=model, contents=contents, config=settings)
        said = [first.candidates[0].content]  # type: ignore[index]
        calls = first.function_calls or []
    assert [call.name for call in calls] == ["get_weather"]
    call = calls[0]
    assert call.id
    assert isinstance((call.args or {})["city"], str)
    response = types.FunctionResponse(id=call.id, name=call.name, response={"output": "4 °C, snow"})
    contents += [*said, types.Content(role="user", parts=[types.Part(function_response=response)])]
    second = sdk.models.generate_content(model=model, contents=contents, config=settings)
    assert not second.function_calls
    assert "4 °C, snow" in (second.text or "")


@pytest.mark.parametrize("model", MODELS)
def test_chat(box: Signalbox, model: str) -> None:
    sdk = client(box)
    chat = sdk.chats.create(model=model, config=config())
    assert "".join(chunk.text or "" for chunk in chat.send_message_stream(ASK))
    assert chat.send_message("And why is grass green?").text
    roles = [content.role for content in chat.get_history(curated=True)]
    assert roles[0] == "user" and roles[-1] == "model" and roles.count("user") == 2


@pytest.mark.parametrize("model", ["up-gemini/large", "up-anthropic/large"])
def test_thinking(box: Signalbox, model: str) -> None:
    sdk = client(box)
    thinking = types.ThinkingConfig(include_thoughts=True, thinking_budget=1024)
    answer = sdk.models.generate_content(
        model=model, contents=ASK, config=config(thinking_config=thinking, max_output_tokens=4000)
    )
    parts = answer.candidates[0].content.parts  # type: ignore[index,union-attr]
    assert parts is not None
    assert any(part.thought and part.text for part in parts)
    assert any(part.thought_signature for part in parts)


@pytest.mark.parametrize("model", ["sim/small", "up-openai/small", "up-gemini/small"])
def test_structured_answer(box: Signalbox, model: str) -> None:
    sdk = client(box)

    class Recipe(BaseModel):
        name: str
        minutes: int

    settings = config(response_mime_type="application/json", response_schema=Recipe)
    answer = sdk.models.generate_content(model=model, contents="A recipe.", config=settings)
    assert isinstance(answer.parsed, Recipe)


@pytest.mark.parametrize("model", ["sim/embed", "up-openai/embed", "up-gemini/embed"])
def test_embeddings(box: Signalbox, model: str) -> None:
    sdk = client(box)
    settings = types.EmbedContentConfig(output_dimensionality=8)
    answer = sdk.models.embed_content(model=model, contents=["one", "two"], config=settings)
    assert [len(embedding.values or []) for embedding in answer.embeddings or []] == [8, 8]


def test_count_tokens(box: Signalbox) -> None:
    sdk = client(box)
    counted = sdk.models.count_tokens(model="up-gemini/small", contents=ASK)
    assert counted.total_tokens and counted.total_tokens > 5
    with pytest.raises(errors.ClientError, match="speaks `openai_chat`"):
        sdk.models.count_tokens(model="up-openai/small", contents=ASK)


@pytest.mark.parametrize(
    ("status", "code", "word", "error"),
    [
        ("429", 429, "RESOURCE_EXHAUSTED", errors.ClientError),
        ("500", 502, "INTERNAL", errors.ServerError),
        ("400", 400, "INVALID_ARGUMENT", errors.ClientError),
        ("401", 502, "INTERNAL", errors.ServerError),
    ],
)
@pytest.mark.parametrize("model", MODELS[:3])
def test_errors_of_the_provider(
    box: Signalbox, model: str, status: str, code: int, word: str, error: type[errors.APIError]
) -> None:
    sdk = client(box, **{"x-sim-status": status})
    with pytest.raises(error) as caught:
        sdk.models.generate_content(model=model, contents=ASK)
    assert (caught.value.code, caught.value.status) == (code, word)
    assert caught.value.message


@pytest.mark.parametrize("model", MODELS)
def test_a_stream_that_breaks_tells_the_caller(box: Signalbox, model: str) -> None:
    broken = client(box, **{"x-sim-cut-after": "3"})
    with pytest.raises(errors.APIError):
        list(broken.models.generate_content_stream(model=model, contents=ASK))


def test_errors_of_the_caller(box: Signalbox) -> None:
    sdk = client(box)
    stranger = client(box, "sb-wrong-key")
    with pytest.raises(errors.ClientError) as caught:
        stranger.models.generate_content(model="sim/small", contents=ASK)
    assert (caught.value.code, caught.value.status) == (401, "UNAUTHENTICATED")
    with pytest.raises(errors.ClientError) as caught:
        sdk.models.generate_content(model="no-such-model", contents=ASK)
    assert (caught.value.code, caught.value.status) == (404, "NOT_FOUND")
    search = types.Tool(google_search=types.GoogleSearch())
    with pytest.raises(errors.ClientError, match="googleSearch"):
        sdk.models.generate_content(model="up-openai/small", contents=ASK, config=config(tools=[search]))


def test_models(box: Signalbox) -> None:
    sdk = client(box)
    assert "models/sim/small" in [model.name for model in sdk.models.list()]
    assert sdk.models.get(model="sim/small").display_name == "small"
