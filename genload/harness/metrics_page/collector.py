"""Reads a run's live totals at the moment of a scrape: nothing is counted for it while requests end."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING

from prometheus_client import Metric as Exposed
from prometheus_client.registry import Collector

from genload import __version__
from genload.harness.asked_for import users_asked_for
from genload.harness.metrics_page import families as of
from genload.harness.metrics_page.families import Family, Sheet
from genload.harness.run import Run
from genload.harness.side import Side
from genload.harness.totals import Totals, Values
from genload.plain import plain
from genload.settings.criteria.ast import Dimension
from genload.settings.criteria.comparisons import Outcome, observed
from genload.settings.metrics.labelled import unlabelled
from genload.settings.metrics.metric import Metric, Tally

if TYPE_CHECKING:
    from genload.analysis.judged import JudgedRun

_OUTCOMES: tuple[Outcome, ...] = ("pass", "fail", "inconclusive")
_MOST_ERRORS = 100
"""Error classes that are told: those of a client of a user's may be without end."""


class RunCollector(Collector):
    """Of one run. Where it has several populations, each line about one has a label that names it.

    Args:
        run_id: the name of the folder with the run's results, which its suite's other scenarios share.
    """

    def __init__(self, run: Run, run_id: str) -> None:
        self._run = run
        self._began_s = time.time() - run.journal.now_s()
        self._labels = {
            "run_id": run_id,
            "suite": run.plan.suite.name,
            "scenario": run.plan.scenario_name,
        }
        self.judged: Sequence[JudgedRun] = ()

    def collect(self) -> Iterator[Exposed]:
        """The run as it is now."""
        sheet = Sheet(self._labels)
        self._tell_run(sheet)
        self._tell_users(sheet)
        for side in self._run.sides:
            self._tell_requests(sheet, side)
        for side in self._run.sides:
            self._tell_times(sheet, side)
        for side in () if self.judged else self._run.sides:
            self._tell_observed(sheet, side)
        for judged in self.judged:
            _tell_verdict(sheet, judged)
        self._tell_machines(sheet)
        yield from sheet

    def _tell_run(self, sheet: Sheet) -> None:
        run, plan = self._run, self._run.plan
        for side in run.sides:
            labels = {
                "api": side.plan.service.api,
                "host": plain(side.plan.service.host),
                "time_scale": f"{plan.time_scale:g}",
                "seed": str(plan.seed),
                "version": __version__,
            }
            sheet.add(of.INFO, 1, **labels, **_of(side.name))
        sheet.add(of.STARTED, self._began_s)
        sheet.add(of.STAGE, 1, stage=run.stage)
        for phase in dict.fromkeys(phase.name for phase in run.load.timeline.phases):
            sheet.add(of.PHASE, run.stage == "load" and run.load.phase == phase, phase=phase)
        if isfinite(run.load.remaining_s):
            sheet.add(of.REMAINING, run.load.remaining_s)

    def _tell_users(self, sheet: Sheet) -> None:
        status = self._run.crew.status()
        for side in self._run.sides:
            users, own = side.users(status), _of(side.name)
            sheet.add(of.USERS, users_asked_for(self._run, side), state="asked_for", **own)
            sheet.add(of.USERS, users.working, state="working", **own)
            sheet.add(of.USERS, users.leaving, state="leaving", **own)
            sheet.add(of.IN_FLIGHT, users.in_flight, **own)
        if status.workers is not None:
            sheet.add(of.WORKERS, status.workers.connected, state="connected")
            sheet.add(of.WORKERS, status.workers.lost, state="lost")
        for process, health in self._run.health.items():
            sheet.add(of.LAG, max(health.lags_ms, default=0.0) / 1e3, process=process)
            sheet.add(of.CPU, health.cpu, process=process)
            sheet.add(of.MEMORY, health.rss_bytes, process=process)

    def _tell_requests(self, sheet: Sheet, side: Side) -> None:
        live = side.live
        own = {"operation": live.operation, **_of(side.name)}
        for phase, totals in live.phases.items():
            for outcome, number in _by_outcome(totals).items():
                sheet.add(of.REQUESTS, number, **own, phase=phase, outcome=outcome)
        for error_class, number in live.errors.most_common(_MOST_ERRORS):
            sheet.add(of.ERRORS, number, **own, error_class=plain(error_class))

    def _tell_times(self, sheet: Sheet, side: Side) -> None:
        """Failed requests rank behind every bound, so that a percentile over all of them is genload's own."""
        live = side.live
        for name, metric in live.metrics.items():
            if metric.source != "requests" or metric.dimension is not Dimension.TIME or not metric.stats:
                continue
            stage = metric.short.partition("stage.")[2]
            for phase, totals in live.phases.items():
                values = totals.values.get(name, Values()).all
                labels = {"operation": live.operation, "phase": phase, **_of(side.name)}
                if stage:
                    sheet.add_summary(of.STAGE_TIMES, values.count, values.sum, **labels, stage=stage)
                    continue
                family = of.of_requests(metric)
                at_most = values.at_most(of.BOUNDS_S)
                sheet.add_histogram(family, at_most, values.count, values.sum, outcome="ok", **labels)
                if totals.failed:
                    sheet.add(family, totals.failed, "_bucket", le="+Inf", outcome="failed", **labels)

    def _tell_observed(self, sheet: Sheet, side: Side) -> None:
        live, own = side.live, _of(side.name)
        for name, criterion in side.plan.scenario.criteria.items():
            seen = observed(criterion.expression, live.lookup, live.unit)
            _tell_criterion(sheet, name, criterion.holds, own, must=criterion.must, result=seen.result)
            if seen.value is not None:
                sheet.add(of.OBSERVED, seen.value, criterion=name, unit=seen.unit, **own)

    def _tell_machines(self, sheet: Sheet) -> None:
        newest = {name: (*unlabelled(name), value) for name, value in self._run.live.newest.items()}
        of_each = {metric for metric, labels, _ in newest.values() if labels}
        for metric, labels, value in newest.values():
            # All machines together are the sum or the mean of the series, and would be counted among them.
            if labels or metric not in of_each:
                shown = {of.label_of(label): text for label, text in labels.items()}
                sheet.add(self._family_of(metric), value, **shown)

    def _family_of(self, metric: str) -> Family:
        return of.of_machines(metric, self._known.get(metric))

    @property
    def _known(self) -> Mapping[str, Metric]:
        known = (side.plan.catalogue.metrics for side in self._run.sides)
        return {name: metric for metrics in known for name, metric in metrics.items()}


