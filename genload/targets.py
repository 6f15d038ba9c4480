"""What is asked for, at whichever door: suites and their scenarios, all of it checked before any load."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from genload import extensions
from genload.beginning import check_beginning, check_listening
from genload.code_errors import code_told
from genload.errors import UsageError
from genload.outlets import NO_OUTLETS, Outlets
from genload.runlog.layout import check_results_folder
from genload.settings.loader import LoadedSuite, load_suite, split_target
from genload.settings.parts import Part, parts_of
from genload.settings.service import Service
from genload.settings.suggestion import suggest
from genload.settings.suite import Suite


@dataclass(frozen=True, slots=True)
class RunRequest:
    """The options of `genload run`, of a plain ``locust -f`` and of the web form.

    Attributes:
        targets: ``suite`` or ``suite/scenario``; a suite is a name or a path.
        asked_for: told to a process that runs one scenario of several: all of them.
        workers: how many processes have the users; None: as many as the load needs.
    """

    targets: tuple[str, ...]
    host: str | None = None
    results: Path = Path("results")
    time_scale: float = 1.0
    rehearsal: bool = False
    seed: int | None = None
    overrides: tuple[str, ...] = ()
    strict: bool = False
    abort_on: str = ""
    asked_for: tuple[str, ...] = ()
    workers: int | None = None
    verbose: bool = False  # verdicts with rules and evidence in sentences
    outlets: Outlets = NO_OUTLETS
    baseline: str | None = None  # what runs are compared with; the suite's own unless given

    @property
    def settings(self) -> tuple[str, ...]:
        """All that is set beside what suites say, as of ``--set``."""
        named = () if self.baseline is None else (f"baseline={json.dumps(self.baseline)}",)
        return (*self.overrides, *named)


@dataclass(frozen=True, slots=True)
class SuiteTarget:
    """One suite, and those of its scenarios that are to be run, in order.

    Attributes:
        request: the options as they hold for this suite.
        asked_for: the suite as the command line, or the one that it follows, named it: a name or a path.
        then: the suites that follow it; none unless all of it was asked for.
        follows: the suite that it follows; "" for one that the command line named.
    """

    request: RunRequest
    asked_for: str
    suite: Suite
    scenarios: tuple[str, ...]
    then: tuple[str, ...] = ()
    follows: str = ""


@code_told()
def checked(request: RunRequest, *, inputs_elsewhere: bool = False) -> list[SuiteTarget]:
    """The suites that a request names; targets of the same suite together, each scenario once.

    Args:
        inputs_elsewhere: the users and what they send are on other machines.

    Raises:
        UsageError, ConfigError: anything wrong with it.
    """
    _check_time_scale(request.time_scale)
    check_results_folder(request.results)
    wanted: dict[str, list[str | None]] = {}
    for target in request.targets:
        name, scenario = split_target(target)
        wanted.setdefault(name, []).append(scenario)
    return [_suite_target(request, name, scenarios, inputs_elsewhere) for name, scenarios in wanted.items()]


@code_told()
def with_followers(request: RunRequest) -> list[SuiteTarget]:
    """The suites that a request names, each with those behind it that follow it.

    Raises:
        UsageError, ConfigError: anything wrong with one of them.
    """
    named = checked(request)
    found = {target.asked_for: target for target in named}
    order: dict[str, SuiteTarget] = {}
    for target in named:
        order.setdefault(target.asked_for, target)
        for name in target.then:
            order.setdefault(name, found.get(name) or _follower(target, name))
    return list(order.values())


def one_scenario(request: RunRequest, *, inputs_elsewhere: bool = False) -> tuple[SuiteTarget, str]:
    """The one scenario that a request for one names, and its suite.

    Raises:
        UsageError, ConfigError: anything wrong with it; it names a suite.
    """
    [asked_for] = request.targets
    [target] = checked(request, inputs_elsewhere=inputs_elsewhere)
    if split_target(asked_for)[1] is None:
        behind = [f"{name}/{scenario}" for name in target.then for scenario in _scenarios(name)]
        known = [f"{asked_for}/{scenario}" for scenario in target.scenarios] + behind
        raise UsageError(
            f"'{asked_for}' names a suite, not a scenario", remedy=f"use one of: {', '.join(known)}"
        )
    return target, target.scenarios[0]


def _follower(leader: SuiteTarget, name: str) -> SuiteTarget:
    """A suite that nobody named: of the options, it has those that are not about the service of another."""
    request = replace(leader.request, targets=(name,), overrides=())
    api = _load(name).suite.service.api
    if api != leader.suite.service.api:
        if request.host is not None:
            raise UsageError(
                f"--host names one service, and {leader.asked_for} is followed by {name}, which tests another"
                f" ({api})",
                remedy=f"run one after the other: {leader.asked_for} with --set 'then=[]', then {name};"
                " or write each host into its suite",
            )
        request = replace(request, time_scale=1.0, rehearsal=False)
    return replace(_suite_target(request, name, [None]), then=(), follows=leader.asked_for)


def _suite_target(
    request: RunRequest, name: str, wanted: Sequence[str | None], inputs_elsewhere: bool = False
) -> SuiteTarget:
    loaded = _load(name, request.settings, request.host)
    suite = loaded.suite
    scenarios: dict[str, None] = {}
    for scenario in wanted:
        if scenario is not None and scenario not in suite.scenarios:
            behind = [f"{each}/{scenario}" for each in loaded.then if scenario in _scenarios(each)]
            raise UsageError(
                f"there is no scenario '{scenario}' in suite {name}",
                remedy=f"use {behind[0]}" if behind else suggest(scenario, suite.scenarios),
            )
        scenarios |= dict.fromkeys(_of_whole(suite) if scenario is None else [scenario])
    checked: list[Service] = []
    for each in scenarios:
        for part in parts_of(suite, each):
            _check_host(request, part)
            service, timeline = part.suite.service_of(each), extensions.Wings().timeline(part.load.shape)
            client_class = extensions.attribute("services", service.api, "Client")
            if service not in checked or timeline.asks:  # most scenarios ask the same way
                check_beginning(client_class, service, timeline.asks, inputs_elsewhere=inputs_elsewhere)
                checked.append(service)
            check_listening(client_class, ".".join(part.path), part.load, timeline)
    then = loaded.then if None in wanted else ()
    return SuiteTarget(request, name, suite, tuple(scenarios), then)


def _of_whole(suite: Suite) -> Collection[str]:
    """The scenarios that a suite is, as a whole: all, where each is on demand."""
    return [name for name, own in suite.scenarios.items() if not own.on_demand] or suite.scenarios


def _check_host(request: RunRequest, part: Part) -> None:
    """One address is not right for two services."""
    own = part.suite.service.host
    if part.population and request.host not in (None, own):
        key = ".".join(part.path)
        raise UsageError(
            f"--host names one service, and the population {part.population} asks another one, {own}",
            remedy=f"--set {key}.service.host={request.host}, or take host out of that population's service",
        )


def _scenarios(name: str) -> Collection[str]:
    return _load(name).suite.scenarios


def _load(name: str, overrides: Sequence[str] = (), host: str | None = None) -> LoadedSuite:
    folders = extensions.suite_folders()
    return load_suite(name, folders=folders, wings=extensions.Wings(), overrides=overrides, host=host)


def _check_time_scale(factor: float) -> None:
    if not (math.isfinite(factor) and 0 < factor <= 1):
        raise UsageError(
            f"--time-scale {factor:g} is not in 0..1",
            remedy="use a factor such as 0.02: 82 s become 1.64 s; leave the option out for real time",
        )
