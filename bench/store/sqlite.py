"""SQLite with the same columns: a row a span, four indices, every commit on the disk.

It gets rows, not requests: no HTTP, no protobuf, no prices. What it takes a second is more than a server
in front of it would.

As a program it answers questions: `sqlite.py FILE`, with a JSON list of `[sql, parameters, times]` on
standard input. A process of its own, so that its memory is its own and its cache is cold.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from processes import memory_mb
from report import progress
from spans import Request, Span, Workload

COLUMNS = """trace_id TEXT, span_id TEXT, parent_span_id TEXT, start_time INTEGER, end_time INTEGER, duration_ms REAL,
ttft_ms REAL, name TEXT, kind TEXT, operation TEXT, source TEXT, status TEXT, error_type TEXT, status_message TEXT,
provider TEXT, model TEXT, model_requested TEXT, model_used TEXT, response_id TEXT, finish_reasons TEXT,
streaming INTEGER, input_tokens INTEGER, output_tokens INTEGER, cache_read_tokens INTEGER, total_tokens INTEGER,
cost REAL, session_id TEXT, user_id TEXT, environment TEXT, release TEXT, service_name TEXT, prompt_name TEXT,
prompt_version TEXT, agent_name TEXT, scope_name TEXT, scope_version TEXT, input_preview TEXT, output_preview TEXT,
model_parameters TEXT, attributes TEXT, resource_attributes TEXT, system_instructions TEXT, input_messages TEXT,
output_messages TEXT"""
NAMES = [column.split()[0] for column in COLUMNS.split(",")]
BODIES = ("model_parameters", "attributes", "resource_attributes", "system_instructions", *NAMES[-2:])
INDICES = ("start_time", "trace_id", "session_id", "model")
INSERT = f"INSERT INTO spans VALUES (NULL, {', '.join('?' * len(NAMES))})"
PREVIEW = 300
CACHE_MB = 64

Row = tuple


def rows(request: Request) -> list[Row]:
    resource_json = _resource(request.service, request.release, request.environment, request.instance)
    return [_row(span, request, resource_json) for span in request.spans]


def _row(span: Span, request: Request, resource_json: str) -> Row:
    model, error = span.model, span.error
    return (
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_id.hex() or None,
        span.start_us,
        span.start_us + span.duration_us,
        span.duration_us / 1_000,
        span.ttft_s * 1_000,
        f"chat {model.requested}",
        "llm",
        "chat",
        "otlp",
        "error" if error else "ok",
        error[0] if error else None,
        error[1] if error else None,
        model.provider,
        model.used,
        model.requested,
        model.used,
        span.response_id,
        None if error else f'["{span.finish_reason}"]',
        1,
        span.input_tokens,
        span.output_tokens,
        span.cached_tokens or None,
        span.input_tokens + span.output_tokens,
        span.cost,
        span.session,
        span.user,
        request.environment,
        request.release,
        request.service,
        span.prompt_name,
        span.prompt_version,
        span.agent or None,
        "opentelemetry.instrumentation.genai.openai",
        "1.2b0",
        span.said[:PREVIEW],
        span.answered[:PREVIEW],
        f'{{"max_tokens":{span.max_tokens},"temperature":{span.temperature}}}',
        f'{{"otel.span.kind":"client","server.address":"api.{model.provider}.example","server.port":443}}',
        resource_json,
        span.system,
        span.input,
        span.output or None,
    )


@lru_cache
def _resource(service: str, release: str, environment: str, instance: str) -> str:
    said = {"service.name": service, "service.version": release, "deployment.environment.name": environment}
    said |= {"service.instance.id": instance, "telemetry.sdk.language": "python", "host.arch": "amd64"}
    return json.dumps(said | {"telemetry.sdk.name": "opentelemetry", "process.runtime.version": "3.12.7"})


class Sqlite:
    """A database file."""

    def __init__(self, folder: Path, durable: bool) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.file, self.rows = folder, folder / "spans.db", 0
        there = self.file.exists()
        self.database = sqlite3.connect(self.file, isolation_level=None)
        run = self.database.execute
        run("PRAGMA journal_mode = WAL")
        run(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")
        run(f"PRAGMA cache_size = -{CACHE_MB << 10}")
        if there:
            self.rows = run("SELECT max(id) FROM spans").fetchone()[0]
            return
        run(f"CREATE TABLE spans (id INTEGER PRIMARY KEY, {COLUMNS})")
        if durable:
            self.index()

    def index(self) -> None:
        for column in INDICES:
            self.database.execute(f"CREATE INDEX by_{column} ON spans ({column})")

    def insert(self, batch: Iterable[Row]) -> None:
        self.database.execute("BEGIN")
        self.database.executemany(INSERT, batch)
        self.database.execute("COMMIT")

    def ingest(self, pool: list[list[Row]], first: int, seconds: float) -> tuple[int, float, float]:
        """Commits a request's rows at a time, for so long; answers spans, seconds and CPU seconds."""
        began, cpu, spans = time.monotonic(), time.process_time(), 0
        while time.monotonic() - began < seconds:
            for request in pool:
                first += 1
                stamp = f"{first:08x}"
                self.insert([(stamp + row[0][8:], stamp + row[1][8:], *row[2:]) for row in request])
                spans += len(request)
                if time.monotonic() - began >= seconds:
                    break
        return spans, time.monotonic() - began, time.process_time() - cpu

    def load(self, load: Workload, spans: int) -> None:
        """The rows of a workload, the newest so many, as fast as it goes: not measured."""
        run, first = self.database.execute, load.requests - spans // load.spans_a_request
        run("BEGIN")
        for number in range(max(0, first), load.requests):
            batch = rows(load.request(number))
            self.database.executemany(INSERT, batch)
            self.rows += len(batch)
            if number % 40 == 0:
                run("COMMIT")
                run("BEGIN")
                progress(f"{self.rows:,} rows inserted")
        run("COMMIT")
        self.index()
        progress(f"{self.rows:,} rows in SQLite", done=True)

    def index_words(self) -> None:
        run = self.database.execute
        said = "system_instructions, input_messages, output_messages"
        run(f"CREATE VIRTUAL TABLE words USING fts5({said}, content='spans', content_rowid='id', detail=none)")
        run("INSERT INTO words (words) VALUES ('rebuild')")

    def size(self) -> int:
        self.database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return self.file.stat().st_size

    def close(self) -> None:
        self.database.close()


def ask(file: Path, questions: list[tuple[str, list, int]]) -> tuple[list[tuple[list[float], int]], float]:
    """For each question, milliseconds of each time and rows; and the most memory taken, in MB."""
    command = [sys.executable, str(Path(__file__).resolve()), str(file)]
    done = subprocess.run(command, input=json.dumps(questions), capture_output=True, text=True, check=True)
    said = json.loads(done.stdout)
    return said["answers"], said["memory_mb"]


def main() -> None:
    database = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
    database.execute(f"PRAGMA cache_size = -{CACHE_MB << 10}")
    answers = []
    for sql, parameters, times in json.load(sys.stdin):
        waits, found = [], []
        for _ in range(times):
            began = time.perf_counter()
            found = database.execute(sql, parameters).fetchall()
            waits.append((time.perf_counter() - began) * 1_000)
        answers.append((waits, len(found)))
    print(json.dumps({"answers": answers, "memory_mb": memory_mb(os.getpid())}))


if __name__ == "__main__":
    main()
