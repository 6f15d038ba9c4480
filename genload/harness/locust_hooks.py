"""The private parts of Locust that we change, each for a reason, each held by a test.

Locust is pinned to an exact version because of these (pyproject.toml).
"""

from __future__ import annotations

import functools
from typing import Any

from locust import argument_parser, runners, stats

HEARTBEAT_LIVENESS = 15  # seconds; a worker that computes for more than 3 s is not a dead worker


def apply() -> None:
    """Idempotent: called once a process, and once a test."""
    if not hasattr(argument_parser.default_args_dict, "cache_info"):
        # A worker builds a whole argument parser for each option of each spawn message: 46-83 ms in which
        # no user runs.
        argument_parser.default_args_dict = functools.lru_cache(maxsize=1)(argument_parser.default_args_dict)
    runners.HEARTBEAT_LIVENESS = HEARTBEAT_LIVENESS
    # Locust's closing tables round percentiles to two digits (82.5 s → 82) and would stand beside the
    # verdict's exact ones.
    stats.print_stats = stats.print_percentile_stats = stats.print_error_report = _print_nothing


def _print_nothing(*_: Any, **__: Any) -> None:
    return
