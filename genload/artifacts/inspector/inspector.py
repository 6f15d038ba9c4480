"""Looking into meshes and audio in a process of its own.

Parsing a mesh or decoding audio is long pure Python and numpy: in a thread of the load generator it would
take the interpreter lock from the event loop, and falsify every measured time. So one plain Python child
does it, and what waits for it meanwhile goes to it together: one wake-up a batch on either side.
"""

from __future__ import annotations

from collections import deque

import gevent
import msgspec
from gevent.event import Event

from genload.artifacts.audio.facts import AudioError
from genload.artifacts.inspector.handle import InspectorProcess
from genload.artifacts.inspector.messages import (
    AudioFound,
    AudioTask,
    Batch,
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
    place_after,
)
from genload.artifacts.inspector.shared_memory import AT_ONCE_BYTES, SharedMemory
from genload.artifacts.mesh.facts import MeshError, MeshFacts
from genload.artifacts.own.facts import OwnError
from genload.artifacts.picture.facts import PictureError, PictureFacts
from genload.artifacts.splats.facts import SplatsError, SplatsFacts
from genload.human import human

_TIMEOUT_S = 120.0
_OWN_TIMEOUT_S = 30.0
_BATCH_BYTES = 4 << 20  # fewer batches are fewer switches of processes, which empty each other's caches
_BATCH_TASKS = 64
_DEAD = (OSError, EOFError, msgspec.DecodeError)


class _Batch:
    """Tasks that go to the child together, by way of a memory: each file is copied there as soon as it comes,
    while a cache still has it; or later, if it is large, or there is no memory yet.
    """

    __slots__ = ("contents", "done", "late", "memory", "replies", "size_bytes", "tasks")

    def __init__(self, memory: SharedMemory | None) -> None:
        self.memory = memory
        self.tasks: list[Task] = []
        self.contents: list[bytes] = []
        self.late: list[tuple[bytes, int]] = []
        self.size_bytes = 0
        self.replies: list[Reply] = []
        self.done = Event()

    def add(self, task: Task, content: bytes) -> int | None:
        """Its number; None when the batch is full."""
        number, place = len(self.tasks), self.size_bytes
        size_bytes = place_after(place, len(content))
        if number and (number == _BATCH_TASKS or size_bytes > _BATCH_BYTES):
            return None
        self.tasks.append(task)
        self.contents.append(content)
        self.size_bytes = size_bytes
        if self.memory is None or len(content) > AT_ONCE_BYTES:
            self.late.append((content, place))
        else:
            self.memory.write(content, place)
        return number

    def message(self, memory: SharedMemory) -> Batch:
        """What the child is told, once everything is in the memory."""
        for content, place in self.late:
            memory.write_in_pieces(content, place)
        return Batch(memory.file, memory.size_bytes, self.tasks)

    def end(self, replies: list[Reply]) -> None:
        """Wake everyone who waits; the files are let go of."""
        self.replies, self.contents, self.late = replies, [], []
        self.done.set()


