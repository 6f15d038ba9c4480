"""What makes the audio: the seam between the service and its two engines."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator

from .encoding import Samples


class Engine(ABC):
    """Speaks texts.

    Attributes:
        voices: their names, as requests have them.
        instant: speaking takes no time worth a thread.
    """

    voices: tuple[str, ...]
    instant: bool
    rate_hz = 24_000

    @abstractmethod
    def load(self) -> None:
        """Whatever takes its time, once; in a thread."""

    @abstractmethod
    def speak(self, text: str, voice: str, speed: float) -> Iterator[Samples]:
        """The audio, piece by piece as it is made; from any thread. Nothing for a text without words."""


class Tape:
    """Audio between an engine, which appends, and an answer, which takes from the front.

    Attributes:
        ended: nothing more will be appended.
        failed: why, if that is because the engine could not.
        left: nobody will take any more.
        on_more: called when there is more to take, or the end is known.
    """

    def __init__(self) -> None:
        self._pieces: deque[memoryview] = deque()
        self.size_bytes = 0  # waiting to be taken
        self.ended = False
        self.failed: Exception | None = None
        self.left = False
        self.on_more: Callable[[], None] = lambda: None

    def append(self, samples: Samples) -> None:
        """More audio."""
        self._pieces.append(memoryview(samples.data).cast("B"))
        self.size_bytes += samples.nbytes
        self.on_more()

    def end(self, failed: Exception | None = None) -> None:
        """No more audio."""
        self.ended, self.failed = True, failed
        self.on_more()

    def take(self, size_bytes: int) -> bytes:
        """At most that much from the front."""
        taken: list[memoryview] = []
        while self._pieces and size_bytes:
            piece = self._pieces.popleft()
            if len(piece) > size_bytes:
                self._pieces.appendleft(piece[size_bytes:])
                piece = piece[:size_bytes]
            taken.append(piece)
            size_bytes -= len(piece)
            self.size_bytes -= len(piece)
        return b"".join(taken)
