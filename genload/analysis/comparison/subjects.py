"""Which metrics of a run are compared: those to be judged, and all others that it has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from genload.analysis.observe import nameable
from genload.analysis.read_run import ReadRun
from genload.errors import UsageError
from genload.runlog.records import RunHeader
from genload.settings.criteria.ast import Comparison, Dimension, Each, Expression, Relative, Subject
from genload.settings.criteria.comparisons import parts
from genload.settings.criteria.error import CriterionError
from genload.settings.criteria.parse import parse
from genload.settings.criteria.validate import check
from genload.settings.criteria.write import subject_text
from genload.settings.metrics.metric import Metric

_OF_EACH = ("mean", "p50", "p95")
_OWN = ("host.", "client.", "contract.")
"""Of the load generator and of the monitors themselves: no numbers of the service."""

_SINCE_ELSEWHEN = ("gpu.energy", "gpu.ecc_corrected", "gpu.ecc_uncorrected", "gpu.memory_total")
"""Counters whose level says when they began, and what the hardware is: no numbers of the build."""


def asked_for(texts: Sequence[str], header: RunHeader) -> list[Expression]:
    """What is to be judged, as it was written: ``generate.duration.p95{phase=peak}``, ``each(voice): …``.

    Raises:
        UsageError: something that is no metric of this run.
    """
    return [_read(text, header) for text in texts]


def _read(text: str, header: RunHeader) -> Expression:
    try:
        expression = parse(f"{text} >= 0")
        if not isinstance(expression.body if isinstance(expression, Each) else expression, Comparison):
            raise UsageError(
                f"--judge {text}: this is more than one metric", remedy="name one in each --judge"
            )
        check(expression, nameable(header))
    except CriterionError as error:
        remedy = error.remedy or "name it as a criterion would: generate.duration.p95{phase=peak}"
        raise UsageError(f"--judge {text}: {error.reason}", remedy=remedy) from error
    return expression


def judged_by_default(run: ReadRun) -> list[Subject]:
    """Duration, error rate and throughput, and what the scenario's criteria name.

    Of a count of requests its share is judged, or nothing: how many there were is a matter of the load. Of a
    search for a capacity what it found is judged: each chose its own load.
    """
    if run.scenario.capacity is not None:
        return [Subject(run.scenario.capacity.metric)]
    operation = run.header.operation
    found = [_stat(f"{operation}.duration", stat) for stat in _OF_EACH]
    found += [Subject(f"{operation}.error_rate"), Subject(f"{operation}.throughput")]
    for expression in run.expressions:
        found += subjects_of(expression, run)
    metrics = run.catalogue.metrics
    return [
        subject
        for subject in dict.fromkeys(found)
        if subject.stat != "count" and not _counts_requests(metrics.get(subject.metric))
    ]


def refuse_whole_load(subjects: Sequence[Subject], run: ReadRun) -> None:
    """Refuse numbers of the whole load of a search.

    Raises:
        UsageError: such a number was asked for.
    """
    search = run.scenario.capacity
    others = [subject for subject in subjects if search is not None and subject.metric != search.metric]
    if search is not None and others:
        raise UsageError(
            f"--judge {subject_text(others[0])}: each search for a capacity chose its own levels of load, so "
            "that this is no number of the build",
            remedy=f"judge {search.metric}, or compare runs of one load: a scenario with a shape",
        )


def subjects_of(expression: Expression, run: ReadRun) -> Iterator[Subject]:
    """What a criterion speaks of on both sides, an ``each`` for every stratum that this run has."""
    if run.measures is None:
        return
    for part in parts(expression, run.measures.strata_of):
        yield part.comparison.subject
        if isinstance(part.comparison.right, Relative):
            yield part.comparison.right.of


def all_subjects(run: ReadRun) -> Iterator[Subject]:
    """Everything that can be said of the run as a whole; what was in flight is the load's matter, and of a
    search, which chose its own load, everything is."""
    if run.scenario.capacity is not None:
        return
    for metric in run.catalogue.metrics.values():
        own = metric.source == "requests" and metric.name.startswith(f"{run.header.operation}.")
        if own and not metric.is_series:
            yield from _of(metric)
    for name in run.store.metrics:
        if "{" not in name and not name.startswith(_OWN) and name not in _SINCE_ELSEWHEN:
            known = run.catalogue.metrics.get(name)
            is_state = known is not None and known.dimension is Dimension.STATE
            yield from (Subject(name, stat) for stat in (("mean",) if is_state else ("mean", "max")))


def _of(metric: Metric) -> Iterator[Subject]:
    if not metric.stats:
        yield Subject(metric.name)
    else:
        yield from (_stat(metric.name, stat) for stat in _OF_EACH)


def _stat(metric: str, stat: str) -> Subject:
    return Subject(metric, "p", float(stat[1:])) if stat[0] == "p" else Subject(metric, stat)


def _counts_requests(metric: Metric | None) -> bool:
    return metric is not None and metric.counts is not None and metric.per is None
