"""What wing files declare: the bases of their settings, and how a suite finds those of the files it names.

They are found by name through the validation context (`WingModels`); without one, as when a finished run is
read again, values are kept as they stand.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, LiteralString, Protocol, Self, TypeVar

from pydantic import ValidationError, ValidationInfo
from pydantic_core import InitErrorDetails, PydanticCustomError

from genload.errors import ConfigError
from genload.settings.metrics.metric import Metric
from genload.settings.model import Settings
from genload.settings.phases import Timeline
from genload.settings.units import SamplingSeconds

if TYPE_CHECKING:
    from genload.settings.service import Service


class ShapeSettings(Settings):
    """Base of a shape's parameters: ``shape: {kind: spike, low: 2, …}``."""

    kind: str
    """Name of a file in shapes/."""

    def of_run(self, seed: int) -> Self:
        """These settings with what they leave open, for a run of this seed."""
        return self

    @property
    def populations(self) -> Collection[str]:
        """The names of those whose users it counts one by one; none: it knows users alone."""
        return ()

    def of_population(self, name: str) -> Self | None:
        """These settings for the users of one of them alone; None: it does not count them."""
        return None


class RequestSettings(Settings):
    """Base of what a service file wants to know about each request (``request: {format: stl}``)."""

    @property
    def input_views(self) -> tuple[str, ...]:
        """The names of the images that a job is made from; none: it is one, without a name."""
        return ()

    @classmethod
    def laid_on(cls, base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
        """A scenario's keys laid on the service's: mappings key by key, everything else replaced."""
        merged = dict(base)
        for key, value in over.items():
            below = merged.get(key)
            if isinstance(below, Mapping) and isinstance(value, Mapping):
                merged[key] = RequestSettings.laid_on(below, value)
            else:
                merged[key] = value
        return merged

    def warmup_jobs(self) -> int:
        """How many requests are made before the load, unless the suite says it."""
        return 1


class MonitorSettings(Settings):
    """Base of a monitor's settings."""

    labels: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """The labels of its series, each with the beginnings of the metrics that have it; `ANY_LABEL` when only
    its source knows them."""

    kind: str = ""
    """Name of a file in monitors/; the monitor's own name unless set."""
    interval_s: SamplingSeconds = 1.0
    """Time between two samples."""

    def of_service(self, service: Service) -> Self:
        """These settings with what they leave open, and the service under test says."""
        return self

    def telling_apart(self, labels: Collection[str]) -> Self:
        """These settings for criteria that name the labels: a machine that is the only one has a series of
        its own then too, where it would have none.
        """
        return self


class KeptShape(ShapeSettings, extra="allow"):
    """A shape read back without its wing file: its values as they stand."""


class KeptRequest(RequestSettings, extra="allow"):
    pass


class KeptMonitor(MonitorSettings, extra="allow"):
    pass


class WingModels(Protocol):
    """What the wing files declare, by name; each method raises ConfigError for an unknown name."""

    def shape(self, kind: str) -> type[ShapeSettings]: ...

    def request(self, api: str) -> type[RequestSettings]: ...

    def monitor(self, kind: str) -> type[MonitorSettings]: ...

    def timeline(self, shape: ShapeSettings) -> Timeline:
        """The phases of a shape's settings; raises ValueError for settings that make no sense together."""
        ...

    def request_metrics(self, api: str, request: RequestSettings | None = None) -> tuple[Metric, ...]:
        """Every metric of the service's operation, its stages and what its file declares among them; and what
        a request of its declares."""
        ...

    def monitor_metrics(self, kind: str) -> tuple[Metric, ...]:
        """What a monitor's file declares beyond the engine's own metrics of machines."""
        ...

    def labels(self, service: Service) -> Mapping[str, tuple[str, ...]]:
        """The labels of the records that its requests make, with the values they can have; none: any."""
        ...

    def one_user_alone(self, service: Service) -> str:
        """Why only one user at a time may use it; "" where any number may."""
        ...

    def require(self, wing: str, name: str) -> None:
        """Check that a wing (``locustfiles``, ``reports``) has a file of that name."""
        ...


RENAMED_SERVICES = {"openai_speech": "speech"}
"""Files in services/ that had another name, which suites may still have."""

NO_WING = "no_wing"
"""Of which type an error is whose wing file is not there at all."""

_Model = TypeVar("_Model", bound=Settings)
_Found = TypeVar("_Found")


def wing_models(info: ValidationInfo) -> WingModels | None:
    return info.context.get("wings") if isinstance(info.context, Mapping) else None


def found(find: Callable[[str], _Found], name: str) -> _Found:
    """What `find` has by that name; an unknown name becomes an error of the field that gave it."""
    try:
        return find(name)
    except ConfigError as error:
        reason = f"{error.file}: {error.message}" if error.file else error.message
        kind: LiteralString = "wing" if error.file else NO_WING
        raise PydanticCustomError(kind, "{reason}", {"reason": reason, "remedy": error.remedy}) from error


def within(path: tuple[str, ...], error: ValidationError | PydanticCustomError) -> list[InitErrorDetails]:
    """A nested model's errors, placed at `path` of the mapping that holds it."""
    if isinstance(error, PydanticCustomError):
        return [InitErrorDetails(type=error, loc=path, input=None)]
    return [
        InitErrorDetails(
            type=PydanticCustomError(
                "nested", "{reason}", {**one.get("ctx", {}), "reason": one["msg"], "nested": one["type"]}
            ),
            loc=(*path, *one["loc"]),
            input=None,
        )
        for one in error.errors(include_url=False, include_input=False)
    ]


def declared(model: type[_Model], value: Any, info: ValidationInfo) -> _Model:
    # Only YAML names here: a suite is the one place where values carry their units.
    return model.model_validate(value, context=info.context, by_alias=True, by_name=False)
