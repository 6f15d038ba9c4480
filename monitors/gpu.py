"""NVIDIA GPUs of this machine, through the driver's own library (NVML)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from ctypes import CDLL
from functools import cached_property, partial
from typing import Any, Literal, Self
from urllib.parse import urlsplit

import pynvml

from genload.monitor import Monitor as Base
from genload.monitor import MonitorError
from genload.nvml.gpu import THROTTLE_STATES, Gpu
from genload.nvml.offered import offered
from genload.nvml.processes import memory_by_process, program
from genload.nvml.xid import XidErrors
from genload.settings.metrics.boards import SLICES_OWN, Part, counted, each_once
from genload.settings.metrics.labelled import labelled
from genload.settings.metrics.machines import together
from genload.settings.wing_models import MonitorSettings

# What ``gpu.NAME`` is filled with for all chosen GPUs together.
_TOGETHER = (
    *("utilisation", "memory_utilisation", "memory_used", "memory_free", "memory_total"),
    *("power", "energy", "temperature", "clock_sm", "clock_memory"),
    *THROTTLE_STATES,
    *("ecc_corrected", "ecc_uncorrected", "xid_errors"),
)
_LIBRARY = "libnvidia-ml.so.1"  # which the driver brings
_MOST_PROCESSES = 16  # that have a series of their own, the largest


class GpuSettings(MonitorSettings, extra="forbid"):
    """``gpu: {interval: 1s, gpus: [0, 1], processes: [python3]}``"""

    labels = {"gpu": ("gpu.",), "process": ("gpu.process_memory",)}

    where: Literal["auto", "always"] = "auto"
    """`auto`: only when the service is on this machine, and the machine has an NVIDIA driver. `always`: this
    machine's GPUs whatever the service's URL says, and without a driver each tick says so."""
    gpus: Literal["all"] | tuple[int | str, ...] = "all"
    """Which GPUs: the driver's indices (those of nvidia-smi, not of CUDA_VISIBLE_DEVICES), or UUIDs."""
    per_gpu: bool | None = None
    """Whether each GPU has series of its own, gpu.memory_used{gpu=0}. Unless set: when there are several, or
    a criterion names the label."""
    processes: tuple[int | str, ...] = ()
    """The service's processes, by process id or program name, for gpu.process_memory; none: all of them."""

    def telling_apart(self, labels: Collection[str]) -> Self:
        return self.model_copy(update={"per_gpu": True}) if self.per_gpu is None and "gpu" in labels else self


