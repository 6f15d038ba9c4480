"""A service's words that a report has shown already: a proxy's page comes in errors of several classes, in
notices and in monitors' lines alike.
"""

from __future__ import annotations

from collections.abc import Iterator

from genload.plain import plain

SAID = "… (as above)"
_LONGEST_READ = 4000  # of one text, before what is known is taken out and the rest is cut
_LEAST = 30  # characters; what is shorter is read faster than looked for


class Quotes:
    """What one scenario's report has quoted, in the order in which it is read."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def once(self, text: str, quoted: str = "") -> str:
        """The text on one line, without a long quote that was there before: a whole one, or what followed a
        colon in it.

        Args:
            quoted: what of the text is not genload's own words.
        """
        line = plain(text, _LONGEST_READ)  # a sentence around a quote of full length is longer than a line
        known = max((quote for quote in self._told if quote in line), key=len, default="")
        self._told.update(quote for quote in _quotes(plain(quoted)) if len(quote) >= _LEAST)
        return plain(line.replace(known, SAID) if known else line)


def _quotes(line: str) -> Iterator[str]:
    while line:
        yield line
        _, _, line = line.partition(": ")
