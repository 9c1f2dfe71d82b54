"""Drift: two kinds of traffic over OTLP, comparisons by API, by schedule and by a model, an incident, and a kill."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

from harness import Signalbox, wait_until

HOUR = 3_600

BEFORE = {
    "model": "gpt-4o-mini",
    "texts": [
        "Where is my order, and when will the parcel arrive?",
        "Please reset the password of my account.",
        "Which plan includes more storage?",
    ],
    "tokens": 120,
    "tool": "search_orders",
}
AFTER = {
    "model": "gpt-4.1",
    "texts": [
        "Wo ist meine Bestellung und wann kommt das Paket bei mir an?",
        "Bitte setzen Sie das Passwort meines Kontos zurück.",
        "Warum stürzt die App ab, wenn ich die Einstellungen öffne?",
    ],
    "tokens": 400,
    "tool": "search_manuals",
}


def spans(traffic: dict[str, Any], first: int, count: int, begin: float) -> list[dict[str, Any]]:
    """Calls over an hour, each with a tool."""
    chance = random.Random(first)
    made = []
    for number in range(first, first + count):
        start = begin + (number - first) * HOUR / count
        text = f"{chance.choice(traffic['texts'])} {number}"
        call = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": traffic["model"],
            "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": text}]}]),
            "gen_ai.output.messages": json.dumps(
                [{"role": "assistant", "parts": [{"type": "text", "content": f"Here you are: {number}."}]}]
            ),
            "gen_ai.usage.input_tokens": traffic["tokens"] + chance.randrange(60),
            "gen_ai.usage.output_tokens": 40 + chance.randrange(40),
        }
        tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": traffic["tool"]}
        for part, name, attributes in [(1, f"chat {traffic['model']}", call), (2, "execute_tool", tool)]:
            made.append(
                {
                    "traceId": f"{number + 1:032x}",
                    "spanId": f"{part:08x}{number + 1:08x}",
                    "name": name,
                    "startTimeUnixNano": str(int(start * 1e9)),
                    "endTimeUnixNano": str(int((start + 0.2 + chance.random() / 10) * 1e9)),
                    "attributes": [
                        {
                            "key": key,
                            "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value},
                        }
                        for key, value in attributes.items()
                    ],
                }
            )
    return made


def send(box: Signalbox, made: list[dict[str, Any]]) -> None:
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
    for at in range(0, len(made), 200):
        body = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": made[at : at + 200]}]}]}
        response = box.api("POST", "/v1/traces", json=body)
        assert response.status_code == 200, response.text


def check(**more: Any) -> dict[str, Any]:
    return {
        "name": "inputs",
        "current": "1h",
        "every": "1h",
        "season": "none",
        "reference": {"ago": "1h", "width": "1h"},
        "sample": 100,
        "min_samples": 50,
        **more,
    }


def drifted(result: dict[str, Any]) -> set[str]:
    return {cell["signal"] for cell in result["cells"] if cell["drifted"]}


def test_a_change_of_traffic_is_an_incident(tmp_path: Path) -> None:
    box = Signalbox(tmp_path, "watch: " + json.dumps({"starter": False}) + "\n")
    # The window ends a minute before now, on a whole minute.
    now = time.time() // 60 * 60 - 60
    send(box, spans(BEFORE, 0, 150, now - 3 * HOUR))
    send(box, spans(BEFORE, 150, 150, now - 2 * HOUR + 60))
    send(box, spans(AFTER, 300, 150, now - HOUR + 120))

    healthy = check(
        reference={
            "from": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - 3 * HOUR)),
            "to": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - 2 * HOUR)),
        },
        filter={"field": "model", "op": "=", "value": BEFORE["model"]},
        current="3h",
        signals=["input_tokens", "language", "topic", "embedding", "latency", "errors", "refusals"],
    )
    tried = box.api("POST", "/api/v1/drift/test", json={"check": healthy})
    assert tried.status_code == 200, tried.text
    assert tried.json()["compared"] == 7 and drifted(tried.json()) == set(), tried.text

    saved = box.api("PUT", "/api/v1/drift/inputs", json=check())
    assert saved.status_code == 200, saved.text
    shown = wait_until(
        "the first comparison", lambda: (one := box.api("GET", "/api/v1/drift/inputs").json()).get("last") and one, 40
    )
    found = shown["last"]
    assert {"input_tokens", "language", "topic", "embedding", "tools", "model"} <= drifted(found), drifted(found)
    assert not {"output_tokens", "errors", "refusals"} & drifted(found), drifted(found)
    # More than were asked for, so they were drawn.
    assert found["current"]["rows"] > 100 >= found["current"]["drawn"] >= 95, found["current"]
    language = next(cell for cell in found["cells"] if cell["signal"] == "language")["found"]
    assert {bar["label"]: round(bar["current"]) for bar in language["distribution"]}["de"] == 1, language
    example = language["current_examples"][0]
    trace = box.api("GET", f"/api/v1/traces/{example['trace_id']}").json()
    assert any(one["span_id"] == example["span_id"] for one in trace["spans"]), trace

    incidents = box.api("GET", "/api/v1/incidents?status=active").json()["incidents"]
    assert [one["monitor"] for one in incidents] == ["drift.inputs"], incidents
    box.kill()

    again = Signalbox(tmp_path, "watch: " + json.dumps({"starter": False}) + "\n")
    kept = again.api("GET", "/api/v1/drift/inputs").json()
    assert kept["firing"] and kept["last"]["at"] == found["at"], kept
    assert [len(one["points"]) for one in kept["trends"] if one["signal"] == "language"] == [1]
    run = again.api("POST", "/api/v1/drift/inputs/run").json()
    assert [len(one["points"]) for one in run["trends"] if one["signal"] == "language"] == [2]
    assert len(again.api("GET", "/api/v1/incidents?status=active").json()["incidents"]) == 1
    assert again.api("DELETE", "/api/v1/drift/inputs").status_code == 204
    over = again.api("GET", f"/api/v1/incidents/{incidents[0]['id']}").json()
    assert over["status"] == "resolved", over
    assert again.stop() == 0


def test_the_starter_check_says_nothing_of_little(tmp_path: Path) -> None:
    box = Signalbox(tmp_path)
    send(box, spans(BEFORE, 0, 150, time.time() - 2 * HOUR))

    def compared() -> dict[str, Any] | None:
        one = box.api("GET", "/api/v1/drift/starter.drift").json()
        return one if one.get("last") else None

    shown = wait_until("the first comparison", compared, 40)
    assert (shown["source"], shown["last"]["compared"], shown["firing"]) == ("config", 0, False), shown
    refused = box.api("DELETE", "/api/v1/drift/starter.drift")
    assert refused.status_code == 409, refused.text
    wrong = box.api("PUT", "/api/v1/drift/mine", json={"signals": ["tokens"]})
    assert wrong.status_code == 400 and "signals[0]" in wrong.text, wrong.text
    assert box.stop() == 0


def test_inputs_are_compared_by_a_model_through_the_gateway(tmp_path: Path) -> None:
    named = {"name": "meant", "embedding_model": "nobody/embed"}
    refused = Signalbox(tmp_path / "refused", "watch: " + json.dumps({"drift": [named]}) + "\n", wait=False)
    assert refused.child.wait(30) != 0
    assert "there is no provider `nobody` for the model `nobody/embed`" in refused.text()

    meant = check(name="meant", embedding_model="sim/embed", signals=["embedding", "input_tokens"], sample=2000)
    watch = {"starter": False, "drift": [meant]}
    box = Signalbox(tmp_path, "watch: " + json.dumps(watch) + "\n")
    now = time.time() // 60 * 60 - 60
    send(box, spans(BEFORE, 0, 150, now - 3 * HOUR))
    send(box, spans(BEFORE, 150, 150, now - 2 * HOUR + 60))
    send(box, spans({**BEFORE, "texts": AFTER["texts"]}, 300, 150, now - HOUR + 120))

    def embeddings() -> list[dict[str, Any]]:
        own = {"field": "attributes.signalbox.own", "op": "=", "value": "true"}
        wanted = {"all": [own, {"field": "kind", "op": "=", "value": "embedding"}]}
        return box.query(table="spans", time={"from": "now-1d"}, filter=wanted, select=["model", "status"], limit=1000)

    run = box.api("POST", "/api/v1/drift/meant/run").json()
    assert drifted(run["last"]) == {"embedding"} and "problem" not in run, run
    assert run["definition"]["embedding_model"] == "sim/embed" and run["firing"], run
    found = run["last"]["cells"][0]["found"]
    assert found["text"].endswith("inputs, by `embed`"), found["text"]
    assert any(word in found["current_examples"][0]["value"] for word in ("Bestellung", "Passwort", "App")), found
    # Some 300 texts, 96 a call.
    calls = wait_until("spans of the calls", lambda: len(some := embeddings()) >= 4 and some)
    assert all(one["status"] != "error" for one in calls), calls

    # All of it against itself: nothing new.
    same = check(
        name="same",
        embedding_model="sim/embed",
        signals=["embedding"],
        current="3h",
        reference={
            "from": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - 3 * HOUR)),
            "to": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
        },
    )
    tried = box.api("POST", "/api/v1/drift/test", json={"check": same}).json()
    assert (tried["compared"], tried["drifted"]) == (1, 0), tried

    failing = check(name="failing", embedding_model="nobody/embed", signals=["embedding", "language"])
    assert box.api("PUT", "/api/v1/drift/failing", json=failing).status_code == 200
    run = box.api("POST", "/api/v1/drift/failing/run").json()
    assert run["problem"].startswith(
        "the signal `embedding` could not be compared: `nobody/embed` gave no embeddings: "
    )
    assert "names a model that makes embeddings" in run["problem"], run["problem"]
    assert drifted(run["last"]) == {"language"} and "found" not in run["last"]["cells"][0], run
    assert box.stop() == 0
