"""``--criteria FILE``: rules to judge a finished run by, checked against what that run recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from genload.analysis.observe import nameable
from genload.errors import ConfigError
from genload.runlog.records import RunHeader
from genload.settings.criteria.criterion import Criterion
from genload.settings.criteria.error import CriterionError
from genload.settings.criteria.validate import check
from genload.settings.criteria.write import to_text
from genload.settings.metrics.catalogue import Catalogue
from genload.settings.scaling import scale_expression
from genload.settings.scenario import CriterionName
from genload.settings.suggestion import suggest
from genload.settings.yaml_tree import MAX_BYTES, Place, Tree, read_tree

_REMEDY = "write  name: generate.error_rate < 1%  lines, or such lines under the name of each scenario"
_NAME: TypeAdapter[str] = TypeAdapter(CriterionName)
_RULE_KEYS = {"holds", "must"}


class CriteriaFile:
    """``name: rule`` for every scenario, or ``scenario: {name: rule}``; of a scenario with populations
    ``scenario/population: {name: rule}``.

    Rules are in modelled time, as a suite's are: for a run at a time scale they are scaled like those.

    Raises:
        ConfigError: the file cannot be read, or is neither.
    """

    def __init__(self, path: Path) -> None:
        self._tree = _read(path)

    def of(self, header: RunHeader) -> dict[str, Criterion] | None:
        """The criteria for a run, or for one population of it; None when the file has none for it.

        Raises:
            ConfigError: a rule that cannot be read, or names what the run does not have.
        """
        rules = self._rules_for(header)
        if rules is None:
            return None
        catalogue = nameable(header)
        return {name: _criterion(name, tree, header.time_scale, catalogue) for name, tree in rules.items()}

    def _rules_for(self, header: RunHeader) -> Mapping[str, Tree] | None:
        entries: Mapping[str, Tree] = self._tree.value
        by_scenario = [isinstance(e.value, dict) and not _RULE_KEYS & set(e.value) for e in entries.values()]
        if not any(by_scenario):
            return entries
        scenarios = _names(header.requested)
        for (name, tree), is_scenario in zip(entries.items(), by_scenario, strict=True):
            if not is_scenario:
                raise tree.place.error("a rule stands beside scenarios", remedy=_REMEDY, key=name)
            if name not in scenarios:
                text = f"there is no scenario '{name}' in this suite"
                raise tree.place.error(text, remedy=suggest(name, scenarios), key=name)
        population = f"/{header.population}" if header.population else ""
        found = entries.get(f"{header.scenario}{population}")
        return None if found is None else found.value


def _names(suite: Mapping[str, Any]) -> list[str]:
    """What a suite's scenarios are called, with their populations where they have some."""
    return [
        f"{name}/{population}" if population else name
        for name, scenario in suite.get("scenarios", {}).items()
        for population in (scenario.get("populations") or [""])
    ]


def _read(path: Path) -> Tree:
    place = Place(str(path))
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        raise place.error(f"the criteria cannot be read: {reason}", remedy="check the path") from error
    tree = read_tree(content, str(path))
    if not isinstance(tree.value, dict) or not tree.value:
        raise place.error("the file holds no criteria", remedy=_REMEDY)
    return tree


def _criterion(name: str, tree: Tree, time_scale: float, catalogue: Catalogue) -> Criterion:
    try:
        _NAME.validate_python(name)
        written = Criterion.model_validate(tree.data())
        scaled = (
            to_text(scale_expression(written.expression, time_scale)) if time_scale != 1 else written.holds
        )
        criterion = Criterion(holds=scaled, must=written.must)
        check(criterion.expression, catalogue)
    except CriterionError as error:
        raise tree.place.error(str(error), remedy=error.remedy, key=name) from error
    except ValidationError as error:
        raise _unreadable(name, tree, error) from error
    return criterion


def _unreadable(name: str, tree: Tree, error: ValidationError) -> ConfigError:
    cause = next(_causes(error), None)
    if cause is not None:
        return tree.place.error(str(cause), remedy=cause.remedy, key=name)
    return tree.place.error("this is no rule", remedy=_REMEDY, key=name)


def _causes(error: ValidationError) -> Iterator[CriterionError]:
    """The grammar's own errors inside pydantic's."""
    for one in error.errors(include_url=False, include_input=False):
        cause = one.get("ctx", {}).get("error")
        if isinstance(cause, CriterionError):
            yield cause
