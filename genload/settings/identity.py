"""What was tested, as far as a suite says where that can be read: image, model, precision, build, GPU."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from genload.settings.model import Settings
from genload.settings.secrets import is_secret_header

_Path = Annotated[str, StringConstraints(pattern=r"^/", max_length=2000)]
_Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
UNKNOWN = "unknown"
"""What a report says of a fact that could not be read; the first lines have every fact that a suite names."""
_WAYS = "endpoint with field, header, env or monitor"


class IdentitySource(Settings):
    """Where one fact stands; exactly one of `endpoint` with `field`, `header`, `env` and `monitor`."""

    endpoint: _Path | None = None
    """A path of the service, read once before the load; of a `header` it is / unless set."""
    field: _Name | None = None
    """Where in the endpoint's JSON: keys, and numbers of a list, with dots between (data.0.id); or which of
    the monitor's facts (gpu.driver), of which there are all unless set."""
    header: _Name | None = None
    """A header of the endpoint's answer, whatever its status."""
    env: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    """An environment variable of the process that runs the scenario. Its value is reported: no secret."""
    monitor: _Name | None = None
    """A monitor that knows what it measures, as gpu knows GPU and driver."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = [self.env, self.monitor, self.header or self.endpoint]
        fits = sum(way is not None for way in ways) == 1
        if self.header is None and self.endpoint is not None:
            fits = fits and self.field is not None
        elif self.monitor is None:
            fits = fits and self.field is None
        if not fits:
            raise PydanticCustomError(
                "identity",
                "it must say in one way where it is read",
                {"remedy": f"name one of: {_WAYS}; as in {{endpoint: /v1/models, field: data.0.id}}"},
            )
        for secret in (self.env, self.header):
            if secret is not None and is_secret_header(secret):
                raise PydanticCustomError(
                    "identity",
                    "'{name}' is the name of a secret, and what was tested stands in every report",
                    {"name": secret, "remedy": "name something else"},
                )
        return self


FactName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$", max_length=80)]
Identity = Annotated[dict[FactName, IdentitySource], Field(max_length=40)]
"""By the name under which reports say it: ``model``, ``image``, ``precision``."""
