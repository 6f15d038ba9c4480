"""Where a redirect leads, and what is asked for there (RFC 9110 §15.4). Pure.

To another origin only where that is allowed, and then without body and headers: a load goes to the service
that was named and to no other, and so do credentials. Any other such answer is left as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urljoin

from genload.client.answer import Answer
from genload.client.origin import Origin, origin_of, percent_encoded

FETCHING = ("GET", "HEAD")
"""All that another origin is ever asked for."""

_REDIRECTS = (301, 302, 303, 307, 308)
_POST_BECOMES_GET = (301, 302)  # as every browser does it, and as RFC 9110 permits


@dataclass(frozen=True, slots=True)
class Request:
    """What `HttpClient.request` was asked for. `path` may be an absolute URL of the same origin."""

    method: str
    path: str
    headers: Mapping[str, str] | None
    body: bytes | None


def redirected(
    request: Request, target: str, answer: Answer, origin: Origin, allowed: Collection[str] = ()
) -> Request | None:
    """The request that follows a redirect; None for an answer that is none to be followed.

    Args:
        target: path and query as they were sent.
        allowed: other origins, as `origin_of` has them, where something may be fetched from.
    """
    location = answer.headers.get("location", "").partition("#")[0]
    if answer.status not in _REDIRECTS or not location:
        return None
    try:
        # Whatever bytes the server put there are sent back as those bytes.
        url = urljoin(origin.url(target), percent_encoded(location.encode("latin-1")))
    except ValueError:
        return None
    here, becomes_get = origin.is_origin_of(url), _becomes_get(request.method, answer.status)
    if not here and origin_of(url) not in allowed:
        return None
    if not here:
        fetches = becomes_get or request.method in FETCHING
        return Request("GET" if becomes_get else request.method, url, None, None) if fetches else None
    if becomes_get:
        return Request("GET", url, _without_content(request.headers), None)
    return replace(request, path=url)


def _becomes_get(method: str, status: int) -> bool:
    if status == 303:
        return method != "HEAD"
    return status in _POST_BECOMES_GET and method == "POST"


def _without_content(headers: Mapping[str, str] | None) -> dict[str, str]:
    """The headers without those that describe the body, which is not sent again."""
    return {name: value for name, value in (headers or {}).items() if not name.lower().startswith("content-")}
