"""What goes wrong on purpose: by rate for all, by request header for one.

A fault is named here and acted on where it belongs (`api` for answers, `jobs` for work). Draws are seeded
and each kind has its own stream, so that adding one fault does not move another.
"""

from __future__ import annotations

import random
from enum import StrEnum

HEADER = "X-Testbed-Fault"


class Fault(StrEnum):
    """By name, as `HEADER` takes it."""

    REJECT = "reject"  # POST generate-3d answers 503 models_loading with retry_after
    ERROR = "error"  # POST generate-3d answers 500
    FAIL = "fail"  # the job runs, then fails
    CUBE = "cube"  # the job completes with the placeholder cube
    WRONG_FORMAT = "wrong-format"  # the job makes OBJ (or STL where OBJ was asked for)


class UnknownFaultError(Exception):
    """The request header names no fault."""


class Faults:
    """Decides which fault, if any, a submission and its job get.

    Args:
        fail_rate, reject_rate: 0..1.
    """

    def __init__(self, *, fail_rate: float, reject_rate: float, seed: int) -> None:
        self._rates = {Fault.REJECT: reject_rate, Fault.FAIL: fail_rate}
        self._random = {fault: random.Random(f"{fault} {seed}") for fault in self._rates}

    def asked(self, header: str | None) -> Fault | None:
        """The fault that a request asks for.

        Raises:
            UnknownFaultError: no fault of that name; the message lists them.
        """
        if not header:
            return None
        try:
            return Fault(header)
        except ValueError:
            names = ", ".join(Fault)
            raise UnknownFaultError(f"no fault '{header}': {HEADER} takes {names}") from None

    def strikes(self, fault: Fault, asked: Fault | None) -> bool:
        """Whether `fault` happens now: asked for, or drawn at its rate."""
        if asked is not None:
            return asked is fault
        rate = self._rates.get(fault, 0.0)
        return rate > 0 and self._random[fault].random() < rate
