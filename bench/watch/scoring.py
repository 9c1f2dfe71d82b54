"""Which pages tell of a planted fault, and which of nothing."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field

# What a monitor looks at, by its name without its set's prefix.
SIGNALS = {
    "provider-outage": "errors",
    "error-rate": "errors",
    "availability": "errors",
    "model-errors": "errors",
    "latency": "latency",
    "first-token": "first_token",
    "cost": "spend",
    "tokens": "spend",
    "runaway": "spend",
    "guardrail-blocks": "blocks",
    "quality": "quality",
}
OF_OBJECTIVES = "objective."
MINUTE, WEEK = 60.0, 7 * 86_400.0
# A fault is found by a page until so long after its end; later ones say what everybody knows.
LATE = 10 * MINUTE
# A page may still be the fault's while windows have some of it: those of spending and quality are an hour long.
TAIL = {"spend": 75 * MINUTE, "quality": 75 * MINUTE}
# An objective's slowest burn rate looks at six hours as well: what was lost in them is the fault's.
BURNT = 6 * 60 * MINUTE
SHAPES = ["outage", "spike", "step", "ramp", "drift", "quality"]


@dataclass
class Page:
    """Somebody was told that something is wrong."""

    at: float
    monitor: str
    signal: str
    series: list[dict]
    tells_of: list[int] = field(default_factory=list)


def opened(told: list[dict]) -> list[Page]:
    """The pages of a run of `simulate`: of a monitor cut into one for each series, one while any of them is open."""
    pages, open_ = [], {}
    for one in told:
        name = name_of(one["monitor"])
        incidents = open_.setdefault(name, set())
        if one["event"] == "resolved":
            incidents.discard(one["incident"])
            continue
        if one["event"] == "opened" and not incidents:
            pages.append(Page(one["at"], name, SIGNALS.get(name, name), one["series"]))
        incidents.add(one["incident"])
    return pages


def name_of(monitor: str) -> str:
    """Without its set's prefix, as in `starter.latency`, and without the place after it, as in `fixed.latency.chat`."""
    own = monitor.removeprefix(OF_OBJECTIVES)
    return [*own.split(".", 2), ""][1]


def related(place: str, models: dict[str, str], routes: dict[str, str]) -> set[str]:
    """A place, and all that feels what happens there."""
    if place in routes:
        return {place, routes[place], models[routes[place]]}
    if place in models:
        return {place, models[place]}
    return {place, *(model for model, provider in models.items() if provider == place)}


def attribute(pages: list[Page], faults: list[dict], models: dict[str, str], routes: dict[str, str]) -> None:
    """Says of each page which fault it tells of: one that was there, with its signal, where the page points to."""
    for page in pages:
        values = [set(labels.values()) for labels in page.series] or [set()]
        for number, fault in enumerate(faults):
            late = page.at - fault["until"]
            tail = BURNT if page.monitor == "availability" else TAIL.get(page.signal, 20 * MINUTE)
            if page.signal != fault["signal"] or page.at < fault["from"] or late > tail:
                continue
            places = related(fault["place"], models, routes)
            if fault["place"] == "" or any(not one or one & places for one in values):
                page.tells_of.append(number)
        # A drift has others beside it: a page is rather that of the fault that began last.
        if len(page.tells_of) > 1:
            page.tells_of = [max(page.tells_of, key=lambda number: faults[number]["from"])]


def quantile(values: list[float], q: float) -> float | None:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * q))] if ordered else None


def score(name: str, with_faults: list[Page], control: list[Page], run: dict) -> dict:
    """The figures of a set of monitors, after the warm-up."""
    began, ended = run["warm_up_days"] * 86_400.0, run["days"] * 86_400.0
    weeks = (ended - began) / WEEK
    pages = [page for page in with_faults if page.at >= began]
    quiet = [page for page in control if page.at >= began]
    true = [page for page in pages if page.tells_of]
    waits: dict[int, float] = {}
    for page in sorted(true, key=lambda page: page.at):
        for number in page.tells_of:
            fault = run["faults"][number]
            if page.at <= fault["until"] + LATE:
                waits.setdefault(number, (page.at - fault["from"]) / MINUTE)
    kinds = []
    for kind in ["all", *SHAPES]:
        those = [n for n, fault in enumerate(run["faults"]) if kind in ("all", fault["shape"])]
        found = [waits[n] for n in those if n in waits]
        kinds.append(
            {
                "set": name,
                "faults": kind,
                "planted": len(those),
                "found": len(found),
                "recall": len(found) / max(1, len(those)),
                "median_min": statistics.median(found) if found else None,
                "p90_min": quantile(found, 0.9),
            }
        )
    kinds[0] |= {
        "precision": len(true) / max(1, len(pages)),
        "pages_week": len(pages) / weeks,
        "false_week": (len(pages) - len(true)) / weeks,
        "control_week": len(quiet) / weeks,
    }
    missed = [fault for number, fault in enumerate(run["faults"]) if number not in waits]
    false = [page for page in pages if not page.tells_of] + quiet
    early = [page for page in control if page.at < began]
    return {"kinds": kinds, "missed": missed, "false": [vars(page) for page in false], "warm_up_pages": len(early)}
