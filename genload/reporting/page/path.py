"""Points as the path of an SVG, as short as that can be written.

A drawing is `WIDTH` by `HEIGHT` whole steps, its zero on the upper left; each point is written as its
distance from the one before it, which takes about 8 bytes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

WIDTH, HEIGHT = 10_000, 1_000
ROOM = 40
"""Above and below the axis, so that a line at its end is seen whole."""

Steps = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def steps_across(values: Any, low: float, high: float) -> Steps:
    """Places from left to right."""
    return _steps(np.asarray(values, dtype=np.float64), low, high, WIDTH)


def steps_down(values: Any, low: float, high: float) -> Steps:
    """Places from top to bottom: `high` is on top."""
    return HEIGHT - _steps(np.asarray(values, dtype=np.float64), low, high, HEIGHT)


def _steps(values: Floats, low: float, high: float, length: int) -> Steps:
    span = high - low if high > low else 1.0
    # What is beyond an end is drawn at a tenth past it, so that a coordinate never needs many digits.
    share = np.clip((values - low) / span, -0.1, 1.1)
    return np.rint(share * length).astype(np.int64)


def dots(x: Steps, y: Steps) -> str:
    """A dot at each point: a line of no length, which a round or square cap makes visible."""
    return "".join(
        f"{move}{_pair(across, down)}h0"
        for move, across, down in zip(_moves(len(x)), _apart(x), _apart(y), strict=True)
    )


def line(x: Steps, y: Steps, holes: npt.NDArray[np.bool_] | None = None) -> str:
    """A line through the points.

    Args:
        holes: before which points the line is interrupted; None: nowhere. A point alone is a dot.
    """
    count = len(x)
    begins = np.zeros(count, dtype=np.bool_) if holes is None else holes.copy()
    begins[:1] = True
    alone = begins & np.append(begins[1:], True)
    found: list[str] = []
    for n, (across, down) in enumerate(zip(_apart(x), _apart(y), strict=True)):
        move = "M" if n == 0 else "m" if begins[n] else "l"
        found.append(f"{move}{_pair(across, down)}" + ("h0" if alone[n] else ""))
    return "".join(found)


def stairs(x: Steps, y: Steps) -> str:
    """A line that stays at each point's height until the next one comes."""
    steps = list(zip(_apart(x), _apart(y), strict=True))
    return (
        "".join([f"M{_pair(*steps[0])}", *(f"h{across}v{down}" for across, down in steps[1:])])
        if steps
        else ""
    )


def area(x: Steps, upper: Steps, lower: Steps) -> str:
    """The surface between two lines over the same places."""
    if not len(x):
        return ""
    return line(np.concatenate([x, x[::-1]]), np.concatenate([upper, lower[::-1]])) + "z"


def _moves(count: int) -> list[str]:
    return ["M", *["m"] * (count - 1)] if count else []


def _apart(steps: Steps) -> list[int]:
    """The first step as it is, and of the others how far they are from the one before."""
    return [int(each) for each in np.diff(steps, prepend=0)]


def _pair(across: int, down: int) -> str:
    # A minus parts two numbers as a blank does.
    return f"{across}{down}" if down < 0 else f"{across} {down}"
