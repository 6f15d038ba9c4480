"""The measuring HTTP client: HTTP/1.1 and TLS on gevent sockets, every stamp taken where it happens."""

from genload.client.answer import Answer, Headers, Times
from genload.client.errors import ClientError
from genload.client.http import HttpClient
from genload.client.timeouts import Timeouts
from genload.client.tls import TlsOptions
from genload.client.watching import Seen, watched

__all__ = [
    "Answer",
    "ClientError",
    "Headers",
    "HttpClient",
    "Seen",
    "Timeouts",
    "Times",
    "TlsOptions",
    "watched",
]
