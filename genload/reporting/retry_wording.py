"""How reports say what genload tried again, and how much of the time that was: a line on each finding."""

from __future__ import annotations

from collections.abc import Iterator

from genload.analysis.judged import MOSTLY, Retries
from genload.human import human

_ADVICE = (
    "where polls are refused, a longer service.poll.interval (adaptive: false) asks less often, and "
    "service.retry (max_retries, default_wait, max_wait) waits for longer"
)


def retry_findings(found: Retries) -> Iterator[tuple[str, str]]:
    """Title and text of each finding."""
    if found.waited_out:
        calls = [f"{each.call} × {each.count} ({human(each.seconds, 's')})" for each in found.waited_out]
        text = "; ".join(calls)
        if any(each.call == "poll" for each in found.waited_out):
            text += f"; {_ADVICE}"
        yield "refusals waited out", text
    if found.lost_polls:
        yield "polls without an answer", f"{found.lost_polls}, asked again"


def own_pauses(found: Retries | None) -> str:
    """What is to be said beside a mean that is mostly genload's own pauses; empty for any other."""
    if found is None or found.share_of_mean is None or found.share_of_mean < MOSTLY:
        return ""
    return f"{human(found.share_of_mean, 'ratio')} of it are genload's own pauses after refusals"
