"""Telling audio formats apart by their bytes. What an answer says of itself (Content-Type) is not asked."""

from __future__ import annotations

import re
from typing import NoReturn

from genload.artifacts.audio_facts import AudioError
from genload.artifacts.mp3_layout import begins_with_frames, skip_id3

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
    (0, b"ADIF", "AAC"),
    (4, b"ftyp", "MP4"),
    (0, b"\x1f\x8b\x08", "packed with gzip"),
    (0, b"\xff\xf1", "AAC"),
    (0, b"\xff\xf9", "AAC"),
)
_SURE_BYTES = 4  # raw samples may begin with a shorter mark
_OGG_HEAD_BYTES = 300  # a page header of up to 282 bytes, and the mark of its first packet
_TEXT_SAMPLE = 4096
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*[{\[<]")


def told_format(content: bytes, ordered: str) -> str:
    """The format that the bytes are in, which is the one that was asked for.

    Args:
        ordered: ``wav``, ``mp3``, ``flac``, ``ogg``, ``opus`` or ``pcm``.

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
    if head == b"RIFF" and content[8:12] == b"WAVE":
        return "wav"
    if head == b"OggS":
        return _kind_of_ogg(content[:_OGG_HEAD_BYTES], ordered)
    if head == b"fLaC":
        return "flac"
    _refuse_what_is_no_audio(content, ordered)
    if head[:3] == b"ID3":
        return "flac" if content.startswith(b"fLaC", skip_id3(content)) else "mp3"
    # Raw samples may begin like a frame of MP3, and hardly like two.
    if begins_with_frames(content, 2 if ordered == "pcm" else 1):
        return "mp3"
    if ordered == "pcm":
        return "pcm"
    raise AudioError("bad_audio", f"{len(content)} bytes of no known audio format")


def _kind_of_ogg(start: bytes, ordered: str) -> str:
    if b"OpusHead" in start:
        return "opus"
    # Cut off before its first packet says what it is: what was asked for, as far as it goes.
    return ordered if ordered == "opus" and len(start) < _OGG_HEAD_BYTES and b"vorbis" not in start else "ogg"


def _refuse_what_is_no_audio(content: bytes, ordered: str) -> None:
    if not content:
        raise AudioError("empty_audio", "the answer is empty")
    if len(content) < (12 if content[:4] == b"RIFF" else _SURE_BYTES) and ordered != "pcm":
        raise AudioError("truncated", f"the answer ends after {len(content)} bytes, inside a header")
    if _is_text(content, ordered):
        _refuse_text(content)
    for place, mark, kind in _OTHER_KINDS:
        if content.startswith(mark, place) and (ordered != "pcm" or len(mark) >= _SURE_BYTES):
            raise AudioError("wrong_content", f"the answer is {kind}: no format that can be asked for")


def _is_text(content: bytes, ordered: str) -> bool:
    if ordered == "pcm" and not _MARKUP.match(content):
        return False  # quiet samples may look like letters
    sample = content[:_TEXT_SAMPLE]
    if _CONTROL.search(sample):
        return False
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start > len(sample) - 4  # cut inside its last character
    return True


def _refuse_text(content: bytes) -> NoReturn:
    start = content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    kind = {b"{": "JSON", b"[": "JSON", b"<": "HTML or XML"}.get(start, "text")
    words = " ".join(content[:400].decode("utf-8", "replace").split())[:200]
    raise AudioError("wrong_content", f"the answer is {kind}, not audio: {words}")
