"""The same series in Debian's Prometheus: backfilled by promtool, and its rules evaluated minute by minute."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

from scoring import Page

HERE = Path(__file__).resolve().parent
MINUTE = 60
# An answer may have 11,000 points a series.
AT_ONCE = 7 * 86_400
# Alertmanager's defaults: it waits so long for others of the group, and so long before it tells that all are over.
GROUP_WAIT, GROUP_INTERVAL = 30, 300
CONFIG = "global: {evaluation_interval: 1h}\nrule_files: [%s]\n"


def tools() -> tuple[str, str] | None:
    found = shutil.which("promtool"), shutil.which("prometheus")
    return found if all(found) else None


def pages(simulate: list[str], run: dict) -> list[Page]:
    """What the rules would have told people over the history that this command simulates."""
    with tempfile.TemporaryDirectory(prefix="bench-watch-") as name:
        folder = Path(name)
        subprocess.run([*simulate, "--openmetrics", str(folder / "days")], check=True, stdout=subprocess.DEVNULL)
        backfill(folder / "days", folder / "tsdb")
        config = folder / "prometheus.yml"
        config.write_text(CONFIG % (HERE / "rules.yml"))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        arguments = [f"--config.file={config}", f"--storage.tsdb.path={folder / 'tsdb'}"]
        # Whatever the year is, the history is kept; samples of a query are as many as it needs.
        arguments += ["--storage.tsdb.retention.time=100y", "--query.max-samples=500000000", "--query.timeout=30m"]
        log = (folder / "prometheus.log").open("wb")
        command = [tools()[1], *arguments, f"--web.listen-address=127.0.0.1:{port}"]
        child = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_ready(port, child)
            return [page for rule in rules(port) for page in fired(port, rule, run)]
        finally:
            child.terminate()
            child.wait()
            log.close()


def backfill(days: Path, tsdb: Path) -> None:
    """A day at a time: promtool reads its file once for every two hours that are in it."""
    for day in sorted(days.glob("*.om")):
        command = [tools()[0], "tsdb", "create-blocks-from", "openmetrics", "--quiet", str(day), str(tsdb)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"promtool: {done.stderr.strip()[:500]}")
        day.unlink()


def wait_ready(port: int, child: subprocess.Popen) -> None:
    for _ in range(600):
        if child.poll() is not None:
            raise RuntimeError(f"Prometheus ended with {child.returncode}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            pass
        time.sleep(0.5)
    raise RuntimeError("Prometheus is not ready after five minutes")


def get(port: int, path: str, **query) -> dict:
    url = f"http://127.0.0.1:{port}{path}?{urllib.parse.urlencode(query)}"
    with urllib.request.urlopen(url, timeout=1_800) as answer:
        return json.load(answer)["data"]


def rules(port: int) -> list[dict]:
    found = [rule for group in get(port, "/api/v1/rules")["groups"] for rule in group["rules"]]
    if not found:
        raise RuntimeError("Prometheus has read no rules")
    return found


def fired(port: int, rule: dict, run: dict) -> list[Page]:
    """An alert fires once its expression has held for `for`; one page for all of its series that fire at a time."""
    held: dict[str, tuple[dict, list[int]]] = {}
    begin, end = run["began"], run["began"] + run["days"] * 86_400
    for start in range(begin, end, AT_ONCE):
        stop = min(start + AT_ONCE, end) - MINUTE
        answer = get(port, "/api/v1/query_range", query=rule["query"], start=start, end=stop, step=MINUTE)
        for series in answer["result"]:
            labels = {name: value for name, value in series["metric"].items() if name != "__name__"}
            key = json.dumps(labels, sort_keys=True)
            held.setdefault(key, (labels, []))[1].extend(int(at) for at, _ in series["values"])
    firing: dict[int, list[dict]] = {}
    for labels, moments in held.values():
        since = before = None
        for at in moments:
            since = at if before is None or at - before > MINUTE else since
            before = at
            if at - since >= rule["duration"]:
                firing.setdefault(at, []).append(labels)
    pages, last = [], None
    for at in sorted(firing):
        if last is None or at - last > GROUP_INTERVAL:
            pages.append(Page(at - begin + GROUP_WAIT, rule["name"], rule["labels"]["signal"], firing[at]))
        last = at
    return pages
