"""Searches of services whose capacity is known: how often they are right, and prove something wrongly."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from genload.analysis.capacity.search import Bracket, End, Rules, Seen, next_level
from genload.analysis.evidence.estimate import ALPHA
from genload.analysis.evidence.percentiles import percentile
from genload.analysis.evidence.rates import Rate, Spread
from genload.analysis.plan.assumed import AssumedService
from genload.analysis.plan.simulation import Client, simulate
from genload.settings.phases import Phase, Timeline

SEARCHES = 400
LIMIT = 0.05
RULES = Rules(1, 64)


def proves_wrongly(rng: np.random.Generator, alpha: float, at_most: float) -> bool:
    """One search of a service that fails exactly as often as it just may not, whatever the level: it holds
    none, so that every proof of one is wrong."""
    seen: list[Seen] = []
    wrong = False
    while not isinstance(level := next_level(RULES, seen), End):
        rate = Rate(Spread(rng.random(300) < at_most, alpha=alpha), "failures")
        bound = rate.bound("upper", at_most).value
        assert rate.value is not None and bound is not None
        wrong |= bound < at_most
        seen.append(Seen(level, "holds" if rate.value < at_most else "does not hold"))
    return wrong


@pytest.mark.parametrize(("alpha", "most"), [(ALPHA / RULES.most_looks, 0.05), (ALPHA, 0.15)])
def test_all_looks_of_a_search_together_prove_wrongly_in_one_of_twenty(alpha: float, most: float) -> None:
    rng = np.random.default_rng(11)
    wrong = sum(proves_wrongly(rng, alpha, LIMIT) for _ in range(SEARCHES)) / SEARCHES
    chance = 2 * np.sqrt(most * (1 - most) / SEARCHES)
    assert wrong <= most + chance
    if alpha == ALPHA:  # which is why looks are counted
        assert wrong > 0.05


SLOWEST_S = 1.5
SLOTS = (2, 3, 4, 6)


@cache
def service(slots: int) -> AssumedService:
    """About a second a request, a tenth of it scatter: what the testbed has."""
    times_s = np.random.default_rng(slots).normal(1.0, 0.1, 4096).clip(0.5)
    return AssumedService(slots, times_s, np.zeros(4096, dtype=np.bool_))


def p95_s(slots: int, users: int, measure_s: float, seed: int) -> float:
    timeline = Timeline((Phase("settling", 10.0, users), Phase("level", measure_s, users)))
    requests = simulate(timeline, Client(), service(slots), seed).requests
    durations_s = [r.end_s - r.start_s for r in requests if r.phase == "level"]
    return percentile(np.array(durations_s), 95) or 0.0


@cache
def truth(slots: int) -> int:
    """The most users whose p95 is below the limit, by a long simulation of each."""
    return max(users for users in range(1, 2 * slots + 2) if p95_s(slots, users, 2000.0, 1) < SLOWEST_S)


def test_the_bracket_holds_the_true_capacity_nearly_always_and_is_narrow() -> None:
    right = narrow = 0
    for number in range(40):
        slots, seen = SLOTS[number % 4], list[Seen]()
        while not isinstance(level := next_level(RULES, seen), End):
            slow_s = p95_s(slots, int(level), 60.0, 1000 * number + len(seen))
            seen.append(Seen(level, "holds" if slow_s < SLOWEST_S else "does not hold"))
        bracket = Bracket.trusted(seen)
        assert bracket.holds is not None and bracket.fails is not None
        right += bracket.holds <= truth(slots) < bracket.fails
        narrow += bracket.fails - bracket.holds <= max(1, 0.15 * bracket.holds)
    assert (right >= 36, narrow >= 36) == (True, True), (right, narrow)
