"""Judged runs of jobs as the analysis would hand them over, one of each verdict; any field may be another."""

from __future__ import annotations

from typing import Any

from genload.analysis.judged import (
    ClientSummary,
    CriterionVerdict,
    ErrorGroup,
    JudgedRun,
    PhaseSummary,
    Reason,
    SeriesSummary,
    StageSummary,
    Summary,
    Verdict,
)


def criterion(name: str = "zero_errors", **fields: Any) -> CriterionVerdict:
    base: dict[str, Any] = {
        "expression": "generate.error_rate == 0%",
        "must": True,
        "value": 0.0,
        "unit": "ratio",
        "result": "pass",
        "evidence": "unproven",
        "bound": 0.451,
        "assumption": "failures are scattered",
        "needs": "59 requests without a failure",
        "op": "==",
        "threshold": 0.0,
    }
    return CriterionVerdict(name=name, **{**base, **fields})


def summary(**fields: Any) -> Summary:
    """The numbers of the specification's example."""
    base: dict[str, Any] = {
        "total_requests": 5,
        "successful_requests": 5,
        "failed_requests": 0,
        "unfinished_requests": 0,
        "drained_requests": 1,
        "success_rate": 100.0,
        "error_rate": 0.0,
        "avg_duration": 82.1,
        "min_duration": 79.5,
        "max_duration": 85.3,
        "p50_duration": 82.0,
        "p95_duration": 84.8,
        "p99_duration": 85.2,
        "throughput_per_minute": 0.73,
        "p95_of_successes": None,
        "rejections": 0,
    }
    return Summary(**{**base, **fields})


EMPTY = dict.fromkeys(
    (
        "success_rate",
        "error_rate",
        "avg_duration",
        "min_duration",
        "max_duration",
        "p50_duration",
        "p95_duration",
        "p99_duration",
        "throughput_per_minute",
    )
) | {"total_requests": 0, "successful_requests": 0, "drained_requests": 0}


def run(scenario: str = "baseline", **fields: Any) -> JudgedRun:
    """A baseline that passes, as in the specification's example; any field may be another."""
    criteria = [
        criterion(
            "avg_time_ok",
            expression="generate.duration.mean in 75s..90s",
            op="<=",
            threshold=90.0,
            value=82.1,
            unit="s",
            evidence="proven",
            bound=84.9,
            assumption="requests are independent",
            needs=None,
        ),
        criterion("zero_errors"),
        criterion(
            "full_success", expression="generate.success_rate == 100%", threshold=1.0, value=1.0, bound=0.549
        ),
        criterion(
            "all_completed",
            expression="generate.completed == 5",
            threshold=5.0,
            value=5.0,
            unit="count",
            evidence="exact",
            bound=5.0,
            assumption="a count about this run",
            needs=None,
        ),
    ]
    base: dict[str, Any] = {
        "suite": "orfeas",
        "purpose": "Single user baseline validation",
        "operation": "generate",
        "start_time": "2026-11-21T10:00:00Z",
        "end_time": "2026-11-21T10:08:20Z",
        "duration_s": 410.5,
        "time_scale": 1.0,
        "rehearsal": False,
        "strict": False,
        "interrupted": None,
        "seed": 7,
        "overall": summary(),
        "warmup": summary(total_requests=1, successful_requests=1, drained_requests=0),
        "phases": [PhaseSummary(name="steady", start_s=90.0, end_s=500.5, target_users=1, summary=summary())],
        "stages": {"run": StageSummary(count=5, mean=81.0, p50=81.2, p95=83.9, max=84.1)},
        "errors": [],
        "series": [
            SeriesSummary(
                metric="server.memory",
                source="http://127.0.0.1:5000/metrics",
                unit="bytes",
                count=400,
                coverage=0.99,
                first=1.0e9,
                last=1.02e9,
                mean=1.01e9,
                min=1.0e9,
                max=1.03e9,
                growth=0.02,
            )
        ],
        "client": ClientSummary(
            lag_p50_ms=0.2,
            lag_p99_ms=1.9,
            lag_max_ms=4.0,
            cpu_max=0.11,
            rss_max_bytes=90_000_000,
            user_seconds_target=410.5,
            user_seconds_worked=409.0,
            user_seconds_asleep=0.0,
            poll_bound_p95_s=2.3,
        ),
        "verdict": Verdict(result="pass", valid=True, reasons=[], criteria=criteria, exit_code=0),
        "notices": [],
        "requested": {"name": "orfeas", "scenarios": {"baseline": {}, "spike": {}}},
        "effective": {"name": "orfeas", "scenarios": {"baseline": {}, "spike": {}}},
        "versions": {"genload": "0.1.0", "locust": "2.47.0", "python": "3.11"},
        "failure_pause_s": 10.0,
        "degradation": None,
    }
    return JudgedRun(scenario=scenario, **{**base, **fields})


