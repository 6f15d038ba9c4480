"""How an accepted request is spoken and sent: streamed, whole, or from the cache."""

from __future__ import annotations

import asyncio
import io
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import replace
from time import monotonic, monotonic_ns

import numpy as np

from .alterations import ALTERATIONS, DUPLICATE_TEXT, SHORT_S, beginning
from .cache import Cache
from .dialect import Dialect, RefusedError, Wanted
from .encoding import Encoder, EncodingError, Format, Samples, encode, nan_wav
from .engine import Engine, Tape
from .faults import UNREADABLE, SpeechFault
from .framing import EVENTS, Events
from .line import Line
from .misspeaking import Misspeaking
from .options import SpeechOptions
from .pacer import Pacer
from .playout import Playout
from .tally import Tally
from .truth import SpeechTruth
from .wire import Answer

_GOLDEN = 0.618034  # multiples of it, modulo 1, spread evenly however many there are
_PIECE_BYTES = 4096  # of an answer that was whole before it was chunked
_GARBAGE_BYTES = 4096
_TRICKLE_S = 0.1
_FILLER = bytes(16 * 1024)

_BREAKING = (
    SpeechFault.TRUNCATED,
    SpeechFault.STALL,
    SpeechFault.SLOW_LORIS,
    SpeechFault.ENDLESS,
    SpeechFault.ERROR_EVENT,
    *UNREADABLE,
)


