"""Scenarios one after the other, each in a Locust process; one verdict for the suite at the end.

What judges and reports is not imported above: until a scenario begins, everybody waits.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from genload.beginning import why_not_ready
from genload.code_errors import CodeError, code_told
from genload.commands.run.ahead import Ahead
from genload.commands.run.locust_process import Signals, arguments, outcome
from genload.commands.run.settling import settle
from genload.cores import cores_there
from genload.errors import ExitCode, GenloadError, RunDirectoryError, suite_exit_code
from genload.extensions import Wings, attribute, shape_class
from genload.human import human
from genload.service import ServiceClient, ServiceError
from genload.settings.parts import parts_of
from genload.settings.processes import processes_for_all
from genload.settings.scaling import scale
from genload.settings.service import Service
from genload.settings.suite import Suite
from genload.targets import SuiteTarget

if TYPE_CHECKING:
    from genload.analysis.judged import JudgedRun
    from genload.commands.run.resume import Resumed

ASKED_FOR_S = 1.0  # the longest that a service has for its first answer
GOES_ON_AFTER = (ExitCode.PASSED, ExitCode.FAILED, ExitCode.INVALID)

Bringing = Callable[[SuiteTarget], AbstractContextManager[SuiteTarget]]
"""Brings a suite's service up for as long as a block lasts; the suite with that service."""


def run_suites(
    targets: Sequence[SuiteTarget],
    console: Console,
    ahead: Ahead,
    service: Bringing = nullcontext,
    *,
    going_on: Resumed | None = None,
) -> ExitCode:
    """Run the scenarios of every target, each against its `service`.

    Args:
        ahead: where the scenarios' processes come from.
        going_on: the one target has been run before, in part.

    Returns:
        One exit code for them all: the first of 130, 2, 4, 1, 3, 0 that occurred.
    """
    signals = Signals(ahead)
    done: list[SuiteRun] = []
    codes: list[int] = []
    with signals.handled():
        for target in targets:
            with service(target) as there:
                run = SuiteRun(there, signals, console)
                if going_on is not None:
                    run.go_on(going_on)
                if not run.may_begin(done[-1] if done else None):
                    codes.append(ExitCode.INTERRUPTED)
                    break
                codes.append(run.run())
                done.append(run)
            if codes[-1] not in GOES_ON_AFTER:
                break
    code = ExitCode(suite_exit_code(codes))
    _tell_end(targets, done, code, console)
    return code


def _tell_end(
    targets: Sequence[SuiteTarget], done: Sequence[SuiteRun], code: ExitCode, console: Console
) -> None:
    """How each of several suites ended, and what to open."""
    from genload import console as views
    from genload.reporting.overview import to_open, write_overview

    if len(targets) > 1:
        ended = [(run.name, run.word, run.folder if run.folder.exists() else None) for run in done]
        not_run = [target.suite.name for target in targets[len(done) :]]
        views.print_outcomes(ended, not_run, code)
    left = [run.folder for run in done if run.folder.exists()]
    if left:
        first = to_open(left[0])
        if len(targets) > 1:
            page = left[0].parent / f"suites-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.md"
            try:
                first = write_overview(page, ended, not_run, code)
            except OSError as error:
                console.print(Text(f"cannot write {page}: {error.strerror}", "bold red"), soft_wrap=True)
        console.print(Text(f"open {first}", "bold"), soft_wrap=True)


