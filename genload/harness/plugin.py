"""genload inside Locust: `install()` in a locustfile is all it takes.

Only Locust's public events are used, and the private hooks listed in `locust_hooks`, each held by a test.
"""

from __future__ import annotations

import argparse
import datetime as dt
import logging
import shutil
import signal
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import gevent
from locust import events
from locust.runners import LocalRunner, MasterRunner, WorkerRunner

from genload.code_errors import CodeError, CodeFailure, code_told
from genload.errors import ExitCode, GenloadError, RunDirectoryError, UsageError
from genload.harness import locust_hooks
from genload.harness.conductor import Conductor
from genload.harness.crew import Crew, LocalCrew
from genload.harness.display import Display
from genload.harness.gathering import first_users
from genload.harness.options import add_options, request_from, results_folder, suite_folder
from genload.harness.own_limits import check_limits
from genload.harness.plan import RunPlan, make_plan
from genload.harness.process import LoadProcess
from genload.harness.readiness import told_at_once
from genload.harness.remote_crew import RemoteCrew
from genload.harness.scenario_shape import ScenarioShape
from genload.harness.users import REST_S, LoadUser, check_users
from genload.harness.web import guard_form, show_run
from genload.harness.worker_link import WorkerLink
from genload.runlog.failures import FailedOutput
from genload.runlog.layout import check_results_folder
from genload.runlog.records import RequestRecord
from genload.terminal import write_anything

logger = logging.getLogger(__name__)


def install() -> None:
    """Tie genload to this process's Locust. Call it once, at the top of a locustfile."""
    write_anything()
    locust_hooks.keep_measuring()
    web = _WebFlag()
    events.init_command_line_parser.add_listener(
        lambda parser, **_: add_options(parser, web_scenario=web.scenario)
    )
    events.init.add_listener(
        lambda environment, runner, web_ui, **_: _on_init(environment, runner, web_ui, web)
    )


class _WebFlag:
    """Locust builds its parser once for the command line and again for every view of the web form."""

    scenario: str | None = None


def _on_init(environment: Any, runner: Any, web_ui: Any, web: _WebFlag) -> None:
    locust_hooks.apply()
    if isinstance(runner, WorkerRunner):
        link = WorkerLink(runner)
        environment.genload = link.process
        locust_hooks.record_first(environment, link.process.recorder.on_request)
        _watch_code(environment, link.process)
        Leaver(environment, runner, link).attach()
        return
    assert isinstance(runner, LocalRunner | MasterRunner)  # noqa: S101  Locust has no others
    options = environment.parsed_options
    if web_ui is not None:
        web.scenario = options.scenario
    plan: RunPlan | None = None
    try:
        # A web page without a scenario lets its user choose one.
        if options.scenario or web_ui is None or options.autostart:
            plan = plan_for(environment, options)
        else:
            check_results_folder(results_folder(options))
    except GenloadError as error:
        _exit(error)
    # A run by `genload run` has been told already.
    if plan is not None and not options.suite_folder and (words := told_at_once(plan)):
        print(words, file=sys.stderr, flush=True)
    Director(environment, runner, web_ui, plan).attach()


def _watch_code(environment: Any, process: LoadProcess) -> None:
    """Whatever the code of users raises in this process is told once, and not in thousands of lines."""

    def blame(error: BaseException, user: Any) -> bool:
        if process.plan is None:
            return False
        process.blame(error)
        if isinstance(user, LoadUser):
            user.leave()
        return True

    def rest(exception: BaseException, **_: Any) -> None:
        # In the greenlet of the user, which would otherwise go on at once, and raise again.
        blame(exception, None)
        gevent.sleep(REST_S)

    locust_hooks.watch_code(environment, blame)
    environment.events.user_error.add_listener(rest)


def plan_for(environment: Any, options: Any) -> RunPlan:
    """What the options ask for.

    Raises:
        UsageError, ConfigError: it cannot be run, or not with this locustfile's users.
    """
    # A master asks whether the service is ready; the users and what they send are elsewhere.
    elsewhere = isinstance(environment.runner, MasterRunner)
    plan = make_plan(request_from(options), inputs_elsewhere=elsewhere)
    check_users(environment.user_classes, plan)
    if not elsewhere:
        check_limits(plan, plan.timeline.max_users)
    return plan


def _exit(error: GenloadError) -> None:
    print(error.render(), file=sys.stderr)
    sys.exit(int(error.exit_code))


