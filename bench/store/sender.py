"""Sends requests over some connections at once. A span counts once the 200 for its request arrived."""

from __future__ import annotations

import http.client
import itertools
import multiprocessing
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import otlp
from spans import Workload


@dataclass
class Sent:
    """What a run of the sender did."""

    spans: int = 0
    bytes: int = 0
    seconds: float = 0.0
    # Answers that asked to come back later.
    refused: int = 0
    # CPU of the sender.
    cpu_s: float = 0.0
    waits_ms: list[float] = field(default_factory=list)

    def add(self, other: Sent) -> None:
        self.spans += other.spans
        self.bytes += other.bytes
        self.refused += other.refused
        self.cpu_s += other.cpu_s
        self.waits_ms += other.waits_ms


class Connection:
    """One connection that is kept open."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self.headers = {"content-type": "application/x-protobuf", **headers}

    def send(self, body: otlp.Body, sent: Sent, until: float = float("inf")) -> None:
        """Sends it until it is taken, or time is up."""
        began = time.monotonic()
        while True:
            self.http.request("POST", "/v1/traces", body.bytes, self.headers)
            answer = self.http.getresponse()
            said = answer.read()
            if answer.status == 200:
                sent.spans += body.spans
                sent.bytes += len(body.bytes)
                sent.waits_ms.append((time.monotonic() - began) * 1_000)
                return
            if answer.status not in (429, 502, 503, 504):
                raise RuntimeError(f"status {answer.status}: {said[:500]!r}")
            sent.refused += 1
            # As exporters do it. A server that names no time is asked again soon.
            pause = float(answer.headers.get("retry-after") or 0.2)
            if time.monotonic() + pause > until:
                return
            time.sleep(pause)


def for_seconds(
    port: int, headers: dict[str, str], pool: list[otlp.Body], first: int, connections: int, seconds: float
) -> tuple[Sent, int]:
    """Sends the pool round and round, each time as other spans; answers what was taken and the next free stamp.

    Threads of this process: they wait in the kernel nearly all the time, which `cpu_s` shows.
    """
    total, lock, stamps = Sent(), threading.Lock(), itertools.count(first)
    until, connections = time.monotonic() + seconds, min(connections, len(pool))
    failures: list[Exception] = []

    def work(mine: list[otlp.Body]) -> None:
        sent, connection = Sent(), Connection(port, headers)
        try:
            while time.monotonic() < until:
                for body in mine:
                    if time.monotonic() >= until:
                        break
                    with lock:
                        stamp = next(stamps)
                    body.stamp(stamp)
                    connection.send(body, sent, until)
        except Exception as failure:
            failures.append(failure)
        with lock:
            total.add(sent)

    began, cpu = time.monotonic(), time.process_time()
    threads = [threading.Thread(target=work, args=(pool[i::connections],)) for i in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    total.seconds, total.cpu_s = time.monotonic() - began, time.process_time() - cpu
    return total, next(stamps)


def whole(port: int, headers: dict[str, str], load: Workload, connections: int, tell: Callable[[int], None]) -> Sent:
    """Sends every request of the workload once, about in the order of time. Processes make them as they go."""
    context = multiprocessing.get_context("fork")
    following, results = context.Value("q", 0), context.SimpleQueue()
    began = time.monotonic()
    workers = [
        context.Process(target=_make_and_send, args=(port, headers, load, following, results), daemon=True)
        for _ in range(connections)
    ]
    for worker in workers:
        worker.start()
    total = Sent()
    for _ in workers:
        while results.empty() and all(worker.exitcode in (None, 0) for worker in workers):
            time.sleep(0.2)
            tell(min(following.value, load.requests) * load.spans_a_request)
        if results.empty():
            raise RuntimeError("a sender failed")
        total.add(results.get())
    for worker in workers:
        worker.join()
    total.seconds = time.monotonic() - began
    return total


def _make_and_send(port: int, headers: dict[str, str], load: Workload, following, results) -> None:
    sent, connection = Sent(), Connection(port, headers)
    while True:
        with following.get_lock():
            number = following.value
            following.value += 1
        if number >= load.requests:
            break
        connection.send(otlp.encode(load.request(number)), sent)
    sent.waits_ms.clear()
    results.put(sent)
