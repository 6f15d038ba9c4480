"""Who uses a GPU, and how much of its memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import PurePosixPath
from typing import Any

import pynvml

from genload.nvml.gpu import Gpu
from genload.nvml.offered import offered


def memory_by_process(gpus: Sequence[Gpu]) -> dict[int, float | None] | None:
    """Bytes on all of `gpus` together by process id, None where the driver does not tell a process's; None
    where it tells of no processes at all.

    In a container the process ids are the host's.

    Raises:
        NVMLError: trouble.
    """
    used: dict[int, float | None] = {}
    for gpu in gpus:
        found = _on(gpu)
        if found is None:
            return None
        for pid, memory in found.items():
            before = used.get(pid, 0.0)
            used[pid] = None if memory is None or before is None else before + memory
    return used


def _on(gpu: Gpu) -> dict[int, float | None] | None:
    lists = [offered(*_ways(kind, gpu.handle)) for kind in ("Compute", "Graphics")]
    if all(processes is None for processes in lists):
        return None
    found: dict[int, float | None] = {}
    for process in (process for processes in lists for process in processes or ()):
        memory = process.usedGpuMemory
        # One that computes and draws is in both lists, with the same number.
        found[process.pid] = found.get(process.pid) if memory is None else float(memory)
    return found


def _ways(kind: str, handle: Any) -> list[Callable[[], Any]]:
    functions = [f"nvmlDeviceGet{kind}RunningProcesses_v{version}" for version in (3, 2)]
    return [partial(getattr(pynvml, function), handle) for function in functions]


def program(pid: int) -> str:
    """A process's program as the driver names it: in a container, the system may have another process under
    that id. Empty where not offered."""
    try:
        words = str(offered(partial(pynvml.nvmlSystemGetProcessName, pid)) or "").split()
    except (pynvml.NVMLError, UnicodeDecodeError):
        return ""
    return PurePosixPath(words[0]).name if words else ""
