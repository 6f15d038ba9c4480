"""Which users each worker has: as Locust really deals them out, class by class."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from locust import User
from locust.dispatch import UsersDispatcher
from locust.runners import WorkerNode

from genload.harness.dealing import in_order, shares

CLASSES: list[type[User]] = [
    type(name, (User,), {"weight": weight}) for name, weight in (("Zeta", 3), ("Alpha", 1), ("Mid", 7))
]


def dealt(worker_ids: list[str], users: list[int]) -> dict[str, list[int]]:
    """How many of each class Locust gives to each worker when it is asked for one class after another."""
    dispatcher = UsersDispatcher([WorkerNode(id=name) for name in worker_ids], CLASSES)
    asked = 0
    for user_class, count in zip(CLASSES, users, strict=False):
        asked += count
        dispatcher.new_dispatch(asked, float(asked), [user_class])
        *_, on_workers = dispatcher
    return {name: [on_workers[name][each.__name__] for each in CLASSES[: len(users)]] for name in worker_ids}


def numbers(place: int, workers: int, users: list[int], has: list[int]) -> list[set[int]]:
    """The numbers that a worker's users of each population have."""
    own = shares(place, workers, users)
    return [{share.number(index) for index in range(count)} for share, count in zip(own, has, strict=True)]


@given(st.integers(1, 5), st.lists(st.integers(1, 17), min_size=1, max_size=3))
def test_on_any_number_of_workers_the_users_of_each_population_have_the_numbers_from_0_on(
    workers: int, users: list[int]
) -> None:
    names = [f"vm_{name}" for name in "dacbe"[:workers]]
    has = dealt(names, users)
    found: list[set[int]] = [set() for _ in users]
    for place, name in enumerate(in_order(names)):
        for all_of_it, own in zip(found, numbers(place, workers, users, has[name]), strict=True):
            assert not all_of_it & own
            all_of_it.update(own)
    assert found == [set(range(count)) for count in users]


@pytest.mark.parametrize("users", [[6], [7, 3], [1, 1, 1]])
def test_workers_of_several_hosts_have_their_turns_in_locusts_order(users: list[int]) -> None:
    names = ["b_1", "a_1", "a_2", "c_9", "a_3", "c_1"]
    has = dealt(names, users)
    found: list[Any] = [set() for _ in users]
    for place, name in enumerate(in_order(names)):
        for all_of_it, own in zip(found, numbers(place, len(names), users, has[name]), strict=True):
            all_of_it.update(own)
    assert found == [set(range(count)) for count in users]
    assert in_order(names) == ["a_1", "b_1", "c_1", "a_2", "c_9", "a_3"]
