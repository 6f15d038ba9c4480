"""What to do about a request that failed: which key of the suite says what was wrong."""

from __future__ import annotations

import re

_KEY = re.compile(r"(service(?:\.[\w\"-]+)+): ")
_OF_CLASS = {
    "refused": ("service.host", "nobody listens there: start the service, or correct the address"),
    "dns": ("service.host", "the name has no address"),
    "unreachable": ("service.host", "there is no way there"),
    "connect_timeout": ("service.host", "nothing takes the connection; or a longer service.connect_timeout"),
    "tls": ("service.tls", "which certificates to trust, or the scheme of service.host"),
    "timeout": ("service.timeout", "the whole job may take longer"),
    "receive_timeout": ("service.receive_timeout", "the longest silence; of one blocking call: mode: sync"),
    "send_timeout": ("service.receive_timeout", "the service took nothing of the request for so long"),
    "too_large": ("service.max_answer", "the largest answer that is taken"),
    "rejected": ("service.retry", "the service had no capacity: try for longer, or later"),
    "placeholder": ("service.request.placeholder", "allow, where a plain box is a right answer"),
    "duplicate_output": ("service.request.placeholder", "allow, where the same output is a right answer"),
}
_OF_STATUS = {
    400: ("", "what is sent is not what it wants: its words are above"),
    401: ("service.headers", "send what it asks for: Authorization: ${env:NAME}"),
    403: ("service.headers", "send what it asks for: Authorization: ${env:NAME}"),
    404: ("path", "nothing is there under this path"),
    405: ("method", "the path takes another method"),
    413: ("", "the body is larger than it takes"),
    415: ("", "it takes another kind of body: json, form, multipart or raw"),
    422: ("", "a field of the body is missing or wrong: its words are above"),
}
_OF_THE_OUTPUT = "where the output is (result), and as what it is inspected (format, output)"
_OF_THE_SERVICE = "these are the service's own words: nothing of the suite need be wrong"
_OF_OUTPUTS = {
    *("not_a_mesh", "empty_mesh", "nan_vertices", "not_splats", "empty_splats", "nan_splats"),
    *("not_a_picture", "too_small", "unknown_format", "bad_output"),
}
_BY_STATUS = ("validation", "auth")
_OF_NO_AUDIO = "what came is no audio: path, format, and base64 where audio is inside JSON"
_OF_REDIRECTS = ("service.follow_redirects", "how many are followed on the service's own host")


def advice(error_class: str, error: str, status: int, step: str, key: str) -> tuple[str, str]:
    """Which key to change (empty where it is none of the suite's), and what about it.

    Args:
        step: which failed; empty for the check of the output.
        key: of the suite, that describes the step; empty where a service file does.
    """
    if named := _KEY.match(error):
        return named[1], "the key that says so; what came instead is above"
    if error_class in _OF_CLASS:
        return _OF_CLASS[error_class]
    if error_class == "wrong_content":
        return key, _OF_NO_AUDIO
    if error_class.startswith("http_") or error_class in _BY_STATUS:
        if 300 <= status < 400:
            return _OF_REDIRECTS
        below, what = _OF_STATUS.get(status, ("", _OF_THE_SERVICE))
        if below.startswith("service."):
            return below, what
        return (f"{key}.{below}" if below else key) if key else "", what
    if error_class in _OF_OUTPUTS:
        return key, _OF_THE_OUTPUT
    return "", _OF_THE_SERVICE
