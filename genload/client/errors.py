"""What can go wrong between a request and its answer. An HTTP status is never an error here."""

from __future__ import annotations

import errno
from ssl import SSLError

from gevent.socket import gaierror

from genload.client.answer import Answer, Times
from genload.code_errors import CLIENT_LIMIT, OWN_LIMITS


class ClientError(Exception):
    """A request without a whole answer.

    Attributes:
        error_class: one of `genload.runlog.error_classes`.
        message: for people; contains no header value of ours.
        times: as far as the request got; `end_s` is when it failed.
        bytes_sent, bytes_received: on the wire (inside TLS: before encryption).
        answer: the part of the answer that came, once its headers were complete; None before.
    """

    def __init__(
        self,
        error_class: str,
        message: str,
        *,
        times: Times,
        bytes_sent: int = 0,
        bytes_received: int = 0,
        answer: Answer | None = None,
    ) -> None:
        super().__init__(f"{error_class}: {message}")
        self.error_class = error_class
        self.message = message
        self.times = times
        self.bytes_sent = bytes_sent
        self.bytes_received = bytes_received
        self.answer = answer


class BadAnswerError(Exception):
    """Bytes that are no answer we can take; becomes a `ClientError` where the times are known."""

    def __init__(self, error_class: str, message: str) -> None:
        super().__init__(message)
        self.error_class = error_class
        self.message = message


def connect_error_class(error: Exception) -> str:
    """The class of an error met while connecting."""
    if isinstance(error, gaierror | UnicodeError):
        return "dns"
    if isinstance(error, SSLError):
        return "tls"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, ConnectionError):
        return "reset"
    number = error.errno if isinstance(error, OSError) else None
    if number in OWN_LIMITS:
        return CLIENT_LIMIT
    return "connect_timeout" if number == errno.ETIMEDOUT else "unreachable"
