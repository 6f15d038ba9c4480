"""Reading a run directory, whatever happened to the run: killed, its disk full, its machine crashed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, get_args

import msgspec

from genload.errors import RunDirectoryError
from genload.runlog.findings import Findings
from genload.runlog.layout import EVENTS, HEADER, REQUESTS, SAMPLES
from genload.runlog.noted import Noted
from genload.runlog.numbering import Numbering
from genload.runlog.packing import BEGINNING, Cut, DamagedError, blocks
from genload.runlog.records import FORMAT_VERSION, Event, RequestRecord, RunEnded, RunHeader, Sample
from genload.runlog.rows import Row, RowDecoder

T = TypeVar("T")
R = TypeVar("R", RequestRecord, Row)

_BLOCK_BYTES = 1 << 18
_MAX_LINE_BYTES = 1 << 24  # far more than any record: a longer "line" is damage
_KNOWN_EVENTS = frozenset(kind.__struct_config__.tag for kind in get_args(Event))
_UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class _Kind(msgspec.Struct):
    event: str


class _Version(msgspec.Struct):
    format: int


_kind_decoder = msgspec.json.Decoder(_Kind)


class Decoder(Protocol[T]):
    """Of a file of lines: what `msgspec.json.Decoder` does, with its errors."""

    def decode_lines(self, lines: bytes, /) -> list[T]: ...

    def decode(self, line: bytes, /) -> T: ...


class Later(Protocol):
    """Who reads a run's requests from `cut` on, while somebody else reads those before it."""

    cut: Cut

    def noted(self) -> Noted | None:
        """What was noted; None when it did not come to the end."""
        ...

    def refuse(self) -> None:
        """It is not used: its part is read by whoever asked."""
        ...


class RunLog:
    """An opened run directory. Records are read from the disk each time they are asked for, never kept.

    Attributes:
        folder: the run directory.
        header: what run.json holds.
    """

    def __init__(self, folder: Path, header: RunHeader) -> None:
        self.folder = folder
        self.header = header
        self._findings: dict[str, Findings] = {}
        self._noted: Noted | None = None

    def requests(self) -> Iterator[RequestRecord]:
        """Every request record in the order written; one that was written twice comes once.

        Raises:
            RunDirectoryError: the disk refuses to be read (this goes for all three).
        """
        return chain.from_iterable(self._new_requests(msgspec.json.Decoder(RequestRecord)))

    def rows(self, later: Later | None = None) -> Iterator[list[Row]]:
        """The same records as judging reads them, in lists of some hundred.

        Args:
            later: who reads from `later.cut` on, meanwhile. What it has read comes here only where it cannot
                be put behind what was read here: it is damaged, or has a record that was here before.
        """
        if later is None:
            return self._new_requests(RowDecoder())
        return self._earlier_rows(later)

    def _earlier_rows(self, later: Later) -> Iterator[list[Row]]:
        yield from self._new_requests(RowDecoder(), end=later.cut)
        noted = later.noted()
        if noted is None or self._noted is None or not self._noted.join(noted):
            later.refuse()
            yield from self._new_requests(RowDecoder(), begin=later.cut, noted=self._noted)

    def rows_after(self, cut: Cut) -> tuple[Iterator[list[Row]], Noted]:
        """The rows from there on, and what is noted while they are read."""
        noted = Noted()
        return self._new_requests(RowDecoder(), begin=cut, noted=noted), noted

    def _new_requests(
        self,
        decoder: Decoder[R],
        begin: Cut = BEGINNING,
        end: Cut | None = None,
        noted: Noted | None = None,
    ) -> Iterator[list[R]]:
        """The requests between two places; what was noted before goes on."""
        noted = Noted() if noted is None else noted
        for block in self._read(decoder, noted.findings, begin, end):
            yield noted.new(block)
        self._noted, self._findings[REQUESTS] = noted, noted.findings

    def events(self) -> Iterator[Event]:
        """Every event in the order written."""
        findings = Findings(EVENTS)
        yield from chain.from_iterable(self._read(msgspec.json.Decoder(Event), findings))
        self._findings[EVENTS] = findings

    def samples(self) -> Iterator[Sample]:
        """Every sample in the order written."""
        findings = Findings(SAMPLES)
        yield from chain.from_iterable(self._read(msgspec.json.Decoder(Sample), findings))
        if not self.header.monitors:
            findings.missing = False
        self._findings[SAMPLES] = findings

    @property
    def ended(self) -> RunEnded | None:
        """The run's own last word; None when it was killed."""
        return next((event for event in self.events() if isinstance(event, RunEnded)), None)

    @property
    def problems(self) -> list[str]:
        """What is wrong with the files, such as "requests.jsonl: last line cut off".

        Files that were not read to their end before are read now.
        """
        for name, read in ((REQUESTS, self.requests), (EVENTS, self.events), (SAMPLES, self.samples)):
            if name not in self._findings:
                _exhaust(read())
        return [line for name in (REQUESTS, EVENTS, SAMPLES) for line in self._findings[name].told()]

    def missing_records(self) -> dict[str, int]:
        """How many request records are not there, by source: holes in their numbers, and what RunEnded
        says was written beyond the last number there is. Sources that lack nothing are left out.

        Of a run that was killed only the holes can be known.
        """
        if self._noted is None:
            _exhaust(self.requests())
        numberings = self._noted.numberings if self._noted else {}
        ended = self.ended
        said = ended.records if ended else {}
        counts = {
            source: numberings.get(source, Numbering()).missing(said.get(source, 0))
            for source in sorted(numberings.keys() | said.keys())
        }
        return {source: count for source, count in counts.items() if count}

    def _read(
        self, decoder: Decoder[T], findings: Findings, begin: Cut = BEGINNING, end: Cut | None = None
    ) -> Iterator[list[T]]:
        """The records of a file, in lists of some hundred."""
        path = self.folder / findings.file
        try:
            yield from _Lines(blocks(path, begin, end), decoder, findings)
        except FileNotFoundError:
            findings.missing = True
        except OSError as error:
            raise RunDirectoryError(f"{path} cannot be read: {error.strerror or error}") from error


