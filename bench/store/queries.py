"""What is asked, of each store in its own language. A new question is one entry here."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from spans import DAY_US, DAYS
from sqlite import BODIES, NAMES
from words import RARE_WORD

HOUR_US = DAY_US // 24


class Probe(NamedTuple):
    """What questions are about: the end of the data, and a trace and a session in it."""

    end_us: int
    trace_id: str
    session: str

    def time(self, days: float) -> dict:
        """The last so many days."""
        return {"from": _rfc3339(self.end_us - int(days * DAY_US)), "to": _rfc3339(self.end_us)}

    def after(self, days: float) -> int:
        return self.end_us - int(days * DAY_US)


class Question(NamedTuple):
    """A question, and how long it may take at 10 million spans."""

    name: str
    goal_ms: float | None
    # The body of `POST /api/v1/query`.
    signalbox: Callable[[Probe], dict]
    # A statement and its parameters.
    sqlite: Callable[[Probe], tuple[str, list]]
    # A path, if there is an API for it.
    phoenix: Callable[[Probe], str] | None = None


# A little more than what the data spans: spans begin before they end.
ALL_DAYS = DAYS + 1
# What a list shows: all columns but the bodies, as Signalbox answers when none is named.
HOT = ", ".join(name for name in NAMES if name not in BODIES)
EVERY = """trace_id span_id parent_span_id start_time end_time duration_ms ttft_ms name kind operation status error_type
status_message provider model model_requested model_used response_id finish_reasons streaming input_tokens output_tokens
cache_read_tokens total_tokens cost session_id user_id environment release service_name prompt_name prompt_version
agent_name scope_name scope_version schema_url model_parameters attributes resource_attributes events input_messages
output_messages"""


def newest(probe: Probe) -> dict:
    return {"time": probe.time(ALL_DAYS), "limit": 50}


def newest_failed(probe: Probe) -> dict:
    failed = {"field": "status", "op": "=", "value": "error"}
    model = {"field": "model", "op": "=", "value": "claude-haiku-4-5"}
    return {"time": probe.time(ALL_DAYS), "filter": {"all": [failed, model]}, "limit": 50}


def trace(probe: Probe) -> dict:
    one = {"field": "trace_id", "op": "=", "value": probe.trace_id}
    return {"time": probe.time(ALL_DAYS), "filter": one, "select": EVERY.split()}


def session(probe: Probe) -> dict:
    return {
        "time": probe.time(ALL_DAYS),
        "filter": {"field": "session_id", "op": "=", "value": probe.session},
        "limit": 100,
    }


def percentiles(probe: Probe) -> dict:
    measures = [{"fn": name, "column": "duration_ms"} for name in ("p50", "p95", "p99")]
    return {"time": probe.time(1), "measures": measures, "bucket": "1h"}


def cost(probe: Probe) -> dict:
    return {"time": probe.time(DAYS), "measures": [{"fn": "sum", "column": "cost"}], "group_by": ["model"]}


def percentiles_of_sums(probe: Probe) -> dict:
    return {**percentiles(probe), "table": "span_minutes", "time": probe.time(DAYS), "bucket": "1d"}


def cost_of_sums(probe: Probe) -> dict:
    return {**cost(probe), "table": "span_minutes"}


def rare_word(probe: Probe) -> dict:
    return {"time": probe.time(ALL_DAYS), "search": RARE_WORD, "limit": 50}


# Of each bucket, the durations in order; the nearest rank of each quantile.
def ranks(width_us: int) -> str:
    return f"""
WITH ranked AS (
  SELECT start_time / {width_us} AS bucket, duration_ms,
    row_number() OVER (PARTITION BY start_time / {width_us} ORDER BY duration_ms) AS place,
    count(*) OVER (PARTITION BY start_time / {width_us}) AS rows
  FROM spans WHERE start_time >= ? AND start_time < ?)
SELECT bucket, max(CASE WHEN place <= rows * 0.5 + 1 THEN duration_ms END),
  max(CASE WHEN place <= rows * 0.95 + 1 THEN duration_ms END),
  max(CASE WHEN place <= rows * 0.99 + 1 THEN duration_ms END)
FROM ranked GROUP BY bucket ORDER BY bucket"""


COSTS = "SELECT model, sum(cost) FROM spans WHERE start_time >= ? AND start_time < ? GROUP BY model"


QUESTIONS = (
    Question(
        "newest 50 spans",
        30,
        newest,
        lambda _: (f"SELECT {HOT} FROM spans ORDER BY start_time DESC LIMIT 50", []),
        lambda _: "/v1/projects/default/spans?limit=50&sort=start_time",
    ),
    Question(
        "newest 50 failed spans of a model",
        None,
        newest_failed,
        lambda _: (
            f"SELECT {HOT} FROM spans WHERE status = 'error' AND model = 'claude-haiku-4-5'"
            " ORDER BY start_time DESC LIMIT 50",
            [],
        ),
    ),
    Question(
        "trace by id, every column",
        20,
        trace,
        lambda probe: ("SELECT * FROM spans WHERE trace_id = ? ORDER BY start_time DESC", [probe.trace_id]),
        lambda probe: f"/v1/projects/default/spans?limit=100&trace_id={probe.trace_id}",
    ),
    Question(
        "session by id",
        None,
        session,
        lambda probe: (
            f"SELECT {HOT} FROM spans WHERE session_id = ? ORDER BY start_time DESC LIMIT 100",
            [probe.session],
        ),
    ),
    Question(
        "p50, p95, p99 by hour over a day",
        200,
        percentiles,
        lambda probe: (ranks(HOUR_US), [probe.after(1), probe.end_us]),
    ),
    Question(
        "cost by model over 30 days",
        500,
        cost,
        lambda probe: (COSTS, [probe.after(DAYS), probe.end_us]),
    ),
    Question(
        "p50, p95, p99 by day over 30 days, of sums",
        None,
        percentiles_of_sums,
        lambda probe: (ranks(DAY_US), [probe.after(DAYS), probe.end_us]),
    ),
    Question(
        "cost by model over 30 days, of sums",
        None,
        cost_of_sums,
        lambda probe: (COSTS, [probe.after(DAYS), probe.end_us]),
    ),
    Question(
        "rare word in what was said",
        300,
        rare_word,
        lambda _: (
            f"SELECT {HOT} FROM spans WHERE id IN (SELECT rowid FROM words WHERE words MATCH ?)"
            " ORDER BY start_time DESC LIMIT 50",
            [RARE_WORD],
        ),
    ),
)


def as_bytes(query: dict) -> bytes:
    return json.dumps(query).encode()


def _rfc3339(time_us: int) -> str:
    time = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=time_us)
    return time.isoformat(timespec="microseconds").replace("+00:00", "Z")
