"""Jobs that two processes follow by events, over connections that the service cuts in the middle of a run."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genload.runlog.reader import open_run

from ..busy_machine import VALIDITY

pytestmark = pytest.mark.processes

EACH, CUT = 4, 5  # jobs of either user; the job whose end cuts the connections


def connections(server: Any) -> int:
    """How many there have been, as the service counts them."""
    with urllib.request.urlopen(f"{server.url}/api/health", timeout=30) as answer:  # noqa: S310
        count: int = json.load(answer)["testbed"]["socket_connections"]
    return count


@pytest.mark.parametrize("away", ["1h", "100ms"])
def test_no_job_is_lost_with_the_connections_that_tell_of_them(
    testbed: Callable[..., Any], run_genload: Callable[..., Any], tmp_path: Path, away: str
) -> None:
    """Each process has one user, who orders a job when the one before is over. So before the cut each user
    has ordered one at least, and one of the two has known of an end."""
    server = testbed(service_time="100ms", slots=4, fault=f"updates-cut={away}@{CUT}")
    suite = tmp_path / "own.yaml"
    # Who listens asks every ten minutes, so that no standstill makes a poll of what an event would have told.
    suite.write_text(
        "service:\n  api: orfeas\n  connect_timeout: 1min\n  request: {updates: socketio}\n"
        "  poll: {first: 20ms, interval: 1min}\n"
        f"locustfile: generation3d\nmonitors: {{host: {{interval: 200ms}}}}\nvalidity: {VALIDITY}\n"
        f"scenarios:\n  short:\n    shape: {{kind: baseline, users: 2, iterations: {2 * EACH}}}\n"
        "    warmup: {jobs: 0}\n    criteria:\n      all_good: generate.failed == 0\n"
        "      heard: {must: false, holds: generate.told_by_event == 100%}\n"
    )
    done = run_genload(f"{suite}/short", "--host", server.url, "--workers", "2")
    assert done.code == 0, done.output

    jobs = done.jobs("short")
    truth = {line["job_id"]: line for line in server.truth_records()}
    assert sorted(job.job_id for job in jobs) == sorted(truth)
    assert [(job.outcome, job.error) for job in jobs] == [("ok", "")] * (2 * EACH)
    assert {job.source for job in jobs} == {"w0", "w1"}
    assert not list(open_run(done.suite_folder / "short").missing_records())
    assert done.output.count("until they arrive, jobs are polled") >= 1
    # One a process, and after the cut one more at most.
    again = done.output.count("updates over Socket.IO arrive again")
    assert again <= connections(server) - 2 <= (0 if away == "1h" else 2)

    cut_s = sorted(line["end_s"] for line in truth.values())[CUT - 1]
    by_events = sum(job.numbers["told_by_event"] for job in jobs)
    assert 0 < by_events < 2 * EACH
    result = done.result("short")
    [heard] = [one for one in result["verdict"]["criteria"] if one["name"] == "heard"]
    assert (heard["result"], heard["value"]) == ("fail", by_events / (2 * EACH))
    told = f"{2 * EACH - by_events:.0f} of {2 * EACH} ends were told by polls (generate.told_by_event)"
    assert told in result["notices"] and told in done.output
    for job in jobs:
        line, numbers = truth[job.job_id], job.numbers
        by_event = numbers["told_by_event"] == 1
        assert by_event or numbers["polls"] > 0
        assert line["told_s"] is not None or not by_event
        assert line["told_s"] is None or line["end_s"] != cut_s
        assert line["told_s"] is None or line["end_s"] < cut_s or away != "1h"
        # Counted from the answer to the order, which came after the service took it, and within these stages.
        taken_s = line["accepted_s"]
        shown_s = line["told_s"] if by_event else line["end_s"]
        assert numbers["server_duration_s"] - numbers["poll_bound_s"] <= shown_s - taken_s
        ordering_s = job.stages["accept"] + job.stages["connect"]
        assert line["end_s"] - taken_s <= numbers["server_duration_s"] + ordering_s
