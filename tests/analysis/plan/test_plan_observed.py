"""The service that an earlier run met, from its records alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from genload.analysis.plan.assumed import AssumedService
from genload.analysis.plan.observed import observed_service
from genload.analysis.plan.simulation import Client, simulate
from genload.errors import UsageError
from genload.settings.phases import steady_load

from ..memory_log import job, sound_run, write


def recorded(tmp_path: Path, service: AssumedService, users: int, scale: float = 1.0) -> Path:
    """A run directory of a simulated load of an hour; a time scale shortens what is recorded."""
    course = simulate(steady_load(users, 3600), Client(), service, seed=3)
    log = sound_run(
        [
            job(n, r.start_s * scale, (r.end_s - r.start_s) * scale, "failed" if r.error_class else "ok")
            for n, r in enumerate(course.requests)
        ]
    )
    log.header.time_scale = scale
    return write(log, tmp_path / f"run-{users}-{scale}")


def good(slots: int, times_s: list[float]) -> AssumedService:
    return AssumedService(slots, np.array(times_s), np.zeros(len(times_s), dtype=np.bool_))


@pytest.mark.parametrize(("slots", "users"), [(1, 4), (3, 10), (3, 4), (8, 20)])
@pytest.mark.parametrize("times_s", [[82.0], [70.0, 82.0, 95.0]])
def test_slots_and_times_of_a_service_that_was_kept_busy(
    tmp_path: Path, slots: int, users: int, times_s: list[float]
) -> None:
    found = observed_service([recorded(tmp_path, good(slots, times_s), users)], "generate")
    assert found.slots == slots
    assert found.mean_s == pytest.approx(np.mean(times_s), rel=0.05)
    assert found.observed and found.failure_rate == 0


def test_of_a_service_where_nobody_waited_only_the_least_is_known(tmp_path: Path) -> None:
    found = observed_service([recorded(tmp_path, good(20, [82.0]), users=4)], "generate")
    assert (found.slots, found.mean_s) == (4, pytest.approx(82))
    assert "at least 4 slots seen" in found.about


def test_who_knows_the_slots_says_so(tmp_path: Path) -> None:
    # Times from 10 s to 300 s, which no slots make alike.
    folder = recorded(tmp_path, good(3, [10.0, 20.0, 30.0, 300.0]), users=10)
    found = observed_service([folder], "generate", slots=3)
    assert (found.slots, found.mean_s) == (3, pytest.approx(90, rel=0.25))


def test_how_long_answers_are_heard_beyond_their_last_byte(tmp_path: Path) -> None:
    records = [job(n, 10.0 * n, 2.0) for n in range(5)]
    for record in records[:3]:
        record.numbers["playout_s"] = 6.0
    records[3].numbers["playout_s"] = 1.9  # the client connected first
    found = observed_service([write(sound_run(records), tmp_path / "run")], "generate")
    assert found.listens_s is not None
    assert found.listens_s.tolist() == [4.0, 4.0, 4.0, 0.0, 0.0]


def test_what_a_user_needs_between_two_requests_is_the_median_less_its_pause(tmp_path: Path) -> None:
    # User 0 every 12 s for 10 s of work, user 1 once 60 s later; a failure and an open schedule tell nothing.
    records = [job(n, 12.0 * n, 10.0, user=0) for n in range(6)]
    records += [job(10, 0.0, 10.0, user=1), job(11, 70.0, 10.0, user=1)]
    log = sound_run(records)
    assert observed_service([write(log, tmp_path / "plain")], "generate").between_s == pytest.approx(2.0)
    log.header.suite["scenarios"][log.header.scenario]["think"] = "1s"
    log.header.time_scale = 0.1
    assert observed_service([write(log, tmp_path / "thinks")], "generate").between_s == pytest.approx(10.0)
    for record in log.records:
        record.intended_s = record.start_s
    assert observed_service([write(log, tmp_path / "open")], "generate").between_s == 0


def test_times_are_modelled_ones(tmp_path: Path) -> None:
    found = observed_service([recorded(tmp_path, good(3, [82.0]), users=10, scale=0.02)], "generate")
    assert (found.slots, found.mean_s) == (3, pytest.approx(82))


def test_failures_keep_their_share_and_their_time(tmp_path: Path) -> None:
    records = [
        job(n, n * 20.0, 0.5 if n % 4 == 0 else 10.0, "failed" if n % 4 == 0 else "ok") for n in range(100)
    ]
    records.append(job(100, 2000.0, 3.0, "unfinished"))
    records.append(job(101, 2010.0, 9.0, warmup=True, phase="warmup"))
    found = observed_service([write(sound_run(records), tmp_path / "run")], "generate")
    assert found.failure_rate == pytest.approx(0.25)
    assert found.times_s[found.failed] == pytest.approx(np.full(25, 0.5))
    assert found.times_s[~found.failed] == pytest.approx(np.full(75, 10.0))


def test_a_run_without_a_success_says_nothing(tmp_path: Path) -> None:
    folder = write(sound_run([job(0, 1.0, 1.0, "failed")]), tmp_path / "run")
    with pytest.raises(UsageError, match="no generate request succeeded"):
        observed_service([folder], "generate")
    with pytest.raises(UsageError, match="no speech request succeeded"):
        observed_service([folder], "speech")
