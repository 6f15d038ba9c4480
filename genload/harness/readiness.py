"""Whether the service can take work: asked before the load, and again while everything fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import gevent
from gevent.event import Event

from genload.beginning import not_ready_remedy, why_not_ready
from genload.errors import ServiceUnavailableError, UsageError
from genload.harness.plan import RunPlan
from genload.human import human
from genload.service import ServiceError

READY_PROBE_S = 1.0
ASKED_FOR_S = 0.5  # the longest that a service has for its answer before a run begins
NOBODY_THERE = ("dns", "refused", "unreachable")  # error classes of an address where nothing listens
SILENCE_S = 1.0  # whoever waits for an answer hears of it after so long


def wait_until_ready(
    plan: RunPlan, cut: Event, clock: Callable[[], float], tell: Callable[[str], None]
) -> None:
    """Return when the service is ready for a load of the plan's time scale.

    Args:
        cut: set when nobody wants the load any more; the next refusal is then the last.
        clock: monotonic seconds.
        tell: told why it is not ready, from the first answer on and whenever that changes.

    Raises:
        ServiceUnavailableError: not within `service.ready_timeout`.
        UsageError: it models time at another scale than the load.
    """
    service = plan.service
    client = plan.client_class(service)
    deadline_s = clock() + service.ready_timeout_s
    told = ""
    try:
        while True:
            try:
                with _silence_told(lambda: tell(f"{service.host} has not answered yet")):
                    client.ready()
                    declared = client.time_scale()
                break
            except ServiceError as error:
                why = why_not_ready(service.host, error)
                if clock() >= deadline_s or cut.is_set():
                    raise ServiceUnavailableError(
                        f"{why}; it was not ready within {human(service.ready_timeout_s, 's')}",
                        remedy=f"{not_ready_remedy(error)}; to wait longer: service.ready_timeout",
                    ) from error
            if why != told:
                tell(why)
                told = why
            cut.wait(READY_PROBE_S)
        _check_time_scale(plan, declared)
    finally:
        client.close()


@contextmanager
def _silence_told(tell: Callable[[], None]) -> Iterator[None]:
    """Tell when the block takes long: a host that drops what it is sent gives no reason for many seconds."""

    def wait() -> None:
        gevent.sleep(SILENCE_S)
        tell()

    waiting = gevent.spawn(wait)
    try:
        yield
    finally:
        waiting.kill()


def _check_time_scale(plan: RunPlan, declared: float | None) -> None:
    """Scaled load against a real engine, or the reverse, would be judged by thresholds of another time."""
    host, asked = plan.service.host, plan.time_scale
    if plan.rehearsal or (declared or 1.0) == asked:
        return
    if declared is None:
        raise UsageError(
            f"--time-scale {asked:g} needs a service whose time is modelled, and {host} is a real one",
            remedy="leave --time-scale out, or add --rehearsal to try the suite out on purpose",
        )
    raise UsageError(
        f"{host} models time at scale {declared:g}, the run at {asked:g}",
        remedy=f"use --time-scale {declared:g}",
    )


def told_at_once(plan: RunPlan) -> str:
    """Why the service cannot take work, asked once before Locust makes its users; empty: it can."""
    error = _asked_once(plan)
    if error is None:
        return ""
    limit = human(plan.service.ready_timeout_s, "s")
    why = why_not_ready(plan.service.host, error)
    return f"{why}; waiting for it, {limit} at most (service.ready_timeout)"


def check_anyone_there(plan: RunPlan) -> None:
    """Ask once whether anything listens at the service's address.

    Raises:
        ServiceUnavailableError: nothing does. A service that is there and not ready, or answers late, is
            none of these: a run waits for it.
    """
    error = _asked_once(plan)
    if error is not None and error.error_class in NOBODY_THERE:
        raise ServiceUnavailableError(
            why_not_ready(plan.service.host, error), remedy="start the service, or correct the host"
        )


def _asked_once(plan: RunPlan) -> ServiceError | None:
    """Why the service is not ready. None: it is, or its client's own code failed, which a run blames."""
    client = plan.client_class(plan.service)
    client.deadline_s = time.monotonic() + ASKED_FOR_S
    try:
        client.ready()
    except ServiceError as error:
        return error
    except Exception:  # noqa: BLE001  whatever a user's code raises
        return None
    finally:
        client.close()
    return None


def is_ready(plan: RunPlan) -> bool:
    """One question, one answer."""
    client = plan.client_class(plan.service)
    try:
        client.ready()
    except ServiceError:
        return False
    finally:
        client.close()
    return True
