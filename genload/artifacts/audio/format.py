"""Telling audio formats apart by their bytes. What an answer says of itself (Content-Type) is not asked."""

from __future__ import annotations

import re
from typing import NoReturn

from genload.artifacts.audio.aac_layout import begins_with_adts
from genload.artifacts.audio.facts import AudioError
from genload.artifacts.audio.mp3_layout import begins_with_frames, skip_id3

_ACCEPTED = {"ogg": ("ogg", "opus")}  # Opus travels in Ogg, too
_OTHER_KINDS = (
    (0, b"\x89PNG", "a PNG image"),
    (0, b"\x1a\x45\xdf\xa3", "WebM or Matroska"),
    (0, b"%PDF", "a PDF document"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"FORM", "AIFF"),
    (0, b"RIFX", "big-endian WAV"),
    (0, b"caff", "CAF"),
    (0, b".snd", "AU"),
    (0, b"#!AMR", "AMR"),
    (0, b"#!SILK", "SILK"),
    (0, b"ADIF", "AAC"),
    (4, b"ftyp", "MP4"),
    (0, b"\x1f\x8b\x08", "packed with gzip"),
    (0, b"\xff\xf1", "AAC"),
    (0, b"\xff\xf9", "AAC"),
)
_SURE_BYTES = 3  # raw samples may begin with a shorter mark
_SHORTEST_HEADER_BYTES = 4
_WAVE64 = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00"
_OGG_HEAD_BYTES = 300  # a page header of up to 282 bytes, and the mark of its first packet
_TEXT_SAMPLE = 4096
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
_WAV_MARKS = (b"RIFF", b"RF64", b"BW64")
_LONGEST_ADTS_BYTES = 1 << 13
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*[{\[<]")


def told_format(content: bytes, ordered: str) -> str:
    """The format that the bytes are in, which is the one that was asked for.

    Args:
        ordered: ``wav``, ``mp3``, ``flac``, ``ogg``, ``opus``, ``aac`` or ``pcm``.

    Returns:
        one of the same words; ``opus`` for Opus when ``ogg`` was asked for.

    Raises:
        AudioError: empty_audio, wrong_content, or bad_audio for bytes of no known kind.
    """
    found = _known(content, ordered)
    if found != ordered and found not in _ACCEPTED.get(ordered, ()):
        raise AudioError("wrong_content", f"{ordered} was asked for, and the answer is {found}")
    return found


def _known(content: bytes, ordered: str) -> str:
    """The format by its own marks; raw PCM, which has none, only where it was asked for."""
    head = content[:4]
    if head in _WAV_MARKS and content[8:12] == b"WAVE":
        return "wav"
    if head == b"riff" and content.startswith(_WAVE64):
        return "wav"
    if head == b"OggS":
        return _kind_of_ogg(content[:_OGG_HEAD_BYTES], ordered)
    if head == b"fLaC":
        return "flac"
    # Raw samples may begin like a frame of MP3 or AAC, and hardly like several.
    if begins_with_adts(content, 3 if ordered == "pcm" else 1):
        return "aac"
    _refuse_what_is_no_audio(content, ordered)
    if head[:3] == b"ID3":
        return _behind_id3(content)
    if begins_with_frames(content, 2 if ordered == "pcm" else 1):
        return "mp3"
    if ordered == "pcm":
        return "pcm"
    raise AudioError("bad_audio", f"{len(content)} bytes of no known audio format")


def _behind_id3(content: bytes) -> str:
    place = skip_id3(content)
    if content.startswith(b"fLaC", place):
        return "flac"
    return "aac" if begins_with_adts(content[place : place + _LONGEST_ADTS_BYTES], 1) else "mp3"


def _kind_of_ogg(start: bytes, ordered: str) -> str:
    if b"OpusHead" in start:
        return "opus"
    # Cut off before its first packet says what it is: what was asked for, as far as it goes.
    return ordered if ordered == "opus" and len(start) < _OGG_HEAD_BYTES and b"vorbis" not in start else "ogg"


def _refuse_what_is_no_audio(content: bytes, ordered: str) -> None:
    if not content:
        raise AudioError("empty_audio", "the answer is empty")
    shortest = 12 if content[:4] == b"RIFF" else _SHORTEST_HEADER_BYTES
    if len(content) < shortest and ordered != "pcm":
        raise AudioError("truncated", f"the answer ends after {len(content)} bytes, inside a header")
    if is_text(content, sure=ordered != "pcm"):
        _refuse_text(content)
    for place, mark, kind in _OTHER_KINDS:
        if content.startswith(mark, place) and (ordered != "pcm" or len(mark) >= _SURE_BYTES):
            raise AudioError("wrong_content", f"the answer is {kind}: no format that can be asked for")


def is_text(content: bytes, *, sure: bool) -> bool:
    """Whether bytes are text.

    Args:
        sure: whether they can be nothing else, if they look like it. Quiet samples may look like letters:
            they are text where they begin like JSON or a page.
    """
    if not sure and not _MARKUP.match(content):
        return False
    sample = content[:_TEXT_SAMPLE]
    if _CONTROL.search(sample):
        return False
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError as error:
        # Cut inside its last character, by us.
        return len(content) > len(sample) and error.start > len(sample) - 4
    return True


def _refuse_text(content: bytes) -> NoReturn:
    start = content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    kind = {b"{": "JSON", b"[": "JSON", b"<": "HTML or XML"}.get(start, "text")
    words = " ".join(content[:400].decode("utf-8", "replace").split())[:200]
    raise AudioError("wrong_content", f"the answer is {kind}, not audio: {words}")
