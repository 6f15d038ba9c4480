"""Whether what a suite says fits together: checked scenario by scenario once all of it is valid by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from genload.errors import ConfigError
from genload.human import human
from genload.settings.criteria.error import CriterionError
from genload.settings.criteria.subjects import subjects
from genload.settings.criteria.validate import check
from genload.settings.goodput import check_limits
from genload.settings.held_criteria import capacity_misfits
from genload.settings.metrics.catalogue import Catalogue
from genload.settings.parts import Part, parts_of
from genload.settings.phases import Timeline
from genload.settings.scenario_catalogue import scenario_catalogue
from genload.settings.suggestion import suggest
from genload.settings.suite import Suite
from genload.settings.wing_models import WingModels
from genload.settings.yaml_tree import Tree


def misfits(suite: Suite, tree: Tree, wings: WingModels) -> list[ConfigError]:
    """All that does not fit.

    Args:
        tree: what the suite was read from.
    """
    parts = [part for name in suite.scenarios for part in parts_of(suite, name)]
    errors = [*_identity_errors(suite, tree, [])]
    for part in parts:
        if part.suite.service is not suite.service:
            errors += _identity_errors(part.suite, tree, part.path)
        errors += _criteria_errors(part, tree, wings)
    errors += [error for name in suite.scenarios for error in _unknown_populations(suite, name, tree)]
    if errors:
        return errors
    for part in parts:
        errors += _users_errors(part, tree, wings)
        errors += _phases_errors(part, suite, tree, wings) if part.population else ()
    return errors


def _error(part: Part, below: Sequence[str], tree: Tree, text: str, remedy: str) -> ConfigError:
    path = [*part.path, *below]
    return tree.nearest(path).error(text, remedy=remedy, key=".".join(path))


def _identity_errors(suite: Suite, tree: Tree, path: Sequence[str]) -> Iterator[ConfigError]:
    """Facts that are asked of a monitor which the suite does not have.

    Args:
        path: of what has the service.
    """
    for name, source in suite.service.identity.items():
        if source.monitor is not None and source.monitor not in suite.monitors:
            below = [*path, "service", "identity", name, "monitor"]
            yield tree.nearest(below).error(
                f"the suite has no monitor '{source.monitor}'",
                remedy=f"{suggest(source.monitor, suite.monitors)}; or add it under monitors",
                key=".".join(below),
            )


def _unknown_populations(suite: Suite, scenario: str, tree: Tree) -> Iterator[ConfigError]:
    """Whose users a shape counts without their being in the scenario."""
    own, path = suite.scenarios[scenario], ["scenarios", scenario, "shape"]
    for unknown in sorted(set(own.shape.populations) - own.populations.keys()):
        known = f"{suggest(unknown, own.populations)}; or " if own.populations else ""
        yield tree.nearest(path).error(
            f"the scenario has no population '{unknown}'",
            remedy=f"{known}add it under populations",
            key=".".join(path),
        )


def _phases_errors(part: Part, suite: Suite, tree: Tree, wings: WingModels) -> Iterator[ConfigError]:
    """Populations are at work at the same time: phase by phase."""
    if part.load.idle_s is not None:
        yield _error(
            part, ["idle"], tree, "a cold start is of one service alone", "put it into a scenario of its own"
        )
    ours = wings.timeline(part.load.shape)
    if ours.iterations is not None:
        text = "a load that counts its requests has no time in common with another population's"
        yield _error(part, ["shape"], tree, text, "take a shape whose phases have a duration")
        return
    common = wings.timeline(suite.scenarios[part.scenario].shape)
    if [(p.name, p.duration_s) for p in ours.phases] != [(p.name, p.duration_s) for p in common.phases]:
        yield _error(
            part,
            ["shape"],
            tree,
            f"its phases ({_told(ours)}) are not those of the scenario ({_told(common)})",
            "give both the same phases: the scenario's shape may be of kind phases, and those of an open "
            "population stages with their names",
        )


def _told(timeline: Timeline) -> str:
    return ", ".join(
        f"{phase.name} {human(phase.duration_s, 's') if phase.duration_s else ''}".strip()
        for phase in timeline.phases
    )


def _users_errors(part: Part, tree: Tree, wings: WingModels) -> Iterator[ConfigError]:
    """Several users of a service that cannot tell one's results from another's."""
    users = wings.timeline(part.load.shape).max_users
    if users > 1 and (reason := wings.one_user_alone(part.suite.service_of(part.scenario))):
        yield _error(
            part,
            ["shape"],
            tree,
            f"{users} users would take each other's results: {reason}",
            "let that call name something of the job, such as a captured {id}; or take one user",
        )


def _goodput_errors(part: Part, catalogue: Catalogue, tree: Tree) -> Iterator[ConfigError]:
    """Limits of goodput that no request could keep, and criteria on it without limits."""
    limits = part.suite.goodput_of(part.scenario)
    try:
        check_limits(limits, catalogue.metrics.values())
    except ValueError as error:
        path = ["goodput"] if part.load.goodput is None else [*part.path, "goodput"]
        yield tree.nearest(path).error(str(error), remedy="correct that limit", key=".".join(path))
    for name, criterion in part.load.criteria.items():
        named = {subject.metric.partition(".")[2] for subject in subjects(criterion.expression)}
        if not limits and named & {"goodput", "goodput_throughput"}:
            remedy = "say what is good: goodput: {duration: 5s} of the suite or the scenario"
            yield _error(part, ["criteria", name], tree, "goodput without a limit", remedy)


def _criteria_errors(part: Part, tree: Tree, wings: WingModels) -> Iterator[ConfigError]:
    """What in the criteria, or between a shape's settings, does not fit."""
    try:
        catalogue = scenario_catalogue(part.suite, part.scenario, wings)
    except ValueError as error:
        yield _error(part, ["shape"], tree, str(error), "change the shape's settings")
        return
    yield from _goodput_errors(part, catalogue, tree)
    for below, text, remedy in capacity_misfits(part.load, catalogue):
        yield _error(part, below, tree, text, remedy)
    for name, criterion in part.load.criteria.items():
        try:
            check(criterion.expression, catalogue)
        except CriterionError as error:
            yield _error(part, ["criteria", name], tree, str(error), error.remedy)
