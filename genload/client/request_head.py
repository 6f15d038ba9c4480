"""The first part of a request, checked: nothing of it can begin a second one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from genload import __version__
from genload.client.origin import Origin, origin_of, percent_encoded

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_TARGET = re.compile(r"/[!$-;=?-~]*")
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f]")
# The client alone says how long a body is.
_OWN = {"content-length", "transfer-encoding"}
_WITH_BODY = {"POST", "PUT", "PATCH"}


class OtherOriginError(ValueError):
    """A URL that leads away from the client's origin.

    Attributes:
        origin: where to, such as ``https://cdn.example``; "" for no URL.
    """

    def __init__(self, url: str, own: str) -> None:
        super().__init__(f"{url!r} leads away from {own}")
        self.origin = origin_of(url)


class RequestHead:
    """Makes the heads of one client's requests.

    Args:
        headers: sent with every request, before its own; one of the same name replaces it.

    Raises:
        ValueError: a header that cannot be sent.
    """

    __slots__ = ("_asked", "_defaults", "_form", "_made", "_origin", "_shape")

    def __init__(self, origin: Origin, headers: Mapping[str, str]) -> None:
        self._origin = origin
        self._defaults = {
            "host": ("Host", origin.authority),
            "user-agent": ("User-Agent", f"genload/{__version__}"),
            "accept": ("Accept", "*/*"),
            "accept-encoding": ("Accept-Encoding", "identity"),
        }
        self._defaults |= {name.lower(): (name, value) for name, value in headers.items()}
        for name, value in self._defaults.values():
            header_line(name, value)
        # Made once: most requests differ in the values of a few headers only.
        self._shape: tuple[str, str, tuple[str, ...]] | None = None
        self._form = ""
        # And a poll is the same request again and again.
        self._asked: tuple[str, str, dict[str, str] | None] | None = None
        self._made = b""

    def bytes_for(
        self, method: str, path: str, headers: Mapping[str, str] | None, body_bytes: int | None
    ) -> bytes:
        """The head of one request, its empty line included.

        Args:
            path: with its query; or an absolute URL of the same origin.
            body_bytes: the body's length; None: no body.

        Raises:
            ValueError: a method, path or header that cannot be sent.
        """
        if body_bytes is not None:
            return self._head(method, path, headers, body_bytes)
        if self._asked != (method, path, headers):
            self._made = self._head(method, path, headers, None)
            self._asked = method, path, None if headers is None else dict(headers)
        return self._made

    def _head(
        self, method: str, path: str, headers: Mapping[str, str] | None, body_bytes: int | None
    ) -> bytes:
        shape = method, path, tuple(headers) if headers else ()
        if shape != self._shape:
            self._form, self._shape = self._formed(*shape), shape
        head = self._form % (_checked_values(headers) if headers else ())
        if body_bytes is not None or method in _WITH_BODY:
            head += f"Content-Length: {body_bytes or 0}\r\n"
        return f"{head}\r\n".encode("latin-1")

    def _formed(self, method: str, path: str, names: tuple[str, ...]) -> str:
        """The request line, the client's own headers but for those of these names, and a place for the value
        of each of these: a text for ``%``."""
        if not _TOKEN.fullmatch(method):
            raise ValueError(f"{method!r} is no HTTP method")
        replaced = {_checked_name(name) for name in names}
        kept = (pair for key, pair in self._defaults.items() if key not in replaced)
        lines = "".join(header_line(name, value) for name, value in kept)
        always = f"{method} {self.target(path)} HTTP/1.1\r\n{lines}".replace("%", "%%")
        return always + "".join([f"{name.replace('%', '%%')}: %s\r\n" for name in names])

    def target(self, path: str) -> str:
        """The request target for a path or URL; what has no place in one is percent-encoded.

        Raises:
            ValueError: control characters, or another origin.
        """
        if _TARGET.fullmatch(path):
            return self._origin.prefix + path  # nothing to check or to change, as with nearly all
        if _FORBIDDEN.search(path):
            raise ValueError(f"control characters in the path {path!r}")
        if not path.startswith("/") and "://" in path.partition("?")[0]:
            path = self._path_of(path)
        else:
            path = self._origin.prefix + (path if path.startswith(("/", "?")) else f"/{path}")
        path = path.partition("#")[0]
        if not path.startswith("/"):
            path = f"/{path}"
        return percent_encoded(path)

    def _path_of(self, url: str) -> str:
        if not self._origin.is_origin_of(url):
            raise OtherOriginError(url, f"{self._origin.scheme}://{self._origin.authority}")
        rest = url.partition("://")[2]
        at = min((i for i in (rest.find("/"), rest.find("?"), rest.find("#")) if i >= 0), default=len(rest))
        return rest[at:]


def _checked_values(headers: Mapping[str, str]) -> tuple[str, ...]:
    """The values of header fields, which can be sent; their names are looked at by `_formed`.

    Raises:
        ValueError: as `header_line`.
    """
    values = tuple(headers.values())
    together = "".join(values)
    if not (together.isascii() and together.isprintable()):  # as nearly all are: one look for all of them
        for name, value in headers.items():
            header_line(name, value)
    return values


def header_line(name: str, value: str) -> str:
    """One header field as it is sent.

    Raises:
        ValueError: a name or value that would be misread; the value is not shown, it may be a secret.
    """
    _checked_name(name)
    if not _VALUE.fullmatch(value):
        raise ValueError(f"the value of header {name} has line breaks, control or non-Latin-1 characters")
    return f"{name}: {value}\r\n"


@lru_cache(maxsize=256)  # the same few names with every request
def _checked_name(name: str) -> str:
    """The name in lower case.

    Raises:
        ValueError.
    """
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"{name!r} is no header name")
    if name.lower() in _OWN:
        raise ValueError(f"the client itself sends {name}")
    return name.lower()
