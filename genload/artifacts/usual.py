"""How a job's output is inspected: as its service file says, or as is usual for what it makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from genload.artifacts.inspector import shared
from genload.artifacts.mesh.check import MeshCheck
from genload.artifacts.picture.check import PictureCheck
from genload.artifacts.splats.check import SplatsCheck
from genload.code_errors import ReturnedError
from genload.errors import ConfigError
from genload.service import Artifact, JobClient, NotInspectedError, ServiceError

Inspect = Callable[[Artifact], Mapping[str, float]]


def inspection_of(client: JobClient) -> Inspect:
    """What looks at every output of this client: its own `inspect`, or else the usual one.

    It raises ServiceError for a broken output, NotInspectedError for one that nothing looked into.
    """

    def inspect(artifact: Artifact) -> Mapping[str, float]:
        own = client.inspect(artifact)
        if own is None:
            return _USUAL[client.inspection](artifact)
        try:
            return {str(name): float(value) for name, value in own.items()}
        except (AttributeError, TypeError, ValueError):
            raise ReturnedError(client.inspect, own, "numbers by name") from None

    return inspect


def check_inspection(client_class: type[JobClient]) -> None:
    """Raises ConfigError: the service file asks for an inspection that there is none of."""
    if client_class.inspection not in _USUAL:
        raise ConfigError(
            f"the service file asks for the inspection {client_class.inspection!r}",
            key="service.api",
            remedy=f"let it say one of {', '.join(map(repr, _USUAL))}, or inspect outputs itself: `inspect`",
        )


def _as_mesh(artifact: Artifact) -> Mapping[str, float]:
    return MeshCheck(shared().mesh)(artifact)


def _as_splats(artifact: Artifact) -> Mapping[str, float]:
    return SplatsCheck(shared().splats)(artifact)


def _as_image(artifact: Artifact) -> Mapping[str, float]:
    return PictureCheck(shared().picture)(artifact)


def _as_bytes(artifact: Artifact) -> Mapping[str, float]:
    if not artifact.content:
        raise ServiceError("too_small", f"{artifact.name} has not a single byte")
    return {}


def _not_at_all(artifact: Artifact) -> Mapping[str, float]:
    raise NotInspectedError('the service file wants it so: inspection = "none"')


_USUAL: Mapping[str, Inspect] = {
    "mesh": _as_mesh,
    "splats": _as_splats,
    "image": _as_image,
    "bytes": _as_bytes,
    "none": _not_at_all,
}
