"""Figures side by side: what each store does, ratios, goals."""

from __future__ import annotations

import json
import statistics
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

STORES = ("signalbox", "sqlite", "phoenix")


class Goal(NamedTuple):
    limit: float
    at_least: bool = False

    def met(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {shown(self.limit)}"


@dataclass
class Figure:
    """One thing that was measured, several times perhaps, of each store that can do it."""

    name: str
    unit: str
    goal: Goal | None = None
    values: dict[str, list[float]] = field(default_factory=dict)

    def add(self, store: str, *values: float) -> Figure:
        self.values.setdefault(store, []).extend(values)
        return self

    def middle(self, store: str) -> float | None:
        values = self.values.get(store)
        return statistics.median(values) if values else None

    def ratio(self, store: str) -> float | None:
        """Signalbox to this store: round by round where there are as many, so that a slower machine doesn't count."""
        mine, others = self.values.get("signalbox", []), self.values.get(store, [])
        if not mine or not others or not all(others):
            return None
        if len(mine) == len(others):
            return statistics.median([a / b for a, b in zip(mine, others, strict=True)])
        return statistics.median(mine) / statistics.median(others)


class Report:
    """All figures of a run, in order."""

    def __init__(self) -> None:
        self.figures: list[Figure] = []

    def figure(self, name: str, unit: str, goal: Goal | None = None) -> Figure:
        self.figures.append(Figure(name, unit, goal))
        return self.figures[-1]

    def show(self) -> None:
        width = max(len(f"{figure.name}, {figure.unit}") for figure in self.figures) + 2
        columns = (*STORES, "× sqlite", "× phoenix", "goal")
        head = f"{'figure':<{width}}" + "".join(f"{name:>12}" for name in columns) + "  met"
        print(f"\n{head}\n{'-' * len(head)}")
        for figure in self.figures:
            cells = [*map(figure.middle, STORES), *map(figure.ratio, STORES[1:])]
            goal, mine = figure.goal, cells[0]
            target = "" if goal is None else str(goal)
            met = "" if goal is None or mine is None else ("yes" if goal.met(mine) else "NO")
            line = "".join(f"{'–' if cell is None else shown(cell):>12}" for cell in cells)
            print(f"{f'{figure.name}, {figure.unit}':<{width}}{line}{target:>12}  {met}".rstrip())

    def write(self, file: Path, about: dict) -> None:
        """The same for programs, one line."""
        figures = []
        for figure in self.figures:
            mine, goal = figure.middle("signalbox"), figure.goal
            figures.append(
                {
                    **asdict(figure),
                    "goal": None if goal is None else str(goal),
                    "met": None if goal is None or mine is None else goal.met(mine),
                    "ratios": {store: figure.ratio(store) for store in STORES[1:]},
                }
            )
        file.write_text(json.dumps({**about, "figures": figures}) + "\n")


def progress(text: str, done: bool = False) -> None:
    """A line that is written over while it goes on; only the last one where nobody watches."""
    if sys.stdout.isatty():
        print(f"\r  {text}\033[K", end="\n" if done else "", flush=True)
    elif done:
        print(f"  {text}", flush=True)


def shown(value: float) -> str:
    """Three digits or so."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