class Delivery:
    """Speaks and sends, for one service."""

    def __init__(
        self,
        options: SpeechOptions,
        dialect: Dialect,
        engine: Engine,
        *,
        line: Line,
        tally: Tally,
        pool: Executor,
        pacer: Pacer,
    ) -> None:
        self._options, self._dialect, self._engine = options, dialect, engine
        self._line, self._tally, self._pool, self._pacer = line, tally, pool, pacer
        self._cache = Cache()
        self._misspeaking = Misspeaking()
        self._streams = 0

    async def deliver(
        self, wanted: Wanted, answer: Answer, truth: SpeechTruth, fault: SpeechFault | None
    ) -> None:
        """Send what is wanted, or what `fault` makes of it.

        Raises:
            RefusedError: it cannot be spoken; nothing has been sent.
        """
        text = await self._misspeaking.text(wanted.text, fault, truth)
        if text != wanted.text:  # of which nothing is kept, nor answered from what is
            wanted, truth.spoken = replace(wanted, text=text, cached=False), text
        if fault is SpeechFault.EMPTY_AUDIO:
            await self._at_once(wanted, answer, b"", wanted.media_type)
        elif fault is SpeechFault.GARBAGE:
            # Zeros first: of much noise some begins like a frame of MP3.
            noise = bytes(4) + random.Random(wanted.text).randbytes(_GARBAGE_BYTES - 4)
            await self._at_once(wanted, answer, noise, wanted.media_type)
        elif wanted.streamed and fault is not SpeechFault.NAN:
            async with self._line.turn() as had_to_wait:
                begun_ns = monotonic_ns() if had_to_wait else truth.received_ns
                await self._stream(wanted, answer, truth, fault, begun_ns + truth.held_back_ns)
        else:
            await self._whole(wanted, answer, truth, fault)

    # --- streamed

    async def _stream(
        self, wanted: Wanted, answer: Answer, truth: SpeechTruth, fault: SpeechFault | None, begun_ns: int
    ) -> None:
        options, rate_hz = self._options, self._rate_hz(fault)
        try:
            encoder = Encoder(wanted.form, rate_hz)
        except EncodingError as error:
            raise RefusedError(self._dialect.error(500, str(error))) from None
        self._begin(wanted, answer)
        if encoder.header:
            answer.chunk(encoder.header)
        tape = self._tape(wanted, fault)
        playout = Playout(
            tape,
            encoder,
            answer,
            truth,
            first_due_ns=self._first_due_ns(begun_ns),
            chunk_bytes=2 * round(options.chunk_s * rate_hz),
            pace_ns=round(options.pace_s * 1e9),
            rate_hz=rate_hz,
            work_s=options.work_s,
        )
        try:
            if fault in _BREAKING:
                await playout.play(self._pacer, chunks=-1 if fault is SpeechFault.ENDLESS else 1, close=False)
                await self._break(answer, fault)
            else:
                await playout.play(self._pacer)
        finally:
            tape.left = True
        if tape.failed is not None:
            answer.fail(f"Generation failed: {tape.failed}")

    def _first_due_ns(self, begun_ns: int) -> int:
        """Streams that begin together do not all write at the same moments."""
        self._streams += 1
        phase_s = (self._streams - 1) * _GOLDEN % 1 * self._options.pace_s
        return begun_ns + round((self._options.first_chunk_s + phase_s) * 1e9)

    def _tape(self, wanted: Wanted, fault: SpeechFault | None) -> Tape:
        """A tape that is being spoken on to."""
        tape = Tape()
        if self._engine.instant or self._options.head_of_line:
            for samples in self._spoken(wanted, fault):
                tape.append(samples)
            tape.end()
        else:
            self._pool.submit(self._speak_on_to, tape, wanted, fault, asyncio.get_running_loop())
        return tape

    def _speak_on_to(
        self, tape: Tape, wanted: Wanted, fault: SpeechFault | None, loop: asyncio.AbstractEventLoop
    ) -> None:
        """In a thread."""
        failed: Exception | None = None
        try:
            for samples in self._spoken(wanted, fault):
                if tape.left:
                    break
                _call(loop, tape.append, samples)
        except Exception as error:  # noqa: BLE001 - whatever it is, its client is to hear of it
            failed = error
        _call(loop, tape.end, failed)

    def _spoken(self, wanted: Wanted, fault: SpeechFault | None) -> Iterator[Samples]:
        text = DUPLICATE_TEXT if fault is SpeechFault.DUPLICATE else wanted.text
        alter = ALTERATIONS.get(fault) if fault is not None else None
        started_s, audio_s = monotonic(), 0.0
        pieces = self._engine.speak(text, wanted.voice, wanted.speed)
        if fault is SpeechFault.SHORT:
            pieces = beginning(pieces, round(SHORT_S * self._engine.rate_hz))
        for samples in pieces:
            audio_s += len(samples) / self._engine.rate_hz
            yield alter(samples) if alter is not None else samples
        self._tally.spoke(audio_s, monotonic() - started_s)

    # --- whole

    async def _whole(
        self, wanted: Wanted, answer: Answer, truth: SpeechTruth, fault: SpeechFault | None
    ) -> None:
        key = (wanted.text, wanted.voice, wanted.speed, wanted.form)
        cached = wanted.cached and fault is None
        if cached:
            kept = self._cache.get(key, monotonic())
            truth.cache = "miss" if kept is None else "hit"
            self._tally.looked_up(hit=kept is not None)
            if kept is not None:
                # Line by line, because that is how Python goes through a file.
                await self._chunked(wanted, answer, io.BytesIO(kept))
                return
        async with self._line.turn() as had_to_wait:
            begun_ns = monotonic_ns() if had_to_wait else truth.received_ns
            samples = await self._made(wanted, fault, begun_ns + truth.held_back_ns)
            content = await self._encoded(wanted, samples, fault)
        truth.audio_s = len(samples) / self._rate_hz(fault)
        if cached:
            self._cache.put(key, content, monotonic())
        if fault in _BREAKING:
            half = content[: len(content) // 2]
            if fault is SpeechFault.ENDLESS:
                self._begin(wanted, answer)
                answer.chunk(content)
            else:
                answer.promise(len(content), wanted.media_type, wanted.headers)
                answer.part(half)
            await self._break(answer, fault)
        elif wanted.chunked:
            pieces = (content[at : at + _PIECE_BYTES] for at in range(0, len(content), _PIECE_BYTES))
            await self._chunked(wanted, answer, pieces)
        else:
            kind = "audio/wav" if fault is SpeechFault.NAN else wanted.media_type
            await self._at_once(wanted, answer, content, kind)

    async def _made(self, wanted: Wanted, fault: SpeechFault | None, begun_ns: int) -> Samples:
        """All of the audio, when it would have been streamed to its end."""
        due_s = self._first_due_ns(begun_ns) / 1e9
        if self._engine.instant or self._options.head_of_line:
            pieces = list(self._spoken(wanted, fault))
        else:
            loop = asyncio.get_running_loop()
            spoken = loop.run_in_executor(self._pool, lambda: list(self._spoken(wanted, fault)))
            try:
                pieces = await spoken
            except Exception as error:
                raise RefusedError(self._dialect.error(500, f"Generation failed: {error}")) from error
        samples = np.concatenate(pieces) if pieces else np.zeros(0, np.int16)
        if not len(samples):
            raise RefusedError(self._dialect.error(500, "Generation failed: Generated audio is empty"))
        if self._engine.instant:
            due_s += len(samples) / self._rate_hz(fault) // self._options.chunk_s * self._options.pace_s
            wait_s = max(0.0, due_s - monotonic())
            if self._options.head_of_line:
                time.sleep(wait_s)
            else:
                await asyncio.sleep(wait_s)
        return samples

    async def _encoded(self, wanted: Wanted, samples: Samples, fault: SpeechFault | None) -> bytes:
        rate_hz = self._rate_hz(fault)
        try:
            if fault is SpeechFault.NAN:
                return nan_wav(samples, rate_hz)
            if wanted.form in (Format.WAV, Format.PCM) or self._options.head_of_line:
                return encode(samples, wanted.form, rate_hz)
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, encode, samples, wanted.form, rate_hz)
        except EncodingError as error:
            raise RefusedError(self._dialect.error(500, f"Generation failed: {error}")) from None

    async def _chunked(self, wanted: Wanted, answer: Answer, pieces: Iterator[bytes] | io.BytesIO) -> None:
        self._begin(wanted, answer)
        for piece in pieces:
            await answer.drained()
            answer.chunk(piece)
        answer.chunk(b"", last=True)

    def _begin(self, wanted: Wanted, answer: Answer) -> None:
        if wanted.events:
            answer.begin(EVENTS, wanted.headers, Events(wanted.form, len(wanted.text)))
        else:
            answer.begin(wanted.media_type, wanted.headers)

    async def _at_once(self, wanted: Wanted, answer: Answer, content: bytes, kind: str) -> None:
        if wanted.events:
            self._begin(wanted, answer)
            answer.chunk(content, last=True)
        else:
            await answer.whole(content, kind, wanted.headers)

    # --- faults

    async def _break(self, answer: Answer, fault: SpeechFault) -> None:
        """Go on with an answer that has begun, the way it must not."""
        if fault is SpeechFault.TRUNCATED:
            answer.cut()
        elif fault is SpeechFault.ERROR_EVENT:
            answer.fail("Generation failed in the middle of it")
        elif fault in UNREADABLE:
            answer.spoil(fault)
        elif fault is SpeechFault.STALL:
            await answer.wait_until_gone()
        while fault is SpeechFault.SLOW_LORIS:
            await asyncio.sleep(_TRICKLE_S)
            answer.trickle()
        while fault is SpeechFault.ENDLESS:
            await answer.drained()
            answer.chunk(_FILLER)
            await asyncio.sleep(0)

    def _rate_hz(self, fault: SpeechFault | None) -> int:
        return self._engine.rate_hz // (2 if fault is SpeechFault.WRONG_RATE else 1)


def _call(loop: asyncio.AbstractEventLoop, act: Callable[..., None], *arguments: object) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(act, *arguments)
