"""Markdown as GitHub reads it, of text that genload did not write itself."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence

from genload.plain import plain

_PUNCTUATION = re.compile(r"([\\`*_\[\]#|~$])")
# GitHub links these even where nothing is marked up; a word joiner inside keeps it from seeing them.
_AUTOLINK = re.compile(r"(@|#|:(?=//)|www(?=\.))")
_JOINER = "\u2060"


def table_lines(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table and an empty line after it; nothing at all without rows."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    if lines:
        yield f"| {' | '.join(heads)} |"
        yield f"|{' --- |' * len(heads)}"
        yield from lines
        yield ""


def prose(words: str) -> str:
    """As prose: nothing in it is markup, a link or a mention."""
    joined = _AUTOLINK.sub(rf"\1{_JOINER}", plain(words))
    return _PUNCTUATION.sub(r"\\\1", html.escape(joined, quote=False))


def code(words: str) -> str:
    """As a code span, whose fence is longer than any run of backticks within."""
    body = plain(words) or " "
    fence = "`" * (max((len(run) for run in re.findall("`+", body)), default=0) + 1)
    pad = " " if body.startswith("`") or body.endswith("`") else ""
    return f"{fence}{pad}{body}{pad}{fence}"


def cell_code(words: str) -> str:
    """The same in a cell of a table."""
    # Within a code span a table cell cannot hold a pipe that every renderer leaves alone.
    return code(words.replace("|", "¦"))
