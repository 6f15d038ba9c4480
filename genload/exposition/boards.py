"""What NVIDIA's DCGM exporter repeats on its page: a board's numbers for each of its MIG instances, and
everything for each pod that shares a GPU.
"""

from __future__ import annotations

from collections.abc import Mapping

from genload.exposition.page import Labels
from genload.settings.metrics.boards import Part, each_once

_FIELD = "DCGM_FI_"
_INSTANCES_OWN = ("DCGM_FI_DEV_FB_", "DCGM_FI_PROF_")  # memory, and what it profiles
_BOARD = ("Hostname", "UUID", "gpu")
_GPU = {"UUID", "gpu"}
_INSTANCE = "GPU_I_ID"


def told_once(name: str, series: Mapping[Labels, float]) -> Mapping[Labels, float]:
    """A sample's series with each GPU once, by what tells GPUs apart; of another exporter as they are."""
    parts = {labels: _part(dict(labels)) for labels in series}
    if not name.startswith(_FIELD) or not all(parts.values()):  # of a switch, a link, a processor
        return series
    told = [(part, series[labels]) for labels, part in parts.items() if part is not None]
    once = each_once(told, slices_own=name.startswith(_INSTANCES_OWN))
    return {((_INSTANCE, part.instance), ("board", part.board)): value for part, value in once.items()}


def _part(labels: Mapping[str, str]) -> Part | None:
    """None: of no GPU."""
    board = [f"{name}={labels[name]}" for name in _BOARD if name in labels]
    return Part(",".join(board), labels.get(_INSTANCE, "")) if _GPU & labels.keys() else None
