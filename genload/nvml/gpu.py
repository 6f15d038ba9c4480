"""One GPU: which it is, and its numbers now."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pynvml

from genload.nvml.offered import offered
from genload.settings.metrics.boards import Part

_POWER = pynvml.nvmlClocksEventReasonSwPowerCap | pynvml.nvmlClocksEventReasonHwPowerBrakeSlowdown
_THERMAL = pynvml.nvmlClocksEventReasonSwThermalSlowdown | pynvml.nvmlClocksEventReasonHwThermalSlowdown
_HARDWARE = (
    pynvml.nvmlClocksEventReasonHwSlowdown
    | pynvml.nvmlClocksThrottleReasonBoardLimit
    | pynvml.nvmlClocksThrottleReasonReliability
)
THROTTLE_STATES = {
    "throttled": _POWER | _THERMAL | _HARDWARE,
    "throttled_power": _POWER,
    "throttled_thermal": _THERMAL,
    "throttled_hardware": _HARDWARE,
}
"""Reasons by state. Idle clocks, clocks that somebody has set, and the common clock of a sync boost group are
no distress."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """One board, or one slice of it.

    Attributes:
        label: the driver's index, that of nvidia-smi; of a MIG slice, which the driver numbers within its
            board, its UUID.
        handle: NVML's own word for it.
        uuid, model: empty where not offered.
        part: what it is of the boards.
        slice_of: of a slice, what is known of its board and of its place there: `board`, `board_uuid`,
            `instance`.
    """

    label: str
    handle: Any
    uuid: str
    model: str
    part: Part
    slice_of: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"GPU {self.label} ({self.uuid or self.model})"

    @classmethod
    def of(cls, handle: Any, position: int) -> Gpu:
        """The GPU behind a handle; `position` is its label where it has no index.

        Raises:
            NVMLError: trouble.
        """
        number = offered(partial(pynvml.nvmlDeviceGetIndex, handle))
        uuid = offered(partial(pynvml.nvmlDeviceGetUUID, handle))
        model = offered(partial(pynvml.nvmlDeviceGetName, handle))
        label = str(position if number is None else number)
        if uuid is not None and str(uuid).startswith("MIG-"):
            label = str(uuid)
            return cls(label, handle, label, str(model or ""), *_place(handle, label))
        return cls(label, handle, str(uuid or ""), str(model or ""), Part(str(address(handle))))

    def readings(self) -> Iterator[tuple[str, float]]:
        """Its numbers, one after the other: what was read before an error stands.

        Names are those of the catalogue without ``gpu.``, and `throttle_mask`, the driver's bits themselves.

        Raises:
            NVMLError: trouble.
        """
        for name, ask, factor in _NUMBERS:
            value = offered(partial(ask, self.handle))
            if value is not None:
                yield name, value * factor
        yield from self._utilisation()
        yield from self._memory()
        yield from self._throttling()

    def _utilisation(self) -> Iterator[tuple[str, float]]:
        rates = offered(partial(pynvml.nvmlDeviceGetUtilizationRates, self.handle))
        if rates is not None:
            yield "utilisation", rates.gpu / 100
            yield "memory_utilisation", rates.memory / 100

    def _memory(self) -> Iterator[tuple[str, float]]:
        memory = offered(
            partial(pynvml.nvmlDeviceGetMemoryInfo, self.handle, pynvml.nvmlMemory_v2),
            # Drivers before 510: what they reserve for themselves is counted as used.
            partial(pynvml.nvmlDeviceGetMemoryInfo, self.handle),
        )
        if memory is not None:
            yield "memory_used", float(memory.used)
            yield "memory_free", float(memory.free)
            yield "memory_total", float(memory.total)

    def _throttling(self) -> Iterator[tuple[str, float]]:
        mask = offered(
            partial(pynvml.nvmlDeviceGetCurrentClocksEventReasons, self.handle),
            partial(pynvml.nvmlDeviceGetCurrentClocksThrottleReasons, self.handle),  # before driver 535
        )
        if mask is not None:
            yield "throttle_mask", float(mask)
            for name, reasons in THROTTLE_STATES.items():
                yield name, float(bool(mask & reasons))


def address(handle: Any) -> int | None:
    """A handle is a pointer: two of the same GPU are different objects with the same address."""
    return ctypes.cast(handle, ctypes.c_void_p).value


def _place(handle: Any, uuid: str) -> tuple[Part, dict[str, str]]:
    """Where a slice is; by itself where the driver does not say."""
    board = offered(partial(pynvml.nvmlDeviceGetDeviceHandleFromMigDeviceHandle, handle))
    if board is None:
        return Part(uuid), {}
    told = {
        "board": offered(partial(pynvml.nvmlDeviceGetIndex, board)),
        "board_uuid": offered(partial(pynvml.nvmlDeviceGetUUID, board)),
        "instance": offered(partial(pynvml.nvmlDeviceGetGpuInstanceId, handle)),
    }
    known = {name: str(value) for name, value in told.items() if value is not None}
    return Part(str(address(board)), known.get("instance", uuid)), known


def _clock(kind: int) -> Callable[[Any], Any]:
    return lambda handle: pynvml.nvmlDeviceGetClockInfo(handle, kind)


def _temperature(handle: Any) -> Any:
    sensor = pynvml.NVML_TEMPERATURE_GPU
    return offered(
        partial(pynvml.nvmlDeviceGetTemperature, handle, sensor),
        partial(pynvml.nvmlDeviceGetTemperatureV, handle, sensor),  # its successor
    )


def _ecc(kind: int) -> Callable[[Any], Any]:
    return lambda handle: pynvml.nvmlDeviceGetTotalEccErrors(handle, kind, pynvml.NVML_VOLATILE_ECC)


# Name, how to ask, and the factor from NVML's unit to the base unit.
_NUMBERS: tuple[tuple[str, Callable[[Any], Any], float], ...] = (
    ("power", pynvml.nvmlDeviceGetPowerUsage, 1e-3),
    ("energy", pynvml.nvmlDeviceGetTotalEnergyConsumption, 1e-3),
    ("temperature", _temperature, 1.0),
    ("clock_sm", _clock(pynvml.NVML_CLOCK_SM), 1e6),
    ("clock_memory", _clock(pynvml.NVML_CLOCK_MEM), 1e6),
    ("ecc_corrected", _ecc(pynvml.NVML_MEMORY_ERROR_TYPE_CORRECTED), 1.0),
    ("ecc_uncorrected", _ecc(pynvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED), 1.0),
)
