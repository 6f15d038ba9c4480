"""How the loudness of speech, music and noise varies: where the line lies under which audio is no speech.

python bench/speech_signal.py

Prints `AudioFacts.variation` and the least seconds a character of what every engine says that is installed
here (hibari comes with ``genload[testbed]``; espeak-ng, flite and festival are Debian's), and the variation
of signals that are no speech.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from genload.artifacts.audio.reader import read_audio
from genload.artifacts.inputs.texts import TextSource
from genload.settings.speech import Texts

Wave = npt.NDArray[np.float64]

TEXTS = 40
RATE_HZ = 24_000
SECONDS = 5


def texts() -> list[str]:
    """Of 20 to 200 characters."""
    source = TextSource(Texts(characters={"min": 20, "max": 200}), ["voice"], seed=1, salt="signal")
    return [source.utterance(number).text for number in range(TEXTS)]


def engines() -> Iterator[tuple[str, Iterator[bytes]]]:
    """Each engine that is here, and WAVs of what it says."""
    hibari = _hibari()
    if hibari is not None:
        yield "hibari", map(hibari, texts())
    commands = {
        "espeak-ng": ["espeak-ng", "-v", "en", "-w", "{file}", "{text}"],
        "espeak-ng, whispered": ["espeak-ng", "-v", "en+whisper", "-w", "{file}", "{text}"],
        "flite, kal": ["flite", "-voice", "kal", "-t", "{text}", "-o", "{file}"],
        "flite, slt": ["flite", "-voice", "slt", "-t", "{text}", "-o", "{file}"],
        "flite, rms": ["flite", "-voice", "rms", "-t", "{text}", "-o", "{file}"],
        "festival": ["text2wave", "-o", "{file}"],
    }
    for name, command in commands.items():
        if shutil.which(command[0]):
            yield name, (_spoken(command, text) for text in texts())


def _hibari() -> Callable[[str], bytes] | None:
    try:
        from testbed.speech.speaker import Speaker
    except ImportError:
        return None
    speaker = Speaker(1)
    speaker.load()

    def speak(text: str) -> bytes:
        return wav(np.concatenate(list(speaker.speak(text, "af_heart", 1.0))) / 32768)

    return speak


def _spoken(command: list[str], text: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "speech.wav"
        told = [part.format(file=file, text=text) for part in command]
        subprocess.run(told, input=text.encode(), check=True, capture_output=True)
        return file.read_bytes()


def wav(wave: Wave) -> bytes:
    """A WAV of 16-bit samples."""
    file = io.BytesIO()
    soundfile.write(file, np.clip(wave, -1, 1), RATE_HZ, format="WAV", subtype="PCM_16")
    return file.getvalue()


def no_speech() -> dict[str, Wave]:
    """Signals that a broken service may send."""
    at_s = np.arange(RATE_HZ * SECONDS) / RATE_HZ
    noise = np.random.default_rng(1).normal(0, 0.1, len(at_s))
    spectrum = np.fft.rfft(noise)
    pink = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)), len(at_s)) * 20
    brown = np.fft.irfft(spectrum / np.maximum(np.arange(len(spectrum)), 20), len(at_s)) * 60
    tone = 0.3 * np.sin(2 * np.pi * 440 * at_s)
    notes = np.repeat([262, 330, 392, 523, 392, 330, 294, 349, 440, 587], len(at_s) // 10)
    phase = 2 * np.pi * np.cumsum(notes) / RATE_HZ
    plucked = np.exp(-6 * (at_s % (SECONDS / 10)))
    margin = np.zeros(RATE_HZ // 2)
    return {
        "white noise": noise,
        "pink noise": pink,
        "brown noise": brown,
        "tone": tone,
        "hum with overtones": sum(0.1 / n * np.sin(2 * np.pi * 110 * n * at_s) for n in range(1, 9)),
        "chord": sum(0.1 * np.sin(2 * np.pi * hz * at_s) for hz in (262, 330, 392)),
        "sweep": 0.3 * np.sin(2 * np.pi * (100 + 400 * at_s) * at_s),
        "melody of held notes": 0.3 * np.sin(phase),
        "noise between silences": np.concatenate([margin, noise, margin]),
        "tone between silences": np.concatenate([margin, tone, margin]),
        "melody of plucked notes": 0.3 * np.sin(phase) * plucked,
        "tone, beeping": tone * (at_s % 1 < 0.5),
        "noise that swells by the second": noise * (0.6 + 0.4 * np.sin(2 * np.pi * at_s)),
    }


def main() -> None:
    print(f"{'':34s} {'answers':>7s} {'least':>7s} {'p5':>7s} {'median':>7s} {'most':>7s} {'s/char':>7s}")
    for name, spoken in engines():
        found = [read_audio(file, "wav") for file in spoken]
        lengths = (facts.duration_s / len(text) for facts, text in zip(found, texts(), strict=True))
        _row(name, [facts.variation for facts in found], f"{min(lengths):7.3f}")
    for name, wave in no_speech().items():
        _row(name, [read_audio(wav(wave), "wav").variation])


def _row(name: str, found: list[float], least_s: str = "") -> None:
    least, p5, median, most = np.percentile(found, [0, 5, 50, 100])
    numbers = " ".join(f"{number:7.3f}" for number in (least, p5, median, most))
    print(f"{name:34s} {len(found):7d} {numbers} {least_s}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
