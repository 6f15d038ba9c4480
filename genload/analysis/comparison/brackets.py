"""How much two builds hold, compared by what their searches found: intervals, and no numbers of whole loads.

Each search chose its own levels, so that a mean or a p95 of all that it did says nothing of the build. What a
run says is a bracket: the highest level that held, and the lowest that did not. A side holds what all of its
runs allow, from the least to the most of their brackets. NEW holds less for certain where its side lies below
that of BASE: of equal builds with three runs a side, that is so in one of twenty comparisons at most
(3! 3! ÷ 6!). It holds no less where even the least of NEW is not below the most of BASE, but for what is
allowed. Where the two overlap by more than that, neither can be said.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from genload.analysis.capacity.words import amount_of
from genload.analysis.comparison.noise import Scale
from genload.analysis.comparison.shift import MIN_RUNS, Basis, Shift, middle
from genload.analysis.judged.capacity import Capacity


class Bracket(msgspec.Struct, frozen=True, kw_only=True):
    """How much a build holds: users, or requests a second.

    Attributes:
        least: the highest level that held; 0 where not even the lowest did.
        most: the most that it can hold then: of users one fewer than the lowest level that did not hold, of a
            rate that level. None: all of the range held.
    """

    least: float
    most: float | None = None

    @classmethod
    def of(cls, found: Capacity) -> Bracket | None:
        """Of one run; None where it found none."""
        high = found.lowest_observed_not
        if found.highest_observed is None and (found.end != "not even one" or high is None):
            return None
        step = 1.0 if found.of == "users" else 0.0
        return cls(least=found.highest_observed or 0.0, most=None if high is None else high - step)

    @classmethod
    def together(cls, brackets: Sequence[Bracket]) -> Bracket:
        """Of a side, which has one run at least."""
        tops = [one.most for one in brackets]
        most = None if None in tops else max(top for top in tops if top is not None)
        return cls(least=min(one.least for one in brackets), most=most)


def held(brackets: Sequence[Bracket], unit: str, noun: str = "") -> str:
    """What a side holds: ``3 users``, ``3–4``, ``64 or more``."""
    whole = Bracket.together(brackets)
    text = amount_of(whole.least, unit)
    if whole.most is not None and whole.most != whole.least:
        text += f"–{amount_of(whole.most, unit)}"
    if noun:
        text += f" {noun}" if whole.least == whole.most == 1 else f" {noun}s"
    return text if whole.most is not None else f"{text} or more"


def bracket_shift(base: Sequence[Bracket], new: Sequence[Bracket]) -> Shift:
    """How far the two sides are apart by what held, and, with enough runs a side, at least and at most."""
    ours, theirs = Bracket.together(base), Bracket.together(new)
    scale = Scale.RATIO if ours.least and theirs.least else Scale.DIFFERENCE
    held_by = [middle([one.least for one in side], scale) for side in (base, new)]
    value = _apart(held_by[0], held_by[1], scale)
    if min(len(base), len(new)) < MIN_RUNS:
        return Shift(scale=scale, value=value)
    return Shift(
        scale=scale,
        value=value,
        low=None if ours.most is None else _apart(ours.most, theirs.least, scale),
        high=None if theirs.most is None else _apart(ours.least, theirs.most, scale),
        basis=Basis.BRACKETS,
    )


def _apart(base: float, new: float, scale: Scale) -> float:
    return new / base - 1 if scale is Scale.RATIO else new - base
