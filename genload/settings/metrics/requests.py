"""The metrics that every operation has."""

from __future__ import annotations

from genload.settings.criteria.ast import Dimension
from genload.settings.metrics.metric import (
    SERIES_STATS,
    Better,
    Failures,
    Metric,
    Of,
    Tally,
    request_count,
    request_number,
    request_share,
)


def request_metrics(operation: str, stages: tuple[str, ...] = ()) -> tuple[Metric, ...]:
    """The metrics every operation (``generate``, ``speech``) has, and one for each of its stages."""

    def count(
        name: str, help: str, counts: Tally, per: Tally | None = None, better: Better = Better.LOWER
    ) -> Metric:
        return request_count(f"{operation}.{name}", help, counts, per, better=better)

    def time(name: str, help: str, key: str = "") -> Metric:
        return request_number(f"{operation}.{name}", Dimension.TIME, help, failures=Failures.LAST, key=key)

    return (
        count("error_rate", "failed, timed out and unfinished ÷ attempted", Tally.FAILED, Tally.ATTEMPTED),
        count("success_rate", "completed ÷ attempted", Tally.COMPLETED, Tally.ATTEMPTED, Better.HIGHER),
        count(
            "attempted",
            "requests started in the window, warm-up left out",
            Tally.ATTEMPTED,
            better=Better.HIGHER,
        ),
        count("completed", "requests that ended well, output checked", Tally.COMPLETED, better=Better.HIGHER),
        count("failed", "attempted − completed", Tally.FAILED),
        count("unfinished", "still in flight when waiting for them ended", Tally.UNFINISHED),
        count("rejections", "refusals (429, 503) met on the way, retried or final", Tally.REFUSALS),
        Metric(
            f"{operation}.throughput",
            Dimension.RATE,
            (),
            "requests",
            "completions inside the window ÷ its length",
            better=Better.HIGHER,
        ),
        Metric(
            f"{operation}.goodput",
            Dimension.RATIO,
            (),
            "requests",
            "completed within all limits of `goodput` ÷ attempted: what a caller would call served",
            better=Better.HIGHER,
        ),
        Metric(
            f"{operation}.goodput_throughput",
            Dimension.RATE,
            (),
            "requests",
            "such completions inside the window ÷ its length",
            better=Better.HIGHER,
        ),
        Metric(
            f"{operation}.in_flight",
            Dimension.COUNT,
            SERIES_STATS,
            "requests",
            "at each moment: begun, or held back by an open schedule, and not ended",
        ),
        Metric(
            f"{operation}.cold_start",
            Dimension.TIME,
            (),
            "requests",
            "duration of the request behind the scenario's `idle` time, or else of the run's first",
            better=Better.LOWER,
        ),
        request_share(
            f"{operation}.valid_rate",
            "valid outputs",
            "outputs that passed their inspection ÷ outputs inspected",
            of=Of.INSPECTED,
            key="valid",
        ),
        request_count(
            f"{operation}.invalid",
            "outputs that were inspected and are broken",
            Tally.INVALID,
            of=Of.INSPECTED,
        ),
        count("cannot_inspect", "outputs that nothing here can look into, valid or not", Tally.UNREADABLE),
        count(
            "connection_errors",
            "failed without a whole answer: refused, reset, cut off, timed out",
            Tally.UNANSWERED,
        ),
        time("duration", "from before the first connect to the last byte", key="duration"),
        request_number(
            f"{operation}.start_delay",
            Dimension.TIME,
            "in an open schedule: how late it was sent after the moment intended",
            failures=Failures.COUNTED,
            better=Better.LOWER,
        ),
        time("server_duration", "jobs: from acceptance to the finish as observed"),
        *(time(f"stage.{stage}", f"jobs: time in stage {stage}", key=f"stage.{stage}") for stage in stages),
    )
