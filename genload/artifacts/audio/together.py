"""Short answers of many users, looked into one right after the other.

A look into a second of speech takes 32 µs where its code and numpy's are in a cache, and 55 between what
users do besides. So whoever comes in the same turn of the event loop is heard together with the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from gevent import get_hub
from gevent.hub import Waiter

from genload.artifacts.audio.facts import AudioFacts
from genload.artifacts.audio.samples import Ear
from genload.artifacts.audio.wav_layout import WavLayout
from genload.client.fast_lane import lane_of

PORTION_BYTES = 1 << 19
"""Of samples; so many take 0.3 ms, and are still in a cache."""


class Asked(NamedTuple):
    """An answer of plain samples, and who waits for what it is.

    Attributes:
        form, layouts: of the content.
        longest_s: hear no further.
    """

    waiter: Any
    content: bytes
    form: str
    layouts: Sequence[WavLayout]
    longest_s: float


class Together:
    """Hears plain samples for all users of a process.

    Args:
        silent_below: RMS of a frame under which it is silent.
    """

    def __init__(self, silent_below: float) -> None:
        self._silent_below = silent_below
        self._asked: list[Asked] = []

    def facts(self, content: bytes, form: str, layouts: Sequence[WavLayout], longest_s: float) -> AudioFacts:
        """What an answer is; other greenlets run meanwhile.

        Raises:
            AudioError: as `Ear` has it.
        """
        if not self._asked:
            get_hub().loop.run_callback(self._hear)
        waiter = Waiter()
        self._asked.append(Asked(waiter, content, form, layouts, longest_s))
        facts: AudioFacts = waiter.get()
        return facts

    def _hear(self) -> None:
        """Hear portion by portion, each followed by what its users do with it: before they ask again, so that
        the loop has nothing else to do for them in between.
        """
        lane = lane_of(get_hub())
        while self._asked:
            self._hear_portion()
            if lane is not None:  # the first parts of other answers do not wait for all of this
                lane.look()

    def _hear_portion(self) -> None:
        heard: list[tuple[Any, AudioFacts | Exception]] = []
        size = 0
        while size < PORTION_BYTES and len(heard) < len(self._asked):
            asked = self._asked[len(heard)]
            size += len(asked.content)
            heard.append((asked.waiter, self._heard(asked)))
        del self._asked[: len(heard)]
        for waiter, found in heard:
            if isinstance(found, Exception):
                waiter.throw(found)
            else:
                waiter.switch(found)

    def _heard(self, asked: Asked) -> AudioFacts | Exception:
        """What it is, or what is to be raised where it is asked for."""
        ear = Ear(self._silent_below, asked.longest_s)
        try:
            for layout in asked.layouts:
                ear.hear_plain(asked.content, layout)
            return ear.facts(asked.content, asked.form)
        except Exception as error:  # noqa: BLE001  a mistake of ours, too, is one user's alone
            return error
