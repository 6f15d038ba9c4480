"""A judged suite as one HTML page that needs nothing beside it: no network, no file, no script to be read.

The template is `page.html`, with `page.css` and `page.js` inside of it. Every text is escaped and made
harmless by the environment, also where the template does not ask for it; the page's own policy lets a browser
run and style by nothing but what is hashed in it (Content Security Policy, level 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from jinja2 import Environment

from genload.analysis.judged import CriterionVerdict, JudgedRun, JudgedSuite
from genload.errors import ExitCode
from genload.reporting import tables
from genload.reporting.change_wording import change_in_short, change_word, change_words
from genload.reporting.findings import findings
from genload.reporting.page.against import Against, against_length
from genload.reporting.page.curve import capacity_curve
from genload.reporting.page.samples import Sample, Samples
from genload.reporting.page.template import environment, part, policy
from genload.reporting.page.timeline import Timeline, timeline
from genload.reporting.page.worst import Margin, worst
from genload.reporting.request_wording import limit, observed
from genload.reporting.wording import (
    explained,
    no_criteria_words,
    pooled_words,
    rehearsal_note,
    suite_word,
    tested_words,
    utc,
    verdict_word,
)

_TONES: dict[int, str] = {ExitCode.PASSED: "pass", ExitCode.FAILED: "fail"}


@dataclass(frozen=True, slots=True)
class Scenario:
    """What the page shows of one run."""

    run: JudgedRun
    anchor: str
    word: str
    tone: str
    open: bool
    worst: CriterionVerdict | None
    timeline: Timeline | None
    against: Against | None
    curve: Against | None
    samples: list[Sample]
    settings: str


def page(suite: JudgedSuite, folder: Path) -> str:
    """The HTML of a suite.

    Args:
        folder: where the page will lie; its links go from there.

    Raises:
        RunDirectoryError: a run's records are gone since it was judged.
    """
    samples = Samples(folder)
    scenarios = [_scenario(suite, number, samples) for number in range(len(suite.runs))]
    style, script = part("page.css"), part("page.js")
    identities = dict.fromkeys(words for run in suite.runs if (words := tested_words(run)))
    return (
        _environment()
        .get_template("page.html")
        .render(
            suite=suite,
            word=suite_word(suite),
            tone=_tone(suite.exit_code),
            scenarios=scenarios,
            notes=list(dict.fromkeys(note for run in suite.runs if (note := rehearsal_note(run)))),
            identity=next(iter(identities)) if len(identities) == 1 else "",
            not_valid=[scenario for scenario in scenarios if not scenario.run.verdict.valid],
            began=utc(suite.runs[0].start_time) if suite.runs else "",
            ended=utc(suite.runs[-1].end_time) if suite.runs else "",
            style=style,
            script=script,
            policy=policy(style, script),
        )
    )


def _scenario(suite: JudgedSuite, number: int, samples: Samples) -> Scenario:
    run = suite.runs[number]
    first_bad = next((n for n, each in enumerate(suite.runs) if _is_bad(each)), 0)
    return Scenario(
        run=run,
        anchor=f"scenario-{number + 1}",
        word=verdict_word(run),
        tone=_tone(run.verdict.exit_code),
        open=number == first_bad,
        worst=worst(run),
        timeline=timeline(run, _beside(suite, run)),
        against=against_length(run),
        curve=capacity_curve(run),
        samples=samples.of(run),
        settings=yaml.safe_dump(run.effective, sort_keys=False, allow_unicode=True),
    )


def _is_bad(run: JudgedRun) -> bool:
    return bool(run.verdict.exit_code) or (run.change is not None and bool(run.change.exit_code))


def _beside(suite: JudgedSuite, run: JudgedRun) -> list[JudgedRun]:
    """The other populations of the same run."""
    if not run.population:
        return []
    return [each for each in suite.runs if each.scenario == run.scenario and each is not run]


def _tone(exit_code: int) -> str:
    return _TONES.get(exit_code, "open")


@cache
def _environment() -> Environment:
    return environment(
        Margin=Margin,
        change_tone=lambda change: _tone(change.exit_code),
        change_in_short=change_in_short,
        change_word=change_word,
        change_words=change_words,
        explained=explained,
        findings=findings,
        limit=limit,
        no_criteria_words=no_criteria_words,
        observed=observed,
        pooled_words=pooled_words,
        tables=tables,
        tested_words=tested_words,
        utc=utc,
    )
