"""Listening to the answers of a speech service: how each would have played, and whether it is audio at all.

Playback is told of every answer; the suite's `validate` says which are decoded and judged, too. Whatever
takes long happens in the inspector's process, so that no measured time is falsified by it; a few seconds of
plain samples take less than to ask there.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import msgspec
from xxhash import xxh3_64_intdigest

from genload.artifacts.audio.check import AudioCheck
from genload.artifacts.audio.facts import AudioError, AudioFacts, RawSamples
from genload.artifacts.audio.format import told_format
from genload.artifacts.audio.playback import play
from genload.artifacts.audio.samples import are_plain
from genload.artifacts.audio.together import Together
from genload.artifacts.audio.wav_layout import WavLayout, available_s, raw_layout, wav_layouts
from genload.artifacts.duplicates import OutputRegistry
from genload.artifacts.inspector import shared
from genload.artifacts.inspector.inspector import Inspector
from genload.artifacts.inspector.messages import AudioTask, WordsTask
from genload.artifacts.words import can_recognise
from genload.service import (
    Artifact,
    CannotInspectError,
    NotInspectedError,
    ServiceError,
    Speech,
    Utterance,
)
from genload.settings.speech import SpeechRequest

AT_ONCE_BYTES = 1 << 19
"""Of plain samples; so many take 0.2 ms, and a second of speech 0.03. To ask another process takes 0.1 to 0.5
of CPU."""

DIGIT_S = 1.2
"""So much of an answer's end is searched for each digit of a code: quick ones fit in twice."""

_OFF = "the suite wants it so: validate: off"
_MEDIA_TYPES = {
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "pcm": "audio/L16",
}


class Heard(msgspec.Struct, frozen=True):
    """What one answer sounds like, for its record; `docs/speech.md` has the formulas.

    Attributes:
        numbers: those of playback that apply, ``chunks``, ``streamed``, ``audio_duration_s``, ``streams``;
            of an inspected answer also ``valid`` (1), ``silence``, ``rms``, ``peak``, ``clipped``,
            ``rate_hz`` and ``channels``.
        gaps: pauses between arrivals by `playback.gap_class`.
        uninspected: why nothing looked into it; None: it was inspected, or is not in the sample.
        digits: that were heard at its end; None: nobody listened for them.
    """

    numbers: dict[str, float]
    gaps: dict[int, int] = {}
    uninspected: NotInspectedError | None = None
    digits: str | None = None


class _Sound(msgspec.Struct, frozen=True):
    """What is known of an answer's audio. None: cannot be said, or was not asked. `cannot_inspect`: why
    it was asked for in vain."""

    available_s: Sequence[float] | None
    duration_s: float | None
    streams: int = 0
    facts: AudioFacts | None = None
    cannot_inspect: str = ""


