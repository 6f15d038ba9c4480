"""What every services/ file does with an HTTP client: one user's calls, their failures as `ServiceError`."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from html import unescape
from time import monotonic
from typing import Any

import msgspec

from genload.client.answer import Answer, Times
from genload.client.errors import ClientError
from genload.client.exchange import SWITCHED
from genload.client.http import HttpClient
from genload.client.multipart import multipart
from genload.client.origin import origin_of
from genload.client.request_head import OtherOriginError
from genload.client.stamps import Stamps
from genload.client.timeouts import Timeouts
from genload.client.tls import TlsOptions
from genload.client.websocket import WebSocket
from genload.errors import ConfigError
from genload.service import ServiceClient, ServiceError, Step
from genload.settings.secrets import has_reference, reveal
from genload.spool import Spool, beginning

_READ_BODY_BYTES = 2000  # of a page, enough to say what it is


class ServiceCalls:
    """The calls of one user's client, made as its suite says: host, headers, timeouts, TLS.

    Secrets are resolved again for each request: a token's file may change while the load runs.

    Args:
        stamps: who says when an answer's parts arrive; see `HttpClient`.

    Attributes:
        http: the connection.
        spool: where large answers are kept, of all users of the process.

    Raises:
        ConfigError: a secret, header or certificate that cannot be used.
    """

    __slots__ = ("_client", "_secrets", "http", "spool")

    def __init__(self, client: ServiceClient, *, stamps: Stamps = "process") -> None:
        service = client.service
        self._client = client
        self.spool = _spool_of(int(service.max_large_answers_bytes))
        self._secrets = {name: value for name, value in service.headers.items() if has_reference(value)}
        try:
            self.http = HttpClient(
                reveal(service.host),
                timeouts=_timeouts(service.connect_timeout_s, service.receive_timeout_s, False),
                max_answer_bytes=int(service.max_answer_bytes),
                headers={name: reveal(value) for name, value in service.headers.items()},
                tls=TlsOptions(**service.tls.model_dump()),
                follow_redirects=service.follow_redirects,
                allow_origins=service.allow_origins,
                stamps=stamps,
            )
        except ValueError as error:
            remedy = "a header is a name and a text in Latin-1 without line breaks"
            raise ConfigError(str(error), key="service.headers", remedy=remedy) from error

    def get(self, path: str, step: Step | None = None) -> Answer:
        """As `call`."""
        return self.call("GET", path, step)

    def post_json(self, path: str, obj: Any, step: Step | None = None) -> Answer:
        """As `call`, with an object as JSON."""
        return self.call("POST", path, step, msgspec.json.encode(obj), "application/json")

    def post_file(
        self, path: str, field: str, filename: str, content: bytes, media_type: str, step: Step | None = None
    ) -> Answer:
        """As `call`, with a file as a form's only field."""
        content_type, body = multipart(field, filename, content, media_type)
        return self.call("POST", path, step, body, content_type)

    def call(
        self,
        method: str,
        path: str,
        step: Step | None = None,
        body: bytes | None = None,
        content_type: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        waits: bool = False,
        spools: bool = False,
    ) -> Answer:
        """One request, as long as the client's deadline allows.

        Args:
            path: as `HttpClient.request` has it.
            step: told what the request cost.
            headers: besides those of the suite.
            waits: its answer comes when its work is done: no silence is too long, but for the deadline.
            spools: the body of its answer, if it is large, is kept in `spool`.

        Raises:
            ServiceError: no whole answer; with the class of the `ClientError`, which is its cause;
                ``bad_answer`` for an absolute URL that leads to an origin which the suite does not allow.
            ValueError: a path that cannot be sent.
        """
        service, total_s = self._client.service, self._left_s()
        sent = self._headers(content_type, headers)
        times = Times()
        limits = _timeouts(service.connect_timeout_s, service.receive_timeout_s, True) if waits else None
        try:
            answer = self.http.request(
                method,
                path,
                headers=sent,
                body=body,
                total_s=total_s,
                timeouts=limits,
                times=times,
                spool=self.spool if spools else None,
            )
        except ClientError as error:
            if step is not None:
                step.connect_s, step.end_s = times.connect_s, times.end_s
                step.bytes_sent, step.bytes_received = error.bytes_sent, error.bytes_received
            raise ServiceError(error.error_class, error.message) from error
        except OtherOriginError as error:
            raise ServiceError("bad_answer", _elsewhere_words(error)) from error
        finally:
            if step is not None:
                step.sent_s, step.first_byte_s = times.sent_s, times.first_byte_s
        if step is not None:
            step.connect_s, step.end_s = times.connected_s - times.start_s, times.end_s
            step.bytes_sent, step.bytes_received = answer.bytes_sent, answer.bytes_received
            step.status = answer.status
        return answer

    @contextmanager
    def websocket(
        self,
        path: str,
        step: Step,
        headers: Mapping[str, str] | None = None,
        *,
        keep: bool = False,
        silence_s: float | None = None,
    ) -> Iterator[WebSocket | Answer]:
        """A WebSocket to the service, or its refusal, within the client's deadline; closed with the block.

        Args:
            path, step, headers: as for `call`; to open it is to connect.
            keep: as `HttpClient.websocket` has it.
            silence_s: the longest silence, where it is not the suite's.

        Raises:
            ServiceError: with the class of the `ClientError` that leaves the block or came before it.
            ValueError: a path that cannot be sent.
        """
        times, opened = Times(), None
        connect_s = self._client.service.connect_timeout_s
        options: dict[str, Any] = {
            "headers": self._headers("", headers),
            "total_s": self._left_s(),
            "timeouts": None if silence_s is None else _timeouts(connect_s, silence_s, False),
        }
        try:
            with self.http.websocket(path, times=times, keep=keep, **options) as opened:
                yield opened
        except ClientError as error:
            step.bytes_sent, step.bytes_received = error.bytes_sent, error.bytes_received
            raise ServiceError(error.error_class, error.message) from error
        finally:
            step.sent_s, step.first_byte_s = times.sent_s, times.first_byte_s
            step.connect_s, step.end_s = times.connect_s, times.end_s
            if opened is not None:
                step.status = opened.status if isinstance(opened, Answer) else SWITCHED
                step.bytes_sent, step.bytes_received = opened.bytes_sent, opened.bytes_received

    def _left_s(self) -> float | None:
        """What is left of the client's deadline; None for no limit.

        Raises:
            ServiceError: ``timeout``: nothing is.
        """
        deadline_s = self._client.deadline_s
        if deadline_s == math.inf:
            return None
        left_s = deadline_s - monotonic()
        if left_s <= 0:
            raise ServiceError("timeout", "the job's time was used up before the call")
        return left_s

    def _headers(self, content_type: str, own: Mapping[str, str] | None) -> dict[str, str]:
        """What is sent beside the headers that never change; the call's own come last."""
        headers = self._client.correlation()
        if content_type:
            headers = {"Content-Type": content_type, **headers}
        if self._secrets:
            headers = {**{name: reveal(value) for name, value in self._secrets.items()}, **headers}
        return {**headers, **own} if own else headers


