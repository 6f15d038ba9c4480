"""What the analysis finds beside the criteria, as it hands it over; any field may be another."""

from __future__ import annotations

from typing import Any

from genload.analysis.contract import FamilyFinding
from genload.analysis.judged.efficiency import Cost, Efficiency, Energy, GpuTime, Sharing
from genload.analysis.judged.trends import Incidents, LevelChange, MemoryTrend
from genload.analysis.reconciliation import Comparison

GIB = float(2**30)


def families(**states: Any) -> list[FamilyFinding]:
    """Expected metrics by name."""
    return [FamilyFinding(family=name, state=state) for name, state in states.items()]


def comparison(**fields: Any) -> Comparison:
    """The service counted more than the client."""
    base: dict[str, Any] = {"count": "completed", "metric": "prom.generated", "client": 6.0, "server": 11.0}
    found = {
        "difference": 5.0,
        "unsure": 1,
        "result": "differs",
        "meaning": ["5 failures counted as successes"],
    }
    return Comparison(**{**base, **found, **fields})


def incidents(**fields: Any) -> Incidents:
    """Everything was watched, and nothing happened."""
    base = {"begin_s": 0.0, "end_s": 9.0, "throttled": 0.0, "throttled_otherwise": 0.0, "restarts": 0}
    return Incidents(**{**base, "errors": 0, "error_share": 0.0, "error_share_otherwise": 0.0, **fields})


def leak(**fields: Any) -> MemoryTrend:
    """GPU memory that grows on in the second half, of a load that it survives."""
    level = LevelChange(before=GIB, after=1.5 * GIB, change=0.5, before_samples=5, after_samples=5)
    growth = {"kind": "leak", "growth": 0.1, "growth_low": 0.09, "growth_high": 0.11}
    base: dict[str, Any] = {"metric": "gpu.memory_used", "source": "NVML", "level": level, "blocks": 40}
    return MemoryTrend(**{**base, **growth, **fields})


def costs() -> Efficiency:
    """Everything that is known of a GPU that another program used as well."""
    return Efficiency(
        outputs=50,
        seconds=100.0,
        gpus=1,
        energy=Energy(
            metric="gpu.energy",
            joules=30_000.0,
            per_output=600.0,
            per_audio_second=150.0,
            idle_watts=80.0,
            per_output_above_idle=440.0,
            per_audio_second_above_idle=110.0,
        ),
        gpu_time=GpuTime(seconds=50.0, per_output=1.0),
        cost=Cost(currency="EUR", per_1000_outputs=2.0, per_audio_hour=1.8),
        sharing=Sharing(shared=True, processes=2, others=["trainer-9"]),
    )
