"""What a busy machine may do to a run: where a test is about something else, it makes none invalid."""

from __future__ import annotations

from typing import Any

import yaml

VALIDITY = (
    "{lag_floor: 10min, late_share: 1000000%, burst_spread_floor: 10min, clock_bound_floor: 10min, "
    "min_user_seconds: 1%, max_cpu: 10000%}"
)
"""As a suite has it in YAML."""
LIMITS: dict[str, Any] = yaml.safe_load(VALIDITY)
"""The same as a mapping."""
PATIENT = ("--set", f"validity={VALIDITY}")
"""The same as options."""
