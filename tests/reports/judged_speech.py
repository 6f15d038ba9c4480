"""Judged runs of speech: one that streamed, one of whole answers."""

from __future__ import annotations

import math
from typing import Any

from genload.analysis.judged import JudgedRun, Verdict
from genload.analysis.judged.speech import Gaps, PerCharacter, Playback, SpeechNumbers, SpeechSummary

from .judged_jobs import criterion, run


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
                op="<",
                threshold=0.5,
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
        stages={},
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
    return run("light", suite="litetts", operation="speech", stages={}, speech=summary)
