"""What a user's own check adds to the inspection of an output."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from genload.artifacts.own.facts import OwnError
from genload.code_errors import CLIENT_ERROR, OwnCheckError
from genload.service import Artifact, ServiceError
from genload.spool import Content


def own_numbers(
    ask: Callable[[str, Content, str], Mapping[str, float]],
    check: str,
    artifact: Artifact,
    factors: Mapping[str, float],
) -> dict[str, float]:
    """The numbers that the check returns, in base units.

    Args:
        ask: calls it, as `Inspector.own` does.
        factors: of the numbers that it may return, what 1 of each is in base units.

    Raises:
        ServiceError: the check refuses the output, or did not end.
        OwnCheckError: a mistake in the check itself.
    """
    try:
        found = ask(check, artifact.content, artifact.name)
    except OwnError as error:
        if error.error_class == CLIENT_ERROR:
            place, _, words = error.message.partition(": ")
            raise OwnCheckError(place, words) from None
        raise ServiceError(error.error_class, f"{artifact.name}: {error.message}") from error
    if unknown := found.keys() - factors.keys():
        raise OwnCheckError(check, f"it returned '{min(unknown)}', which output.numbers does not name")
    return {name: value * factors[name] for name, value in found.items()}
