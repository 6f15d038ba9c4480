"""A description made ready to be carried out, once for all users of a process."""

from __future__ import annotations

from functools import lru_cache

from genload.described.call import PreparedCall
from genload.described.capture import Captures
from genload.described.description import Description
from genload.described.result import name_in
from genload.described.template import Template
from genload.described.values import Values

KEY = "service.request"


class Plan:
    """The requests of a description, and the description itself.

    Raises:
        ConfigError: a file that it names and that cannot be used.
    """

    def __init__(self, description: Description) -> None:
        told = self.description = description
        self.before: dict[str, tuple[PreparedCall, Captures]] = {
            name: (PreparedCall(step, f"{KEY}.before.{name}"), step.capture)
            for name, step in told.before.items()
        }
        self.order = PreparedCall(told, KEY)
        self.poll = PreparedCall(told.poll, f"{KEY}.poll") if told.poll else None
        self.result = PreparedCall(told.result, f"{KEY}.result") if told.result.path else None
        self.name = Template(told.result.name)
        self.cancel = PreparedCall(told.cancel, f"{KEY}.cancel") if told.cancel else None
        self.ready = PreparedCall(told.ready, f"{KEY}.ready")
        self.in_flight = PreparedCall(told.in_flight, f"{KEY}.in_flight") if told.in_flight else None

    def name_of_result(self, values: Values) -> str:
        """What the output is called: as is said, or by the path of the call that brings it."""
        if name := self.name.text(values):
            return name
        return name_in(self.result.filled(values).path) if self.result is not None else ""


@lru_cache(maxsize=16)
def plan_of(description: str) -> Plan:
    """The plan of a description, from its JSON: what thousands of users carry out is one object."""
    return Plan(Description.model_validate_json(description))
