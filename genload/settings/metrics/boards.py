"""GPUs of which some are slices (MIG instances) of one board: what counts once in one number of all."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple


class Part(NamedTuple):
    """Of what a number is told.

    Attributes:
        board: which one, in any words that no other board has.
        instance: which slice of it; empty for the whole board.
    """

    board: str
    instance: str = ""


SLICES_OWN = frozenset({"gpu.memory_used", "gpu.memory_free", "gpu.memory_total", "gpu.xid_errors"})
"""What each slice has for itself. Everything else is the whole board's, told of a slice or not."""


def counted(parts: Collection[Part]) -> set[Part]:
    """Without the slices of boards that are there as a whole: the board has all that its slices have."""
    there = set(parts)
    return {part for part in there if not part.instance or Part(part.board) not in there}


def each_once(readings: Iterable[tuple[Part, float]], *, slices_own: bool) -> dict[Part, float]:
    """The numbers that count, by what they are of; the largest of several of one.

    Args:
        slices_own: whether each slice has its own, or repeats its board's.
    """
    found: dict[Part, float] = {}
    for told_of, value in readings:
        part = told_of if slices_own else Part(told_of.board)
        found[part] = max(value, found.get(part, value))
    return {part: found[part] for part in sorted(counted(found))}
