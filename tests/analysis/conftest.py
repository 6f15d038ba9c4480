"""Fixtures of the analysis: judging one criterion."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from genload.analysis.judge import judge_log
from genload.analysis.judged import CriterionVerdict
from genload.runlog.records import RequestRecord
from genload.settings.criteria.criterion import Criterion

from .memory_log import MemoryLog, sound_run


@pytest.fixture
def judge_one() -> Callable[..., CriterionVerdict]:
    """Judges one criterion on records, or on a whole log."""

    def judged(what: list[RequestRecord] | MemoryLog, expression: str) -> CriterionVerdict:
        log = what if isinstance(what, MemoryLog) else sound_run(what)
        run = judge_log(log, criteria={"it": Criterion(holds=expression)})
        return run.verdict.criteria[0]

    return judged
