"""The headers by which the service's logs and traces name the request that genload recorded."""

from __future__ import annotations

import re
from uuid import NAMESPACE_OID, uuid5

_TRACE_ID = re.compile(r"(?!0{16})[0-9a-f]{32}")  # its first half is the parent's id, and neither may be 0


def correlation_headers(request_id: str) -> dict[str, str]:
    """What ties a request to its record in the service's logs and traces: ``X-Request-ID``, and the same as
    a W3C Trace Context ``traceparent``.

    The trace is the job, its id the record's `request_id` without dashes (of an id that is no UUID: a UUID
    made from it); the parent of all calls is the job, too, so that both headers follow from the record.
    """
    trace_id = request_id.replace("-", "").lower()
    if not _TRACE_ID.fullmatch(trace_id):
        trace_id = uuid5(NAMESPACE_OID, request_id).hex
    return {"X-Request-ID": request_id, "traceparent": f"00-{trace_id}-{trace_id[:16]}-01"}