def passed() -> JudgedRun:
    return run()


def failed() -> JudgedRun:
    phases = [
        PhaseSummary(
            name=name, start_s=7.0 + start, end_s=127.0 + start, target_users=users, summary=summary()
        )
        for name, start, users in (("baseline", 0.0, 2), ("spike", 120.0, 20), ("recovery", 240.0, 2))
    ]
    criteria = [
        criterion(
            "spike_error_rate_ok",
            expression="generate.error_rate{phase=spike} < 10%",
            op="<",
            threshold=0.1,
            value=0.25,
            result="fail",
            evidence="proven",
            bound=0.12,
            needs=None,
        ),
        criterion(
            "gpu_memory_stable",
            must=False,
            expression="gpu.memory_used.growth < 10%",
            op="<",
            threshold=0.1,
            value=0.2,
            result="fail",
        ),
    ]
    return run(
        "spike",
        purpose="Resilience and recovery",
        phases=phases,
        overall=summary(
            total_requests=40,
            successful_requests=30,
            failed_requests=10,
            success_rate=75.0,
            error_rate=25.0,
            p95_duration=None,
            p99_duration=None,
            rejections=4,
        ),
        errors=[
            ErrorGroup(
                error_class="rejected", count=8, messages=["Cannot allocate job x: insufficient resources"]
            ),
            ErrorGroup(error_class="timeout", count=2, messages=["no answer within 300 s"]),
        ],
        verdict=Verdict(result="fail", valid=True, reasons=[], criteria=criteria, exit_code=1),
        start_time="2026-11-21T10:10:00Z",
    )


def inconclusive() -> JudgedRun:
    criteria = [
        criterion(
            "memory_stable",
            expression="server.memory.growth < 5%",
            op="<",
            threshold=0.05,
            value=None,
            result="inconclusive",
            evidence=None,
            bound=None,
            assumption=None,
            needs="samples of server.memory: none arrived",
        )
    ]
    verdict = Verdict(result="inconclusive", valid=True, reasons=[], criteria=criteria, exit_code=3)
    degradation = {"first_mean": 80.0, "last_mean": 84.0, "change_percent": 5.0}
    return run("sustained", verdict=verdict, degradation=degradation, overall=summary(**EMPTY))


def invalid() -> JudgedRun:
    reason = Reason(code="cpu", text="the client used 97 % of a core for 12 s", remedy="use more workers")
    verdict = Verdict(result="pass", valid=False, reasons=[reason], criteria=[criterion()], exit_code=3)
    return run("normal", verdict=verdict)


def interrupted() -> JudgedRun:
    reason = Reason(code="interrupted", text="stopped by SIGINT after 12 s", remedy="let it run to its end")
    verdict = Verdict(result="inconclusive", valid=False, reasons=[reason], criteria=[], exit_code=130)
    return run("peak", verdict=verdict, interrupted="SIGINT")


def no_criteria() -> JudgedRun:
    criteria = [criterion(must=False)]
    return run(verdict=Verdict(result="no criteria", valid=True, reasons=[], criteria=criteria, exit_code=3))


def observed() -> JudgedRun:
    return run(verdict=Verdict(result="observed", valid=True, reasons=[], criteria=[], exit_code=0))


def scaled() -> JudgedRun:
    return run(time_scale=0.02)
