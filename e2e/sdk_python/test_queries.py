"""Questions that take long, and answers that are large."""

from __future__ import annotations

import json
import secrets
import socket
import subprocess
import threading
import time

import httpx

from harness import BINARY, Signalbox, wait_until

# Counts for hours; the limit of a query is far below that.
ENDLESS = "SELECT count(*) FROM generate_series(1, 100000000000000) WHERE value % 7 = 3"


def running(box: Signalbox) -> dict[str, dict]:
    return {query["id"]: query for query in box.api("GET", "/api/v1/queries").json()["queries"]}


def test_a_query_is_cancelled_by_its_name(box: Signalbox) -> None:
    answers = []

    def ask() -> None:
        headers = {**box.headers, "x-signalbox-query-id": "too-long"}
        answers.append(httpx.post(f"{box.url}/api/v1/sql", json={"sql": ENDLESS}, headers=headers, timeout=60))

    asker = threading.Thread(target=ask)
    asker.start()
    query = wait_until("the query to run", lambda: running(box).get("too-long"))
    assert (query["kind"], query["text"]) == ("sql", ENDLESS)
    assert box.api("DELETE", "/api/v1/queries/too-long").status_code == 204
    asker.join(20)
    assert answers[0].status_code == 499
    assert answers[0].json()["error"]["type"] == "cancelled"
    assert box.api("DELETE", "/api/v1/queries/too-long").status_code == 404


def test_hanging_up_stops_the_query(box: Signalbox) -> None:
    # More than may run at once: were one not stopped, a later one would wait until it times out.
    for number in range(9):
        body = json.dumps({"sql": ENDLESS})
        caller = socket.create_connection(("127.0.0.1", box.port))
        head = f"POST /api/v1/sql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {box.key}\r\n"
        head += f"x-signalbox-query-id: gone-{number}\r\ncontent-type: application/json\r\n"
        caller.sendall(f"{head}content-length: {len(body)}\r\n\r\n{body}".encode())
        wait_until("the query to run", lambda n=number: running(box).get(f"gone-{n}"))
        caller.close()
        wait_until("the query to stop", lambda n=number: f"gone-{n}" not in running(box) or None)
    assert box.api("POST", "/api/v1/sql", json={"sql": "SELECT 1 AS one"}).json()["rows"] == [[1]]


def test_the_command_line_stops_with_its_process(box: Signalbox) -> None:
    command = [str(BINARY), "query", "--url", box.url, "--key", box.key, ENDLESS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        wait_until("the query to run", lambda: running(box) or None)
        process.terminate()
    wait_until("the query to stop", lambda: not running(box) or None)


def test_a_trace_of_fifty_thousand_spans_opens_whole(box: Signalbox) -> None:
    total, batch = 50_000, 2_500
    trace, root = secrets.token_hex(16), secrets.token_hex(8)
    begin = time.time_ns() - 60 * 10**9
    text = "What is said in a span, which a tree does not read. " * 20

    def span(number: int) -> dict:
        start = begin + number * 100_000
        attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look", "input.value": text}
        return {
            "traceId": trace,
            "spanId": root if number == 0 else f"{number:016x}",
            **({"parentSpanId": root} if number else {}),
            "name": f"step {number}",
            "startTimeUnixNano": str(start),
            "endTimeUnixNano": str(start + 1_000_000),
            "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()],
        }

    for first in range(0, total, batch):
        spans = {"scopeSpans": [{"spans": [span(number) for number in range(first, first + batch)]}]}
        answer = box.api("POST", "/v1/traces", json={"resourceSpans": [spans]})
        assert answer.status_code == 200, answer.text
    began = time.monotonic()
    answer = box.api("GET", f"/api/v1/traces/{trace}")
    took = time.monotonic() - began
    detail = answer.json()
    assert (len(detail["spans"]), detail["span_count"], detail["truncated"]) == (total, total, False)
    assert len({span["span_id"] for span in detail["spans"]}) == total
    assert "input" not in detail["spans"][1], "what was said is read span by span"
    print(f"50 000 spans in {took:.2f} s, {len(answer.content) / 1e6:.1f} MB")
    assert took < 10, "on a busy machine, too"
    one = box.api("GET", f"/api/v1/traces/{trace}/spans/{7:016x}").json()
    assert text in json.dumps(one)
