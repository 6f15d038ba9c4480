"""What it costs to look into an output: CPU time of the inspector for each format, beside a library that only
decodes the same bytes.

inspected  all that the inspector's process does with a file: told apart, decoded, measured, judged closed
followed   of formats in frames or pages: only how much can be played when, as with ``validate: off``
library    `soundfile.read` or `trimesh.load` alone: a yardstick that no version of genload changes

Each round is a fresh process, in which they take turns; printed are the medians of the rounds, and the median
of the ratio within them.

    python bench/inspection.py [--rounds N] [--only mp3,glb]
"""

from __future__ import annotations

import argparse
import io
import sys
import time
from collections.abc import Callable
from functools import partial
from statistics import median

import numpy as np
from parts.rounds import ratio, round_of, two_cores
from parts.wav_server import RATE_HZ, one_second

AUDIO = {  # file formats as libsndfile calls them
    "wav": ("WAV", "PCM_16"),
    "wav of 24 bits": ("WAV", "PCM_24"),
    "flac": ("FLAC", "PCM_16"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
}
STREAMED = "wav of no stated length"
MESHES = tuple(f"{form} of {faces}" for form in ("stl", "glb", "ply", "obj") for faces in (320, 20480, 81920))
LOADS = ("wav", STREAMED, *list(AUDIO)[1:], *MESHES)
TURN_S = 0.02
TURNS = 15

Work = Callable[[], object]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="formats, with commas between them")
    parser.add_argument("--load", choices=LOADS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.load:
        print(*measured(*(mesh if arguments.load in MESHES else audio)(arguments.load)))
    else:
        report(arguments.rounds, arguments.only.split(","))


def report(rounds: int, only: list[str]) -> None:
    core, _ = two_cores()
    wanted = [load for load in LOADS if any(name in load for name in only)]
    print(f"{'a second, or so many faces':34} {'inspected':>10} {'followed':>9} {'library':>9}   µs of CPU")
    for load in wanted:
        inspected, library, followed = zip(*(round_of(load, core, []) for _ in range(rounds)), strict=True)
        only_followed = f"{median(followed):9,.0f}" if any(followed) else " " * 9
        print(
            f"{load:34} {median(inspected):10,.0f} {only_followed} {median(library):9,.0f}   "
            f"× {ratio(inspected, library):.2f}"
        )


def audio(load: str) -> list[Work]:
    """Inspecting a second of audio, decoding it, and following it where it has frames."""
    import soundfile

    from genload.artifacts.audio.facts import RawSamples
    from genload.artifacts.inspector.child import inspected
    from genload.artifacts.inspector.messages import AudioTask, Found

    content = bytes(one_second())
    if load == STREAMED:
        content = content[:40] + b"\xff\xff\xff\xff" + content[44:]
    elif load != "wav":
        file = io.BytesIO()
        container, subtype = AUDIO[load]
        samples = np.frombuffer(content, "<i2", offset=44)
        soundfile.write(file, samples, RATE_HZ, format=container, subtype=subtype)
        content = file.getvalue()
    form = load.split()[0]
    framed = form != "wav"

    def task(decode: bool) -> AudioTask:
        return AudioTask(
            form=form,
            raw=RawSamples(),
            decode=decode,
            streamed=load == STREAMED,
            silent_below=0.001,
            longest_s=60.0,
            offsets=[len(content)] if framed else [],
        )

    whole = partial(inspected, task(True), memoryview(content))
    assert isinstance(whole(), Found)
    followed = [partial(inspected, task(False), memoryview(content))] if framed else []
    return [whole, lambda: soundfile.read(io.BytesIO(content), dtype="float32"), *followed]


def mesh(load: str) -> list[Work]:
    """Inspecting a sphere, and loading it."""
    import trimesh

    from genload.artifacts.inspector.child import inspected
    from genload.artifacts.inspector.messages import Found, MeshTask

    form, _, faces = load.split()
    sphere = trimesh.creation.icosphere(subdivisions={320: 2, 20480: 5, 81920: 6}[int(faces)])
    made = sphere.export(file_type=form)
    content = made.encode() if isinstance(made, str) else made
    whole = partial(inspected, MeshTask(form), memoryview(content))
    assert isinstance(whole(), Found)
    return [whole, lambda: trimesh.load(io.BytesIO(content), file_type=form)]


def measured(*works: Work) -> list[float]:
    """Microseconds of CPU that each takes, 0 for one that there is not: the median of turns."""
    counts = []
    for work in works:
        work()
        start = time.process_time()
        work()
        counts.append(max(int(TURN_S / max(time.process_time() - start, 1e-6)), 1))
    turns: list[list[float]] = [[] for _ in works]
    for _ in range(TURNS):
        for work, count, taken in zip(works, counts, turns, strict=True):
            start = time.process_time()
            for _ in range(count):
                work()
            taken.append((time.process_time() - start) / count * 1e6)
    found = [median(taken) for taken in turns]
    return found + [0.0] * (3 - len(found))


if __name__ == "__main__":
    sys.exit(main())
