"""What goes wrong on purpose with speech: which faults there are, how often."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ..fault_options import After
from ..faults import HEADER, UnknownFaultError
from ..quantities import parse_count, parse_duration_s, parse_rate, parse_size_bytes


class SpeechFault(StrEnum):
    """By name, as the header and ``--fault`` take it; ``_`` may stand for ``-``."""

    # refusals
    REJECT = "reject"  # 503, Retry-After
    REJECT_BARE = "reject-bare"  # 503 that names no pause
    LIMIT = "limit"  # 429, Retry-After
    LIMIT_BARE = "limit-bare"  # 429 that names no pause
    # instead of an answer
    ERROR = "error"  # 500
    HTML = "html"  # 200 with a page
    JSON = "json"  # 200 with a JSON object
    EMPTY_AUDIO = "empty-audio"  # 200 with the right type and no byte
    HANG = "hang"  # no answer, the connection stays open
    RESET = "reset"  # the connection is reset
    # answers that do not end well
    TRUNCATED = "truncated"  # closed after the first chunk, or half of a whole answer
    STALL = "stall"  # nothing more after the first chunk, or half of a whole answer
    SLOW_LORIS = "slow-loris"  # byte by byte, so slowly that it never ends
    ENDLESS = "endless"  # goes on as fast as it is taken
    ERROR_EVENT = (
        "error-event"  # says after the first chunk that it failed; where that cannot be said, truncated
    )
    NO_END = "no-end"  # ends as if it were whole, after the first chunk and without its last event or message
    BAD_BASE64 = "bad-base64"  # behind the first chunk a piece of audio that is no base64
    BAD_EVENT = "bad-event"  # behind the first chunk an event or a message that is no JSON
    BAD_FRAME = "bad-frame"  # behind the first chunk what the protocol below does not allow
    OTHER_FORMAT = "other-format"  # behind the first chunk the beginning of a file of another format
    DEAF = "deaf"  # does not notice that its client is gone: it is spoken to its end
    # audio
    GARBAGE = "garbage"  # noise instead of a file, of the right type
    SILENCE = "silence"  # as long as it should be
    CLIPPED = "clipped"  # all at full scale
    NAN = "nan"  # a WAV of floats, whatever was asked for, some of them no numbers
    WRONG_RATE = "wrong-rate"  # half the sampling rate
    DUPLICATE = "duplicate"  # the same audio whatever the text
    HISS = "hiss"  # white noise, as long and as loud as the speech
    HUM = "hum"  # a tone, as long and as loud as the speech
    SHORT = "short"  # no more than the first 0.6 s
    # words
    SWAP = "swap"  # waits a second at most for the next request: each of the two gets the other's audio
    DROP_WORD = "drop-word"  # one word of the text is left out
    REPEAT_SENTENCE = "repeat-sentence"  # the last sentence is spoken twice
    BLEED = "bleed"  # ends with the last word of the request before
    # the service as a whole
    CRASH = "crash"  # the process is gone at once


REFUSALS = {
    SpeechFault.REJECT: (503, "5"),
    SpeechFault.REJECT_BARE: (503, ""),
    SpeechFault.LIMIT: (429, "5"),
    SpeechFault.LIMIT_BARE: (429, ""),
}
"""Status, and the seconds in Retry-After."""

UNREADABLE = (
    SpeechFault.NO_END,
    SpeechFault.BAD_BASE64,
    SpeechFault.BAD_EVENT,
    SpeechFault.BAD_FRAME,
    SpeechFault.OTHER_FORMAT,
)
"""What nobody can read in the middle of a stream; a whole answer is cut off, and so is a stream that has
nothing of the kind.
"""

SPARED = "none"
"""In the header's place of a fault: nothing is to befall this request."""

RATED = tuple(fault for fault in SpeechFault if fault is not SpeechFault.CRASH)


@dataclass(frozen=True, slots=True)
class ColdStart:
    """How much longer the first answer takes, at the start and after so long without a request."""

    extra_s: float
    idle_s: float


