"""The Prometheus text format, version 0.0.4: what an exporter's page looks like.

Written here because prometheus-client adds ``_total`` to every counter's name, and DCGM's have none.
https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Family:
    """One name on the page with its samples: labels and value."""

    name: str
    kind: str  # gauge, counter
    help: str
    samples: Sequence[tuple[Mapping[str, str], float]]


def page(families: Iterable[Family]) -> str:
    """The text; families without a sample are left out."""
    return "".join(_family(family) for family in families if family.samples)


def _family(family: Family) -> str:
    lines = [
        f"# HELP {family.name} {family.help}\n",
        f"# TYPE {family.name} {family.kind}\n",
        *(f"{family.name}{_labels(labels)} {_number(value)}\n" for labels, value in family.samples),
    ]
    return "".join(lines)


def _labels(labels: Mapping[str, str]) -> str:
    inside = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{inside}}}" if inside else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))
