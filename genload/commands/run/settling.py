"""The pause between two scenarios, so that one does not begin in the other's wake."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from genload.human import human
from genload.settings.suite import Settle

_LONGEST_STEP_S = 1.0


def settle(
    settings: Settle,
    in_flight: Callable[[], int | None],
    *,
    pause: Callable[[float], bool],
    say: Callable[[str], None],
    clock: Callable[[], float] = monotonic,
) -> None:
    """Pause, then wait until the service says that it works on nothing.

    Args:
        in_flight: how many jobs the service says it is working on; None when it does not say.
        pause: sleeps for some seconds; True when it was interrupted, which ends the settling.
        say: told what is being waited for.
    """
    say(f"settling: a pause of {human(settings.pause_s, 's')}, then until the service is idle")
    if pause(settings.pause_s):
        return
    deadline_s = clock() + settings.idle_limit_s
    while jobs := in_flight():
        if clock() >= deadline_s:
            limit = human(settings.idle_limit_s, "s")
            say(f"settling: {jobs} jobs still in flight after {limit}; going on (settle.idle_limit)")
            return
        say(f"settling: {jobs} jobs in flight at the service")
        if pause(min(_LONGEST_STEP_S, max(settings.pause_s / 10, 0.05))):
            return