class SuiteRun:
    """One suite: its folder, its scenarios in order, its reports.

    Attributes:
        folder, word: where its results are, and its verdict in capitals; known once it has run.

    Args:
        folder: where its results are to be; None: a new folder of those of the request.
    """

    folder: Path
    word: str

    def __init__(
        self, target: SuiteTarget, signals: Signals, console: Console, folder: Path | None = None
    ) -> None:
        self._target, self._request = target, target.request
        self._signals, self._console = signals, console
        self._suite: Suite = scale(target.suite, self._request.time_scale, Wings())
        # One seed for all scenarios, so that one number repeats the suite.
        asked_for = target.suite.seed if self._request.seed is None else self._request.seed
        self._seed = random.SystemRandom().randrange(2**31) if asked_for is None else asked_for
        if folder is not None:
            self.folder = folder
        self._going_on: Resumed | None = None
        self._codes: dict[str, ExitCode] = {}
        self._judged: list[JudgedRun] = []
        self._broken = False
        self.name, self.host = target.suite.name, target.suite.service.host

    def go_on(self, there: Resumed) -> None:
        """Instead of beginning: in the folder, and after the runs, that there are."""
        self._going_on, self.folder = there, there.folder

    def may_begin(self, after: SuiteRun | None) -> bool:
        """Wait until a service that the suite before tested, too, is idle; whether no signal came."""
        if after is not None and after.host == self.host:
            after.settle()
        return self._signals.first is None

    def run(self) -> ExitCode:
        """Run and judge each scenario, report; the exit code."""
        results_are_new = not self._request.results.exists()
        if self._going_on is None:
            self.folder = new_folder(self._request.results, self.name)
        if self._target.follows:
            factor = self._request.time_scale
            time = "in real time" if factor == 1 else f"at time scale {factor:g}"
            self._say(f"{self.name} follows {self._target.follows}: against {self.host}, {time}")
        self._say(f"{self.name}: seed {self._seed}, results in {self.folder}")
        kept = self._take_up()
        self.tell_unready()
        for scenario in self._target.scenarios:
            if scenario in kept:
                continue
            if len(self._codes) > len(kept) and not self.settle():
                break
            self._codes[scenario] = self._run_scenario(scenario)
            if self._codes[scenario] not in GOES_ON_AFTER:
                break
        from genload.reporting.wording import code_word

        code = self._code()
        self.word = code_word(code)
        with suppress(OSError):  # a refused run has left nothing in it
            self.folder.rmdir()
            if results_are_new:
                self._request.results.rmdir()
        return self._report(code) if self.folder.exists() else code

    def _take_up(self) -> tuple[str, ...]:
        """Judge the runs that stand already; their scenarios."""
        there = self._going_on
        if there is None:
            return ()
        for path in there.cut:
            self._say(
                f"{path.name.rpartition('-')[0]} was cut off: it is run again, and kept in {path}", "yellow"
            )
        for scenario in there.kept:
            self._say(f"{scenario} has been run")
            self._codes[scenario] = ExitCode(self._judge(scenario))
        return there.kept

    def _run_scenario(self, scenario: str) -> ExitCode:
        number, all_of_them = len(self._codes) + 1, len(self._target.scenarios)
        self._console.rule(Text(f"{self.name}/{scenario}  {number} of {all_of_them}"))
        code, has_result = self.record(scenario)
        judged = self._judge(scenario, anew=False) if has_result else code
        return ExitCode.INTERRUPTED if self._signals.first else ExitCode(suite_exit_code([code, judged]))

    def record(self, scenario: str) -> tuple[ExitCode, bool]:
        """Let a scenario's process record it; what that ended with, and whether it left a run."""
        words = arguments(self._target, scenario, self._seed, self.folder, self._workers(scenario))
        if self._console.is_terminal:
            # Locust takes a second or two to say something itself, over this.
            self._console.print(Text("starting …", "dim"), end="\r")
        returned = self._signals.run(words, meanwhile=_import_what_judges)
        from genload.runlog.layout import is_run_directory

        has_result = is_run_directory(self.folder / scenario)
        code, problem = outcome(returned, has_result=has_result)
        if problem and self._signals.first is None:
            self._say(f"{scenario} {problem}: counted as invalid", "bold red")
        return code, has_result

    def _workers(self, scenario: str) -> int:
        """How many processes are to have its users: as many as were asked for, or else as it needs and this
        machine has cores for. Of several it is said."""
        asked = self._request.workers
        if asked is None:
            parts = [
                (
                    shape_class(part.load.shape.kind).timeline(part.load.shape),
                    part.suite.service_of(scenario),
                    part.load.think.min_s if part.load.think else 0.0,
                )
                for part in parts_of(self._suite, scenario)
            ]
            needed, cores = processes_for_all(parts), cores_there()
            asked = min(needed, cores)
            if asked < needed:
                self._say(
                    f"{scenario} may need {needed} worker processes, and this machine has {cores} cores: if "
                    "it is late, and so not valid, take more machines (docs/processes.md)",
                    "yellow",
                )
        if asked > 1:
            self._say(f"{scenario}: its users are on {asked} worker processes (--workers)")
        return asked

    def _judge(self, scenario: str, *, anew: bool = True) -> int:
        """Judge what the scenario's process recorded, and say the verdict. That process has judged it itself
        where somebody outside was to hear the verdict.
        """
        from genload import console as views
        from genload.analysis.handed import handed
        from genload.reporting import judge_run
        from genload.runlog.packing import pack

        run = self.folder / scenario
        try:
            with self._console.status(Text("judging …", "dim")):
                judged = (None if anew else handed(run)) or judge_run(run)
        except RunDirectoryError as error:
            self._say(error.render(), "red")
            return ExitCode.INVALID
        if (named := self._suite.baseline) is not None:
            from genload.reporting.change import compared_with

            with self._console.status(Text("comparing …", "dim")):
                judged = [compared_with(each, [run], named) for each in judged]
        self._judged += judged
        for each in judged:
            views.print_verdict(each, verbose=self._request.verbose)
        try:
            pack(run)  # the verdict is out; nobody waits for this but the disk
        except RunDirectoryError as error:
            self._say(error.render(), "yellow")
        changes = [each.change.exit_code for each in judged if each.change]
        return suite_exit_code([*(each.verdict.exit_code for each in judged), *changes])

    def tell_unready(self) -> None:
        """Tell at once that the service is not there: the process that waits for it is slow to start."""
        first = self._target.scenarios[0]
        for service in [part.suite.service_of(first) for part in parts_of(self._suite, first)]:
            with client_of(service) as client:
                client.deadline_s = monotonic() + ASKED_FOR_S
                try:
                    client.ready()
                except ServiceError as error:
                    limit = human(service.ready_timeout_s, "s")
                    waiting = f"waiting for it, {limit} at most (service.ready_timeout)"
                    self._say(f"{why_not_ready(service.host, error)}; {waiting}", "bold yellow")

    def settle(self) -> bool:
        """Pause until the service is idle; whether that ended without a signal."""
        self._signals.expect()
        asked, pause = self._suite.settle, self._signals.pause
        with self._progress() as say:
            try:
                with code_told(ExitCode.INVALID), _in_flight(self._suite.service) as in_flight:
                    settle(asked, in_flight, pause=pause, say=say)
            except CodeError as error:
                self._tell_broken(error)
                settle(asked, lambda: None, pause=pause, say=say)
        return self._signals.first is None

    def _tell_broken(self, error: CodeError) -> None:
        """Code of a user's has raised outside of every scenario: these go on, the suite is not valid."""
        self._say(error.render(), "bold red")
        self._broken = True

    def _code(self) -> ExitCode:
        if self._signals.first is not None:
            return ExitCode.INTERRUPTED
        broken = [ExitCode.INVALID] if self._broken else []
        return ExitCode(suite_exit_code([*self._codes.values(), *broken]))

    def _report(self, code: ExitCode) -> ExitCode:
        """Render the whole suite. What the processes ended with counts, too: a scenario may have left nothing
        to judge."""
        if not self._judged:
            self._say("no scenario left a run that could be judged", "bold red")
            return code
        from genload import console as views
        from genload.reporting import suite_of, write_reports
        from genload.reporting.wording import suite_word

        order = self._target.scenarios.index
        judged = suite_of(sorted(self._judged, key=lambda run: order(run.scenario)))
        judged.exit_code = suite_exit_code([code, judged.exit_code])  # the reports say it
        broken: list[CodeError] = []
        write_reports(judged, self.folder, self._target.suite.reports, broken.append)
        judged.exit_code = suite_exit_code([judged.exit_code, *(error.exit_code for error in broken)])
        self.word = suite_word(judged)
        self._console.rule(Text(self.name))
        views.print_suite(judged)
        for error in broken:
            self._tell_broken(error)
        return ExitCode(judged.exit_code)

    @contextmanager
    def _progress(self) -> Iterator[Callable[[str], None]]:
        """One line that changes on a terminal, a line a change elsewhere."""
        if not self._console.is_terminal:
            yield self._say
            return
        with self._console.status(Text("")) as status:
            yield lambda text: status.update(Text(text))

    def _say(self, text: str, style: str = "") -> None:
        self._console.print(Text(text, style), soft_wrap=True)


