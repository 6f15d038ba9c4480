"""Whether this machine lets a process have all of its users, told before the load."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from genload.errors import UsageError
from genload.harness import own_limits
from genload.harness.own_limits import check_limits

from .simulated_search import plan_of


def plan(users: int) -> Any:
    timeline = SimpleNamespace(max_users=users)
    service = SimpleNamespace(allow_origins=("https://cdn.example",))
    return SimpleNamespace(populations=(SimpleNamespace(timeline=timeline, service=service),))


def test_too_few_ports_are_told_with_the_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ports = tmp_path / "ip_local_port_range"
    ports.write_text("32768\t32867\n")
    monkeypatch.setattr(own_limits, "_PORTS", ports)
    monkeypatch.setattr(own_limits, "_files_allowed", lambda: None)

    check_limits(plan(100))  # another origin has ports of its own
    with pytest.raises(UsageError, match="101 users need a port each, and this machine has 100") as refused:
        check_limits(plan(101))
    assert "ip_local_port_range" in refused.value.remedy


@pytest.mark.parametrize("said", ["", "all of them", None])
def test_ports_that_are_not_known_stop_nobody(
    said: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = tmp_path / "ip_local_port_range"
    if said is not None:
        ports.write_text(said)
    monkeypatch.setattr(own_limits, "_PORTS", ports)
    monkeypatch.setattr(own_limits, "_files_allowed", lambda: None)

    check_limits(plan(10**6))


def test_another_origin_needs_files_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_limits, "_files_allowed", lambda: 70)

    check_limits(plan(10))
    with pytest.raises(UsageError, match="11 users need 72 open files, and a process may have 70"):
        check_limits(plan(11))


@pytest.mark.parametrize(
    ("capacity", "users"),
    [
        ("{of: users, from: 2, to: 21, holds: [fast]}", 21),
        ("{of: rate, from: 1/min, to: 2/min, max_in_flight: 21, holds: [fast]}", 21),
        # Twice what comes in 30 s of settling, 6 min of measuring and 30 s of waiting, at most.
        ("{of: rate, from: 1/min, to: 2/min, holds: [fast]}", 28),
    ],
)
def test_the_highest_level_of_a_capacity_is_among_the_users(
    capacity: str, users: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_limits, "_files_allowed", lambda: 70)
    told = f"{users} users need {users + 50} open files, and a process may have 70"

    with pytest.raises(UsageError, match=re.escape(told)):
        check_limits(plan_of(tmp_path, capacity))
    check_limits(plan_of(tmp_path, capacity), processes=2)
