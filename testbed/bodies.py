"""What a request carries: a form's image, or a JSON object."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request


async def image_field(request: Request) -> tuple[str, bytes | None]:
    """Name and content of the file in field ``image``; no content when there is none, or no form."""
    filename, content, _ = await form(request)
    return filename, content


async def form(request: Request) -> tuple[str, bytes | None, dict[str, str]]:
    """As `image_field`, and the form's other fields."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return "", None, {}
    try:
        # Closed here, not by the garbage collector: each holds up to 1 MB.
        async with request.form(max_files=8, max_fields=8) as fields:
            image = fields.get("image")
            others = {name: value for name, value in fields.items() if isinstance(value, str)}
            if isinstance(image, UploadFile):
                return image.filename or "", await image.read(), others
    except HTTPException:
        return "", None, {}
    return "", None, {}


async def json_object(request: Request) -> dict[str, Any] | None:
    """The body as a JSON object, None for anything else (which the real service trips over)."""
    if not request.headers.get("content-type", "").startswith("application/json"):
        return None
    try:
        body = await request.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None