@dataclass(frozen=True, slots=True)
class SpeechFaults:
    """All ``--fault`` options together. 0 and None: does not happen."""

    rates: Sequence[tuple[SpeechFault, float]] = ()  # of all requests for speech
    slow_start_s: float = 0.0
    cold_start: ColdStart | None = None
    crash_requests: int = 0  # ended requests after which it happens
    memory_growth_bytes: int = 0  # a request
    memory_step: After | None = None


def parse_speech_faults(texts: Iterable[str]) -> SpeechFaults:
    """The options as they were given, later ones over earlier ones of the same name.

    Raises:
        ValueError: a name, value or sum of rates that makes no sense; the message shows the form.
    """
    rates: dict[SpeechFault, float] = {}
    amounts: dict[str, object] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals:
            raise ValueError(f"'{text}' is not NAME=VALUE, such as silence=5%")
        name = name.replace("_", "-")
        if name in _AMOUNTS:
            key, read = _AMOUNTS[name]
            amounts[key] = read(value)
        else:
            rates[_fault(name, NAMES)] = parse_rate(value)
    if (total := sum(rates.values())) > 1 + 1e-9:
        raise ValueError(f"{', '.join(rates)} add up to {total:.0%}: more than all there are")
    return SpeechFaults(tuple(rates.items()), **amounts)  # type: ignore[arg-type] # by _AMOUNTS


def asked(header: str | None) -> SpeechFault | None:
    """The fault that a request asks for by its header.

    Raises:
        UnknownFaultError: it names none that there is.
    """
    if not header or header == SPARED:
        return None
    try:
        return _fault(header.strip(), tuple(SpeechFault))
    except UnknownFaultError as error:
        raise UnknownFaultError(f"{HEADER}: {error}") from None


class SpeechDraws:
    """Decides what befalls which request: at most one fault, each as often as its rate says. The same seed
    decides the same, request by request."""

    def __init__(self, faults: SpeechFaults, seed: int) -> None:
        self._rates, self._random = faults.rates, random.Random(f"faults of speech {seed}")

    def befalls(self, header: str | None) -> SpeechFault | None:
        """What befalls the next request, if anything: what its header asks for, or what is drawn.

        Raises:
            UnknownFaultError: it asks for none that there is.
        """
        return None if header == SPARED else asked(header) or self.draw()

    def draw(self) -> SpeechFault | None:
        """What befalls a request that asks for nothing."""
        drawn = self._random.random()
        for fault, rate in self._rates:
            if drawn < rate:
                return fault
            drawn -= rate
        return None


def _fault(name: str, known: Sequence[str]) -> SpeechFault:
    name = name.replace("_", "-")
    if name not in list(SpeechFault) or name not in known:
        raise UnknownFaultError(f"no fault '{name}'; there are {', '.join(known)}")
    return SpeechFault(name)


def _step(text: str) -> After:
    size, at, requests = text.partition("@")
    if not at:
        raise ValueError(f"'{text}' does not say after how many requests, as in 64MiB@20")
    return After(parse_size_bytes(size), parse_count(requests))


def _cold_start(text: str) -> ColdStart:
    extra, at, idle = text.partition("@")
    if not at:
        raise ValueError(f"'{text}' does not say after how long without a request, as in 2s@10s")
    return ColdStart(parse_duration_s(extra), parse_duration_s(idle))


# Those whose value is no rate: the field that they fill, and how their value is read.
_AMOUNTS: dict[str, tuple[str, Callable[[str], object]]] = {
    "slow-start": ("slow_start_s", parse_duration_s),
    "cold-start": ("cold_start", _cold_start),
    "crash": ("crash_requests", parse_count),
    "memory-growth": ("memory_growth_bytes", parse_size_bytes),
    "memory-step": ("memory_step", _step),
}
NAMES: tuple[str, ...] = (*RATED, *_AMOUNTS)
"""Every name that ``--fault`` takes."""
