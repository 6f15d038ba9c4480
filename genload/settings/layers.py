"""The layers of a suite: what it extends, the file itself, and ``--set`` on the command line."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from genload.errors import ConfigError, UsageError
from genload.settings.suggestion import suggest
from genload.settings.wing_models import RENAMED_SERVICES
from genload.settings.yaml_tree import Place, Tree, plain_scalar, read_tree

# Keys that say what the rest of their mapping means: another shape has other parameters.
_DISCRIMINATORS = ("kind", "api")

KnownKeys = Callable[[Any, list[str]], Collection[str] | None]
"""Of plain data and a path: the keys there may be at that path, or None where any key may be."""


def merge(base: Tree, over: Tree) -> Tree:
    """A suite's `over` laid on its `base`: mappings key by key, everything else replaced.

    A mapping that gives another `kind` or `api` than the base's replaces it altogether; a monitor without a
    kind has its own name as one.
    """
    return _laid_on(_with_kinds(base), over)


def _with_kinds(suite: Tree) -> Tree:
    monitors = suite.child("monitors")
    if monitors is None or not isinstance(monitors.value, dict):
        return suite
    named = {
        name: Tree({"kind": Tree(name, monitor.place)} | monitor.value, monitor.place)
        if isinstance(monitor.value, dict)
        else monitor
        for name, monitor in monitors.value.items()
    }
    return Tree(suite.value | {"monitors": Tree(named, monitors.place)}, suite.place)


def _laid_on(base: Tree, over: Tree) -> Tree:
    if not isinstance(base.value, dict) or not isinstance(over.value, dict):
        return over
    if any(_differ(base, over, key) for key in _DISCRIMINATORS):
        return over
    merged = dict(base.value)
    for key, tree in over.value.items():
        merged[key] = _laid_on(merged[key], tree) if key in merged else tree
    return Tree(merged, over.place)


def _differ(base: Tree, over: Tree, key: str) -> bool:
    ours, theirs = over.child(key), base.child(key)
    return ours is not None and theirs is not None and _renamed(ours) != _renamed(theirs)


def _renamed(name: Tree) -> Any:
    return RENAMED_SERVICES.get(name.value, name.value) if isinstance(name.value, str) else name.value


def override(tree: Tree, assignment: str, known_keys: KnownKeys, option: str = "--set") -> Tree:
    """`tree` with one ``a.b=value`` laid on it.

    The value is YAML's: a scalar as it stands; a collection or a quoted text when it begins with [ { " or '.

    Args:
        option: of the command line, where it was written.

    Raises:
        UsageError: no ``a.b=value``.
        ConfigError: a key that does not exist, with those that do.
    """
    path_text, equals, text = assignment.partition("=")
    path = path_text.strip().split(".")
    if not equals or not all(path):
        raise UsageError(
            f"--set {assignment}: not of the form key.path=value",
            remedy="write --set service.timeout=120s",
        )
    place = Place(option)
    _check_path(tree, path, place, known_keys)
    layer = Tree(_value(text.strip(), f"{option} {path_text.strip()}"), place)
    for key in reversed(path):
        layer = Tree({key: layer}, place)
    return merge(tree, layer)


def _value(text: str, name: str) -> Any:
    return read_tree(text, name).value if text[:1] in ("[", "{", '"', "'") else plain_scalar(text)


def _check_path(tree: Tree, path: list[str], place: Place, known_keys: KnownKeys) -> None:
    """Each step exists already, or may exist; a new entry of a free mapping only as the last step."""
    data = tree.data()
    at: Tree | None = tree
    for index, key in enumerate(path):
        known = known_keys(data, path[:index])
        there = at.value if at is not None and isinstance(at.value, dict) else {}
        is_last = index == len(path) - 1
        if known is not None and key not in known:
            raise _unknown(key, known, place, path)
        if known is None and key not in there and not is_last:
            raise _unknown(key, there, place, path)
        at = there.get(key)


def _unknown(key: str, known: Collection[str], place: Place, path: list[str]) -> ConfigError:
    return place.error(f"unknown key '{key}'", remedy=suggest(key, known), key=".".join(path))
