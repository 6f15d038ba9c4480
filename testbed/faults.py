"""What goes wrong on purpose: which faults there are, where they strike, and when.

A fault is named here and acted on where it belongs: `api` and `spoiling` for answers, `job` for work,
`decline` for the service as a whole. Draws are seeded. What befalls a job is one draw over all rates, so that
a job has at most one fault and each comes as often as its rate says; a refusal is drawn anew for each
submission, so that trying again may help.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

HEADER = "X-Testbed-Fault"


class Fault(StrEnum):
    """By name, as `HEADER` and ``--fault`` take it."""

    # refusals, of a submission
    REJECT = "reject"  # 503 models_loading, with retry_after in the body
    REJECT_BARE = "reject-bare"  # 503, a proxy's HTML page that names no pause
    LIMIT = "limit"  # 429 with a Retry-After header
    LIMIT_BARE = "limit-bare"  # 429 as ORFEAS has it: no pause named
    # answers
    ERROR = "error"  # 500
    HTML = "html"  # 200 with a proxy's page
    HANG = "hang"  # no answer, the connection stays open
    SLOW_LORIS = "slow-loris"  # the answer byte by byte, so slowly that it never ends
    ENDLESS = "endless"  # the answer never ends, as fast as it is taken
    TRUNCATED = "truncated"  # half the body, then the connection is closed
    RESET = "reset"  # the connection is reset instead of an answer
    # work
    FAIL = "fail"  # the job runs, then fails
    CUBE = "cube"  # the job completes with the placeholder cube
    DUPLICATE = "duplicate"  # … with the same mesh whatever the image
    EMPTY_MESH = "empty-mesh"  # … with a file that holds no triangle
    NAN_VERTICES = "nan-vertices"  # … with some vertices that are no numbers
    WRONG_FORMAT = "wrong-format"  # … as OBJ (as STL where OBJ was asked for)
    # the service as a whole
    REFUSED = "refused"  # nothing listens for a while
    CRASH = "crash"  # the process is gone at once
    RESTART = "restart"  # the process ends and begins anew


class Step(StrEnum):
    """A job's calls, as faults in answers name them: ``reset@poll``."""

    UPLOAD = "upload"
    SUBMIT = "submit"
    POLL = "poll"
    DOWNLOAD = "download"


REFUSALS = frozenset({Fault.REJECT, Fault.REJECT_BARE, Fault.LIMIT, Fault.LIMIT_BARE})
# Where a fault in an answer strikes unless its name says so.
ANSWERS = {
    Fault.ERROR: Step.SUBMIT,
    Fault.HTML: Step.DOWNLOAD,
    Fault.HANG: Step.SUBMIT,
    Fault.SLOW_LORIS: Step.DOWNLOAD,
    Fault.ENDLESS: Step.DOWNLOAD,
    Fault.TRUNCATED: Step.DOWNLOAD,
    Fault.RESET: Step.SUBMIT,
}
WORK = frozenset(
    {Fault.FAIL, Fault.CUBE, Fault.DUPLICATE, Fault.EMPTY_MESH, Fault.NAN_VERTICES, Fault.WRONG_FORMAT}
)
WHOLE = frozenset({Fault.REFUSED, Fault.CRASH, Fault.RESTART})


class UnknownFaultError(ValueError):
    """No fault has that name, or not there; the message says what there is."""


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault and, for one in an answer, the call that it befalls (None: that which bears the header)."""

    fault: Fault
    step: Step | None = None

    def __str__(self) -> str:
        """As it is written: the step only where it is not the usual one."""
        usual = self.step is None or self.step is ANSWERS.get(self.fault)
        return self.fault if usual else f"{self.fault}@{self.step}"


def read_strike(text: str) -> Strike:
    """``cube``, ``reset`` or ``reset@poll``; the step is None where the text names none.

    Raises:
        UnknownFaultError: anything else.
    """
    name, at, step = text.strip().partition("@")
    if name not in list(Fault):
        raise UnknownFaultError(f"no fault '{name}'; there are {', '.join(Fault)}")
    fault = Fault(name)
    if not at:
        return Strike(fault)
    if fault not in ANSWERS:
        raise UnknownFaultError(f"'{name}' befalls no call, so '@{step}' means nothing")
    if step not in list(Step):
        raise UnknownFaultError(f"no call '{step}'; there are {', '.join(Step)}")
    return Strike(fault, Step(step))


def asked(header: str | None, step: Step | None) -> Fault | None:
    """The fault that a request asks for, given which call it is (None: another one, such as /ready).

    ``reset`` is for the request that bears the header; ``reset@poll`` is left alone by every other call, for
    clients that send the same headers with all of them.

    Raises:
        UnknownFaultError: the header names none.
    """
    if not header:
        return None
    try:
        strike = read_strike(header)
    except UnknownFaultError as error:
        raise UnknownFaultError(f"{HEADER}: {error}") from None
    return strike.fault if strike.step in (None, step) else None


@dataclass(frozen=True, slots=True)
class Rates:
    """How often, 0..1: `jobs` of all jobs, `refusals` of all submissions. Each adds up to 1 at most."""

    jobs: Sequence[tuple[Strike, float]] = ()
    refusals: Sequence[tuple[Fault, float]] = ()


class Draws:
    """Decides what befalls whom. The same seed decides the same, job by job and submission by submission;
    a rate that is added last moves none of the others."""

    def __init__(self, rates: Rates, seed: int) -> None:
        self._rates = rates
        self._jobs = random.Random(f"faults of jobs {seed}")
        self._refusals = random.Random(f"refusals {seed}")

    def of_job(self) -> Strike | None:
        """What befalls the next job, if anything."""
        drawn = self._jobs.random()
        for strike, rate in self._rates.jobs:
            if drawn < rate:
                return strike
            drawn -= rate
        return None

    def refusal(self) -> Fault | None:
        """How the next submission is refused, if it is."""
        drawn = self._refusals.random()
        for fault, rate in self._rates.refusals:
            if drawn < rate:
                return fault
            drawn -= rate
        return None
