"""The populations of a run, each as if it had been alone: what is judged is one of them.

Samples, the health of the load generator, and what happened to the run as a whole are the same for all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from pydantic import ValidationError

from genload.analysis.log import Log
from genload.analysis.taken import Taken
from genload.analysis.taking import take
from genload.errors import RunDirectoryError, UsageError
from genload.runlog.reader import Later, RunLog, open_run
from genload.runlog.records import Event, RunHeader, Sample
from genload.runlog.rows import Row
from genload.settings.suite import Suite


def parts_of(log: Log) -> list[Log]:
    """A run by its populations, in their order; of a run without any, itself.

    Raises:
        RunDirectoryError: its settings cannot be read.
    """
    together = _Together(log)
    return [PopulationLog(log, name, together) for name in log.header.populations] or [log]


def open_alone(folder: Path) -> RunLog:
    """Open a run for what is said of one kind of users alone.

    Raises:
        UsageError: it had several.
        RunDirectoryError: there is no run that can be read.
    """
    log = open_run(folder)
    if log.header.populations:
        names = ", ".join(log.header.populations)
        raise UsageError(
            f"{folder} has several populations ({names}): this is for runs of one kind of users",
            remedy="name another run; each population of this one is judged by: genload report DIR",
        )
    return log


class _Together:
    """The requests of all populations of a run, which are read once."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._taken: dict[str, Taken] | None = None

    def taken(self, name: str) -> Taken:
        """Those of one; read again where they are asked for again."""
        if self._taken is None:
            self._taken = self._read()
        return self._taken.pop(name, None) or self._read()[name]

    def _read(self) -> dict[str, Taken]:
        return dict(zip(self._log.header.populations, take(self._log), strict=True))


class PopulationLog:
    """What one population has left of a run.

    Attributes:
        folder, header: of the run; the header as it would be of this population alone.
    """

    def __init__(self, log: Log, name: str, together: _Together) -> None:
        self._log, self._name, self._together = log, name, together
        self.folder: Path = log.folder
        self.header = _narrowed(log.header, name)

    def rows(self, later: Later | None = None) -> Iterator[Sequence[Row]]:
        """Its requests."""
        for block in self._log.rows(later):
            yield [row for row in block if row.population == self._name]

    def taken(self) -> Taken:
        """The same, by one reading for all populations."""
        return self._together.taken(self._name)

    def events(self) -> Iterator[Event]:
        """What happened to it, and to all."""
        return (event for event in self._log.events() if getattr(event, "population", "") in ("", self._name))

    def samples(self) -> Iterator[Sample]:
        return self._log.samples()

    def missing_records(self) -> dict[str, int]:
        return self._log.missing_records()

    @property
    def problems(self) -> list[str]:
        return self._log.problems


def _narrowed(header: RunHeader, name: str) -> RunHeader:
    own = header.populations[name]
    try:
        suite = Suite.model_validate(header.suite).narrowed(header.scenario, name)
    except (ValidationError, KeyError) as error:
        raise RunDirectoryError(
            f"the settings in run.json cannot be read: {error}",
            remedy="judge it with the version of genload that wrote it (`versions` in run.json)",
        ) from error
    return msgspec.structs.replace(
        header,
        suite=suite.model_dump(mode="json"),
        phases=own.phases,
        operation=own.operation,
        stages=own.stages,
        labels=own.labels,
        metrics=own.metrics,
        population=name,
        populations={},
    )
