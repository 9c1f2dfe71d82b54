"""What else the official SDKs of OpenAI and Anthropic call: completions, moderations, pictures, speech, counting."""

from __future__ import annotations

import base64

import anthropic
import openai
import pytest
from test_openai import MODELS, client

from harness import KEY, Signalbox

PROMPT = "Signals are"


@pytest.mark.parametrize("model", MODELS)
def test_a_text_is_completed(box: Signalbox, model: str) -> None:
    raw = client(box).completions.with_raw_response.create(model=model, prompt=PROMPT, max_tokens=40)
    answer = raw.parse()
    assert answer.object == "text_completion"
    assert answer.choices[0].text
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0
    stream = client(box).completions.create(model=model, prompt=PROMPT, max_tokens=40, stream=True)
    assert "".join(chunk.choices[0].text for chunk in stream if chunk.choices) == answer.choices[0].text
    span = box.spans(raw.headers["x-signalbox-trace-id"])[0]
    assert (span["kind"], span["operation"]) == ("llm", "text_completion")
    assert span["input_tokens"] == answer.usage.prompt_tokens
    assert span["input_messages"][0]["parts"][0]["content"] == PROMPT
    assert span["output_messages"][0]["parts"][0]["content"] == answer.choices[0].text


def test_several_texts_are_completed_by_who_can(box: Signalbox) -> None:
    answer = client(box).completions.create(model="up-openai/small", prompt=["One", "Two"])
    assert [choice.index for choice in answer.choices] == [0, 1]
    with pytest.raises(openai.BadRequestError, match="prompt"):
        client(box).completions.create(model="up-anthropic/small", prompt=["One", "Two"])


def test_a_text_is_judged(box: Signalbox) -> None:
    raw = client(box).moderations.with_raw_response.create(model="up-openai/small", input=["hello", "I kill you"])
    answer = raw.parse()
    assert [result.flagged for result in answer.results] == [False, True]
    assert answer.results[1].categories.violence is True
    assert answer.results[1].category_scores.violence > 0.5
    span = box.spans(raw.headers["x-signalbox-trace-id"])[0]
    assert (span["kind"], span["operation"], span["status"]) == ("guardrail", "moderation", "ok")
    with pytest.raises(openai.BadRequestError, match="moderation"):
        client(box).moderations.create(model="up-anthropic/small", input="hello")


def test_a_picture_is_made(box: Signalbox) -> None:
    raw = client(box).images.with_raw_response.generate(model="up-openai/small", prompt="A signal box", n=2)
    answer = raw.parse()
    assert [base64.b64decode(image.b64_json)[:4] for image in answer.data] == [b"\x89PNG"] * 2
    assert answer.usage.output_tokens == 200
    span = box.spans(raw.headers["x-signalbox-trace-id"])[0]
    assert (span["operation"], span["output_tokens"], span.get("cost")) == ("image_generation", 200, None)


def test_a_text_is_spoken_and_understood(box: Signalbox) -> None:
    sdk, model = client(box), "up-openai/small"
    spoken = sdk.audio.speech.create(model=model, voice="alloy", input="Mind the gap", response_format="wav")
    sound = spoken.read()
    assert (sound[:4], sound[8:12]) == (b"RIFF", b"WAVE")
    raw = sdk.audio.transcriptions.with_raw_response.create(model=model, file=("gap.wav", sound, "audio/wav"))
    heard = raw.parse()
    assert heard.text.startswith("Someone speaks")
    assert heard.usage.input_tokens == 14
    span = box.spans(raw.headers["x-signalbox-trace-id"])[0]
    assert (span["operation"], span["input_tokens"]) == ("transcription", 14)
    plain = sdk.audio.transcriptions.create(model=model, file=("gap.wav", sound), response_format="text")
    assert plain.startswith("Someone speaks")


def test_tokens_of_a_message_are_counted(box: Signalbox) -> None:
    sdk = anthropic.Anthropic(base_url=box.url, api_key=KEY, max_retries=0)
    messages: list = [{"role": "user", "content": "Why is the sky blue?"}]
    counted = sdk.messages.count_tokens(model="up-anthropic/small", system="Be brief.", messages=messages)
    answer = sdk.messages.create(model="up-anthropic/small", system="Be brief.", messages=messages, max_tokens=99)
    assert counted.input_tokens == answer.usage.input_tokens > 0
    with pytest.raises(anthropic.BadRequestError, match="anthropic_messages"):
        sdk.messages.count_tokens(model="up-openai/small", messages=messages)


def test_what_nobody_keeps_is_not_found(box: Signalbox) -> None:
    sdk = client(box)
    for ask in (sdk.responses.retrieve, sdk.responses.delete, sdk.responses.cancel):
        with pytest.raises(openai.NotFoundError, match="OPENAI_API_KEY"):
            ask("resp_1")
