"""The descriptions of speech services that have a name: files of ``config/dialects/``, one's own first."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from genload.described.speech.dialect import FOLDER, Dialect
from genload.extensions import Wings, folders
from genload.settings.problems import collected, problems
from genload.settings.suggestion import suggest
from genload.settings.wing_models import RequestSettings
from genload.settings.yaml_tree import Place, read_tree


def dialect_names() -> list[str]:
    """Every name that there is, sorted."""
    return sorted({path.stem for folder in folders("config") for path in (folder / FOLDER).glob("*.yaml")})


def described(value: Any) -> Any:
    """A description with all that it extends: of a name, or of one that is written out. Anything else is
    given back as it is.

    Raises:
        PydanticCustomError: no such name; neither a call nor what it extends.
        ConfigError: a file that is no description.
    """
    if isinstance(value, str):
        return _named(value, frozenset())
    if not isinstance(value, Mapping):
        return value
    if not isinstance(value.get("extends"), str):
        if "path" not in value:
            remedy = (
                "write path: /v1/audio/speech and what is sent there; or extends: kokoro, and what differs"
            )
            raise PydanticCustomError("dialect", "the description says no call", {"remedy": remedy})
        return value
    return _extended(value, frozenset())


def _extended(data: Mapping[str, Any], read: frozenset[Path]) -> dict[str, Any]:
    own = {key: value for key, value in data.items() if key != "extends"}
    base = _named(data["extends"], read) if "extends" in data else {}
    return RequestSettings.laid_on(base, own)


def _named(name: str, read: frozenset[Path]) -> dict[str, Any]:
    """The description of this name, in a file that is not among those read already."""
    for folder in folders("config"):
        path = (folder / FOLDER / f"{name}.yaml").resolve()
        if path.parent == (folder / FOLDER).resolve() and path.is_file() and path not in read:
            data = _extended(_of_file(path, path.stat().st_mtime_ns), read | {path})
            return {"name": name, **data}
    remedy = f"{suggest(name, dialect_names())}; or add config/dialects/{name}.yaml to your project"
    raise PydanticCustomError("dialect", "there is no dialect '{name}'", {"name": name, "remedy": remedy})


@lru_cache(maxsize=32)
def _of_file(path: Path, changed_ns: int) -> dict[str, Any]:
    place = Place(str(path))
    try:
        content = path.read_bytes()
    except OSError as error:
        raise place.error(f"cannot be read: {error.strerror}", remedy="correct the file") from error
    tree = read_tree(content, str(path))
    data = tree.data()
    if not isinstance(data, dict):
        raise place.error("is no mapping of keys to values", remedy="start from a file of config/dialects")
    if "extends" not in data:
        try:
            Dialect.model_validate(data, by_alias=True, by_name=False)
        except ValidationError as error:
            raise collected(problems(error, tree, Wings(), Dialect)) from error
    return data
