"""Both services are asked before the first round, not only when the turn of the second has come."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from genload.beginning import not_ready_remedy, why_not_ready
from genload.commands.run.suite_run import ASKED_FOR_S, client_of
from genload.errors import ServiceUnavailableError
from genload.human import human
from genload.service import ServiceError
from genload.settings.service import Service

_AGAIN_S = 1.0


def wait_for(
    name: str,
    service: Service,
    *,
    pause: Callable[[float], bool],
    say: Callable[[str], None],
    clock: Callable[[], float] = monotonic,
) -> bool:
    """Return when the service is ready; whether that ended without a signal.

    Args:
        name: of the side, for what is said.
        pause: sleeps for some seconds; True when it was interrupted.

    Raises:
        ServiceUnavailableError: not within `service.ready_timeout`.
    """
    deadline_s, told = clock() + service.ready_timeout_s, ""
    with client_of(service) as client:
        while True:
            client.deadline_s = monotonic() + ASKED_FOR_S
            try:
                client.ready()
            except ServiceError as error:
                why, limit = why_not_ready(service.host, error), human(service.ready_timeout_s, "s")
                if clock() >= deadline_s:
                    remedy = not_ready_remedy(error, option=f"--{name}")
                    raise ServiceUnavailableError(
                        f"the {name} side: {why}; it was not ready within {limit}",
                        remedy=f"{remedy}; to wait longer: service.ready_timeout",
                    ) from error
                if why != told:
                    say(f"the {name} side: {why}; waiting for it, {limit} at most (service.ready_timeout)")
                    told = why
                if pause(_AGAIN_S):
                    return False
            else:
                return True
