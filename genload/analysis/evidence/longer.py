"""Which longer run would decide: one that does in 4 runs of 5.

A run of n requests saw a number that is `effect` away from the threshold. How well it is known is in its
bound, which is `reach` away: as far as a normal number would be, once in 20 times wrong, whose standard error
is reach / 1.645. (So an estimator whose standard error is too small, as one of busy spells is, has its say
with how far away its calibrated bound is, and not with that.) A run of N requests has the standard error
σ = error · sqrt(n / N). It proves the statement where the effect D that it sees is more than its own reach,
and the contrary where −D is. D scatters by σ about the true effect, of which `effect` is a sight with an
error of its own: D is normal about `effect`, with variance error² + σ², and

    P(decided) = Φ((effect − reach(N)) / sqrt(error² + σ²)) + Φ((−effect − reach(N)) / sqrt(error² + σ²))

The run that is named is the shortest whose P is 4/5 (predictive power; Spiegelhalter, Freedman and Blackburn,
Controlled Clinical Trials 7, 1986). One that would just bring the bound to the threshold, at the effect seen,
would decide in half of the runs at best. Of an effect that is known, P is the usual power.

`bench/calibration.py --longer` draws the runs that are named, and counts how many decide.
"""

from __future__ import annotations

from collections.abc import Callable
from math import hypot, inf, sqrt

from genload.analysis.evidence.estimate import ALPHA, count_text
from genload.analysis.evidence.special_functions import special

CHANCE = 0.8
CHANCE_TEXT = "to decide it in 4 runs of 5"
Z = float(special.ndtri(CHANCE))
MOST = 1e9


def deciding(
    count: float, effect: float, reach: Callable[[float], float], alpha: float = ALPHA, least: float = 1.0
) -> float:
    """The least number of requests that decides with this chance; `inf` for none below a billion.

    Args:
        count: requests of the run that saw this.
        effect: how far on its side of the threshold it saw the number.
        reach: how far away the bound of a run of so many requests is.
        alpha: how often that bound is wrong.
        least: fewest requests that may decide at all.
    """

    if not effect:
        return inf
    error = reach(count) / float(special.ndtri(1 - alpha))

    def decides(wanted: float) -> bool:
        apart, bound = hypot(error, error * sqrt(count / wanted)), reach(wanted)
        if apart == 0:
            return True
        chance = special.ndtr((effect - bound) / apart) + special.ndtr((-effect - bound) / apart)
        return float(chance) >= CHANCE

    low = high = max(least, 1.0)
    while not decides(high):
        low, high = high, 2 * high
        if high > MOST:
            return inf
    while high - low > max(1.0, low * 0.005):
        middle = (low + high) / 2
        low, high = (low, middle) if decides(middle) else (middle, high)
    return high


def requests_text(wanted: float, so_far: int, noun: str, how: str) -> str:
    """The words of an estimate's `needs`; `how` is what the longer run has in common with this one."""
    if wanted > MOST:
        return f"a wider margin: no number of {noun} decides this close to the threshold"
    return f"{count_text(max(wanted, so_far + 1), noun)} {how}, {CHANCE_TEXT} ({so_far:,} so far)"
