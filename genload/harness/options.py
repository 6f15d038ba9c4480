"""genload's options on Locust's command line and in its web form."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from genload import extensions
from genload.errors import UsageError
from genload.outlets import LOOPBACK, Outlets, outlets
from genload.settings.loader import scenario_names
from genload.targets import RunRequest

Number = TypeVar("Number", int, float)

ABORT_ON = ("", "hopeless")
WEB_FORM_FIELDS = ("scenario", "host", "time_scale", "rehearsal", "seed", "strict", "abort_on")


def add_options(parser: Any, *, web_scenario: str | None) -> None:
    """Listener for `init_command_line_parser`.

    Options go to the parser itself: those in a group of their own do not appear in the web form.
    `choices` makes the form's dropdown; on the command line a wrong name gets our own message instead.

    Args:
        web_scenario: the scenario that a web UI was started with, which may be a path, and "" when it is to
            be chosen there; None before there is a web UI.
    """
    choices = None
    if web_scenario is not None:
        # Locust parses its command line again for each view of the form, and a wrong choice would end it.
        # The first is what the form shows of itself.
        choices = list(dict.fromkeys((web_scenario, *known_scenarios())))
    parser.add_argument(
        "--scenario",
        metavar="SUITE/NAME",
        default="",
        choices=choices,
        help="Which load to run, such as orfeas/spike",
    )
    parser.add_argument(
        "--results",
        metavar="DIR",
        default="results",
        include_in_web_ui=False,
        help="Where run directories and reports go",
    )
    parser.add_argument(
        "--suite-folder", metavar="DIR", default="", include_in_web_ui=False, help=argparse.SUPPRESS
    )
    parser.add_argument(
        "--asked-for", metavar="NAME,…", default="", include_in_web_ui=False, help=argparse.SUPPRESS
    )
    parser.add_argument(
        "--time-scale",
        metavar="X",
        default="1",
        help="0.02 rehearses 82 s in 1.64 s, against a service whose time is modelled",
    )
    parser.add_argument(
        "--rehearsal",
        action="store_true",
        default=False,
        help="Allow --time-scale against a real service; the report says so",
    )
    parser.add_argument(
        "--seed", metavar="N", default="", help="Repeat the inputs and pauses of an earlier run"
    )
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        include_in_web_ui=False,
        help="Override a setting of the suite, such as service.timeout=400s",
    )
    parser.add_argument(
        "--strict", action="store_true", default=False, help="Pass only on exact or proven evidence"
    )
    parser.add_argument(
        "--abort-on",
        choices=ABORT_ON,
        default="",
        help="hopeless: end the load as soon as a `must` criterion can no longer hold",
    )
    parser.add_argument(
        "--verbose",
        action="store_true",
        default=False,
        include_in_web_ui=False,
        help="Each criterion of the verdict with its rule and its evidence in a sentence",
    )
    parser.add_argument(
        "--metrics-port",
        metavar="PORT",
        default="",
        include_in_web_ui=False,
        help="Show the run as metrics, for a Prometheus; 0 takes a free port",
    )
    parser.add_argument(
        "--metrics-host",
        metavar="ADDRESS",
        default=LOOPBACK,
        include_in_web_ui=False,
        help="At which address the metrics page listens",
    )
    parser.add_argument(
        "--linger",
        metavar="30s",
        default="",
        include_in_web_ui=False,
        help="How long the metrics page stays after the run",
    )
    parser.add_argument(
        "--push-metrics",
        metavar="URL",
        default="",
        include_in_web_ui=False,
        help="Push the metrics to a Pushgateway after the run",
    )
    # Locust's own defaults listen on every interface, without a password.
    parser.set_defaults(web_host=LOOPBACK, master_bind_host=LOOPBACK)


def known_scenarios() -> list[str]:
    """Every ``suite/scenario`` of the project's and the built-in suites."""
    return scenario_names(extensions.suite_folders())


def request_from(options: Any) -> RunRequest:
    """What the parsed options ask for. The web form hands over text whatever the option's type was.

    Raises:
        UsageError: no scenario, a number that is none, or a Locust option that contradicts a scenario.
    """
    if not options.scenario:
        listing = "\n".join(f"  {name}" for name in known_scenarios())
        raise UsageError(f"which scenario?\n{listing}", remedy="add --scenario NAME")
    for name, option in (("num_users", "-u"), ("spawn_rate", "-r"), ("run_time", "-t")):
        if getattr(options, name, None):
            raise UsageError(
                f"{option} and --scenario contradict each other: a scenario has its own users and times",
                remedy=f"leave {option} out",
            )
    return RunRequest(
        targets=(options.scenario,),
        host=options.host.rstrip("/") if options.host else None,
        results=results_folder(options),
        time_scale=_number(options.time_scale, "--time-scale", float),
        rehearsal=bool(options.rehearsal),
        seed=_number(options.seed, "--seed", int) if str(options.seed) else None,
        overrides=tuple(options.set),
        strict=bool(options.strict),
        abort_on=options.abort_on,
        asked_for=tuple(filter(None, options.asked_for.split(","))),
    )


def outlets_from(options: Any) -> Outlets:
    """Where the parsed options want the run's numbers to go.

    Raises:
        UsageError: there can be no such outlet.
    """
    return outlets(
        metrics_port=options.metrics_port,
        metrics_host=options.metrics_host,
        linger=options.linger,
        push_metrics=options.push_metrics,
        otel=bool(options.otel),
    )


def _number(text: Any, option: str, kind: Callable[[str], Number]) -> Number:
    try:
        return kind(str(text))
    except ValueError:
        raise UsageError(
            f"{option} {text} is no number",
            remedy=f"write it as in {option} {'0.02' if kind is float else '7'}",
        ) from None


def results_folder(options: Any) -> Path:
    """Where the run's folder is made, or is already."""
    return Path(options.suite_folder or options.results)


def suite_folder(options: Any, suite_name: str, stamp: str) -> Path:
    """Where this run's directory and reports go: ``DIR/<suite>-<UTC time>/``, or where `genload run` said."""
    return (
        Path(options.suite_folder)
        if options.suite_folder
        else Path(options.results) / f"{suite_name}-{stamp}"
    )
