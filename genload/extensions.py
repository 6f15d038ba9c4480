"""Finding the wings' files by name: a user's own folder first, then the built-in one.

Files are loaded by path under a module name of ours, so that nothing of theirs can shadow a module or
be shadowed by one (Locust puts the working directory first on the import path).
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from genload.errors import ConfigError
from genload.settings.metrics.machines import MACHINE_METRICS
from genload.settings.metrics.metric import Metric
from genload.settings.metrics.outputs import OUTPUT_METRICS
from genload.settings.metrics.requests import request_metrics
from genload.settings.phases import Timeline
from genload.settings.service import Service
from genload.settings.suggestion import suggest
from genload.settings.wing_models import RENAMED_SERVICES, MonitorSettings, RequestSettings, ShapeSettings


def builtin_folder(wing: str) -> Path:
    """Where genload's own files of a wing are: beside the package in a checkout, inside it in a wheel."""
    package = Path(__file__).parent
    inside = package / "wings" / wing
    return inside if inside.is_dir() else package.parent / wing


def folders(wing: str) -> tuple[Path, ...]:
    """The folders searched for a wing's files, first wins: the working directory's, then the built-in."""
    own, builtin = Path.cwd() / wing, builtin_folder(wing)
    return (own, builtin) if own.is_dir() and own.resolve() != builtin.resolve() else (builtin,)


def suite_folders() -> tuple[Path, ...]:
    """The folders searched for a suite's name, first wins."""
    return tuple(folder / "suites" for folder in folders("config"))


def names(wing: str, suffix: str = ".py") -> dict[str, Path]:
    """Every file of a wing by name."""
    found: dict[str, Path] = {}
    for folder in reversed(folders(wing)):
        for path in sorted(folder.glob(f"*{suffix}")):
            if not path.name.startswith("_"):
                found[path.stem] = path
    return found


def find(wing: str, name: str) -> Path:
    """The file of one name.

    Raises:
        ConfigError: there is none; the remedy lists the names there are.
    """
    renamed = RENAMED_SERVICES.get(name, name) if wing == "services" else name
    for known_as in dict.fromkeys((name, renamed)):
        for folder in folders(wing):
            path = folder / f"{known_as}.py"
            if path.is_file() and path.parent == folder:
                return path
    raise ConfigError(
        f"no '{name}' in {wing}/",
        remedy=f"{suggest(name, names(wing))}; or add {wing}/{name}.py to your project",
    )


def locustfile(name: str) -> Path:
    """The file that a suite's `locustfile` names: its name in locustfiles/, or its path.

    Raises:
        ConfigError: there is none of that name.
    """
    return Path(name) if name.endswith(".py") else find("locustfiles", name)


def load(wing: str, name: str) -> ModuleType:
    """The module of one wing file, executed once per process.

    Raises:
        ConfigError: no such file, or it cannot be imported.
    """
    return _load_path(wing, find(wing, name).resolve())


@cache
def _load_path(wing: str, path: Path) -> ModuleType:
    module_name = f"genload_wing_{wing}_{path.stem}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec is not None and spec.loader is not None  # noqa: S101  a .py path always has both
    module = importlib.util.module_from_spec(spec)
    # Registered before it runs, as an import would do: dataclasses and pydantic look themselves up there.
    sys.modules[module_name] = module
    try:
        with _locust_unpatched():
            spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[module_name]
        text = f"cannot be imported: {type(error).__name__}: {error}"
        raise ConfigError(
            text, file=str(path), remedy="mend the file, or take it out of the project"
        ) from error
    return module


@contextmanager
def _locust_unpatched() -> Iterator[None]:
    """Keep a shape file's `import locust` from patching a process that is not Locust's own."""
    if "locust" in sys.modules or "LOCUST_SKIP_MONKEY_PATCH" in os.environ:
        yield
        return
    os.environ["LOCUST_SKIP_MONKEY_PATCH"] = "1"
    try:
        yield
    finally:
        del os.environ["LOCUST_SKIP_MONKEY_PATCH"]


