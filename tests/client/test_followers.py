"""Who hears which update, and what becomes of those that nobody waits for."""

from __future__ import annotations

from math import inf

from genload.client.followers import MOST_UNCLAIMED, Followers
from genload.service.updates import Update


def update(number: int) -> Update:
    return Update({"n": number}, seen_s=float(number), since_s=0.0)


def test_each_follower_has_the_updates_of_its_own_job_in_their_order() -> None:
    followers = Followers()
    one, other = followers.follow("one"), followers.follow("other")
    for number, job_id in enumerate(["one", "other", "one"]):
        followers.hand_over(job_id, update(number))

    assert [one.wait(0), one.wait(0), other.wait(0)] == [update(0), update(2), update(1)]
    assert one.wait(0) is None and other.wait(0) is None


def test_what_comes_before_a_job_is_followed_is_kept_for_a_bounded_number_of_jobs() -> None:
    followers = Followers()
    for number in range(MOST_UNCLAIMED + 1):
        followers.hand_over(f"job {number}", update(number))

    assert followers.follow("job 0").wait(0) is None  # the oldest made room
    assert followers.follow("job 1").wait(0) == update(1)
    for number in range(100):
        followers.hand_over("busy", update(number))
    kept = followers.follow("busy")
    assert kept.wait(0) == update(84)  # of one job the last 16


def test_a_loss_interrupts_who_waits_once_and_after_what_was_heard() -> None:
    followers = Followers()
    followers.since_s = 5.0
    follower = followers.follow("job")
    followers.hand_over("job", update(1))
    followers.lose()

    assert follower.since_s == inf
    assert follower.wait(60) == update(1)
    assert follower.wait(60) is None  # at once: it is to poll
    assert follower.wait(0) is None
    followers.hand_over("job", update(2))
    assert follower.wait(60) == update(2)


def test_nobody_is_asked_for_where_nobody_follows() -> None:
    followers = Followers()
    assert not followers.wait_for_one(0)
    follower = followers.follow("job")
    assert followers.wait_for_one(0)
    follower.close()
    assert not followers.wait_for_one(0)
