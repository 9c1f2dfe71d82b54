"""What an application that calls models sends: single calls, and agents that send all of it again each turn.

Request `n` of a workload is always the same, so that whoever measures can make it again instead of keeping it.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import NamedTuple

from words import RARE_WORD, Sentences

SPANS_A_REQUEST = 250
TURNS = 20
LOOPS_A_REQUEST = 12
# About so many spans of a workload hold the rare word.
RARE = 20
DAYS = 30
DAY_US = 86_400_000_000


class Model(NamedTuple):
    """A model as it is asked for and as it answers, and dollars per million tokens."""

    provider: str
    requested: str
    used: str
    input: float
    cached: float
    output: float


# Prices are those of the built-in price book, so that both sides sum the same cost.
MODELS = (
    Model("openai", "gpt-4o-mini", "gpt-4o-mini", 0.15, 0.075, 0.6),
    Model("openai", "gpt-4o", "gpt-4o", 2.5, 1.25, 10),
    Model("openai", "gpt-4.1-mini", "gpt-4.1-mini", 0.4, 0.1, 1.6),
    Model("anthropic", "claude-sonnet-4-5", "claude-sonnet-4-5", 3, 0.3, 15),
    Model("anthropic", "claude-haiku-4-5", "claude-haiku-4-5", 1, 0.1, 5),
    Model("gcp.gemini", "gemini-2.5-flash", "gemini-2.5-flash", 0.3, 0.03, 2.5),
    Model("gcp.gemini", "gemini-2.5-pro", "gemini-2.5-pro", 1.25, 0.125, 10),
)
MODEL_WEIGHTS = (30, 14, 12, 18, 12, 9, 5)
SERVICES = ("support-bot", "search-assistant", "checkout", "report-writer", "ticket-triage", "code-review")
ENVIRONMENTS = ("production", "production", "production", "staging")
ERRORS = (
    ("rate_limit_exceeded", "429: the provider's limit of requests per minute is reached, try again later"),
    ("timeout", "no answer within 60 s"),
    ("server_error", "500: the provider failed"),
    ("context_length_exceeded", "400: the prompt is longer than the model's context"),
)
USERS = 20_000
SYSTEM_PROMPTS = 120


@dataclass(slots=True)
class Span:
    """One call of a model. Messages are JSON already, as they go into attributes."""

    trace_id: bytes
    span_id: bytes
    parent_id: bytes
    start_us: int
    duration_us: int
    ttft_s: float
    model: Model
    session: str
    user: str
    prompt_name: str
    prompt_version: str
    agent: str
    response_id: str
    finish_reason: str
    temperature: float
    max_tokens: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    reasoning_tokens: int
    error: tuple[str, str] | None
    system: str
    input: str
    output: str
    said: str
    answered: str

    @property
    def cost(self) -> float:
        plain = self.input_tokens - self.cached_tokens
        price = self.model
        return (plain * price.input + self.cached_tokens * price.cached + self.output_tokens * price.output) / 1e6


class Request(NamedTuple):
    """Spans of one process, as one export."""

    service: str
    release: str
    environment: str
    instance: str
    spans: list[Span]


@dataclass(frozen=True, slots=True)
class Workload:
    """So many requests over 30 days, in the order of time; or over `days`."""

    sentences: Sentences
    requests: int
    end_us: int
    days: float = DAYS
    agents: bool = False
    seed: int = 1

    def request(self, number: int) -> Request:
        draw = random.Random(self.seed << 40 | number)
        width = int(self.days * DAY_US) // self.requests
        start = self.end_us - (self.requests - number) * width
        times = sorted(start + int(draw.random() * width) for _ in range(self.spans_a_request))
        service = draw.choice(SERVICES)
        instance = f"{service}-{draw.getrandbits(20):05x}-{draw.getrandbits(20):05x}"
        if self.agents:
            spans = _loops(self.sentences, draw, times)
        else:
            spans = _calls(self.sentences, draw, times, self.holds_rare_word(number))
        return Request(service, f"2.{number % 7}.{number % 13}", draw.choice(ENVIRONMENTS), instance, spans)

    @property
    def spans_a_request(self) -> int:
        return LOOPS_A_REQUEST * TURNS if self.agents else SPANS_A_REQUEST

    def holds_rare_word(self, number: int) -> bool:
        """One span of each of these requests, which are at even distances."""
        return number % max(1, self.requests // RARE) == 0


def _system_prompt(sentences: Sentences, number: int) -> str:
    prompt = _SYSTEM.get(number)
    if prompt is None:
        prompt = _SYSTEM[number] = sentences.take(random.Random(number + 1), 300 + number * 5)
    return prompt


_SYSTEM: dict[int, str] = {}


def _details(draw: random.Random) -> str:
    """What no other text says: numbers, ids, an address."""
    bits = draw.getrandbits(64)
    return (
        f"Order {bits & 0xFFFFFF:06X} of 2026-{1 + bits % 12:02d}-{1 + bits % 28:02d} came to"
        f" {(bits >> 24) % 1_000_000 / 100:.2f} EUR, reference {bits >> 20:011x}. "
    )


def _text(part: str) -> str:
    return '{"type":"text","content":"' + part + '"}'


def _message(role: str, part: str, rest: str = "") -> str:
    return '{"role":"' + role + '","parts":[' + part + "]" + rest + "}"


def _calls(sentences: Sentences, draw: random.Random, times: list[int], rare: bool) -> list[Span]:
    """Calls of 1 to 8 a trace, mostly few; about 2 KB are said in each."""
    spans: list[Span] = []
    left, trace_id, root, who, prompt = 0, b"", b"", ("", ""), (0, 0)
    rare_at = draw.randrange(len(times)) if rare else -1
    for place, time in enumerate(times):
        span_id = draw.randbytes(8)
        if left == 0:
            left = min(8, 1 + int(draw.expovariate(0.7)))
            trace_id, root = draw.randbytes(16), b""
            user = f"{int(USERS * draw.random() ** 2.5):05d}"
            # Some conversations a user and day.
            who = (f"conv-{user}-{time // DAY_US}-{draw.getrandbits(2)}", f"user-{user}")
            prompt = (int(SYSTEM_PROMPTS * draw.random() ** 2), draw.getrandbits(2))
        said = _details(draw) + sentences.take(draw, 300 + int(draw.expovariate(1 / 450)))
        answered = sentences.take(draw, 200 + int(draw.expovariate(1 / 450)))
        if place == rare_at:
            said += f" The {RARE_WORD} is missing."
        system = _system_prompt(sentences, prompt[0])
        spans.append(_span(draw, time, (trace_id, span_id, root), who, prompt, (system, said, answered)))
        root = root or span_id
        left -= 1
    return spans


def _span(
    draw: random.Random,
    time: int,
    ids: tuple[bytes, bytes, bytes],
    who: tuple[str, str],
    prompt: tuple[int, int],
    texts: tuple[str, str, str],
) -> Span:
    system, said, answered = texts
    failed = draw.random() < 0.02
    error = draw.choice(ERRORS) if failed else None
    input_tokens = (len(system) + len(said)) // 4 + 12
    output_tokens = 0 if failed else len(answered) // 4 + 1
    reason = "error" if failed else ("length" if draw.random() < 0.03 else "stop")
    return Span(
        trace_id=ids[0],
        span_id=ids[1],
        parent_id=ids[2],
        start_us=time,
        duration_us=int(draw.lognormvariate(13.9, 0.7)),
        ttft_s=round(draw.lognormvariate(-1.0, 0.5), 4),
        model=draw.choices(MODELS, MODEL_WEIGHTS)[0],
        session=who[0],
        user=who[1],
        prompt_name=f"prompt-{prompt[0]}",
        prompt_version=str(1 + prompt[1]),
        agent="",
        response_id=f"chatcmpl-{draw.getrandbits(96):024x}",
        finish_reason=reason,
        temperature=(0.0, 0.2, 0.7, 1.0)[draw.getrandbits(2)],
        max_tokens=(256, 512, 1024, 4096)[draw.getrandbits(2)],
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cached_tokens=len(system) // 4 if draw.random() < 0.4 else 0,
        reasoning_tokens=0,
        error=error,
        system="[" + _text(system) + "]",
        input="[" + _message("user", _text(said)) + "]",
        output="" if failed else "[" + _message("assistant", _text(answered), f',"finish_reason":"{reason}"') + "]",
        said=said,
        answered="" if failed else answered,
    )


def _loops(sentences: Sentences, draw: random.Random, times: list[int]) -> list[Span]:
    """Agents of 20 turns: each turn sends what all turns before it said."""
    spans: list[Span] = []
    for time in times[::TURNS]:
        trace_id, root = draw.randbytes(16), b""
        who = (f"conv-{draw.getrandbits(48):012x}", f"user-{int(USERS * draw.random() ** 2.5):05d}")
        prompt = (int(SYSTEM_PROMPTS * draw.random() ** 2), draw.getrandbits(2))
        system = _system_prompt(sentences, prompt[0])
        task = _details(draw) + sentences.take(draw, 400)
        history = [_message("user", _text(task))]
        for turn in range(TURNS):
            ids = (trace_id, draw.randbytes(8), root)
            thought = sentences.take(draw, 120)
            span = _span(draw, time + turn * 2_000_000, ids, who, prompt, (system, task, thought))
            call, result = _tool(sentences, draw)
            parts = f"{_text(thought)},{call}" if turn < TURNS - 1 else _text(thought)
            answer = _message("assistant", parts, ',"finish_reason":"stop"')
            span.agent, span.error, span.finish_reason = "researcher", None, "stop"
            span.input, span.output = "[" + ",".join(history) + "]", "[" + answer + "]"
            span.answered, span.output_tokens = thought, len(parts) // 4
            span.input_tokens = (len(system) + len(span.input)) // 4
            # What the turn before sent is in the provider's cache.
            span.cached_tokens = max(0, span.input_tokens - 300) if turn else 0
            spans.append(span)
            history += [answer, result]
            root = root or ids[1]
    return spans


def _tool(sentences: Sentences, draw: random.Random) -> tuple[str, str]:
    """A call of a tool and what it answered, about a kilobyte."""
    number = f"call_{draw.getrandbits(72):018x}"
    name = ("search", "read_page", "query_orders", "calculate")[draw.getrandbits(2)]
    arguments = {"query": sentences.take(draw, 60), "limit": draw.randint(1, 50)}
    call = {"type": "tool_call", "id": number, "name": name, "arguments": arguments}
    text = _details(draw) + sentences.take(draw, 500 + int(draw.expovariate(1 / 250)))
    result = {"type": "tool_call_response", "id": number, "response": text}
    compact = (",", ":")
    return json.dumps(call, separators=compact), _message("tool", json.dumps(result, separators=compact))
