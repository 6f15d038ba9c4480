"""What the users of one process share in a run: their inputs, and what looks at the outputs.

Which kit it is follows from the service's client class, so that a process carries only what its users need.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import gevent
from gevent.lock import BoundedSemaphore

from genload.artifacts import inspector
from genload.artifacts.duplicates import OutputRegistry
from genload.artifacts.inputs.texts import TextSource
from genload.artifacts.inputs.trace import images_of
from genload.artifacts.words import NO_RECOGNISER, can_recognise
from genload.drivers.speech_driver import labels_of, request_of
from genload.harness.gate import Turn
from genload.harness.leaving import Leaving
from genload.harness.plan import RunPlan
from genload.service import JobClient, JobInput, SpeechClient, Utterance
from genload.service.updates import Updates

logger = logging.getLogger(__name__)

LOOP_TURN_S = 0.001  # sleep(0) would go on in the same turn of the loop, before its timers and sockets


class Kit:
    """Of users that bring everything themselves.

    Attributes:
        remarks: what the user should know about the inputs.
    """

    request_type = "HTTP"  # in records
    remarks: Sequence[str] = ()
    updates: Updates | None = None  # what tells its users of their jobs

    def __init__(self, plan: RunPlan) -> None:
        """Raises ConfigError: no usable input."""

    def labels(self, turn: Turn) -> dict[str, str]:
        """Those that a request would have had, for one that was never started."""
        return {}

    def open(self) -> None:
        """A run is about to begin."""

    def close(self) -> None:
        """The run is over."""


class InspectingKit(Kit):
    """With the inspector's process, where something will be inspected. It starts before the load does: a user
    waits for its inspection, and its next request with it.

    Attributes:
        kinds: of output that is inspected, as `Inspector.start` has them; empty: none is.
    """

    kinds: tuple[str, ...] = ()

    def open(self) -> None:
        if self.kinds:
            inspector.shared().start(*self.kinds)

    def close(self) -> None:
        inspector.shared().close()


class JobKit(InspectingKit):
    """Images, and an eye on what comes of them."""

    request_type = "JOB"

    def __init__(self, plan: RunPlan) -> None:
        super().__init__(plan)
        # Here, not above: what draws and reads pictures takes a quarter of a second to import.
        from genload.artifacts.inputs.views import input_source

        kind = plan.client_class.inspection_of(plan.service.request)
        self.kinds = () if kind in ("bytes", "none") else (kind,)
        self._timeline = plan.timeline
        service = plan.service
        self._images = input_source(
            plan.seed, service.images, images_of(plan.timeline.asks), service.request.input_views
        )
        self._making = BoundedSemaphore(1)
        self.outputs = OutputRegistry()
        self.updates = plan.client_class.updates(service)
        self._patience_s = service.connect_timeout_s
        self.remarks = [f"service.images: {reason}" for reason in self._images.skipped]

    def open(self) -> None:
        super().open()
        if self.updates is not None:
            self.updates.open(logger.warning)

    def close(self) -> None:
        if self.updates is not None:
            self.updates.close()
        super().close()

    def listen(self) -> None:
        """Whoever orders a job wants to hear of it: to be called before."""
        if self.updates is not None:
            self.updates.wait_until_heard(self._patience_s)

    def image(self, source: str, user: int, k: int, number: int) -> JobInput:
        """A user's own `k`-th, for request `number` of the run. Made one at a time with the loop's turn
        between two: a millisecond each, for many users let go at once, would hold up everything else.
        """
        ask = self._timeline.ask(number)
        with self._making:
            gevent.sleep(LOOP_TURN_S)
            return self._images.image(source, user, k, "" if ask is None else ask.image)


class SpeechKit(InspectingKit):
    """Texts, and an ear for audio."""

    request_type = "POST"

    def __init__(self, plan: RunPlan) -> None:
        super().__init__(plan)
        # As above: numpy is behind it.
        from genload.artifacts.audio.listener import Listener

        request = request_of(plan.service)
        self._timeline = plan.timeline
        self._texts = TextSource(request.texts, request.voices, seed=plan.seed, salt=plan.salt)
        self.listener = Listener(request, seed=plan.seed, registry=OutputRegistry())
        kinds = ("audio", "words") if self.listener.needs_recogniser else ("audio",)
        self.kinds = kinds if self.listener.needs_inspector else ()
        if self.listener.needs_recogniser and not can_recognise():
            self.remarks = [NO_RECOGNISER]
        self.leaving = Leaving(plan.timeline, plan.scenario.leave, plan.seed)

    def utterance(self, number: int) -> Utterance:
        """What request `number` of the run says, whichever process sends it."""
        ask = self._timeline.ask(number) if self._timeline.asks else None
        return self._texts.utterance(number) if ask is None else self._texts.asked(number, ask)

    def labels(self, turn: Turn) -> dict[str, str]:
        return labels_of(self.utterance(turn.number)) | self.leaving.labels(turn)


_KITS: Mapping[type, type[Kit]] = {JobClient: JobKit, SpeechClient: SpeechKit}


def kit_of(plan: RunPlan) -> Kit:
    """Raises ConfigError: no usable input."""
    kinds = (kit for client, kit in _KITS.items() if issubclass(plan.client_class, client))
    return next(kinds, Kit)(plan)