def _by_outcome(totals: Totals) -> dict[str, int]:
    unfinished = totals.tallies[Tally.UNFINISHED]
    return {
        "ok": totals.completed,
        "failed": totals.failed - unfinished,
        "unfinished": unfinished,
        "left": totals.left,
    }


def _of(population: str) -> dict[str, str]:
    """The label that names it; none where there is one kind of users alone."""
    return {"population": population} if population else {}


def _tell_criterion(
    sheet: Sheet, name: str, rule: str, own: Mapping[str, str], *, must: bool, result: Outcome
) -> None:
    named = {"criterion": name, "must": str(must).lower(), **own}
    sheet.add(of.CRITERION, 1, rule=rule, **named)
    for outcome in _OUTCOMES:
        sheet.add(of.STATE, outcome == result, state=outcome, **named)


def _tell_verdict(sheet: Sheet, judged: JudgedRun) -> None:
    verdict, own = judged.verdict, _of(judged.population)
    sheet.add(of.VALID, verdict.valid, **own)
    sheet.add(of.EXIT_CODE, verdict.exit_code, **own)
    for criterion in verdict.criteria:
        name = criterion.name
        _tell_criterion(sheet, name, criterion.expression, own, must=criterion.must, result=criterion.result)
        if criterion.value is not None:
            sheet.add(of.OBSERVED, criterion.value, criterion=name, unit=criterion.unit, **own)
        if criterion.evidence is not None:
            sheet.add(of.EVIDENCE, 1, criterion=name, evidence=criterion.evidence, **own)
