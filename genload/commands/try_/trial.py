"""One request of a suite, told to a view while it goes on."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Protocol

from gevent import get_hub

from genload.artifacts.inspector import shared
from genload.beginning import check_beginning, not_ready_remedy, why_not_ready
from genload.client import watched
from genload.code_errors import CLIENT_ERROR, CLIENT_LIMIT
from genload.commands.try_.expected_metrics import ExpectedMetrics
from genload.commands.try_.guide import advice
from genload.commands.try_.job_attempt import JobAttempt
from genload.commands.try_.speech_attempt import SpeechAttempt
from genload.commands.try_.view import TrialView
from genload.drivers.result import Result
from genload.errors import ExitCode, ServiceUnavailableError
from genload.extensions import Wings, attribute
from genload.sampler import start_sampler
from genload.service import JobClient, ServiceClient, ServiceError, SpeechClient
from genload.settings.loader import split_target
from genload.settings.scaling import scale
from genload.settings.scenario_catalogue import with_fitting_monitors
from genload.settings.service import Service
from genload.settings.suite import Suite
from genload.targets import SuiteTarget

# Unless the suite asks more often. One job may be over before an interval that is meant for an hour.
LONGEST_INTERVAL_S = 1.0
LEAST_TICKS = 2  # a share of CPU is known from the second one
LONGEST_WAIT_S = 5.0  # for those, after a short job
LOOK_EVERY_S = 0.05


class Attempt(Protocol):
    """The one request of a kind of service."""

    def run(self) -> Result:
        """Send it, show what becomes of it."""

    def break_off(self) -> None:
        """It was interrupted: show how far it got."""


@contextmanager
def ctrl_c_without_a_trace() -> Iterator[None]:
    """Ctrl-C while gevent's hub waits for the service is raised in a callback of the hub, which would print a
    traceback before it passes it on.
    """
    hub = get_hub()
    before, hub.NOT_ERROR = hub.NOT_ERROR, (*hub.NOT_ERROR, KeyboardInterrupt)
    try:
        yield
    finally:
        hub.NOT_ERROR = before


_ATTEMPTS: Mapping[type, Any] = {JobClient: JobAttempt, SpeechClient: SpeechAttempt}


class Trial:
    """One request.

    Raises:
        ConfigError: an input of it that cannot be used.

    Args:
        target: its suite; whose criteria are looked at is said by its scenarios. Without a seed the input
            is a new one, which no cache can answer.
    """

    def __init__(self, target: SuiteTarget, view: TrialView) -> None:
        request = target.request
        self._request, self._target, self._view = request, target, view
        self._suite: Suite = with_fitting_monitors(target.suite, target.scenarios)
        self._time_scale = 1.0
        drawn = random.SystemRandom().randrange(2**31)
        self._seed = drawn if request.seed is None else request.seed
        check_beginning(attribute("services", self._suite.service.api, "Client"), self._service)

    def run(self) -> ExitCode:
        """Send it; 0 when it succeeded, 1 when it failed, 3 when it failed of the test's own code or machine,
        130 when it was interrupted.

        Raises:
            ServiceUnavailableError: the service is not ready.
        """
        view, attempt = self._view, None
        view.begin(self._request.targets[0], self._suite.service)
        try:
            with ctrl_c_without_a_trace(), watched(view.exchange):
                self._ask_whether_ready()
                with self._client() as client, self._sampling() as metrics:
                    attempt = self._attempt(client)
                    result = attempt.run()
                view.metrics(metrics)
        except KeyboardInterrupt:
            if attempt is not None:
                attempt.break_off()
            return ExitCode.INTERRUPTED
        finally:
            shared().close()
        return self._end(result)

    def _end(self, result: Result) -> ExitCode:
        if result.error_class in (CLIENT_ERROR, CLIENT_LIMIT):
            return ExitCode.INVALID
        if result.outcome != "ok":
            self._guide(result)
            return ExitCode.FAILED
        asked = self._request
        target = self._target
        # One scenario is followed by no suite, whose service --host may not be right for.
        targets = (f"{target.asked_for}/{target.scenarios[0]}",) if target.then else asked.targets
        words = ["genload", "run", *targets]
        words += ["--host", asked.host] if asked.host else []
        words += [word for override in asked.overrides for word in ("--set", override)]
        words += ["--time-scale", f"{self._time_scale:g}"] if self._time_scale != 1 else []
        self._view.next_command(words)
        return ExitCode.PASSED

    def _guide(self, result: Result) -> None:
        """Which step failed, and which key of the suite to change."""
        step, client_class = self._view.failed_step, attribute("services", self._suite.service.api, "Client")
        if result.error_class == "timeout":
            what = "the job as a whole: it took too long"
        elif step:
            what = f"the step '{step}'"
        else:
            inspected = result.failed_output is not None
            what = "the check of the output" if inspected else "the job: the service says so"
        asked = client_class.key_of(step)
        key, words = advice(result.error_class, result.error, result.status, step, asked)
        self._view.guide(f"{what}, {result.error_class}", key, words)

    def _ask_whether_ready(self) -> None:
        """Ask once: whoever sits at a terminal wants to know now. A service that declares at which scale it
        models time is then tried at that scale.
        """
        service = self._suite.service
        with self._client() as client:
            try:
                client.ready()
                declared = client.time_scale()
            except ServiceError as error:
                remedy = not_ready_remedy(error, client.key_of("ready"))
                if error.error_class == "not_ready":
                    remedy += "; `genload run` waits for service.ready_timeout"
                raise ServiceUnavailableError(why_not_ready(service.host, error), remedy=remedy) from error
        self._view.ready(declared)
        if declared is not None:
            self._time_scale = declared
            self._suite = scale(self._suite, declared, Wings())

    @property
    def _service(self) -> Service:
        """The suite's, with the request of the scenario that was asked for."""
        _, scenario = split_target(self._request.targets[0])
        return self._suite.service_of(scenario) if scenario else self._suite.service

    @contextmanager
    def _client(self) -> Iterator[ServiceClient]:
        client: ServiceClient = attribute("services", self._suite.service.api, "Client")(self._service)
        client.on_step = self._view.step
        try:
            yield client
        finally:
            client.close()

    def _attempt(self, client: ServiceClient) -> Attempt:
        kind = next(made for kind, made in _ATTEMPTS.items() if isinstance(client, kind))
        attempt: Attempt = kind(client, self._service, self._seed, self._view)
        return attempt

    @contextmanager
    def _sampling(self) -> Iterator[ExpectedMetrics]:
        """Sample as a run would, into a folder that is gone afterwards; complete after the block."""
        expected = ExpectedMetrics(self._suite, self._target.scenarios, Wings())
        shared().start()  # so that the first output does not wait for it
        intervals = {n: min(m.interval_s, LONGEST_INTERVAL_S) for n, m in self._suite.monitors.items()}
        asked = {
            name: monitor.model_copy(update={"interval_s": intervals[name]}).model_dump(mode="json")
            for name, monitor in self._suite.monitors.items()
        }
        with tempfile.TemporaryDirectory(prefix="genload-try-") as folder:
            sampler = start_sampler(Path(folder), monotonic(), self._suite.service.host, asked)
            try:
                yield expected
                deadline_s = monotonic() + LONGEST_WAIT_S
                while not expected.sampled(Path(folder), LEAST_TICKS) and monotonic() < deadline_s:
                    sleep(LOOK_EVERY_S)
            finally:
                sampler.stop()
            expected.read(Path(folder), sampler.plans)