class Listener:
    """Of one scenario, for all its users; any greenlet may use it.

    Args:
        seed: with an utterance's number it draws the sample of answers that are inspected.
        registry: of the outputs seen before; None: the same audio for different texts is no failure.
        inspector: another than this process's own.
    """

    def __init__(
        self,
        request: SpeechRequest,
        *,
        seed: int,
        registry: OutputRegistry | None,
        inspector: Inspector | None = None,
    ) -> None:
        self._request = request
        self._together = Together(request.check.silent_below_rms)
        self._check = AudioCheck(request.check, request.speed, registry)
        self._off = None if request.check.share else NotInspectedError(_OFF)  # one for all: dear to make
        self._seed = seed
        self._inspector = inspector or shared()
        self._recognises = request.texts.is_english and can_recognise()
        self._share = request.check.share
        self._raw = RawSamples(request.pcm.rate_hz, request.pcm.channels, request.pcm.encoding)

    @property
    def needs_inspector(self) -> bool:
        """Whether any answer may go to the inspector's process."""
        return bool(self._request.check.share) or self._request.format not in ("wav", "pcm")

    @property
    def needs_recogniser(self) -> bool:
        """Whether words of answers are to be recognised."""
        request = self._request
        transcripts = request.texts.is_english and min(request.check.share, request.check.transcripts) > 0
        return request.listens_for_codes or transcripts

    def inspects(self, utterance: Utterance) -> bool:
        """Whether its answer is decoded and judged: by the seed, the same in every process."""
        if utterance.number < 0 and self._request.listens_for_codes:
            return True
        return self._draws(utterance, self._share)

    def _draws(self, utterance: Utterance, share: float) -> bool:
        """Whether an utterance is in the sample of this share; a smaller sample is a part of a larger one."""
        if share >= 1:
            return True
        if not share:
            return False
        return xxh3_64_intdigest(b"%d/%d" % (self._seed, utterance.number)) < share * 2**64

    def listen(self, speech: Speech, utterance: Utterance) -> Heard:
        """What the answer sounds like. Other greenlets run meanwhile.

        That some audio is there, and that its container is whole, is asked of every answer.

        Raises:
            ServiceError: with the class of the `AudioError`, or as `AudioCheck.judge`; `output` is what came.
        """
        form: str = self._request.format
        try:
            form = told_format(speech.content, form)
            sound = self._sound(speech, utterance, form)
            if sound.duration_s == 0:
                raise AudioError("empty_audio", "there are headers, and no audio")
            if sound.facts is not None:
                self._check.judge(sound.facts, utterance.text)
        except AudioError as error:
            failure = ServiceError(error.error_class, error.message, status=200)
            failure.output = _artifact(speech, utterance, form)
            raise failure from error
        except ServiceError as error:
            error.output = _artifact(speech, utterance, form)
            raise
        heard = self._heard(speech, sound)
        return heard if sound.facts is None else self._with_words(heard, speech, utterance, form)

    def _with_words(self, heard: Heard, speech: Speech, utterance: Utterance, form: str) -> Heard:
        """What is heard of a sound answer, with the words that are recognised in it."""
        if not self._recognises:
            return heard
        check = self._request.check
        # The warm-up's are all listened to: by them the recogniser proves itself.
        for_code = bool(utterance.code) and (utterance.number < 0 or self._draws(utterance, check.words))
        written = self._draws(utterance, check.transcripts)
        if not for_code and not written:
            return heard
        task = WordsTask(
            form=form,
            raw=self._raw,
            streamed=speech.streamed,
            last_s=len(utterance.code) * DIGIT_S / min(self._request.speed, 1.0) if for_code else 0.0,
            text=utterance.text if written else "",
        )
        found = self._inspector.words(task, speech.content)
        if found.word_error_rate is not None:
            heard.numbers["word_error_rate"] = found.word_error_rate
        return msgspec.structs.replace(heard, digits=found.digits)

    def _sound(self, speech: Speech, utterance: Utterance, form: str) -> _Sound:
        """The arithmetic of WAV and PCM is done here, and a look into short ones; what must be parsed or
        decoded, in the inspector."""
        inspected = self.inspects(utterance)
        offsets = _offsets(speech)
        if form == "wav":
            # Whoever looks at the samples anyway searches them at less cost.
            layouts = wav_layouts(speech.content, streamed=speech.streamed, search=not inspected)
        elif form == "pcm":
            layouts = [raw_layout(len(speech.content), self._raw_of(speech))]
        else:
            return self._inspected(speech, utterance, form, inspected, offsets)
        sound = _of_samples(layouts, offsets)
        if not inspected or sound.duration_s == 0:
            return sound
        if len(speech.content) <= AT_ONCE_BYTES and all(map(are_plain, layouts)):
            facts = self._together.facts(speech.content, form, layouts, self._check.longest_s(utterance.text))
            return _Sound(sound.available_s, facts.duration_s, len(layouts), facts)
        found = self._inspected(speech, utterance, form, True, [])
        duration_s = found.duration_s or sound.duration_s
        return _Sound(sound.available_s, duration_s, len(layouts), found.facts, found.cannot_inspect)

    def _raw_of(self, speech: Speech) -> RawSamples:
        """What its samples are that do not say it: as the answer has told, or else the suite."""
        if speech.rate_hz is None:
            return self._raw
        return RawSamples(speech.rate_hz, self._raw.channels, self._raw.encoding)

    def _inspected(
        self, speech: Speech, utterance: Utterance, form: str, decode: bool, offsets: list[int]
    ) -> _Sound:
        """What the inspector says, decoding or only following the frames."""
        if not decode and not offsets:
            return _Sound(None, None)
        task = AudioTask(
            form=form,
            raw=self._raw_of(speech),
            decode=decode,
            streamed=speech.streamed,
            silent_below=self._request.check.silent_below_rms,
            longest_s=self._check.longest_s(utterance.text),
            offsets=offsets,
        )
        found = self._inspector.audio(task, speech.content)
        duration_s = found.duration_s if found.facts is None else found.facts.duration_s
        return _Sound(found.available_s, duration_s, found.streams, found.facts, found.cannot_inspect)

    def _heard(self, speech: Speech, sound: _Sound) -> Heard:
        facts = sound.facts
        sound_at_s = facts.sound_at_s if facts is not None else None
        playback = play(speech, sound.available_s, sound.duration_s, sound_at_s, self._request.pre_buffer_s)
        numbers = playback.numbers()
        numbers["chunks"] = float(len(speech.arrivals))
        numbers["streamed"] = float(speech.streamed and playback.sent_as_made != 0)
        if sound.streams:
            numbers["streams"] = float(sound.streams)
        if sound.duration_s is not None:
            numbers["audio_duration_s"] = sound.duration_s
        if facts is not None:
            numbers["valid"] = 1.0
            numbers["silence"], numbers["clipped"] = facts.silence, facts.clipped
            numbers["rms"], numbers["peak"] = facts.rms, facts.peak
            numbers["rate_hz"], numbers["channels"] = float(facts.rate_hz), float(facts.channels)
        uninspected = CannotInspectError(sound.cannot_inspect) if sound.cannot_inspect else self._off
        return Heard(numbers, playback.gaps or {}, uninspected)


def _of_samples(layouts: list[WavLayout], offsets: list[int]) -> _Sound:
    """What arithmetic says of WAV and raw samples: nothing of packed ones."""
    duration_s = 0.0
    for layout in layouts:
        if not layout.linear:
            return _Sound(None, None, len(layouts))
        duration_s += layout.duration_s
    # With the last arrival all of it is there; most answers have no other.
    before_s = available_s(layouts, offsets[:-1]) if len(offsets) > 1 else []
    return _Sound([*before_s, duration_s] if offsets else [], duration_s, len(layouts))


def _offsets(speech: Speech) -> list[int]:
    """How many bytes of the content were there after each arrival; none if they were packed on their way."""
    arrivals = speech.arrivals
    offsets = [arrivals[0][1]] if len(arrivals) == 1 else list(accumulate([size for _, size in arrivals]))
    return offsets if offsets and offsets[-1] == len(speech.content) else []


def _artifact(speech: Speech, utterance: Utterance, form: str) -> Artifact:
    """What came, to be kept where it is one of the first of its kind."""
    return Artifact(speech.content, f"speech-{utterance.number}.{form}", _MEDIA_TYPES[form])
