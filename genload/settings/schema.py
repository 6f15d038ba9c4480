"""The JSON schema of a suite, from the models: what editors complete and check while one is written.

It says what a file may hold, not what it must: one that extends another may leave out anything, and may set
anything to null. What is missing is the loader's to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from genload.settings.metrics.metric import Metric
from genload.settings.model import Settings
from genload.settings.suite import Suite
from genload.settings.wing_models import MonitorSettings, RequestSettings, ShapeSettings

_DEFINITIONS = "#/$defs/"
_GRAMMAR = "docs/criteria.md"


@dataclass(frozen=True, slots=True)
class Declared:
    """What the wing files declare, by their names."""

    shapes: Mapping[str, type[ShapeSettings]]
    requests: Mapping[str, type[RequestSettings]]
    monitors: Mapping[str, type[MonitorSettings]]
    metrics: Iterable[Metric]


def suite_schema(declared: Declared) -> dict[str, Any]:
    """The schema of config/suites/*.yaml (JSON Schema 2020-12)."""
    schema = TypeAdapter(Suite).json_schema(by_alias=True, mode="validation")
    definitions: dict[str, Any] = schema["$defs"]
    schema["properties"]["extends"] = {
        "type": "string",
        "description": "Another suite, by name or path: this one is laid on it, key by key; null removes.",
    }
    _add_declared(definitions, declared.shapes, "ShapeSettings", _by_kind)
    _add_declared(definitions, declared.requests, "RequestSettings", _any_of_them)
    _add_declared(definitions, declared.monitors, "MonitorSettings", _by_kind_or_name)
    schema["properties"]["monitors"] = _monitors(schema["properties"]["monitors"], declared.monitors)
    definitions["Criterion"] = _criterion(declared.metrics)
    definitions["Limit"] = {
        "type": ["string", "number"],
        "description": "A quantity that is the most; or one with <, <=, > or >= before it.",
        "examples": ["300ms", ">= 1000"],
    }
    one_value = definitions["Span"]["properties"]["min"]
    definitions["Span"] = {"anyOf": [dict(one_value), definitions["Span"]]}
    _relax(schema)
    for definition in definitions.values():
        _relax(definition)
        _make_nullable(definition)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema


_Combine = Callable[[Mapping[str, type[Settings]]], dict[str, Any]]


def _add_declared(
    definitions: dict[str, Any], models: Mapping[str, type[Settings]], base: str, combine: _Combine | None
) -> None:
    """Each wing's own model as a definition; the base's definition becomes the union of them."""
    for name, model in sorted(models.items()):
        own = TypeAdapter(model).json_schema(by_alias=True, ref_template=f"{_DEFINITIONS}{{model}}")
        definitions |= {key: value for key, value in own.pop("$defs", {}).items() if key not in definitions}
        definitions[_reference(base, name).removeprefix(_DEFINITIONS)] = own
    if combine is not None:
        definitions[base] = combine(models)


def _reference(base: str, name: str) -> str:
    return f"{_DEFINITIONS}{base}.{name}"


def _by_kind(models: Mapping[str, type[Settings]]) -> dict[str, Any]:
    """The model that `kind` names; a kind of the user's own project takes any parameters."""
    known = [
        {"allOf": [{"properties": {"kind": {"const": name}}}, {"$ref": _reference("ShapeSettings", name)}]}
        for name in sorted(models)
    ]
    own = {"required": ["kind"], "properties": {"kind": {"not": {"enum": sorted(models)}}}}
    return {"type": "object", "anyOf": [*known, own]}


def _by_kind_or_name(models: Mapping[str, type[Settings]]) -> dict[str, Any]:
    """The model that `kind` names; without one the name does, which may be of the user's own project."""
    known = [
        {
            "required": ["kind"],
            "properties": {"kind": {"const": name}},
            "allOf": [{"$ref": _reference("MonitorSettings", name)}],
        }
        for name in sorted(models)
    ]
    own = {"properties": {"kind": {"not": {"enum": sorted(models)}}}}
    return {"type": "object", "anyOf": [*known, own]}


def _monitors(field: Mapping[str, Any], models: Mapping[str, type[Settings]]) -> dict[str, Any]:
    """Each name of a file is one of its kind, unless another kind is said."""
    by_kind = {"$ref": f"{_DEFINITIONS}MonitorSettings"}
    named = {
        name: {
            "if": {"required": ["kind"]},
            "then": by_kind,
            "else": {"$ref": _reference("MonitorSettings", name)},
        }
        for name in models
    }
    described = {key: field[key] for key in ("type", "description")}
    return {**described, "properties": named, "additionalProperties": by_kind}


def _any_of_them(models: Mapping[str, type[Settings]]) -> dict[str, Any]:
    """Which one applies is named outside, by `api`: completed by all, refused for none."""
    known = [{"$ref": _reference("RequestSettings", name)} for name in sorted(models)]
    return {"type": "object", "anyOf": [*known, {"additionalProperties": True}]}


def _criterion(metrics: Iterable[Metric]) -> dict[str, Any]:
    names = ", ".join(_spelt(metric) for metric in sorted(metrics, key=lambda m: m.name))
    text = {
        "type": "string",
        "description": f"An expression ({_GRAMMAR}). Metrics: {names}.",
        "examples": ["generate.error_rate{phase=spike} < 10%", "generate.duration.p95 < 120s"],
    }
    must = {
        "type": "boolean",
        "default": True,
        "description": "false: reported, without a say in the verdict.",
    }
    entries = {"holds": dict(text), "must": must}
    return {"anyOf": [text, {"type": "object", "additionalProperties": False, "properties": entries}]}


def _spelt(metric: Metric) -> str:
    return f"{metric.name}.({'|'.join(metric.stats)})" if metric.stats else metric.name


def _relax(part: Any) -> None:
    """Nothing required, everything nullable; without defaults, which are numbers without their unit, and
    without titles, which only repeat the key."""
    if isinstance(part, list):
        for item in part:
            _relax(item)
    if not isinstance(part, dict):
        return
    part.pop("title", None)
    properties = part.get("properties", {})
    if not _discriminates(properties.get("kind", {})):
        part.pop("required", None)
    for holder in (properties, part.get("patternProperties", {})):
        for value in holder.values():
            _relax(value)
            _make_nullable(value)
    for key in ("items", "anyOf", "allOf"):
        _relax(part.get(key))
    extra = part.get("additionalProperties")
    if isinstance(extra, dict):
        _relax(extra)
        _make_nullable(extra)


def _discriminates(kind: dict[str, Any]) -> bool:
    return "const" in kind or "not" in kind


def _make_nullable(value: dict[str, Any]) -> None:
    """Not by wrapping: an editor would then show an error at the wrap and not where it is."""
    value.pop("default", None)
    if _discriminates(value):
        return
    if isinstance(value.get("type"), str):
        value["type"] = [value["type"], "null"]
    if "enum" in value:
        value["enum"] = [*value["enum"], None]
    if "anyOf" in value and {"type": "null"} not in value["anyOf"]:
        value["anyOf"] = [*value["anyOf"], {"type": "null"}]
