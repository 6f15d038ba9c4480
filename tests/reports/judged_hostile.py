"""A judged run with everything in its texts that would harm a terminal, a page or a table."""

from __future__ import annotations

from genload.analysis.judged import ErrorGroup, JudgedRun, Reason, Verdict

from .judged_jobs import criterion, run
from .judged_speech import heard, speech

HOSTILE = (
    "\x1b[31mred\x1b[0m\x1b]0;owned\x07 <script>alert(1)</script> | `tick` ``two`` @admin #1 "
    "![x](http://127.0.0.1/p.png) [link](javascript:1) ]]> &amp; \x00\x08\u202egpj.exe "
    "[bold]rich[/bold] [/] line\r\nbreak"
)


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
