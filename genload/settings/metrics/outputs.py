"""The metrics of generation by what its outputs are."""

from __future__ import annotations

from collections.abc import Mapping

from genload.settings.metrics.meshes import mesh_metrics
from genload.settings.metrics.metric import Metric
from genload.settings.metrics.pictures import picture_metrics
from genload.settings.metrics.splats import splats_metrics

OUTPUT_METRICS: Mapping[str, tuple[Metric, ...]] = {
    "mesh": mesh_metrics("generate"),
    "splats": splats_metrics("generate"),
    "image": picture_metrics("generate"),
    "bytes": (),
    "none": (),
}
"""By kind of output: what criteria may name of each that was looked into."""
