"""Judged runs for every test of a report: one of each kind that a report must tell apart."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from genload.analysis.judged import JudgedRun, JudgedSuite

from .judged_hostile import HOSTILE, hostile
from .judged_jobs import (
    failed,
    inconclusive,
    interrupted,
    invalid,
    no_criteria,
    observed,
    passed,
    run,
    scaled,
)
from .judged_speech import spoken, whole_answers

KINDS: dict[str, Callable[[], JudgedRun]] = {
    maker.__name__: maker
    for maker in (
        passed,
        failed,
        inconclusive,
        invalid,
        interrupted,
        no_criteria,
        observed,
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
    """The kinds of run by name: passed, failed, inconclusive, invalid, interrupted, no_criteria,
    observed, scaled, spoken, whole_answers, hostile."""
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