def attribute(wing: str, name: str, wanted: str) -> Any:
    """What a wing file must define.

    Raises:
        ConfigError: it does not.
    """
    module = load(wing, name)
    if not hasattr(module, wanted):
        raise ConfigError(
            f"defines no '{wanted}'", file=str(module.__file__), remedy=f"see the built-in files of {wing}/"
        )
    return getattr(module, wanted)


def shape_class(kind: str) -> Any:
    """The one shape that a shapes/ file defines: a subclass of `genload.shape.PhasedShape`.

    Raises:
        ConfigError: none, or more than one.
    """
    module = load("shapes", kind)
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and value.__module__ == module.__name__ and hasattr(value, "timeline")
    ]
    if len(found) != 1:
        raise ConfigError(
            f"defines {len(found)} shapes",
            file=str(module.__file__),
            remedy="define exactly one subclass of PhasedShape",
        )
    return found[0]


def _declared(
    wing: str,
    name: str,
    metrics: Iterable[Metric],
    engine: Iterable[Metric],
    inherited: Collection[Metric] = (),
    begins: str = "",
) -> tuple[Metric, ...]:
    """A wing file's metrics, its own marked as such.

    Args:
        engine: metrics that it must not declare again; `inherited`: those of its base class.
        begins: what their names begin with.

    Raises:
        ConfigError: a name that means something else already, or is another operation's.
    """
    known = {metric.name for metric in engine}
    found = []
    for metric in metrics:
        if metric.name in known or not metric.name.startswith(begins) or "." not in metric.name:
            taken = metric.name in known
            raise ConfigError(
                f"declares the metric '{metric.name}'" + (", which genload has already" if taken else ""),
                file=str(load(wing, name).__file__),
                remedy="give it a name of its own" if taken else f"name it {begins or 'MACHINE.'}NAME",
            )
        known.add(metric.name)
        own = metric not in inherited
        found.append(replace(metric, declared_by=f"{wing}/{name}.py") if own else metric)
    return tuple(found)


class Wings:
    """What wing files declare, for the suite's validation."""

    def shape(self, kind: str) -> type[ShapeSettings]:
        model: type[ShapeSettings] = shape_class(kind).Settings
        return model

    def request(self, api: str) -> type[RequestSettings]:
        model: type[RequestSettings] = attribute("services", api, "Client").Request
        return model

    def monitor(self, kind: str) -> type[MonitorSettings]:
        model: type[MonitorSettings] = attribute("monitors", kind, "Monitor").Settings
        return model

    def timeline(self, shape: ShapeSettings) -> Timeline:
        timeline: Timeline = shape_class(shape.kind).timeline(shape)
        return timeline

    def request_metrics(self, api: str, request: RequestSettings | None = None) -> tuple[Metric, ...]:
        client = attribute("services", api, "Client")
        asked = request or RequestSettings()
        every = request_metrics(client.operation, client.stages_of(asked))
        inherited = {metric for base in client.__mro__[1:] for metric in vars(base).get("metrics", ())}
        inherited.update(*OUTPUT_METRICS.values())
        own = client.measures(asked)
        return every + _declared("services", api, own, every, inherited, f"{client.operation}.")

    def monitor_metrics(self, kind: str) -> tuple[Metric, ...]:
        return _declared("monitors", kind, attribute("monitors", kind, "Monitor").declares, MACHINE_METRICS)

    def labels(self, service: Service) -> Mapping[str, tuple[str, ...]]:
        labels: Mapping[str, tuple[str, ...]] = attribute("services", service.api, "Client").labels(
            service.request
        )
        return labels

    def one_user_alone(self, service: Service) -> str:
        return str(attribute("services", service.api, "Client").one_user_alone(service.request))

    def require(self, wing: str, name: str) -> None:
        if not name.endswith(".py"):
            find(wing, name)
        elif not Path(name).is_file():
            raise ConfigError(f"there is no file {name}", remedy=f"give a path, or a name of {wing}/")
