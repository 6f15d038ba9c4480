"""A whole service as it is described: ``service.request`` of a suite with ``api: job``."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from genload.described.call import Call
from genload.described.capture import Captures
from genload.described.checks import problems_of
from genload.described.errors import Errors
from genload.described.inspection import Placeholder
from genload.described.labels import Label, LabelName
from genload.described.numbers import Number, NumberName
from genload.described.output import Format, Output
from genload.described.path import JsonPath
from genload.described.polling import Polling
from genload.described.probe import Probe
from genload.described.problem import refuse
from genload.described.result import Result
from genload.described.template import TemplateText
from genload.settings.speech import Texts
from genload.settings.wing_models import RequestSettings

StepName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]*$", max_length=40)]
ViewName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
Mode = Literal["sync", "job", "sync_or_job"]


class Step(Call):
    """A call before the order."""

    capture: Captures = {}
    """What its answer gives to the calls behind it, by name: a path, or ``{header: Location}``."""


class InFlight(Probe):
    """A call that tells how many jobs the service works on."""

    count: JsonPath
    """To the number; ``length(queue_running)`` counts a list."""


class Description(RequestSettings, Call):  # the keys of the order itself stand beside the others
    """One order of a generation: the call itself, what goes before it, and how it goes on."""

    path: Annotated[TemplateText, Field(min_length=1)]
    mode: Mode | None = None
    """``sync``: the answer to the call is the end. ``job``: it gives an id, and the job is polled (`poll`).
    ``sync_or_job``: an answer 202 is a job. Unless given: job with `poll`, else sync."""
    before: dict[StepName, Step] = {}
    """Calls before the order, in their order: an upload, a token."""
    capture: Captures = {}
    """What the order's answer gives to the calls behind it; ``id`` is the job's id in the record."""
    poll: Polling | None = None
    result: Result = Result()
    cancel: Call | None = None
    """Sent for a job that took longer than `service.timeout`."""
    views: tuple[ViewName, ...] = ()
    """Names of the images of which a job has several: ``[front, left, back]`` are {front}, {left.base64}, …
    Of a folder of one's own (`service.images`) each is a folder in it."""
    texts: Texts | None = None
    """Prompts, one for each job: ``{text}``. As a speech suite says them: a file, a template, lengths."""
    errors: Errors = Errors()
    numbers: dict[NumberName, Number] = {}
    """Numbers of the answers, each a metric: ``{inference_s: {path: inference_time_s, unit: s}}`` is
    generate.inference_s."""
    labels: dict[LabelName, Label] = {}
    """Labels that the answers give the job, for filters and each(…): ``{replica: {header: x-served-by}}``."""
    ready: Probe = Probe()
    """How to see that the service takes work."""
    in_flight: InFlight | None = None
    format: Format = ""
    """The format that is ordered; a result in another one is counted (`format_honoured`), not failed."""
    output: Output = Output()
    """What it must be: ``mesh``, ``splats``, ``image``, ``{kind: bytes, at_least: 10KB}``, ``none``."""
    placeholder: Placeholder = "fail"
    """A bare box, a picture of one colour, and the same output for different inputs, are what services answer
    when their model failed. ``allow`` takes them for results."""

    @property
    def input_views(self) -> tuple[str, ...]:
        return self.views

    @property
    def one_call(self) -> bool:
        """Whether the order's call waits for the output, always."""
        return self.mode == "sync" or (self.mode is None and self.poll is None)

    @property
    def may_wait(self) -> bool:
        """Whether the order's call may wait for the output."""
        return self.one_call or self.mode == "sync_or_job"

    @property
    def call_of_no_job(self) -> str:
        """The first call behind the order that names nothing of the job: it is answered with anyone's."""
        calls = {"poll": self.poll, "result": self.result if self.result.path else None}
        names = {
            key: [name for _, template in call.named() for name in template.names]
            for key, call in calls.items()
            if call is not None
        }
        return next((key for key, found in names.items() if not found), "")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        refuse("description", problems_of(self))
        return self
