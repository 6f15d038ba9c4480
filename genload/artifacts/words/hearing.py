"""What one answer says: the digits at its end, and how much of its text. In the inspector's process."""

from __future__ import annotations

from genload.artifacts.audio.facts import RawSamples
from genload.artifacts.audio.mono import mono
from genload.artifacts.audio.samples import File
from genload.artifacts.words.recogniser import RATE_HZ, heard_digits, heard_words
from genload.artifacts.words.transcript import word_error_rate


def heard(
    content: File, form: str, raw: RawSamples, streamed: bool, last_s: float, text: str
) -> tuple[str | None, float | None]:
    """(digits of the last seconds, word error rate against the text); None for what is not asked for.

    Raises:
        AudioError: as `genload.artifacts.audio.reader.read_audio`.
    """
    samples = mono(content, form, RATE_HZ, raw=raw, streamed=streamed)
    digits = heard_digits(samples[-round(last_s * RATE_HZ) :]) if last_s else None
    return digits, word_error_rate(text, heard_words(samples)) if text else None
