"""A streamed answer: audio from a tape, written chunk by chunk at its times."""

from __future__ import annotations

import asyncio
from time import monotonic_ns, thread_time

from .encoding import Encoder
from .engine import Tape
from .pacer import Pacer
from .truth import SpeechTruth
from .wire import Answer

_AT_ONCE = 32  # chunks in a turn of a stream without a pace
_BLOCKED_NS = 1_000_000  # how soon to look again whether a client has taken what it was sent


class Playout:
    """Plays one tape to one client.

    The schedule counts from the start: chunk k is due at the first chunk's time and k paces, however late the
    one before was. A chunk that is not spoken by then is sent as soon as it is.

    Args:
        first_due_ns: when the first chunk of audio is due, monotonic.
        chunk_bytes: of PCM, a write.
        rate_hz: of the PCM.
        work_s: CPU time that each write takes before it.
    """

    def __init__(
        self,
        tape: Tape,
        encoder: Encoder,
        answer: Answer,
        truth: SpeechTruth,
        *,
        first_due_ns: int,
        chunk_bytes: int,
        pace_ns: int,
        rate_hz: int,
        work_s: float = 0.0,
    ) -> None:
        self._tape, self._encoder, self._answer, self._truth = tape, encoder, answer, truth
        self._due_ns, self._chunk_bytes, self._pace_ns = first_due_ns, chunk_bytes, pace_ns
        self._bytes_a_second, self._work_s = 2 * rate_hz, work_s
        self._sent_bytes = 0  # of PCM
        self._left_chunks = -1  # how many more to send; negative: all
        self._asleep = False
        truth.first_due_ns = first_due_ns

    async def play(self, pacer: Pacer, *, chunks: int = -1, close: bool = True) -> None:
        """Send the audio to its end.

        Args:
            chunks: send only that many; negative: all.
            close: end the answer, too.
        """
        self._pacer, self._left_chunks, self._close = pacer, chunks, close
        self._done = asyncio.get_running_loop().create_future()
        self._tape.on_more = self._wake
        pacer.call_at(self._due_ns, self._step)
        await self._done

    def _wake(self) -> None:
        if self._asleep:
            self._asleep = False
            self._pacer.call_at(max(self._due_ns, monotonic_ns()), self._step)

    def _step(self, now_ns: int) -> int | None:
        if self._done.done() or self._answer.gone:
            return None
        chunks = 1 if self._pace_ns else _AT_ONCE
        while chunks and not self._answer.blocked:
            # Without a pace, what there is goes at once: the end of a sentence does not wait for the next.
            least_bytes = self._chunk_bytes if self._pace_ns else 1
            if self._tape.size_bytes < least_bytes and not self._tape.ended:
                self._asleep = True
                return None
            self._send(self._tape.take(self._chunk_bytes))
            if self._done.done():
                return None
            self._due_ns += self._pace_ns
            chunks -= 1
        return now_ns + _BLOCKED_NS if self._answer.blocked else max(now_ns, self._due_ns)

    def _send(self, pcm: bytes) -> None:
        at_end = self._tape.ended and not self._tape.size_bytes
        _work(self._work_s)
        content = self._encoder.feed(pcm)
        if at_end:
            content += self._encoder.finish()
        last = at_end and self._close and self._tape.failed is None
        if content or last:
            self._note(self._answer.chunk(content, last=last), pcm)
        self._left_chunks -= 1
        if at_end or self._left_chunks == 0:
            self._done.set_result(None)

    def _note(self, stamp_ns: int, pcm: bytes) -> None:
        self._sent_bytes += len(pcm)
        self._truth.audio_s = self._sent_bytes / self._bytes_a_second
        if self._pace_ns and pcm:
            self._truth.late_max_s = max(self._truth.late_max_s, (stamp_ns - self._due_ns) / 1e9)


def _work(seconds: float) -> None:
    until_s = thread_time() + seconds
    while thread_time() < until_s:
        pass
