"""A page in the Prometheus text format, of which only the samples asked for are parsed.

A whole page of 73 families costs prometheus_client's parser 5 ms. Here a line costs its name's lookup, and
the parser sees those of the families that are wanted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from genload.exposition.selector import Selector

if TYPE_CHECKING:
    from prometheus_client import Metric

_LINE = re.compile(r"[ \t]*(?:#[ \t]+(TYPE|HELP)[ \t]+)?([a-zA-Z_:][a-zA-Z0-9_:]*)(?=[ \t{]|$)[ \t]*(\w*)")

Labels = tuple[tuple[str, str], ...]
"""Of one series, in the order of the alphabet."""


class Kind(Enum):
    """What a sample's number is."""

    COUNTER = "counter"  # only rises, but for resets
    GAUGE = "gauge"  # goes up and down
    QUANTILE = "quantile"  # of a summary: goes up and down, and several have no sum
    TIME = "time"  # when a series was created: neither


# By a family's type, what the samples are whose names have an ending; "" is the family's own name. The type
# of a counter stands under its name with or without ``_total``.
_KINDS: Mapping[str, Mapping[str, Kind]] = {
    "counter": {"": Kind.COUNTER, "_total": Kind.COUNTER, "_created": Kind.TIME},
    "gauge": {"": Kind.GAUGE},
    "histogram": {
        "_bucket": Kind.COUNTER,
        "_count": Kind.COUNTER,
        "_sum": Kind.COUNTER,
        "_created": Kind.TIME,
    },
    "summary": {"": Kind.QUANTILE, "_count": Kind.COUNTER, "_sum": Kind.COUNTER, "_created": Kind.TIME},
    "gaugehistogram": {"_bucket": Kind.GAUGE, "_gcount": Kind.GAUGE, "_gsum": Kind.GAUGE},
    "info": {"": Kind.GAUGE, "_info": Kind.GAUGE},
    "stateset": {"": Kind.GAUGE},
}
_ENDING = re.compile(r"_(total|created|bucket|count|sum|gcount|gsum|info)$")
_PAIRS = {"_count": "_sum", "_sum": "_count"}


@dataclass(frozen=True, slots=True)
class PageSample:
    """One line of a page."""

    labels: Mapping[str, str]
    value: float


class Page:
    """What a page says about some names.

    Args:
        text: the page.
        names: of samples; all other lines are passed over, but for the types of their families.
    """

    def __init__(self, text: str, names: Collection[str]) -> None:
        self.types: dict[str, str] = {}
        """By family: ``counter``, ``gauge``, …; empty where there is only its help."""
        lines: dict[str, list[str]] = {}
        telling = _telling(frozenset(names))
        for line in text.split("\n"):
            match = _LINE.match(line)
            if match is None or match[2] not in telling:
                continue
            if match[1] is None:
                lines.setdefault(match[2], []).append(line.strip())
            elif match[1] == "TYPE" or match[2] not in self.types:
                self.types[match[2]] = match[3] if match[1] == "TYPE" else ""
        self._there = frozenset(lines)
        found = {name: _parsed(those) for name, those in lines.items() if name in names}
        self.samples: dict[str, list[PageSample]] = {
            name: samples for name, samples in found.items() if samples is not None
        }
        """By name. One with a line that cannot be read is left out: a sum without it would be wrong."""

    def series(self, selector: Selector) -> dict[Labels, float]:
        """The samples that a selector matches, by their labels."""
        return {
            tuple(sorted(sample.labels.items())): sample.value
            for sample in self.samples.get(selector.name, ())
            if selector.matches(sample.labels)
        }

    def kind(self, name: str) -> Kind:
        """What samples of this name are: by their family's type, or else by the name.

        Without a type, a name in ``_total`` is a counter's, one in ``_bucket`` a histogram's when it says
        of which bucket, and one in ``_sum`` or ``_count`` a histogram's or a summary's when there are both:
        a page may call anything that it counts a ``_count``.
        """
        base, ending = _parts(name)
        for family, its_ending in ((name, ""), (base, ending), (f"{base}_total", ending or "-")):
            kind = _KINDS.get(self.types.get(family, ""), {}).get(its_ending)
            if kind is not None:
                return kind
        return Kind.COUNTER if self._rises_by_name(name) else Kind.GAUGE

    def _rises_by_name(self, name: str) -> bool:
        base, ending = _parts(name)
        if ending == "_bucket":
            return all("le" in sample.labels for sample in self.samples.get(name, ()))
        return ending == "_total" or base + _PAIRS.get(ending, "-") in self._there


@lru_cache(maxsize=64)
def _telling(names: frozenset[str]) -> frozenset[str]:
    """These names, and those that tell of what kind their samples are."""
    return names | {other for name in names for other in _of_the_same_family(name)}


def _of_the_same_family(name: str) -> Iterator[str]:
    base, ending = _parts(name)
    yield from (base, f"{base}_total")
    if ending in _PAIRS:
        yield base + _PAIRS[ending]


def _parts(name: str) -> tuple[str, str]:
    """A sample's name without its ending, and that ending."""
    base = _ENDING.sub("", name)
    return base, name.removeprefix(base)


@cache
def parser() -> Callable[[str], Iterable[Metric]]:
    """prometheus_client's. Its import takes a tenth of a second, and a worker, which only reads the monitors'
    settings, has no use for it.
    """
    from prometheus_client.parser import text_string_to_metric_families

    return text_string_to_metric_families


def _parsed(lines: list[str]) -> list[PageSample] | None:
    try:
        families = list(parser()("\n".join(lines) + "\n"))
    except (ValueError, IndexError, KeyError):
        return None
    return [PageSample(sample.labels, sample.value) for family in families for sample in family.samples]
