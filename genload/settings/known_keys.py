"""Which keys a suite may have where: the models' own, followed along its data."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from genload.errors import ConfigError
from genload.settings.capacity import UserSearch, search_model
from genload.settings.monitors import kind_of
from genload.settings.suite import Suite
from genload.settings.wing_models import MonitorSettings, RequestSettings, ShapeSettings, WingModels


def known_keys(
    data: Any, path: Sequence[str | int], wings: WingModels, model: type[BaseModel] = Suite
) -> frozenset[str] | None:
    """YAML keys that may stand at `path` of the plain `data` of a suite, or of another model; None where any
    key may, or none can.
    """
    annotation: Any = model
    api = None  # of the service that is nearest above
    for part in path:
        api = _item(_item(data, "service"), "api") or api
        annotation = _below(annotation, part)
        data = _item(data, part)
        annotation = _declared(annotation, part, data, api, wings)
    if not _is_model(annotation):
        return None
    return frozenset(_by_key(annotation))


def _item(data: Any, part: str | int) -> Any:
    if isinstance(data, Mapping):
        return data.get(part)
    if isinstance(data, list) and isinstance(part, int) and part < len(data):
        return data[part]
    return None


def _below(annotation: Any, part: str | int) -> Any:
    """The annotation of what stands under `part`."""
    if _is_model(annotation):
        field = _by_key(annotation).get(str(part))
        return None if field is None else _bare(field.annotation)
    arguments = get_args(annotation)
    if not arguments:
        return None
    return _bare(arguments[1] if get_origin(annotation) is dict else arguments[0])


def _by_key(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Its fields by their keys in YAML."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _bare(annotation: Any) -> Any:
    """Without Annotated and None; of a union, the first model or collection."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        members = [_bare(member) for member in get_args(annotation)]
        return next((m for m in members if _is_model(m) or get_args(m)), members[0])
    return annotation


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _declared(annotation: Any, part: str | int, data: Any, api: Any, wings: WingModels) -> Any:
    """A wing's own model in the place of its base; None when the wing file is not known."""
    try:
        if annotation is ShapeSettings:
            return wings.shape(data["kind"])
        if annotation is MonitorSettings:
            return wings.monitor(kind_of(str(part), data))
        if annotation is UserSearch:
            return search_model(data["of"])
        if annotation is RequestSettings:
            return wings.request(api)
    except (ConfigError, PydanticCustomError, KeyError, TypeError):
        return None
    return annotation
