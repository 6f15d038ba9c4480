"""What a described service makes, and how it is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, StringConstraints

from genload.described.numbers import NumberName, a_unit
from genload.described.or_text import OrText
from genload.service import Artifact, ServiceError
from genload.settings.units import Bytes, parse_quantity

Kind = Literal["mesh", "splats", "image", "bytes", "none"]
_Mesh = Literal["stl", "obj", "glb", "ply"]
_Picture = Literal["png", "jpeg", "webp", "avif", "gif", "tiff", "bmp"]
Format = Literal["", _Mesh, _Picture]

FORMATS: Mapping[str, tuple[str, ...]] = {"mesh": get_args(_Mesh), "image": get_args(_Picture)}
"""By the kind of output, those that are told apart."""


class Output(OrText):
    """What the output must be; a text alone is its kind."""

    kind: Kind = "mesh"
    """``mesh``, ``splats`` (Gaussian ones, as PLY) and ``image`` are read whole; of ``bytes`` there must be
    enough; ``none``: not looked at."""
    at_least_bytes: Bytes = 1.0
    """The least that it may have, of any kind."""
    check: Annotated[str, StringConstraints(pattern=r"^.+\.py:[A-Za-z_]\w*$")] | None = None
    """A function of one's own, ``path/to/file.py:function``, that looks at it, too: (bytes, name)."""
    numbers: dict[NumberName, Annotated[str, AfterValidator(a_unit)]] = {}
    """What the function returns, each a metric, with its unit: ``{filled: "%"}``; "" is a plain number."""

    def check_size(self, artifact: Artifact) -> None:
        """Raises ServiceError ``too_small``: there are fewer bytes than must be."""
        size = len(artifact.content)
        if size < self.at_least_bytes:
            least = f"{self.at_least_bytes:,.0f}"
            words = f"{artifact.name or 'the output'} has {size:,} bytes, and must have {least}"
            raise ServiceError("too_small", words)

    @property
    def factors(self) -> dict[str, float]:
        """What 1 of each number of the check is in base units."""
        return {name: parse_quantity(f"1{unit}").value for name, unit in self.numbers.items()}
