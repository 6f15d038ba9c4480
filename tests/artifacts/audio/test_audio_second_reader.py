"""A second reader: what FFmpeg makes of files that FFmpeg's encoders wrote is as long as is said here."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from genload.artifacts.audio.format import told_format
from genload.artifacts.audio.reader import read_audio
from genload.artifacts.audio.timeline import audio_streams, frame_timeline
from genload.artifacts.audio.wav_layout import wav_layouts

pytestmark = pytest.mark.processes

# Name: (the format that is asked for, how FFmpeg is told to write it).
WRITERS = {
    "s16.wav": ("wav", "-c:a pcm_s16le"),
    "u8.wav": ("wav", "-c:a pcm_u8"),
    "s24.wav": ("wav", "-c:a pcm_s24le"),
    "f32.wav": ("wav", "-c:a pcm_f32le"),
    "mulaw.wav": ("wav", "-c:a pcm_mulaw"),
    "ima.wav": ("wav", "-c:a adpcm_ima_wav"),
    "mp3.wav": ("wav", "-c:a libmp3lame"),
    "gsm.wav": ("wav", "-ar 8000 -ac 1 -c:a libgsm_ms"),
    "rf64.wav": ("wav", "-rf64 always"),
    "wave.w64": ("wav", ""),
    "cbr.mp3": ("mp3", "-b:a 64k"),
    "vbr.mp3": ("mp3", "-q:a 5"),
    "untagged.mp3": ("mp3", "-b:a 64k -write_xing 0 -id3v2_version 0"),
    "frames.flac": ("flac", "-sample_fmt s16"),
    "vorbis.ogg": ("ogg", "-c:a libvorbis"),
    "flac.ogg": ("ogg", "-c:a flac -sample_fmt s16"),
    "speex.ogg": ("ogg", "-ar 16000 -c:a libspeex"),
    "opus.opus": ("opus", "-ar 48000 -c:a libopus"),
    "adts.aac": ("aac", "-c:a aac"),
}
SOURCES = {"0.7s": (16_000, 1, 0.7), "1.3s": (24_000, 1, 1.3), "2.1s": (44_100, 2, 2.1)}
RATE_HZ = 48_000


def ran(program: str, *arguments: str) -> None:
    subprocess.run([program, "-v", "error", "-y", *arguments], check=True, timeout=200)


@pytest.fixture(scope="module")
def files(ffmpeg: str, tmp_path_factory: pytest.TempPathFactory) -> dict[Path, float]:
    """Each file, and how many seconds FFmpeg decodes of it. One process writes all, and one reads all."""
    folder = tmp_path_factory.mktemp("written")
    sources, outputs, inputs, samples = [], [], [], []
    paths = []
    for number, (name, (rate_hz, channels, length_s)) in enumerate(SOURCES.items()):
        voice = "|".join(["0.3*sin(2*PI*220*t)+0.02*random(0)"] * channels)
        sources += ["-f", "lavfi", "-i", f"aevalsrc={voice}:s={rate_hz}:d={length_s}"]
        for form, (_, how) in WRITERS.items():
            paths.append(folder / f"{name}-{form}")
            outputs += ["-map", f"{number}:a", *how.split(), str(paths[-1])]
    ran(ffmpeg, *sources, *outputs)
    for number, path in enumerate(paths):
        inputs += ["-i", str(path)]
        raw = ["-ar", str(RATE_HZ), "-ac", "1", "-f", "s16le", f"{path}.raw"]
        samples += ["-map", f"{number}:a", *raw]
    ran(ffmpeg, *inputs, *samples)
    return {path: Path(f"{path}.raw").stat().st_size / 2 / RATE_HZ for path in paths}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("written", WRITERS)
def test_durations_are_those_of_the_second_reader(
    files: dict[Path, float], source: str, written: str
) -> None:
    path, second_s = next((path, s) for path, s in files.items() if path.name == f"{source}-{written}")
    content = path.read_bytes()
    form = told_format(content, WRITERS[written][0])
    told_s = read_audio(content, form).duration_s

    # Without a tag nothing says how much of MP3 is the encoder's own: here a decoder's delay is no audio. Of
    # GSM libsndfile may read a byte that pads the last block as another block, of 40 ms.
    delay_s = 529 / SOURCES[source][0] if written == "untagged.mp3" else 0.0
    tolerance_s = 0.041 if written == "gsm.wav" else 0.005
    assert told_s + delay_s == pytest.approx(second_s, rel=0.002, abs=tolerance_s)
    if form == "wav":
        [layout] = wav_layouts(content, streamed=False)
        assert not layout.linear or layout.duration_s == told_s
    else:
        timeline = frame_timeline(audio_streams(content, form))
        assert timeline is not None and timeline.duration_s == pytest.approx(told_s, abs=1e-6)


@pytest.mark.parametrize("written", ["vorbis.ogg", "opus.opus", "flac.ogg", "vbr.mp3", "frames.flac"])
def test_files_one_after_the_other_are_as_long_as_all_of_them(files: dict[Path, float], written: str) -> None:
    [first] = [path for path in files if path.name == f"1.3s-{written}"]
    content = first.read_bytes() * 3
    form = told_format(content, WRITERS[written][0])

    assert read_audio(content, form).duration_s == pytest.approx(3 * files[first], rel=0.002, abs=0.004)


def test_there_are_enough_of_them() -> None:
    assert len(WRITERS) * len(SOURCES) >= 40
