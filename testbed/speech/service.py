"""The service: which request goes where, who is let in, what goes wrong on purpose, what the log says."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from math import inf
from time import monotonic

from ..board import Board
from ..faults import HEADER, UnknownFaultError
from ..options import WhenFull
from ..ratelimit import RateLimit
from ..truth import TruthLog
from .delivery import Delivery
from .dialect import SOCKET_PATH, Dialect, RefusedError, sent_as
from .faults import REFUSALS, UNREADABLE, SpeechDraws, SpeechFault, asked
from .line import Line
from .options import SpeechOptions, Stream
from .tally import Tally
from .truth import SpeechTruth
from .websocket import Session, asks_for_one
from .wire import Answer, Connection, Page, Request

_WINDOW_S = 60.0
_RETRY_AFTER = {"retry-after": "5"}
_HTML = b"<!doctype html>\n<title>Welcome</title>\n<h1>Welcome</h1>\n<hr><address>proxy</address>\n"
_BROKEN = {
    SpeechFault.HANG,
    SpeechFault.RESET,
    SpeechFault.TRUNCATED,
    SpeechFault.STALL,
    SpeechFault.SLOW_LORIS,
    SpeechFault.ENDLESS,
    SpeechFault.ERROR_EVENT,
    *UNREADABLE,
}


class Service:
    """Answers every request.

    Args:
        ageing: told of each request for speech that has ended.
        gpu: who else uses it.
        rate_hz: of the engine's audio.
    """

    def __init__(
        self,
        options: SpeechOptions,
        dialect: Dialect,
        delivery: Delivery,
        *,
        line: Line,
        tally: Tally,
        log: TruthLog,
        rate_hz: int,
        ageing: Callable[[], None],
        gpu: Board,
    ) -> None:
        self._gpu = gpu
        self._options, self._dialect, self._delivery = options, dialect, delivery
        self._line, self._tally, self._log, self._ageing = line, tally, log, ageing
        self._rate_hz = rate_hz
        self._pages = dialect.pages()
        self._draws = SpeechDraws(options.faults, options.seed)
        self._rate_limit = RateLimit(options.rate_limit_per_min, _WINDOW_S)
        self._rests_since_s = -inf  # when the last request for speech had ended
        self.ready = False

    def switch(self, connection: Connection, request: Request) -> Session | None:
        """A WebSocket, where there is one and one is asked for."""
        path = SOCKET_PATH if self._options.stream is Stream.WEBSOCKET else self._dialect.socket_path
        if request.path != path or not asks_for_one(request):
            return None
        return Session(connection, request, self.speak)

    async def serve(self, request: Request, answer: Answer) -> None:
        """Answer one request."""
        if request.path in self._dialect.speech_paths and request.method == "POST":
            await self.speak(request, answer)
            return
        try:
            await self._instead(answer, asked(request.headers.get(HEADER.lower())))
            if not answer.ended:
                answer.page(self._page(request))
        except UnknownFaultError as error:
            answer.page(self._dialect.error(400, str(error)))
        except RefusedError as refusal:
            answer.page(refusal.page)

    def _page(self, request: Request) -> Page:
        if request.path == "/ready":
            return Page.of({"ready": self.ready}, 200 if self.ready else 503)
        if request.path in self._dialect.speech_paths:
            return self._dialect.error(405, "Method Not Allowed")
        if request.path not in self._pages:
            return self._dialect.error(404, "Not Found")
        if request.method != "GET":
            return self._dialect.error(405, "Method Not Allowed")
        self._authorise(request)
        return self._pages[request.path]()

    async def speak(self, request: Request, answer: Answer) -> None:
        """Answer a request for speech, and log what became of it."""
        truth = SpeechTruth(request.headers.get("x-request-id", ""), request.path, request.received_ns)
        truth.cold_ns = self._cold_ns()
        truth.gpu_jobs = self._gpu.jobs
        slowed_s = self._options.first_chunk_s * self._options.slowed_by * truth.gpu_jobs
        truth.slowed_ns = round(slowed_s * 1e9)
        self._tally.running += 1
        try:
            await self._answer(request, answer, truth)
        except RefusedError as refusal:
            truth.outcome = "failed" if refusal.page.status == 500 else "refused"
            answer.page(refusal.page)
        except asyncio.CancelledError:
            truth.outcome = "broken" if truth.fault in _BROKEN else "client_gone"
            raise
        finally:
            self._tally.running -= 1
            self._rests_since_s = monotonic()
            self._log.write_row(truth.row(answer, self._rate_hz))
            self._ageing()

    def _cold_ns(self) -> int:
        """How much longer a request takes that comes now."""
        cold = self._options.faults.cold_start
        if cold is None or self._tally.running or monotonic() - self._rests_since_s < cold.idle_s:
            return 0
        return round(cold.extra_s * 1e9)

    async def _answer(self, request: Request, answer: Answer, truth: SpeechTruth) -> None:
        try:
            fault = self._draws.befalls(request.headers.get(HEADER.lower()))
        except UnknownFaultError as error:
            raise RefusedError(self._dialect.error(400, str(error))) from None
        truth.fault, answer.deaf = str(fault or ""), fault is SpeechFault.DEAF
        self._admit(request)
        wanted = sent_as(self._options.stream, self._dialect.read(request))
        truth.voice, truth.format, truth.speed = wanted.voice, str(wanted.form), wanted.speed
        truth.characters, truth.streamed = len(wanted.text), wanted.streamed
        truth.events = wanted.events
        if fault is not SpeechFault.EMPTY_AUDIO:  # which has the form of what was asked for
            await self._instead(answer, fault)
        if self._line.full and self._options.when_full is WhenFull.REFUSE:
            raise RefusedError(self._dialect.error(503, "The service is at capacity", _RETRY_AFTER))
        if not answer.ended:
            await self._delivery.deliver(wanted, answer, truth, fault)
        if fault in _BROKEN:
            truth.outcome = "broken"
        elif answer.ended:
            truth.outcome = "completed"
            self._tally.successes += 1
        else:
            truth.outcome = "failed"

    def _admit(self, request: Request) -> None:
        self._authorise(request)
        if not self.ready:
            raise RefusedError(self._dialect.error(503, "The model is still loading", _RETRY_AFTER))
        if not self._rate_limit.admit(request.address, monotonic()):
            raise RefusedError(self._dialect.error(429, self._rate_limit.refusal, _RETRY_AFTER))

    def _authorise(self, request: Request) -> None:
        token, given = self._options.token, request.headers.get("authorization", "")
        if token and given != f"Bearer {token}":
            told = "Incorrect API key provided." if given else "You didn't provide an API key."
            raise RefusedError(self._dialect.error(401, told, {"www-authenticate": "Bearer"}))

    async def _instead(self, answer: Answer, fault: SpeechFault | None) -> None:
        """Answer what a fault puts in the place of any right answer, if it is one of those that do."""
        if fault is SpeechFault.CRASH:
            os._exit(1)
        elif fault is SpeechFault.HANG:
            await answer.wait_until_gone()
        elif fault is SpeechFault.RESET:
            answer.reset()
            await answer.wait_until_gone()
        elif fault in REFUSALS:
            status, retry_after = REFUSALS[fault]
            told = "The service is at capacity" if status == 503 else "Rate limit reached"
            raise RefusedError(
                self._dialect.error(status, told, {"retry-after": retry_after} if retry_after else None)
            )
        elif fault is SpeechFault.ERROR:
            raise RefusedError(self._dialect.error(500, "Generation failed"))
        elif fault is SpeechFault.HTML:
            answer.page(Page(200, _HTML, "text/html; charset=utf-8"))
        elif fault is SpeechFault.JSON:
            answer.page(Page.of({"status": "ok"}))
        elif fault is SpeechFault.EMPTY_AUDIO:
            answer.page(Page(200, b"", "application/json"))
