"""Which samples of a page make one metric."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_LABEL = r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*'
_SELECTOR = re.compile(rf"\s*({_NAME})\s*(?:\{{((?:{_LABEL},)*(?:{_LABEL})?)\s*\}})?\s*", re.DOTALL)
_ESCAPES = {"\\n": "\n", '\\"': '"', "\\\\": "\\"}


@dataclass(frozen=True, slots=True)
class Selector:
    """``name`` or ``name{label="value", …}``.

    The name is that of a sample as it stands on the page (``jobs_total``, ``latency_seconds_sum``). Several
    samples that match are summed: one series a GPU or a type is one number for the service.
    """

    name: str
    labels: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Selector:
        """Raises ValueError, saying how one looks."""
        match = _SELECTOR.fullmatch(text)
        if match is None:
            raise ValueError(f"'{text}' names no series: write family or family{{label=\"value\"}}")
        pairs = re.findall(_LABEL, match[2] or "", re.DOTALL)
        return cls(match[1], tuple((label, _unescaped(value)) for label, value in pairs))

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Labels that are not asked for may have any value; an absent label is an empty one."""
        return all(labels.get(label, "") == value for label, value in self.labels)


def _unescaped(value: str) -> str:
    return re.sub(r"\\.", lambda found: _ESCAPES.get(found[0], found[0]), value, flags=re.DOTALL)
