"""AAC as a server streams it: in frames of ADTS (ISO/IEC 13818-7, section 6.2; 14496-3, annex 1.A)."""

from __future__ import annotations

from itertools import accumulate

from genload.artifacts.audio.facts import AudioError
from genload.artifacts.audio.mp3_layout import skip_id3
from genload.artifacts.audio.stream import Stream

_RATES_HZ = (
    96_000,
    88_200,
    64_000,
    48_000,
    44_100,
    32_000,
    24_000,
    22_050,
    16_000,
    12_000,
    11_025,
    8_000,
    7_350,
)
_HEADER_BYTES = 7
_BLOCK_SAMPLES = 1024  # SBR doubles them and the rate, so that they last as long


def _frame(content: bytes, place: int) -> tuple[int, int, int] | None:
    """(size, rate, samples of a channel) of the frame whose header lies there; None if none does."""
    head = content[place : place + _HEADER_BYTES]
    if len(head) < _HEADER_BYTES or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
        return None
    rate = head[2] >> 2 & 15
    size = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    if rate >= len(_RATES_HZ) or size < _HEADER_BYTES:
        return None
    return size, _RATES_HZ[rate], ((head[6] & 3) + 1) * _BLOCK_SAMPLES


def begins_with_adts(content: bytes, count: int) -> bool:
    """Whether so many frames of one rate, each followed by the next or the end, begin the file. The last
    may be cut; of several not the first."""
    place, first = 0, _frame(content, 0)
    frame = first
    for number in range(count):
        if first is None or frame is None or frame[1] != first[1]:
            return False
        place += frame[0]
        if place >= len(content):
            return place == len(content) or number > 0 or count == 1
        frame = _frame(content, place)
    return frame is not None or len(content) - place < _HEADER_BYTES


def aac_streams(content: bytes) -> list[Stream]:
    """Frame by frame: one stream, for nothing in it tells where another begins.

    Raises:
        AudioError: bad_audio, something else between the frames.
    """
    place, size = skip_id3(content), len(content)
    ends: list[int] = []
    seconds: list[float] = []
    cut = ""
    while place < size:
        frame = _frame(content, place)
        if frame is None and size - place >= _HEADER_BYTES:
            raise AudioError("bad_audio", f"byte {place}, after {len(ends)} frames, begins no frame of AAC")
        if frame is None or place + frame[0] > size:
            cut = f"the last of {len(ends) + 1} frames is not whole"
            break
        place += frame[0]
        ends.append(place)
        seconds.append(frame[2] / frame[1])
    return [Stream("aac", 0, size, ends, list(accumulate(seconds)), len(ends), cut)]
