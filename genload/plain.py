"""Text of somebody else's (a service, a file, a name) made harmless before it is shown or kept."""

from __future__ import annotations

import re
import unicodedata

# Whole terminal escape sequences (ECMA-48: CSI, OSC and the two-character ones), so that nothing of them is
# left as text either.
_ESCAPE = re.compile(r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-Z\\^_]")
# Marks that reorder or hide the text around them (Unicode TR 36, "Trojan Source").
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn"}


def harmless(text: str) -> str:
    """`text` without control, escape, bidi and invisible characters; its line breaks are kept."""
    if text.isascii() and text.isprintable():
        return text
    text = _ESCAPE.sub("", text).expandtabs(4)
    return "".join(c for c in text if c == "\n" or unicodedata.category(c) not in _INVISIBLE)


def plain(text: str, limit: int = 500) -> str:
    """Text as one harmless line, runs of blanks as one.

    Longer text is cut at `limit` characters and ends in "…".
    """
    line = text[: limit * 8]
    if not (line.isascii() and line.isprintable()):
        line = _ESCAPE.sub("", line)
        line = "".join(" " if c.isspace() else c for c in line)
        line = "".join(c for c in line if unicodedata.category(c) not in _INVISIBLE)
    line = " ".join(line.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
