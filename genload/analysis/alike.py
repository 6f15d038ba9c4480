"""Whether runs may be put together at all, judged as one or compared: each of them once, and all of one kind.

In what else they may differ is a matter of what is done with them: `poolable`, `comparison/comparable`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from genload.errors import UsageError
from genload.runlog.reader import RunLog

_NO_LOAD = ("criteria", "purpose", "observe")
_WHERE = frozenset({"host", "url", "urls", "port", "pid_file", "replicas"})
"""Settings that say where something is: each of two builds is somewhere else."""


class NotComparableError(UsageError):
    """Runs that cannot be put together, and why."""


def check_alike(logs: Sequence[RunLog]) -> None:
    """What run.json alone can tell, before anything else is read; of at least one run.

    Raises:
        NotComparableError: the same run twice, or runs of different things.
    """
    _check_each_once(logs)
    first = logs[0]
    for what, told in _KINDS.items():
        for log in logs[1:]:
            if told(log) != told(first):
                raise NotComparableError(
                    f"{first.folder} and {log.folder} are not of the same: "
                    f"another {what}: {told(first)} and {told(log)}",
                    remedy=_REMEDIES[what],
                )


def _check_each_once(logs: Sequence[RunLog]) -> None:
    seen: dict[tuple[object, ...], Path] = {}
    for log in logs:
        header = log.header
        # A copied directory is the same run; one that does not say when it began is known by its place alone.
        own = (header.started_at, header.salt, header.seed) if header.started_at else (log.folder.resolve(),)
        if own not in seen:
            seen[own] = log.folder
            continue
        first = seen[own]
        twice = first.resolve() == log.folder.resolve()
        raise NotComparableError(
            f"{log.folder} is named twice" if twice else f"{first} and {log.folder} are the same run",
            remedy="name each run once: counted twice, the same requests would look like more evidence",
        )


def _salted(log: RunLog) -> str:
    """Whether the texts of a run have a word of its own, which no cache can know."""
    suite = log.header.suite
    scenario = (suite.get("scenarios") or {}).get(log.header.scenario) or {}
    request = scenario.get("request") or (suite.get("service") or {}).get("request") or {}
    texts = request.get("texts")
    if not isinstance(texts, dict):
        return "no texts"
    return "texts with a word of each run's own" if texts.get("salt", True) else "the same texts each time"


_KINDS: dict[str, Callable[[RunLog], str]] = {
    "scenario": lambda log: log.header.scenario,
    "operation": lambda log: log.header.operation,
    "time scale": lambda log: f"{log.header.time_scale:g}",
    "kind of run": lambda log: f"{'with' if log.header.rehearsal else 'without'} --rehearsal",
    "salt": _salted,
}
_REMEDIES = {
    "scenario": "take each scenario with its own: name the suite folders, or runs of one scenario",
    "operation": "take runs of services that do the same",
    "time scale": "run all of them at the same --time-scale",
    "kind of run": "what is forced says nothing about a real service's time: run all of them without it",
    "salt": "a cache may answer some of them alone: run all with the same service.request.texts.salt",
}


def settings_of(suite: Mapping[str, Any], scenario: str) -> dict[str, str]:
    """What of a suite shapes the load of one scenario and what is measured of it, by dotted names."""
    service = {key: value for key, value in suite["service"].items() if key not in ("host", "identity")}
    own = {key: value for key, value in suite["scenarios"][scenario].items() if key not in _NO_LOAD}
    kept = {
        "suite": suite["name"],
        "service": service,
        "locustfile": Path(suite["locustfile"]).stem,
        "scenario": own,
        "monitors": suite["monitors"],
        "goodput": suite["goodput"],
    }
    return dict(named(kept))


def named(values: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Each value inside of mappings by its dotted name; none of what says where a monitor looks."""
    if isinstance(values, Mapping):
        for key, inner in values.items():
            if not (name.startswith("monitors.") and key in _WHERE):
                yield from named(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(values, str):
        yield name, values
    elif values is not None:
        yield name, json.dumps(values)
