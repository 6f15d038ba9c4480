"""Whether the service can take work: asked before the load, and again while everything fails."""

from __future__ import annotations

from collections.abc import Callable

from gevent.event import Event

from genload.errors import ServiceUnavailableError, UsageError
from genload.harness.plan import RunPlan
from genload.service import ServiceError

READY_PROBE_S = 1.0


def wait_until_ready(plan: RunPlan, cut: Event, clock: Callable[[], float]) -> None:
    """Return when the service is ready for a load of the plan's time scale.

    Args:
        cut: set when nobody wants the load any more; the next refusal is then the last.
        clock: monotonic seconds.

    Raises:
        ServiceUnavailableError: not within `service.ready_timeout`.
        UsageError: it models time at another scale than the load.
    """
    service = plan.service
    client = plan.client_class(service)
    deadline_s = clock() + service.ready_timeout_s
    try:
        while True:
            try:
                client.ready()
                break
            except ServiceError as error:
                if clock() >= deadline_s or cut.is_set():
                    waited = f"within {service.ready_timeout_s:g} s"
                    raise ServiceUnavailableError(
                        f"{service.host} was not ready {waited}: {error.message}",
                        remedy="start the service, correct --host, or raise service.ready_timeout",
                    ) from error
            cut.wait(READY_PROBE_S)
        _check_time_scale(plan, client.time_scale())
    finally:
        client.close()


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
