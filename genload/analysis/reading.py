"""Reading a run directory for its verdict: each of its files once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from genload.analysis.heard import Heard
from genload.analysis.intake import Intake, intake_of
from genload.analysis.load import Load, load_of
from genload.analysis.log import Log
from genload.analysis.populations import PopulationLog
from genload.analysis.recorded import Columns, Recorded
from genload.analysis.series import SeriesStore, slowed
from genload.analysis.taking import take
from genload.analysis.words import with_words
from genload.runlog.records import Event, MonitorPlan, RunHeader, Sample


@dataclass(frozen=True)
class Reading:
    """Everything that was read of a run.

    Attributes:
        load: None when it never began.
        plans: what the monitors promised, with the intervals that they were slowed down to.
    """

    intake: Intake
    events: list[Event]
    load: Load | None
    samples: list[Sample]
    plans: list[MonitorPlan]
    store: SeriesStore

    @property
    def columns(self) -> Columns:
        """What of it reports may ask for."""
        return Columns(self.intake.measured, self.intake.warmup, self.store, self.events)


def read(log: Log) -> Reading:
    """Read a run.

    Raises:
        RunDirectoryError: its files cannot be read.
    """
    header = log.header
    intake = intake_of(log.taken() if isinstance(log, PopulationLog) else take(log)[0])
    intake = replace(intake, measured=with_words(intake.measured, intake.warmup, _request(header)))
    events = list(log.events())
    last_sign_s = max([intake.last_end_s, *(event.t_s for event in events)])
    load = load_of(events, header.phases, last_sign_s)
    samples = list(log.samples())
    plans = slowed(header.monitors, samples)
    heard = Heard.of(events)
    watched = (load.start_s, load.end_s) if load else None
    store = SeriesStore([*samples, *heard.samples], [*plans, *heard.plans], watched)
    return Reading(intake, events, load, samples, plans, store)


def _request(header: RunHeader) -> Mapping[str, Any]:
    """The settings of the run's requests: the scenario's own, or else the service's."""
    scenario = (header.suite.get("scenarios") or {}).get(header.scenario) or {}
    return scenario.get("request") or (header.suite.get("service") or {}).get("request") or {}


def recorded(log: Log, reading: Reading | None = None) -> Recorded:
    """What reports find of a run that was read; or, as they look for it, is read then."""
    return Recorded(log.folder, lambda: read(log).columns, None if reading is None else reading.columns)
