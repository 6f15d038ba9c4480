"""GPUs and drivers that are not there, are lost or fail: what is wrong is named, and the rest goes on."""

from __future__ import annotations

from typing import Any

import pytest

from genload.monitor import MonitorError
from genload.sampler.watch import Watch

from .fake_gpus import BOARD, GONE, board, driver, monitor, opened, problem


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["init !9"], "the NVIDIA driver does not answer: Driver Not Loaded"),
        (["init !18"], "RM has detected an NVML/RM version mismatch"),
        (["count 0"], "the driver sees no GPU"),
        (["count !999"], "NVML: Unknown Error"),
        (["count 1", "0.handle !15"], "GPU 0: GPU is lost"),
    ],
)
def test_why_there_is_nothing_to_sample_is_said_and_tried_again(
    fake: Any, lines: list[str], words: str
) -> None:
    fake.tell(lines)
    made = monitor()
    watch = Watch("gpu", made)
    assert words in watch.tick(0.0).error
    fake.tell([*driver(), *board(0)])
    assert watch.tick(0.0).values["gpu.temperature"] == 61.0


@pytest.mark.parametrize(
    ("chosen", "words"), [([2], "there is no GPU 2: the driver sees 1"), (["GPU-x"], "GPU GPU-x: Not Found")]
)
def test_a_gpu_that_is_not_there_is_named(fake: Any, chosen: list[Any], words: str) -> None:
    fake.tell([*driver(), *board(0)])
    with pytest.raises(MonitorError, match=words):
        opened(gpus=chosen)


def test_a_gpu_lost_in_the_middle_is_named_and_the_others_go_on(fake: Any) -> None:
    whole = [*driver(count=2), *board(0), *board(1, uuid="GPU-77aa")]
    fake.tell(whole)
    made = opened()
    made.sample()
    lost = [f"1.{name} !15" for name in BOARD if name not in ("uuid", "name", "events")]
    fake.tell([*driver(count=2), *board(0), *lost])
    words, values = problem(made)
    assert words == "GPU 1 (GPU-77aa): GPU is lost"
    assert values["gpu.temperature{gpu=0}"] == 61.0
    assert "gpu.temperature" not in values and "gpu.temperature{gpu=1}" not in values
    fake.tell(whole)
    assert made.sample()["gpu.temperature"] == 61.0


def test_an_error_in_the_middle_of_a_gpu_keeps_what_came_before(fake: Any) -> None:
    fake.tell([*driver(), *board(0, clock_sm="!999")])
    words, values = problem(opened())
    assert words == "GPU 0 (GPU-5bd0): Unknown Error"
    assert values["gpu.power"] == pytest.approx(71.5)
    assert "gpu.clock_memory" not in values


def test_a_driver_that_goes_and_comes_back_is_found_again(fake: Any) -> None:
    fake.tell([*driver(), *board(0)])
    made = opened()
    made.sample()
    fake.tell(GONE)
    words, values = problem(made)
    assert ("Uninitialized" in words, values) == (True, {})
    assert "Driver Not Loaded" in problem(made)[0]
    assert "Driver Not Loaded" in problem(made)[0]
    fake.tell([*driver(driver="581.0"), *board(0)])
    assert made.sample()["gpu.temperature"] == 61.0
    assert made.facts()["gpu.driver"] == "581.0"
