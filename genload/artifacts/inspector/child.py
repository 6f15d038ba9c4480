"""The inspector's process itself: reads outputs until there are no more tasks.

Run by `InspectorProcess` as ``python -m genload.artifacts.inspector.child``, with the kinds of output that
are expected (``mesh``, ``audio``) and the open files that are the shared memory; tasks come on standard
input, replies go to standard output.
"""

from __future__ import annotations

import gc
import mmap
import os
import resource
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import BinaryIO

from genload.artifacts.audio.facts import AudioError, AudioFacts
from genload.artifacts.audio.stream import Stream
from genload.artifacts.inspector.messages import (
    LENGTH,
    AudioFound,
    AudioTask,
    MeshFound,
    MeshTask,
    OwnFound,
    OwnTask,
    PictureFound,
    PictureTask,
    Refusal,
    Reply,
    SplatsFound,
    SplatsTask,
    Task,
    decode_batch,
    framed,
    place_after,
)
from genload.artifacts.mesh.facts import MeshError
from genload.artifacts.own.facts import OwnError
from genload.artifacts.picture.facts import PictureError
from genload.artifacts.splats.facts import SplatsError
from genload.errors import CANNOT_INSPECT

_READERS = {"mesh": "genload.artifacts.mesh.reader", "audio": "genload.artifacts.audio.reader"}
"""What reads a kind of output, imported where that is expected, or when it comes."""
_MEMORY_BYTES = 4 * 2**30
_MOST_WORDS_BYTES = 1 << 16
_MOST_APART, _MOST_APART_S = 0.02, 0.050


def serve(tasks: BinaryIO, replies: BinaryIO) -> None:
    """Answer batches until there are no more."""
    memories: dict[int, memoryview] = {}
    while head := tasks.read(LENGTH.size):
        batch = decode_batch(tasks.read(*LENGTH.unpack(head)))
        memory = memories.get(batch.memory)
        if memory is None or len(memory) != batch.memory_bytes:
            memory = memoryview(mmap.mmap(batch.memory, batch.memory_bytes, access=mmap.ACCESS_READ))
            memories[batch.memory] = memory
        found: list[Reply] = []
        place = 0
        for task in batch.tasks:
            found.append(inspected(task, memory[place : place + task.size]))
            place = place_after(place, task.size)
        replies.write(framed(found))
        replies.flush()
        _forget_old_words()


def inspected(task: Task, content: memoryview) -> Reply:
    """What is found in one file."""
    try:
        if isinstance(task, PictureTask):
            return _picture(content)
        if isinstance(task, SplatsTask):
            return _splats(task, content)
        if isinstance(task, OwnTask):
            return _own(task, content)
        return _mesh(task, content) if isinstance(task, MeshTask) else _audio(task, content)
    except (MeshError, SplatsError) as error:
        return Refusal(error.error_class, error.message, error.numbers)
    except (AudioError, PictureError, OwnError) as error:
        return Refusal(error.error_class, error.message)
    except MemoryError:
        return Refusal("too_large", "the file does not fit into the inspector's memory")


def _mesh(task: MeshTask, content: memoryview) -> Reply:
    from genload.artifacts.mesh.reader import read_mesh

    return MeshFound(read_mesh(bytes(content), task.hint))


def _picture(content: memoryview) -> Reply:
    from genload.artifacts.picture.reader import read_picture

    return PictureFound(read_picture(bytes(content)))


def _splats(task: SplatsTask, content: memoryview) -> Reply:
    from genload.artifacts.splats.reader import read_splats

    return SplatsFound(read_splats(bytes(content), task.hint))


def _own(task: OwnTask, content: memoryview) -> Reply:
    from genload.artifacts.own.function import run_check

    return OwnFound(run_check(task.check, bytes(content), task.name, task.limit_s))


def _audio(task: AudioTask, content: memoryview) -> Reply:
    if task.form in ("wav", "pcm"):
        facts, unread = _facts(task, content)
        return AudioFound(facts, cannot_inspect=unread)
    from genload.artifacts.audio.timeline import audio_streams, frame_timeline

    file = bytes(content)
    streams = audio_streams(file, task.form)
    cut = next((stream.cut for stream in streams if stream.cut), "")
    if cut:
        raise AudioError("truncated", cut)
    facts, unread = _facts(task, file, streams) if task.decode else (None, "")
    timeline = frame_timeline(streams)
    if timeline is None:
        return AudioFound(facts, streams=len(streams), cannot_inspect=unread)
    if facts is not None:
        _check_agreement(timeline.duration_s, facts.duration_s)
    available_s = timeline.available_s(task.offsets)
    return AudioFound(facts, available_s, timeline.duration_s, len(streams), unread)


def _check_agreement(told_s: float, decoded_s: float) -> None:
    """Raises AudioError, bad_audio: what the headers tell and what decodes are not the same."""
    difference_s = abs(told_s - decoded_s)
    if difference_s > _MOST_APART_S or difference_s > _MOST_APART * max(told_s, decoded_s):
        raise AudioError(
            "bad_audio", f"its frames tell of {told_s:.3f} s of audio, and {decoded_s:.3f} s decode"
        )


def _facts(
    task: AudioTask, content: bytes | memoryview, streams: list[Stream] | None = None
) -> tuple[AudioFacts | None, str]:
    """What the audio is, or why nothing here decodes it."""
    from genload.artifacts.audio.reader import read_audio

    try:
        facts = read_audio(
            content,
            task.form,
            streams=streams,
            raw=task.raw,
            streamed=task.streamed,
            silent_below=task.silent_below,
            longest_s=task.longest_s,
        )
    except AudioError as error:
        if error.error_class != CANNOT_INSPECT:
            raise
        return None, error.message
    return facts, ""


def _limit_memory() -> None:
    """A file that unpacks to more than the machine has must end in an error, not in a dead machine."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except OSError:  # not Linux: no such limit there
        return
    in_use = pages * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (in_use + _MEMORY_BYTES, resource.RLIM_INFINITY))


def _forget_old_words() -> None:
    """Decoders print what they find odd; a run of days must not fill a disk with that."""
    if os.fstat(2).st_size > _MOST_WORDS_BYTES:
        os.ftruncate(2, 0)
        os.lseek(2, 0, os.SEEK_SET)


def main() -> None:
    """Serve the process that started this one."""
    # Ctrl-C reaches the whole process group; the parent decides when inspection ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for kind in sys.argv[1:]:
        import_module(_READERS[kind])
    _limit_memory()  # counts from what is loaded
    gc.freeze()  # what is loaded stays: no collection need go through it
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a parser prints must not get between the replies
    serve(sys.stdin.buffer, replies)


if __name__ == "__main__":
    main()