class Inspector:
    """One child process that reads files for all greenlets of this one.

    The child starts with the first file, or with `start`; it ends with `close`, or by itself when this
    process does.
    """

    def __init__(self, *, timeout_s: float = _TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._child: InspectorProcess | None = None
        self._kinds: tuple[str, ...] = ()
        # Two: one is filled while the child reads the other. Batches behind those wait without, in turn.
        self._memories: tuple[SharedMemory, ...] = ()
        self._free: list[SharedMemory] = []
        self._waiting: deque[_Batch] = deque()
        self._courier: gevent.Greenlet | None = None

    def start(self, *kinds: str) -> None:
        """Start the child now, so that the first file does not wait for it, with what reads these kinds of
        output: ``mesh``, ``audio``."""
        self._kinds = kinds or self._kinds
        if self._child is None:
            self._free_memories()
            self._child = InspectorProcess([memory.file for memory in self._memories], self._kinds)

    @property
    def pid(self) -> int | None:
        """Of the child; None before it started."""
        return self._child.pid if self._child else None

    def mesh(self, content: bytes, hint: str = "") -> MeshFacts:
        """What `genload.artifacts.mesh.reader.read_mesh` says of the file; other greenlets run meanwhile.

        Raises:
            MeshError: as `read_mesh`; ``inspector`` when the child died of this file twice, or took longer
                than the time limit.
        """
        reply = self._ask(MeshTask(len(content), hint), content)
        if isinstance(reply, MeshFound):
            return reply.facts
        raise MeshError(*_reason(reply), reply.numbers if isinstance(reply, Refusal) else None)

    def audio(self, task: AudioTask, content: bytes) -> AudioFound:
        """What the task asks for; other greenlets run meanwhile.

        Raises:
            AudioError: as `genload.artifacts.audio.reader.read_audio`; ``inspector`` as `mesh`.
        """
        reply = self._ask(task, content)
        if isinstance(reply, AudioFound):
            return reply
        raise AudioError(*_reason(reply))

    def picture(self, content: bytes) -> PictureFacts:
        """What `genload.artifacts.picture.reader.read_picture` says of the file; other greenlets run on.

        Raises:
            PictureError: as `read_picture`; ``inspector`` as `mesh`.
        """
        reply = self._ask(PictureTask(len(content)), content)
        if isinstance(reply, PictureFound):
            return reply.facts
        raise PictureError(*_reason(reply))

    def splats(self, content: bytes, hint: str = "") -> SplatsFacts:
        """What `genload.artifacts.splats.reader.read_splats` says of the file; other greenlets run on.

        Raises:
            SplatsError: as `read_splats`; ``inspector`` as `mesh`.
        """
        reply = self._ask(SplatsTask(len(content), hint), content)
        if isinstance(reply, SplatsFound):
            return reply.facts
        raise SplatsError(*_reason(reply), reply.numbers if isinstance(reply, Refusal) else None)

    def own(self, check: str, content: bytes, name: str, limit_s: float = _OWN_TIMEOUT_S) -> dict[str, float]:
        """The numbers of a user's own check; other greenlets run on.

        Raises:
            OwnError: as `genload.artifacts.own.function.run_check`; ``inspector`` as `mesh`.
        """
        reply = self._ask(OwnTask(len(content), check, name, limit_s), content)
        if isinstance(reply, OwnFound):
            return reply.numbers
        raise OwnError(*_reason(reply))

    def close(self) -> None:
        """End the child; a later file starts another one. Whoever still waits gets an error."""
        if self._courier is not None:
            self._courier.kill()
        self._drop_child()
        for memory in self._memories:
            memory.close()
        self._memories, self._free = (), []

    def _ask(self, task: Task, content: bytes) -> Reply:
        batch = self._waiting[-1] if self._waiting else None
        place = batch.add(task, content) if batch is not None else None
        if batch is None or place is None:
            free = self._free_memories()
            batch, place = _Batch(free.pop() if free else None), 0
            batch.add(task, content)
            self._waiting.append(batch)
        if self._courier is None:
            self._courier = gevent.spawn(self._carry)
        batch.done.wait()
        return batch.replies[place]

    def _carry(self) -> None:
        """Carry batches to the child and replies back, until none waits. A greenlet of its own: one that is
        killed while it waits leaves no half message behind."""
        batch = None
        try:
            while self._waiting:
                batch = self._waiting.popleft()
                replies = self._replies(batch)
                self._hand_on(batch)
                batch.end(replies)
        finally:
            self._courier = None
            self._free = list(self._memories)
            closed: Reply = Refusal("inspector", "the inspector was closed before it had read the file")
            for left in (batch, *self._waiting):
                if left is not None and not left.done.is_set():
                    left.end([closed] * len(left.tasks))
            self._waiting.clear()

    def _hand_on(self, batch: _Batch) -> None:
        """A batch is through: its memory is for the first one that waits without."""
        memory = batch.memory
        assert memory is not None  # noqa: S101
        memory.empty()
        for other in self._waiting:
            if other.memory is None:
                other.memory = memory
                return
        self._free.append(memory)

    def _replies(self, batch: _Batch) -> list[Reply]:
        """A reply for each task. When the child dies of several files, each has another try of its own: who
        dies twice died of the file."""
        tasks, contents = batch.tasks, batch.contents
        try:
            return self._exchange(batch)
        except gevent.Timeout:
            if len(tasks) == 1:
                return [self._too_slow()]
        except _DEAD:
            pass
        return [
            self._alone(batch.memory, task, content) for task, content in zip(tasks, contents, strict=True)
        ]

    def _alone(self, memory: SharedMemory | None, task: Task, content: bytes) -> Reply:
        batch = _Batch(memory)
        batch.add(task, content)
        try:
            return self._exchange(batch)[0]
        except gevent.Timeout:
            return self._too_slow()
        except _DEAD as error:
            reason = str(error) or type(error).__name__
            return Refusal("inspector", f"the inspector died twice of this file: {reason}")

    def _too_slow(self) -> Reply:
        return Refusal("inspector", f"the file was not read within {human(self._timeout_s, 's')}")

    def _exchange(self, batch: _Batch) -> list[Reply]:
        """Raises one of `_DEAD`, or gevent.Timeout; there is no child then."""
        try:
            self.start()
            # Memories go to those in front first.
            assert self._child is not None and batch.memory is not None  # noqa: S101
            with gevent.Timeout(self._timeout_s):
                return self._child.exchange(batch.message(batch.memory))
        except BaseException:
            # Half a message may be in the pipe: nobody may read on from there.
            self._drop_child()
            raise

    def _free_memories(self) -> list[SharedMemory]:
        if not self._memories:
            self._memories = SharedMemory(), SharedMemory()
            self._free = list(self._memories)
        return self._free

    def _drop_child(self) -> None:
        child, self._child = self._child, None
        if child:
            child.close()


def _reason(reply: Reply) -> tuple[str, str]:
    if isinstance(reply, Refusal):
        return reply.error_class, reply.message
    return "inspector", "the inspector answered for another file"
