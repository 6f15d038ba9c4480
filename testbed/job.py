"""What the service knows under one job id: the image that came, and the job made of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .faults import Fault, Strike
from .relief import make_cube, make_empty, make_relief, plain_image
from .truth import Truth


@dataclass(frozen=True, slots=True)
class Upload:
    """An accepted image."""

    job_id: str
    filename: str  # as the service names it: <job_id>_<original>
    path: Path
    request_id: str
    arrival_s: float
    strike: Strike | None = None  # what is to befall its job


@dataclass(frozen=True, slots=True)
class Order:
    """A valid submission."""

    job_id: str
    file_format: str
    quality: int
    dimensions_mm: Mapping[str, int]


@dataclass(slots=True)
class Job:
    """One order under way or done; its times and its outcome are in its line of the truth log."""

    order: Order
    truth: Truth
    visible_s: float  # a poll before this is answered 404
    strike: Strike | None  # what is to befall it
    output: Path  # where its mesh lies once it is completed
    making: asyncio.Future[int] | None = None
    gpu_end_s: float | None = None  # when its slot was given back
    over: asyncio.Event = field(default_factory=asyncio.Event)  # it has completed or failed
    logged: bool = False

    @property
    def ended(self) -> bool:
        return self.truth.end_s is not None

    @property
    def completed(self) -> bool:
        return self.truth.outcome == "completed"

    def answer(self, *, share_done: float) -> dict[str, Any]:
        """What a poll is told, given how much of the work the GPU has done."""
        job_id, name = self.order.job_id, self.output.name
        if self.completed:
            return {
                "status": "completed",
                "progress": 100,
                "step": "3D model generation complete!",
                "output_file": name,
                "download_url": f"/api/download/{job_id}/{name}",
            }
        if self.ended:
            return {"status": "failed", "error": self.truth.error}
        if self.truth.start_s is None:
            return {"status": "initializing", "progress": 0, "step": "Initializing 3D generation..."}
        if self.gpu_end_s is None and share_done < 0.5:
            return {"status": "processing", "progress": 25, "step": "Processing image..."}
        return {"status": "processing", "progress": 50, "step": "Generating 3D mesh..."}

    def make(self, image: Path) -> int:
        """Make the mesh and store it; its size in bytes. Runs in a thread: touches nothing that changes.

        Raises:
            OSError: the image cannot be decoded, or the mesh not written.
        """
        order, file_format = self.order, self.output.suffix[1:]
        fault = self.strike.fault if self.strike else None
        if fault is Fault.CUBE:
            content = make_cube(file_format=file_format, dimensions_mm=order.dimensions_mm)
        elif fault is Fault.EMPTY_MESH:
            content = make_empty(file_format=file_format)
        else:
            content = make_relief(
                plain_image() if fault is Fault.DUPLICATE else image.read_bytes(),
                file_format=file_format,
                quality=order.quality,
                dimensions_mm=order.dimensions_mm,
                nan_vertices=fault is Fault.NAN_VERTICES,
            )
        return self.output.write_bytes(content)


def made_format(order: Order, strike: Strike | None) -> str:
    """The format that really comes: what was asked for, unless a fault says otherwise."""
    if strike is None or strike.fault is not Fault.WRONG_FORMAT:
        return order.file_format
    return "stl" if order.file_format == "obj" else "obj"
