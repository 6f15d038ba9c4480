"""Values with units, as the command line has them."""

from __future__ import annotations

import re

_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*(ms|s|min|h)?")
_UNIT_S = {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}
_SIZE = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*(B|kB|MB|GB|KiB|MiB|GiB)?")
_UNIT_BYTES = {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30}
_RATE = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*(%)?")


def parse_duration_s(text: str) -> float:
    """``82``, ``82s``, ``500ms``, ``1.5min`` or ``2h`` as seconds.

    Raises:
        ValueError: anything else; the message shows the form.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"'{text}' is not a duration such as 82s, 500ms or 1.5min")
    number, unit = match.groups()
    return float(number) * _UNIT_S[unit or "s"]


def parse_size_bytes(text: str) -> int:
    """``4096``, ``500kB``, ``64MiB`` or ``1.5GiB`` as bytes.

    Raises:
        ValueError: anything else; the message shows the form.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"'{text}' is not a size such as 64MiB")
    number, unit = match.groups()
    return round(float(number) * _UNIT_BYTES[unit or "B"])


def parse_rate(text: str) -> float:
    """``5%`` or ``0.05`` as 0.05.

    Raises:
        ValueError: anything else, and more than 100 %; the message shows the form.
    """
    match = _RATE.fullmatch(text.strip())
    rate = float(match[1]) / (100 if match[2] else 1) if match else 2.0
    if rate > 1:
        raise ValueError(f"'{text}' is not a rate such as 5% or 0.05")
    return rate


def parse_count(text: str) -> int:
    """``20`` as 20.

    Raises:
        ValueError: anything else, and 0; the message shows the form.
    """
    digits = text.strip()
    if not digits.isascii() or not digits.isdecimal() or int(digits) == 0:
        raise ValueError(f"'{text}' is not a number of jobs such as 20")
    return int(digits)
