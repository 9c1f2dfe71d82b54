"""`/providers/{name}/…`: whatever a provider has, with the SDKs that call it."""

from __future__ import annotations

import anthropic
import httpx
import openai
import pytest
from google import genai

from harness import KEY, Provider, Signalbox

ASK = [{"role": "user", "content": "Why is the sky blue?"}]


def test_sdks_call_their_provider_by_its_name(box: Signalbox) -> None:
    sdk = openai.OpenAI(base_url=f"{box.url}/providers/up-openai/v1", api_key=KEY, max_retries=0)
    raw = sdk.chat.completions.with_raw_response.create(model="small", messages=ASK)
    assert raw.parse().choices[0].message.content
    span = box.spans(raw.headers["x-signalbox-trace-id"])[0]
    assert (span["kind"], span["operation"]) == ("llm", "chat")
    assert span["attributes"]["url.path"] == "/providers/up-openai/v1/chat/completions"
    assert span["input_tokens"] == raw.parse().usage.prompt_tokens
    stream = sdk.chat.completions.create(model="small", messages=ASK, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)

    claude = anthropic.Anthropic(base_url=f"{box.url}/providers/up-anthropic", api_key=KEY, max_retries=0)
    assert claude.messages.create(model="small", max_tokens=100, messages=ASK).content[0].text

    options = {"base_url": f"{box.url}/providers/up-gemini"}
    gemini = genai.Client(api_key=KEY, http_options=options)
    assert gemini.models.generate_content(model="small", contents="Why is the sky blue?").text


def test_what_nobody_here_knows_passes(box: Signalbox, provider: Provider) -> None:
    headers = {"authorization": f"Bearer {KEY}", "x-custom": "1"}
    url = f"{box.url}/providers/up-openai/sim/echo/jobs/job-1"
    answer = httpx.put(url, headers=headers, params={"limit": 3}, json={"say": "hello"})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["method"], told["path"], told["query"]) == ("PUT", "/v1/sim/echo/jobs/job-1", "limit=3")
    span = box.spans(answer.headers["x-signalbox-trace-id"])[0]
    assert span["name"] == "PUT /providers/up-openai/sim/echo/jobs/{id}"
    assert (span["operation"], span["input"]) == ("pass_through", {"say": "hello"})
    seen = httpx.get(f"{provider.url}/v1/sim/requests").text
    assert KEY not in seen


def test_the_key_counts_and_the_name_must_be_right(box: Signalbox) -> None:
    assert httpx.get(f"{box.url}/providers/up-openai/models").status_code == 401
    assert httpx.get(f"{box.url}/providers/up-openai/models", params={"key": KEY}).status_code == 200
    sdk = openai.OpenAI(base_url=f"{box.url}/providers/up-opena", api_key=KEY, max_retries=0)
    with pytest.raises(openai.NotFoundError, match="did you mean `up-openai`"):
        sdk.models.list()


def test_the_page_of_providers_is_still_there(box: Signalbox) -> None:
    answer = httpx.get(f"{box.url}/providers", headers={"accept": "text/html"})
    assert answer.headers["content-type"].startswith("text/html")
