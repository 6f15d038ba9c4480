"""The one utterance of `genload try`: when its parts came, and what is heard in it."""

from __future__ import annotations

import uuid
from math import log10

from genload.artifacts.audio.listener import Heard, Listener
from genload.artifacts.inputs.texts import TextSource
from genload.commands.try_.view import TrialView
from genload.drivers.speech_driver import SpeechDriver, SpeechResult, request_of
from genload.human import human
from genload.plain import plain
from genload.service import Artifact, Speech, SpeechClient, Utterance
from genload.settings.service import Service

TEXT_CHARACTERS = 300
SPREAD = 0.1
"""Of the time to the last byte: an answer that takes longer to come may be one that is made meanwhile."""
_MOMENTS = (
    ("ttfb_s", "first byte"),
    ("ttfa_s", "first audio"),
    ("first_sound_s", "first sound"),
)
_SOUND = (
    ("audio_duration_s", "{} of audio", "s"),
    ("rate_hz", "{} Hz", ""),
    ("channels", "channels {}", ""),
    ("silence", "{} silent", "ratio"),
    ("clipped", "{} clipped", "ratio"),
)
_PLAYBACK = (
    ("stalls", "stalls {}", ""),
    ("underrun_s", "longest wait {}", "s"),
    ("startup_buffer_s", "a start-up buffer of {} would avoid them all", "s"),
)


class SpeechAttempt:
    """One utterance, of a text that the seed makes; always inspected, whatever the suite's `validate`."""

    def __init__(self, client: SpeechClient, service: Service, seed: int, view: TrialView) -> None:
        self._view = view
        request = request_of(service)
        inspected = request.model_copy(update={"check": request.check.model_copy(update={"share": 1.0})})
        utterance = TextSource(request.texts, request.voices, seed=seed, salt=str(seed)).utterance(0)
        view.say(
            "input", f"{len(utterance.text)} characters, voice {plain(utterance.voice)}, {request.format}"
        )
        view.detail(plain(utterance.text, TEXT_CHARACTERS))
        self._offers, self._unsaid = request.stream_offers(), request.unsaid_stream()
        self._ear = _Ear(Listener(inspected, seed=seed, registry=None), view)
        self._driver = SpeechDriver(
            client, utterance, service=service, listener=self._ear, request_id=str(uuid.uuid4())
        )

    def run(self) -> SpeechResult:
        result = self._driver.run()
        self._show(result)
        return result

    def break_off(self) -> None:
        self._show(self._driver.result(outcome="unfinished"))

    def _show(self, result: SpeechResult) -> None:
        view, numbers = self._view, result.numbers
        view.result(result)
        moments = [f"{words} {human(numbers[name], 's')}" for name, words in _MOMENTS if name in numbers]
        if moments:
            view.detail(f"after the send: {', '.join(moments)}, last byte {human(self._ear.whole_s, 's')}")
        if result.outcome == "ok":
            burst = numbers.get("sent_as_made") == 0
            how = "came in one burst at its end" if burst else "was not streamed"
            view.detail(f"playback: {_listed(_PLAYBACK, numbers) or f'not applicable: the answer {how}'}")
            if self._offers:
                offers = " or ".join(self._offers)
                view.detail(
                    f"stalls can be measured of a stream, which it sends with service.request: {offers}"
                )
            elif self._unsaid and self._ear.spread_s > SPREAD * self._ear.whole_s:
                over = human(self._ear.spread_s, "s")
                view.detail(f"it came over {over}: if it was made meanwhile, say {self._unsaid}: true")
        heard = _listed(_SOUND, numbers)
        if heard:
            loud = f", {20 * log10(numbers['rms']):.1f} dBFS" if numbers.get("rms") else ""
            view.detail(f"{'heard' if 'valid' in numbers else 'its frames tell of'}: {heard}{loud}")
        if "rtf" in numbers:
            view.detail(f"real-time factor {human(numbers['rtf'], '')}: below 1 is faster than it is played")
        if rejections := int(numbers["rejections"]):
            view.detail(f"refusals met: {rejections}, attempts: {int(numbers['attempts'])}")


class _Ear:
    """The listener, with the answer shown before it is listened to."""

    def __init__(self, listener: Listener, view: TrialView) -> None:
        self._listener, self._view = listener, view
        self.whole_s = 0.0
        self.spread_s = 0.0  # from the first arrival to the last

    def inspects(self, utterance: Utterance) -> bool:
        return self._listener.inspects(utterance)

    def listen(self, speech: Speech, utterance: Utterance) -> Heard:
        self.whole_s = speech.end_s - speech.sent_s
        self.spread_s = speech.arrivals[-1][0] - speech.arrivals[0][0]
        count = len(speech.arrivals)
        parts = "in one part, " if count == 1 else f"in {count} parts, "
        parts += "streamed" if speech.streamed else "not streamed"
        cache = {None: "", True: ", from the service's cache", False: ", not from the service's cache"}
        artifact = Artifact(speech.content, f"speech-{utterance.number}", speech.media_type)
        self._view.output(artifact, parts + cache[speech.cached])
        return self._listener.listen(speech, utterance)


def _listed(parts: tuple[tuple[str, str, str], ...], numbers: dict[str, float]) -> str:
    return ", ".join(
        words.format(human(numbers[name], unit)) for name, words, unit in parts if name in numbers
    )
