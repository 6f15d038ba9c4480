"""References to secrets: ``${env:NAME}``, ``${file:PATH}`` and ``${command:WORDS}``.

They stay references in every model, in the resolved suite and in run.json; only `reveal` resolves them, at
the moment of use, so that a secret reaches no run directory, log or report.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from genload.errors import ConfigError
from genload.settings.token_commands import token_command

_REFERENCE = re.compile(r"\$\{(env|file|command):([^{}]+)\}")
_SECRET_HEADER = re.compile(
    r"authori[sz]ation|(api|access|auth|private|secret|subscription)[-_]?key"
    r"|(^|[-_])(token|secret|password|cookie|credentials?)$",
    re.IGNORECASE,
)
_URL_PASSWORD = re.compile(r"^[a-z]+://[^/@]*@", re.IGNORECASE)
_QUERY_VALUE = re.compile(r"([?&][^\s?&=#\"'<>]+=)[^\s&#\"'<>]+")
FORMS = "${env:NAME}, ${file:PATH} or ${command:WORDS}"
_MAX_BYTES = 64 * 1024
_SHORTEST_HIDDEN = 4  # a shorter value would be found in the middle of any word
_MOST_HIDDEN = 256

_revealed: dict[str, str] = {}  # reference by value, of what this process has resolved


def reveal(text: str) -> str:
    """`text` with its references resolved now; a file is read again when it has changed, a command run again
    before what it printed expires.

    Raises:
        ConfigError: a variable that is not set, a file that cannot be read, a command that fails; never with
            a value in it.
    """
    return _REFERENCE.sub(lambda found: _value(*found.groups()), text)


def hide(text: str) -> str:
    """`text` with each secret that this process has resolved put back as its reference.

    For a service's words: a server may repeat in an error what it was sent.
    """
    for value in sorted((value for value in _revealed if value in text), key=len, reverse=True):
        text = text.replace(value, _revealed[value])
    return text


def hide_queries(text: str) -> str:
    """`text` with each value in the query of a URL as "…": whoever has a signed one may fetch with it."""
    return _QUERY_VALUE.sub(r"\1…", text)


def is_secret_header(name: str) -> bool:
    """Whether a header's name says that its value is secret."""
    return _SECRET_HEADER.search(name) is not None


def has_reference(text: str) -> bool:
    """Whether `text` holds a reference."""
    return _REFERENCE.search(text) is not None


def broken_reference(text: str) -> str | None:
    """The first ``${…`` in `text` that is no reference; None when all are."""
    rest = _REFERENCE.sub("", text)
    at = rest.find("${")
    return None if at < 0 else rest[at : rest.find("}", at) + 1 or None]


def refuse_literal_secret(header: str, value: str) -> None:
    """Refuse a header whose name says that its value is secret, and whose value is no reference.

    Raises:
        PydanticCustomError: the header's name, without its value.
    """
    if is_secret_header(header) and value and not has_reference(value):
        raise PydanticCustomError(
            "secret",
            "header '{header}' holds a secret in clear, which would reach the run directory",
            {"header": header, "remedy": f"write {header}: {FORMS}"},
        )


def _without_literal_secrets(headers: dict[str, str]) -> dict[str, str]:
    for header, value in headers.items():
        refuse_literal_secret(header, value)
    return headers


Headers = Annotated[dict[str, str], AfterValidator(_without_literal_secrets)]
"""HTTP headers by name; one whose name says that its value is secret must give it by reference."""


def refuse_secret_in_url(url: str) -> None:
    """Refuse ``http://user:password@host``, with or without the password.

    Raises:
        PydanticCustomError: without the URL.
    """
    if _URL_PASSWORD.match(url) and not has_reference(url):
        raise PydanticCustomError(
            "secret",
            "the URL holds a user's name, which would reach the run directory",
            {"remedy": "take it out, and send a header instead: Authorization: ${env:NAME}"},
        )


def _value(kind: str, name: str) -> str:
    value = _SOURCES[kind](name)
    if not value.isprintable():
        raise ConfigError(
            f"the secret ${{{kind}:{name}}} holds a line break or another control character",
            remedy="leave only the secret itself there",
        )
    if len(value) >= _SHORTEST_HIDDEN and value not in _revealed:
        while len(_revealed) >= _MOST_HIDDEN:  # a file that changes all the time
            del _revealed[next(iter(_revealed))]
        _revealed[value] = f"${{{kind}:{name}}}"
    return value


def _variable(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise ConfigError(
            f"the environment variable {name} is not set",
            remedy=f"export {name}=… on every machine that sends load",
        )
    return value


def _file(name: str) -> str:
    try:
        path = Path(name).expanduser()
        state = path.stat()
        value = _content(path, state.st_ino, state.st_mtime_ns, state.st_size)
    except (OSError, ValueError, RuntimeError) as error:
        raise ConfigError(
            f"the secret's file {name} cannot be read: {_why(error)}",
            remedy="check the path and its permissions on every machine that sends load",
        ) from None  # a decoding error carries the bytes it met
    if not value:
        raise ConfigError(f"the secret's file {name} is empty", remedy="write the secret into it")
    return value


def _why(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8 text"
    return (isinstance(error, OSError) and error.strerror) or "no such path"


def _command(words: str) -> str:
    return token_command(words).secret()


_SOURCES = {"env": _variable, "file": _file, "command": _command}


@lru_cache(maxsize=16)
def _content(path: Path, inode: int, mtime_ns: int, size: int) -> str:
    """The file in the state that the arguments name: another state is another entry of the cache."""
    with path.open("rb") as file:
        return file.read(_MAX_BYTES).decode("utf-8").strip()
