"""Templates of pages that need nothing beside them: every text in them is escaped and made harmless."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from math import isfinite
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from genload.human import human
from genload.plain import harmless, plain
from genload.reporting.page import path

_HERE = Path(__file__).parent
_LONGEST_TEXT = 4000


def part(name: str) -> Markup:
    """A file of our own, put into the page as it is."""
    return Markup((_HERE / name).read_text(encoding="utf-8").strip())  # noqa: S704


def policy(style: str, script: str) -> str:
    """What a browser may do: run and style by these parts alone."""
    hashes = [f"'sha256-{b64encode(sha256(part.encode()).digest()).decode()}'" for part in (style, script)]
    return (
        f"default-src 'none'; style-src {hashes[0]}; script-src {hashes[1]}; img-src data:; media-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def environment(**names: Any) -> Environment:
    """Where the templates are found, and what they may use: `names`, and what every page needs."""
    found = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_harmless,
    )
    found.filters |= {"human": human, "number": _number, "verbatim": _verbatim, "source": Markup}
    found.globals |= {"WIDTH": path.WIDTH, "HEIGHT": path.HEIGHT, "ROOM": path.ROOM, **names}
    return found


def _harmless(value: Any) -> Any:
    """What is put out is one harmless line, unless it is markup of our own (or a filter's)."""
    return plain(value, _LONGEST_TEXT) if isinstance(value, str) and not isinstance(value, Markup) else value


def _verbatim(text: str) -> Markup:
    """Several lines, as they are."""
    return escape(harmless(text))


def _number(value: float) -> str:
    """For the script: a number, or nothing."""
    return f"{value:.6g}" if isfinite(value) else ""
