"""XID errors, which the driver tells as events: https://docs.nvidia.com/deploy/xid-errors/."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pynvml

from genload.nvml.gpu import Gpu, address
from genload.nvml.offered import offered

_MOST_AT_ONCE = 1000  # a board that reports without end must not hold up a tick


@dataclass(slots=True)
class XidErrors:
    """Counts them by GPU from the first `open` on.

    Attributes:
        counts: by the GPU's label; one that reports none of its errors is not in it.
        last: the newest XID of each GPU that had one.
    """

    counts: dict[str, int] = field(default_factory=dict)
    last: dict[str, int] = field(default_factory=dict)
    _events: Any = None
    _labels: dict[int | None, str] = field(default_factory=dict)

    def open(self, gpus: Sequence[Gpu]) -> None:
        """Listen to these, as far as they report; again after `close`.

        Raises:
            NVMLError: trouble.
        """
        self._labels = {}
        self._events = offered(pynvml.nvmlEventSetCreate)
        if self._events is None:
            return
        for gpu in gpus:
            if offered(partial(self._listen, gpu)):
                self._labels[address(gpu.handle)] = gpu.label
                self.counts.setdefault(gpu.label, 0)

    def _listen(self, gpu: Gpu) -> bool:
        pynvml.nvmlDeviceRegisterEvents(gpu.handle, pynvml.nvmlEventTypeXidCriticalError, self._events)
        return True

    def collect(self) -> None:
        """Take what has happened since the last time, without waiting.

        Raises:
            NVMLError: trouble.
        """
        if not self._labels:
            return
        with suppress(pynvml.NVMLError_Timeout):  # nothing more
            for _ in range(_MOST_AT_ONCE):
                event = pynvml.nvmlEventSetWait_v2(self._events, 0)
                label = self._labels.get(address(event.device))
                if label is not None:
                    self.counts[label] += 1
                    self.last[label] = int(event.eventData)

    def close(self) -> None:
        if self._events is not None:
            with suppress(pynvml.NVMLError):
                pynvml.nvmlEventSetFree(self._events)
        self._events, self._labels = None, {}
