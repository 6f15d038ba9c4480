"""Did you mean …? One way of saying it for keys, metrics, phases and names of suites."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_SHOWN = 12


def suggest(word: str, known: Iterable[str]) -> str:
    """A remedy for an unknown `word`: the nearest known one, and what there is, its own namespace first."""
    own = word.partition(".")[0]
    names = sorted(set(known), key=lambda name: (name.partition(".")[0] != own, name))
    if not names:
        return "there is none to choose from: take it out"
    near = get_close_matches(word, names, n=1, cutoff=0.6)
    listed = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
    return f"did you mean '{near[0]}'? known: {listed}" if near else f"use one of: {listed}"