class Monitor(Base):
    """The chosen GPUs together as ``gpu.NAME``, each as ``gpu.NAME{gpu=0}``.

    What a board does not offer is absent. A GPU that is lost is named at every tick; the others go on, but
    without numbers of all together. When none answers, the driver is sought anew at every tick.
    """

    Settings = GpuSettings
    settings: GpuSettings
    metrics = (*(f"gpu.{name}" for name in _TOGETHER), "gpu.processes", "gpu.process_memory")
    source = "NVML"

    @cached_property
    def nothing_here(self) -> str:
        """Of a service elsewhere, this machine's GPUs tell nothing."""
        if self.settings.where == "always":
            return ""
        if not self.service_is_local:
            return f"not measured: the service is on {urlsplit(self.host).hostname}, not on this machine"
        return "" if _has_driver() else "not measured: no NVIDIA driver on this machine"

    def open(self) -> None:
        self._gpus: list[Gpu] = []
        self._xid = XidErrors()
        self._programs: dict[int, str] = {}
        self._connected = False
        self._connect()

    def _connect(self) -> None:
        """Raises MonitorError: no driver, or not one of the chosen GPUs."""
        try:
            pynvml.nvmlInit()
        except pynvml.NVMLError as error:
            raise MonitorError(_no_driver(error)) from error
        self._connected = True
        try:
            self._find_gpus()
            self._xid.open(self._gpus)
        except pynvml.NVMLError as error:
            self._disconnect()
            raise MonitorError(f"NVML: {error}") from error
        except MonitorError:
            self._disconnect()
            raise

    def _find_gpus(self) -> None:
        self._gpus, self._missing = [], []
        for name, find in self._chosen():
            try:
                self._gpus.append(Gpu.of(find(), len(self._gpus)))
            except pynvml.NVMLError as error:
                self._missing.append(f"GPU {name}: {error}")
        if not self._gpus:
            raise MonitorError("; ".join(self._missing) or "the driver sees no GPU")

    def _chosen(self) -> Iterator[tuple[str, Callable[[], Any]]]:
        count = pynvml.nvmlDeviceGetCount()
        for which in range(count) if self.settings.gpus == "all" else self.settings.gpus:
            if isinstance(which, str):
                yield which, partial(pynvml.nvmlDeviceGetHandleByUUID, which)
            elif 0 <= which < count:
                yield str(which), partial(pynvml.nvmlDeviceGetHandleByIndex, which)
            else:
                raise MonitorError(f"there is no GPU {which}: the driver sees {count}, counted from 0")

    def sample(self) -> Mapping[str, float]:
        if not self._connected:
            self._connect()
        problems = list(self._missing)
        self._guarded(self._xid.collect, "XID errors", problems)
        read = {gpu.label: self._read(gpu, problems) for gpu in self._gpus}
        told = [(gpu.part, read[gpu.label]) for gpu in self._gpus]
        values = {} if self._missing else _all_together(told)
        if self._each:
            for gpu_label, numbers in read.items():
                label = {"gpu": gpu_label}
                values |= {labelled(f"gpu.{name}", label): value for name, value in numbers.items()}
        self._guarded(lambda: values.update(self._processes()), "processes", problems)
        if problems and not any(read.values()):
            self._disconnect()
        if problems:
            raise MonitorError("; ".join(dict.fromkeys(problems)), values)
        return values

    @property
    def _each(self) -> bool:
        several = len(self._gpus) + len(self._missing) > 1
        return several if self.settings.per_gpu is None else self.settings.per_gpu

    def _read(self, gpu: Gpu, problems: list[str]) -> dict[str, float]:
        values: dict[str, float] = {}

        def read() -> None:
            values.update(gpu.readings())  # one by one: what came before an error stays
            if gpu.label in self._xid.counts:
                values["xid_errors"] = float(self._xid.counts[gpu.label])
            if gpu.label in self._xid.last:
                values["xid_last"] = float(self._xid.last[gpu.label])

        self._guarded(read, str(gpu), problems)
        return values

    @staticmethod
    def _guarded(do: Callable[[], None], what: str, problems: list[str]) -> None:
        try:
            do()
        except pynvml.NVMLError as error:
            problems.append(f"{what}: {error}")

    def _processes(self) -> dict[str, float]:
        """How many there are, the memory of the service's, and a series for each of the largest."""
        whole = counted([gpu.part for gpu in self._gpus])
        used = memory_by_process([gpu for gpu in self._gpus if gpu.part in whole])
        if used is None:
            return {}
        self._programs = {pid: self._programs.get(pid) or program(pid) for pid in used}
        values = {"gpu.processes": float(len(used))}
        services = [memory for pid, memory in used.items() if self._is_services(pid)]
        told = [memory for memory in services if memory is not None]
        if len(told) == len(services):
            values["gpu.process_memory"] = sum(told)
        largest = sorted(((memory, pid) for pid, memory in used.items() if memory is not None), reverse=True)
        for memory, pid in largest[:_MOST_PROCESSES]:
            process = f"{self._programs[pid] or 'process'}-{pid}"
            values[labelled("gpu.process_memory", {"process": process})] = memory
        return values

    def _is_services(self, pid: int) -> bool:
        asked = self.settings.processes
        return not asked or pid in asked or self._programs[pid] in asked

    def facts(self) -> Mapping[str, str]:
        """The driver's version, model and UUID of each GPU, and of which board a slice is."""
        facts = {}
        with suppress(pynvml.NVMLError):
            facts["gpu.driver"] = str(offered(pynvml.nvmlSystemGetDriverVersion) or "")
        for gpu in self._gpus:
            label = {"gpu": gpu.label}
            facts |= {labelled("gpu.model", label): gpu.model, labelled("gpu.uuid", label): gpu.uuid}
            facts |= {labelled(f"gpu.{name}", label): text for name, text in gpu.slice_of.items()}
        return {name: text for name, text in facts.items() if text}

    def close(self) -> None:
        self._disconnect()

    def _disconnect(self) -> None:
        if self._connected:
            self._connected = False
            self._xid.close()
            with suppress(pynvml.NVMLError):
                pynvml.nvmlShutdown()


def _all_together(told: list[tuple[Part, dict[str, float]]]) -> dict[str, float]:
    """Each board once. Absent where one GPU lacks the number: a sum of some would be read as one of all."""
    values = {}
    whole = counted([part for part, _ in told])
    gpus = [(part, numbers) for part, numbers in told if part in whole]
    for name in _TOGETHER:
        metric = f"gpu.{name}"
        column = [(part, numbers[name]) for part, numbers in gpus if name in numbers]
        if len(column) == len(gpus):
            once = each_once(column, slices_own=metric in SLICES_OWN)
            values[metric] = float(together(metric, list(once.values())))
    return values


def _has_driver() -> bool:
    try:
        CDLL(_LIBRARY)
    except OSError:
        return False
    return True


def _no_driver(error: pynvml.NVMLError) -> str:
    if error.value == pynvml.NVML_ERROR_LIBRARY_NOT_FOUND:
        return f"no NVIDIA driver here: {_LIBRARY} cannot be loaded"
    return f"the NVIDIA driver does not answer: {error}"
