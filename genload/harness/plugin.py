"""genload as a plugin of Locust. A locustfile only has to call `install()`.

genload uses Locust's public events, and a few private functions. The private ones are all in `locust_hooks`,
and a test checks each of them.
"""

from __future__ import annotations

import sys
import time
from functools import cache
from typing import Any

import gevent
from locust import events
from locust.runners import LocalRunner, MasterRunner, WorkerRunner

from genload.errors import GenloadError
from genload.harness import locust_hooks
from genload.harness.options import add_options, outlets_from, results_folder
from genload.harness.own_users import take_users
from genload.harness.plan import RunPlan
from genload.harness.shared_clock import clock_name
from genload.harness.worker_end import WorkerEnd
from genload.harness.worker_link import WorkerLink
from genload.runlog.layout import check_results_folder
from genload.terminal import write_anything

WORKERS_COME_S, WORKERS_POLL_S = 2.0, 0.01


@cache
def install() -> None:
    """Connect genload to Locust in this process. To be called at the beginning of each locustfile; of several
    files, the first one does it.
    """
    write_anything()
    locust_hooks.keep_measuring()
    locust_hooks.count_in_blocks()
    locust_hooks.send_own_traces()
    # Locust makes its parser once for the command line, and then again whenever it shows the web form.
    web_scenario: str | None = None

    def on_parser(parser: Any, **_: Any) -> None:
        add_options(parser, web_scenario=web_scenario)

    def on_init(environment: Any, runner: Any, web_ui: Any, **_: Any) -> None:
        nonlocal web_scenario
        locust_hooks.apply()
        if web_ui is not None:
            web_scenario = environment.parsed_options.scenario
        if isinstance(runner, WorkerRunner):
            _begin_worker(environment, runner)
        else:
            _begin_runs(environment, runner, web_ui)

    events.init_command_line_parser.add_listener(on_parser)
    events.init.add_listener(on_init)


def _begin_worker(environment: Any, runner: WorkerRunner) -> None:
    link = WorkerLink(runner, clock_name=clock_name())
    take_users(environment, link.process)
    WorkerEnd(environment, runner, link).attach()


def _begin_runs(environment: Any, runner: Any, web_ui: Any) -> None:
    """On a master, or in a process without workers. If the run cannot be made, the process ends before any
    load."""
    # Here, not above: a worker needs none of it, and would import the analysis with it.
    from genload.harness.locust_runs import LocustRuns, plan_for
    from genload.harness.outside import Outside
    from genload.harness.readiness import told_at_once

    assert isinstance(runner, LocalRunner | MasterRunner)  # noqa: S101  Locust has no others
    options = environment.parsed_options
    plan: RunPlan | None = None
    try:
        outlets = outlets_from(options)
        # If the web page is started without a scenario, its user chooses one there.
        if options.scenario or web_ui is None or options.autostart:
            plan = plan_for(environment, options)
        else:
            check_results_folder(results_folder(options))
        outside = Outside(outlets)
    except GenloadError as error:
        print(error.render(), file=sys.stderr)
        sys.exit(int(error.exit_code))
    # `genload run` has asked the service already, and has said the same.
    for own in () if plan is None or options.suite_folder else plan.populations:
        if words := told_at_once(own):
            print(words, file=sys.stderr, flush=True)
    LocustRuns(environment, runner, web_ui, plan, outside).attach()
    if isinstance(runner, MasterRunner):
        _let_workers_come(runner, options.processes or 0)


def _let_workers_come(runner: MasterRunner, workers: int) -> None:
    """Those of this machine are there in milliseconds; Locust looks for them once a second."""
    deadline_s = time.monotonic() + WORKERS_COME_S
    while len(runner.clients.ready) < workers and time.monotonic() < deadline_s:
        gevent.sleep(WORKERS_POLL_S)
