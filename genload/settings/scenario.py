"""A scenario of a suite: one load, of one kind of users or several, with its criteria."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    Field,
    PositiveInt,
    SerializeAsAny,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError, PydanticKnownError

from genload.settings.capacity import ARRIVALS, USERS, Capacity, search_model
from genload.settings.criteria.criterion import Criterion
from genload.settings.goodput import Limit
from genload.settings.model import Settings
from genload.settings.service import Service
from genload.settings.units import Ratio, Seconds, parse_quantity
from genload.settings.wing_models import (
    KeptRequest,
    KeptShape,
    RequestSettings,
    ShapeSettings,
    declared,
    found,
    wing_models,
)
from genload.steadiness import LEAST_VALUES


def _not_the_verdicts_own(name: str) -> str:
    if name == "overall":
        raise PydanticCustomError(
            "name", "'overall' is the verdict's own entry", {"remedy": "choose another name"}
        )
    return name


# `overall` is the verdict's own entry beside the criteria in results_<scenario>.json.
CriterionName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$"), AfterValidator(_not_the_verdicts_own)
]

OF_ALL = ("purpose", "shape")
"""What a scenario with populations says for all of them."""

# A step of `--set`, too, and a part of the names of files and of Locust's user classes.
PopulationName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=40)]

NO_CRITERIA = (
    "the scenario has no criterion that must hold, so that it cannot pass: add one under `criteria`, or "
    "`observe: true` if it is only to be watched"
)

Goodput = Annotated[dict[str, Limit], Field(max_length=20)]


class Span(Settings):
    """A time drawn evenly from a range before each request; ``5s`` in YAML means always 5 s."""

    min_s: Seconds
    """The shortest such time."""
    max_s: Seconds
    """The longest such time; written as one value, both."""

    @model_validator(mode="before")
    @classmethod
    def _one_value(cls, value: Any) -> Any:
        return {"min": value, "max": value} if isinstance(value, str | int | float) else value

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min_s > self.max_s:
            raise ValueError("min is larger than max")
        return self


class Leave(Settings):
    """Who closes the connection in the middle of an answer: ``{share: 10%, after: {min: 0.5s, max: 3s}}``."""

    share: Annotated[Ratio, Field(le=1)]
    """Of all listeners; drawn by the seed and the request's number."""
    after: Span
    """From the request's start, drawn for each; whose answer is there by then hears it to its end."""


class Warmup(Settings):
    """Requests made before the load by one user: recorded, shown, left out of every statistic."""

    jobs: Annotated[int, Field(ge=0)] = 1
    """How many requests one user makes before the load; they are in no statistic."""
    until: Literal["steady"] | None = None
    """`steady`: it makes more of them until their durations have come to rest, and `at_most` so many."""
    at_most: PositiveInt = 50
    """The load then begins all the same, and the reports say so."""

    @model_validator(mode="after")
    def _enough(self) -> Self:
        if self.until is not None and self.at_most < max(self.jobs, LEAST_VALUES):
            least = f"jobs, and than the {LEAST_VALUES} from which on it can be told"
            raise ValueError(f"at_most is {self.at_most}: it must not be less than {least}")
        return self

    @property
    def most(self) -> int:
        """The most requests it may have."""
        return self.jobs if self.until is None else max(self.jobs, self.at_most)


LEVELS = "levels"
"""The shape of a capacity: a file in shapes/."""

UNSHAPED = ShapeSettings(kind="")
"""In the place of a shape that is not there."""


