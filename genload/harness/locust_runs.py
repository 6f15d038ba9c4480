"""Makes the runs that Locust starts, one after another; on the master, or in a process without workers."""

from __future__ import annotations

import argparse
import datetime as dt
import logging
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gevent
from locust.runners import MasterRunner

from genload.code_errors import CodeError, CodeFailure, code_told
from genload.errors import ExitCode, GenloadError, RunDirectoryError, UsageError, suite_exit_code
from genload.harness.crew import Crew, LocalCrew
from genload.harness.display import Display
from genload.harness.gathering import first_users
from genload.harness.options import request_from, suite_folder
from genload.harness.outside import Outside
from genload.harness.own_limits import check_limits
from genload.harness.own_users import take_users
from genload.harness.plan import RunPlan, make_plan
from genload.harness.process import LoadProcess
from genload.harness.readiness import check_anyone_there
from genload.harness.remote_crew import RemoteCrew
from genload.harness.run import Run
from genload.harness.scenario_shape import ScenarioShape
from genload.harness.shared_clock import clock_name
from genload.harness.user_classes import Staff, Wanted, check_classes, take_classes
from genload.harness.web import guard_form, show_run
from genload.runlog.failures import FailedOutput
from genload.runlog.records import RequestRecord

if TYPE_CHECKING:
    from genload.analysis.judged import JudgedRun
    from genload.harness.scenario_page import ScenarioPage

logger = logging.getLogger(__name__)


def plan_for(environment: Any, options: Any) -> RunPlan:
    """The plan of the run that the options ask for.

    Raises:
        UsageError, ConfigError: there is no such run, or the users of this locustfile cannot do it.
    """
    # On a master there are neither users nor the files that they send, unless it started its workers itself.
    elsewhere = isinstance(environment.runner, MasterRunner) and not options.processes
    plan = make_plan(request_from(options), inputs_elsewhere=elsewhere)
    check_classes(environment, plan)
    if not elsewhere:
        check_limits(plan, options.processes or 1)
    return plan


