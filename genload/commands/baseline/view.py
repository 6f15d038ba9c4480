"""Baselines on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from genload.analysis.judge import judge
from genload.analysis.pool import short_names
from genload.human import human
from genload.plain import plain
from genload.reporting.baselines import Baseline

_NONE = "no baseline here: genload baseline promote DIR"
_MOST_NOISE = 12


def list_view(found: Sequence[Baseline]) -> RenderableType:
    """A line a scenario of each."""
    if not found:
        return Text(_NONE)
    table = _table("baseline", "scenario", "runs", "promoted", "noise learned")
    for each in found:
        table.add_row(
            Text(each.name),
            Text(plain(f"{each.suite}/{each.scenario}")),
            str(len(each.runs)),
            each.manifest.promoted_at[:10] if each.manifest else "–",
            each.floor.learned_at[:10] if each.floor else "–",
        )
    return table


def baseline_view(each: Baseline) -> RenderableType:
    """One scenario of a baseline: its runs, what was tested, its noise.

    Raises:
        RunDirectoryError: a run of it cannot be read.
    """
    return Group(*_told(each))


def _told(each: Baseline) -> Iterator[RenderableType]:
    yield Text(plain(f"{each.name}: {each.suite}/{each.scenario}"), "bold")
    if each.manifest is not None:
        origin = plain(each.manifest.origins[0], 300)
        yield Text(f"  promoted {each.manifest.promoted_at[:10]}, from {origin}")
    if each.manifest is not None and each.manifest.tested:
        facts = " · ".join(f"{name} {text}" for name, text in each.manifest.tested.items())
        yield Text(f"  tested: {plain(facts, 1000)}")
    table = _table("run", "began", "requests", "failed", "mean", "p95")
    origins = [Path(origin) for origin in each.manifest.origins] if each.manifest else [*each.runs]
    for origin, folder in zip(short_names(origins), each.runs, strict=True):
        run = judge(folder)
        table.add_row(
            Text(plain(origin)),
            run.start_time[:19],
            str(run.overall.total_requests),
            str(run.overall.failed_requests),
            human(run.overall.avg_duration, "s"),
            human(run.overall.p95_duration, "s"),
        )
    yield table
    if each.floor is None:
        yield Text("  noise of equal builds: not learned (genload ab, with the same URL on both sides)")
        return
    yield Text(f"  noise of equal builds, learned {each.floor.learned_at[:10]} from {each.floor.runs} runs:")
    noises = [
        (name, noise) for name, noise in each.floor.metrics.items() if noise.scale == "ratio" and noise.spread
    ]
    for name, noise in noises[:_MOST_NOISE]:
        yield Text(f"    {plain(name)} ±{human(noise.spread, 'ratio')}")


def _table(*heads: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1))
    for head in heads:
        table.add_column(head, overflow="fold")
    return table
