"""A page in the Prometheus text format, of which only the samples asked for are parsed.

A whole page of 73 families costs prometheus_client's parser 5 ms. Here a line costs its name's lookup, and
the parser sees those of the families that are wanted.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from genload.exposition.selector import Selector

_LINE = re.compile(r"[ \t]*(?:#[ \t]+(TYPE|HELP)[ \t]+)?([a-zA-Z_:][a-zA-Z0-9_:]*)(?=[ \t{]|$)[ \t]*(\w*)")
# Samples whose names say that they only rise, on a page without types.
_RISING = re.compile(r"_(total|count|sum|bucket)$")
_RISING_TYPES = frozenset({"counter", "histogram", "summary"})


@dataclass(frozen=True, slots=True)
class PageSample:
    """One line of a page."""

    labels: Mapping[str, str]
    value: float


class Page:
    """What a page says about some names.

    Args:
        text: the page.
        names: of samples and of families; all other lines are passed over.
    """

    def __init__(self, text: str, names: Collection[str]) -> None:
        self.types: dict[str, str] = {}
        """By family: ``counter``, ``gauge``, …; empty where there is only its help."""
        lines: dict[str, list[str]] = {}
        for line in text.split("\n"):
            match = _LINE.match(line)
            if match is None or match[2] not in names:
                continue
            if match[1] is None:
                lines.setdefault(match[2], []).append(line.strip())
            elif match[1] == "TYPE" or match[2] not in self.types:
                self.types[match[2]] = match[3] if match[1] == "TYPE" else ""
        found = {name: _parsed(those) for name, those in lines.items()}
        self.samples: dict[str, list[PageSample]] = {
            name: samples for name, samples in found.items() if samples is not None
        }
        """By name. One with a line that cannot be read is left out: a sum without it would be wrong."""

    def total(self, selector: Selector) -> float | None:
        """The sum of the samples that a selector matches; None when none does."""
        samples = self.samples.get(selector.name, [])
        values = [sample.value for sample in samples if selector.matches(sample.labels)]
        return sum(values) if values else None

    def rises(self, name: str) -> bool:
        """Whether samples of this name belong to a counter, by its family's type, or else by its name."""
        families = (name, _RISING.sub("", name))
        types = [self.types[family] for family in families if self.types.get(family)]
        if not types:
            return _RISING.search(name) is not None
        return types[0] in _RISING_TYPES


def _parsed(lines: list[str]) -> list[PageSample] | None:
    try:
        families = list(text_string_to_metric_families("\n".join(lines) + "\n"))
    except (ValueError, IndexError, KeyError):
        return None
    return [PageSample(sample.labels, sample.value) for family in families for sample in family.samples]