class _Lines(Generic[T]):
    """The decoded lines of blocks, a block at a time; what is wrong with them goes to the findings."""

    def __init__(self, blocks: Iterator[bytes], decoder: Decoder[T], findings: Findings) -> None:
        self._blocks = blocks
        self._decoder = decoder
        self._findings = findings

    def __iter__(self) -> Iterator[list[T]]:
        rest = b""
        try:
            for block in self._blocks:
                whole, newline, rest = (rest + block).rpartition(b"\n")
                if newline:
                    yield self._decoded(whole + newline)
                rest = self._shortened(rest)
        except DamagedError as error:
            self._findings.damage, rest = str(error), b""
        yield self._last(rest)

    def _decoded(self, block: bytes) -> list[T]:
        """The records of whole lines. All at once, and one by one only where that fails."""
        lines = block.count(b"\n")
        try:
            records = self._decoder.decode_lines(block)
        except _UNDECODABLE:
            records = []
        # To the decoder a line's end is white space: the halves of a torn line may join into one record.
        if len(records) != lines:
            records = self._one_by_one(block)
        self._findings.lines += lines
        return records

    def _one_by_one(self, block: bytes) -> list[T]:
        records: list[T] = []
        for number, line in enumerate(block.split(b"\n")[:-1], self._findings.lines + 1):
            text = self._without_zeros(line)
            if not text.strip():
                continue
            try:
                records.append(self._decoder.decode(text))
            except _UNDECODABLE:
                self._refuse(text, number)
        return records

    def _refuse(self, text: bytes, number: int) -> None:
        try:
            is_newer = _kind_decoder.decode(text).event not in _KNOWN_EVENTS
        except _UNDECODABLE:
            is_newer = False
        if is_newer and self._findings.file == EVENTS:
            self._findings.unknown += 1
        else:
            self._findings.note_unreadable(number)

    def _last(self, rest: bytes) -> list[T]:
        """What stands behind the last line's end: nothing, unless the run was killed while it wrote."""
        text = self._without_zeros(rest)
        if not text.strip():
            return []
        try:
            return [self._decoder.decode(text)]
        except _UNDECODABLE:
            self._findings.cut_off = True
            return []

    def _shortened(self, rest: bytes) -> bytes:
        """Keep gigabytes without a line's end out of memory; a byte that is no JSON stands for them."""
        if len(rest) <= _BLOCK_BYTES:
            return rest
        rest = self._without_zeros(rest)
        return rest if len(rest) <= _MAX_LINE_BYTES else b"\xff"

    def _without_zeros(self, line: bytes) -> bytes:
        text = line.strip(b"\0")
        self._findings.zero_bytes += len(line) - len(text)
        return text


def open_run(folder: Path) -> RunLog:
    """Open a run directory.

    Raises:
        RunDirectoryError: it is none, its run.json cannot be read, or a newer genload wrote it.
    """
    path = folder / HEADER
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise RunDirectoryError(
            f"{folder} is no run directory: it has no {HEADER}",
            remedy="name a folder that genload has written, such as results/<suite>-<time>/<scenario>",
        ) from error
    except OSError as error:
        raise RunDirectoryError(f"{path} cannot be read: {error.strerror or error}") from error
    return RunLog(folder, _header(path, content))


def _header(path: Path, content: bytes) -> RunHeader:
    try:
        version = msgspec.json.decode(content, type=_Version).format
        if version <= FORMAT_VERSION:
            return msgspec.json.decode(content, type=RunHeader)
    except _UNDECODABLE as error:
        raise RunDirectoryError(
            f"{path} cannot be read: {error}",
            remedy="the file is damaged: take it from a backup, or run again",
        ) from error
    raise RunDirectoryError(
        f"{path} has format {version}; this genload reads formats up to {FORMAT_VERSION}",
        remedy="read it with a newer genload",
    )


def _exhaust(records: Iterator[Any]) -> None:
    for _ in records:
        pass
