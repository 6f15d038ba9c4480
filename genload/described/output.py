"""What a described service makes, and how it is looked at."""

from __future__ import annotations

from typing import Literal

from genload.described.or_text import OrText
from genload.service import Artifact, ServiceError
from genload.settings.units import Bytes

Kind = Literal["mesh", "splats", "image", "bytes", "none"]


class Output(OrText):
    """What the output must be; a text alone is its kind."""

    kind: Kind = "mesh"
    """``mesh``, ``splats`` (Gaussian ones, as PLY) and ``image`` are read whole; of ``bytes`` there must be
    enough; ``none``: not looked at."""
    at_least_bytes: Bytes = 1.0
    """The least that it may have, of any kind."""

    def check_size(self, artifact: Artifact) -> None:
        """Raises ServiceError ``too_small``: there are fewer bytes than must be."""
        size = len(artifact.content)
        if size < self.at_least_bytes:
            least = f"{self.at_least_bytes:,.0f}"
            words = f"{artifact.name or 'the output'} has {size:,} bytes, and must have {least}"
            raise ServiceError("too_small", words)