class Leaver:
    """On a worker: however it is ended, what its users did reaches the master.

    Ctrl-C reaches a master and its workers at once when they share a terminal, so the first one only stops
    new work: the master ends the run.
    """

    def __init__(self, environment: Any, runner: WorkerRunner, link: WorkerLink) -> None:
        self._environment, self._runner, self._link = environment, runner, link
        self._interrupted = False

    def attach(self) -> None:
        # Before the runner's own `quitting` listener, which tells the master that this worker is gone.
        self._environment.events.quitting.add_listener(lambda **_: self._leave())
        gevent.signal_handler(signal.SIGINT, self._on_interrupt)
        if hasattr(signal, "SIGHUP"):
            gevent.signal_handler(signal.SIGHUP, self._end)

    def _on_interrupt(self) -> None:
        if not self._interrupted:
            self._interrupted = True
            self._link.drain()
        self._end()

    def _end(self) -> None:
        self._leave()
        self._runner.quit()

    def _leave(self) -> None:
        if self._link.leave():
            self._environment.process_exit_code = int(ExitCode.INTERRUPTED)


class Director:
    """On the master, or in a lone process: starts a conductor for each run and reports when it has ended."""

    def __init__(self, environment: Any, runner: Any, web_ui: Any, plan: RunPlan | None) -> None:
        self.environment, self.runner, self.web_ui = environment, runner, web_ui
        # Frozen when a run begins: a second POST to /swarm changes the options of a running test.
        self.plan = plan  # None until a scenario is chosen
        self.conductor: Conductor | None = None
        self.display: Display | None = None
        self._began = False
        self._reporter: gevent.Greenlet | None = None
        self._signal = ""
        self.crew: Crew
        if isinstance(runner, MasterRunner):
            self.crew = RemoteCrew(
                runner, self._add, self._worker_lost, self._keep, self._notice, self._blame
            )
        else:
            process = LoadProcess(self._add, self._keep, self._blame)
            self.crew = LocalCrew(process)
            environment.genload = process
            locust_hooks.record_first(environment, process.recorder.on_request)
            _watch_code(environment, process)

    def attach(self) -> None:
        """Register with Locust. Ours come before the runner's own `quitting` listeners, which is what
        fires in reverse.
        """
        environment = self.environment
        environment.shape_class = ScenarioShape(self.users_wanted)
        environment.shape_class.runner = self.runner
        if self.plan is not None:
            environment.host = environment.host or self.plan.service.host
        environment.parsed_options.only_summary = True  # our own display takes the place of Locust's table
        environment.events.test_start.add_listener(lambda **_: self.begin())
        environment.events.test_stopping.add_listener(lambda **_: self.wind_down())
        environment.events.test_stop.add_listener(lambda **_: self.report())
        environment.events.quitting.add_listener(lambda **_: self.quit())
        if self.web_ui is not None:
            scenario = environment.parsed_options.scenario
            guard_form(self.web_ui.app, scenario, self._is_running, self._check_form)
            show_run(self.web_ui.app, self._is_running, self._users_at_work)
        self._catch_signals()

    # ---- Locust's events

    def users_wanted(self) -> tuple[int, float] | None:
        """For the shape. The answer to a run's first tick makes Locust fire `test_start`."""
        if self._began:
            return None if self.conductor is None else self.conductor.users_wanted()
        try:
            if self.web_ui is not None or self.plan is None:
                self.plan = plan_for(self.environment, self.environment.parsed_options)
        except GenloadError as error:
            self._fail(error)
            return None
        users = first_users(self.plan)
        return users, float(users)

    def begin(self) -> None:
        """A run starts, and its users come right after."""
        self._reporter, self.conductor, self.display = None, None, None
        plan = self.plan
        assert plan is not None  # noqa: S101  the shape's first tick has made one
        try:
            stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%SZ")
            self.folder = suite_folder(self.environment.parsed_options, plan.suite.name, stamp)
            self.conductor = Conductor(
                plan, self.folder / plan.scenario_name, self.crew, lambda: self.runner.user_count
            )
            with code_told(ExitCode.INVALID):
                self.conductor.start()
            if self._reporter is None:  # the last worker may have left meanwhile
                self.display = Display(self.conductor, self.runner)
                self.display.start()
        except GenloadError as error:
            if self.conductor is not None:  # it has made its folder, where no run was before
                _remove(self.conductor.folder)
            self.conductor = None
            self._fail(error)
        self._began = True

    def wind_down(self) -> None:
        """Locust is about to stop: wait for what is in flight first. Its own `stop_timeout` is ignored
        when distributed.
        """
        if self.conductor is None:
            return
        if self._signal:
            self.conductor.wind_down(self._signal)
        elif isinstance(self.runner, MasterRunner) and self.runner.worker_count == 0:
            self.conductor.wind_down(
                ""
            )  # nobody interrupts: the lost workers are the reason, and told as such
        else:
            self.conductor.wind_down("the test itself" if self.web_ui is None else "the web UI")

    def report(self) -> None:
        """Every user has ended: close the run directory and say the verdict, unless `genload run` does."""
        self._began = False
        if self.conductor is not None and self._reporter is None:
            # In a greenlet of its own: Locust may stop twice at once, and kill the first in the middle.
            self._reporter = gevent.spawn(self._report, self.conductor)
        if self._reporter is not None:
            self._reporter.join()

    def _report(self, conductor: Conductor) -> None:
        self.environment.process_exit_code = int(ExitCode.INVALID)  # until there is a verdict
        if self.display is not None:
            self.display.stop()
        conductor.finalize()
        if isinstance(conductor.error, UsageError):
            _remove(conductor.folder)
            self._fail(conductor.error)
            return
        if conductor.error is not None:
            self._fail(conductor.error)
        code = int(ExitCode.PASSED)
        if not self.environment.parsed_options.suite_folder:  # `genload run` judges its scenarios itself
            try:
                code = self._judge(conductor)
            except GenloadError as error:
                # What could not be recorded can often not be judged either: the reason has been told.
                if not isinstance(conductor.error, RunDirectoryError):
                    self._fail(error)
                return
        self.environment.process_exit_code = (
            int(conductor.error.exit_code) if conductor.error is not None else code
        )

    def quit(self) -> None:
        """Locust reads the exit code right after this. On SIGTERM nothing has been stopped yet."""
        if self.conductor is not None and self._reporter is None:
            if self.web_ui is not None:
                self._signal = self._signal or "SIGTERM"
            self.runner.stop()
            if self.conductor.begun:
                self.wind_down()  # where Locust had been stopping already, and was cut off in it
        self.report()

    # ----

    def _judge(self, conductor: Conductor) -> int:
        with self.display.told("judging …") if self.display is not None else nullcontext():
            # Only here, and never on a worker: scipy and the report writers take a second to import.
            from genload import console, reporting
            from genload.analysis.judge import judge, suite_exit_code

            judged = judge(conductor.folder)
            suite = reporting.suite_of([judged])
            broken: list[CodeError] = []
            names = conductor.plan.suite.reports
            files = reporting.write_reports(suite, self.folder, names, broken.append)
        console.print_verdict(judged, files)
        for error in broken:
            print(error.render(), file=sys.stderr, flush=True)
        return suite_exit_code([judged.verdict.exit_code, *(error.exit_code for error in broken)])

    def _is_running(self) -> bool:
        # Locust's own state says "ready" until the first users are there.
        return self.runner.shape_greenlet is not None or self.runner.state not in ("ready", "stopped")

    def _users_at_work(self) -> int:
        if self.conductor is None:
            return 0
        status = self.conductor.crew.status()
        return status.working + status.leaving

    def _check_form(self, fields: dict[str, str]) -> None:
        if isinstance(self.runner, MasterRunner) and not self.runner.clients.ready:
            # Locust would say yes, and wait for ever.
            raise UsageError("no worker is connected", remedy="start one: locust -f … --worker")
        options = argparse.Namespace(**vars(self.environment.parsed_options))
        options.host = fields.get("host") or options.host
        for name in ("scenario", "time_scale", "seed"):
            setattr(options, name, fields.get(name, getattr(options, name)))
        plan_for(self.environment, options)

    def _add(self, record: RequestRecord) -> None:
        if self.conductor is not None:
            self.conductor.add(record)

    def _keep(self, output: FailedOutput) -> None:
        if self.conductor is not None:
            self.conductor.journal.failures.keep(output)

    def _blame(self, failure: CodeFailure) -> None:
        if self.conductor is not None:
            self.conductor.journal.blame(failure)

    def _worker_lost(self, source: str, heard_s: float | None) -> None:
        if self.conductor is not None:
            self.conductor.worker_lost(source, heard_s)

    def _notice(self, code: str, text: str) -> None:
        if self.conductor is not None:
            self.conductor.journal.notice(code, text)

    def _fail(self, error: GenloadError) -> None:
        print(error.render(), file=sys.stderr, flush=True)
        self.environment.process_exit_code = int(error.exit_code)

    def _catch_signals(self) -> None:
        """End on every signal in the same way. Locust catches SIGTERM only once a headless shape has ended,
        SIGHUP never, and Ctrl-C as an exception that a second one raises in the middle of the report.
        """
        names = ["SIGINT", "SIGHUP"] if self.web_ui is not None else ["SIGINT", "SIGTERM", "SIGHUP"]
        for name in names:
            if hasattr(signal, name):
                gevent.signal_handler(getattr(signal, name), self._end_on, name)

    def _end_on(self, name: str) -> None:
        """In a greenlet of its own, for gevent makes one for each signal. Again: do not wait."""
        if self.conductor is None and self.web_ui is None:
            # No run yet: Locust's main greenlet waits for workers, and for nothing else.
            hub = gevent.get_hub()
            hub.loop.run_callback(hub.parent.throw, SystemExit(int(ExitCode.INTERRUPTED)))
            return
        if self._signal and self.conductor is not None:
            self.conductor.hurry()
            return
        self._signal = name
        self.runner.quit()
        if self.web_ui is not None:
            self.web_ui.stop()


def _remove(folder: Path) -> None:
    """A refused run leaves nothing half-written."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.parent.is_dir() and not any(folder.parent.iterdir()):
        folder.parent.rmdir()
