"""What is being tested, asked once before the load; what the monitors know of it stands in their samples."""

from __future__ import annotations

import os
from collections.abc import Mapping
from time import monotonic
from typing import Any

from genload.client.answer import Answer
from genload.client.service_calls import ServiceCalls
from genload.errors import ConfigError
from genload.harness.plan import RunPlan
from genload.plain import plain
from genload.service import ServiceError
from genload.settings.secrets import hide
from genload.settings.service import UNKNOWN_FACT, IdentitySource

LIMIT_S = 10.0  # for each endpoint: a service that is ready and silent must not keep the load waiting
LONGEST = 200


class UnknownError(Exception):
    """A fact that could not be read, in words."""


def read_identity(plan: RunPlan) -> tuple[dict[str, str], list[str]]:
    """The facts by their names in the suite, and in words why there is no other; never raises for these.

    A variable that is not set is a fact that is unknown: a suite may name more of them than a user has.
    """
    sources = {name: source for name, source in plan.service.identity.items() if source.monitor is None}
    facts: dict[str, str] = {}
    missing: list[str] = []
    if not sources:
        return facts, missing
    read = _Reader(plan)
    try:
        for name, source in sources.items():
            if source.env is not None and not os.environ.get(source.env):
                facts[name] = f"{UNKNOWN_FACT} (${source.env})"
                continue
            try:
                facts[name] = _text(read.fact(source))
            except (UnknownError, ServiceError, ConfigError, ValueError) as error:
                missing.append(f"what was tested: no {name}: {plain(hide(str(error)), LONGEST)}")
    finally:
        read.close()
    return facts, missing


def at_path(document: Any, path: str) -> Any:
    """What stands at ``data.0.id``.

    Raises:
        UnknownError: nothing does; with how far the path led.
    """
    here, walked = document, list[str]()
    for step in path.split("."):
        found: Any = None
        if isinstance(here, Mapping):
            found = here.get(step)
        elif isinstance(here, list) and step.isdecimal() and int(step) < len(here):
            found = here[int(step)]
        if found is None:
            raise UnknownError(f"there is no '{step}' in {'.'.join(walked) or 'the answer'}")
        walked.append(step)
        here = found
    return here


class _Reader:
    """Asks each endpoint once, on a connection that is closed afterwards."""

    def __init__(self, plan: RunPlan) -> None:
        self._client = plan.client_class(plan.service)
        self._calls = ServiceCalls(self._client)
        self._answers: dict[str, Answer] = {}

    def fact(self, source: IdentitySource) -> Any:
        if source.env is not None:
            return os.environ[source.env]
        answer = self._answer(source.endpoint or "/")
        if source.header is not None:
            if source.header not in answer.headers:
                raise UnknownError(f"the answer of {source.endpoint or '/'} has no header {source.header}")
            return answer.headers[source.header]
        if answer.status != 200:
            raise UnknownError(f"{source.endpoint} answered with status {answer.status}")
        return at_path(_json(answer, source.endpoint or ""), source.field or "")

    def close(self) -> None:
        self._calls.http.close()
        self._client.close()

    def _answer(self, endpoint: str) -> Answer:
        if endpoint not in self._answers:
            self._client.deadline_s = monotonic() + LIMIT_S
            self._answers[endpoint] = self._calls.get(endpoint)
        return self._answers[endpoint]


def _json(answer: Answer, endpoint: str) -> Any:
    try:
        return answer.json()
    except ValueError as error:
        raise UnknownError(f"{endpoint} answered with no JSON") from error


def _text(value: Any) -> str:
    if isinstance(value, Mapping | list):
        raise UnknownError("it is no text and no number, but something with parts: name one of them")
    text = plain(hide(str(value).lower() if isinstance(value, bool) else str(value)), LONGEST)
    if not text:
        raise UnknownError("it is empty")
    return text
