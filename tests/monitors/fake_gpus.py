"""GPUs of a fake driver: what it answers of each, and the monitor that asks it."""

from __future__ import annotations

from typing import Any

import pytest

from genload import extensions
from genload.monitor import MonitorError

gpu: Any = extensions.load("monitors", "gpu")

GIB = 2**30
BOARD = {
    "uuid": "GPU-5bd0",
    "name": "NVIDIA L4",
    "utilisation": 37,
    "memory_utilisation": 12,
    "memory_total": 24 * GIB,
    "memory_reserved": GIB,
    "memory_free": 19 * GIB,
    "power": 71_500,  # mW
    "energy": 123_456_789,  # mJ
    "temperature": 61,
    "clock_sm": 1_530,  # MHz
    "clock_memory": 6_251,
    "reasons": 0,
    "ecc_corrected": 2,
    "ecc_uncorrected": 0,
    "events": 1,
}
DRIVER = {"driver": "580.65.06", "count": 1, "events": 1}
GONE = ["init !9", *(f"0.{name} !1" for name in BOARD)]


def board(number: int, **changes: int | str | None) -> list[str]:
    """The script's lines of one GPU; None takes an answer out."""
    answers = {name: value for name, value in (BOARD | changes).items() if value is not None}
    return [f"{number}.{name} {value}" for name, value in answers.items()]


def driver(**changes: int | str) -> list[str]:
    return [f"{name} {value}" for name, value in (DRIVER | changes).items()]


def monitor(**settings: Any) -> Any:
    return gpu.Monitor(gpu.Monitor.Settings.model_validate(settings), "http://127.0.0.1:1")


def opened(**settings: Any) -> Any:
    made = monitor(**settings)
    made.open()
    return made


def problem(made: Any) -> tuple[str, dict[str, float]]:
    with pytest.raises(MonitorError) as raised:
        made.sample()
    return str(raised.value), raised.value.values
