"""Suites from YAML files: found by name or path, layered, validated, their criteria checked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from genload.errors import ConfigError, UsageError
from genload.settings.fitting import misfits
from genload.settings.known_keys import known_keys
from genload.settings.layers import merge, override
from genload.settings.problems import collected, problems
from genload.settings.secrets import FORMS, broken_reference
from genload.settings.suggestion import suggest
from genload.settings.suite import Suite
from genload.settings.wing_models import WingModels
from genload.settings.yaml_tree import MAX_BYTES, Place, Tree, read_tree

_SUFFIXES = (".yaml", ".yml")
_NAME = re.compile(r"[^/\\\0]{1,80}")


@dataclass(frozen=True, slots=True)
class LoadedSuite:
    """A suite that can be run.

    Attributes:
        suite: validated, secrets still references, nothing scaled.
        path: its file.
        files: that file and those it extends, nearest first.
        then: every suite that follows it, in order, as the command line may name it.
    """

    suite: Suite
    path: Path
    files: tuple[Path, ...]
    then: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ListedSuite:
    """A suite as its files have it, and what each of its scenarios is for.

    Attributes:
        error: why it cannot be read.
    """

    name: str
    purpose: str = ""
    scenarios: Mapping[str, str] = field(default_factory=dict)
    error: ConfigError | None = None


def split_target(text: str) -> tuple[str, str | None]:
    """``orfeas/spike`` or ``my/suite.yaml/spike`` to suite and scenario; no scenario means all of them.

    Raises:
        UsageError: nothing before or after the slash, or a path to no YAML file.
    """
    for suffix in _SUFFIXES:
        path, found, scenario = text.partition(f"{suffix}/")
        if found and scenario and "/" not in scenario:
            return path + suffix, scenario
        if text.endswith(suffix):
            return text, None
    suite, slash, scenario = text.partition("/")
    if not suite or (slash and not scenario) or "/" in scenario:
        raise UsageError(
            f"'{text}' is no suite",
            remedy="write a name (orfeas), name and scenario (orfeas/spike), or a path (my/suite.yaml/spike)",
        )
    return suite, scenario or None


def load_suite(
    name_or_path: str,
    *,
    folders: Sequence[Path],
    wings: WingModels,
    overrides: Sequence[str] = (),
    host: str | None = None,
) -> LoadedSuite:
    """Read one suite.

    Args:
        name_or_path: a name, looked up in `folders` (first wins), or the path of a ``.yaml`` file.
        overrides: ``key.path=value``, in the order given; the last wins.
        host: the service's, in the place of the suite's own.

    Raises:
        ConfigError: all that is wrong with the files, the overrides or the criteria.
        UsageError: an override that is none.
    """
    path = find_suite(name_or_path, folders)
    tree, files = _layers(path, folders)
    for assignment in overrides:
        tree = override(tree, assignment, partial(known_keys, wings=wings))
    if host is not None:
        tree = override(tree, f"service.host={host}", partial(known_keys, wings=wings), "--host")
    suite = _validated(tree, path, wings)
    if errors := misfits(suite, tree, wings):
        raise collected(errors)
    then: dict[Path, None] = {}
    _follow(tree, (path,), folders, then)
    return LoadedSuite(suite, path, files, tuple(_target(follower, folders) for follower in then))


def find_suite(name_or_path: str, folders: Sequence[Path]) -> Path:
    """The file of a suite.

    Raises:
        ConfigError: there is none; the remedy lists the suites there are.
    """
    if name_or_path.endswith(_SUFFIXES):
        return Path(name_or_path)
    # Only what can be a name is looked for: a slash would leave the folder, too long a one is an OSError.
    if _NAME.fullmatch(name_or_path):
        for path in (folder / f"{name_or_path}{suffix}" for folder in folders for suffix in _SUFFIXES):
            if path.is_file():
                return path
    raise ConfigError(
        f"there is no suite '{name_or_path}'",
        remedy=f"{suggest(name_or_path, suite_names(folders))}; or give the path of a .yaml file",
    )


def suite_names(folders: Sequence[Path]) -> list[str]:
    """Every suite that `find_suite` finds, sorted."""
    return sorted({path.stem for folder in folders for s in _SUFFIXES for path in folder.glob(f"*{s}")})


def scenario_names(folders: Sequence[Path]) -> list[str]:
    """Every ``suite/scenario`` in `folders`, unvalidated; a suite that cannot be read is left out here, and
    its error shown when it is asked for."""
    return [f"{suite.name}/{scenario}" for suite in listed_suites(folders) for scenario in suite.scenarios]


def listed_suites(folders: Sequence[Path]) -> list[ListedSuite]:
    """Every suite in `folders`, by name."""
    return [listed_suite(name, folders) for name in suite_names(folders)]


def listed_suite(name_or_path: str, folders: Sequence[Path]) -> ListedSuite:
    """One suite, unvalidated; of one that cannot be read its error."""
    try:
        tree, _ = _layers(find_suite(name_or_path, folders), folders)
    except ConfigError as error:
        return ListedSuite(name_or_path, error=error)
    suite = tree.data()
    scenarios = suite.get("scenarios")
    named = scenarios if isinstance(scenarios, dict) else {}
    return ListedSuite(name_or_path, _purpose(suite), {name: _purpose(each) for name, each in named.items()})


def _purpose(data: Any) -> str:
    return str(data.get("purpose", "")) if isinstance(data, dict) else ""


def _layers(path: Path, folders: Sequence[Path]) -> tuple[Tree, tuple[Path, ...]]:
    """A suite's tree with everything it extends under it, and all the files."""
    trees: list[Tree] = []
    files: list[Path] = []
    following: Path | None = path
    while following is not None:
        files.append(following)
        tree = _read_file(following)
        trees.append(tree)
        following = _extended(tree, files, folders)
    # What belongs to its own file: a suite that extends another one is not that one.
    own = ("name", "then")
    merged = trees.pop()
    while trees:
        inherited = {key: tree for key, tree in merged.value.items() if key not in own}
        merged = merge(Tree(inherited, merged.place), trees.pop())
    return merged, tuple(files)


