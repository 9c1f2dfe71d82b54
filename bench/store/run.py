"""The event store against SQLite with the same rows and Arize Phoenix on its SQLite, in the same run.

In every round each store takes spans in turn; what is printed is the median over the rounds and its ratio to
the others'. Then one data set is loaded, Signalbox is killed without warning, and the questions that people
ask are put to what is on the disk: once with nothing of it in the page cache, and then seven times more.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import shutil
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

import otlp
import sender
import sqlite
from box import BINARY, HEADERS, Box
from phoenix import Phoenix
from processes import drop_from_cache, size_of
from queries import QUESTIONS, Probe, Question
from report import Figure, Goal, Report
from spans import SPANS_A_REQUEST, TURNS, Workload
from words import Sentences

LARGE = 10_000_000
WARM = 7
# Requests that are sent round and round, as other spans each time: more spans than one data file gets.
POOL = 100
# Work in the background is over when there was none for so long.
STILL_S = 6
# Bytes that a span may take on the disk, with what is there for a while only.
ROOM = {"signalbox": 1_600, "sqlite": 5_500}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--spans", type=int, default=1_000_000, help="in the data set that is asked")
    add("--large", action="store_true", help="10 million spans")
    add("--rounds", type=int, default=3, help="of durable ingest")
    add("--seconds", type=float, default=5, help="that a round lasts for each store")
    add("--connections", type=int, default=8)
    add("--loops", type=int, default=1_200, help="agents of 20 turns, to see what they take on the disk")
    add("--sqlite-spans", type=int, default=1_000_000, help="SQLite gets no more rows than these")
    add("--no-sqlite", action="store_true")
    add("--no-phoenix", action="store_true")
    add("--settle", type=float, default=300, help="seconds at most for work in the background")
    add("--keep", type=Path, help="folder for the data set; when one is there already, it is only asked")
    add("--json", type=Path, help="file for the figures")
    options = parser.parse_args()
    if options.large:
        options.spans = LARGE
    options.sqlite_spans = 0 if options.no_sqlite else min(options.spans, options.sqlite_spans)
    if not BINARY.exists():
        sys.exit(f"{BINARY} is not there; `make build` makes it")
    # What was started is stopped whoever ends this.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with contextlib.ExitStack() as cleanup:
        folder = options.keep or Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="signalbox-bench-")))
        folder.mkdir(parents=True, exist_ok=True)
        Run(options, folder, cleanup).run()


class Run:
    """One run: what it was asked for, what it measures with, and what it found."""

    def __init__(self, options: argparse.Namespace, folder: Path, cleanup: contextlib.ExitStack) -> None:
        self.options, self.folder, self.cleanup = options, folder, cleanup
        self.cache = Path.home() / ".cache" / "signalbox" / "bench-store"
        self.sentences = Sentences(self.cache)
        self.report = Report()
        self.kept = folder / "loaded.json"
        self.end_us = json.loads(self.kept.read_text())["end_us"] if self.kept.exists() else int(time.time() * 1e6)
        self.load = Workload(self.sentences, max(1, options.spans // SPANS_A_REQUEST), self.end_us)
        self.phoenix_warm: dict[str, list[float]] = {}
        self.phoenix_memory = self.phoenix_bytes = 0.0

    def run(self) -> None:
        began, options = time.monotonic(), self.options
        if self.kept.exists():
            box, database = self.loaded()
        else:
            self.check_folder()
            self.ingest()
            self.agents()
            box, database = self.calls()
        self.questions(box, database)
        box.stop()
        if database:
            database.close()
        self.report.show()
        print(f"\nGoals for questions, memory and start are meant at {LARGE:,} spans; here were {options.spans:,}.")
        if 0 < options.sqlite_spans < options.spans:
            print(f"SQLite had the newest {options.sqlite_spans:,} of them.")
        print(f"{time.monotonic() - began:.0f} s on {os.cpu_count()} cores of {platform.machine()}")
        if options.json:
            about = {"spans": options.spans, "rounds": options.rounds, "connections": options.connections}
            self.report.write(options.json, about)

    def check_folder(self) -> None:
        if any(self.folder.iterdir()):
            sys.exit(f"{self.folder} is not empty and holds no finished data set; --keep needs a folder of its own")
        needed = self.options.spans * ROOM["signalbox"] + self.options.sqlite_spans * ROOM["sqlite"] + (5 << 30)
        free = shutil.disk_usage(self.folder).free
        if free < needed:
            need = f"about {needed >> 30} GB are needed; TMPDIR or --keep names another place"
            sys.exit(f"{self.folder} has {free >> 30} GB free, {need}")

    def box(self, name: str) -> Box:
        box = Box(self.folder / name)
        self.cleanup.callback(box.kill)
        return box

    def ingest(self) -> None:
        """Rounds in which each store takes what it can."""
        options = self.options
        print(f"durable ingest: {options.rounds} rounds of {options.seconds:g} s, {options.connections} connections")
        load = Workload(self.sentences, POOL, self.end_us, days=0.04, seed=2)
        requests = [load.request(number) for number in range(POOL)]
        pool = [otlp.encode(request) for request in requests]
        rows = [] if options.no_sqlite else [sqlite.rows(request) for request in requests]
        rate = self.report.figure("durable ingest", "spans/s", Goal(30_000, at_least=True))
        cpu = self.report.figure("CPU per 100,000 spans", "s")
        phoenix = None if options.no_phoenix else self.phoenix()
        database = None if options.no_sqlite else sqlite.Sqlite(self.folder / "ingest-sqlite", durable=True)
        box, sent, stamp = self.box("ingest"), sender.Sent(), 1
        at_start = box.start().cpu_s()
        for _ in range(options.rounds):
            one, stamp = sender.for_seconds(box.server.port, HEADERS, pool, stamp, options.connections, options.seconds)
            rate.add("signalbox", one.spans / one.seconds)
            sent.add(one)
            # What it writes behind must not slow the others down.
            box.server.quiet(20)
            if database:
                spans, seconds, used = database.ingest(rows, stamp, options.seconds)
                rate.add("sqlite", spans / seconds)
                cpu.add("sqlite", used / spans * 1e5)
            if phoenix:
                spans, seconds, used = phoenix.ingest(pool, stamp, options.seconds)
                rate.add("phoenix", spans / seconds)
                cpu.add("phoenix", used / spans * 1e5)
        all_there(box, sent.spans)
        # With what it takes to write the last file.
        cpu.add("signalbox", (box.stop() - at_start) / sent.spans * 1e5)
        waits = sorted(sent.waits_ms)
        print(
            f"  {SPANS_A_REQUEST} spans waited {statistics.median(waits):.0f} ms for their 200, one request in a"
            f" hundred {waits[len(waits) * 99 // 100]:.0f} ms or more; {sent.refused} were told to come again;"
            f" the sender took {sent.cpu_s / sent.spans * 1e5:.2f} s of CPU per 100,000 spans"
        )
        shutil.rmtree(box.folder)
        if database:
            database.close()
            shutil.rmtree(database.folder)
        if phoenix:
            self.ask_phoenix(phoenix)

    def phoenix(self) -> Phoenix:
        phoenix = Phoenix(self.cache, self.folder / "phoenix")
        print("  Phoenix is starting", flush=True)
        server = phoenix.start()
        self.cleanup.callback(server.kill)
        server.quiet(20)
        return phoenix

    def ask_phoenix(self, phoenix: Phoenix) -> None:
        """At the size that it reached."""
        stored = phoenix.count()
        print(f"  Phoenix stored {stored:,} spans; its answers and its bytes are of those")
        probe = Probe(self.end_us, phoenix.a_trace(), "")
        for question in QUESTIONS:
            if question.phoenix:
                self.phoenix_warm[question.name] = phoenix.ask(question.phoenix(probe), WARM + 1)[1:]
        self.phoenix_memory = phoenix.server.memory_mb()
        phoenix.server.stop()
        self.phoenix_bytes = phoenix.size() / stored
        shutil.rmtree(phoenix.folder)

    def agents(self) -> None:
        """What agents take on the disk, each turn of which sends all turns before it again."""
        requests = max(1, self.options.loops * TURNS // SPANS_A_REQUEST)
        load = Workload(self.sentences, requests, self.end_us, days=1, agents=True, seed=3)
        print(f"agents of {TURNS} turns: {requests * load.spans_a_request:,} spans")
        box = self.box("agents")
        box.start()
        sent = box.load(load, self.options.connections)
        self.settle(box, sent)
        database = self.sizes(box, sent, load, "agent loops", Goal(5))
        shutil.rmtree(box.folder)
        if database:
            database.close()
            shutil.rmtree(database.folder)

    def calls(self) -> tuple[Box, sqlite.Sqlite | None]:
        """The data set that is asked; what it takes on the disk; a crash."""
        print(f"single calls: {self.load.requests * SPANS_A_REQUEST:,} spans")
        box = self.box("calls")
        box.start()
        sent = box.load(self.load, self.options.connections)
        memory = self.report.figure("most memory while loading", "MB", Goal(1_024))
        memory.add("signalbox", box.server.memory_mb())
        box.kill()
        self.report.figure("start to ready after kill -9", "s", Goal(1)).add("signalbox", box.start().ready_s)
        all_there(box, sent.spans)
        self.settle(box, sent)
        database = self.sizes(box, sent, self.load, "single calls", Goal(25))
        if not self.options.no_phoenix:
            memory.add("phoenix", self.phoenix_memory)
            for figure, per in zip(self.report.figures[-2:], (1, sent.bytes / sent.spans / 100), strict=True):
                figure.add("phoenix", self.phoenix_bytes / per)
        if database:
            print("  SQLite indexes the words", flush=True)
            database.index_words()
            database.size()
        self.kept.write_text(json.dumps({"end_us": self.end_us, "spans": sent.spans}))
        return box, database

    def loaded(self) -> tuple[Box, sqlite.Sqlite | None]:
        """The data set of an earlier run."""
        spans = json.loads(self.kept.read_text())["spans"]
        if spans != self.load.requests * SPANS_A_REQUEST:
            sys.exit(f"{self.folder} holds {spans:,} spans; add --spans {spans}, or name another folder")
        box = self.box("calls")
        box.start()
        all_there(box, spans)
        folder = self.folder / "single-calls-sqlite"
        found = self.options.sqlite_spans and folder.exists()
        return box, sqlite.Sqlite(folder, durable=False) if found else None

    def settle(self, box: Box, sent: sender.Sent) -> None:
        took = box.server.quiet(self.options.settle, STILL_S)
        all_there(box, sent.spans)
        box.stop()
        print(f"  {took:.0f} s until all work in the background was done")

    def sizes(self, box: Box, sent: sender.Sent, load: Workload, name: str, goal: Goal) -> sqlite.Sqlite | None:
        taken = self.report.figure(f"disk, {name}", "bytes a span")
        share = self.report.figure(f"disk, {name}", "% of raw", goal)
        raw = sent.bytes / sent.spans
        taken.add("signalbox", size_of(box.data) / sent.spans)
        share.add("signalbox", size_of(box.data) / sent.bytes * 100)
        spans = min(sent.spans, self.options.sqlite_spans)
        if not spans:
            return None
        database = sqlite.Sqlite(self.folder / f"{name.replace(' ', '-')}-sqlite", durable=False)
        database.load(load, spans)
        taken.add("sqlite", database.size() / database.rows)
        share.add("sqlite", database.size() / database.rows / raw * 100)
        return database

    def questions(self, box: Box, database: sqlite.Sqlite | None) -> None:
        # Of the newest tenth, so that a SQLite with fewer rows has it too.
        recent = self.load.request(self.load.requests - 1 - self.load.requests // 20).spans
        asked = next(span for span in recent if span.parent_id)
        probe = Probe(self.end_us, asked.trace_id.hex(), asked.session)
        ready = self.report.figure("start to ready", "s", Goal(1))
        memory = self.report.figure("most memory while asking", "MB", Goal(1_024))
        used: dict[str, list[float]] = {"signalbox": [], "sqlite": []}
        for question in QUESTIONS:
            print(f"  asking: {question.name}", flush=True)
            goal = question.goal_ms and Goal(question.goal_ms)
            cold = self.report.figure(f"{question.name}, cold", "ms", goal)
            warm = self.report.figure(f"{question.name}, warm", "ms", goal)
            warm.add("phoenix", *self.phoenix_warm.get(question.name, []))
            found = ask_box(box, question, probe, cold, warm, ready)
            used["signalbox"].append(box.server.memory_mb())
            if not database:
                continue
            rows, most = ask_sqlite(database, question, probe, cold, warm)
            used["sqlite"].append(most)
            if rows != found and database.rows == self.load.requests * SPANS_A_REQUEST:
                print(f"  ANSWERS DIFFER: {found} rows of Signalbox, {rows} of SQLite")
        for store, values in used.items():
            memory.add(store, *([max(values)] if values else []))


def ask_box(box: Box, question: Question, probe: Probe, cold: Figure, warm: Figure, ready: Figure) -> int:
    """How many rows it found."""
    box.stop()
    drop_from_cache(box.data)
    ready.add("signalbox", box.start().ready_s)
    cold.add("signalbox", *box.ask(question.signalbox(probe))[0])
    waits, answer = box.ask(question.signalbox(probe), WARM)
    warm.add("signalbox", *waits)
    return len(answer["rows"])


def ask_sqlite(
    database: sqlite.Sqlite, question: Question, probe: Probe, cold: Figure, warm: Figure
) -> tuple[int, float]:
    """How many rows it found, and the memory that it took."""
    drop_from_cache(database.folder)
    [[waits, _]], _ = sqlite.ask(database.file, [(*question.sqlite(probe), 1)])
    cold.add("sqlite", *waits)
    [[waits, rows]], used = sqlite.ask(database.file, [(*question.sqlite(probe), WARM + 1)])
    warm.add("sqlite", *waits[1:])
    return rows, used


def all_there(box: Box, acknowledged: int) -> None:
    """Every span whose request was answered with 200 is found, once."""
    found = box.count()
    if found != acknowledged:
        sys.exit(f"{acknowledged:,} spans were acknowledged and {found:,} are there")


if __name__ == "__main__":
    main()
