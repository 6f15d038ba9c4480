"""Why a request has no whole answer: error classes as records have them."""

from __future__ import annotations

ERROR_CLASSES = (
    "dns",  # the name has no address
    "refused",  # nothing listens there
    "unreachable",  # no way to the host
    "connect_timeout",  # no connection, or no finished TLS handshake, within connect_s
    "tls",  # certificate or handshake refused, by either side
    "reset",  # the connection ended before a single byte of an answer
    "send_timeout",  # the server took nothing of the request for receive_s
    "receive_timeout",  # silence for receive_s while an answer was owed
    "timeout",  # total_s was used up
    "truncated",  # the connection ended inside an answer
    "too_large",  # the answer is larger than max_answer_bytes, or its headers than 64 KiB
    "protocol",  # what came is not HTTP/1.x, no frames of a WebSocket, or gzip that is damaged
    "client_limit",  # this machine ran out of ports, files or memory: says nothing about the server
)

UNANSWERED = frozenset(ERROR_CLASSES) - {"too_large", "client_limit"}
"""Of a request that the service did not answer, or not wholly."""

SILENT = UNANSWERED - {"timeout", "truncated", "protocol"}
"""After these it is asked whether the service is there at all."""

NOT_STARTED = "not_started"
"""Of a request that an open schedule wanted and that never found a free user."""
