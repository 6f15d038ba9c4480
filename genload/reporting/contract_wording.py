"""How reports say which expected metrics a service has, and how its own counts differ from the client's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from genload.analysis.contract import FamilyFinding
from genload.analysis.judged import JudgedRun
from genload.analysis.reconciliation import Comparison
from genload.human import human
from genload.reporting.wording import moment

_STATES = {"unknown": "no page came", "absent": "absent", "idle": "there, never moved", "live": "live"}
_MOST_NAMED = 3


def families(found: Sequence[FamilyFinding]) -> Iterator[tuple[str, list[str]]]:
    """The families of each state that there is, in its words, the worst first."""
    for state, words in _STATES.items():
        names = [one.family for one in found if one.state == state]
        if names:
            yield words, names


def lacking_words(found: Sequence[FamilyFinding]) -> str | None:
    """How many expected families are not live, in a line, and which where these are few; None: all are."""
    parts = [
        f"{words}: {', '.join(names)}"
        if len(names) <= _MOST_NAMED
        else f"{len(names)} of {len(found)} {words}"
        for words, names in families(found)
        if words != _STATES["live"]
    ]
    return "; ".join(parts) or None


def live_words(run: JudgedRun) -> str | None:
    """Which series of the same pages move, to use in the place of expected ones that do not; None: none."""
    moved = {one.metric for one in run.series if one.count and (one.min != one.max or one.last)}
    pages = [each for each in run.effective.get("monitors", {}).values() if each.get("expects")]
    named = [
        f"{metric} ({selector})"
        for page in pages
        for metric, selector in (page.get("series") or {}).items()
        if metric in moved
    ]
    return f"live on the same page: {', '.join(named)}" if named else None


def counted(run: JudgedRun, one: Comparison, metric: str) -> str:
    """One count, here and there, without what a difference means. Empty where one of them is not known.

    Args:
        metric: its name, as the report shows names.
    """
    if one.client is None or one.server is None:
        return ""
    when = "" if one.at_s is None else f" at {moment(run, one.at_s)}"
    return f"{human(one.client, '')} here, {human(one.server, '')} in {metric}{when}"
