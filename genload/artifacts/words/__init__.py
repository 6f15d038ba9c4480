"""Which words an answer speaks."""

from __future__ import annotations

from importlib.util import find_spec

NO_RECOGNISER = "no words are recognised, because pocketsphinx is not installed: pip install 'genload[words]'"


def can_recognise() -> bool:
    """Whether there is what recognises words (``genload[words]``)."""
    return find_spec("pocketsphinx") is not None
