"""One HTML page of a judged suite, to be looked at: its charts, its samples, its template."""

from genload.reporting.page.document import page

__all__ = ["page"]
