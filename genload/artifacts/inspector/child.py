"""The inspector's process itself: reads outputs until there are no more tasks.

Run by `InspectorProcess` as ``python -m genload.artifacts.inspector.child``, with the kinds of output that
are expected (``mesh``, ``audio``, ``image``, ``splats``) and the open files that are the shared memory; tasks
come on standard input, a socket, replies go to standard output.
"""

from __future__ import annotations

import gc
import mmap
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any, BinaryIO

from genload.artifacts.answer.facts import AnswerFacts, Unpacked
from genload.artifacts.audio.facts import AudioError, AudioFacts
from genload.artifacts.audio.stream import Stream
from genload.artifacts.inspector.messages import (
    LENGTH,
    AnswerTask,
    AudioFound,
    AudioTask,
    MeshTask,
    OwnTask,
    PictureTask,
    Refusal,
    Reply,
    SplatsTask,
    Task,
    WordsFound,
    WordsTask,
    ZipTask,
    decode_batch,
    found,
    framed,
    place_after,
)
from genload.artifacts.mesh.facts import MeshFacts
from genload.artifacts.output_error import OutputError
from genload.artifacts.picture.facts import PictureFacts
from genload.artifacts.splats.facts import SplatsFacts
from genload.errors import CANNOT_INSPECT

_READERS = {
    "mesh": "genload.artifacts.mesh.reader",
    "audio": "genload.artifacts.audio.reader",
    "image": "genload.artifacts.picture.reader",
    "splats": "genload.artifacts.splats.reader",
    "words": "genload.artifacts.words.hearing",
}
"""What reads a kind of output, imported where that is expected, or when it comes."""
_MOST_FILES = 128
_MOST_KEPT_BYTES = 2 * 2**30
_MEMORY_BYTES = 4 * 2**30
_MOST_WORDS_BYTES = 1 << 16
_MOST_APART, _MOST_APART_S = 0.02, 0.050


def serve(tasks: socket.socket, replies: BinaryIO) -> None:
    """Answer batches until there are no more."""
    memories: dict[int, memoryview] = {}
    begun_bytes = _in_use()
    while True:
        head, files, _, _ = socket.recv_fds(tasks, LENGTH.size, _MOST_FILES)
        if not head:
            return
        head += _received(tasks, LENGTH.size - len(head))
        batch = decode_batch(_received(tasks, *LENGTH.unpack(head)))
        memory = memories.get(batch.memory)
        if memory is None or len(memory) != batch.memory_bytes:
            memory = memories[batch.memory] = _mapped(batch.memory, batch.memory_bytes)
        answers: list[Reply] = []
        place = 0
        for task, (size, file, output) in zip(batch.tasks, batch.places, strict=True):
            if file < 0:
                content = memory[place : place + size]
                place = place_after(place, size)
            else:
                content = _mapped(files[file], size)
            answers.append(inspected(task, content, files[output] if output >= 0 else None))
        for handed in files:
            os.close(handed)
        replies.write(framed(answers))
        replies.flush()
        _forget_old_words()
        if _in_use() - begun_bytes > _MOST_KEPT_BYTES:
            return  # what a user's own check keeps must not take the room of others: another child goes on


def _received(tasks: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        piece = tasks.recv(size - len(data))
        if not piece:
            raise EOFError
        data += piece
    return bytes(data)


def _mapped(file: int, size: int) -> memoryview:
    return memoryview(mmap.mmap(file, size, access=mmap.ACCESS_READ) if size else b"")


def inspected(task: Task, content: memoryview, output: int | None = None) -> Reply:
    """What is found in one file.

    Args:
        output: the descriptor of the file that is to be written, where the task has one.
    """
    try:
        return found(LOOKS[type(task)](task, content, output))
    except OutputError as error:
        return Refusal(error.error_class, error.message, error.numbers)
    except MemoryError:
        return Refusal("too_large", "the file does not fit into the inspector's memory")


def _mesh(task: MeshTask, content: memoryview, output: int | None) -> MeshFacts:
    from genload.artifacts.mesh.reader import read_mesh

    return read_mesh(bytes(content), task.hint)


def _words(task: WordsTask, content: memoryview, output: int | None) -> WordsFound:
    from genload.artifacts.words.hearing import heard

    return WordsFound(*heard(content, task.form, task.raw, task.streamed, task.last_s, task.text))


def _picture(task: PictureTask, content: memoryview, output: int | None) -> PictureFacts:
    from genload.artifacts.picture.reader import read_picture

    return read_picture(bytes(content))


def _splats(task: SplatsTask, content: memoryview, output: int | None) -> SplatsFacts:
    from genload.artifacts.splats.reader import read_splats

    return read_splats(bytes(content), task.hint)


def _own(task: OwnTask, content: memoryview, output: int | None) -> dict[str, float]:
    from genload.artifacts.own.function import run_check

    return run_check(task.check, bytes(content), task.name, task.limit_s)


def _answer(task: AnswerTask, content: memoryview, output: int | None) -> AnswerFacts:
    from genload.artifacts.answer.reader import read_answer

    return read_answer(content, task.paths, task.encoded, _writer(output))


def _member(task: ZipTask, content: memoryview, output: int | None) -> Unpacked:
    from genload.artifacts.answer.archive import unpack

    return unpack(bytes(content), task.pattern, task.max_bytes, _writer(output))


def _writer(output: int | None) -> Callable[[bytes], object]:
    assert output is not None  # noqa: S101  such a task comes with a file
    os.ftruncate(output, 0)  # a child before this one may have died of it half way
    os.lseek(output, 0, os.SEEK_SET)
    return os.fdopen(output, "wb", buffering=0, closefd=False).write


def _audio(task: AudioTask, content: memoryview, output: int | None = None) -> AudioFound:
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


LOOKS: Mapping[type, Callable[[Any, memoryview, int | None], object]] = {
    MeshTask: _mesh,
    AudioTask: _audio,
    WordsTask: _words,
    PictureTask: _picture,
    SplatsTask: _splats,
    OwnTask: _own,
    AnswerTask: _answer,
    ZipTask: _member,
}


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
    if in_use := _in_use():
        resource.setrlimit(resource.RLIMIT_AS, (in_use + _MEMORY_BYTES, resource.RLIM_INFINITY))


def _in_use() -> int:
    """Bytes of address space; 0 where the system does not say, as Linux does."""
    file = _own_pages()
    return int(os.pread(file, 64, 0).split()[0]) * resource.getpagesize() if file is not None else 0


@cache
def _own_pages() -> int | None:
    """Open for good: it is read after each batch."""
    try:
        return os.open("/proc/self/statm", os.O_RDONLY)
    except OSError:
        return None


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
    serve(socket.socket(fileno=os.dup(0)), replies)


if __name__ == "__main__":
    main()
