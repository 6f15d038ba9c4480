"""YAML text to a tree that knows where each of its parts was written.

The YAML of a suite is YAML 1.2's core: only ``true`` and ``false`` are booleans, ``1:30`` is text, tags are
refused. Size, depth and the number of nodes after aliases are bounded, so that no file can exhaust memory.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from genload.errors import ConfigError
from genload.human import human

MAX_BYTES = 1 << 20
MAX_DEPTH = 40
MAX_NODES = 50_000


class Removed:
    """A value written ``null``: takes out what an extended suite has under the key."""


REMOVED = Removed()


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was written; `line` counts from 1, None for an override on the command line."""

    file: str
    line: int | None = None

    def error(self, message: str, *, remedy: str, key: str = "") -> ConfigError:
        return ConfigError(message, remedy=remedy, file=self.file, line=self.line, key=key)


@dataclass(frozen=True, slots=True)
class Tree:
    """One value: a dict of trees by key, a list of trees, or a scalar (str, int, float, bool, None, REMOVED).

    `place` is that of its key in a mapping, else its own.
    """

    value: Any
    place: Place

    def data(self) -> Any:
        """The plain value, without what was removed."""
        if isinstance(self.value, dict):
            return {k: t.data() for k, t in self.value.items() if not isinstance(t.value, Removed)}
        if isinstance(self.value, list):
            return [tree.data() for tree in self.value]
        return None if isinstance(self.value, Removed) else self.value

    def nearest(self, path: Sequence[str | int]) -> Place:
        """The place of `path`, or of as much of it as there is."""
        tree = self
        for part in path:
            below = tree.child(part)
            if below is None:
                break
            tree = below
        return tree.place

    def child(self, part: str | int) -> Tree | None:
        """What stands under a key or at an index; None when there is nothing."""
        if isinstance(self.value, dict):
            return self.value.get(part)
        if isinstance(self.value, list) and isinstance(part, int) and part < len(self.value):
            item: Tree = self.value[part]
            return item
        return None


class _Loader(yaml.SafeLoader):
    """PyYAML's own loader, every scalar left as text: it would read `no` as false and 1:30 as 90."""


_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.inf|\.nan", re.IGNORECASE
)
_CORE = "tag:yaml.org,2002:"
_Loader.yaml_implicit_resolvers = {}
_Loader.add_implicit_resolver(f"{_CORE}merge", re.compile(r"<<"), ["<"])


def read_tree(text: str | bytes, name: str) -> Tree:
    """Read one YAML document.

    Args:
        name: what errors call the file.

    Raises:
        ConfigError: not UTF-8, not YAML, too large or too deep, a key twice, a key that is no text, a tag.
    """
    place = Place(name)
    if len(text) > MAX_BYTES:
        raise place.error(
            f"the file is larger than {human(MAX_BYTES, 'bytes')}",
            remedy="a suite is a page of YAML: is it the right file?",
        )
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8-sig")
        _check_depth(text, place)
        node = yaml.compose(text, _Loader)  # a safe loader: see _Loader
    except UnicodeDecodeError as error:
        raise place.error(
            f"the file is not UTF-8 text (byte {error.start})",
            remedy="save it as UTF-8, or name another file",
        ) from error
    except yaml.YAMLError as error:
        raise _syntax_error(error, place) from error
    if node is None:
        return Tree(None, Place(name, 1))
    return _Reader(name).tree(node, None)


