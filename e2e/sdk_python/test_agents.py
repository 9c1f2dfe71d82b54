"""OpenAI's Agents SDK, unchanged but for base URL and key: it speaks the Responses API."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import openai
import pytest
from agents import Agent, ModelSettings, OpenAIResponsesModel, RunConfig, Runner, function_tool
from pydantic import BaseModel
from test_openai import MODELS

from harness import KEY, Signalbox

QUIET = RunConfig(tracing_disabled=True)


def run(box: Signalbox, model: str, use: Any) -> Any:
    """Calls `use` with a model, in an event loop of its own."""

    async def inside() -> Any:
        async with openai.AsyncOpenAI(base_url=f"{box.url}/v1", api_key=KEY, max_retries=0) as sdk:
            return await use(OpenAIResponsesModel(model=model, openai_client=sdk))

    coroutine: Coroutine[Any, Any, Any] = inside()
    return asyncio.run(coroutine)


@pytest.mark.parametrize("model", MODELS)
def test_an_agent_calls_its_tool_and_answers(box: Signalbox, model: str) -> None:
    cities: list[str] = []

    @function_tool
    def get_weather(city: str) -> str:
        """The weather in a city."""
        cities.append(city)
        return "4 °C, snow"

    async def use(api: OpenAIResponsesModel) -> Any:
        agent = Agent(name="weather", instructions="Use the tool.", model=api, tools=[get_weather])
        return await Runner.run(agent, "What is the weather in Oslo?", run_config=QUIET)

    result = run(box, model, use)
    assert len(cities) == 1 and cities[0]
    assert "4 °C, snow" in result.final_output
    assert result.context_wrapper.usage.requests == 2
    assert result.context_wrapper.usage.input_tokens > 0


@pytest.mark.parametrize("model", MODELS)
def test_an_agent_streams(box: Signalbox, model: str) -> None:
    async def use(api: OpenAIResponsesModel) -> tuple[list[str], str]:
        agent = Agent(name="talker", model=api, model_settings=ModelSettings(max_tokens=500))
        result = Runner.run_streamed(agent, "Why is the sky blue?", run_config=QUIET)
        pieces = []
        async for event in result.stream_events():
            if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
                pieces.append(event.data.delta)
        return pieces, result.final_output

    pieces, final = run(box, model, use)
    assert len(pieces) > 1
    assert "".join(pieces) == final


class Person(BaseModel):
    name: str
    age: int


@pytest.mark.parametrize("model", ["sim/small", "up-openai/small", "up-gemini/small"])
def test_an_agent_answers_in_a_shape(box: Signalbox, model: str) -> None:
    async def use(api: OpenAIResponsesModel) -> Any:
        agent = Agent(name="clerk", model=api, output_type=Person)
        return (await Runner.run(agent, "Jane, 54", run_config=QUIET)).final_output

    assert isinstance(run(box, model, use), Person)
