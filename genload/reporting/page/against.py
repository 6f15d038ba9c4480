"""A chart over something else than time: how long speech of a length takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genload.analysis.judged import JudgedRun
from genload.reporting.page import thinning
from genload.reporting.page.axis import Axis
from genload.reporting.page.panel import MOST_IN_A_CLOUD, Panel, Points, Sketch


@dataclass(frozen=True, slots=True)
class Against:
    """A chart, and the axis that lies under it."""

    panel: Panel
    across: Axis


def against_length(run: JudgedRun) -> Against | None:
    """Duration against the length of the text; None where texts have one length, or none."""
    table = run.recorded.requests
    characters = table.column("characters")
    if characters is None or not table.ok.any():
        return None
    known = table.ok & ~np.isnan(characters)
    lengths, durations_s = characters[known], table.duration_s[known]
    if not len(lengths) or lengths.min() == lengths.max():
        return None
    order = np.argsort(lengths, kind="stable")
    lengths, durations_s = lengths[order], durations_s[order]
    rows = thinning.of_a_cloud(lengths, durations_s, MOST_IN_A_CLOUD)
    across = Axis.fitting(0.0, float(lengths.max()), "count")
    sketch = Sketch("duration", "s", [Points("completed", "cloud", 1, lengths[rows], durations_s[rows])])
    panel = sketch.drawn(across.low, across.high)
    return None if panel is None else Against(panel, across)
