"""Judged runs as the analysis would hand them over: one of each kind that a report must tell apart."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from genload.analysis.judged import (
    ClientSummary,
    CriterionVerdict,
    ErrorGroup,
    JudgedRun,
    JudgedSuite,
    PhaseSummary,
    Reason,
    SeriesSummary,
    StageSummary,
    Summary,
    Verdict,
)
from genload.analysis.judged_speech import Gaps, PerCharacter, Playback, SpeechNumbers, SpeechSummary

HOSTILE = (
    "\x1b[31mred\x1b[0m\x1b]0;owned\x07 <script>alert(1)</script> | `tick` ``two`` @admin #1 "
    "![x](http://127.0.0.1/p.png) [link](javascript:1) ]]> &amp; \x00\x08\u202egpj.exe "
    "[bold]rich[/bold] [/] line\r\nbreak"
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
            value=82.1,
            unit="s",
            evidence="proven",
            bound=84.9,
            assumption="requests are independent",
            needs=None,
        ),
        criterion("zero_errors"),
        criterion("full_success", expression="generate.success_rate == 100%", value=1.0, bound=0.549),
        criterion(
            "all_completed",
            expression="generate.completed == 5",
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
        "stages": [StageSummary(name="run", count=5, mean=81.0, p50=81.2, p95=83.9, max=84.1)],
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


def scaled() -> JudgedRun:
    return run(time_scale=0.02)


def heard(**fields: Any) -> SpeechNumbers:
    base: dict[str, Any] = {
        "total_requests": 6,
        "failed_requests": 0,
        "error_rate": 0.0,
        "p50_ttfa": 0.21,
        "p95_ttfa": 0.34,
        "p50_duration": 1.2,
        "p95_duration": 1.9,
        "avg_rtf": 0.31,
        "streamed_requests": 6,
        "stalls_per_stream": 0.5,
        "inspected_requests": 6,
        "valid_rate": 100.0,
    }
    return SpeechNumbers(**{**base, **fields})


def speech(**fields: Any) -> SpeechSummary:
    """Streamed answers of two voices, of one of which two failed."""
    puck = heard(
        failed_requests=2,
        error_rate=100 / 3,
        p95_ttfa=math.inf,
        p95_duration=math.inf,
        streamed_requests=4,
        inspected_requests=5,
        valid_rate=80.0,
    )
    base: dict[str, Any] = {
        "overall": heard(
            total_requests=12,
            failed_requests=2,
            error_rate=100 / 6,
            p95_ttfa=math.inf,
            p95_duration=math.inf,
            streamed_requests=10,
            inspected_requests=11,
            valid_rate=1000 / 11,
        ),
        "strata": {
            "voice": {"af_heart": heard(), "am_puck": puck},
            "length": {"short": heard(total_requests=12)},
        },
        "answers": 11,
        "audio_seconds": 39.0,
        "audio_per_second": 3.9,
        "per_character": PerCharacter(requests=10, slope=0.0042, low=0.0039, high=0.0046),
        "gaps": Gaps(count=400, p50=0.0203, p95=0.024, p99=0.0411),
        "playback": Playback(
            streams=10,
            stalls_per_stream=0.5,
            longest_underrun=0.34,
            underrun_within_50ms=80.0,
            underrun_within_100ms=90.0,
            underrun_within_200ms=90.0,
        ),
        "missing": {},
    }
    return SpeechSummary(**{**base, **fields})


def spoken() -> JudgedRun:
    verdict = Verdict(
        result="fail",
        valid=True,
        reasons=[],
        criteria=[
            criterion(
                "first_audio",
                expression="speech.ttfa.p95 < 500ms",
                value=math.inf,
                unit="s",
                result="fail",
                bound=0.34,
            )
        ],
        exit_code=1,
    )
    return run(
        "mixed_voices",
        suite="litetts",
        operation="speech",
        purpose="Two voices at once",
        stages=[],
        speech=speech(),
        verdict=verdict,
    )


def whole_answers() -> JudgedRun:
    """Speech that was not streamed, too little of it to say much."""
    nothing = heard(streamed_requests=0, stalls_per_stream=None, inspected_requests=0, valid_rate=None)
    missing = {
        "per_character": "no line to draw: it needs requests of at least 3 different lengths (1 so far)",
        "gaps": "none: every answer came in one piece",
        "playback": "not applicable: no answer was streamed, and a whole one has no playback to stall",
        "inspection": "none: no answer was inspected",
    }
    summary = speech(
        overall=nothing, strata={}, per_character=None, gaps=None, playback=None, missing=missing
    )
    return run("light", suite="litetts", operation="speech", stages=[], speech=summary)


def hostile() -> JudgedRun:
    """Every text that a service, or a careless suite, can bring into a report."""
    verdict = Verdict(
        result="fail",
        valid=False,
        reasons=[Reason(code="x", text=HOSTILE, remedy=HOSTILE)],
        criteria=[criterion("name|with`marks`", expression="a < 1 | b", result="fail", needs=HOSTILE)],
        exit_code=3,
    )
    return run(
        "peak",
        purpose=HOSTILE,
        errors=[ErrorGroup(error_class="job_failed", count=3, messages=[HOSTILE, ""])],
        speech=speech(strata={HOSTILE: {HOSTILE: heard(), "a|b": heard()}}),
        notices=[HOSTILE],
        verdict=verdict,
    )


KINDS: dict[str, Callable[[], JudgedRun]] = {
    maker.__name__: maker
    for maker in (
        passed,
        failed,
        inconclusive,
        invalid,
        interrupted,
        scaled,
        spoken,
        whole_answers,
        hostile,
    )
}


@pytest.fixture
def make_run() -> Callable[..., JudgedRun]:
    """`run`: a passing baseline with any field replaced."""
    return run


@pytest.fixture(params=KINDS)
def any_run(request: pytest.FixtureRequest) -> JudgedRun:
    """Each kind of run in turn."""
    return KINDS[request.param]()


@pytest.fixture
def kinds() -> dict[str, Callable[[], JudgedRun]]:
    """The kinds of run by name: passed, failed, inconclusive, invalid, interrupted, scaled, spoken,
    whole_answers, hostile."""
    return KINDS


@pytest.fixture
def make_suite() -> Callable[..., JudgedSuite]:
    """A suite of runs; its exit code is the first's unless given."""

    def make(*runs: JudgedRun, missing: tuple[str, ...] = (), exit_code: int | None = None) -> JudgedSuite:
        code = runs[0].verdict.exit_code if exit_code is None else exit_code
        return JudgedSuite(suite="orfeas", runs=list(runs), missing=list(missing), exit_code=code)

    return make


@pytest.fixture
def hostile_text() -> str:
    return HOSTILE
