"""Whether the families that a suite expects are on a page, and whether they move.

A metric has three states that must never be confused: it is absent; it is registered, and nothing ever writes
it; it is live.
"""

from __future__ import annotations

from collections.abc import Iterable

from genload.exposition.counters import Counters, Signs
from genload.exposition.family_state import FamilyState
from genload.exposition.page import Kind, Labels, Page
from genload.exposition.selector import Selector

_SUFFIXES = ("", "_total", "_bucket", "_count", "_sum")


class FamilyWatch:
    """The expected families of one address.

    A counter, a histogram or a summary is live once one of its counters has risen since the first page. A
    gauge is live once it showed anything but 0: something wrote it. What is live stays so, and is read no
    more.
    """

    def __init__(self, families: Iterable[str]) -> None:
        self.states = dict.fromkeys(families, FamilyState.ABSENT)
        self._counters = {family: Counters() for family in self.states}
        self._first: dict[str, float] = {}  # what each family's counters came to at the first page

    @property
    def names(self) -> frozenset[str]:
        """What the next page has to be read for."""
        wanted = (family for family, state in self.states.items() if state is not FamilyState.LIVE)
        return frozenset(name for family in wanted for name in _names(family))

    def note(self, page: Page, signs: Signs, since_unix_s: float) -> None:
        """Take one page, read for at least `names`; the rest as for `Counters`."""
        for family, state in self.states.items():
            if state is not FamilyState.LIVE:
                rose = self._rose(family, page, signs, since_unix_s)
                self.states[family] = max(state, FamilyState.LIVE if rose else _seen(family, page))

    def _rose(self, family: str, page: Page, signs: Signs, since_unix_s: float) -> bool:
        counts = {
            name: values for name, values in _values(family, page).items() if page.kind(name) is Kind.COUNTER
        }
        total = sum(self._counters[family].note(signs, counts, since_unix_s).values())
        return total > self._first.setdefault(family, total)


def _seen(family: str, page: Page) -> FamilyState:
    """What one page says of it by itself."""
    values = _values(family, page)
    if not values and not any(name in page.types for name in _names(family)):
        return FamilyState.ABSENT
    counts = any(page.kind(name) is Kind.COUNTER for name in values)
    written = not counts and any(value for series in values.values() for value in series.values())
    return FamilyState.LIVE if written else FamilyState.IDLE


def _names(family: str) -> Iterable[str]:
    """The names that the family's lines may have: its own, a counter's without its ending in the type."""
    yield from (family + suffix for suffix in _SUFFIXES)
    if family.endswith("_total"):
        yield family.removesuffix("_total")


def _values(family: str, page: Page) -> dict[str, dict[Labels, float]]:
    """By name and labels; NaN is not a value."""
    found = {name: page.series(Selector(name)) for name in (family + suffix for suffix in _SUFFIXES)}
    numbers = {name: {k: v for k, v in series.items() if v == v} for name, series in found.items()}
    return {name: series for name, series in numbers.items() if series}