def _check_depth(text: str, place: Place) -> None:
    """Bound the nesting before anything recursive sees it."""
    depth = 0
    for event in yaml.parse(text, _Loader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            at = Place(place.file, event.start_mark.line + 1 if event.start_mark else None)
            raise at.error(f"nested more than {MAX_DEPTH} deep", remedy="no part of a suite needs that")


def _syntax_error(error: yaml.YAMLError, place: Place) -> ConfigError:
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    remedy = "check indentation, brackets and quotes there"
    if "mapping values are not allowed" in problem or "expected ',' or" in problem:
        remedy = 'a text that holds ": " or braces must stand in quotes: name: "each(voice): …"'
    elif "cannot start any token" in problem:
        remedy = "indent with spaces, and put a text that begins with a special character in quotes"
    elif "expected a single document" in str(error):
        remedy = "a file holds one suite: take out the '---' in the middle"
    elif "special characters are not allowed" in str(error):
        remedy = "this is no text file: name another one"
    line = mark.line + 1 if mark else None
    return Place(place.file, line).error(f"not valid YAML: {problem}", remedy=remedy)


class _Reader:
    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes = 0
        self._open: set[int] = set()

    def _place(self, node: yaml.Node) -> Place:
        return Place(self._name, node.start_mark.line + 1)

    def tree(self, node: yaml.Node, place: Place | None) -> Tree:
        """`node` with everything under it; an alias is read again wherever it stands, which is counted."""
        place = place or self._place(node)
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise place.error(f"more than {MAX_NODES} values, aliases spelt out", remedy="use fewer aliases")
        if id(node) in self._open:
            raise place.error("an anchor holds an alias to itself", remedy="take the alias out")
        if len(self._open) > MAX_DEPTH:
            raise place.error(f"nested more than {MAX_DEPTH} deep by aliases", remedy="use fewer aliases")
        self._open.add(id(node))
        try:
            return Tree(self._value(node), place)
        finally:
            self._open.discard(id(node))

    def _value(self, node: yaml.Node) -> Any:
        if isinstance(node, yaml.MappingNode):
            self._no_tag(node, f"{_CORE}map")
            return self._mapping(node)
        if isinstance(node, yaml.SequenceNode):
            self._no_tag(node, f"{_CORE}seq")
            # A null in a list has nothing to remove: it is a missing entry, for the model to judge.
            return [self.tree(item, None) for item in node.value]
        self._no_tag(node, f"{_CORE}str")
        return _scalar(node)

    def _no_tag(self, node: yaml.Node, usual: str) -> None:
        if node.tag != usual:
            raise self._place(node).error(
                f"the tag '{node.tag}' is not allowed here", remedy="write plain values; in quotes for text"
            )

    def _mapping(self, node: yaml.MappingNode) -> dict[str, Tree]:
        found: dict[str, Tree] = {}
        merged: dict[str, Tree] = {}
        for key_node, value_node in node.value:
            if key_node.tag == f"{_CORE}merge":
                merged = self._merged(value_node) | merged
                continue
            key = self._key(key_node)
            place = self._place(key_node)
            if key in found:
                before = found[key].place.line
                raise place.error(
                    f"the key stands here twice, first on line {before}", key=key, remedy="keep one of them"
                )
            found[key] = self.tree(value_node, place)
        # What a mapping says itself comes first, wherever its `<<` stands.
        return found | {key: tree for key, tree in merged.items() if key not in found}

    def _merged(self, node: yaml.Node) -> dict[str, Tree]:
        """What ``<<: *base`` or ``<<: [*one, *two]`` brings in; the first of a list wins."""
        trees = self.tree(node, None)
        parts = trees.value if isinstance(trees.value, list) else [trees]
        merged: dict[str, Tree] = {}
        for part in parts:
            if not isinstance(part.value, dict):
                raise trees.place.error("'<<' takes a mapping", remedy="write <<: *anchor-of-a-mapping")
            merged = part.value | merged
        return merged

    def _key(self, node: yaml.Node) -> str:
        key = _scalar(node) if isinstance(node, yaml.ScalarNode) else node.value
        if type(key) is int:  # an HTTP status, as everybody writes it
            return str(node.value)
        if not isinstance(key, str):
            text = node.value if isinstance(node, yaml.ScalarNode) else "a collection"
            raise self._place(node).error(f"the key {text} is no text", remedy="put it in quotes")
        return key


def _scalar(node: yaml.Node) -> Any:
    plain = isinstance(node, yaml.ScalarNode) and node.style is None
    return plain_scalar(node.value) if plain else node.value


def plain_scalar(text: str) -> Any:
    """What a scalar without quotes means: number, boolean, REMOVED for null, None for nothing, else text."""
    if text == "":
        return None
    if text in ("null", "Null", "NULL", "~"):
        return REMOVED
    if text in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return text.lower() == "true"
    if _INT.fullmatch(text):
        # An int of any length would take quadratic time; no setting needs more than 64 bits.
        return int(text) if len(text) < 20 else float(text)
    if _FLOAT.fullmatch(text):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text
