"""The client's counts against the service's: known answers, and what a difference may mean."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genload.analysis.contract import family_findings
from genload.analysis.filling import Filling
from genload.analysis.judge import judge_log
from genload.analysis.ledger import Ledger
from genload.analysis.reconciliation import OTHERS, UNSEEN, Comparison, meanings, reconcile
from genload.analysis.series import Series
from genload.analysis.table import table_of
from genload.runlog.records import RequestRecord, Sample
from genload.runlog.rows import rows_of
from genload.settings.contract import Reconcile

from .memory_log import jobs, never_ready, sound_run

DONE = {"accept": 0.1, "queue": 0.0, "run": 1.0, "download": 0.1}
DRIVEN = {"attempts": 1.0, "server_duration_s": 1.0}


def job(start_s: float, end_s: float, fate: str = "ok", **numbers: float) -> RequestRecord:
    """One job: ok, refused (the service says that it failed), spoiled (its output is broken), given_up
    (accepted, and genload's time for it was up), cut_off (accepted, and the connection was reset) or
    unanswered (never accepted)."""
    stages = {
        "ok": DONE,
        "spoiled": DONE,
        "refused": {"accept": 0.1, "queue": 0.0, "run": 1.0},
        "given_up": {"accept": 0.1, "queue": 5.0},
        "cut_off": {"accept": 0.1, "queue": 5.0},
        "unanswered": {"upload": 1.0},
    }[fate]
    driven = DRIVEN if fate in ("ok", "spoiled", "refused") else {"attempts": 1.0}
    return RequestRecord(
        source="local",
        n=0,
        name="generate",
        operation="generate",
        start_s=start_s,
        duration_s=end_s - start_s,
        outcome="ok" if fate == "ok" else "failed",
        error_class={"given_up": "timeout", "cut_off": "reset"}.get(fate, ""),
        stages=dict(stages),
        numbers={**driven, **numbers},
    )


def ledger(*jobs: RequestRecord) -> Ledger:
    """The first one is the warm-up's."""
    tables = []
    for part in (jobs[:1], jobs[1:]):
        filling = Filling()
        filling.add(rows_of(part))
        tables.append(table_of(filling))
    return Ledger.of(tables)


def series(*points: tuple[float, float], metric: str = "prom.n") -> Series:
    times_s, values = zip(*points, strict=True)
    columns = np.array(times_s, dtype=float), np.array(values, dtype=float), np.zeros(len(points))
    return Series(metric, "", *columns, interval_s=1.0)


def compare(
    count: str, counted: Series | None, *jobs: RequestRecord, restarts: float | None = None
) -> Comparison:
    """One count of these jobs against a counter (or gauge) of the service."""
    known = {"prom.n": counted}
    if restarts is not None:
        known["server.restarts"] = series((0.0, 0.0), (99.0, restarts))
    (found,) = reconcile(Reconcile.model_validate({count: "prom.n"}), ledger(*jobs), known.get)
    return found


def ten(*fates: str) -> list[RequestRecord]:
    """Ten jobs one after the other, the first ones with these fates."""
    return [job(10.0 * n + 2, 10.0 * n + 9, fate) for n, fate in enumerate([*fates, *["ok"] * 10][:10])]


FROM, TO = 0.0, 120.0


def counted(number: float) -> Series:
    return series((FROM, 40.0), (60.0, 40.0 + number), (TO, 40.0 + number))


@pytest.mark.parametrize(
    ("count", "fates", "number"),
    [
        ("sent", [], 10),
        ("accepted", [], 10),
        ("completed", [], 10),
        ("failed", [], 0),
        ("sent", ["unanswered"], 10),
        ("accepted", ["unanswered", "given_up", "refused"], 9),
        ("completed", ["refused", "spoiled"], 8),
        ("failed", ["refused", "spoiled", "given_up"], 3),
    ],
)
def test_what_is_the_same_is_equal(count: str, fates: list[str], number: int) -> None:
    found = compare(count, counted(number), *ten(*fates))
    assert (found.result, found.client, found.server, found.difference) == ("equal", number, number, 0.0)
    assert (found.unsure, found.meaning) == (0, [])


def test_failures_that_the_service_counts_as_successes_show_up() -> None:
    """ORFEAS: status="success" for every job that ended, whatever came of it."""
    found = compare("completed", counted(10), *ten("refused", "refused"))
    assert (found.result, found.client, found.server, found.difference) == ("differs", 8.0, 10.0, 2.0)
    assert found.meaning == ["2 failures counted as successes"]
    found = compare("failed", counted(0), *ten("refused", "refused"))
    assert found.meaning == ["2 failures not counted as failures"]


@pytest.mark.parametrize(
    ("count", "number", "fates", "meaning"),
    [
        ("completed", 9, ["refused", "spoiled", "spoiled"],
         ["2 outputs that came broken, which the service counts as successes"]),
        ("completed", 10, ["refused", "spoiled", "spoiled"],
         ["1 failure counted as success",
          "2 outputs that came broken, which the service counts as successes"]),
        ("completed", 8, ["refused", "refused", "refused", "refused"],
         ["up to 4 failures counted as successes", OTHERS]),
        ("completed", 14, [], [OTHERS]),
        ("completed", 5, [], [UNSEEN]),
        ("failed", 1, ["refused", "given_up", "given_up"],
         ["2 jobs that genload itself stopped waiting for"]),
        ("failed", 0, ["refused", "cut_off"],
         ["1 failure not counted as failure", "1 job that genload lost sight of"]),
        ("completed", 10, ["given_up", "refused"],
         ["1 failure counted as success",
          "1 job that genload stopped waiting for, and which succeeded later"]),
        ("accepted", 10, ["unanswered"],
         ["1 request without an answer that it was accepted, counted as accepted"]),
    ],
)  # fmt: skip
def test_what_a_difference_may_mean(count: str, number: int, fates: list[str], meaning: list[str]) -> None:
    found = compare(count, counted(number), *ten(*fates))
    assert (found.result, found.meaning) == ("differs", meaning)


def test_orders_that_were_tried_again_are_sent_requests() -> None:
    jobs = [job(1.0, 9.0, attempts=3.0, **waited_out(submit=2.0)), job(11.0, 19.0)]
    assert compare("sent", counted(4), *jobs).result == "equal"
    found = compare("sent", counted(2), *jobs)
    assert found.meaning == ["2 refused orders, which the service does not count"]


def waited_out(**counts: float) -> dict[str, float]:
    """The numbers of a record whose calls were refused so often."""
    return {f"waited_out_{call}": count for call, count in counts.items()} | {
        f"waited_out_{call}_s": 1.0 for call in counts
    }


@pytest.mark.parametrize(
    ("fate", "attempts", "refused", "orders"),
    [
        ("ok", 16.0, {"upload": 3.0, "submit": 3.0, "poll": 6.0, "download": 3.0}, 4),
        ("ok", 5.0, {"poll": 4.0}, 1),
        ("ok", 2.0, {"speech": 1.0}, 2),
        ("unanswered", 4.0, {"upload": 1.0, "submit": 2.0}, 3),
        # Stopped in the pause after a refusal, which is waited out and followed by no other try.
        ("unanswered", 2.0, {"upload": 1.0, "submit": 1.0}, 1),
        ("cut_off", 2.0, {"submit": 1.0, "poll": 1.0}, 2),
        # As records were before they named the call.
        ("ok", 3.0, {}, 3),
    ],
)
def test_what_is_sent_is_the_order_and_no_other_call(
    fate: str, attempts: float, refused: dict[str, float], orders: int
) -> None:
    one = job(1.0, 9.0, fate, attempts=attempts, **waited_out(**refused))
    found = compare("sent", counted(orders), one)
    assert (found.client, found.result, found.meaning) == (orders, "equal", [])


LOST = "that came between the last page before a restart and the first after it, where counts are lost"


def test_what_came_just_before_a_restart_may_be_lost_and_no_more_than_that() -> None:
    found = compare("completed", counted(7), *ten(), restarts=1.0)
    assert found.difference == -3.0
    # The last page before it was at 60 s, the first after it at 99 s: jobs ended at 69, 79, 89 and 99 s.
    assert found.meaning == [f"3 of the 4 {LOST}"]
    assert compare("completed", counted(4), *ten(), restarts=1.0).meaning == [f"up to 4 {LOST}", UNSEEN]
    more = compare("completed", counted(14), *ten(), restarts=1.0)
    assert more.meaning == [OTHERS], "a restart makes no counter count more"


def test_a_restart_when_nothing_came_has_lost_nothing() -> None:
    quiet = series((0.0, 40.0), (110.0, 47.0), (TO, 47.0))
    known = {"prom.n": quiet, "server.restarts": series((0.0, 0.0), (110.0, 0.0), (TO, 1.0))}
    (found,) = reconcile(Reconcile(completed="prom.n"), ledger(*ten()), known.get)
    assert found.meaning == [UNSEEN], "all jobs ended before the last page that came before it"


def test_jobs_that_a_restart_ended_are_its_own() -> None:
    jobs = [*ten(), job(62.0, 69.5, "cut_off"), job(70.0, 80.5, "cut_off")]
    found = compare("failed", counted(0), *jobs, restarts=1.0)
    assert found.meaning == [f"2 of the 2 {LOST}"]


def test_what_a_lost_worker_did_last_is_in_no_record() -> None:
    book = ledger(*ten())
    lost = replace(book, lost_workers={"w1": 34.0})
    (found,) = reconcile(Reconcile(completed="prom.n"), lost, {"prom.n": counted(12)}.get)
    assert found.meaning == [
        "the last requests of worker w1, which was lost: nothing was heard of it from 34 s into the run on",
        OTHERS,
    ]
    (found,) = reconcile(Reconcile(completed="prom.n"), lost, {"prom.n": counted(8)}.get)
    assert found.meaning == [UNSEEN], "a worker that is lost makes no counter count less"


def test_requests_under_way_at_the_edges_leave_it_open() -> None:
    jobs = [job(-5.0, 5.0), *ten(), job(115.0, 130.0)]
    found = compare("completed", counted(12), *jobs)
    assert (found.client, found.unsure, found.result) == (11.0, 2, "equal")
    assert found.meaning == [
        "1 more there is no difference: 2 requests were under way at the edges of the time"
    ]
    assert compare("completed", counted(14), *jobs).result == "differs"


def test_what_came_before_the_first_sample_is_not_compared() -> None:
    found = compare("completed", series((35.0, 40.0), (TO, 47.0)), *ten())
    assert (found.client, found.unsure, found.result) == (7.0, 1, "equal")


def known(up: list[tuple[float, float]], source: str = "") -> dict[str, Series | None]:
    """A counter that appears at 20 s and comes to 10, on pages that were answered at the times given."""
    points = series((20.0, 2.0), (TO, 10.0))
    states = series(*up, metric="server.up")
    return {"prom.n": replace(points, source="page"), "server.up": replace(states, source=source)}


@pytest.mark.parametrize(
    ("up", "source", "client", "server"),
    [
        ([(0.0, 1.0), (20.0, 1.0)], "page", 10.0, 10.0),
        ([(0.0, 0.0), (20.0, 1.0)], "page", 8.0, 8.0),
        ([(0.0, 1.0), (20.0, 1.0)], "another page", 8.0, 8.0),
    ],
    ids=["it was not on the page yet", "there was no page yet", "another page says nothing of it"],
)
def test_a_counter_that_comes_later_rose_from_0(
    up: list[tuple[float, float]], source: str, client: float, server: float
) -> None:
    (found,) = reconcile(Reconcile(completed="prom.n"), ledger(*ten()), known(up, source).get)
    assert (found.client, found.server, found.result) == (client, server, "equal")


def test_what_began_while_a_page_was_made_may_be_on_it() -> None:
    jobs = [job(FROM + 0.5, 5.0), *ten()[1:]]
    found = compare("accepted", counted(9), *jobs)
    assert (found.difference, found.unsure, found.result) == (-1.0, 1, "equal")


@pytest.mark.parametrize("found", [None, series((5.0, 1.0))])
def test_without_two_samples_nothing_is_said(found: Series | None) -> None:
    comparison = compare("completed", found, *ten())
    assert (comparison.result, comparison.server) == ("unknown", None)
    assert "two samples of prom.n" in comparison.meaning[0]


def test_only_what_the_suite_maps_is_compared() -> None:
    assert reconcile(Reconcile(), ledger(*ten()), lambda metric: None) == []


@given(
    st.integers(-40, 40).filter(bool),
    st.lists(st.tuples(st.sampled_from([-1, 1]), st.integers(1, 9), st.sampled_from("abc")), max_size=4),
)
def test_a_named_sum_really_is_the_difference(difference: int, parts: list[tuple[int, int, str]]) -> None:
    found = meanings(difference, 0, parts, 0)
    assert found
    if found[-1] not in (OTHERS, UNSEEN):
        assert sum(int(text.split()[0]) for text in found) == abs(difference)


# --- in flight ------------------------------------------------------------------------------------


def test_a_gauge_within_what_the_client_has_under_way_is_equal() -> None:
    jobs = [job(10.0, 30.0), job(12.0, 40.0)]
    found = compare(
        "in_flight", series((0.0, 0.0), (20.0, 2.0), (35.0, 1.0), (40.5, 1.0), (60.0, 0.0)), *jobs
    )
    assert (found.result, found.client, found.server, found.difference) == ("equal", 2.0, 2.0, 0.0)


def test_both_numbers_in_flight_are_those_of_one_moment() -> None:
    """Six users, one job after another of each: 18 were under way within two seconds, and 6 at any moment."""
    jobs = [job(user * 0.01 + n * 0.9, user * 0.01 + n * 0.9 + 0.85) for n in range(40) for user in range(6)]
    found = compare("in_flight", series((1.0, 2.0), (20.0, 6.0), (30.0, 5.0)), *jobs)
    assert (found.result, found.client, found.server, found.at_s) == ("equal", 6.0, 6.0, 20.0)


def test_a_job_that_genload_gave_up_is_its_own() -> None:
    jobs = [job(10.0, 30.0), job(12.0, 40.0, "given_up")]
    found = compare("in_flight", series((0.0, 0.0), (20.0, 2.0), (60.0, 1.0)), *jobs)
    assert (found.result, found.client, found.server, found.at_s) == ("differs", 0.0, 1.0, 60.0)
    assert found.meaning == ["1 job that genload itself had stopped waiting for"]


@pytest.mark.parametrize(
    ("points", "excess", "meaning"),
    [
        ([(0.0, 3.0), (20.0, 3.0), (60.0, 0.0)], 3.0,
         "other clients' traffic: 3 were in flight before the first request"),
        ([(0.0, 0.0), (20.0, 2.0), (60.0, 2.0)], 2.0,
         "jobs that nobody waits for any more, or a gauge that leaks: 2 at the last sample, "
         "and some still 20 s after the last request had ended"),
        ([(0.0, 0.0), (20.0, 5.0), (60.0, 0.0)], 3.0,
         "other clients' traffic: up to 3 more than the client had under way"),
    ],
)  # fmt: skip
def test_a_gauge_above_it_is_told_by_when(
    points: list[tuple[float, float]], excess: float, meaning: str
) -> None:
    found = compare("in_flight", series(*points), job(10.0, 30.0), job(12.0, 40.0))
    assert (found.result, found.difference, found.meaning) == ("differs", excess, [meaning])


# --- the contract ---------------------------------------------------------------------------------


def test_the_last_state_of_a_family_counts_and_an_unseen_one_is_unknown() -> None:
    def sample(t_s: float, **states: float) -> Sample:
        values = {f"contract.state{{family={family}}}": state for family, state in states.items()}
        return Sample(t_s=t_s, monitor="exposition", values={"server.up": 1.0, **values})

    samples = [sample(0.0, a=0.0, b=1.0), sample(5.0), sample(10.0, b=2.0, c=1.0)]
    found = family_findings(["a", "b", "c", "d"], samples)
    assert [(one.family, one.state) for one in found] == [
        ("a", "absent"),
        ("b", "live"),
        ("c", "idle"),
        ("d", "unknown"),
    ]


def test_a_judged_run_has_both() -> None:
    log = sound_run(
        jobs(["ok"] * 8 + ["failed"] * 2),
        reconcile={"completed": "prom.generated"},
        monitors={"exposition": {"expects": ["jobs", "pages"]}},
    )
    log.ticks[0].values |= {"prom.generated": 0.0, "contract.state{family=jobs}": 2.0}
    log.ticks[-1].values |= {"prom.generated": 9.0}
    run = judge_log(log)
    assert [(one.family, one.state) for one in run.contract] == [("jobs", "live"), ("pages", "unknown")]
    (found,) = run.reconciliation
    assert (found.client, found.server) == (8.0, 9.0)
    assert "contract.state{family=jobs}" not in {one.metric for one in run.series}
    empty = judge_log(never_ready())
    assert (empty.contract, empty.reconciliation) == ([], [])
