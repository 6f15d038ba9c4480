"""What `genload ab` was asked for, checked before any load."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from genload.analysis.comparison import CompareSettings
from genload.commands.ab.sides import Sides
from genload.commands.compare.asked import share
from genload.errors import UsageError
from genload.reporting.baselines import check_name
from genload.targets import RunRequest, one_scenario

_SEEDS = 2**31


def sides_of(
    request: RunRequest, urls: tuple[str, str], own: tuple[Sequence[str], Sequence[str]], learn: str | None
) -> Sides:
    """Both sides of a request: each with its URL and its own settings.

    Args:
        learn: the baseline with which the noise is to be kept; None: none.

    Raises:
        UsageError, ConfigError: anything wrong with one of them.
    """
    base, new = (
        one_scenario(replace(request, host=url.rstrip("/"), overrides=(*request.overrides, *overrides)))
        for url, overrides in zip(urls, own, strict=True)
    )
    if base[0].suite.scenarios[base[1]].populations:
        raise UsageError(
            f"{base[0].suite.name}/{base[1]} has populations, and rounds compare one kind of users",
            remedy="name a scenario without populations, or run each build: genload run",
        )
    drawn = random.SystemRandom().randrange(_SEEDS)
    asked_for = base[0].suite.seed if request.seed is None else request.seed
    sides = Sides(base[0], new[0], base[1], drawn if asked_for is None else asked_for)
    if learn is not None:
        check_name(learn)
        if not sides.equal:
            raise UsageError(
                "--learn is for one build against itself: these sides differ",
                remedy="name the same URL on both sides, and no --set-base or --set-new",
            )
    return sides


def compare_settings(sides: Sides, tolerance: str, points: str) -> CompareSettings:
    """How the sides are compared; what one of them was given on purpose may differ.

    Raises:
        UsageError: one of them is no share.
    """
    return CompareSettings(
        tolerance=share("--tolerance", tolerance),
        points=share("--points", points),
        allow_different=sides.other_settings,
    )
