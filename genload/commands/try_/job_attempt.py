"""The one job of `genload try`: its stages as they begin, its output as it came, what the validator says."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from genload.artifacts.inputs.views import input_source
from genload.artifacts.usual import inspection_of
from genload.commands.try_.view import TrialView
from genload.drivers.job_driver import JobDriver
from genload.drivers.job_result import JobResult
from genload.errors import CANNOT_INSPECT
from genload.human import human
from genload.plain import plain
from genload.runlog.records import WAITED_OUT
from genload.service import Artifact, JobClient
from genload.settings.service import Service

_NO_FACTS = (
    CANNOT_INSPECT,
    "attempts",
    "rejections",
    "polls",
    "lost_polls",
    "updates",
    "told_by_event",
    "server_duration_s",
    "begin_bound_s",
    "poll_bound_s",
)


class JobAttempt:
    """One job, from an image that the seed makes; followed as a user of the suite follows his."""

    def __init__(self, client: JobClient, service: Service, seed: int, view: TrialView) -> None:
        self._client, self._service, self._view = client, service, view
        self._updates = type(client).updates(service)
        source = input_source(seed, service.images, views=service.request.input_views)
        image = source.image("try", 0, 1)
        for each in image.views.values() or (image,):
            size = human(len(each.content), "bytes")
            view.say("input", f"{plain(each.name)}, {plain(each.media_type)}, {size}")
        self._job = JobDriver(
            client,
            image,
            service=service,
            inspect=self._inspect,
            rng=random.Random(seed),
            request_id=str(uuid.uuid4()),
            updates=self._updates,
            on_stage=view.stage,
        )

    def run(self) -> JobResult:
        with self._listening():
            result = self._job.run()
        self._show(result)
        return result

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """Hear what the service tells of the job, where the suite wants that, from before its order on."""
        updates, view = self._updates, self._view
        if updates is None:
            yield
            return
        updates.open(lambda text: view.say("updates", text))
        try:
            updates.wait_until_heard(self._service.connect_timeout_s)
            if updates.is_heard:
                view.say("updates", "the service tells of its jobs; polls are rare")
            yield
        finally:
            updates.close()

    def break_off(self) -> None:
        self._show(self._job.result(outcome="unfinished"))

    def _inspect(self, artifact: Artifact) -> Mapping[str, float]:
        self._view.output(artifact, self._client.describe(artifact))
        return inspection_of(self._client)(artifact)

    def _show(self, result: JobResult) -> None:
        view = self._view
        view.result(result)
        view.detail("stages: " + ", ".join(f"{name} {human(s, 's')}" for name, s in result.stages.items()))
        view.detail(_driving(result))
        seen = {
            name: value
            for name, value in result.numbers.items()
            if name not in _NO_FACTS and not name.startswith(WAITED_OUT)
        }
        if seen:
            facts = ", ".join(f"{plain(name)} {human(value, '')}" for name, value in seen.items())
            view.detail(f"validator: {facts}")


def _driving(result: JobResult) -> str:
    numbers = result.numbers
    parts = [f"polls: {int(numbers['polls'])}"]
    if "updates" in numbers:
        parts.append(f"updates: {int(numbers['updates'])}")
    if "poll_bound_s" in numbers:
        seen = "an update told of the end" if numbers.get("told_by_event") else "they saw the end"
        parts.append(f"{seen} at most {human(numbers['poll_bound_s'], 's')} late")
    if lost := int(numbers.get("lost_polls", 0)):
        parts.append(f"{lost} had no answer and were asked again")
    if rejections := int(numbers["rejections"]):
        parts.append(f"refusals met: {rejections}, attempts: {int(numbers['attempts'])}")
    return "; ".join(parts)
