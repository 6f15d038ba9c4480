"""``monitors`` of a suite: settings by a name of the suite's, each of the kind of a file in monitors/."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, SerializeAsAny, StringConstraints, ValidationError, ValidationInfo
from pydantic_core import InitErrorDetails, PydanticCustomError

from genload.settings.wing_models import (
    NO_WING,
    KeptMonitor,
    MonitorSettings,
    declared,
    found,
    wing_models,
    within,
)


def kind_of(name: str, settings: Any) -> Any:
    """The file in monitors/ that a monitor's plain settings name; its own name unless they say `kind`."""
    return settings.get("kind", name) if isinstance(settings, Mapping) else name


def _read(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, Mapping):
        return value
    read: dict[str, Any] = {}
    problems: list[InitErrorDetails] = []
    for name, settings in value.items():
        try:
            read[name] = _monitor(name, {} if settings is None else settings, info)
        except ValidationError as error:
            problems += within((name,), error)
        except PydanticCustomError as error:
            problems += _not_found(name, kind_of(name, settings), error)
    if problems:
        raise ValidationError.from_exception_data("monitors", problems)
    return read


def _not_found(name: str, kind: str, error: PydanticCustomError) -> list[InitErrorDetails]:
    if kind != name:
        return within((name, "kind"), error)
    context = dict(error.context or {})
    if error.type == NO_WING:
        context["remedy"] = f"{context['remedy']}; or say which of them it is, as kind: exposition"
    return within((name,), PydanticCustomError(error.type, "{reason}", context))


def _monitor(name: str, settings: Any, info: ValidationInfo) -> MonitorSettings:
    """The settings in their kind's own model, with the kind said."""
    if isinstance(settings, MonitorSettings):
        return settings.model_copy(update={"kind": settings.kind or name})
    kind, wings = kind_of(name, settings), wing_models(info)
    model = KeptMonitor if wings is None or not isinstance(kind, str) else found(wings.monitor, kind)
    return declared(model, {**settings, "kind": kind} if isinstance(settings, Mapping) else settings, info)


# What `--set monitors.NAME.interval` can name, and what samples are called by.
MonitorName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_-]*$", max_length=80)]
Monitors = Annotated[dict[MonitorName, SerializeAsAny[MonitorSettings]], BeforeValidator(_read)]
