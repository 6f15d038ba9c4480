"""What is answered instead of the right answer, with ORFEAS's words or with a proxy's."""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import HTMLResponse, JSONResponse, Response

from .faults import Fault

_PAGE = "<!doctype html>\n<title>{title}</title>\n<h1>{title}</h1>\n<hr><address>proxy</address>\n"
_TOO_MANY = {"error": "Rate limit exceeded. Max 60 requests per 60s"}


def _reject(retry_after_s: float) -> Response:
    words = "AI models still loading, please wait a few seconds..."
    body = {"error": words, "status": "models_loading", "retry_after": retry_after_s}
    return JSONResponse(body, 503)


def _reject_bare(retry_after_s: float) -> Response:
    return HTMLResponse(_PAGE.format(title="503 Service Temporarily Unavailable"), 503)


def _limit(retry_after_s: float) -> Response:
    # Whole seconds, says the standard; but these are scaled like every other time here.
    return JSONResponse(_TOO_MANY, 429, {"Retry-After": f"{retry_after_s:g}"})


def _limit_bare(retry_after_s: float) -> Response:
    return JSONResponse(_TOO_MANY, 429)


def _error(retry_after_s: float) -> Response:
    return JSONResponse({"error": "3D generation failed"}, 500)


def _html(retry_after_s: float) -> Response:
    return HTMLResponse(_PAGE.format(title="Welcome"))


_SUBSTITUTES: dict[Fault, Callable[[float], Response]] = {
    Fault.REJECT: _reject,
    Fault.REJECT_BARE: _reject_bare,
    Fault.LIMIT: _limit,
    Fault.LIMIT_BARE: _limit_bare,
    Fault.ERROR: _error,
    Fault.HTML: _html,
}


def substitute(fault: Fault | None, retry_after_s: float) -> Response | None:
    """The answer that a fault gives instead; None for one that gives none.

    Args:
        retry_after_s: the pause that a refusal asks for, if it asks for any.
    """
    make = _SUBSTITUTES.get(fault) if fault is not None else None
    return make(retry_after_s) if make is not None else None
