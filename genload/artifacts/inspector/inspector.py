"""Looking into meshes and audio in a process of its own.

Parsing a mesh or decoding audio is long pure Python and numpy: in a thread of the load generator it would
take the interpreter lock from the event loop, and falsify every measured time. So one plain Python child
does it, and what waits for it meanwhile goes to it together: one wake-up a batch on either side.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import gevent
import msgspec
from gevent.event import Event

from genload.artifacts.answer.facts import AnswerError, AnswerFacts, Unpacked
from genload.artifacts.audio.facts import AudioError
from genload.artifacts.inspector.handle import InspectorProcess
from genload.artifacts.inspector.messages import (
    AnswerTask,
    AudioFound,
    AudioTask,
    Batch,
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
    place_after,
)
from genload.artifacts.inspector.shared_memory import AT_ONCE_BYTES, SharedMemory
from genload.artifacts.mesh.facts import MeshError, MeshFacts
from genload.artifacts.output_error import OutputError
from genload.artifacts.own.facts import OwnError
from genload.artifacts.picture.facts import PictureError, PictureFacts
from genload.artifacts.splats.facts import SplatsError, SplatsFacts
from genload.human import human
from genload.spool import Content, Spooled

_TIMEOUT_S = 120.0
_OWN_TIMEOUT_S = 30.0
_BATCH_BYTES = 4 << 20  # fewer batches are fewer switches of processes, which empty each other's caches
_BATCH_TASKS = 64
_DEAD = (OSError, EOFError, msgspec.DecodeError)

_Facts = TypeVar("_Facts")


class _Errand(NamedTuple):
    task: Task
    content: Content
    output: Spooled | None


class _Batch:
    """Tasks that go to the child together, by way of a memory: each file is copied there as soon as it comes,
    while a cache still has it; or later, if it is large, or there is no memory yet. What is spooled is an
    open file already, and is handed over as it is.
    """

    __slots__ = ("done", "errands", "files", "late", "memory", "places", "replies", "size_bytes")

    def __init__(self, memory: SharedMemory | None) -> None:
        self.memory = memory
        self.errands: list[_Errand] = []
        self.places: list[tuple[int, int, int]] = []
        self.files: list[int] = []
        self.late: list[tuple[bytes, int]] = []
        self.size_bytes = 0
        self.replies: list[Reply] = []
        self.done = Event()

    def add(self, errand: _Errand) -> int | None:
        """Its number; None when the batch is full."""
        content, number, place = errand.content, len(self.errands), self.size_bytes
        size_bytes = place_after(place, 0 if isinstance(content, Spooled) else len(content))
        if number and (number == _BATCH_TASKS or size_bytes > _BATCH_BYTES):
            return None
        self.errands.append(errand)
        self.places.append((len(content), self._handed(content), self._handed(errand.output)))
        self.size_bytes = size_bytes
        if isinstance(content, Spooled):
            return number
        if self.memory is None or len(content) > AT_ONCE_BYTES:
            self.late.append((content, place))
        else:
            self.memory.write(content, place)
        return number

    def _handed(self, content: Content | None) -> int:
        if not isinstance(content, Spooled):
            return -1
        self.files.append(content.file)
        return len(self.files) - 1

    def message(self, memory: SharedMemory) -> Batch:
        """What the child is told, once everything is in the memory."""
        for content, place in self.late:
            memory.write_in_pieces(content, place)
        tasks = [errand.task for errand in self.errands]
        return Batch(memory.file, memory.size_bytes, tasks, self.places)

    def end(self, replies: list[Reply]) -> None:
        """Wake everyone who waits; the files are let go of."""
        self.replies, self.errands, self.late = replies, [], []
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

    def mesh(self, content: Content, hint: str = "") -> MeshFacts:
        """What `genload.artifacts.mesh.reader.read_mesh` says of the file; other greenlets run meanwhile.

        Raises:
            MeshError: as `read_mesh`; ``inspector`` when the child died of this file twice, or took longer
                than the time limit.
        """
        return self._ask(MeshTask(hint), content, MeshFacts, MeshError)

    def audio(self, task: AudioTask, content: bytes) -> AudioFound:
        """What the task asks for. Raises AudioError, as `read_audio` and `mesh`."""
        return self._ask(task, content, AudioFound, AudioError)

    def words(self, task: WordsTask, content: bytes) -> WordsFound:
        """What the task asks for. Raises AudioError, as `audio`."""
        return self._ask(task, content, WordsFound, AudioError)

    def picture(self, content: Content) -> PictureFacts:
        """What `read_picture` says of the file. Raises PictureError, as that and `mesh`."""
        return self._ask(PictureTask(), content, PictureFacts, PictureError)

    def splats(self, content: Content, hint: str = "") -> SplatsFacts:
        """What `read_splats` says of the file. Raises SplatsError, as that and `mesh`."""
        return self._ask(SplatsTask(hint), content, SplatsFacts, SplatsError)

    def own(
        self, check: str, content: Content, name: str, limit_s: float = _OWN_TIMEOUT_S
    ) -> dict[str, float]:
        """The numbers of a user's own check. Raises OwnError, as `run_check` and `mesh`."""
        return self._ask(OwnTask(check, name, limit_s), content, dict[str, float], OwnError)

    def answer(self, content: Content, paths: Sequence[str], encoded: str, output: Spooled) -> AnswerFacts:
        """What `read_answer` finds in JSON. Raises AnswerError, as that and `mesh`.

        Args:
            output: written with what the base64 at `encoded` is.
        """
        task = AnswerTask(list(paths), encoded)
        facts = self._ask(task, content, AnswerFacts, AnswerError, output)
        output.written(facts.decoded_bytes or 0)
        return facts

    def member(self, content: Content, pattern: str, max_bytes: int, output: Spooled) -> Unpacked:
        """What `unpack` finds in a zip. Raises AnswerError, as that and `mesh`.

        Args:
            output: written with the member.
        """
        found = self._ask(ZipTask(pattern, max_bytes), content, Unpacked, AnswerError, output)
        output.written(found.size_bytes)
        return found

    def close(self) -> None:
        """End the child; a later file starts another one. Whoever still waits gets an error."""
        if self._courier is not None:
            self._courier.kill()
        self._drop_child()
        for memory in self._memories:
            memory.close()
        self._memories, self._free = (), []

    def _ask(
        self,
        task: Task,
        content: Content,
        facts: type[_Facts],
        refused: type[OutputError],
        output: Spooled | None = None,
    ) -> _Facts:
        """Have a task done; other greenlets run meanwhile.

        Raises:
            OutputError: of the type `refused`.
        """
        errand = _Errand(task, content, output)
        batch = self._waiting[-1] if self._waiting else None
        place = batch.add(errand) if batch is not None else None
        if batch is None or place is None:
            free = self._free_memories()
            batch, place = _Batch(free.pop() if free else None), 0
            batch.add(errand)
            self._waiting.append(batch)
        if self._courier is None:
            self._courier = gevent.spawn(self._carry)
        batch.done.wait()
        reply = batch.replies[place]
        if isinstance(reply, Refusal):
            raise refused(reply.error_class, reply.message, reply.numbers)
        return msgspec.msgpack.decode(reply.facts, type=facts)

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
                    left.end([closed] * len(left.errands))
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
        try:
            return self._exchange(batch)
        except gevent.Timeout:
            if len(batch.errands) == 1:
                return [self._too_slow()]
        except _DEAD:
            pass
        return [self._alone(batch.memory, errand) for errand in batch.errands]

    def _alone(self, memory: SharedMemory | None, errand: _Errand) -> Reply:
        batch = _Batch(memory)
        batch.add(errand)
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
                return self._child.exchange(batch.message(batch.memory), batch.files)
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
