"""Output that any terminal or pipe takes: what its encoding does not have is written in letters that it has.

A run of an hour must not end in a UnicodeEncodeError for an arrow in its report.
"""

from __future__ import annotations

import codecs
import io
import sys
import unicodedata

_HANDLER = "genload.spelled"
_SPELLED = {
    "→": "->", "←": "<-", "…": "...", "–": "-", "—": "-", "−": "-", "×": "x", "·": "*", "∞": "inf",
    "≤": "<=", "≥": ">=", "≠": "!=", "±": "+-", "∑": "sum", "÷": "/", "µ": "u", "μ": "u", "✓": "+", "✗": "x",
    "•": "*", "“": '"', "”": '"', "‘": "'", "’": "'", "─": "-", "━": "-", "│": "|", "┃": "|",
}  # fmt: skip


def write_anything() -> None:
    """Let this process's standard output and error take every text, whatever their encoding; what else their
    user chose (``PYTHONIOENCODING=ascii:replace``) stays.
    """
    codecs.register_error(_HANDLER, _spelled)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors in ("strict", "surrogateescape"):
            stream.reconfigure(errors=_HANDLER)


def _spelled(error: UnicodeError) -> tuple[str, int]:
    """The error handler of an encoding: the text that it takes in the place of what it does not."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(spelled, error.object[error.start : error.end])), error.end


def spelled(character: str) -> str:
    """One character in ASCII.

    >>> spelled("→"), spelled("é"), spelled("語")
    ('->', 'e', '?')
    """
    if character in _SPELLED:
        return _SPELLED[character]
    letters = unicodedata.normalize("NFKD", character)
    return "".join(each if each.isascii() else "?" for each in letters if not unicodedata.combining(each))
