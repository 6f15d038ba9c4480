"""What a run writes of itself while it goes on: its requests, its events, what code of users' has raised."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from math import nan
from pathlib import Path

from genload.code_errors import CodeFailure
from genload.errors import GenloadError, RunDirectoryError
from genload.harness.process import MOST_BLAMED
from genload.runlog.failures import FailureStore
from genload.runlog.records import Event, Notice, RequestRecord, RunEnded, RunHeader, RunStarted
from genload.runlog.writer import RunWriter

logger = logging.getLogger(__name__)


class Journal:
    """Of one run, in its run directory; what whoever watches should know stands in the log, too.

    Args:
        folder: the run directory to write; must not hold a run yet.
        clock: monotonic seconds.
        unwritable: told each time that something cannot be written.

    Attributes:
        failures: the outputs and tracebacks that are kept.
        t0_s: when the run began, on the clock.

    Raises:
        RunDirectoryError: the folder holds a run already, or cannot be made.
    """

    def __init__(
        self, folder: Path, clock: Callable[[], float], unwritable: Callable[[RunDirectoryError], None]
    ) -> None:
        self._clock, self._unwritable = clock, unwritable
        self._writer = RunWriter(folder)
        self.failures = FailureStore(folder, lambda text: self.note("output_not_kept", text))
        self.t0_s = nan
        self._blamed: set[str] = set()

    def begin(self) -> None:
        """The run begins now."""
        self.t0_s = self._clock()

    def now_s(self) -> float:
        """Seconds since the run began."""
        return self._clock() - self.t0_s

    def header(self, header: RunHeader) -> None:
        """What the run is; once, after `begin`.

        Raises:
            RunDirectoryError: it cannot be written.
        """
        self._writer.header(header)
        self._writer.event(RunStarted(t_s=0.0, wall_time=header.started_at))

    def requests(self, records: Sequence[RequestRecord]) -> None:
        """Finished requests, in the order of their numbers."""
        self._writer.requests(records)

    def event(self, event: Event) -> None:
        """Something that happened."""
        self._write(lambda: self._writer.event(event))

    def notice(self, code: str, text: str, population: str = "") -> None:
        """Something that whoever watches now, and whoever reads the report, should know.

        Args:
            population: which one alone it is about; "" for the run.
        """
        logger.warning(text)
        self.note(code, text, population)

    def note(self, code: str, text: str, population: str = "") -> None:
        """Something that whoever reads the report should know."""
        self.event(Notice(t_s=self.now_s(), code=code, text=text, population=population))

    def blame(self, failure: CodeFailure) -> None:
        """Code of a user's has raised this, in whichever process: said once a line, its traceback kept."""
        if failure.place not in self._blamed and len(self._blamed) < MOST_BLAMED:
            self._blamed.add(failure.place)
            self.failures.keep_trace(failure)
            self.notice(failure.error_class, failure.told)

    def flush(self) -> None:
        """Write what waits."""
        self._write(self._writer.flush)

    def close(self, records: dict[str, int]) -> None:
        """The run has ended, with so many request records of each source."""
        self.failures.close()
        self.event(RunEnded(t_s=self.now_s(), records=records))
        self._write(self._writer.close)

    def with_losses(self, error: GenloadError) -> GenloadError:
        """What ended the run, with what is lost for good after `close`."""
        if not self._writer.unwritten:
            return error
        cause = re.sub(r"; \d+ lines wait to be written$", "", error.message)
        return RunDirectoryError(
            f"the run was ended and {self._writer.unwritten} lines are lost: {cause}", remedy=error.remedy
        )

    def _write(self, write: Callable[[], None]) -> None:
        try:
            write()
        except RunDirectoryError as error:
            self._unwritable(error)
