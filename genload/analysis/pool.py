"""Several runs of the same, judged as one: a pure function of their run directories.

Criteria are judged on the requests of all runs together; dependence is looked for within each run alone
(`evidence/pooled`). What is about one run's course, its machines and its monitors stands in that run's own
report.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from genload.analysis import summary as summaries
from genload.analysis.carried import uninspected_notices
from genload.analysis.evidence.estimate import BoolArray, Estimate
from genload.analysis.evidence.pooled import EachRun, pooled
from genload.analysis.joined import joined
from genload.analysis.judge import judge_read
from genload.analysis.judged import (
    ClientSummary,
    ErrorGroup,
    JudgedRun,
    PhaseSummary,
    PooledRun,
    Summary,
    Verdict,
)
from genload.analysis.judged.speech import SpeechSummary
from genload.analysis.load import Load
from genload.analysis.observe import Measures, share_of
from genload.analysis.poolable import check_poolable, seeds_notice
from genload.analysis.populations import open_alone
from genload.analysis.read_run import ReadRun
from genload.analysis.recorded import nothing_recorded
from genload.analysis.retries import retries
from genload.analysis.speech_summary import is_speech, speech_summary
from genload.analysis.table import RequestTable
from genload.analysis.taken import MESSAGES_KEPT
from genload.analysis.verdict import judged_criteria, overall_result, run_exit_code
from genload.settings.criteria.ast import Each, Subject
from genload.settings.criteria.comparisons import Labels
from genload.settings.criteria.criterion import Criterion


def judge_pool(
    folders: Sequence[Path], *, criteria: Mapping[str, Criterion] | None = None, strict: bool | None = None
) -> JudgedRun:
    """Judge several runs of one scenario as one.

    Args:
        folders: their run directories, in the order in which reports name them.
        criteria, strict: as in `judge`.

    Raises:
        RunDirectoryError: one of them cannot be read.
        UsageError: they are not of the same, one is not valid, or one is there twice.
    """
    logs = [open_alone(folder) for folder in folders]
    runs = [ReadRun.of(log, criteria) for log in logs]
    alone = [judge_read(run, strict=strict) for run in runs]
    check_poolable(logs, runs, [each.identity for each in alone])
    return _Pool(folders, runs, alone).judged()


class PooledMeasures(Measures):
    """What a criterion is measured on: `runs`, each by itself, put together number by number."""

    runs: tuple[Measures, ...] = ()

    @classmethod
    def of_runs(cls, runs: Sequence[Measures]) -> PooledMeasures:
        """Of at least one run."""
        first = runs[0]
        found = cls(
            header=first.header,
            catalogue=first.catalogue,
            table=joined([run.table for run in runs]),
            store=first.store,
            load=_together([run.load for run in runs]),
            min_coverage=first.min_coverage,
        )
        object.__setattr__(found, "runs", tuple(runs))
        return found

    def of(self, subject: Subject) -> Estimate:
        estimates = [run.of(subject) for run in self.runs]
        if self.runs[0].of_the_run(subject) is not None:
            return EachRun(tuple(estimates))
        return pooled(estimates, subject.stat)

    def ratio(self, top: Subject, below: Subject) -> Estimate:
        first, second = self.of(top), self.of(below)
        if isinstance(first, EachRun) or isinstance(second, EachRun):
            return EachRun(tuple(run.ratio(top, below) for run in self.runs))
        return share_of(first, second, below)

    def strata_of(self, each: Each) -> tuple[Labels, ...]:
        return tuple(dict.fromkeys(labels for run in self.runs for labels in run.strata_of(each)))

    def strata(self, label: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(value for run in self.runs for value in run.strata(label)))


def _together(loads: Sequence[Load]) -> Load:
    """The first load with the time of all: what lasts so long, whenever it was."""
    first = loads[0]
    total_s = sum(load.duration_s for load in loads)
    return replace(first, end_s=first.start_s + total_s)


@dataclass
class _Pool:
    folders: Sequence[Path]
    runs: list[ReadRun]
    alone: list[JudgedRun]

    def __post_init__(self) -> None:
        self.measures = PooledMeasures.of_runs([run.measures for run in self.runs if run.measures])
        self.table: RequestTable = self.measures.table
        self.everything = np.ones(len(self.table), dtype=np.bool_)

    def judged(self) -> JudgedRun:
        first, table = self.alone[0], self.table
        return msgspec.structs.replace(
            first,
            start_time=min(run.start_time for run in self.alone),
            end_time=max(run.end_time for run in self.alone),
            duration_s=sum(run.duration_s for run in self.alone),
            overall=self._summary(self.everything, [run.overall for run in self.alone], self._lengths_s()),
            warmup=self._warmup(),
            phases=self._phases(),
            stages=summaries.stage_summaries(table, self.runs[0].header.stages),
            errors=_errors([run.errors for run in self.alone]),
            retries=retries(table),
            client=_client([run.client for run in self.alone]),
            verdict=self._verdict(strict=first.strict),
            notices=self._notices(),
            speech=self._speech(),
            cold_starts=[each for run in self.alone for each in run.cold_starts],
            pooled=[self._pooled_run(number) for number in range(len(self.alone))],
            # Of one run each, and in its own report.
            series=[],
            monitors=[],
            uptime=None,
            arrivals=None,
            listeners=None,
            capacity=None,
            contract=[],
            reconciliation=[],
            degradation=None,
            trends=None,
            efficiency=None,
            recorded=nothing_recorded(),
        )

    def _lengths_s(self) -> list[float]:
        return [run.duration_s for run in self.alone]

    def _summary(self, rows: BoolArray, each: Sequence[Summary], lengths_s: Sequence[float]) -> Summary:
        """The numbers of these requests of all runs; `each` are the same of each run."""
        left = sum(one.left_requests for one in each)
        found = summaries.summary(self.table, rows, 0.0, 0.0, left=left)
        done = sum(
            (one.throughput_per_minute or 0.0) * length for one, length in zip(each, lengths_s, strict=True)
        )
        rate = done / sum(lengths_s) if sum(lengths_s) > 0 else None
        return msgspec.structs.replace(found, throughput_per_minute=rate)

    def _warmup(self) -> Summary:
        table = joined([run.intake.warmup for run in self.runs])
        return summaries.summary(table, np.ones(len(table), dtype=np.bool_), 0.0, 0.0)

    def _phases(self) -> list[PhaseSummary]:
        """By name, each with the time that it had in all runs, and after the one before."""
        found, begin_s = [], self.alone[0].phases[0].start_s if self.alone[0].phases else 0.0
        for name in dict.fromkeys(phase.name for run in self.alone for phase in run.phases):
            same = [phase for run in self.alone for phase in run.phases if phase.name == name]
            lengths_s = [phase.end_s - phase.start_s for phase in same]
            planned = [phase.arrivals for phase in same if phase.arrivals is not None]
            rows, each = self.table.where("phase", name), [phase.summary for phase in same]
            found.append(
                PhaseSummary(
                    name=name,
                    start_s=begin_s,
                    end_s=begin_s + sum(lengths_s),
                    target_users=same[0].target_users,
                    summary=self._summary(rows, each, lengths_s),
                    arrivals=sum(planned) if planned else None,
                )
            )
            begin_s += sum(lengths_s)
        return found

    def _verdict(self, *, strict: bool) -> Verdict:
        criteria = judged_criteria(self.runs[0].criteria, self.measures)
        observe = self.runs[0].scenario.observe
        result = overall_result(criteria, attempted=len(self.table), observe=observe)
        events = [event for run in self.runs for event in run.events]
        code = run_exit_code(events, [], criteria, result, strict=strict)
        return Verdict(result=result, valid=True, reasons=[], criteria=criteria, exit_code=code)

    def _notices(self) -> list[str]:
        remarks: Counter[str] = Counter()
        for run in self.runs:
            remarks.update(run.intake.remarks)
        own = [
            f"{name}: {text}"
            for name, run in zip(self.names(), self.runs, strict=True)
            for text in run.told()
        ]
        return [*seeds_notice([run.header for run in self.runs]), *uninspected_notices(remarks), *own]

    def _speech(self) -> SpeechSummary | None:
        gaps: Counter[int] = Counter()
        for run in self.runs:
            gaps.update(run.intake.gaps)
        return speech_summary(self.measures, gaps) if is_speech(self.measures) else None

    def names(self) -> list[str]:
        """As short as tells the runs apart."""
        return short_names(self.folders)

    def _pooled_run(self, number: int) -> PooledRun:
        run = self.alone[number]
        return PooledRun(
            run=self.names()[number],
            start_time=run.start_time,
            duration_s=run.duration_s,
            seed=run.seed,
            requests=run.overall.total_requests,
            failed=run.overall.failed_requests,
            avg_duration=run.overall.avg_duration,
            p95_duration=run.overall.p95_duration,
            proven=sum(each.evidence in ("exact", "proven") for each in run.verdict.criteria),
        )


def short_names(folders: Sequence[Path]) -> list[str]:
    """Of each path the last part that not all have there; the whole paths where that is not enough."""
    parts = [folder.absolute().parts for folder in folders]
    same = 0
    while all(len(each) > same + 1 and each[-1 - same] == parts[0][-1 - same] for each in parts):
        same += 1
    names = [each[-1 - same] for each in parts]
    return names if len(set(names)) == len(names) else [str(folder) for folder in folders]


def _errors(groups: Sequence[Sequence[ErrorGroup]]) -> list[ErrorGroup]:
    """The most frequent first."""
    found: dict[str, ErrorGroup] = {}
    for group in (group for each in groups for group in each):
        known = found.setdefault(
            group.error_class, ErrorGroup(error_class=group.error_class, count=0, messages=[])
        )
        known.count += group.count
        known.messages = [*dict.fromkeys([*known.messages, *group.messages])][:MESSAGES_KEPT]
    return sorted(found.values(), key=lambda group: (-group.count, group.error_class))


def _client(each: Sequence[ClientSummary]) -> ClientSummary:
    """The worst of each number; the users' time in all."""

    def most(name: str) -> Any:
        return max((value for client in each if (value := getattr(client, name)) is not None), default=None)

    summed = {
        name: sum(getattr(client, name) for client in each)
        for name in ("user_seconds_target", "user_seconds_worked", "user_seconds_asleep")
    }
    others = {name: most(name) for name in ClientSummary.__struct_fields__ if name not in summed}
    return ClientSummary(**others, **summed)
