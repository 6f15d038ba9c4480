"""The one shape that Locust sees; which load it stands for is chosen by --scenario, run by run."""

from __future__ import annotations

from collections.abc import Callable

from locust import LoadTestShape

from genload.harness.user_classes import Wanted


class ScenarioShape(LoadTestShape):
    """Set as `environment.shape_class` in `init`, headless and in the web UI, and then kept for good:
    Locust cannot exchange a shape between two runs of one process.

    Args:
        users_wanted: (users, spawn rate) now, with the classes of those to be added where these are not all;
            or None when the run has ended.
    """

    abstract = True  # never found and instantiated by Locust itself

    def __init__(self, users_wanted: Callable[[], Wanted | None]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._users_wanted = users_wanted

    def tick(self) -> Wanted | None:
        return self._users_wanted()
