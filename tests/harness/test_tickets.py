"""Every planned request is handed out once, by one process, under one number."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from genload.harness.tickets import Share, Ticket, Tickets
from genload.settings.arrivals import evenly
from genload.settings.phases import Phase, Timeline


def burst(users: int) -> Timeline:
    return Timeline((Phase("burst", None, users, iterations=users, per_user=1),))


def paced(every_s: float, duration_s: float, users: int = 100) -> Timeline:
    return Timeline((evenly("paced", duration_s, users, every_s=every_s),))


def users_of(share: Share, total: int) -> range:
    """The indices that Locust's users have in one process: it deals them out in turn."""
    return range(share.count(total))


def taken(timeline: Timeline, share: Share) -> Iterator[tuple[int, Ticket]]:
    """Let the users of one process take tickets in turn until there are none."""
    tickets = Tickets(timeline, share)
    found = True
    while found:
        found = False
        for index in users_of(share, timeline.max_users):
            ticket = tickets.take(index)
            if ticket is not None:
                found = True
                yield index, ticket
    assert not tickets.left


@given(users=st.integers(1, 40), workers=st.integers(1, 7))
def test_a_burst_is_one_request_a_user_in_whatever_process(users: int, workers: int) -> None:
    shares = [Share(rank, workers) for rank in range(workers)]
    pairs = [(share.number(i), t.number) for share in shares for i, t in taken(burst(users), share)]
    assert sorted(user for user, _ in pairs) == list(range(users))
    assert sorted(number for _, number in pairs) == list(range(users))


@given(
    iterations=st.integers(1, 40), users=st.integers(1, 9), workers=st.integers(1, 7), planned=st.booleans()
)
def test_every_planned_request_falls_to_a_process_with_users(
    iterations: int, users: int, workers: int, planned: bool
) -> None:
    timeline = (
        Timeline((Phase("steady", None, users, iterations=iterations),))
        if planned
        else paced(0.1, 0.1 * iterations, users)
    )
    tickets = [t for rank in range(workers) for _, t in taken(timeline, Share(rank, workers))]
    assert sorted(t.number for t in tickets) == list(range(iterations))


def test_an_arrival_is_due_at_its_multiple_of_the_interval() -> None:
    tickets = [ticket for _, ticket in taken(paced(0.2, 1.0), Share(1, 2))]
    assert tickets == [Ticket(1, "paced", 0.2), Ticket(3, "paced", 0.2 * 3)]


def test_open_phases_go_on_counting() -> None:
    timeline = Timeline((evenly("slow", 1.0, 9, every_s=0.5), evenly("fast", 0.5, 9, every_s=0.1)))
    found = [(t.number, t.phase, t.due_s) for _, t in taken(timeline, Share())]
    assert found[:4] == [(0, "slow", 0.0), (1, "slow", 0.5), (2, "fast", 1.0), (3, "fast", 1.1)]
    assert len(found) == 7


@given(st.lists(st.sampled_from(["take", "give"]), max_size=60), st.integers(1, 12))
def test_what_is_given_back_is_taken_before_all_later_ones(steps: list[str], planned: int) -> None:
    tickets = Tickets(paced(1.0, float(planned)), Share())
    free, held = set(range(planned)), list[Ticket]()
    for step in steps:
        if step == "give" and held:
            ticket = held.pop(len(held) // 2)
            tickets.give_back(0, ticket)
            free.add(ticket.number)
        elif (found := tickets.take(0)) is not None:
            assert found.number == min(free)
            free.remove(found.number)
            held.append(found)
        else:
            assert step == "give" or not free
    assert tickets.left is bool(free)


def test_the_warm_up_has_numbers_of_its_own() -> None:
    tickets = Tickets(burst(2), Share(), warmups=2)
    assert [tickets.take(index) for index in (1, 0, 0, 0, 0)] == [
        Ticket(0),
        Ticket(-1, "warmup"),
        Ticket(-2, "warmup"),
        Ticket(1),
        None,
    ]
    assert Tickets(burst(2), Share(1, 2), warmups=2).before_left == 0


def test_what_nobody_took_is_known_by_its_moment() -> None:
    tickets = Tickets(paced(0.2, 1.0, users=1), Share())
    first = tickets.take(0)
    assert first is not None
    assert [t.number for t in tickets.unclaimed(0.5)] == [1, 2]
    assert tickets.take(0) == Ticket(3, "paced", 0.2 * 3)
    tickets.give_back(0, first)
    assert [t.number for t in tickets.unclaimed(9.0)] == [0, 4]
    assert list(Tickets(burst(3), Share()).unclaimed(9.0)) == []