@cache
def _timeouts(connect_s: float, receive_s: float, waits: bool) -> Timeouts:
    """One object for all users: what thousands of them look at for every poll does not stay in a cache."""
    if waits:
        return Timeouts(connect_s=connect_s, receive_s=math.inf, send_s=receive_s)
    return Timeouts(connect_s=connect_s, receive_s=receive_s)


@cache
def _spool_of(limit_bytes: int) -> Spool:
    """One for all users of the process."""
    return Spool(limit_bytes)


def page_text(answer: Answer) -> str:
    """The words of an answer that is no JSON: of a proxy's page what a reader sees, each line of it once."""
    page = beginning(answer.content, _READ_BODY_BYTES).decode("utf-8", "replace")
    visible = re.sub(r"(?is)<(script|style)\b.*?</\1>|<[^>]*>", "\n", page)
    lines = (" ".join(unescape(line).split()) for line in visible.split("\n"))
    return " ".join(dict.fromkeys(line for line in lines if line))[:200]


def redirect_words(answer: Answer) -> str:
    """What to say about a redirect that is not followed."""
    where = answer.headers.get("location", "nowhere")
    words = f"redirected to {where}: set service.host to that, or service.follow_redirects on one host"
    return f"{words}; {_allow_words(origin)}" if (origin := origin_of(where)) else words


def _elsewhere_words(error: OtherOriginError) -> str:
    origin = error.origin or "no address of http or https"
    return f"the result is not on the service's own host but on {origin}: {_allow_words(origin)}"


def _allow_words(origin: str) -> str:
    return f"to fetch it from there, without the service's credentials: service.allow_origins: ['{origin}']"


def retry_after_s(answer: Answer) -> float | None:
    """The pause a refusal asks for: seconds in the body's ``retry_after``, else the Retry-After header
    (seconds, or a date); None when it names none.
    """
    try:
        asked: Any = answer.json()["retry_after"]
    except (ValueError, KeyError, TypeError, IndexError):
        asked = answer.headers.get("retry-after")
    try:
        seconds = float(asked)
    except (TypeError, ValueError):
        return _until_s(asked)
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def _until_s(date: Any) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except (TypeError, ValueError):
        return None
    return max((moment.astimezone(UTC) - datetime.now(UTC)).total_seconds(), 0.0)
