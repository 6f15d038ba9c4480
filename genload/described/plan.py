"""A description made ready to be carried out, once for all users of a process."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from symtable import symtable

from genload.described.call import PreparedCall
from genload.described.capture import Captures
from genload.described.description import Description
from genload.described.heard import PLACES_OF_WORDS
from genload.described.path import paths_in
from genload.described.result import name_in
from genload.described.template import Template
from genload.described.values import Values
from genload.errors import ConfigError

KEY = "service.request"


class Plan:
    """The requests of a description, and the description itself.

    Raises:
        ConfigError: a file that it names and that cannot be used.
    """

    def __init__(self, description: Description) -> None:
        told = self.description = description
        if told.output.check is not None:
            _require_function(told.output.check)
        self.before: dict[str, tuple[PreparedCall, Captures]] = {
            name: (PreparedCall(step, f"{KEY}.before.{name}"), step.capture)
            for name, step in told.before.items()
        }
        self.order = PreparedCall(told, KEY)
        self.poll = PreparedCall(told.poll, f"{KEY}.poll") if told.poll else None
        self.result = PreparedCall(told.result, f"{KEY}.result") if told.result.path else None
        self.paths = tuple(dict.fromkeys([*paths_in(told), *PLACES_OF_WORDS]))
        self.encoded = str(told.result.base64 or "")
        self.name = Template(told.result.name)
        self.cancel = PreparedCall(told.cancel, f"{KEY}.cancel") if told.cancel else None
        self.ready = PreparedCall(told.ready, f"{KEY}.ready")
        self.in_flight = PreparedCall(told.in_flight, f"{KEY}.in_flight") if told.in_flight else None

    def name_of_result(self, values: Values) -> str:
        """What the output is called: as is said, or by the path of the call that brings it."""
        if name := self.name.text(values):
            return name
        return name_in(self.result.filled(values).path) if self.result is not None else ""


def _require_function(check: str) -> None:
    """Without calling the file's code, which runs in the inspector's process alone.

    Raises:
        ConfigError: no such file, or no such name in it.
    """
    path, _, name = check.rpartition(":")
    key, remedy = (
        f"{KEY}.output.check",
        "write path/to/file.py:function; the path is from where genload was started",
    )
    try:
        names = symtable(Path(path).read_text(encoding="utf-8"), path, "exec").get_identifiers()
    except (OSError, SyntaxError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        raise ConfigError(f"{path}: {reason}", key=key, remedy=remedy) from error
    if name not in names:
        raise ConfigError(f"{path} has no function '{name}'", key=key, remedy=remedy)


@lru_cache(maxsize=16)
def plan_of(description: str) -> Plan:
    """The plan of a description, from its JSON: what thousands of users carry out is one object."""
    return Plan(Description.model_validate_json(description))