def _read_file(path: Path) -> Tree:
    place = Place(str(path))
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or "no such path"
        raise place.error(
            f"the suite cannot be read: {reason}", remedy="check the path, or name a suite of config/suites"
        ) from error
    tree = read_tree(content, str(path))
    if not isinstance(tree.value, dict):
        what = "is empty" if tree.value is None else "is no mapping of keys to values"
        raise tree.place.error(f"the suite {what}", remedy="start from config/suites/orfeas.yaml")
    return tree


def _extended(tree: Tree, files: list[Path], folders: Sequence[Path]) -> Path | None:
    """The file that the last of `files` extends, if any.

    A name skips the file itself, so that a project's own orfeas.yaml may extend the built-in one.
    """
    base = tree.value.pop("extends", None)
    if base is None:
        return None
    error = partial(base.place.error, key="extends")
    if not isinstance(base.value, str) or "\0" in base.value:
        raise error("'extends' takes a suite's name or path", remedy="write extends: orfeas")
    here = files[-1].resolve()
    others = [f for f in (files[-1].parent, *folders) if (f / f"{base.value}.yaml").resolve() != here]
    path = _named(base, "extends", files[-1], others)
    if path.resolve() in {file.resolve() for file in files}:
        chain = " → ".join(file.name for file in (*files, path))
        raise error(f"suites extend each other in a circle: {chain}", remedy="take one 'extends' out")
    return path


def _named(entry: Tree, key: str, by: Path, folders: Sequence[Path]) -> Path:
    """The file of the suite that a key of the file `by` names: a path beside it, or a name in `folders`."""
    name: str = entry.value
    if name.endswith(_SUFFIXES):
        return by.parent / name
    try:
        return find_suite(name, folders)
    except ConfigError as missing:
        raise entry.place.error(missing.message, remedy=missing.remedy, key=key) from missing


def _follow(tree: Tree, chain: tuple[Path, ...], folders: Sequence[Path], found: dict[Path, None]) -> None:
    """Add every suite that follows the last of `chain` to `found`, each with those behind it."""
    then = tree.child("then")
    for entry in then.value if then is not None and isinstance(then.value, list) else ():
        error = partial(entry.place.error, key="then")
        if not isinstance(entry.value, str) or "\0" in entry.value:
            raise error("'then' takes names or paths of suites", remedy="write then: [litetts]")
        # A name as the command line would find it: a project's own suite comes before a built-in one.
        path = _named(entry, "then", chain[-1], (*folders, chain[-1].parent))
        longer = (*chain, path)
        if path.resolve() in {file.resolve() for file in chain}:
            names = " → ".join(file.name for file in longer)
            raise error(f"suites follow each other in a circle: {names}", remedy="take one 'then' out")
        if not path.is_file():
            raise error(f"there is no file {path}", remedy="correct the path, which is from this file")
        if path not in found:
            found[path] = None
            _follow(_read_file(path), longer, folders, found)


def _target(path: Path, folders: Sequence[Path]) -> str:
    """What finds this file again: its name, or its path where that is another suite's."""
    try:
        is_found = find_suite(path.stem, folders).resolve() == path.resolve()
    except ConfigError:
        is_found = False
    return path.stem if is_found else str(path)


def _validated(tree: Tree, path: Path, wings: WingModels) -> Suite:
    errors = list(_reference_errors(tree, []))
    try:
        suite = Suite.model_validate(
            {"name": path.stem} | tree.data(), context={"wings": wings}, by_alias=True, by_name=False
        )
    except ValidationError as error:
        errors += problems(error, tree, wings)
    if errors:
        raise collected(errors)
    return suite


def _reference_errors(tree: Tree, path: list[str]) -> Iterator[ConfigError]:
    """Every ``${…}`` that is no reference to a secret."""
    if isinstance(tree.value, dict):
        for key, below in tree.value.items():
            yield from _reference_errors(below, [*path, key])
    elif isinstance(tree.value, list):
        for index, below in enumerate(tree.value):
            yield from _reference_errors(below, [*path, str(index)])
    elif isinstance(tree.value, str):
        broken = broken_reference(tree.value)
        if broken is not None:
            yield tree.place.error(f"'{broken}' is no reference", remedy=f"write {FORMS}", key=".".join(path))
