"""What the models find wrong with a suite, as errors with file, line, key and remedy."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from math import inf
from typing import Any

from pydantic import ValidationError

from genload.errors import CollectedConfigError, ConfigError
from genload.settings.criteria.error import CriterionError
from genload.settings.known_keys import known_keys
from genload.settings.model import Settings
from genload.settings.suggestion import suggest
from genload.settings.suite import Suite
from genload.settings.wing_models import WingModels
from genload.settings.yaml_tree import Tree

_CRITERION = "write name: generate.error_rate < 1%, or name: {must: false, holds: …}"
_REMEDIES = {
    "bool": "write true or false",
    "int": "write a whole number",
    "float": "write a number",
    "string": "write a text; in quotes when it looks like a number",
    "dict": "write keys with values, indented below it",
    "model": "write keys with values, indented below it",
    "tuple": "write a list: [one, two]",
    "list": "write a list: [one, two]",
    "literal": "choose one of them",
    "enum": "choose one of them",
    "greater": "write a larger number",
    "less": "write a smaller number",
}


_Known = Callable[[Any, list[str | int]], Collection[str] | None]


def problems(
    error: ValidationError, tree: Tree, wings: WingModels, model: type[Settings] = Suite
) -> list[ConfigError]:
    """Every error of a failed validation of `tree`, where it was written.

    Args:
        model: that it was validated as.
    """
    data = tree.data()
    known = partial(known_keys, wings=wings, model=model)
    found = error.errors(include_url=False, include_input=False)
    return [_problem(_Finding(one, data), tree, known) for one in found]


def collected(errors: list[ConfigError]) -> ConfigError:
    """One error for them all, in the order of the file that comes first; duplicates left out."""
    files = list(dict.fromkeys(error.file for error in errors))
    in_order = sorted(errors, key=lambda e: (files.index(e.file), e.line or inf, e.key))
    unique = list({error.render(): error for error in in_order}.values())
    return unique[0] if len(unique) == 1 else CollectedConfigError(unique)


class _Finding:
    """One of pydantic's errors, its path cut to what the file has."""

    def __init__(self, error: Mapping[str, Any], data: Any) -> None:
        self.context: Mapping[str, Any] = error.get("ctx", {})
        # An error of a monitor's own model comes wrapped (suite.py), its kind in the context.
        self.kind: str = self.context.get("nested", error["type"])
        self.message: str = error["msg"]
        self.data = data
        self.path = self._path(error["loc"])

    def _path(self, location: tuple[str | int, ...]) -> tuple[str | int, ...]:
        """Without pydantic's own marks ('[key]', the member of a union); a missing key is kept."""
        kept: list[str | int] = []
        data = self.data
        for part in location:
            inside = (
                part in data
                if isinstance(data, Mapping)
                else isinstance(data, list) and isinstance(part, int)
            )
            if not inside and self.kind != "missing":
                break
            kept.append(part)
            data = data[part] if inside else None
        return tuple(kept)


def _problem(finding: _Finding, tree: Tree, known: _Known) -> ConfigError:
    message, remedy = _wording(finding, known)
    key = ".".join(str(part) for part in finding.path)
    return tree.nearest(finding.path).error(message, remedy=remedy, key=key)


def _wording(finding: _Finding, known: _Known) -> tuple[str, str]:
    """(message, remedy) of one error."""
    context = finding.context
    cause = context.get("error")
    if isinstance(cause, CriterionError):
        return str(cause), cause.remedy
    if finding.kind == "extra_forbidden":
        return _unknown_key(finding, known)
    if finding.kind == "missing":
        return f"'{finding.path[-1]}' is missing", "add it"
    if "example" in context:
        return finding.message, f"write a quantity such as {context['example']}"
    if "remedy" in context:
        return finding.message, str(context["remedy"])
    if cause is not None:
        return str(cause), "see docs/suites.md"
    return _plain_wording(finding)


def _unknown_key(finding: _Finding, known: _Known) -> tuple[str, str]:
    *parents, key = finding.path
    # The loader's own key, which no model has.
    extra = set() if parents else {"extends"}
    return f"unknown key '{key}'", suggest(str(key), extra.union(known(finding.data, parents) or ()))


def _plain_wording(finding: _Finding) -> tuple[str, str]:
    if finding.context.get("class_name") == "Criterion":
        return "a criterion is a text", _CRITERION
    if finding.kind == "string_pattern_mismatch":
        if not finding.path or finding.path[-1] == "name":
            return "the suite's name cannot name a folder", "write name: with letters, digits, _ . and -"
        return f"'{finding.path[-1]}' cannot be a name here", "use letters, digits, _ and -"
    message = finding.message.replace("Input should", "should")
    remedy = next((text for kind, text in _REMEDIES.items() if finding.kind.startswith(kind)), "")
    return message[:1].lower() + message[1:], remedy or "see docs/suites.md"
