"""``--fault NAME=VALUE``: what a testbed is to do wrong, and how often or how much."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from .faults import ANSWERS, REFUSALS, WORK, Fault, Rates, Strike, UnknownFaultError, read_strike
from .quantities import parse_count, parse_duration_s, parse_rate, parse_size_bytes


@dataclass(frozen=True, slots=True)
class After:
    """What comes with the `jobs`-th ended job: something once, or 63 % of something that comes by and by."""

    amount: float  # bytes, or modelled seconds
    jobs: int


@dataclass(frozen=True, slots=True)
class FaultOptions:
    """All ``--fault`` options together. 0 and None: does not happen."""

    rates: Rates = field(default_factory=Rates)
    slow_start_s: float = 0.0  # modelled
    refused: After | None = None  # modelled seconds
    crash_jobs: int = 0  # ended jobs after which it happens
    restart_jobs: int = 0
    memory_growth_bytes: int = 0  # a job
    memory_step: After | None = None
    memory_fill: After | None = None
    gpu_growth_bytes: int = 0  # a job
    gpu_step: After | None = None
    updates_cut: After | None = None  # modelled seconds
    updates_late_s: float = 0.0  # modelled
    updates_lost: float = 0.0  # 0..1


def parse_faults(texts: Iterable[str]) -> FaultOptions:
    """The options as they were given, later ones over earlier ones of the same name.

    Raises:
        ValueError: a name, value or sum of rates that makes no sense; the message shows the form.
    """
    jobs: dict[Strike, float] = {}
    refusals: dict[Fault, float] = {}
    amounts: dict[str, Any] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals:
            raise ValueError(f"'{text}' is not NAME=VALUE, such as hang=5%")
        if name in _AMOUNTS:
            key, read = _AMOUNTS[name]
            amounts[key] = read(value)
        elif (strike := _rated(name)).fault in REFUSALS:
            refusals[strike.fault] = parse_rate(value)
        else:
            jobs[strike] = parse_rate(value)
    for rates in (jobs, refusals):
        if (total := sum(rates.values())) > 1 + 1e-9:  # ten times 0.1 is a little more than 1
            raise ValueError(f"{', '.join(map(str, rates))} add up to {total:.0%}: more than all there are")
    return FaultOptions(rates=Rates(tuple(jobs.items()), tuple(refusals.items())), **amounts)


def _rated(name: str) -> Strike:
    """The fault of a rate, at its usual call unless the name says which."""
    try:
        strike = read_strike(name)
    except UnknownFaultError:
        if name.partition("@")[0] in NAMES:
            raise
        raise UnknownFaultError(f"no fault '{name}'; there are {', '.join(NAMES)}") from None
    return strike if strike.step else Strike(strike.fault, ANSWERS.get(strike.fault))


def _after(read: Callable[[str], float], example: str) -> Callable[[str], After]:
    def read_both(text: str) -> After:
        amount, at, jobs = text.partition("@")
        if not at:
            raise ValueError(f"'{text}' does not say after how many jobs, as in {example}")
        return After(read(amount), parse_count(jobs))

    return read_both


# Those whose value is no rate of jobs: the field that they fill, and how their value is read.
_AMOUNTS: dict[str, tuple[str, Callable[[str], object]]] = {
    "slow-start": ("slow_start_s", parse_duration_s),
    Fault.REFUSED: ("refused", _after(parse_duration_s, "10s@20")),
    Fault.CRASH: ("crash_jobs", parse_count),
    Fault.RESTART: ("restart_jobs", parse_count),
    "memory-growth": ("memory_growth_bytes", parse_size_bytes),
    "memory-step": ("memory_step", _after(parse_size_bytes, "64MiB@20")),
    "memory-fill": ("memory_fill", _after(parse_size_bytes, "64MiB@20")),
    "gpu-growth": ("gpu_growth_bytes", parse_size_bytes),
    "gpu-step": ("gpu_step", _after(parse_size_bytes, "1GiB@20")),
    "updates-cut": ("updates_cut", _after(parse_duration_s, "10s@20")),
    "updates-late": ("updates_late_s", parse_duration_s),
    "updates-lost": ("updates_lost", parse_rate),
}
NAMES: tuple[str, ...] = (*(f for f in Fault if f in REFUSALS | ANSWERS.keys() | WORK), *_AMOUNTS)
"""Every name that ``--fault`` takes, without the calls."""
