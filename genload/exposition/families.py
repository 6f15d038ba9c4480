"""Whether the families that a suite expects are on a page, and whether they move.

A metric has three states that must never be confused: it is absent; it is registered, and nothing ever writes
it; it is live.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum

from genload.exposition.page import Page, PageSample

_SUFFIXES = ("", "_total", "_bucket", "_count", "_sum")


class FamilyState(IntEnum):
    """What is known of a family; its number in ``contract.state{family=…}``."""

    ABSENT = 0
    IDLE = 1
    LIVE = 2


class FamilyWatch:
    """The expected families of one address.

    A counter, a histogram or a summary is live once it has risen since the first page. A gauge is live once
    it has changed, or showed anything but 0: something wrote it. What is live stays so, and is read no more.
    """

    def __init__(self, families: Iterable[str]) -> None:
        self.states = dict.fromkeys(families, FamilyState.ABSENT)
        self._first: dict[str, dict[tuple[str, ...], float]] = {}
        self._pages = 0

    @property
    def names(self) -> frozenset[str]:
        """What the next page has to be read for."""
        wanted = (family for family, state in self.states.items() if state is not FamilyState.LIVE)
        return frozenset(name for family in wanted for name in _names(family))

    def note(self, page: Page) -> None:
        """Take one page, read for at least `names`."""
        for family, state in self.states.items():
            if state is not FamilyState.LIVE:
                self.states[family] = max(state, self._seen(family, page))
        self._pages += 1

    def _seen(self, family: str, page: Page) -> FamilyState:
        values = _values(family, page)
        if not values and not any(name in page.types for name in _names(family)):
            return FamilyState.ABSENT
        rises = any(page.rises(series[0]) for series in values)
        # A series that comes after the first page began at 0, whatever it shows by now.
        before = self._first.setdefault(family, values if self._pages == 0 else {})
        for series, value in values.items():  # a counter that fell was reset, and counts from there
            before[series] = min(before.get(series, 0.0), value) if rises else before.get(series, 0.0)
        moved = any(value != before[series] for series, value in values.items())
        written = not rises and any(values.values())
        return FamilyState.LIVE if moved or written else FamilyState.IDLE


def _names(family: str) -> Iterable[str]:
    """The names that the family's lines may have: its own, a counter's without its ending in the type."""
    yield from (family + suffix for suffix in _SUFFIXES)
    if family.endswith("_total"):
        yield family.removesuffix("_total")


def _values(family: str, page: Page) -> dict[tuple[str, ...], float]:
    """By name and labels."""
    return {
        (name, *_flat(sample)): sample.value
        for name in (family + suffix for suffix in _SUFFIXES)
        for sample in page.samples.get(name, [])
        if sample.value == sample.value  # NaN is not a value
    }


def _flat(sample: PageSample) -> Iterable[str]:
    labels: Mapping[str, str] = sample.labels
    return (f"{label}={labels[label]}" for label in sorted(labels))
