"""Slices of a GPU (MIG): each is told by its own name, and what a board has once counts once."""

from __future__ import annotations

from typing import Any

import pytest

from .fake_gpus import GIB, board, driver, opened


def test_mig_slices_that_the_driver_numbers_alike_are_told_apart_by_uuid(fake: Any) -> None:
    """Index 0 of two boards is two slices."""
    fake.tell(
        [
            *driver(count=2),
            *board(0, uuid="MIG-aa", index=0, memory_free=3 * GIB),
            *board(1, uuid="MIG-bb", index=0, memory_free=13 * GIB),
        ]
    )
    made = opened(gpus=["MIG-aa", "MIG-bb"])
    values = made.sample()
    assert values["gpu.memory_free{gpu=MIG-aa}"] == 3.0 * GIB
    assert values["gpu.memory_free{gpu=MIG-bb}"] == 13.0 * GIB
    assert values["gpu.memory_free"] == 16.0 * GIB
    assert made.facts()["gpu.uuid{gpu=MIG-bb}"] == "MIG-bb"


def mig(number: int, uuid: str, instance: int, free: int, **changes: int | str | None) -> list[str]:
    """A slice of board 0, of whose power, temperature and clocks the driver tells again for each slice."""
    place = {"uuid": uuid, "index": instance - 1, "slice_of": 0, "instance": instance}
    return board(number, **place, memory_total=8 * GIB, memory_reserved=0, memory_free=free * GIB, **changes)


def test_what_a_driver_repeats_for_each_slice_counts_once_for_the_board(fake: Any) -> None:
    slices = [*mig(1, "MIG-aa", 1, 3), *mig(2, "MIG-bb", 2, 5)]
    other = board(3, uuid="GPU-77aa", power=28_500, energy=1_000, temperature=50, ecc_corrected=1)
    fake.tell([*driver(count=4), *board(0), *slices, *other])
    values = opened(gpus=["MIG-aa", "MIG-bb", "GPU-77aa"]).sample()
    assert values["gpu.power"] == pytest.approx(71.5 + 28.5)
    assert values["gpu.energy"] == pytest.approx(123_456.789 + 1.0)
    assert values["gpu.ecc_corrected"] == 2.0 + 1.0
    assert (values["gpu.temperature"], values["gpu.clock_sm"]) == (61.0, 1.53e9)
    assert values["gpu.memory_free"] == (3 + 5 + 19) * GIB, "memory is each slice's own"
    assert values["gpu.power{gpu=MIG-bb}"] == pytest.approx(71.5)


def test_a_board_beside_its_own_slice_has_what_the_slice_has(fake: Any) -> None:
    part = mig(1, "MIG-aa", 1, 3, power=None)
    fake.tell([*driver(count=2), *board(0), "0.process 41 500", *part, "1.process 41 500"])
    made = opened(gpus=[0, "MIG-aa"])
    values = made.sample()
    assert values["gpu.memory_used"] == 4.0 * GIB and values["gpu.memory_total"] == 24.0 * GIB
    assert values["gpu.memory_used{gpu=MIG-aa}"] == 5.0 * GIB
    assert values["gpu.power"] == pytest.approx(71.5), "of a slice the driver need not tell it"
    assert (values["gpu.processes"], values["gpu.process_memory"]) == (1.0, 500.0)
    facts = made.facts()
    place = [facts[f"gpu.{name}{{gpu=MIG-aa}}"] for name in ("uuid", "board", "board_uuid", "instance")]
    assert place == ["MIG-aa", "0", "GPU-5bd0", "1"]


def test_two_compute_instances_of_one_slice_share_its_memory(fake: Any) -> None:
    fake.tell([*driver(count=3), *board(0), *mig(1, "MIG-aa", 1, 3), *mig(2, "MIG-ab", 1, 3)])
    assert opened(gpus=["MIG-aa", "MIG-ab"]).sample()["gpu.memory_used"] == 5.0 * GIB