def _import_what_judges() -> None:
    """While a scenario's process ends: before, it would be held in memory for nothing, as long as the load
    is, and later everybody waits for it.
    """
    import genload.analysis.judge
    import genload.console  # noqa: F401


@contextmanager
def client_of(service: Service) -> Iterator[ServiceClient]:
    client: ServiceClient = attribute("services", service.api, "Client")(service)
    try:
        yield client
    finally:
        client.close()


@contextmanager
def _in_flight(service: Service) -> Iterator[Callable[[], int | None]]:
    """Asks the service how many jobs it works on; None when it does not say."""
    with client_of(service) as client:

        def ask() -> int | None:
            try:
                return client.in_flight()
            except (ServiceError, GenloadError):
                return None

        yield ask


def new_folder(results: Path, suite: str) -> Path:
    """``results/<suite>-<UTC>/``, made now, and nobody else's.

    Raises:
        RunDirectoryError: it cannot be made.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    for number in range(1, 100):
        folder = results / (f"{suite}-{stamp}" if number == 1 else f"{suite}-{stamp}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise RunDirectoryError(
                f"cannot make {folder}: {error.strerror}", remedy="name another folder with --results"
            ) from error
        return folder
    raise RunDirectoryError(f"{results} holds too many runs of this second", remedy="name another folder")
