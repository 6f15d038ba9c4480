"""What an output cost in energy, GPU time and money, as reports render it; what is not known is left out."""

from __future__ import annotations

import msgspec


class Energy(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Joules, gross: idling included."""

    metric: str  # "gpu.energy", a counter, or "gpu.power", integrated
    joules: float
    per_output: float
    per_audio_second: float | None = None
    idle_watts: float | None = None  # median before the load, where it was seen
    per_output_above_idle: float | None = None
    per_audio_second_above_idle: float | None = None


class GpuTime(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Seconds in which a kernel ran, of all GPUs together."""

    seconds: float
    per_output: float
    per_audio_second: float | None = None


class Cost(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The GPUs' price for the whole time, busy or not."""

    currency: str
    per_1000_outputs: float
    per_audio_hour: float | None = None


class Sharing(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Whether the board worked for others too, whose energy and time are then in the numbers."""

    shared: bool | None = None  # None: not known
    processes: int | None = None  # the most that were seen at once
    others: list[str] = []


class Efficiency(msgspec.Struct, kw_only=True, omit_defaults=True):
    """From the load's beginning until its last request had ended, over all outputs of that time."""

    outputs: int
    seconds: float
    gpus: int
    audio_seconds: float | None = None
    energy: Energy | None = None
    gpu_time: GpuTime | None = None
    cost: Cost | None = None
    sharing: Sharing | None = None
