"""Online rules: spans that arrive over OTLP get their scores, each once, also over a kill."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from harness import Signalbox, wait_until

RULE = {
    "name": "answers",
    "filter": {"field": "service_name", "op": "=", "value": "shop"},
    "scorers": [{"metric": "json_valid"}, {"metric": "length", "options": {"max": 1000}}],
}


def span(number: int, text: str) -> dict[str, Any]:
    messages = '[{"role": "%s", "parts": [{"type": "text", "content": %s}]}]'
    quoted = '"' + text.replace('"', '\\"') + '"'
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.input.messages": messages % ("user", '"As JSON, please."'),
        "gen_ai.output.messages": messages % ("assistant", quoted),
    }
    now = time.time_ns()
    return {
        "traceId": f"{number + 1:032x}",
        "spanId": f"{number + 1:016x}",
        "name": "chat gpt-4o-mini",
        "startTimeUnixNano": str(now - 50_000_000),
        "endTimeUnixNano": str(now),
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()],
    }


def send(box: Signalbox, spans: list[dict[str, Any]], service: str = "shop") -> None:
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
    body = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]}
    response = box.api("POST", "/v1/traces", json=body)
    assert response.status_code == 200, response.text


def scores(box: Signalbox) -> list[dict[str, Any]]:
    select = ["id", "span_id", "name", "value", "passed", "metadata"]
    return box.query(table="scores", time={"from": "now-1d"}, select=select, limit=10_000)


def settled(box: Signalbox) -> bool | None:
    state = box.api("GET", "/api/v1/online-rules/answers").json()["state"]
    return (state["waiting"] == 0 and not state["catching_up"]) or None


def test_scores_appear_on_spans(tmp_path: Path) -> None:
    box = Signalbox(tmp_path)
    try:
        send(box, [span(900, '{"early": 1}')])
        preview = box.api("POST", "/api/v1/online-rules/preview", json=RULE).json()
        assert preview["matched"] == 1
        assert preview["examples"][0]["inputs"]["output"] == '{"early": 1}'
        assert preview["examples"][0]["scores"][0]["passed"] is True
        made = box.api("POST", "/api/v1/online-rules", json=RULE)
        assert made.status_code == 201, made.text

        send(box, [span(0, '{"a": 1}'), span(1, "no JSON")])
        send(box, [span(2, "another shop's")], service="other")
        found = wait_until("four scores", lambda: scores(box) if len(scores(box)) >= 4 else None)
        valid = {score["span_id"]: score["passed"] for score in found if score["name"] == "json_valid"}
        assert valid == {f"{1:016x}": True, f"{2:016x}": False}
        assert found[0]["metadata"]["rule"] == "answers"
        trace = box.api("GET", f"/api/v1/traces/{1:032x}").json()
        assert {score["name"] for score in trace["scores"]} == {"json_valid", "length"}

        # What was there before the rule.
        begun = box.api("POST", "/api/v1/online-rules/answers/backfill", json={"from": "now-1h", "to": "now"})
        assert begun.status_code == 202, begun.text
        wait_until("scores of history", lambda: len(scores(box)) == 6 or None)
        summary = box.api("GET", "/api/v1/online-rules/answers/summary").json()
        by_name = {scorer["name"]: scorer for scorer in summary["scorers"]}
        assert abs(by_name["json_valid"]["pass_rate"]["value"] - 2 / 3) < 1e-9
        assert "signalbox_online_scores_total" in box.api("GET", "/metrics").text
    finally:
        assert box.stop() == 0


def test_a_killed_process_scores_what_it_had_taken_once(tmp_path: Path) -> None:
    box = Signalbox(tmp_path)
    assert box.api("POST", "/api/v1/online-rules", json=RULE).status_code == 201
    sent = 0
    for _ in range(5):
        for _ in range(4):
            send(box, [span(sent + number, '{"n": 1}') for number in range(100)])
            sent += 100
        # Some of them have their scores, some have not.
        box.kill()
        box = Signalbox(tmp_path)
    try:
        wait_until("all scores", lambda: len(scores(box)) >= 2 * sent or None, seconds=60)
        wait_until("nothing that waits", lambda: settled(box))
        found = scores(box)
        assert len(found) == 2 * sent
        assert len({(score["span_id"], score["name"]) for score in found}) == 2 * sent
    finally:
        assert box.stop() == 0