class Load(Settings):
    """Users of one kind with their criteria."""

    purpose: str = ""
    """What it is for, in the reports."""
    capacity: Capacity | None = None
    """How much the service can hold, found by levels while the run goes on; in the place of a `shape`."""
    shape: Annotated[SerializeAsAny[ShapeSettings], Field(validate_default=True)] = UNSHAPED
    """When how many users are at work: `kind` names a file in shapes/, the other keys are its own."""
    request: SerializeAsAny[RequestSettings] | None = None
    """Keys of `service.request` that are others here; once read, all that its requests have."""
    warmup: Warmup = Warmup()
    idle_s: Seconds | None = None
    """After the warm-up a time without any request, and then one by itself: the cold start. None unless set.
    """
    think: Span | None = None
    """Pause before each request of the load; none unless set."""
    pace: Literal["playback"] | None = None
    """`playback`: a user listens to each answer to its end before its next request, and then thinks. Unless
    set, the next request follows the answer."""
    leave: Leave | None = None
    """Listeners who leave in the middle of an answer; their requests are neither successes nor failures."""
    failure_pause_s: Seconds | None = None
    """Pause of a user whose request failed; none unless set. A failing service then has less load: what is
    slept is no work, and is told beside the error rate."""
    criteria: dict[CriterionName, Criterion] = {}
    """What must hold. Without one that must, there is no verdict (exit code 3) unless `observe` is set."""
    goodput: Goodput | None = None
    """Limits of a request that counts as good; the suite's unless set."""
    observe: bool = False
    """Only to be watched: where nothing must hold, the exit code is 0."""

    @model_validator(mode="before")
    @classmethod
    def _to_hold(cls, value: Any) -> Any:
        """A capacity of its own criterion, unless it has one: that the lowest level holds."""
        search = value.get("capacity") if isinstance(value, Mapping) else None
        if not isinstance(search, Mapping) or search.get("of") not in ("users", "rate"):
            return value
        criteria = value.get("criteria")
        if isinstance(criteria, Mapping) and not any("capacity." in str(one) for one in criteria.values()):
            metric, first = (USERS, 1) if search["of"] == "users" else (ARRIVALS, None)
            try:
                lowest = parse_quantity(str(search.get("from", first))).text
            except ValueError:
                return value  # it is told where it stands
            return {**value, "criteria": {**criteria, "capacity": f"{metric} >= {lowest}"}}
        return value

    @property
    def labels(self) -> dict[str, tuple[str, ...]]:
        """The labels that its requests have besides those of the service's own."""
        return {} if self.leave is None else {"listener": ("stays", "leaves")}

    @field_validator("capacity", mode="before")
    @classmethod
    def _declared_capacity(cls, value: Any, info: ValidationInfo) -> Any:
        return declared(search_model(value.get("of")), value, info) if isinstance(value, Mapping) else value

    @field_validator("shape", mode="before")
    @classmethod
    def _declared_shape(cls, value: Any, info: ValidationInfo) -> Any:
        wings = wing_models(info)
        given = value is not UNSHAPED and value is not None
        if "capacity" not in info.data:  # it is wrong, and told
            return UNSHAPED
        if (capacity := info.data["capacity"]) is not None:
            if given and (not isinstance(value, Mapping) or value.get("kind") != LEVELS):
                raise PydanticCustomError(
                    "capacity", "a scenario has a shape or a capacity", {"remedy": "take one of them out"}
                )
            # Its values are those of the capacity, also where a finished run is read again.
            model = KeptShape if wings is None else found(wings.shape, LEVELS)
            seed = value.get("seed") if isinstance(value, Mapping) else None
            return model.model_validate({"kind": LEVELS, "capacity": capacity, "seed": seed})
        if not given:
            raise PydanticKnownError("missing")
        if not isinstance(value, Mapping) or not isinstance(value.get("kind"), str):
            return value
        model = KeptShape if wings is None else found(wings.shape, value["kind"])
        return declared(model, value, info)

    @field_validator("request", mode="before")
    @classmethod
    def _kept_request(cls, value: Any, info: ValidationInfo) -> Any:
        # Which model it has is the service's to say: the suite has put that in its place, if it could.
        return declared(KeptRequest, value, info) if isinstance(value, Mapping) else value


class Population(Load):
    """One of several kinds of users that are at work at the same time: all that a scenario says, and whom
    they ask. Its `shape` is the scenario's, as far as that counts its users, unless it has its own."""

    service: Service
    """The suite's unless set; one without a `host` has the suite's."""
    locustfile: str
    """Name of a file in locustfiles/, or a path; the suite's unless set."""

    @field_validator("capacity", mode="before")
    @classmethod
    def _has_no_capacity(cls, value: Any) -> Any:
        if value is not None:
            raise PydanticCustomError(
                "capacity",
                "a capacity is that of one kind of users alone",
                {"remedy": "put it into a scenario of its own, without populations"},
            )
        return value

    @field_validator("locustfile")
    @classmethod
    def _exists(cls, value: str, info: ValidationInfo) -> str:
        return file_there("locustfiles", value, info)


class Scenario(Load):
    """One load with its criteria."""

    on_demand: bool = False
    """Run only when it is named, as ``suite/scenario``: the whole suite leaves it out."""
    populations: dict[PopulationName, Population] = {}
    """Kinds of users that are at work together, by name; the scenario itself has a purpose and a shape then,
    and each of them the rest."""


_Load = TypeVar("_Load", bound=Load)


def file_there(wing: str, name: str, info: ValidationInfo) -> str:
    """The name of a file of a wing, which must be there."""
    wings = wing_models(info)
    if wings is not None:
        found(partial(wings.require, wing), name)
    return name


def warmed(scenario: Scenario, service: Service) -> Scenario:
    """The scenario with the warm-up that its requests need, unless it says its own."""
    if not scenario.populations:
        return _with_warmup(scenario, scenario.request or service.request)
    warmed = {
        name: _with_warmup(own, own.request or own.service.request)
        for name, own in scenario.populations.items()
    }
    return scenario.model_copy(update={"populations": warmed})


def _with_warmup(load: _Load, request: RequestSettings) -> _Load:
    jobs = request.warmup_jobs()
    warmup = load.warmup
    if jobs == warmup.jobs or "jobs" in warmup.model_fields_set:
        return load
    return load.model_copy(update={"warmup": warmup.model_copy(update={"jobs": jobs})})


def misplaced(name: str, scenario: Scenario) -> Iterator[InitErrorDetails]:
    """What a scenario with populations says itself, and each of them should."""
    if not scenario.populations:
        return
    for field_name, field in Load.model_fields.items():
        if field_name not in OF_ALL and getattr(scenario, field_name) != field.default:
            key, first = field.alias or field_name, next(iter(scenario.populations))
            remedy = f"write it below populations.{first}, and whichever others it is for"
            text = "a scenario with populations has none of its own: each population has"
            error = PydanticCustomError("misplaced", text, {"remedy": remedy})
            yield InitErrorDetails(type=error, loc=(name, key), input=None)
