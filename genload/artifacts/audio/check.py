"""Whether decoded audio is an answer that a listener would accept."""

from __future__ import annotations

import re
from dataclasses import dataclass

from genload.artifacts.audio.facts import AudioFacts
from genload.artifacts.duplicates import OutputRegistry
from genload.human import human
from genload.service import ServiceError
from genload.settings.speech import Check

_SLACK_S = 0.5  # a breath, a trailing pause: so much more or less than the bounds is always plausible
_LEAST_TOLD_S = 1.5  # a word or two may be steady
_SHOWN_CHARACTERS = 80
_DIGIT = re.compile(r"\d")
_LETTERS_A_DIGIT = 10  # 1234567890 is "one billion two hundred thirty-four million …": 100 letters


@dataclass(frozen=True, slots=True)
class AudioCheck:
    """Judges facts by the suite's bounds.

    Attributes:
        speed: that the service was asked to speak at: 2 is twice as fast.
        registry: of the outputs seen before; None: the same audio for different texts is no failure.
    """

    check: Check
    speed: float
    registry: OutputRegistry | None

    def longest_s(self, text: str) -> float:
        """The longest plausible audio: a digit may be spoken as a word."""
        spoken = len(text) + (_LETTERS_A_DIGIT - 1) * len(_DIGIT.findall(text))
        return spoken * self.check.max_s_per_character / self.speed + _SLACK_S

    def shortest_s(self, text: str) -> float:
        """The shortest plausible audio; below 0 for a short text."""
        return len(text) * self.check.min_s_per_character / self.speed - _SLACK_S

    def judge(self, facts: AudioFacts, text: str) -> None:
        """Say nothing of good audio; remember it.

        Raises:
            ServiceError: ``wrong_rate``, ``wrong_channels``, ``silent_audio``, ``no_speech``,
                ``clipped_audio``, ``implausible_audio`` (too short; what is too long was not decoded) or
                ``duplicate_output``.
        """
        fault = self._fault(facts, text)
        if fault:
            raise ServiceError(*fault, status=200)
        if self.registry is not None:
            self.registry.admit_digest(_named(text), facts.fingerprint)

    def _fault(self, facts: AudioFacts, text: str) -> tuple[str, str] | None:
        check, length_s = self.check, facts.duration_s
        if check.rate_hz not in (None, facts.rate_hz):
            return "wrong_rate", f"{facts.rate_hz} Hz instead of {check.rate_hz}"
        if check.channels not in (None, facts.channels):
            return "wrong_channels", f"{facts.channels} channels instead of {check.channels}"
        if facts.rms < check.silent_below_rms:
            rms = f"an RMS of {facts.rms:.6f}, under {check.silent_below_rms:g}"
            return "silent_audio", f"{human(length_s, 's')} of audio at {rms}"
        if facts.clipped > check.max_clipped:
            return "clipped_audio", f"{human(facts.clipped, 'ratio')} of its samples are at full scale"
        if facts.variation < check.steady_below and facts.sounding_s >= _LEAST_TOLD_S:
            varies = f"varies by {human(facts.variation, 'ratio')} of its mean, as a noise or a tone does"
            return "no_speech", f"its loudness {varies}, and speech by {check.steady_below:.0%} at least"
        shortest_s = self.shortest_s(text)
        if length_s < shortest_s:
            least = f"at least {human(shortest_s, 's')} would be plausible"
            return "implausible_audio", f"{human(length_s, 's')} of audio for {len(text)} characters: {least}"
        return None


def _named(text: str) -> str:
    """A text as the registry keeps it: whole, or its beginning for people and what tells it from others."""
    if len(text) <= _SHOWN_CHARACTERS:
        return f"'{text}'"
    return f"'{text[:_SHOWN_CHARACTERS]}…' ({len(text)} characters, {hash(text):x})"
