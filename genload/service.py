"""The seam of services/: how to talk to one API, whose work is a job (`JobClient`: submit, poll, fetch) or an
answer that is listened to (`SpeechClient`: speak).

A services/ file defines one subclass of either, named ``Client``. It makes its own HTTP client, names
its calls with `step`, and raises `ServiceError` for every answer that is no success. It neither
retries nor waits: `genload.job` and `genload.speech` do, the same way for every service.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from time import monotonic
from types import TracebackType
from typing import ClassVar
from uuid import NAMESPACE_OID, uuid5

import msgspec

from genload.code_errors import class_of, told
from genload.errors import CANNOT_INSPECT
from genload.identifiers import new_identifier
from genload.orders import is_order
from genload.plain import plain
from genload.settings.metrics.metric import Metric
from genload.settings.metrics.spoken import speech_metrics
from genload.settings.secrets import hide
from genload.settings.service import Service
from genload.settings.speech import SpeechRequest
from genload.settings.wing_models import RequestSettings

JOB_STAGES = ("connect", "upload", "accept", "queue", "run", "download")
"""The stages of a job, in order; what belongs to which is said in `genload.job`."""

WAITED_OUT = "waited_out_"
"""What the numbers of a record begin with that tell of refusals which were waited out; the call follows."""

_TRACE_ID = re.compile(r"(?!0{16})[0-9a-f]{32}")  # its first half is the parent's id, and neither may be 0
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]{6,16}\b")
_LONGEST_CLASS = 60
_LONGEST_MESSAGE = 500
_LONGEST_READ = 16_384  # of a message, before it is cut: what lies beyond is not looked at


def correlation_headers(request_id: str) -> dict[str, str]:
    """What ties a request to its record in the service's logs and traces: ``X-Request-ID``, and the same as
    a W3C Trace Context ``traceparent``.

    The trace is the job, its id the record's `request_id` without dashes (of an id that is no UUID: a UUID
    made from it); the parent of all calls is the job, too, so that both headers follow from the record.
    """
    trace_id = request_id.replace("-", "").lower()
    if not _TRACE_ID.fullmatch(trace_id):
        trace_id = uuid5(NAMESPACE_OID, request_id).hex
    return {"X-Request-ID": request_id, "traceparent": f"00-{trace_id}-{trace_id[:16]}-01"}


class ServiceError(Exception):
    """The service, the way to it or its output failed.

    What goes into `message` is mostly the service's own words: it is kept as one harmless line of at most
    500 characters, without the secrets that the service was sent, and without addresses in memory, by which
    equal failures would differ.

    Attributes:
        error_class: short and stable: ``refused``, ``timeout``, ``truncated``, ``rejected``, ``job_failed``,
            ``bad_answer``, ``bad_output``, ``http_500``, … Reports count by it.
        rejected: the service has no capacity *now* (429, 503): worth another try.
        retry_after_s: the pause it asked for, None when it named none.
        output: what came as the output, or the part of it that came, where that is what failed.
    """

    def __init__(
        self,
        error_class: str,
        message: str,
        *,
        rejected: bool = False,
        retry_after_s: float | None = None,
        status: int = 0,
    ) -> None:
        self.error_class = plain(error_class, _LONGEST_CLASS)
        self.message = plain(_ADDRESS.sub("", hide(message[:_LONGEST_READ])), _LONGEST_MESSAGE)
        super().__init__(f"{self.error_class}: {self.message}")
        self.rejected = rejected
        self.retry_after_s = retry_after_s
        self.status = int(status)
        self.output: Artifact | None = None


class NotInspectedError(ServiceError):
    """Nobody wants the output inspected: no failure of the service.

    Attributes:
        numbers: what is known of the output all the same, for the record.
    """

    _class: ClassVar[str] = "not_inspected"

    def __init__(self, message: str, numbers: Mapping[str, float] | None = None) -> None:
        super().__init__(self._class, message, status=200)
        self.numbers = dict(numbers or {})


class CannotInspectError(NotInspectedError):
    """The output seems valid, and nothing that is installed reads it: no failure of the service either, and
    counted by a number of its own.
    """

    _class: ClassVar[str] = CANNOT_INSPECT


class JobPhase(StrEnum):
    PENDING = "pending"  # accepted, nothing begun
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class JobState:
    """One answer to a poll."""

    phase: JobPhase
    error: str = ""  # the service's own words, for FAILED
    error_class: str = "job_failed"  # for FAILED: a narrower one where the service's words tell
    output: str = ""  # where to fetch the result from, for COMPLETED


@dataclass(frozen=True, slots=True)
class JobInput:
    """What a job is made from."""

    name: str  # file name, unique in the run
    content: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Artifact:
    """What a job made."""

    content: bytes
    name: str
    media_type: str


class Result(msgspec.Struct, eq=False):
    """What became of a logical request. `start_s` and `end_s` are on its driver's clock.

    Attributes:
        error_class: of the failure, as `ServiceError` has it; ``timeout`` when it took longer than
            `service.timeout`.
        status: the last HTTP status, 0 when there was none.
        numbers: for the record: ``attempts`` (1 + retries), ``rejections`` (refusals met, retried or final),
            ``waited_out_CALL`` and ``waited_out_CALL_s`` of a call that was refused (how many refusals were
            waited out, for how long together), and what the kind of request has.
        bytes_sent, bytes_received: of all its calls.
        remark: why the output of a success was not inspected, and what helps; "" for nothing to say.
        failed_output: what came as the output, where that is why the request failed.
    """

    request_id: str
    start_s: float
    end_s: float = 0.0
    outcome: str = "ok"
    error_class: str = ""
    error: str = ""
    status: int = 0
    numbers: dict[str, float] = {}
    bytes_sent: int = 0
    bytes_received: int = 0
    remark: str = ""
    failed_output: Artifact | None = None

    @property
    def duration_s(self) -> float:
        return self.end_s - self.start_s

    def fail(self, error: ServiceError) -> None:
        """The request failed for this reason."""
        self.outcome, self.error_class, self.error = "failed", error.error_class, error.message
        self.status = error.status or self.status
        self.failed_output = error.output or self.failed_output

    def leave_uninspected(self, error: NotInspectedError) -> None:
        """The request succeeded, and nothing looked into its output."""
        self.numbers.update(error.numbers)
        if isinstance(error, CannotInspectError):
            self.numbers[CANNOT_INSPECT] = 1.0
        self.remark = error.message


class Step(msgspec.Struct, eq=False):  # every poll has one: made in C
    """One named call inside a job, as the recorder wants it: as long as its block. Monotonic seconds."""

    name: str
    method: str
    tell: Callable[[Step], None]  # at the end of the block
    start_s: float
    recorded: bool = True  # False: counts in its job, but is too frequent for a record of its own (a poll)
    end_s: float = 0.0
    connect_s: float = 0.0  # of it, spent connecting; 0 on a kept connection
    status: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    error_class: str = ""
    error: str = ""

    def __enter__(self) -> Step:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            if isinstance(error, ServiceError):
                self.error_class, self.error = error.error_class, error.message
                self.status = error.status or self.status
            elif is_order(error):
                self.error_class = "unfinished"
            else:
                self.error_class, self.error = class_of(error), told(error)
        self.end_s = self.end_s or monotonic()
        self.tell(self)


class Utterance(msgspec.Struct, frozen=True):
    """What is to be spoken.

    Attributes:
        number: of the request in the run; negative for the warm-up.
        length: the class of the text's length; "" when the scenario has no classes.
        repeat: whether the text was sent before, on purpose; None when the scenario makes no repeats.
    """

    number: int
    text: str
    voice: str
    length: str = ""
    repeat: bool | None = None


class Speech(msgspec.Struct, frozen=True, eq=False):
    """One whole answer to an utterance. Monotonic seconds.

    Attributes:
        arrivals: (when, how many bytes of `content`) for each receive that brought any; they add up to
            `content` unless it was packed on its way.
        streamed: the service sends what it has as it has it: a listener may begin before the end.
        cached: whether the service answered from a cache; None when it does not show.
    """

    content: bytes
    media_type: str
    sent_s: float
    first_byte_s: float
    end_s: float
    arrivals: tuple[tuple[float, int], ...]
    streamed: bool
    cached: bool | None = None


class ServiceClient(ABC):
    """A user's own client of one API; never shared between users."""

    Request: ClassVar[type[RequestSettings]] = RequestSettings
    operation: ClassVar[str]
    stages: ClassVar[tuple[str, ...]] = ()
    metrics: ClassVar[tuple[Metric, ...]] = ()
    """Numbers of its records that criteria may name, beyond those that every operation has: a file that
    measures others declares them (`request_number`, `request_share`), beside those of its base."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.request_id = ""  # of the logical request under way; see `correlation`
        self.deadline_s = inf  # monotonic; no call of the request under way may take longer
        self.on_step: Callable[[Step], None] = lambda step: None
        self._correlated = ""  # the request that `_correlation` is of
        self._correlation: dict[str, str] = {}

    @classmethod
    def labels(cls, request: RequestSettings) -> Mapping[str, tuple[str, ...]]:
        """The labels of its records by name, with the values they can have; none: any value."""
        return {}

    def correlation(self) -> dict[str, str]:
        """Headers to send with every request, to be added to and not changed; outside a logical request
        each is of its own."""
        if not self.request_id:
            return correlation_headers(new_identifier())
        if self._correlated != self.request_id:
            self._correlated, self._correlation = self.request_id, correlation_headers(self.request_id)
        return self._correlation

    def step(self, name: str, method: str = "GET", *, recorded: bool = True) -> Step:
        """Measure one named call; a ServiceError that leaves the block is its failure.

        GreenletExit, when a user is stopped, makes it ``unfinished``; whatever else leaves it is a mistake in
        the client's own code, a ``client_error``.
        """
        return Step(name, method, self.on_step, monotonic(), recorded)

    @abstractmethod
    def ready(self) -> None:
        """Return when the service can take work now; raise ServiceError with the reason when not."""

    def in_flight(self) -> int | None:
        """How many jobs the service says it is working on; None when it does not say, or does not answer."""
        return None

    def time_scale(self) -> float | None:
        """The scale of a service whose time is modelled (it declares itself a testbed); None for a real one.
        Raises ServiceError when it does not answer."""
        return None

    def close(self) -> None:
        """Close what is open."""
        return


class JobClient(ServiceClient):
    """A user's own client of one job API."""

    operation: ClassVar[str] = "generate"
    stages: ClassVar[tuple[str, ...]] = JOB_STAGES
    inspection: ClassVar[str] = "mesh"
    """How its outputs are inspected, unless it has an `inspect` of its own: as a ``mesh``, or ``none``, which
    every report says. An output that was not inspected is no valid one."""

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self.distinct_outputs = True  # False: the same output for different inputs is no failure

    @abstractmethod
    def upload(self, job: JobInput) -> str:
        """Hand over the input; the service's id for the job. An API that takes input and order in
        one call does nothing here and returns ""."""

    @abstractmethod
    def submit(self, job: JobInput, job_id: str) -> str:
        """Order the work; the job's id, by which it is polled."""

    @abstractmethod
    def poll(self, job_id: str) -> JobState:
        """The job's state now."""

    @abstractmethod
    def fetch(self, job_id: str, state: JobState) -> Artifact:
        """The finished job's output."""

    def inspect(self, artifact: Artifact) -> dict[str, float] | None:
        """Check the output, off the event loop; numbers for the record. None: as `inspection` says.

        Raises:
            ServiceError: it is broken.
            CannotInspectError: nothing here can tell.
            NotInspectedError: nobody wants to know.
        """
        return None

    def describe(self, artifact: Artifact) -> str:
        """What an output is, for people, whether it passes `inspect` or not; "" for nothing to say."""
        return ""

    def cancel(self, job_id: str) -> None:
        """Give a job up, where the service can."""
        return


class SpeechClient(ServiceClient):
    """A user's own client of one text-to-speech API."""

    operation: ClassVar[str] = "speech"
    metrics: ClassVar[tuple[Metric, ...]] = speech_metrics("speech")

    @classmethod
    def labels(cls, request: RequestSettings) -> Mapping[str, tuple[str, ...]]:
        return request.labels() if isinstance(request, SpeechRequest) else {}

    @abstractmethod
    def speak(self, utterance: Utterance) -> Speech:
        """Ask for the utterance and take the whole answer; raises ServiceError for anything but a success
        whose content may be audio. Whether it is audio, `genload.artifacts.audio` says."""
