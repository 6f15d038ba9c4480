"""What a run needs before it begins: made once beforehand, so that a refusal comes before any request."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from genload import job, speech
from genload.service import JobClient, ServiceClient, SpeechClient
from genload.settings.service import Service

_INPUTS: Mapping[type, Callable[[Service], None]] = {
    JobClient: job.check_inputs,
    SpeechClient: speech.check_inputs,
}


def check_beginning(
    client_class: type[ServiceClient], service: Service, *, inputs_elsewhere: bool = False
) -> None:
    """Make what a user needs before its first request, only for the refusals.

    Args:
        inputs_elsewhere: the users and what they send are on other machines.

    Raises:
        ConfigError: a secret, header or certificate that the client cannot use, no usable image, a file of
            texts that cannot be read.
    """
    client_class(service).close()
    for kind, check_inputs in _INPUTS.items():
        if issubclass(client_class, kind) and not inputs_elsewhere:
            check_inputs(service)