class LocustRuns:
    """Begins a `Run` whenever Locust starts its test, and prints the verdict when the run has ended."""

    def __init__(
        self,
        environment: Any,
        runner: Any,
        web_ui: Any,
        plan: RunPlan | None,
        outside: Outside,
    ) -> None:
        self._outside = outside
        self.environment, self.runner, self.web_ui = environment, runner, web_ui
        # The plan does not change while a run goes on, though a second POST to /swarm changes Locust's
        # options.
        self.plan = plan  # None until a scenario is chosen
        self.run: Run | None = None
        self.display: Display | None = None
        self._staff: Staff
        self._began = self._asked = False
        self._first: Wanted | None = None
        self._reporter: gevent.Greenlet | None = None
        self._signal = ""
        self._page: ScenarioPage | None = None
        self.crew: Crew
        if isinstance(runner, MasterRunner):
            self.crew = RemoteCrew(
                runner,
                self._add,
                self._worker_lost,
                self._keep,
                self._notice,
                self._blame,
                clock_name=clock_name(),
            )
        else:
            process = LoadProcess(self._add, self._keep, self._blame)
            self.crew = LocalCrew(process)
            take_users(environment, process)

    def attach(self) -> None:
        """Add our listeners to Locust's events. Locust calls the listeners of `quitting` in reverse order,
        and ours must be called before those of its runner.
        """
        environment = self.environment
        environment.shape_class = ScenarioShape(self.users_wanted)
        environment.shape_class.runner = self.runner
        if self.plan is not None:
            environment.host = environment.host or self.plan.service.host
        environment.parsed_options.only_summary = True  # our own display, and not Locust's table
        environment.events.test_start.add_listener(lambda **_: self.begin())
        environment.events.test_stopping.add_listener(lambda **_: self.wind_down())
        environment.events.test_stop.add_listener(lambda **_: self.report())
        environment.events.quitting.add_listener(lambda **_: self.quit())
        if self.web_ui is None:
            # By then the workers have ended, too.
            environment.events.quit.add_listener(lambda **_: self._linger())
        if self.web_ui is not None:
            scenario = environment.parsed_options.scenario
            guard_form(self.web_ui.app, scenario, self._is_running, self._check_form)
            show_run(self.web_ui.app, self._is_running, self._users_at_work)
            self._page = _scenario_page(self.web_ui, environment.parsed_options, self._is_running)
        self._catch_signals()

    # ---- Locust's events

    def users_wanted(self) -> Wanted | None:
        """(users, spawn rate) for the shape; None if the run has ended. After the first answer Locust fires
        `test_start`."""
        self._asked = True
        wanted = self._wanted()
        self._asked = wanted is None  # Locust quits then
        return wanted

    def _wanted(self) -> Wanted | None:
        if self._began:
            if self.run is None:
                return None
            return self._staff.next() or self.run.users_wanted()
        if self._first is not None:
            return self._first  # at another answer Locust starts anew, and kills a start that takes long
        try:
            if self.web_ui is not None or self.plan is None:
                self.plan = plan_for(self.environment, self.environment.parsed_options)
            self._staff = Staff(self.plan, take_classes(self.environment, self.plan))
        except GenloadError as error:
            self._fail(error)
            return None
        users = first_users(self.plan)
        self._first = self._staff.next() or (users, float(users))
        return self._first

    def begin(self) -> None:
        """Begin a run. Its users are started right afterwards."""
        self._reporter, self.run, self.display = None, None, None
        plan = self.plan
        assert plan is not None  # noqa: S101  the shape's first tick has made one
        try:
            stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%SZ")
            self.folder = suite_folder(self.environment.parsed_options, plan.suite.name, stamp)
            self.run = Run(
                plan,
                self.folder / plan.scenario_name,
                self.crew,
                lambda: self.runner.user_count,
                watched=self._watched(plan),
            )
            with code_told(ExitCode.INVALID):
                self.run.start()
                gevent.spawn(self._end_with, self.run)
            if self._reporter is None:  # it is not None if the last worker has left meanwhile
                self.display = Display(self.run)
                self.display.start()
                if self._page is not None:
                    self._page.began(self.run)
                self._outside.began(self.run, self.folder)
        except GenloadError as error:
            if self.run is not None:  # the run has made its folder, which was not there before
                _remove(self.run.folder)
            self.run = None
            self._fail(error)
        self._began = True

    def _end_with(self, run: Run) -> None:
        """Let Locust quit when the run has ended: it would ask its shape once more, up to a second later."""
        run.wait_until_done()
        shape = self.runner.shape_greenlet
        if self.web_ui is None and run.ends_itself and not self._asked and shape is not None:
            shape.kill(block=False)

    def wind_down(self) -> None:
        """Called when Locust is about to stop: first wait for the requests in flight. Locust itself does not
        wait for them when there are workers: it ignores its `stop_timeout`.
        """
        if self.run is None:
            return
        if self._signal:
            self.run.wind_down(self._signal)
        elif isinstance(self.runner, MasterRunner) and self.runner.worker_count == 0:
            self.run.wind_down("")  # nobody interrupts the run: it ends because the workers are lost
        else:
            self.run.wind_down("the test itself" if self.web_ui is None else "the web UI")

    def report(self) -> None:
        """Called when all users have ended: close the run directory, and print the verdict unless this
        process was started by `genload run`, which does it itself."""
        self._began, self._first = False, None
        if self.run is not None and self._reporter is None:
            # In a greenlet of its own: Locust may stop twice at the same time, and then kills the first
            # caller.
            self._reporter = gevent.spawn(self._report, self.run)
        if self._reporter is not None:
            self._reporter.join()

    def _report(self, run: Run) -> None:
        try:
            self._end(run)
        finally:
            self._outside.concluded(run, self.folder)

    def _end(self, run: Run) -> None:
        self.environment.process_exit_code = int(ExitCode.INVALID)  # as long as there is no verdict
        if self.display is not None:
            self.display.stop()
        if self._page is not None:
            self._page.ended()
        run.flush()
        self._outside.recorded(run.journal.notice)
        run.finalize()
        error = run.ending.error
        if isinstance(error, UsageError):
            _remove(run.folder)
            self._fail(error)
            return
        if error is not None:
            self._fail(error)
        code = int(ExitCode.PASSED)
        try:
            if not self.environment.parsed_options.suite_folder:  # `genload run` judges its scenarios itself
                code = self._judge(run)
            elif self._outside.wants_verdict:
                from genload.analysis.handed import hand_over  # as in `_judged`

                hand_over(self._judged(run), run.folder)
        except GenloadError as unjudged:
            # A run that could not be recorded often cannot be judged either; its error was printed above.
            if not isinstance(error, RunDirectoryError):
                self._fail(unjudged)
            return
        self.environment.process_exit_code = int(error.exit_code) if error is not None else code

    def quit(self) -> None:
        """Called when Locust quits; after this it reads the exit code. On SIGTERM the run still goes on."""
        if self.run is not None and self._reporter is None:
            if self.web_ui is not None:
                self._signal = self._signal or "SIGTERM"
            self.runner.stop()
            if self.run.begun:
                self.wind_down()  # if Locust was already stopping and has been interrupted in it
        self.report()

    # ----

    def _judged(self, run: Run) -> list[JudgedRun]:
        # Only here, and never on a worker: numpy and scipy take half a second to import.
        from genload.analysis.judge import judge_all

        judged = judge_all(run.folder)
        self._outside.judged(judged)
        return judged

    def _judge(self, run: Run) -> int:
        with self.display.told("judging …") if self.display is not None else nullcontext():
            judged = self._judged(run)
            from genload import console, reporting  # as above
            from genload.runlog.packing import pack

            if (named := run.plan.suite.baseline) is not None:
                from genload.reporting.change import compared_with

                judged = [compared_with(each, [run.folder], named) for each in judged]
            suite = reporting.suite_of(judged)
            broken: list[CodeError] = []
            names = run.plan.suite.reports
            files = reporting.write_reports(suite, self.folder, names, broken.append)
        for each in judged:
            last = files if each is judged[-1] else ()
            console.print_verdict(each, last, verbose=self.environment.parsed_options.verbose)
            if self._page is not None:
                self._page.judged(each, self.folder / "report.html")
        for error in broken:
            print(error.render(), file=sys.stderr, flush=True)
        try:
            pack(run.folder)
        except RunDirectoryError as error:
            logger.warning(error.message)
        return suite_exit_code([suite.exit_code, *(error.exit_code for error in broken)])

    def _watched(self, plan: RunPlan) -> tuple[str, ...]:
        """What is shown of requests, whatever the criteria name."""
        names: dict[str, None] = {}
        for own in plan.populations:
            if self._page is not None:
                names[f"{own.client_class.operation}.duration"] = None
            names |= dict.fromkeys(self._outside.watched(own))
        return tuple(names)

    def _linger(self) -> None:
        if not self._signal:
            self._outside.linger()

    def _is_running(self) -> bool:
        # The state of Locust itself is "ready" until there are users.
        return self.runner.shape_greenlet is not None or self.runner.state not in ("ready", "stopped")

    def _users_at_work(self) -> int:
        if self.run is None:
            return 0
        status = self.run.crew.status()
        return sum(
            users.working + users.leaving if side.plan.timeline.arrivals is None else users.in_flight
            for side in self.run.sides
            for users in [side.users(status)]
        )

    def _check_form(self, fields: dict[str, str]) -> None:
        if isinstance(self.runner, MasterRunner) and not self.runner.clients.ready:
            # Locust itself would accept the form, and then wait for workers without an end.
            raise UsageError("no worker is connected", remedy="start one: locust -f … --worker")
        options = argparse.Namespace(**vars(self.environment.parsed_options))
        options.host = fields.get("host") or options.host
        for name in ("scenario", "time_scale", "seed"):
            setattr(options, name, fields.get(name, getattr(options, name)))
        # A run waits for its service, and says so on the terminal; the web page could not show it.
        for own in plan_for(self.environment, options).populations:
            check_anyone_there(own)

    def _add(self, records: Sequence[RequestRecord]) -> None:
        if self.run is not None:
            self.run.add(records)

    def _keep(self, output: FailedOutput) -> None:
        if self.run is not None:
            self.run.journal.failures.keep(output)

    def _blame(self, failure: CodeFailure) -> None:
        if self.run is not None:
            self.run.journal.blame(failure)

    def _worker_lost(self, source: str, heard_s: float | None) -> None:
        if self.run is not None:
            self.run.worker_lost(source, heard_s)

    def _notice(self, code: str, text: str) -> None:
        if self.run is not None:
            self.run.journal.notice(code, text)

    def _fail(self, error: GenloadError) -> None:
        print(error.render(), file=sys.stderr, flush=True)
        self.environment.process_exit_code = int(error.exit_code)

    def _catch_signals(self) -> None:
        """End in the same way on every signal. Locust alone handles SIGTERM only when a headless shape has
        ended, and SIGHUP never; Ctrl-C raises an exception, and a second one raises it in the middle of the
        report.
        """
        names = ["SIGINT", "SIGHUP"] if self.web_ui is not None else ["SIGINT", "SIGTERM", "SIGHUP"]
        for name in names:
            if hasattr(signal, name):
                gevent.signal_handler(getattr(signal, name), self._end_on, name)

    def _end_on(self, name: str) -> None:
        """End the run. A second signal: do not wait for the requests in flight. gevent calls this in a new
        greenlet for each signal."""
        if self.run is None and self.web_ui is None:
            # There is no run yet: Locust's main greenlet waits for workers.
            hub = gevent.get_hub()
            hub.loop.run_callback(hub.parent.throw, SystemExit(int(ExitCode.INTERRUPTED)))
            return
        if self._signal and self.run is not None:
            self.run.hurry()
            return
        self._signal = name
        self._outside.let_go()
        self.runner.quit()
        if self.web_ui is not None:
            self.web_ui.stop()


def _scenario_page(web_ui: Any, options: Any, is_running: Callable[[], bool]) -> ScenarioPage:
    # Here, not above: without a web page there is none of this.
    from genload.harness.scenario_page import ScenarioPage

    return ScenarioPage(web_ui, options, is_running)


def _remove(folder: Path) -> None:
    """Delete the folder of a run that was refused, and the folder above it if it is empty then."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.parent.is_dir() and not any(folder.parent.iterdir()):
        folder.parent.rmdir()
