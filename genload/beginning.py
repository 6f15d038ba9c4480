"""What a run needs before it begins: made once beforehand, so that a refusal comes before any request; and
what is said of a service that cannot take work yet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from genload.client.proxies import refuse_proxy
from genload.errors import ConfigError
from genload.service import JobClient, ServiceClient, ServiceError, SpeechClient
from genload.settings.phases import Ask, Timeline
from genload.settings.scenario import Load
from genload.settings.secrets import reveal
from genload.settings.service import Service

_NO_ANSWER = {
    "refused": "no one listens at {host}",
    "dns": "{host} is a name without an address",
    "unreachable": "there is no way to {host}",
    "connect_timeout": "{host} takes no connection",
    "timeout": "{host} does not answer",
    "receive_timeout": "{host} does not answer",
    "tls": "{host} and genload do not agree on TLS",
}
"""By the error class of the question."""


def check_beginning(
    client_class: type[ServiceClient],
    service: Service,
    asks: Sequence[Ask] = (),
    *,
    inputs_elsewhere: bool = False,
) -> None:
    """Make what a user needs before its first request, only for the refusals.

    Args:
        asks: of a trace.
        inputs_elsewhere: the users and what they send are on other machines.

    Raises:
        ConfigError: an inspection that there is none of, a secret, header or certificate that the client
            cannot use, a proxy that is named for it, no usable image, a file of texts that cannot be read.
    """
    check_inputs = _inputs_of(client_class)
    client_class(service).close()
    refuse_proxy(reveal(service.host))
    if not inputs_elsewhere:
        check_inputs(service, asks)


def _inputs_of(client_class: type[ServiceClient]) -> Callable[[Service, Sequence[Ask]], None]:
    """What looks at the inputs of such a client; of one whose outputs are inspected, that they can be."""
    # Here, not above: users of the one kind need nothing of the other.
    if issubclass(client_class, JobClient):
        from genload.artifacts.usual import check_inspection
        from genload.drivers import job_driver

        check_inspection(client_class)
        return job_driver.check_inputs
    if issubclass(client_class, SpeechClient):
        from genload.drivers import speech_driver

        return speech_driver.check_inputs
    return lambda service, asks: None


def check_listening(client_class: type[ServiceClient], key: str, load: Load, timeline: Timeline) -> None:
    """See that there is somebody to listen, where a scenario says how it is done.

    Args:
        key: of the suite, that has the load.

    Raises:
        ConfigError: the service does not speak, or nobody waits for what it says.
    """
    asked = {"pace": load.pace, "leave": load.leave, "shape": timeline.walkouts_s}
    for what, value in asked.items():
        if value and not issubclass(client_class, SpeechClient):
            raise ConfigError(
                "nobody listens to the outputs of this service",
                key=f"{key}.{what}",
                remedy="pace, leave and walkout are for services that speak; a pause of users is `think`",
            )
    if load.pace is not None and timeline.arrivals is not None:
        raise ConfigError(
            "in an open schedule the requests start when they are due: nobody listens in between",
            key=f"{key}.pace",
            remedy="leave it out, or use a shape of users, such as normal",
        )


def why_not_ready(host: str, error: ServiceError) -> str:
    """One line on a service that was asked whether it is ready, and where it was asked."""
    if words := _NO_ANSWER.get(error.error_class):
        return f"{words.format(host=host)} ({error.message})"
    kind = "" if error.error_class == "not_ready" else f"{error.error_class}: "
    return f"{host} is not ready: {kind}{error.message}"


def not_ready_remedy(error: ServiceError, key: str = "", option: str = "--host") -> str:
    """What to do about it.

    Args:
        key: of the suite, that says how readiness is asked for; empty where the service file does.
        option: by which the address was given.
    """
    if error.error_class == "bad_answer" or error.status == 404:
        if key:
            return f"correct {option}, or {key}: {{path: …}}, which is answered with 200 when it takes work"
        return f"correct {option}, or the suite's service.api: something else answers there"
    if error.error_class == "not_ready":
        return "wait until it has loaded its models"
    if error.status in (401, 403):
        return "send what it asks for: service.headers.Authorization: ${env:NAME}"
    return f"start the service, or correct {option}"
